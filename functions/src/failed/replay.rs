//! Failed messages back on their queues: each is sent before its blob is removed, so that nothing is lost to whoever kills the
//! command, and what is sent once more then is known to duplicate detection and to the chat's state.

use bridge::queue::failed::FailedMessage;
use bridge::queue::replay::{Left, Replay, Step, plan};
use bridge::queue::route::Queue;
use bridge::queue::selection::Failed;
use bridge::state::blobs::STATE;
use futures::stream::{self, StreamExt};
use services::error::ServiceError;
use time::OffsetDateTime;

use super::{AT_A_TIME, Desk, Found};
use crate::queue::enqueue::send;

/// What became of one failed message.
#[derive(Debug)]
pub enum End {
    /// It is on its queue, and no longer here.
    Replayed,
    /// It would be put on its queue.
    WouldReplay,
    /// It stays, and why.
    Left(Left),
    /// It stays, because a message before it in its lane could not be sent.
    Behind,
    /// It could not be sent and stays.
    NotSent(ServiceError),
    /// It is on its queue, and here as well.
    NotRemoved(ServiceError),
}

impl Desk {
    /// Puts messages back on their queues, in order within each lane, and tells what becomes of each as soon as it is known.
    pub async fn replay(&self, found: &Found, is_dry_run: bool, tell: impl Fn(&Failed, &End)) {
        let now = OffsetDateTime::now_utc();
        let planned: Vec<(&Failed, Replay)> =
            found.failed.iter().zip(plan(&found.failed, now)).collect();
        let lane = |message: &FailedMessage| (message.queue.clone(), message.lane.clone());
        // They are sorted by lane.
        let lanes =
            planned.chunk_by(|(one, _), (other, _)| lane(&one.message) == lane(&other.message));
        let run = Run {
            desk: self,
            found,
            is_dry_run,
            now,
        };
        let mut lanes = stream::iter(lanes)
            .map(|lane| run.lane(lane, &tell))
            .buffer_unordered(AT_A_TIME);
        while lanes.next().await.is_some() {}
    }
}

/// One run of the command.
struct Run<'a> {
    desk: &'a Desk,
    found: &'a Found,
    is_dry_run: bool,
    now: OffsetDateTime,
}

impl Run<'_> {
    async fn lane(&self, planned: &[(&Failed, Replay)], tell: &impl Fn(&Failed, &End)) {
        let mut is_stopped = false;
        for (failed, replay) in planned {
            let end = match is_stopped {
                true => End::Behind,
                false => self.one(failed, replay).await,
            };
            is_stopped |= matches!(end, End::NotSent(_));
            tell(failed, &end);
        }
    }

    async fn one(&self, failed: &Failed, replay: &Replay) -> End {
        let desk = self.desk;
        let replay = match &replay.step {
            Step::Open(blob) => match desk.blobs.get(STATE, blob).await {
                Ok(content) => {
                    let content = content.as_ref().map(|(content, _)| &content[..]);
                    &replay.opened(content, self.now)
                }
                Err(error) => return End::NotSent(error),
            },
            Step::Send(_) | Step::Leave(_) => replay,
        };
        let envelope = match &replay.step {
            Step::Send(_) if self.is_dry_run => return End::WouldReplay,
            Step::Send(envelope) => envelope.as_ref(),
            Step::Leave(left) => return End::Left(*left),
            // What was opened is never to be opened again.
            Step::Open(_) => return End::Left(Left::Unreadable),
        };
        let route = replay.route(envelope);
        let queue = match route.queue {
            Queue::Inbound => &desk.inbound_queue,
            Queue::Outbound => &desk.outbound_queue,
            // A typing indicator is worth nothing by now, and never gets here.
            Queue::Typing => return End::Left(Left::Unreadable),
        };
        let envelopes = std::slice::from_ref(envelope);
        if let Err(error) = send(&desk.blobs, &desk.bus, queue, envelopes, &[route]).await {
            return End::NotSent(error);
        }
        match desk.discard(self.found, &failed.blob).await {
            Ok(_) => End::Replayed,
            Err(error) => End::NotRemoved(error),
        }
    }
}
