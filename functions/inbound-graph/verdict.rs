//! Which items of a batch are genuine: valid, invalid, or cannot tell.

use std::collections::BTreeMap;

use bridge::ids::SupportAccountName;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::teams::client_state;
use bridge::teams::notification::{Collection, Item};
use secrecy::{ExposeSecret, SecretString};
use services::entra::Verdict;

use crate::app::{App, CLIENT_STATE_SECRET};
use crate::webhook::refusal::Refusal;

/// The genuine items in the order of the batch, and how many were dropped for which reason.
pub struct Checked {
    pub accepted: Vec<NotificationEnvelope>,
    pub dropped: BTreeMap<&'static str, u64>,
}

/// Checks each item's `clientState` and tenant, and the batch's validation tokens.
///
/// # Errors
/// 503 while a verdict needs a secret or a signing key that cannot be had: the sender must retry.
pub async fn check(app: &App, collection: Collection) -> Result<Checked, Refusal> {
    let mut dropped = BTreeMap::new();
    let mut drop_for = |reason: &'static str| *dropped.entry(reason).or_insert(0) += 1;

    let mut secrets = ClientStateSecrets::load(app).await?;
    let mut genuine: Vec<(Item, SupportAccountName)> = Vec::new();
    for item in collection.items {
        match item {
            Err(error) => drop_for(error.kind()),
            Ok(item) => match secrets.account(app, &item).await? {
                None => drop_for("client_state"),
                Some(account) if app.settings.support_account(&account).is_none() => {
                    drop_for("unknown_account");
                }
                Some(_) if item.tenant.as_ref() != Some(&app.settings.tenant) => {
                    drop_for("foreign_tenant");
                }
                Some(account) => genuine.push((item, account)),
            },
        }
    }

    // Only a batch that knows a secret may cause a look-up of signing keys.
    let tokens = &collection.validation_tokens;
    let verdict = match (genuine.is_empty(), tokens.is_empty()) {
        (false, false) => Some(app.validator.verdict(tokens).await),
        _ => None,
    };
    let mut accepted = Vec::new();
    for (item, account) in genuine {
        match (&verdict, &item.encrypted) {
            (Some(Verdict::CannotTell), _) => {
                return Err(Refusal::unavailable(
                    "signing keys are not at hand, please retry",
                ));
            }
            // One bad token makes the whole batch suspicious.
            (Some(Verdict::Invalid(reason)), _) => {
                tracing::warn!(event = "validation_token_invalid", reason);
                drop_for("validation_token");
            }
            (None, Some(_)) => drop_for("validation_token_missing"),
            (Some(Verdict::Valid), _) | (None, None) => accepted.push(NotificationEnvelope {
                change: item.change,
                chat: item.chat,
                message: item.message,
                account,
                encrypted: item.encrypted,
            }),
        }
    }
    Ok(Checked { accepted, dropped })
}

/// Current and previous secret, read again at most once for a batch.
struct ClientStateSecrets {
    present: Vec<SecretString>,
    reloaded: bool,
}

impl ClientStateSecrets {
    async fn load(app: &App) -> Result<Self, Refusal> {
        match app.secrets.pair(CLIENT_STATE_SECRET).await {
            Ok(pair) if !pair.present().is_empty() => Ok(Self {
                present: pair.present(),
                reloaded: false,
            }),
            _ => Err(Refusal::unavailable("starting, please retry")),
        }
    }

    async fn account(
        &mut self,
        app: &App,
        item: &Item,
    ) -> Result<Option<SupportAccountName>, Refusal> {
        let Some(presented) = &item.client_state else {
            return Ok(None);
        };
        let presented = presented.expose_secret();
        if let Some(account) = client_state::verify(presented, &self.present) {
            return Ok(Some(account));
        }
        if self.reloaded {
            return Ok(None);
        }
        self.reloaded = true;
        // A rotation must not turn real traffic into forged traffic.
        let pair = app
            .secrets
            .reload(CLIENT_STATE_SECRET)
            .await
            .map_err(|_| Refusal::unavailable("secrets are not at hand, please retry"))?;
        self.present = pair.present();
        Ok(client_state::verify(presented, &self.present))
    }
}
