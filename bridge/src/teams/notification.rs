//! Graph's change notifications (Microsoft Learn, "changeNotification resource type").
//!
//! Anybody can send such a body, so nothing in it makes the reader take much memory: items and tokens are counted while they
//! are read, and what is no object or too long to be genuine is passed over where it lies.

use std::borrow::Cow;
use std::fmt;

use secrecy::SecretString;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{ChatId, Digest, TeamsMessageId, TenantId};
use crate::json_fault::JsonFault;

mod resource;

use resource::message_of;

/// Most items of one POST; Graph documents no limit, and no batch seen comes near this.
pub const MOST_ITEMS: usize = 1000;

/// Most validation tokens of one POST: Graph sends one for each application and tenant.
const MOST_TOKENS: usize = 32;

/// Longest validation token, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Longest `clientState`, four times Graph's limit of 128 characters.
const LONGEST_CLIENT_STATE: usize = 512;

/// Longest `resource`: ids of the greatest length, percent-encoded.
const LONGEST_RESOURCE: usize = 4096;

/// One POST of Graph: items of several chats, subscriptions and tenants can be mixed. `Debug` leaves the tokens out.
pub struct Collection {
    /// Its items; one bad item never spoils the others.
    pub items: Vec<Item>,
    /// JWTs that prove the sender; only rich notifications carry them. One that cannot be genuine is empty.
    pub validation_tokens: Vec<String>,
}

debug_shows!(Collection: items);

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeType {
    /// It was written.
    Created,
    /// It was edited, or somebody reacted to it.
    Updated,
    /// It was deleted.
    Deleted,
}

impl ChangeType {
    /// The word that Graph uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// One item: what its sender claims, until [`Self::client_state`] is compared.
#[derive(Debug)]
pub struct Item {
    /// The subscription's secret, as presented.
    pub client_state: Option<SecretString>,
    /// The tenant that the notification is for.
    pub tenant: Option<TenantId>,
    /// What it tells, or why it cannot be used: who sent it is told apart in either case.
    pub news: Result<News, ItemError>,
}

/// What an item tells.
#[derive(Debug)]
pub enum News {
    /// A chat message changed.
    Change(Change),
    /// Something is the matter with the subscription.
    Lifecycle(Lifecycle),
}

/// One change of one chat message.
#[derive(Debug)]
pub struct Change {
    /// What happened.
    pub change: ChangeType,
    /// The chat, out of `resource`.
    pub chat: ChatId,
    /// The message, out of `resource`.
    pub message: TeamsMessageId,
    /// The message itself, when the notification is rich.
    pub encrypted: Option<EncryptedContent>,
}

/// What can be the matter with a subscription (Microsoft Learn, "Reduce missing subscriptions and change notifications").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleEvent {
    /// It tells nothing any more unless it is renewed.
    ReauthorizationRequired,
    /// It is gone.
    SubscriptionRemoved,
    /// Changes were not told.
    Missed,
}

impl LifecycleEvent {
    /// The word that Graph uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let all = [
            Self::ReauthorizationRequired,
            Self::SubscriptionRemoved,
            Self::Missed,
        ];
        all.into_iter().find(|event| event.as_str() == word)
    }
}

/// A lifecycle notification.
#[derive(Debug)]
pub struct Lifecycle {
    /// What is the matter.
    pub event: LifecycleEvent,
    /// Stands for the subscription.
    pub subscription: Option<Digest>,
}

/// The encrypted message of a rich notification; the texts are base64. `Debug` names the certificate only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptedContent {
    /// The message, encrypted with the data key.
    pub data: String,
    /// HMAC of the encrypted message.
    pub data_signature: String,
    /// The data key, encrypted with the certificate.
    pub data_key: String,
    /// Our own id of the certificate.
    #[serde(rename = "encryptionCertificateId")]
    pub certificate_id: String,
}

debug_shows!(EncryptedContent: certificate_id);

/// A body that is no collection of at most [`MOST_ITEMS`] change notifications.
#[derive(Debug, thiserror::Error)]
#[error("no collection of at most {MOST_ITEMS} change notifications")]
pub struct MalformedCollection(#[source] JsonFault);

/// Why an item cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// No object, or a field of another type.
    #[error("the item has another shape")]
    Malformed,
    /// A change that Graph does not document.
    #[error("the change type is unknown")]
    UnknownChangeType,
    /// A lifecycle event that Graph does not document.
    #[error("the lifecycle event is unknown")]
    UnknownLifecycleEvent,
    /// A required field is absent.
    #[error("the field {0} is missing")]
    MissingField(&'static str),
    /// The resource is no message of a chat.
    #[error("the resource is no chat message")]
    Resource,
}

impl ItemError {
    /// Stable word for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownChangeType => "unknown_change_type",
            Self::UnknownLifecycleEvent => "unknown_lifecycle_event",
            Self::MissingField(_) => "missing_field",
            Self::Resource => "resource",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct RawCollection<'a> {
    value: AtMost<'a, MOST_ITEMS>,
    #[serde(borrow)]
    validation_tokens: Option<&'a RawValue>,
}

/// A list of anything, where it lies in the body; an error as soon as it has more entries than this.
struct AtMost<'a, const MOST: usize>(Vec<&'a RawValue>);

/// A text that lies in the body, unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Text<'a> {
    fn within(self, longest: usize) -> Option<Cow<'a, str>> {
        Some(self.0).filter(|text| text.len() <= longest)
    }
}

/// One item. What a change can be told without is read apart: as something odd it counts as absent, and no message is lost for it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct RawItem<'a> {
    change_type: Option<Text<'a>>,
    lifecycle_event: Option<Text<'a>>,
    #[serde(borrow)]
    subscription_id: Option<&'a RawValue>,
    client_state: Option<Text<'a>>,
    #[serde(borrow)]
    tenant_id: Option<&'a RawValue>,
    resource: Option<Text<'a>>,
    #[serde(borrow)]
    encrypted_content: Option<&'a RawValue>,
}

/// Who an item says that it is from, where the rest of it has another shape.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct RawClaim<'a> {
    client_state: Option<Text<'a>>,
    #[serde(borrow)]
    tenant_id: Option<&'a RawValue>,
}

impl Collection {
    /// Reads the body of Graph's POST.
    ///
    /// # Errors
    /// The body is not JSON, or has no list `value` of at most [`MOST_ITEMS`] entries.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedCollection> {
        let malformed = |error: serde_json::Error| MalformedCollection(error.into());
        // A proxy on the way may mark the body as UTF-8.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let raw: RawCollection<'_> = serde_json::from_slice(body).map_err(malformed)?;
        let items = raw.value.0.iter().map(|item| Item::parse(item.get()));
        let validation_tokens = match raw.validation_tokens.map(RawValue::get) {
            None => Vec::new(),
            Some(list) if list.starts_with('[') => {
                let tokens: AtMost<'_, MOST_TOKENS> =
                    serde_json::from_str(list).map_err(malformed)?;
                tokens.0.iter().map(|token| token_of(token.get())).collect()
            }
            // Something else proves nothing, as a token that cannot be genuine.
            Some(_) => vec![String::new()],
        };
        Ok(Self {
            items: items.collect(),
            validation_tokens,
        })
    }
}

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for AtMost<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(AtMost(Vec::new()))
    }
}

impl<'de: 'a, 'a, const MOST: usize> Visitor<'de> for AtMost<'a, MOST> {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {MOST} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(entry) = list.next_element()? {
            if self.0.len() == MOST {
                return Err(de::Error::invalid_length(MOST + 1, &self));
            }
            self.0.push(entry);
        }
        Ok(self)
    }
}

impl Item {
    fn parse(json: &str) -> Self {
        // Anything else need not be read to be told apart.
        let raw = Some(json).filter(|json| json.starts_with('{'));
        match raw.and_then(|json| serde_json::from_str::<RawItem<'_>>(json).ok()) {
            Some(mut raw) => {
                let claim = RawClaim {
                    client_state: raw.client_state.take(),
                    tenant_id: raw.tenant_id.take(),
                };
                claim.of(raw.news())
            }
            None => {
                let claim = raw.and_then(|json| serde_json::from_str::<RawClaim<'_>>(json).ok());
                claim.unwrap_or_default().of(Err(ItemError::Malformed))
            }
        }
    }
}

impl RawClaim<'_> {
    fn of(self, news: Result<News, ItemError>) -> Item {
        let state = self.client_state;
        Item {
            client_state: state
                .and_then(|state| state.within(LONGEST_CLIENT_STATE))
                .map(|state| SecretString::from(state.into_owned())),
            tenant: readable::<Text<'_>>(self.tenant_id).and_then(|tenant| tenant.0.parse().ok()),
            news,
        }
    }
}

impl RawItem<'_> {
    fn news(self) -> Result<News, ItemError> {
        if let Some(event) = self.lifecycle_event {
            return Ok(News::Lifecycle(Lifecycle {
                event: LifecycleEvent::of(&event.0).ok_or(ItemError::UnknownLifecycleEvent)?,
                subscription: readable::<Text<'_>>(self.subscription_id)
                    .map(|id| Digest::of("subscription", &id.0)),
            }));
        }
        let change = match self.change_type.as_ref().map(|change| &*change.0) {
            Some("created") => ChangeType::Created,
            Some("updated") => ChangeType::Updated,
            Some("deleted") => ChangeType::Deleted,
            Some(_) => return Err(ItemError::UnknownChangeType),
            None => return Err(ItemError::MissingField("changeType")),
        };
        let resource = self.resource.ok_or(ItemError::MissingField("resource"))?;
        let (chat, message) = resource
            .within(LONGEST_RESOURCE)
            .and_then(|resource| message_of(&resource))
            .ok_or(ItemError::Resource)?;
        Ok(News::Change(Change {
            change,
            chat,
            message,
            // Without its content, the message is read from Graph.
            encrypted: readable(self.encrypted_content),
        }))
    }
}

/// A field, unless it is something else than it should be.
fn readable<'a, T: Deserialize<'a>>(field: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(field?.get()).ok()
}

/// What is no text, or too long, can not be valid, but must not vanish either: one bad token spoils the batch.
fn token_of(json: &str) -> String {
    let json = Some(json).filter(|json| json.len() <= LONGEST_TOKEN);
    json.and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
