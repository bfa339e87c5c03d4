//! The verdict on the connector's tokens ("Authenticate requests from the Bot Connector service to your bot").

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::address;
use crate::entra::signing_keys::{Refused, SigningKeys};
use crate::error::{Result, Service};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::renewal::{Forced, Lease, Renewal};

/// Largest metadata document.
const METADATA_LIMIT: usize = 64 * 1024;

/// Age at which the keys are read again in the background.
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Age at which they no longer count: the documentation allows five days, and so long an outage lasts of what tells them.
const EXPIRE_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);

/// Least time between two readings because of a key that is not known.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(60);

/// Least time after such a reading that failed.
const UNKNOWN_KEY_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;

/// What a token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The connector made it, for an activity of this address.
    Valid(ServiceUrl),
    /// It is not genuine, or for something else, for this reason (a stable word).
    Invalid(&'static str),
    /// It is not known to be forged, but the signing keys to be sure are not at hand: ask again later.
    CannotTell,
}

/// The address that a token names: that of the activity must be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// Whether an activity's address is the same but for case and a slash at the end, as Microsoft's newer libraries compare them.
    pub fn is(&self, address: &str) -> bool {
        let bare = |address: &str| {
            let bare = address.strip_suffix('/').unwrap_or(address);
            bare.to_ascii_lowercase()
        };
        bare(&self.0) == bare(address)
    }
}

/// Checks the tokens that the connector sends with its activities.
#[derive(Debug)]
pub struct ConnectorTokens {
    audience: String,
    issuers: [String; 1],
    keys: Renewal<Arc<SigningKeys>>,
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

impl ConnectorTokens {
    /// For the bot with this application id, with the keys that this login endpoint names; nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        login_endpoint: &str,
        entra_endpoint: &str,
        app_id: &str,
    ) -> Self {
        let login = match address::base(login_endpoint) {
            given if given.is_empty() => login_of(entra_endpoint).to_owned(),
            given => given,
        };
        let metadata = format!("{login}/v1/.well-known/openidconfiguration");
        Self {
            audience: app_id.to_owned(),
            issuers: [issuer(entra_endpoint).to_owned()],
            keys: Renewal::new(Service::Bot, move || read(client.clone(), metadata.clone())),
        }
    }

    /// Loads the signing keys if they are not there.
    ///
    /// # Errors
    /// The Bot Framework refused or could not be reached.
    pub async fn warm_up(&self) -> Result<()> {
        self.keys.get().await.map(drop)
    }

    /// The verdict on a token that came with an activity of this channel. What the activity itself says need not be read for it.
    pub async fn verdict(&self, token: &str, channel: &str) -> Verdict {
        if token.len() > LONGEST_TOKEN {
            return Verdict::Invalid("malformed");
        }
        let asked = Instant::now();
        let Ok(keys) = self.keys.get().await else {
            return Verdict::CannotTell;
        };
        match self.check(token, channel, &keys) {
            Err(Refused::UnknownKey) => self.with_newer_keys(token, channel, asked).await,
            result => verdict_of(result),
        }
    }

    async fn with_newer_keys(&self, token: &str, channel: &str, asked: Instant) -> Verdict {
        let (interval, after_failure) = (UNKNOWN_KEY_INTERVAL, UNKNOWN_KEY_AFTER_FAILURE);
        match self.keys.force(asked, interval, after_failure).await {
            Ok(Forced::Fresh(keys)) => verdict_of(self.check(token, channel, &keys)),
            Ok(Forced::Recent(keys)) => match self.check(token, channel, &keys) {
                // The key may be newer than the last reading.
                Err(Refused::UnknownKey) => Verdict::CannotTell,
                result => verdict_of(result),
            },
            Err(_) => Verdict::CannotTell,
        }
    }

    fn check(&self, token: &str, channel: &str, keys: &SigningKeys) -> Result<ServiceUrl, Refused> {
        let (audience, issuers) = (&self.audience, &self.issuers);
        let claims = keys.check_endorsed(token, audience, issuers, channel)?;
        let claimed = claims.serviceurl.filter(|claimed| !claimed.is_empty());
        claimed
            .map(ServiceUrl)
            .ok_or(Refused::Because("service_url"))
    }
}

async fn read(client: reqwest::Client, metadata: String) -> Result<Lease<Arc<SigningKeys>>> {
    let request = client.get(metadata).timeout(CALL_TIMEOUT);
    let metadata: Metadata = exchange::send_for_json(Service::Bot, request, METADATA_LIMIT).await?;
    Ok(Lease {
        value: SigningKeys::read_at(&client, Service::Bot, &metadata.jwks_uri).await?,
        renew_after: RENEWED_AFTER,
        expires_after: EXPIRE_AFTER,
    })
}

fn verdict_of(result: Result<ServiceUrl, Refused>) -> Verdict {
    match result {
        Ok(address) => Verdict::Valid(address),
        Err(Refused::UnknownKey) => Verdict::Invalid("unknown_key"),
        Err(Refused::Because(reason)) => Verdict::Invalid(reason),
    }
}

/// Who issues the connector's tokens, and what the bot's own are for ("Configure bots for US Government customers").
pub(super) fn issuer(entra_endpoint: &str) -> &'static str {
    match cloud(entra_endpoint) {
        Cloud::Public => "https://api.botframework.com",
        Cloud::UsGovernment => "https://api.botframework.us",
        Cloud::China => "https://api.botframework.azure.cn",
    }
}

fn login_of(entra_endpoint: &str) -> &'static str {
    match cloud(entra_endpoint) {
        Cloud::Public => "https://login.botframework.com",
        Cloud::UsGovernment => "https://login.botframework.azure.us",
        Cloud::China => "https://login.botframework.azure.cn",
    }
}

enum Cloud {
    Public,
    UsGovernment,
    China,
}

fn cloud(entra_endpoint: &str) -> Cloud {
    match crate::entra::issuer_of(entra_endpoint) {
        "https://login.microsoftonline.us" => Cloud::UsGovernment,
        "https://login.partner.microsoftonline.cn" => Cloud::China,
        _ => Cloud::Public,
    }
}
