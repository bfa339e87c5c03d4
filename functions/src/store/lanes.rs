//! Lanes that this process holds: a chat's messages are worked on by one invocation at a time, even when the queue hands a lane
//! to a second one. Another process is told by the chat's state (`bridge::state::inbound::Sending`).

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::Digest;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::bounded::Bounded;
use crate::failure::Failure;

/// Lanes remembered; a forgotten one is only no longer guarded against a second invocation.
const LANES: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(3600);

/// The lanes of one process.
#[derive(Debug)]
pub struct Lanes {
    holder: Digest,
    held: Bounded<Digest, Arc<Mutex<()>>>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            holder: Digest::of_bytes("holder", Uuid::new_v4().as_bytes()),
            held: Bounded::new(LANES, REMEMBERED_FOR),
        }
    }
}

impl Lanes {
    /// Stands for this process.
    pub fn holder(&self) -> &Digest {
        &self.holder
    }

    /// Waits until no other invocation holds the chat's lane.
    ///
    /// # Errors
    /// That would be after the deadline.
    pub async fn hold(
        &self,
        chat: &Digest,
        deadline: Instant,
    ) -> Result<OwnedMutexGuard<()>, Failure> {
        let lane = self
            .held
            .update(chat, Arc::default, |lane| Arc::clone(lane));
        timeout_at(deadline, lane.lock_owned())
            .await
            .map_err(|_| Failure::OutOfTime)
    }
}
