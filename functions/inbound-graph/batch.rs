//! Which items of a batch are genuine, and what becomes of each.

use std::collections::BTreeMap;

use bridge::queue::envelope::{Content, Envelope, LifecycleEnvelope, NotificationEnvelope};
use bridge::teams::notification::{Collection, News};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::app::App;
use crate::webhook::Taken;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::{Enclosure, Verified, enclosure, of_our_subscription};

/// The envelopes of what is genuine, each lane's in the order of the batch; and what was dropped.
type Checked = (Vec<Vec<Verified<Envelope>>>, Taken);

/// Checks each item's `clientState`, and the batch's validation tokens where content is enclosed.
///
/// # Errors
/// 503 while a verdict needs a secret that cannot be had: the sender must retry.
pub async fn check(app: &App, collection: Collection) -> Result<Checked, Refusal> {
    let presented = Instant::now();
    let mut taken = Taken::default();
    let now = OffsetDateTime::now_utc();
    let (mut changes, mut lanes) = (Vec::new(), Vec::new());
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
        let (account, item) = genuine.get();
        if app.settings.support_account(account).is_none() {
            taken.drop("unknown_account");
            continue;
        }
        let tenant = item.tenant.clone();
        foreign = foreign.or(tenant.filter(|it| *it != app.settings.tenant));
        match genuine.split(|(account, item)| match item.news {
            News::Change(change) => Ok((account, change)),
            News::Lifecycle(lifecycle) => Err(LifecycleEnvelope {
                account,
                event: lifecycle.event,
                subscription: lifecycle.subscription,
            }),
        }) {
            Ok(change) => changes.push(change),
            Err(lifecycle) => {
                lanes.push(vec![
                    lifecycle.map(|it| Envelope::new(now, Content::Lifecycle(it))),
                ]);
            }
        }
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
    lanes.extend(chats.into_values());
    Ok((lanes, taken))
}
