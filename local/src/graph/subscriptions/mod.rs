//! Subscriptions to the messages of each Support User's chats, made, renewed and ended as Graph has them (Microsoft Learn, "subscription
//! resource type", "Create subscription", "Update subscription", "subscription: reauthorize", "Reduce missing subscriptions and change
//! notifications").
//!
//! Of the resources that can be subscribed to, only the one that the bridge uses is known: all chats of a user.

mod api;
mod certificate;
mod control;
mod handshake;
mod lifecycle;
mod own;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use api::router;
pub(super) use control::router as control;
pub(super) use lifecycle::Notification;
pub(super) use own::Own;

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use self::lifecycle::Held;
use self::rules::{Changes, Terms};
use super::answers::Refusal;
use super::changes::ChangeType;
use crate::shared::clock::Clock;
use crate::shared::locked::Locked;
use crate::shared::time_text;

/// Subscriptions that there may be to the chats of one user ("Set up notifications for changes in resource data").
const QUOTA: usize = 10;

/// A subscription must not be both updated and reauthorized within this time ("Reduce missing subscriptions and change
/// notifications").
const APART: Duration = Duration::minutes(10);

/// Whose a subscription is: an app's, or an app's on behalf of whoever signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Client id.
    pub app: String,
    /// Object id.
    pub user: Option<String>,
}

/// One subscription.
#[derive(Clone)]
pub struct Subscription {
    pub id: String,
    /// Counts all that were ever made, in their order.
    number: u64,
    owner: Owner,
    pub terms: Terms,
    state: State,
    /// What came while it was paused.
    held: Vec<Held>,
    updated: Option<OffsetDateTime>,
    reauthorized: Option<OffsetDateTime>,
}

/// What becomes of its notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// They are sent.
    Active,
    /// Nothing is sent, though it is listed: Graph is known to lose a subscription without a word.
    Silent,
    /// The access behind it is over: they are held until it is renewed, or lost where that is so ordered. The documentation has
    /// said both.
    Paused { loses: bool },
}

/// All subscriptions.
pub struct Subscriptions {
    clock: Clock,
    made: Locked<Made>,
    /// Whether a signed-in user may subscribe. The documentation contradicts itself, so at first not.
    delegated: AtomicBool,
}

#[derive(Default)]
struct Made {
    count: u64,
    all: Vec<Subscription>,
}

impl Subscriptions {
    /// None yet; they end by this clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            made: Locked::default(),
            delegated: AtomicBool::default(),
        }
    }

    /// What there is now: a subscription that ended is gone.
    fn living(&self) -> MutexGuard<'_, Made> {
        let mut made = self.made.lock();
        let now = self.clock.now();
        made.all.retain(|it| it.terms.ends > now);
        made
    }

    /// Those that watch a user of whom this holds, and this kind of change.
    pub fn watching(
        &self,
        change: ChangeType,
        is_there: impl Fn(&str) -> bool,
    ) -> Vec<Subscription> {
        let made = self.living();
        let watching = made.all.iter();
        let watching =
            watching.filter(|it| it.terms.changes.contains(&change) && is_there(&it.terms.user));
        watching.cloned().collect()
    }

    fn own(&self, owner: &Owner) -> Vec<Subscription> {
        let made = self.living();
        let own = made.all.iter().filter(|it| it.owner == *owner);
        own.cloned().collect()
    }

    fn may_delegate(&self) -> bool {
        self.delegated.load(Ordering::Relaxed)
    }

    fn let_delegate(&self, allowed: bool) {
        self.delegated.store(allowed, Ordering::Relaxed);
    }

    /// Refuses what there already is, and what would be too many.
    fn check_room(&self, owner: &Owner, terms: &Terms) -> Result<(), Refusal> {
        self.living().check_room(owner, terms)
    }

    fn add(&self, owner: Owner, terms: Terms) -> Result<Subscription, Refusal> {
        let mut made = self.living();
        // Another may have come while the address was asked for its token.
        made.check_room(&owner, &terms)?;
        made.count += 1;
        let subscription = Subscription {
            id: Uuid::new_v4().to_string(),
            number: made.count,
            owner,
            terms,
            state: State::Active,
            held: Vec::new(),
            updated: None,
            reauthorized: None,
        };
        made.all.push(subscription.clone());
        Ok(subscription)
    }

    /// Looks at one of this owner's, or changes it. To others it does not exist.
    fn with<T>(
        &self,
        owner: &Owner,
        id: &str,
        work: impl FnOnce(&mut Subscription) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut made = self.living();
        let mut own = made.all.iter_mut().filter(|it| it.owner == *owner);
        let found = own.find(|it| it.id.eq_ignore_ascii_case(id));
        work(found.ok_or(Refusal::NO_OBJECT)?)
    }

    /// The same for whoever owns the platform.
    fn with_any<T>(&self, id: &str, work: impl FnOnce(&mut Subscription) -> T) -> Option<T> {
        let mut made = self.living();
        let found = made.all.iter_mut().find(|it| it.id == id);
        found.map(work)
    }

    /// Ends a subscription; whether there was one.
    fn remove(&self, id: &str) -> bool {
        let mut made = self.living();
        let before = made.all.len();
        made.all.retain(|it| it.id != id);
        made.all.len() < before
    }
}

impl Made {
    fn check_room(&self, owner: &Owner, terms: &Terms) -> Result<(), Refusal> {
        const FULL: Refusal = Refusal::forbidden(
            "Operation: Create; Exception: [Status Code: Forbidden; Reason: Has reached its limit of 10 subscriptions for this user.]",
        );
        let mut own = self.all.iter().filter(|it| it.owner == *owner);
        if let Some(same) = own.find(|it| it.terms.is_same_combination(terms)) {
            return Err(Refusal::exists(&same.id));
        }
        let of_user = self.all.iter().filter(|it| it.terms.user == terms.user);
        (of_user.count() < QUOTA).then_some(()).ok_or(FULL)
    }
}

impl Subscription {
    /// As its owner sees it. Neither the secret nor the certificate is told: of lists that is documented, of the rest it is the
    /// stricter reading.
    fn view(&self) -> Value {
        let terms = &self.terms;
        let certificate = terms.recipient.as_ref();
        json!({
            "id": self.id,
            "resource": terms.resource,
            "applicationId": self.owner.app,
            "changeType": terms.change_type,
            "clientState": null,
            "notificationUrl": terms.notification_url,
            "notificationQueryOptions": null,
            "lifecycleNotificationUrl": terms.lifecycle_url,
            "expirationDateTime": time_text(terms.ends),
            "creatorId": self.owner.user.as_ref().unwrap_or(&self.owner.app),
            "includeResourceData": terms.with_content,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": null,
            "encryptionCertificateId": certificate.map(|it| &it.id),
            "notificationUrlAppId": null,
        })
    }

    fn change(&mut self, changes: Changes, now: OffsetDateTime) {
        let renewed = changes.ends.is_some();
        let terms = &mut self.terms;
        terms.ends = changes.ends.unwrap_or(terms.ends);
        if let Some(url) = changes.notification_url {
            terms.notification_url = url;
        }
        terms.recipient = changes.recipient.or(terms.recipient.take());
        self.updated = Some(now);
        if renewed {
            self.resume();
        }
    }

    /// Refuses an update after this reauthorization, or the other way round, that comes too early.
    fn check_apart(other: Option<OffsetDateTime>, now: OffsetDateTime) -> Result<(), Refusal> {
        const EARLY: Refusal = Refusal::bad_request(
            "A subscription must not be both updated and reauthorized within 10 minutes.",
        );
        let early = other.is_some_and(|other| now - other < APART);
        (!early).then_some(()).ok_or(EARLY)
    }
}
