//! What an operator's one screen says: what was found of each part of the bridge in; out one line for each, whether it is well, and
//! which comes first.

mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use crate::catch_up::Progress;
use crate::rotation::OVERDUE_AFTER;
use crate::state::timer::TimerState;
use crate::subscriptions::{LIFE, Standing};
use words::{ago, counted, moment, until};

/// Age at which a subscription should have been renewed many times over.
const SUBSCRIPTION_OVERDUE: Duration = Duration::from_secs(6 * 3600);

/// Age at which a refresh token, which is renewed every night, should have been renewed several times over.
const SIGN_IN_OVERDUE: Duration = Duration::from_secs(3 * 24 * 3600);

/// Life of a refresh token from its last renewal (Microsoft Learn, "Refresh tokens in the Microsoft identity platform").
const SIGN_IN_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long an agent's message may wait for Service Bus before a person looks at it.
const SPOOL_OVERDUE: Duration = Duration::from_secs(10 * 60);

/// How long a gap may stay open: the next run of the timer closes it.
const GAP_OVERDUE: Duration = Duration::from_secs(3600);

/// Age of the last whole sweep that is too much: there is one a day.
const SWEEP_OVERDUE: Duration = Duration::from_secs(26 * 3600);

/// Calls that are booked less far ahead than this are the ordinary pace.
const BOOKED_FAR: Duration = Duration::from_secs(5);

/// A part of the bridge, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Graph's subscription to a Support User's chats.
    Subscription,
    /// A Support User's sign-in.
    SignIn,
    /// A secret.
    Secret,
    /// A timer function.
    Timer,
    /// The catching up of a Support User's chats.
    CatchUp,
    /// A queue.
    Queue,
    /// What Service Bus did not take.
    Spool,
    /// A service that has too much of our calls.
    Pace,
    /// What was given up.
    Failed,
    /// The last messages each way.
    Messages,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A person has to do something.
    NeedsPerson,
    /// Nobody can tell: it could not be read.
    Unreadable,
    /// Something waits, and goes on by itself.
    Waits,
    /// All is well.
    Well,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The subscription that is noted, if any is.
    Subscription(Option<Standing>),
    /// When the refresh token was stored, if there is one.
    SignIn(Option<OffsetDateTime>),
    /// An agent user, who never signs in.
    AgentUser,
    /// A secret: since when it is used if there is one, and when it is to be replaced where the app does that.
    Secret {
        /// When it was stored.
        stored: Option<OffsetDateTime>,
        /// When it is due.
        due: Option<OffsetDateTime>,
    },
    /// What is remembered of a timer function, and how long it may go without a success.
    Timer {
        /// Its blob, if there is one.
        state: Option<TimerState>,
        /// That long.
        patience: Duration,
    },
    /// How far the catching up is, where it has begun.
    CatchUp(Option<Progress>),
    /// How many messages a queue holds.
    Queue {
        /// Those that wait or are worked on.
        active: u64,
        /// Those whose time has not come.
        scheduled: u64,
        /// Those that it put aside.
        dead_letters: u64,
    },
    /// Messages in the spool, and for how long the oldest has waited.
    Spool(usize, Option<Duration>),
    /// For how long no call is made.
    Paused(Duration),
    /// How far ahead calls are booked.
    Booked(Duration),
    /// Failed messages by direction and kind, and blobs that are none.
    Failed {
        /// How many of each.
        kinds: BTreeMap<String, usize>,
        /// How many cannot be read.
        strange: usize,
        /// When the latest failed.
        latest: Option<OffsetDateTime>,
    },
    /// When something of a chat was handled last, to Genesys and to Teams.
    Messages(Option<OffsetDateTime>, Option<OffsetDateTime>),
    /// Why it cannot be read, and what to do about it.
    Unreadable(String),
}

/// What was found of one thing, and of which.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The part.
    pub part: Part,
    /// Which one.
    pub subject: String,
    /// What was found.
    pub found: Found,
}

/// One line of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it is.
    pub state: State,
    /// The part.
    pub part: Part,
    /// Which one.
    pub subject: String,
    /// What there is to say.
    pub told: String,
}

/// The screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Screen {
    /// Nothing needs a person, and all could be read.
    pub well: bool,
    /// What needs a person first, then by part.
    pub lines: Vec<Line>,
}

/// Times of two kinds: the local platform can have what is renewed age faster than messages do.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The time by which secrets and subscriptions are renewed.
    pub renewals: OffsetDateTime,
    /// The time of everything else.
    pub messages: OffsetDateTime,
}

/// Makes the screen.
#[must_use]
pub fn screen(facts: &[Fact], now: Now) -> Screen {
    let mut lines: Vec<Line> = facts.iter().map(|fact| line(fact, now)).collect();
    lines.sort_by(|one, other| {
        let key = |it: &Line| (it.state, it.part);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.subject.cmp(&other.subject))
    });
    Screen {
        well: lines.iter().all(|line| line.state >= State::Waits),
        lines,
    }
}

fn line(fact: &Fact, now: Now) -> Line {
    let (state, told) = judge(&fact.found, now);
    Line {
        state,
        part: fact.part,
        subject: fact.subject.clone(),
        told,
    }
}

fn judge(found: &Found, now: Now) -> (State, String) {
    match found {
        Found::Subscription(standing) => subscription(standing.as_ref(), now.renewals),
        Found::SignIn(stored) => sign_in(*stored, now.renewals),
        Found::AgentUser => (State::Well, "an agent user, who needs none".to_owned()),
        Found::Secret { stored, due } => secret(*stored, *due, now.renewals),
        Found::Timer { state, patience } => timer(state.as_ref(), *patience, now.messages),
        Found::CatchUp(progress) => catch_up(progress.as_ref(), now.messages),
        Found::Queue {
            active,
            scheduled,
            dead_letters,
        } => queue(*active, *scheduled, *dead_letters),
        Found::Spool(messages, oldest) => spool(*messages, *oldest),
        Found::Paused(wait) => (
            State::Waits,
            format!(
                "has too much of our calls: paused for {}",
                words::span(*wait)
            ),
        ),
        Found::Booked(wait) if *wait >= BOOKED_FAR => (
            State::Waits,
            format!("calls are booked {} ahead", words::span(*wait)),
        ),
        Found::Booked(_) => (State::Well, "takes calls at once".to_owned()),
        Found::Failed {
            kinds,
            strange,
            latest,
        } => failed(kinds, *strange, *latest, now.messages),
        Found::Messages(to_genesys, to_teams) => {
            let shown = |at: &Option<OffsetDateTime>| {
                at.map_or("none known".to_owned(), |at| ago(at, now.messages))
            };
            let told = format!(
                "to Genesys {}, to Teams {}",
                shown(to_genesys),
                shown(to_teams)
            );
            (State::Well, told)
        }
        Found::Unreadable(why) => (State::Unreadable, why.clone()),
    }
}

fn subscription(standing: Option<&Standing>, now: OffsetDateTime) -> (State, String) {
    let Some(standing) = standing else {
        let told =
            "none has been made: the line of the timer subscription-renewal, or its log, says why";
        return (State::NeedsPerson, told.to_owned());
    };
    let ends = standing.ends;
    let told = format!("{} access, ends {}", standing.access, until(ends, now));
    if ends <= now {
        let told = format!("{} access, ended {}", standing.access, ago(ends, now));
        (State::NeedsPerson, told)
    } else if ends + SUBSCRIPTION_OVERDUE < now + LIFE {
        (State::NeedsPerson, format!("{told}; it is not renewed"))
    } else {
        (State::Well, told)
    }
}

fn sign_in(stored: Option<OffsetDateTime>, now: OffsetDateTime) -> (State, String) {
    let Some(stored) = stored else {
        let told = "nobody is signed in: handler sign-in";
        return (State::NeedsPerson, told.to_owned());
    };
    let ends = stored + SIGN_IN_LIFE;
    let told = format!(
        "renewed {}, lasts until {} unless it is revoked",
        ago(stored, now),
        moment(ends)
    );
    match stored + SIGN_IN_OVERDUE < now {
        true => (State::NeedsPerson, format!("{told}; it is not renewed")),
        false => (State::Well, told),
    }
}

fn secret(
    stored: Option<OffsetDateTime>,
    due: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> (State, String) {
    let Some(stored) = stored else {
        return (State::NeedsPerson, "is not in the vault".to_owned());
    };
    let told = format!("stored {}", ago(stored, now));
    match due {
        None => (State::Well, format!("{told}, replaced by people")),
        Some(due) if due + OVERDUE_AFTER <= now => {
            let told = format!("{told}, due since {}: handler rotate", moment(due));
            (State::NeedsPerson, told)
        }
        Some(due) if due <= now => (State::Waits, format!("{told}, due since {}", moment(due))),
        Some(due) => (State::Well, format!("{told}, due {}", until(due, now))),
    }
}

fn timer(state: Option<&TimerState>, patience: Duration, now: OffsetDateTime) -> (State, String) {
    let success = state.and_then(|it| it.last_success);
    let failure = state.and_then(|it| it.last_failure.as_ref());
    let failure = failure.filter(|it| success.is_none_or(|success| success < it.at));
    let is_recent = success.is_some_and(|at| now <= at + patience);
    let ran = match success {
        Some(at) => format!("last succeeded {}", ago(at, now)),
        None => "has never succeeded".to_owned(),
    };
    match failure {
        Some(failure) => {
            let why = format!("{ran}; failed {}: {}", ago(failure.at, now), failure.reason);
            let state = match is_recent {
                true => State::Waits,
                false => State::NeedsPerson,
            };
            (state, why)
        }
        None if is_recent => (State::Well, ran),
        // A nightly one has had no night yet.
        None if state.is_none() && patience > SWEEP_OVERDUE => {
            (State::Waits, "has not run yet".to_owned())
        }
        None if success.is_none() => {
            let within = words::span(patience);
            let told =
                format!("{ran}: it does within {within} of the first start, if the app runs");
            (State::NeedsPerson, told)
        }
        None => (State::NeedsPerson, format!("{ran}: is the app running?")),
    }
}

fn catch_up(progress: Option<&Progress>, now: OffsetDateTime) -> (State, String) {
    let Some(progress) = progress else {
        return (
            State::Waits,
            "has not begun: it does with the first subscription".to_owned(),
        );
    };
    let told = format!(
        "looked up to {}, read all up to {}",
        ago(progress.looked, now),
        ago(progress.swept, now)
    );
    let told = match progress.gap {
        Some(gap) => format!("{told}; a gap was noted {}", ago(gap, now)),
        None => told,
    };
    let told = match progress.uncovered {
        Some(since) => format!(
            "{told}; no subscription tells of all changes, noted {}",
            ago(since, now)
        ),
        None => told,
    };
    let is_stuck = progress.gap.is_some_and(|gap| gap + GAP_OVERDUE < now);
    match (
        is_stuck || progress.swept + SWEEP_OVERDUE < now,
        progress.gap.or(progress.uncovered),
    ) {
        (true, _) => (State::NeedsPerson, format!("{told}; it does not get on")),
        (false, Some(_)) => (State::Waits, told),
        (false, None) => (State::Well, told),
    }
}

fn queue(active: u64, scheduled: u64, dead_letters: u64) -> (State, String) {
    let mut told = match active {
        0 => "empty".to_owned(),
        _ => format!("{} waiting or worked on", counted(active, "message")),
    };
    if scheduled > 0 {
        told.push_str(&format!(", {scheduled} scheduled"));
    }
    if dead_letters > 0 {
        let letters = counted(dead_letters, "dead letter");
        told.push_str(&format!(", {letters}: handler failed drain"));
        return (State::NeedsPerson, told);
    }
    let state = match active + scheduled {
        0 => State::Well,
        _ => State::Waits,
    };
    (state, told)
}

fn spool(messages: usize, oldest: Option<Duration>) -> (State, String) {
    if messages == 0 {
        return (State::Well, "empty".to_owned());
    }
    let told = counted(messages as u64, "message");
    let told = match oldest {
        Some(oldest) => format!("{told} of agents, the oldest for {}", words::span(oldest)),
        None => format!("{told} of agents"),
    };
    match oldest.is_some_and(|it| it > SPOOL_OVERDUE) {
        true => {
            let why = "Service Bus does not take them";
            (State::NeedsPerson, format!("{told}: {why}"))
        }
        false => (State::Waits, told),
    }
}

fn failed(
    kinds: &BTreeMap<String, usize>,
    strange: usize,
    latest: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> (State, String) {
    let mut told: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if strange > 0 {
        told.push(format!("{strange} unreadable"));
    }
    if told.is_empty() {
        return (State::Well, "none".to_owned());
    }
    let latest = latest.map_or(String::new(), |at| format!("; the latest {}", ago(at, now)));
    let told = format!("{}{latest}: handler failed list", told.join(", "));
    (State::NeedsPerson, told)
}
