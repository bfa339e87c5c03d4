//! Which items of a batch are genuine, and what becomes of each.

use std::collections::BTreeMap;

use bridge::queue::envelope::{Content, Envelope, LifecycleEnvelope, NotificationEnvelope};
use bridge::teams::client_state::claimed_account;
use bridge::teams::notification::{Collection, Item, ItemError, News};
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::app::App;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::{Enclosure, Verified, enclosure, of_our_subscription};
use crate::webhook::{Taken, reasons};

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
    // What Graph sent and nobody can use; and what only looks as if Graph had sent it to us.
    let (mut lost, mut unknown) = (BTreeMap::<_, u64>::new(), 0_u64);
    for item in collection.items {
        let unusable = item.news.as_ref().err().map(ItemError::kind);
        let is_claimed = claims_to_be_ours(app, &item);
        let Some(genuine) = of_our_subscription(&app.secrets, item, presented).await? else {
            taken.drop(unusable.unwrap_or("client_state"));
            unknown += u64::from(is_claimed);
            continue;
        };
        let usable = genuine.split(|(account, item)| match item.news {
            Ok(news) if app.settings.support_account(&account).is_some() => {
                Ok((account, item.tenant, news))
            }
            Ok(_) => Err("unknown_account"),
            Err(error) => Err(error.kind()),
        });
        let usable = match usable {
            Ok(usable) => usable,
            Err(reason) => {
                taken.drop(reason.get());
                *lost.entry(*reason.get()).or_default() += 1;
                continue;
            }
        };
        let tenant = usable.get().1.clone();
        foreign = foreign.or(tenant.filter(|it| *it != app.settings.tenant));
        match usable.split(|(account, _, news)| match news {
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
    if let Some(reasons) = reasons(&lost) {
        tracing::error!(event = "notification_dropped", reasons);
    }
    if unknown > 0 {
        tracing::warn!(event = "client_state_unknown", items = unknown);
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

/// Whether an item names our tenant and one of our support accounts, as every notification of our subscriptions does. Who knows
/// these names can forge that.
fn claims_to_be_ours(app: &App, item: &Item) -> bool {
    let state = item.client_state.as_ref();
    let account = state.and_then(|state| claimed_account(state.expose_secret()));
    item.tenant.as_ref() == Some(&app.settings.tenant)
        && account.is_some_and(|account| app.settings.support_account(&account).is_some())
}
