//! Which chat a thread belongs to: written before the first message goes to Genesys, never changed, cached.

use bridge::ids::{ChatId, Digest, ThreadId};
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use bytes::Bytes;
use services::blob::{Blobs, Creation};

use super::bounded::Bounded;
use super::document::{STATE, peek};
use crate::failure::Failure;

/// Threads and their chats, as far as this process has seen them.
#[derive(Debug)]
pub struct Threads(Bounded<Digest, ChatId>);

impl Threads {
    /// With a memory for what was seen.
    pub fn new(seen: Bounded<Digest, ChatId>) -> Self {
        Self(seen)
    }

    /// The thread's chat, or `None` while no message of it has been on its way to Genesys.
    ///
    /// # Errors
    /// Blob could not be read, or holds something that is no thread.
    pub async fn chat_of(
        &self,
        blobs: &Blobs,
        thread: &ThreadId,
    ) -> Result<Option<ChatId>, Failure> {
        if let Some(chat) = self.0.get(&thread.digest()) {
            return Ok(Some(chat));
        }
        let record: Option<ThreadRecord> = peek(blobs, &blobs::thread(thread)).await?;
        Ok(record.map(|record| {
            self.0.insert(thread.digest(), record.chat.clone());
            record.chat
        }))
    }

    /// Writes the thread's chat if it is not there yet.
    ///
    /// # Errors
    /// Blob refused or could not be reached, or the record there cannot be read.
    pub async fn remember(&self, blobs: &Blobs, record: &ThreadRecord) -> Result<(), Failure> {
        let digest = record.thread.digest();
        if self.0.get(&digest).as_ref() == Some(&record.chat) {
            return Ok(());
        }
        let name = blobs::thread(&record.thread);
        let body = Bytes::from(serde_json::to_vec(record).unwrap_or_default());
        if blobs.create(STATE, &name, body.clone()).await? == Creation::Exists {
            let stored: Option<ThreadRecord> = peek(blobs, &name).await?;
            if stored.is_some_and(|stored| stored.chat != record.chat) {
                // A customer and an account share one chat, so Teams made a new one: answers must go to where the
                // customer writes now.
                tracing::warn!(event = "thread_moved", thread = digest.as_str());
                blobs.put(STATE, &name, body).await?;
            }
        }
        self.0.insert(digest, record.chat.clone());
        Ok(())
    }
}
