//! Which items of a batch are genuine: valid, invalid, or cannot tell.

use std::collections::BTreeMap;

use bridge::ids::SupportAccountName;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::teams::client_state;
use bridge::teams::notification::{Collection, Item};
use secrecy::{ExposeSecret, SecretString};
use services::entra::Verdict;
use services::secrets::{Accepts, names};
use tokio::time::Instant;

use crate::app::App;
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

    let presented = Instant::now();
    let mut genuine: Vec<(Item, SupportAccountName)> = Vec::new();
    for item in collection.items {
        match item {
            Err(error) => drop_for(error.kind()),
            Ok(item) => match account(app, &item, presented).await? {
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

/// The support account that an item's `clientState` names, if it is genuine.
async fn account(
    app: &App,
    item: &Item,
    presented: Instant,
) -> Result<Option<SupportAccountName>, Refusal> {
    let Some(state) = &item.client_state else {
        return Ok(None);
    };
    let fits = |secret: &SecretString| {
        client_state::verify(state.expose_secret(), std::slice::from_ref(secret))
    };
    match app
        .secrets
        .accepts(names::GRAPH_CLIENT_STATE, presented, fits)
        .await
    {
        Accepts::Yes(account) => Ok(Some(account)),
        Accepts::No => Ok(None),
        Accepts::CannotTell => Err(Refusal::unavailable(
            "secrets are not at hand, please retry",
        )),
    }
}
