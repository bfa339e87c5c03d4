//! Which chat a thread belongs to: written before the first message goes to Genesys, never changed, cached.

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::{ChatId, Digest, ThreadId};
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use bytes::Bytes;
use services::blob::{Blobs, Creation};

use super::bounded::Bounded;
use super::document::{STATE, peek};
use crate::failure::Failure;

/// How many threads are remembered, and how long: it is only a cache.
const REMEMBERED: usize = 20_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(3600);

/// The threads' records in Blob, and those that this process has seen.
#[derive(Debug)]
pub struct Threads {
    blobs: Arc<Blobs>,
    seen: Bounded<Digest, ChatId>,
}

impl Threads {
    /// Nothing is read yet.
    pub fn new(blobs: Arc<Blobs>) -> Self {
        Self {
            blobs,
            seen: Bounded::new(REMEMBERED, REMEMBERED_FOR),
        }
    }

    /// The thread's chat, or `None` while no message of it has been on its way to Genesys.
    ///
    /// # Errors
    /// Blob could not be read, or holds something that is no thread.
    pub async fn chat_of(&self, thread: &ThreadId) -> Result<Option<ChatId>, Failure> {
        if let Some(chat) = self.seen.get(&thread.digest()) {
            return Ok(Some(chat));
        }
        let record: Option<ThreadRecord> = peek(&self.blobs, &blobs::thread(thread)).await?;
        Ok(record.map(|record| {
            self.seen.insert(thread.digest(), record.chat.clone());
            record.chat
        }))
    }

    /// Writes the thread's chat if it is not there yet.
    ///
    /// # Errors
    /// Blob refused or could not be reached, or the record there cannot be read.
    pub async fn remember(&self, record: &ThreadRecord) -> Result<(), Failure> {
        let digest = record.thread.digest();
        if self.seen.get(&digest).as_ref() == Some(&record.chat) {
            return Ok(());
        }
        let name = blobs::thread(&record.thread);
        let body = Bytes::from(serde_json::to_vec(record).unwrap_or_default());
        if self.blobs.create(STATE, &name, body).await? == Creation::Exists {
            let stored: Option<ThreadRecord> = peek(&self.blobs, &name).await?;
            if stored.is_some_and(|stored| stored.chat != record.chat) {
                // A customer and an account share one chat, so Teams made a new one: answers must go to where the
                // customer writes now.
                tracing::warn!(event = "thread_moved", thread = digest.as_str());
                let body = Bytes::from(serde_json::to_vec(record).unwrap_or_default());
                self.blobs.put(STATE, &name, body).await?;
            }
        }
        self.seen.insert(digest, record.chat.clone());
        Ok(())
    }
}
