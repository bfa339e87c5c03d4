//! What becomes of failed messages that a person wants to be tried once more.
//!
//! A replay's envelope is the one that failed, with a name that no other replay has. The name goes into the body, so that the
//! verdict on what failed is not found for it, and into its `MessageId` and its receipt's, so that duplicate detection lets
//! both pass. It is computed from the blob alone: the same replay, run twice, is one message for the queue.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::envelope::{Content, Envelope, EnvelopeError};
use super::route::Route;
use super::selection::Failed;
use crate::genesys::webhook::Webhook;
use crate::ids::{ChatId, Digest, TeamsMessageId};
use crate::notices::NoticeKind;
use crate::state::KEPT;

/// How much younger than [`KEPT`] the beginning of a reading must be: the clocks that are compared differ.
const MARGIN: Duration = Duration::hours(1);

/// A replay of one blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    name: Digest,
    /// What is done about it.
    pub step: Step,
}

/// What is done about a failed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is put on its queue.
    Send(Box<Envelope>),
    /// It lies in this blob of the container `state`, which is read first; see [`Replay::opened`].
    Open(String),
    /// It stays where it is.
    Leave(Left),
}

/// Why a message is not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// Its envelope is of a version or kind that is not known.
    #[error("its envelope is of another release: replay it with that one")]
    OtherRelease,
    /// It is no envelope, or what it holds cannot be read.
    #[error("nobody can read it: to be discarded once it was looked at")]
    Unreadable,
    /// The blob with its content is gone.
    #[error("the blob that held its content is gone: to be discarded")]
    ContentGone,
    /// An agent's message that came so late that it may be one that was recorded and sent again.
    #[error(
        "Genesys' call came more than 6 hours late, so it may be forged out of an old one: have the agent write again"
    )]
    Late,
    /// The reading of a chat, older than the memory of what was carried since.
    #[error(
        "it reads the chat from more than 47 hours ago, and what was carried since then is not remembered that long: it would be told twice"
    )]
    ReadingTooOld,
    /// It tells a customer that a message failed that is being replayed.
    #[error("the message that it is about is replayed too: to be discarded when that one arrives")]
    Contradicts,
}

impl Left {
    fn unread(error: &EnvelopeError) -> Self {
        match error.is_of_newer_release() {
            true => Self::OtherRelease,
            false => Self::Unreadable,
        }
    }
}

/// What is done about each of these messages, which keep their order.
#[must_use]
pub fn plan(failed: &[Failed], now: OffsetDateTime) -> Vec<Replay> {
    let mut replays: Vec<Replay> = failed.iter().map(|it| Replay::of(it, now)).collect();
    let sent: BTreeSet<Subject> = replays.iter().filter_map(Replay::told).collect();
    for replay in &mut replays {
        if replay.complained().is_some_and(|it| sent.contains(&it)) {
            replay.step = Step::Leave(Left::Contradicts);
        }
    }
    replays
}

/// A message in a chat.
type Subject = (ChatId, TeamsMessageId);

impl Replay {
    fn of(failed: &Failed, now: OffsetDateTime) -> Self {
        let message = &failed.message;
        // A message that failed once more lies there with another time: that is another replay.
        let attempt = message.last_attempt.unix_timestamp_nanos();
        let name = Digest::of("replay", &format!("{}\n{attempt}", failed.blob));
        let step = match message.envelope() {
            Ok(envelope) => step(envelope, &name, now),
            Err(error) => Step::Leave(Left::unread(&error)),
        };
        Self { name, step }
    }

    /// The replay once the blob of [`Step::Open`] was read; nothing where there is none.
    #[must_use]
    pub fn opened(&self, content: Option<&[u8]>, now: OffsetDateTime) -> Self {
        let step = match content.map(Envelope::parse) {
            None => Step::Leave(Left::ContentGone),
            Some(Err(error)) => Step::Leave(Left::unread(&error)),
            Some(Ok(envelope)) => match step(envelope, &self.name, now) {
                Step::Open(_) => Step::Leave(Left::Unreadable),
                step => step,
            },
        };
        let name = self.name.clone();
        Self { name, step }
    }

    /// Where the envelope goes. What otherwise never counts as a repetition has an id of the replay's own here.
    #[must_use]
    pub fn route(&self, envelope: &Envelope) -> Route {
        envelope.route(|| self.name.bytes())
    }

    /// The customer's message that it brings.
    fn told(&self) -> Option<Subject> {
        match &self.step {
            Step::Send(envelope) => match &envelope.content {
                Content::Notification(it) => Some((it.chat.clone(), it.message.clone())),
                Content::Activity(it) => Some((it.chat.clone(), it.message.clone())),
                _ => None,
            },
            Step::Open(_) | Step::Leave(_) => None,
        }
    }

    /// The customer's message that it calls undeliverable.
    fn complained(&self) -> Option<Subject> {
        match &self.step {
            Step::Send(envelope) => match &envelope.content {
                Content::Notice(it) if it.says == NoticeKind::Failed => {
                    Some((it.chat.clone(), it.message.clone()))
                }
                _ => None,
            },
            Step::Open(_) | Step::Leave(_) => None,
        }
    }
}

fn step(envelope: Envelope, name: &Digest, now: OffsetDateTime) -> Step {
    let left = match &envelope.content {
        Content::Claim { blob } => return Step::Open(blob.clone()),
        Content::AgentMessage(message) => {
            let accepted = envelope.accepted_at;
            match Webhook::parse(&message.body(), accepted) {
                Err(_) => Some(Left::Unreadable),
                Ok(webhook) if webhook.is_late(accepted) => Some(Left::Late),
                Ok(_) => None,
            }
        }
        Content::CatchUp(reading) if now - reading.since > KEPT - MARGIN => {
            Some(Left::ReadingTooOld)
        }
        // Whether the agent, or the customer, knows it already is told by the chat's state.
        Content::CatchUp(_)
        | Content::Notification(_)
        | Content::Activity(_)
        | Content::Ending(_)
        | Content::Ended(_)
        | Content::Answered(_)
        | Content::Receipt(_)
        | Content::Notice(_)
        | Content::Lifecycle(_) => None,
    };
    match left {
        Some(left) => Step::Leave(left),
        None => Step::Send(Box::new(envelope.replayed(Some(name.to_string())))),
    }
}

#[cfg(test)]
mod tests;
