//! What happens to a subscription after it was made: it is paused and goes on, falls silent, is removed, and its owner is told (Microsoft
//! Learn, "Reduce missing subscriptions and change notifications").

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{State, Subscription, Subscriptions};
use crate::delivery::FirstAttempt;
use crate::graph::deliveries;
use crate::graph::state::Graph;
use crate::shared::time_text;

/// Graph keeps what it could not send for this long.
const KEEPS: Duration = Duration::hours(4);

/// What a lifecycle notification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// The access behind the subscription is about to end, or is over.
    ReauthorizationRequired,
    /// The subscription is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

/// A change notification on its way to a subscription's address.
#[derive(Clone)]
pub struct Notification {
    pub chat: String,
    pub body: Vec<u8>,
    pub correlation: Option<String>,
}

/// A notification that waits since then.
#[derive(Clone)]
pub struct Held {
    since: OffsetDateTime,
    notification: Notification,
}

impl Subscription {
    /// How many notifications wait.
    pub fn waiting(&self) -> usize {
        self.held.len()
    }

    /// Goes on after a pause; what was held is to be sent.
    pub(super) fn resume(&mut self) {
        if matches!(self.state, State::Paused { .. }) {
            self.state = State::Active;
        }
    }
}

impl Subscriptions {
    /// Gives a notification back, with the address, when it is to be sent now.
    fn pass(&self, id: &str, notification: Notification) -> Option<(String, Notification)> {
        let since = OffsetDateTime::now_utc();
        let pass = |it: &mut Subscription| match it.state {
            State::Active => Some((it.terms.notification_url.clone(), notification)),
            State::Paused { loses: false } => {
                it.held.push(Held {
                    since,
                    notification,
                });
                None
            }
            State::Silent | State::Paused { loses: true } => None,
        };
        self.with_any(id, pass).flatten()
    }

    /// What was held, unless it is still to be held; what lies too long is lost.
    pub(super) fn released(&self, id: &str, now: OffsetDateTime) -> Vec<Notification> {
        let release = |it: &mut Subscription| {
            let held = match it.state {
                State::Active => std::mem::take(&mut it.held),
                State::Silent | State::Paused { .. } => Vec::new(),
            };
            let held = held.into_iter().filter(|it| now - it.since <= KEEPS);
            held.map(|it| it.notification).collect()
        };
        self.with_any(id, release).unwrap_or_default()
    }
}

impl Graph {
    /// Sends a notification, or keeps it, as the subscription's state wants it.
    pub(in crate::graph) fn send_notification(
        &self,
        id: &str,
        notification: Notification,
    ) -> Option<FirstAttempt> {
        let (url, notification) = self.subscriptions.pass(id, notification)?;
        let Notification {
            chat,
            body,
            correlation,
        } = notification;
        // Subscriptions do not wait for each other.
        let line = format!("{id} {chat}");
        let deliveries = &self.deliveries;
        Some(deliveries::send(deliveries, &line, url, body, correlation))
    }

    /// Sends what was held during a pause that is over.
    pub(super) fn send_held(&self, id: &str) {
        let released = self.subscriptions.released(id, OffsetDateTime::now_utc());
        for notification in released {
            self.send_notification(id, notification);
        }
        self.subscriptions_changed();
    }

    /// Tells whoever looks at the subscriptions that they are others now.
    pub(super) fn subscriptions_changed(&self) {
        self.world.hub.event("subscriptions", json!({}));
    }

    /// Tells the subscription's owner of an event; a removed subscription is gone before. False when it has no address for that.
    pub(super) fn tell_lifecycle(&self, subscription: &Subscription, event: Event) -> bool {
        let terms = &subscription.terms;
        let Some(url) = &terms.lifecycle_url else {
            return false;
        };
        if event == Event::SubscriptionRemoved {
            self.subscriptions.remove(&subscription.id);
            self.subscriptions_changed();
        }
        let body = json!({ "value": [{
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": time_text(terms.ends),
            "tenantId": self.world.config.tenant,
            "clientState": terms.client_state,
            "lifecycleEvent": event,
        }] });
        let body = body.to_string().into_bytes();
        let line = format!("{} lifecycle", subscription.id);
        deliveries::send(&self.deliveries, &line, url.clone(), body, None);
        true
    }
}
