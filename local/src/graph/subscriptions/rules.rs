//! What may be asked of a subscription. What Graph does with a mistake is documented for few of them; here each is refused.

use http::uri::Scheme;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use url::{Host, Url};
use uuid::Uuid;

use super::certificate::Recipient;
use super::{Owner, Refusal};
use crate::graph::changes::ChangeType;

/// Longest life of a subscription to chat messages ("subscription resource type").
const LONGEST: Duration = Duration::minutes(4320);

/// A shorter life becomes this one.
const SHORTEST: Duration = Duration::minutes(45);

/// A longer life needs an address for lifecycle notifications.
const WITHOUT_LIFECYCLE: Duration = Duration::hours(1);

/// Longest `clientState`, in characters. Another page says 255.
const LONGEST_CLIENT_STATE: usize = 128;

/// What a subscription is to be.
#[derive(Clone)]
pub struct Terms {
    /// As it was asked for.
    pub change_type: String,
    /// Each once, in the order of their names.
    pub changes: Vec<ChangeType>,
    /// As it was asked for.
    pub resource: String,
    /// Whose chats that are, in lower case.
    pub user: String,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub ends: OffsetDateTime,
    pub client_state: Option<String>,
    /// Whom content is encrypted for; always there with content.
    pub recipient: Option<Recipient>,
    pub with_content: bool,
}

/// What a subscription is to become.
pub struct Changes {
    pub ends: Option<OffsetDateTime>,
    pub notification_url: Option<String>,
    pub recipient: Option<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Creation {
    change_type: String,
    notification_url: String,
    lifecycle_notification_url: Option<String>,
    resource: String,
    expiration_date_time: String,
    client_state: Option<String>,
    #[serde(default)]
    include_resource_data: bool,
    encryption_certificate: Option<String>,
    encryption_certificate_id: Option<String>,
    latest_supported_tls_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    expiration_date_time: Option<String>,
    notification_url: Option<String>,
    encryption_certificate: Option<String>,
    encryption_certificate_id: Option<String>,
}

impl Terms {
    /// Reads the body of a request for a subscription.
    pub fn read(body: &[u8], owner: &Owner, now: OffsetDateTime) -> Result<Self, Refusal> {
        let wanted: Creation = serde_json::from_slice(body).map_err(no_subscription)?;
        let changes = changes(&wanted.change_type)?;
        let user = watched_user(&wanted.resource, owner)?;
        check_address(&wanted.notification_url)?;
        if let Some(url) = &wanted.lifecycle_notification_url {
            check_address(url)?;
        }
        let ends = end(&wanted.expiration_date_time, now)?;
        check_lifecycle(wanted.lifecycle_notification_url.is_some(), ends, now)?;
        let state = wanted.client_state.as_deref().unwrap_or_default();
        if state.chars().count() > LONGEST_CLIENT_STATE {
            const LONG: &str = "clientState must have at most 128 characters.";
            return Err(Refusal::invalid(LONG));
        }
        let tls = wanted.latest_supported_tls_version.as_deref();
        if !matches!(tls, None | Some("v1_2" | "v1_3")) {
            const OLD: &str = "latestSupportedTlsVersion must be v1_2 or v1_3.";
            return Err(Refusal::invalid(OLD));
        }
        let recipient = recipient(
            wanted.encryption_certificate.as_deref(),
            wanted.encryption_certificate_id.as_deref(),
        )?;
        if wanted.include_resource_data && recipient.is_none() {
            const NONE: &str =
                "encryptionCertificate is required when includeResourceData is true.";
            return Err(Refusal::invalid(NONE));
        }
        Ok(Self {
            change_type: wanted.change_type,
            changes,
            resource: wanted.resource,
            user,
            notification_url: wanted.notification_url,
            lifecycle_url: wanted.lifecycle_notification_url,
            ends,
            client_state: wanted.client_state,
            recipient,
            with_content: wanted.include_resource_data,
        })
    }

    /// Whether there may not be two such subscriptions. Documented is the same text; that its order, its case and its first
    /// slash make no difference is the stricter reading.
    pub fn is_same_combination(&self, other: &Self) -> bool {
        self.changes == other.changes && path(&self.resource) == path(&other.resource)
    }
}

impl Changes {
    /// Reads the body of an update.
    pub fn read(body: &[u8], now: OffsetDateTime) -> Result<Self, Refusal> {
        let wanted: Update = serde_json::from_slice(body).map_err(no_subscription)?;
        if wanted.expiration_date_time.is_none() && wanted.notification_url.is_none() {
            const NEITHER: &str = "expirationDateTime or notificationUrl must be given.";
            return Err(Refusal::invalid(NEITHER));
        }
        if let Some(url) = &wanted.notification_url {
            check_address(url)?;
        }
        let ends = wanted.expiration_date_time.as_deref();
        Ok(Self {
            ends: ends.map(|ends| end(ends, now)).transpose()?,
            recipient: recipient(
                wanted.encryption_certificate.as_deref(),
                wanted.encryption_certificate_id.as_deref(),
            )?,
            notification_url: wanted.notification_url,
        })
    }
}

/// Refuses a long life of a subscription that cannot be told of its end.
pub fn check_lifecycle(
    has_lifecycle_url: bool,
    ends: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    const MISSING: &str = "lifecycleNotificationUrl is a required property for subscription creation on this resource when the expirationDateTime value is set to greater than 1 hour.";
    if has_lifecycle_url || ends - now <= WITHOUT_LIFECYCLE {
        return Ok(());
    }
    Err(Refusal::invalid(MISSING))
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn no_subscription(problem: serde_json::Error) -> Refusal {
    Refusal::invalid(format!("The request body is not valid: {problem}"))
}

fn check_address(text: &str) -> Result<(), Refusal> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| match url.scheme() {
        "https" => url.has_host(),
        scheme => scheme == Scheme::HTTP.as_str() && is_loopback(url),
    });
    let secure = url.map(drop);
    secure.ok_or_else(|| Refusal::invalid("The notification URL must be an https address."))
}

fn changes(text: &str) -> Result<Vec<ChangeType>, Refusal> {
    let words: Option<Vec<_>> = text.split(',').map(ChangeType::named).collect();
    let mut changes = words.ok_or_else(|| {
        Refusal::invalid("changeType must be made of created, updated and deleted.")
    })?;
    changes.sort_unstable();
    changes.dedup();
    Ok(changes)
}

/// A resource as it is compared.
fn path(resource: &str) -> String {
    let path = resource.strip_prefix('/').unwrap_or(resource);
    path.to_ascii_lowercase()
}

/// Whose chats a resource is.
fn watched_user(resource: &str, owner: &Owner) -> Result<String, Refusal> {
    let path = path(resource);
    let user = match path.strip_suffix("/chats/getallmessages") {
        Some("me") => owner.user.clone(),
        Some(user) => user.strip_prefix("users/").map(str::to_owned),
        None => None,
    };
    let user = user.filter(|user| Uuid::parse_str(user).is_ok());
    user.ok_or_else(|| Refusal::invalid("The resource is not one that can be subscribed to."))
}

/// When a subscription ends that is to end then.
fn end(text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, Refusal> {
    let wanted = OffsetDateTime::parse(text, &Rfc3339);
    let wanted = wanted.map_err(|_| Refusal::invalid("expirationDateTime is not a time."))?;
    if wanted <= now {
        return Err(Refusal::invalid(
            "expirationDateTime must be in the future.",
        ));
    }
    if wanted - now > LONGEST {
        return Err(Refusal::invalid(format!(
            "Expiration time '{text}' is beyond allowed max '3.00:00:00'."
        )));
    }
    Ok(wanted.max(now + SHORTEST))
}

fn recipient(certificate: Option<&str>, id: Option<&str>) -> Result<Option<Recipient>, Refusal> {
    const ALONE: &str = "encryptionCertificate and encryptionCertificateId must be given together.";
    match (certificate, id) {
        (None, None) => Ok(None),
        (Some(certificate), Some(id)) => Recipient::read(certificate, id).map(Some),
        _ => Err(Refusal::invalid(ALONE)),
    }
}
