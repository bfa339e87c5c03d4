//! Which items of a batch are genuine, and what becomes of each.

use std::collections::BTreeMap;

use bridge::ids::ChatId;
use bridge::queue::envelope::{Content, Envelope, NotificationEnvelope};
use bridge::teams::notification::{Collection, Lifecycle, News};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::app::App;
use crate::webhook::Taken;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::{Enclosure, Verified, enclosure, of_our_subscription};

/// The envelopes of the genuine changes, by chat and there in the order of the batch; and what was dropped.
type Checked = (BTreeMap<ChatId, Vec<Verified<Envelope>>>, Taken);

/// Checks each item's `clientState`, and the batch's validation tokens where content is enclosed.
///
/// # Errors
/// 503 while a verdict needs a secret that cannot be had: the sender must retry.
pub async fn check(app: &App, collection: Collection) -> Result<Checked, Refusal> {
    let presented = Instant::now();
    let mut taken = Taken::default();
    let mut changes = Vec::new();
    let mut foreign = None;
    for item in collection.items {
        let item = match item {
            Ok(item) => item,
            Err(error) => {
                taken.drop(error.kind());
                continue;
            }
        };
        let Some(genuine) = of_our_subscription(&app.secrets, item, presented).await? else {
            taken.drop("client_state");
            continue;
        };
        changes.extend(genuine.filter_map(|(account, item)| {
            if app.settings.support_account(&account).is_none() {
                taken.drop("unknown_account");
                return None;
            }
            foreign = foreign
                .take()
                .or(item.tenant.filter(|it| *it != app.settings.tenant));
            match item.news {
                News::Change(change) => Some((account, change)),
                News::Lifecycle(lifecycle) => {
                    taken.drop("lifecycle");
                    report(&lifecycle);
                    None
                }
            }
        }));
    }
    if let Some(tenant) = foreign {
        // Whoever knows the secret of our subscription is believed, whatever tenant it names.
        let tenant = tenant.digest();
        tracing::warn!(event = "foreign_tenant", tenant = tenant.as_str());
    }
    // Only a batch that knows a secret may cause a look-up of signing keys.
    let enclosure = match changes
        .iter()
        .any(|change| change.get().1.encrypted.is_some())
    {
        true => enclosure(&app.validator, &collection.validation_tokens).await,
        false => Enclosure::NONE,
    };
    let now = OffsetDateTime::now_utc();
    let mut chats = BTreeMap::<_, Vec<_>>::new();
    for change in changes {
        let envelopes = chats.entry(change.get().1.chat.clone()).or_default();
        envelopes.push(change.map(|(account, change)| {
            let notification = NotificationEnvelope {
                change: change.change,
                chat: change.chat,
                message: change.message,
                account,
                encrypted: enclosure.proven(change.encrypted),
            };
            Envelope::new(now, Content::Notification(notification))
        }));
    }
    Ok((chats, taken))
}

/// Its own function renews and replaces subscriptions; that it comes here means that a person must.
fn report(lifecycle: &Lifecycle) {
    let subscription = lifecycle
        .subscription
        .as_ref()
        .map(|digest| digest.as_str());
    tracing::error!(
        event = "lifecycle_notification",
        lifecycle = lifecycle.event,
        subscription,
        "renew the subscription, or create it anew"
    );
}
