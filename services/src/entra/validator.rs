//! The verdict on the validation tokens of rich change notifications ("Set up Microsoft Graph change notifications with
//! resource data", validating the authenticity of notifications).

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::cloud;
use super::signing_keys::{Claims, Refused, SigningKeys};
use crate::address;
use crate::error::{Result, Service};
use crate::renewal::{Forced, Renewal};

/// Application that publishes Graph's change notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// Least time between two readings because of a key that is not known.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(60);

/// Least time after such a reading that failed.
const UNKNOWN_KEY_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Tokens that a batch may hold; Graph sends one for each pair of app and tenant.
const MOST_TOKENS: usize = 100;

/// What a batch of validation tokens is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every token is genuine.
    Valid,
    /// One token is not, for this reason (a stable word).
    Invalid(&'static str),
    /// No token is known to be forged, but the signing keys to be sure are not at hand: ask again later.
    CannotTell,
}

/// Who signed in, as a genuine id token for our app in our tenant says ("ID token claims reference").
#[derive(Clone)]
pub struct IdToken {
    /// Tenant of the person (`tid`).
    pub tenant: String,
    /// The person's object id there (`oid`).
    pub user: String,
    /// Their name, as far as the token tells (`name`).
    pub name: Option<String>,
    /// What they sign in with, as far as the token tells (`preferred_username`).
    pub sign_in_name: Option<String>,
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdToken").finish_non_exhaustive()
    }
}

/// Checks the validation tokens of rich change notifications against Entra ID's signing keys.
#[derive(Debug)]
pub struct TokenValidator {
    tenant: String,
    audience: String,
    issuers: Vec<String>,
    keys: Renewal<Arc<SigningKeys>>,
}

impl TokenValidator {
    /// A validator for tokens to `audience` (our app's client id) of `tenant` (a GUID); nothing is called yet. The issuer is
    /// that of the endpoint's cloud, or the endpoint itself.
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        tenant: &str,
        audience: &str,
    ) -> Self {
        let endpoint = address::base(entra_endpoint);
        let cloud = cloud::of(&endpoint);
        let keys_url = format!("{endpoint}/common/discovery/v2.0/keys");
        let read = move || SigningKeys::read(client.clone(), keys_url.clone());
        Self {
            tenant: tenant.to_owned(),
            audience: audience.to_owned(),
            issuers: vec![
                format!("{}/{tenant}/", cloud.v1_issuer),
                format!("{}/{tenant}/v2.0", cloud.issuer),
                format!("{endpoint}/{tenant}/v2.0"),
            ],
            keys: Renewal::new(Service::Entra, read),
        }
    }

    /// Loads the signing keys if they are not there.
    ///
    /// # Errors
    /// Entra ID refused or could not be reached.
    pub async fn warm_up(&self) -> Result<()> {
        self.keys.get().await.map(drop)
    }

    /// The verdict on all tokens of a batch; one bad token makes the whole batch [`Verdict::Invalid`]. A batch without a
    /// token proves nothing and is `Invalid` too.
    pub async fn verdict(&self, tokens: &[String]) -> Verdict {
        if tokens.is_empty() || tokens.len() > MOST_TOKENS {
            return Verdict::Invalid("number");
        }
        let asked = Instant::now();
        let Ok(keys) = self.keys.get().await else {
            return Verdict::CannotTell;
        };
        match self.check(tokens, &keys) {
            Err(Refused::UnknownKey) => self.with_newer_keys(tokens, asked).await,
            result => verdict_of(result),
        }
    }

    /// What an id token says, which was got from the token endpoint with our credential; `None` when it is not genuine.
    ///
    /// # Errors
    /// The signing keys to be sure cannot be read.
    pub async fn id_token(&self, token: &SecretString) -> Result<Option<IdToken>> {
        let asked = Instant::now();
        let check = |keys: &SigningKeys| {
            let token = token.expose_secret();
            keys.check(token, &self.audience, &self.issuers)
        };
        let keys = self.keys.get().await?;
        let mut claims = check(&keys);
        if claims.as_ref().err() == Some(&Refused::UnknownKey) {
            let (interval, after_failure) = (UNKNOWN_KEY_INTERVAL, UNKNOWN_KEY_AFTER_FAILURE);
            let newer = self.keys.force(asked, interval, after_failure).await?;
            claims = check(&newer.into_value());
        }
        Ok(claims.ok().and_then(|claims| {
            Some(IdToken {
                tenant: claims.tid?,
                user: claims.oid?,
                name: claims.name,
                sign_in_name: claims.preferred_username,
            })
        }))
    }

    async fn with_newer_keys(&self, tokens: &[String], asked: Instant) -> Verdict {
        let (interval, after_failure) = (UNKNOWN_KEY_INTERVAL, UNKNOWN_KEY_AFTER_FAILURE);
        match self.keys.force(asked, interval, after_failure).await {
            Ok(Forced::Fresh(keys)) => verdict_of(self.check(tokens, &keys)),
            Ok(Forced::Recent(keys)) => match self.check(tokens, &keys) {
                // The key may be newer than the last reading.
                Err(Refused::UnknownKey) => Verdict::CannotTell,
                result => verdict_of(result),
            },
            Err(_) => Verdict::CannotTell,
        }
    }

    /// A token that is certainly bad counts before one whose key is not known.
    fn check(&self, tokens: &[String], keys: &SigningKeys) -> Result<(), Refused> {
        let mut result = Ok(());
        for token in tokens {
            match keys.check(token, &self.audience, &self.issuers) {
                Ok(claims) => self.check_claims(&claims)?,
                Err(Refused::UnknownKey) => result = Err(Refused::UnknownKey),
                Err(bad) => return Err(bad),
            }
        }
        result
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), Refused> {
        let publisher = match claims.ver.as_deref() {
            Some("1.0") => claims.appid.as_deref(),
            Some("2.0") => claims.azp.as_deref(),
            _ => return Err(Refused::Because("version")),
        };
        if publisher != Some(PUBLISHER) {
            return Err(Refused::Because("publisher"));
        }
        let is_ours = |tenant: &String| tenant.eq_ignore_ascii_case(&self.tenant);
        if !claims.tid.as_ref().is_none_or(is_ours) {
            return Err(Refused::Because("tenant"));
        }
        Ok(())
    }
}

fn verdict_of(result: Result<(), Refused>) -> Verdict {
    match result {
        Ok(()) => Verdict::Valid,
        Err(Refused::UnknownKey) => Verdict::Invalid("unknown_key"),
        Err(Refused::Because(reason)) => Verdict::Invalid(reason),
    }
}
