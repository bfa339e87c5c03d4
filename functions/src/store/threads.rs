//! Which chat a thread belongs to: written before the first message goes to Genesys, and again once a day while the thread is in
//! use, so that the storage account deletes only what nobody uses any more. Cached.

use bridge::ids::{ChatId, Digest, ThreadId};
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use services::blob::Blobs;
use services::error::ErrorKind;
use time::OffsetDateTime;

use super::bounded::Bounded;
use super::document::Document;
use crate::failure::Failure;

/// Threads and their chats, as far as this process has seen them.
#[derive(Debug)]
pub struct Threads(Bounded<Digest, ThreadRecord>);

impl Threads {
    /// With a memory for what was seen.
    pub fn new(seen: Bounded<Digest, ThreadRecord>) -> Self {
        Self(seen)
    }

    /// The thread's chat, or `None` while no message of it has been on its way to Genesys. That it is used now is noted.
    ///
    /// # Errors
    /// Blob could not be reached, or holds something that is no thread.
    pub async fn chat_of(
        &self,
        blobs: &Blobs,
        thread: &ThreadId,
        now: OffsetDateTime,
    ) -> Result<Option<ChatId>, Failure> {
        let seen = self.0.get(&thread.digest());
        if let Some(record) = seen.filter(|record| !record.is_use_due(now)) {
            return Ok(Some(record.chat));
        }
        let mut stored = load(blobs, thread).await?;
        let Some(record) = &mut stored.value else {
            return Ok(None);
        };
        let is_due = record.is_use_due(now);
        record.used = if is_due { Some(now) } else { record.used };
        let record = record.clone();
        if is_due {
            match stored.save(blobs).await {
                // Somebody else wrote it in between, and noted the use thereby.
                Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => {
                    return Ok(Some(record.chat));
                }
                saved => saved?,
            }
        }
        self.0.insert(thread.digest(), record.clone());
        Ok(Some(record.chat))
    }

    /// Has the next look at a thread go to Blob: where its chat's state was erased, its record was as well.
    pub fn unlearn(&self, thread: &ThreadId) {
        self.0.remove(&thread.digest());
    }

    /// Writes the thread's chat if it is not there yet, and notes its use.
    ///
    /// # Errors
    /// Blob refused or could not be reached, or the record there cannot be read; `Precondition` as of [`Document::save`].
    pub async fn remember(&self, blobs: &Blobs, record: &ThreadRecord) -> Result<(), Failure> {
        let digest = record.thread.digest();
        let is_new_to = |known: &ThreadRecord| {
            known.chat != record.chat || record.used.is_none_or(|now| known.is_use_due(now))
        };
        if self.0.get(&digest).is_some_and(|known| !is_new_to(&known)) {
            return Ok(());
        }
        let mut stored = load(blobs, &record.thread).await?;
        let known = stored.value.take();
        if known
            .as_ref()
            .is_some_and(|known| known.chat != record.chat)
        {
            // A customer and an account share one chat, so Teams made a new one: answers must go to where the customer writes
            // now.
            tracing::warn!(event = "thread_moved", thread = digest.as_str());
        }
        let known = match known.filter(|known| !is_new_to(known)) {
            Some(known) => known,
            None => {
                stored.value = Some(record.clone());
                stored.save(blobs).await?;
                record.clone()
            }
        };
        self.0.insert(digest, known);
        Ok(())
    }
}

async fn load(blobs: &Blobs, thread: &ThreadId) -> Result<Document<Option<ThreadRecord>>, Failure> {
    Document::load(blobs, blobs::thread(thread), || None).await
}
