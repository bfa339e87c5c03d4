//! Graph's change notifications (Microsoft Learn, "changeNotification resource type").

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{ChatId, TeamsMessageId, TenantId};
use crate::json_fault::JsonFault;

/// One POST of Graph: items of several chats, subscriptions and tenants can be mixed. `Debug` leaves the tokens out.
pub struct Collection {
    /// Each item, or why it cannot be used; one bad item never spoils the others.
    pub items: Vec<Result<Item, ItemError>>,
    /// JWTs that prove the sender; only rich notifications carry them.
    pub validation_tokens: Vec<String>,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Collection")
            .field("items", &self.items)
            .field("validation_tokens", &self.validation_tokens.len())
            .finish()
    }
}

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

/// One change of one chat message.
#[derive(Debug)]
pub struct Item {
    /// What happened.
    pub change: ChangeType,
    /// The subscription's secret, as presented.
    pub client_state: Option<SecretString>,
    /// The tenant that the notification is for.
    pub tenant: Option<TenantId>,
    /// The chat, out of `resource`.
    pub chat: ChatId,
    /// The message, out of `resource`.
    pub message: TeamsMessageId,
    /// The message itself, when the notification is rich.
    pub encrypted: Option<EncryptedContent>,
}

/// The encrypted message of a rich notification; the texts are base64. `Debug` names the certificate only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedContent {
    /// The message, encrypted with the data key.
    pub data: String,
    /// HMAC of the encrypted message.
    #[serde(rename = "dataSignature")]
    pub data_signature: String,
    /// The data key, encrypted with the certificate.
    #[serde(rename = "dataKey")]
    pub data_key: String,
    /// Our own id of the certificate.
    #[serde(rename = "encryptionCertificateId")]
    pub certificate_id: String,
}

impl std::fmt::Debug for EncryptedContent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EncryptedContent")
            .field("certificate_id", &self.certificate_id)
            .finish_non_exhaustive()
    }
}

/// A body that is no collection of change notifications.
#[derive(Debug, thiserror::Error)]
#[error("no collection of change notifications")]
pub struct MalformedCollection(#[source] JsonFault);

/// Why an item cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// No object, or a field of another type.
    #[error("the item has another shape")]
    Malformed,
    /// A lifecycle event, which belongs on another route.
    #[error("the item is a lifecycle event")]
    Lifecycle,
    /// A change that Graph does not document.
    #[error("the change type is unknown")]
    UnknownChangeType,
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
            Self::Lifecycle => "lifecycle",
            Self::UnknownChangeType => "unknown_change_type",
            Self::MissingField(_) => "missing_field",
            Self::Resource => "resource",
        }
    }
}

#[derive(Deserialize)]
struct RawCollection<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
    #[serde(rename = "validationTokens", default)]
    validation_tokens: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawItem {
    change_type: Option<String>,
    lifecycle_event: Option<String>,
    client_state: Option<SecretString>,
    tenant_id: Option<String>,
    resource: Option<String>,
    encrypted_content: Option<EncryptedContent>,
}

impl Collection {
    /// Reads the body of Graph's POST.
    ///
    /// # Errors
    /// The body is not JSON, or has no list `value`.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedCollection> {
        let raw: RawCollection<'_> =
            serde_json::from_slice(body).map_err(|error| MalformedCollection(error.into()))?;
        let validation_tokens = raw
            .validation_tokens
            .unwrap_or_default()
            .into_iter()
            // What is not a text can not be valid either, but must not vanish: a bad token spoils the batch.
            .map(|token| token.as_str().unwrap_or_default().to_owned())
            .collect();
        Ok(Self {
            items: raw
                .value
                .into_iter()
                .map(|item| Item::parse(item.get()))
                .collect(),
            validation_tokens,
        })
    }
}

impl Item {
    fn parse(json: &str) -> Result<Self, ItemError> {
        let raw: RawItem = serde_json::from_str(json).map_err(|_| ItemError::Malformed)?;
        if raw.lifecycle_event.is_some() {
            return Err(ItemError::Lifecycle);
        }
        let change = match raw.change_type.as_deref() {
            Some("created") => ChangeType::Created,
            Some("updated") => ChangeType::Updated,
            Some("deleted") => ChangeType::Deleted,
            Some(_) => return Err(ItemError::UnknownChangeType),
            None => return Err(ItemError::MissingField("changeType")),
        };
        let resource = raw.resource.ok_or(ItemError::MissingField("resource"))?;
        let (chat, message) = message_of(&resource).ok_or(ItemError::Resource)?;
        Ok(Self {
            change,
            client_state: raw.client_state,
            tenant: raw.tenant_id.and_then(|tenant| tenant.parse().ok()),
            chat,
            message,
            encrypted: raw.encrypted_content,
        })
    }
}

/// Chat and message of a resource path: `chats('{id}')/messages('{id}')`, `chats/{id}/messages/{id}`, either below
/// `users('{id}')` or `me`, with or without a leading slash; ids may be percent-encoded, and a quote inside a key is doubled
/// (OData Version 4.01, "Canonical URL").
fn message_of(resource: &str) -> Option<(ChatId, TeamsMessageId)> {
    let segments = segments(resource)?;
    let position = segments.iter().position(|(name, _)| name == "chats")?;
    let mut rest = segments[position..].iter();
    let chat = keyed(&mut rest, "chats")?;
    let message = keyed(&mut rest, "messages")?;
    if rest.next().is_some() {
        return None;
    }
    Some((chat.parse().ok()?, message.parse().ok()?))
}

/// A path segment and the key in its parentheses.
type Segment = (String, Option<String>);

/// The key of the next segment, in parentheses or as a segment of its own.
fn keyed<'a>(rest: &mut impl Iterator<Item = &'a Segment>, name: &str) -> Option<String> {
    let (found, key) = rest.next()?;
    if found != name {
        return None;
    }
    match key {
        Some(key) => Some(key.clone()),
        None => match rest.next()? {
            (segment, None) => Some(segment.clone()),
            _ => None,
        },
    }
}

/// Splits a path at its slashes, but not inside a quoted key.
fn segments(resource: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = resource.trim_start_matches('/');
    while !rest.is_empty() {
        let end = rest.find(['/', '(']).unwrap_or(rest.len());
        let name = decoded(&rest[..end])?;
        rest = &rest[end..];
        let mut key = None;
        if let Some(quoted) = rest.strip_prefix("('") {
            let (text, after) = quoted_key(quoted)?;
            key = Some(decoded(&text)?);
            rest = after.strip_prefix(')')?;
        }
        match rest.strip_prefix('/') {
            Some(next) if !next.is_empty() => rest = next,
            None if rest.is_empty() => {}
            _ => return None,
        }
        segments.push((name, key));
    }
    Some(segments)
}

/// The text up to the closing quote, a doubled quote being one.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'')?;
        key.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                key.push('\'');
                rest = after;
            }
            None => return Some((key, rest)),
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
