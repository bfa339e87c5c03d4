//! Where an envelope goes: the one place that knows queue, lane, identity, correlation and life of each kind of content.

use std::time::Duration;

use time::OffsetDateTime;

use super::envelope::{AgentEnvelope, CatchUpEnvelope, Content, Envelope};
use crate::bot::activity::What;
use crate::catch_up::OVERLAP;
use crate::genesys::webhook::{Kind, Webhook};
use crate::ids::{BusMessageId, CorrelationId, Lane, ThreadId};
use crate::teams::notification::ChangeType;

/// A typing indicator is worth nothing after this.
const TYPING_TIME_TO_LIVE: Duration = Duration::from_secs(5);

/// A queue of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// To Genesys: customers' messages and receipts, in sessions.
    Inbound,
    /// To Teams: agents' messages and notices, in sessions.
    Outbound,
    /// Typing indicators, without sessions.
    Typing,
}

/// What Service Bus is told of an envelope beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it is put.
    pub queue: Queue,
    /// Its session; `None` on the queue without sessions.
    pub lane: Option<Lane>,
    /// Its identity for duplicate detection; `None` where each message is one of its own.
    pub message_id: Option<BusMessageId>,
    /// The journey that it belongs to.
    pub correlation: CorrelationId,
    /// How long it stays useful; `None` leaves that to the queue.
    pub time_to_live: Option<Duration>,
}

impl Route {
    fn in_lane(queue: Queue, lane: Lane, id: BusMessageId, correlation: CorrelationId) -> Self {
        Self {
            queue,
            lane: Some(lane),
            message_id: Some(id),
            correlation,
            time_to_live: None,
        }
    }
}

impl Envelope {
    /// The envelope's route, computed from what it says, without a look at any state. `random` gives the bytes of an id for
    /// what must never count as a repetition.
    #[must_use]
    pub fn route(&self, random: impl FnOnce() -> [u8; 16]) -> Route {
        let replay = self.replay.as_deref();
        match &self.content {
            Content::Notification(notification) => {
                let (chat, message) = (&notification.chat, &notification.message);
                let id = match notification.change {
                    ChangeType::Created => BusMessageId::created(chat, message, replay),
                    // Two edits of one message must both pass; state tells repeated ones apart.
                    ChangeType::Updated | ChangeType::Deleted => BusMessageId::unique(random()),
                };
                let correlation = CorrelationId::of_teams_message(chat, message);
                Route::in_lane(Queue::Inbound, Lane::inbound(chat), id, correlation)
            }
            Content::AgentMessage(message) => agent_message(message, self),
            Content::Receipt(receipt) => Route::in_lane(
                Queue::Inbound,
                Lane::receipts(&receipt.to),
                BusMessageId::receipt(&receipt.message, replay),
                CorrelationId::of_genesys_message(&receipt.message),
            ),
            Content::Notice(notice) => Route::in_lane(
                Queue::Outbound,
                match &notice.thread {
                    Some(thread) => Lane::of_thread(thread),
                    None => Lane::notices(&notice.account, &notice.chat),
                },
                BusMessageId::notice(
                    &notice.chat,
                    &notice.message,
                    notice.says.distinction(),
                    replay,
                ),
                CorrelationId::of_teams_message(&notice.chat, &notice.message),
            ),
            Content::CatchUp(reading) => {
                let chat = &reading.chat;
                let (what, correlation) = match &reading.message {
                    Some(message) => (
                        message.as_str().to_owned(),
                        CorrelationId::of_teams_message(chat, message),
                    ),
                    None => {
                        let what = occasion(reading, self.accepted_at);
                        (what, CorrelationId::of_catch_up(chat))
                    }
                };
                let what = match &reading.part {
                    Some(part) => {
                        let (soon, part) = (soon(self.accepted_at), part.name());
                        format!("{what} at {soon} part {part}")
                    }
                    None => what,
                };
                let id = BusMessageId::catch_up(chat, &what, replay);
                Route::in_lane(Queue::Inbound, Lane::inbound(chat), id, correlation)
            }
            Content::Activity(activity) => {
                let (chat, message) = (&activity.chat, &activity.message);
                let correlation = CorrelationId::of_teams_message(chat, message);
                let id = match activity.what {
                    // Not the id that Graph's notification of the same message has: each of them alone may be for the agent.
                    What::Written => BusMessageId::activity(chat, message, replay),
                    What::Typing => return typing(correlation),
                    _ => BusMessageId::unique(random()),
                };
                Route::in_lane(Queue::Inbound, Lane::inbound(chat), id, correlation)
            }
            Content::Answered(answered) => Route::in_lane(
                Queue::Outbound,
                Lane::of_thread(&answered.thread),
                BusMessageId::answered(&answered.chat, &answered.card, replay),
                CorrelationId::of_genesys_message(&answered.question),
            ),
            Content::Ending(ending) => Route::in_lane(
                Queue::Inbound,
                Lane::inbound(&ending.chat),
                BusMessageId::ending(&ending.chat, &ending.message, replay),
                CorrelationId::of_teams_message(&ending.chat, &ending.message),
            ),
            Content::Ended(ended) => Route::in_lane(
                Queue::Outbound,
                Lane::of_thread(&ended.thread),
                BusMessageId::ended(&ended.conversation, &ended.session, replay),
                CorrelationId::of_unknown(ended.conversation.as_str().as_bytes()),
            ),
            Content::Lifecycle(lifecycle) => Route::in_lane(
                Queue::Inbound,
                Lane::lifecycle(&lifecycle.account),
                // The same can be the matter again a minute later.
                BusMessageId::unique(random()),
                CorrelationId::of_subscription(&lifecycle.account),
            ),
            // It stands for an envelope whose route it is given; by itself it says nothing of where it belongs.
            Content::Claim { blob } => Route::in_lane(
                Queue::Inbound,
                Lane::unroutable(blob),
                BusMessageId::unique(random()),
                CorrelationId::of_unknown(blob.as_bytes()),
            ),
        }
    }
}

/// What tells one reading of all that changed from the next: a run of the timer that is repeated soon has the same.
///
/// One that is repeated later must not: what was written after the first reading, and is older than the overlap when the run
/// succeeds at last, no later sweep would find.
fn occasion(reading: &CatchUpEnvelope, put: OffsetDateTime) -> String {
    let soon = soon(put);
    let gap = reading.gap.map(OffsetDateTime::unix_timestamp_nanos);
    let since = reading.since.unix_timestamp_nanos();
    format!("since {since} gap {} at {soon}", gap.unwrap_or_default())
}

fn soon(put: OffsetDateTime) -> i64 {
    put.unix_timestamp() / OVERLAP.as_secs().cast_signed()
}

fn typing(correlation: CorrelationId) -> Route {
    Route {
        queue: Queue::Typing,
        lane: None,
        message_id: None,
        correlation,
        time_to_live: Some(TYPING_TIME_TO_LIVE),
    }
}

/// A message for a thread that is not ours still gets a lane, and so does what cannot be read: both end in `failed` instead of
/// nowhere.
fn agent_message(message: &AgentEnvelope, envelope: &Envelope) -> Route {
    let (body, replay) = (message.body(), envelope.replay.as_deref());
    let Ok(webhook) = Webhook::parse(&body, envelope.accepted_at) else {
        let id = BusMessageId::unreadable(&body, replay);
        let lane = Lane::unroutable(id.as_str());
        return Route::in_lane(Queue::Outbound, lane, id, CorrelationId::of_unknown(&body));
    };
    let correlation = CorrelationId::of_genesys_message(&webhook.id);
    if webhook.kind == Kind::Typing {
        return typing(correlation);
    }
    let lane = match webhook.to.parse::<ThreadId>() {
        Ok(thread) => Lane::of_thread(&thread),
        Err(_) => Lane::unroutable(&webhook.to),
    };
    let id = BusMessageId::agent(&webhook.id, replay);
    Route::in_lane(Queue::Outbound, lane, id, correlation)
}
