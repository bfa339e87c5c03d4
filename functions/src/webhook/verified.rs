//! What a check has vouched for. The checks of all webhooks are here, because only here a [`Verified`] can be made.

use std::slice;
use std::time::Duration;

use axum::body::Bytes;
use bridge::bot::activity::{Activity, CHANNEL};
use bridge::genesys::signature;
use bridge::ids::SupportAccountName;
use bridge::teams::client_state;
use bridge::teams::notification::{EncryptedContent, Item};
use http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use services::bot::{self as connector, ConnectorTokens};
use services::entra::{TokenValidator, Verdict};
use services::secrets::{Accepts, Secrets, names};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};

use super::refusal::Refusal;

/// Longest wait for the keys that sign validation tokens: within the deadline, the message can still be taken without what the
/// tokens would prove.
const KEYS_WAIT: Duration = Duration::from_secs(1);

/// Longest wait for the keys that sign the connector's tokens.
const CONNECTOR_KEYS_WAIT: Duration = Duration::from_secs(4);

/// Something that comes from whom it should, or that was made of it. The field is private to this module: outside of it there
/// is no way to a `Verified` but through a check.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What follows from it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Verified<U> {
        Verified(make(self.0))
    }

    /// What follows from it, of one kind or another.
    pub fn split<A, B>(
        self,
        make: impl FnOnce(T) -> Result<A, B>,
    ) -> Result<Verified<A>, Verified<B>> {
        make(self.0).map(Verified).map_err(Verified)
    }

    /// A look at it.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The thing itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Genesys' webhook signs the raw body (`X-Hub-Signature-256`).
///
/// # Errors
/// 401 when it is signed with none of our secrets, 503 while that cannot be told.
pub async fn signed(
    secrets: &Secrets,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Verified<Bytes>, Refusal> {
    const UNSIGNED: Refusal = Refusal {
        status: StatusCode::UNAUTHORIZED,
        reason: "the signature does not match",
    };
    let presented = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok())
        .ok_or(UNSIGNED)?;
    let fits = |secret: &SecretString| {
        signature::verify(&body, presented, slice::from_ref(secret)).then_some(())
    };
    match secrets
        .accepts(names::GENESYS_WEBHOOK, Instant::now(), fits)
        .await
    {
        Accepts::Yes(()) => Ok(Verified(body)),
        Accepts::No => Err(UNSIGNED),
        Accepts::CannotTell => Err(CANNOT_TELL),
    }
}

/// The connector's token, for an activity of the address that the token names.
///
/// # Errors
/// 401 without a token, 403 when it is not genuine or for something else, 400 when the body is no activity, 503 while none of that can be
/// told.
pub async fn of_the_connector(
    tokens: &ConnectorTokens,
    headers: &HeaderMap,
    body: &Bytes,
    received: OffsetDateTime,
) -> Result<Verified<Activity>, Refusal> {
    const FORGED: Refusal = Refusal {
        status: StatusCode::FORBIDDEN,
        reason: "the token is not genuine",
    };
    let token = bearer(headers).ok_or(Refusal {
        status: StatusCode::UNAUTHORIZED,
        reason: "there is no token",
    })?;
    let verdict = timeout(CONNECTOR_KEYS_WAIT, tokens.verdict(token, CHANNEL)).await;
    let address = match verdict {
        Ok(connector::Verdict::Valid(address)) => address,
        Ok(connector::Verdict::Invalid(reason)) => {
            tracing::warn!(event = "connector_token_refused", reason);
            return Err(FORGED);
        }
        Ok(connector::Verdict::CannotTell) | Err(_) => return Err(CANNOT_TELL),
    };
    let activity = Activity::parse(body, received).map_err(|error| {
        let reason = error.label();
        tracing::warn!(event = "activity_malformed", reason);
        Refusal::bad_request("the body is no activity")
    })?;
    match address.is(&activity.reference.service_url) {
        true => Ok(Verified(activity)),
        false => {
            let reason = "service_url";
            tracing::warn!(event = "connector_token_refused", reason);
            Err(FORGED)
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = Some(token.trim()).filter(|token| !token.is_empty());
    token.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
}

/// Genesys' workflow shows a secret in a header: what its data actions send cannot be signed.
///
/// # Errors
/// 401 when it is none of ours, 503 while that cannot be told.
pub async fn of_the_workflow(
    secrets: &Secrets,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Verified<Bytes>, Refusal> {
    const UNKNOWN: Refusal = Refusal {
        status: StatusCode::UNAUTHORIZED,
        reason: "the secret is not known",
    };
    let shown = headers.get("x-bridge-secret").ok_or(UNKNOWN)?;
    let fits = |secret: &SecretString| {
        let secret = secret.expose_secret().as_bytes();
        let is_same = aws_lc_rs::constant_time::verify_slices_are_equal(secret, shown.as_bytes());
        (!secret.is_empty())
            .then_some(())
            .filter(|()| is_same.is_ok())
    };
    match secrets
        .accepts(names::GENESYS_ENDED, Instant::now(), fits)
        .await
    {
        Accepts::Yes(()) => Ok(Verified(body)),
        Accepts::No => Err(UNKNOWN),
        Accepts::CannotTell => Err(CANNOT_TELL),
    }
}

/// Graph repeats the `clientState` of the subscription in each item, which names the support account too; `None` when it is
/// none of ours. All items of a batch share `presented`, the time when it came.
///
/// # Errors
/// 503 while that cannot be told.
pub async fn of_our_subscription(
    secrets: &Secrets,
    item: Item,
    presented: Instant,
) -> Result<Option<Verified<(SupportAccountName, Item)>>, Refusal> {
    let Some(state) = &item.client_state else {
        return Ok(None);
    };
    let fits = |secret: &SecretString| {
        client_state::verify(state.expose_secret(), slice::from_ref(secret))
    };
    match secrets
        .accepts(names::GRAPH_CLIENT_STATE, presented, fits)
        .await
    {
        Accepts::Yes(account) => Ok(Some(Verified((account, item)))),
        Accepts::No => Ok(None),
        Accepts::CannotTell => Err(CANNOT_TELL),
    }
}

const CANNOT_TELL: Refusal = Refusal::unavailable("secrets are not at hand, please retry");

/// Whether the content that a batch encloses is proven to come from Graph.
#[derive(Debug, Clone, Copy)]
pub struct Enclosure(bool);

impl Enclosure {
    /// There is none, or nothing is proven.
    pub const NONE: Self = Self(false);

    /// The content if it is proven; otherwise the message is to be read from Graph, as if none had been enclosed.
    pub fn proven(self, content: Option<EncryptedContent>) -> Option<EncryptedContent> {
        content.filter(|_| self.0)
    }
}

/// Checks the validation tokens of a batch that encloses content. Without good ones nothing is lost and nothing is believed,
/// but somebody must find out why.
pub async fn enclosure(validator: &TokenValidator, tokens: &[String]) -> Enclosure {
    let reason = match tokens {
        [] => "absent",
        _ => match timeout(KEYS_WAIT, validator.verdict(tokens)).await {
            Ok(Verdict::Valid) => return Enclosure(true),
            Ok(Verdict::Invalid(reason)) => reason,
            Ok(Verdict::CannotTell) | Err(_) => "signing keys are not at hand",
        },
    };
    tracing::error!(
        event = "validation_token_doubtful",
        reason,
        "the messages are read from Graph instead"
    );
    Enclosure::NONE
}
