//! How the secret of our OAuth client at Genesys is replaced.
//!
//! A client has one secret, and a new one takes its place at once. So there are two clients with the same role: the idle one gets a
//! new secret, which is tried and then becomes the current one, in the vault together with the id of the client it belongs to.
//! When nobody can have the other client's secret or a token made with it any more, that client gets a new secret too, and nobody is
//! told it: this is how a secret is removed at Genesys.
//!
//! new secret for the idle client → store as next → probe until it is taken → make current → wait → new secret for the other, thrown
//! away.
//!
//! A new secret cannot be made twice without harm, so a run claims it in the note first ([`Claim`]). A run that ends between the two
//! leaves its claim behind, and another may go on when that has run out.

use std::time::Duration;

use time::OffsetDateTime;

use super::{ABANDONED_AFTER, Claim, GRACE, Held, Noted, Step, Told};

/// Clocks of this app and of the vault differ by less.
const CLOCKS: Duration = Duration::from_secs(5 * 60);

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The ids of the two clients.
    pub pair: [String; 2],
    /// What readers get from the vault; its key is the client's id.
    pub current: Option<Held>,
    /// What the vault holds for the time after.
    pub next: Option<Held>,
}

/// What is done to the client of this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make a new secret for it, store it as the next one, and note that it is done.
    Renew(String),
    /// Try the next secret, and note when it was taken.
    Probe(String),
    /// Make the next secret the current one.
    Switch(String),
    /// Make a new secret for it, tell it nobody, and note that it is done.
    Discard(String),
}

impl Told for Action {
    fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Renew(client) => ("renew", Some(client)),
            Self::Probe(client) => ("probe", Some(client)),
            Self::Switch(client) => ("switch", Some(client)),
            Self::Discard(client) => ("discard", Some(client)),
        }
    }
}

/// The next step of this run. With `is_asked`, the secret is replaced although that is not due, unless the one before it may still
/// be in use.
#[must_use]
pub fn next_step(
    noted: &Noted,
    found: &Found,
    run: &str,
    now: OffsetDateTime,
    is_asked: bool,
) -> Step<Action> {
    let seen = noted.seeing_client(found);
    if seen != *noted {
        return Step::Note(seen);
    }
    let claim = noted.claim.as_ref();
    if claim.is_some_and(|it| it.keeps_out(run, now)) {
        return Step::Rest;
    }
    if let Some(client) = found.pending(noted, now) {
        let client = client.to_owned();
        return match noted.accepted.as_ref() == Some(&client) {
            true => Step::Do(Action::Switch(client)),
            false => Step::Do(Action::Probe(client)),
        };
    }
    let Some(idle) = found.idle() else {
        return Step::Rest;
    };
    let client = idle.to_owned();
    let was_current = noted.retired.contains(idle);
    let current = found.current.as_ref();
    let is_over = current.is_none_or(|it| now >= it.stored + GRACE);
    let action = match was_current {
        true if is_over => Action::Discard(client),
        false if is_asked || Held::is_due(current, now) => Action::Renew(client),
        _ => return Step::Rest,
    };
    noted.claimed(idle, run, now, action)
}

impl Noted {
    /// The note when a client's secret was thrown away.
    #[must_use]
    pub fn without(&self, client: &str) -> Self {
        let mut noted = Self {
            claim: None,
            ..self.clone()
        };
        noted.retired.remove(client);
        noted
    }

    fn seeing_client(&self, found: &Found) -> Self {
        let is_one = |key: &str| found.pair.iter().any(|client| client == key);
        let mut seen = self.seeing_current(found.current.as_ref(), is_one);
        seen.claim = seen.claim.filter(|claim| !found.holds(claim));
        seen
    }
}

impl Found {
    fn current_client(&self) -> Option<&str> {
        self.current.as_ref()?.key.as_deref()
    }

    fn next_client(&self) -> Option<&str> {
        let next = self.next.as_ref()?.key.as_deref();
        next.filter(|client| Some(*client) != self.current_client())
    }

    /// The client that nobody uses.
    fn idle(&self) -> Option<&str> {
        let mut pair = self.pair.iter().map(String::as_str);
        pair.find(|client| Some(*client) != self.current_client())
    }

    /// Whether what was claimed is stored.
    fn holds(&self, claim: &Claim) -> bool {
        let is_newer = |next: &Held| next.stored + CLOCKS >= claim.since;
        self.next_client() == Some(&claim.key) && self.next.as_ref().is_some_and(is_newer)
    }

    /// The client of the next secret, where that is on its way to become the current one.
    fn pending(&self, noted: &Noted, now: OffsetDateTime) -> Option<&str> {
        let client = self.next_client()?;
        let is_taken = noted.accepted.as_deref() == Some(client);
        let next = self.next.as_ref()?;
        let is_hopeless = !is_taken && now >= next.stored + ABANDONED_AFTER;
        (next.is_after(self.current.as_ref()) && !is_hopeless).then_some(client)
    }
}

#[cfg(test)]
mod tests;
