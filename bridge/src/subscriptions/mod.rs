//! Graph's subscriptions to the messages of a Support User: which are wanted and which are there in, one step out.
//!
//! After each step all is looked at again, so a run can end after any of them. Somebody is subscribed to every kind of change
//! at every moment: an order is replaced by making the new one first. Graph refuses a second subscription with the same
//! `changeType` and `resource` (409; "Create subscription"), so the new one comes in parts, each with other kinds, before the
//! old one goes, and the whole again before the parts go. Meanwhile a change is told twice, which the queues and states bear.
//!
//! Graph does not show the `clientState` of a subscription. Which one it has, and for which certificate it encrypts, is
//! written into the query of its `notificationUrl`, which Graph keeps and shows ([`Mark`]).

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::Digest;

/// Life that a subscription is given. Graph allows 4,320 minutes ("subscription resource type"); clocks differ.
pub const LIFE: Duration = Duration::from_secs(4_300 * 60);

/// Age at which it is renewed, long before its end: what Graph tells may pause when the token with which it was last made or renewed
/// ends, which is an hour later at the earliest ("Reduce missing subscriptions and change notifications"). Graph forbids more
/// than one renewal in ten minutes.
pub const RENEWED_AFTER: Duration = Duration::from_secs(45 * 60);

/// Age at which it is renewed when Graph asks for that: what is younger was renewed a moment ago, and Graph forbids more than one
/// renewal in ten minutes.
pub const RENEWED_WHEN_ASKED: Duration = Duration::from_secs(11 * 60);

/// A kind of change that Graph tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeType {
    /// A new message.
    Created,
    /// An edit or a reaction.
    Updated,
    /// A deletion.
    Deleted,
}

/// Kinds of changes, as Graph writes them: words with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeTypes(BTreeSet<ChangeType>);

/// What a subscription is for, as far as Graph would not show it: digests of its `clientState` and of its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    state: Digest,
    certificate: Digest,
}

/// The subscription that is wanted for one Support User.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose changes it tells (`users/{id}/chats/getAllMessages`).
    pub resource: String,
    /// Where it tells them, without a query.
    pub address: String,
    /// Its secrets.
    pub mark: Mark,
    /// Age at which it is renewed.
    pub renewed_after: Duration,
}

/// A subscription, as Graph lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// Whose changes it tells.
    pub resource: String,
    /// Which of them.
    pub change_types: ChangeTypes,
    /// Where it tells them.
    pub address: String,
    /// When it ends.
    pub ends: OffsetDateTime,
}

/// The subscription that a Support User has, noted for people who may not ask Graph (`subscriptions/{account}.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// With whose right it was made, in the word of the settings.
    pub access: String,
    /// When it ends.
    #[serde(with = "crate::moment")]
    pub ends: OffsetDateTime,
}

/// What is to be done next; then all is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Subscribe to these kinds of changes.
    Create(ChangeTypes),
    /// Give this subscription a new end.
    Renew(String),
    /// Give it the wanted address and certificate, and a new end.
    Mend(String),
    /// Remove this subscription.
    Delete(String),
    /// Nothing.
    Rest,
}

/// Sets of which some do not equal what is there already, in the order in which they are tried.
const PARTS: [&[ChangeType]; 6] = {
    use ChangeType::{Created, Deleted, Updated};
    [
        &[Created, Updated],
        &[Deleted],
        &[Created],
        &[Updated],
        &[Updated, Deleted],
        &[Created, Deleted],
    ]
};

/// The resource of a Support User's subscription.
#[must_use]
pub fn resource(user: &str) -> String {
    format!("users/{user}/chats/getAllMessages")
}

/// The next step for one Support User. A renewal that can wait comes last: were it slow or refused, it would hold up a replacement
/// until the old subscription has ended.
#[must_use]
pub fn next_step(wanted: &Wanted, all: &[Seen], now: OffsetDateTime) -> Step {
    let living = all.iter().filter(|it| it.ends > now);
    let (good, stale): (Vec<&Seen>, Vec<&Seen>) = living
        .filter(|it| wanted.is_for(&it.resource))
        .partition(|it| wanted.has_state_of(it));
    if let Some(one) = good.iter().find(|it| it.address != wanted.full_address()) {
        return Step::Mend(one.id.clone());
    }
    let older_than = |age: Duration| good.iter().find(move |it| it.ends < now + LIFE - age);
    if let Some(one) = older_than(LIFE / 2) {
        return Step::Renew(one.id.clone());
    }
    match (replacement(&good, &stale), older_than(wanted.renewed_after)) {
        (Step::Rest, Some(one)) => Step::Renew(one.id.clone()),
        (step, _) => step,
    }
}

/// The next step towards one whole subscription, out of those that have the wanted secret and those that have another.
fn replacement(good: &[&Seen], stale: &[&Seen]) -> Step {
    let is_whole = |it: &&&Seen| it.change_types == ChangeTypes::all();
    if let Some(whole) = good.iter().find(is_whole) {
        let mut others = stale.iter().chain(good);
        let other = others.find(|it| it.id != whole.id);
        return other.map_or(Step::Rest, |it| Step::Delete(it.id.clone()));
    }
    let Some(old) = stale.iter().find(is_whole) else {
        return Step::Create(ChangeTypes::all());
    };
    let covered = good.iter().flat_map(|it| it.change_types.0.iter().copied());
    let covered: BTreeSet<_> = covered.collect();
    if covered == ChangeTypes::all().0 {
        return Step::Delete(old.id.clone());
    }
    let is_useful = |part: &ChangeTypes| !part.0.is_subset(&covered);
    let is_free = |part: &ChangeTypes| !stale.iter().any(|it| it.change_types == *part);
    let mut parts = PARTS
        .iter()
        .map(|part| ChangeTypes(part.iter().copied().collect()));
    match parts.find(|part| is_useful(part) && is_free(part)) {
        Some(part) => Step::Create(part),
        // Parts of earlier replacements are in the way; the old whole tells what they tell.
        None => {
            let part = stale.iter().find(|it| it.id != old.id);
            part.map_or(Step::Rest, |it| Step::Delete(it.id.clone()))
        }
    }
}

/// Whether every kind of change is told at present.
#[must_use]
pub fn is_covered(wanted: &Wanted, all: &[Seen], now: OffsetDateTime) -> bool {
    let living = all
        .iter()
        .filter(|it| it.ends > now && wanted.is_for(&it.resource));
    let told = living.flat_map(|it| it.change_types.0.iter().copied());
    ChangeTypes(told.collect()) == ChangeTypes::all()
}

/// When the subscription ends that is wanted; none without one.
#[must_use]
pub fn end(wanted: &Wanted, all: &[Seen]) -> Option<OffsetDateTime> {
    let good = all
        .iter()
        .filter(|it| wanted.is_for(&it.resource) && wanted.has_state_of(it));
    good.map(|it| it.ends).max()
}

/// Whether some living subscription of these still has another secret than is wanted for it.
#[must_use]
pub fn is_settled(wanted: &Wanted, all: &[Seen], now: OffsetDateTime) -> bool {
    let mut living = all.iter().filter(|it| it.ends > now);
    living.all(|it| !wanted.is_for(&it.resource) || it.address == wanted.full_address())
}

impl Wanted {
    /// `notificationUrl` of the subscription: the address with its mark.
    #[must_use]
    pub fn full_address(&self) -> String {
        let Mark { state, certificate } = &self.mark;
        let (address, state, certificate) = (&self.address, short(state), short(certificate));
        format!("{address}?state={state}&certificate={certificate}")
    }

    /// Whether a resource is the wanted one. Graph writes it with or without a slash at its beginning, and ids in either case.
    #[must_use]
    pub fn is_for(&self, resource: &str) -> bool {
        let bare = |it: &str| it.trim_start_matches('/').to_ascii_lowercase();
        bare(resource) == bare(&self.resource)
    }

    /// Whether it presents the wanted secret; its certificate and the rest of its address can be changed, the secret cannot.
    fn has_state_of(&self, seen: &Seen) -> bool {
        let query = seen.address.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = query.split('&').filter_map(|it| it.split_once('='));
        pairs.any(|pair| pair == ("state", short(&self.mark.state)))
    }
}

impl Mark {
    /// Of the secret in the `clientState`, and of the certificate's id.
    #[must_use]
    pub fn of(client_state: &str, certificate_id: &str) -> Self {
        Self {
            state: Digest::of("client-state", client_state),
            certificate: Digest::of("certificate", certificate_id),
        }
    }
}

/// Enough of a digest to tell one secret from the next.
fn short(digest: &Digest) -> &str {
    &digest.as_str()[..16]
}

impl ChangeTypes {
    /// Every kind.
    #[must_use]
    pub fn all() -> Self {
        use ChangeType::{Created, Deleted, Updated};
        Self([Created, Updated, Deleted].into())
    }

    /// Reads them as Graph writes them. A kind that is not known is left out: such a subscription is none of ours.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let words = text.split(',').map(str::trim);
        let known = words.filter_map(|word| match word {
            "created" => Some(ChangeType::Created),
            "updated" => Some(ChangeType::Updated),
            "deleted" => Some(ChangeType::Deleted),
            _ => None,
        });
        Self(known.collect())
    }
}

impl fmt::Display for ChangeTypes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(|kind| match kind {
            ChangeType::Created => "created",
            ChangeType::Updated => "updated",
            ChangeType::Deleted => "deleted",
        });
        formatter.write_str(&words.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests;
