//! What a queue put aside, and the REST interface by which it is taken away: one message after the other, without sessions.
//!
//! Source: Service Bus REST reference, "Peek-Lock Message", "Delete Message" and "Unlock Message"; azure-sdk-for-java #10662, "Cannot
//! create a MessageSession for a sub-queue".

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;
use uuid::Uuid;

use super::message::Message;
use super::namespace::ServiceBus;
use super::queue::Queue;
use super::send::{Refusal, authorize};
use crate::entra::Entra;

/// Name of the sub-queue, in any case of its letters.
const NAME: &str = "$deadletterqueue";

/// Why a message was put aside ("Overview of Service Bus dead-letter queues").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It outlived its time.
    Expired,
    /// It was delivered too often.
    Retried,
}

impl Reason {
    /// Service Bus' own word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "TTLExpiredException",
            Self::Retried => "MaxDeliveryCountExceeded",
        }
    }
}

#[derive(Debug, Clone)]
struct DeadLetter {
    message: Message,
    reason: Reason,
    lock: Option<(Uuid, Instant)>,
}

/// A message that is locked now.
pub(super) struct LockedLetter {
    pub(super) message: Message,
    pub(super) reason: Reason,
    pub(super) token: Uuid,
}

/// The dead letters of one queue, in the order in which they came. Their time does not run out.
#[derive(Debug)]
pub(super) struct DeadLetters {
    lock: Duration,
    letters: Vec<DeadLetter>,
}

impl DeadLetters {
    pub(super) fn new(lock: Duration) -> Self {
        let letters = Vec::new();
        Self { lock, letters }
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    pub(super) fn add(&mut self, messages: impl IntoIterator<Item = Message>, reason: Reason) {
        self.letters
            .extend(messages.into_iter().map(|message| DeadLetter {
                message,
                reason,
                lock: None,
            }));
    }

    /// Locks the first one that nobody holds.
    pub(super) fn lock_next(&mut self, now: Instant) -> Option<LockedLetter> {
        let is_free = |it: &DeadLetter| it.lock.is_none_or(|(_, until)| until <= now);
        let letter = self.letters.iter_mut().find(|it| is_free(it))?;
        let token = Uuid::new_v4();
        letter.lock = Some((token, now + self.lock));
        let locked = LockedLetter {
            message: letter.message.clone(),
            reason: letter.reason,
            token,
        };
        letter.message.delivery_count += 1;
        Some(locked)
    }

    /// The place of a message that is held by this lock, named by its number or its id.
    fn held(&self, message: &str, token: Uuid, now: Instant) -> Option<usize> {
        self.letters.iter().position(|it| {
            let is_named =
                it.message.sequence.to_string() == message || it.message.message_id == message;
            is_named && it.lock.is_some_and(|lock| lock.0 == token && lock.1 > now)
        })
    }

    /// Removes a message that is held by this lock; false when the lock has ended.
    pub(super) fn complete(&mut self, message: &str, token: Uuid, now: Instant) -> bool {
        let held = self.held(message, token, now);
        held.map(|place| self.letters.remove(place)).is_some()
    }

    /// Frees a message that is held by this lock; false when the lock has ended.
    pub(super) fn unlock(&mut self, message: &str, token: Uuid, now: Instant) -> bool {
        let held = self.held(message, token, now);
        held.map(|place| self.letters[place].lock = None).is_some()
    }
}

type Reach = State<(Arc<ServiceBus>, Arc<Entra>)>;

/// The queue whose dead letters are meant.
fn queue(
    (bus, entra): &(Arc<ServiceBus>, Arc<Entra>),
    headers: &HeaderMap,
    queue: &str,
    sub_queue: &str,
) -> Result<Arc<Queue>, Refusal> {
    authorize(bus, entra, headers, queue)
        .map_err(|detail| Refusal(StatusCode::UNAUTHORIZED, detail))?;
    let found = bus.queue(queue);
    found
        .filter(|_| sub_queue.eq_ignore_ascii_case(NAME))
        .ok_or_else(|| {
            Refusal(
                StatusCode::GONE,
                "40401: There is no such queue.".to_owned(),
            )
        })
}

/// Locks the next message. It does not wait for one to come, however long the caller would.
pub(super) async fn lock(
    State(reach): Reach,
    Path((name, sub_queue)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let queue = queue(&reach, &headers, &name, &sub_queue)?;
    let Some(locked) = queue.lock_dead_letter() else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let LockedLetter {
        message,
        reason,
        token,
    } = locked;
    let date = |at: OffsetDateTime| {
        let date = at.to_offset(time::UtcOffset::UTC).format(&Rfc2822);
        date.unwrap_or_default().replace("+0000", "GMT")
    };
    let broker = &message.draft.broker;
    let properties = json!({
        "CorrelationId": broker.correlation_id,
        "DeliveryCount": message.delivery_count,
        "EnqueuedTimeUtc": date(message.enqueued_at),
        "LockToken": token.to_string(),
        "MessageId": message.message_id,
        "SequenceNumber": message.sequence,
        "SessionId": broker.session_id,
        "State": "Active",
        "TimeToLive": message.time_to_live.as_secs_f64(),
    });
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let host = host.unwrap_or_default();
    let place = format!(
        "https://{host}/{name}/{sub_queue}/messages/{}/{token}",
        message.sequence
    );
    let headers = [
        ("brokerproperties", properties.to_string()),
        ("deadletterreason", format!("\"{}\"", reason.as_str())),
        ("location", place),
    ];
    Ok((StatusCode::CREATED, headers, message.draft.body).into_response())
}

/// Removes a locked message.
pub(super) async fn complete(
    State(reach): Reach,
    Path((name, sub_queue, message, token)): Path<(String, String, String, Uuid)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let queue = queue(&reach, &headers, &name, &sub_queue)?;
    let settled = queue.settle_dead_letter(|letters, now| letters.complete(&message, token, now));
    reach.0.touch();
    settled_or_lost(settled)
}

/// Frees a locked message.
pub(super) async fn unlock(
    State(reach): Reach,
    Path((name, sub_queue, message, token)): Path<(String, String, String, Uuid)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let queue = queue(&reach, &headers, &name, &sub_queue)?;
    let settled = queue.settle_dead_letter(|letters, now| letters.unlock(&message, token, now));
    settled_or_lost(settled)
}

fn settled_or_lost(is_settled: bool) -> Result<StatusCode, Refusal> {
    match is_settled {
        true => Ok(StatusCode::OK),
        false => {
            let detail = "40403: The lock does not exist any more.".to_owned();
            Err(Refusal(StatusCode::NOT_FOUND, detail))
        }
    }
}
