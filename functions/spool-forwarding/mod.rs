//! `spool-forwarding`: brings the agents' messages that Service Bus did not take, and that `outbound-genesys` put into Blob, to
//! their queue, in each lane in the order of their writing.
//!
//! Forward, then remove: a run that is killed between repeats a message, which duplicate detection drops. What no queue will ever
//! take goes into the container `failed`, so that it holds nobody up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::ids::{CorrelationId, Lane};
use bridge::queue::envelope::{Content, Envelope};
use bridge::queue::failed::Direction;
use bridge::queue::spool::{SPOOL, Waiting, age, by_lane};
use bridge::queue::trigger::Trigger;
use bridge::state::blobs::STATE;
use bytes::Bytes;
use futures::{StreamExt, stream};
use services::error::{ErrorKind, Service};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::app::App;
use crate::deliver_to_teams::{explanation_for_agent, receipt};
use crate::failure::{Failure, Rejection};
use crate::queue::delivery::Delivery;
use crate::queue::enqueue::enqueue;
use crate::queue::opening::Opened;
use crate::queue::settlement::{handed_back, refuse};
use crate::timer;

/// Folder, and the name by which Azure knows the function.
pub const NAME: &str = "spool-forwarding";

/// Where the host calls it.
pub const PATH: &str = "/spool-forwarding";

/// Names in one listing.
const PAGE: u16 = 500;

/// Messages that one run looks at; the next one goes on.
const MOST: usize = 5_000;

/// Lanes that are forwarded at a time, each one message after the other: so many messages are in memory, of a megabyte at most.
const PARALLEL_LANES: usize = 8;

/// What a run leaves of its time: longer than its last message can take.
const MARGIN: Duration = Duration::from_secs(60);

/// Forwards what lies in the spool.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    timer::run(&app, NAME, request, |deadline| forward(&app, deadline)).await
}

/// A run of the timer.
struct Run<'a> {
    app: &'a App,
    deadline: Instant,
    /// The queue takes nothing at the moment: no other lane need try.
    queue_refuses: AtomicBool,
}

/// What a run made of the messages that it found.
#[derive(Default)]
struct Tally {
    found: usize,
    forwarded: usize,
    given_up: usize,
    /// Age of the oldest message found.
    oldest: Duration,
}

/// What became of one message.
enum End {
    Forwarded,
    GivenUp,
    /// It stays where it is, and those behind it do too.
    Stays(Option<Failure>),
}

async fn forward(app: &App, deadline: Instant) -> Result<(), Failure> {
    let run = Run {
        app,
        deadline,
        queue_refuses: AtomicBool::new(false),
    };
    let mut tally = Tally::default();
    // Lanes of which something stays: the later part of one in the next listing must not overtake it.
    let mut held = BTreeSet::new();
    let (mut from, mut result) = (None, Ok(()));
    loop {
        let page = app.blobs.list(STATE, SPOOL, PAGE, from.as_deref()).await?;
        let now = OffsetDateTime::now_utc();
        let ages = page.names.iter().filter_map(|name| age(name, now));
        tally.oldest = ages.fold(tally.oldest, Duration::max);
        let mut lanes = by_lane(&page.names);
        tally.found += lanes.iter().map(|lane| lane.names.len()).sum::<usize>();
        lanes.retain(|lane| !held.contains(&lane.folder));
        let mut lanes = stream::iter(lanes)
            .map(|lane| run.forward_lane(lane))
            .buffer_unordered(PARALLEL_LANES);
        while let Some((forwarded, given_up, stays)) = lanes.next().await {
            tally.forwarded += forwarded;
            tally.given_up += given_up;
            if let Some((folder, failure)) = stays {
                held.insert(folder);
                result = result.and(failure.map_or(Ok(()), Err));
            }
        }
        drop(lanes);
        from = page.next;
        if from.is_none() || tally.found >= MOST || run.is_over() {
            break;
        }
    }
    tell(&tally);
    result
}

fn tell(tally: &Tally) {
    let (forwarded, given_up) = (tally.forwarded, tally.given_up);
    let (waiting, oldest_s) = (tally.found - forwarded - given_up, tally.oldest.as_secs());
    if forwarded + given_up > 0 {
        tracing::info!(event = "spool_forwarded", forwarded, given_up, oldest_s);
    }
    if waiting > 0 {
        tracing::error!(
            event = "spool_waits",
            waiting,
            oldest_s,
            "agents' messages wait in Blob for Service Bus"
        );
    }
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        self.queue_refuses.load(Ordering::Relaxed) || Instant::now() + MARGIN >= self.deadline
    }

    /// Forwards a lane's messages until one of them stays; tells how many were forwarded and given up, and which lane that one
    /// holds up.
    async fn forward_lane(
        &self,
        lane: Waiting,
    ) -> (usize, usize, Option<(String, Option<Failure>)>) {
        let (mut forwarded, mut given_up) = (0, 0);
        for name in &lane.names {
            let end = match self.is_over() {
                true => End::Stays(None),
                false => self.forward_one(name).await.unwrap_or_else(|failure| {
                    tracing::warn!(event = "spool_held", blob = name, reason = failure.label());
                    End::Stays(Some(failure))
                }),
            };
            match end {
                End::Forwarded => forwarded += 1,
                End::GivenUp => given_up += 1,
                End::Stays(failure) => return (forwarded, given_up, Some((lane.folder, failure))),
            }
        }
        (forwarded, given_up, None)
    }

    async fn forward_one(&self, name: &str) -> Result<End, Failure> {
        let app = self.app;
        // Somebody else may have forwarded and removed it since it was listed.
        let Some((body, version)) = app.blobs.get(STATE, name).await? else {
            return Ok(End::Forwarded);
        };
        let end = match Envelope::parse(&body) {
            Ok(envelope) => match enqueue(app, std::slice::from_ref(&envelope)).await {
                Ok(_) => End::Forwarded,
                Err(error) if error.service == Service::ServiceBus && is_final(error.kind) => {
                    let reason = format!(
                        "Service Bus will not take the message ({})",
                        error.kind.label()
                    );
                    self.give_up(name, body, Some(&envelope), &reason).await
                }
                Err(error) => {
                    if error.service != Service::Blob {
                        self.queue_refuses.store(true, Ordering::Relaxed);
                    }
                    return Err(error.into());
                }
            },
            Err(error) if error.is_of_newer_release() => {
                tracing::warn!(
                    event = "envelope_newer",
                    "the envelope is of a newer release"
                );
                End::Stays(None)
            }
            Err(_) => {
                let reason = "what lies in the spool is no envelope of ours";
                self.give_up(name, body, None, reason).await
            }
        };
        if !matches!(end, End::Stays(_)) {
            match app.blobs.remove(STATE, name, &version).await {
                // Genesys sent the same once more meanwhile; the next run forwards it, and the queue knows it.
                Err(error) if error.kind == ErrorKind::Precondition => {}
                removed => removed?,
            }
        }
        Ok(end)
    }

    /// Puts a message into `failed` that no queue will take, and its receipt on the way.
    async fn give_up(
        &self,
        name: &str,
        body: Bytes,
        envelope: Option<&Envelope>,
        reason: &str,
    ) -> End {
        let code = ReasonCode::InvalidMessageStructure;
        let rejection = Rejection::new("spool_refused", reason, code);
        let delivery = self.delivery_of(name, &body, envelope);
        let opened = Opened {
            body,
            envelope: Err(rejection),
        };
        if refuse(self.app, &delivery, &opened).await.is_err() {
            return End::Stays(None);
        }
        let Some(webhook) = envelope.and_then(webhook_of) else {
            return End::GivenUp;
        };
        let outcome = ReceiptOutcome::Failed {
            code,
            message: explanation_for_agent(code).to_owned(),
        };
        match enqueue(self.app, &[receipt(&webhook, None, outcome)]).await {
            Ok(_) => End::GivenUp,
            Err(error) => {
                handed_back("receipt_not_enqueued", &error);
                End::Stays(None)
            }
        }
    }

    /// The message as its queue would have delivered it.
    fn delivery_of(&self, name: &str, body: &Bytes, envelope: Option<&Envelope>) -> Delivery {
        let route = envelope.map(|envelope| envelope.route(|| [0; 16]));
        let lane = route.as_ref().and_then(|route| route.lane.clone());
        let id = route.as_ref().and_then(|route| route.message_id.as_ref());
        let lane = lane.unwrap_or_else(|| Lane::unroutable(name));
        Delivery {
            trigger: Trigger {
                body: body.to_vec(),
                message_id: id.map(|id| id.as_str().to_owned()),
                session_id: Some(lane.as_str().to_owned()),
                correlation_id: None,
                delivery_count: 1,
                enqueued_at: envelope.map(|envelope| envelope.accepted_at),
            },
            correlation: route.map_or_else(|| CorrelationId::of_unknown(body), |it| it.correlation),
            direction: Direction::Outbound,
            lane,
            deadline: self.deadline,
        }
    }
}

/// Whether Service Bus will say the same of this message each time.
fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::TooLarge | ErrorKind::Rejected)
}

fn webhook_of(envelope: &Envelope) -> Option<Webhook> {
    match &envelope.content {
        Content::AgentMessage(message) => {
            Webhook::parse(&message.body(), envelope.accepted_at).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
