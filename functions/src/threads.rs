//! Which chat a thread belongs to: written before the first message goes to Genesys, never changed, cached for ever.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bridge::ids::{ChatId, Digest, ThreadId};
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use bytes::Bytes;

use crate::app::App;
use crate::enqueue::STATE;
use crate::failure::{Failure, unreadable_state};

/// How many threads are remembered; beyond that the memory starts over, since it is only a cache.
const REMEMBERED: usize = 20_000;

/// Threads that this process has seen in Blob.
#[derive(Debug, Default)]
pub struct ThreadCache(Mutex<HashMap<Digest, ChatId>>);

impl ThreadCache {
    fn get(&self, thread: &ThreadId) -> Option<ChatId> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&thread.digest())
            .cloned()
    }

    fn insert(&self, thread: &ThreadId, chat: &ChatId) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.len() >= REMEMBERED {
            threads.clear();
        }
        threads.insert(thread.digest(), chat.clone());
    }
}

/// The thread's chat, or `None` while no message of it has been on its way to Genesys.
///
/// # Errors
/// Blob could not be read, or holds something that is no thread.
pub async fn chat_of(app: &App, thread: &ThreadId) -> Result<Option<ChatId>, Failure> {
    if let Some(chat) = app.threads.get(thread) {
        return Ok(Some(chat));
    }
    let Some((body, _)) = app.blobs.get(STATE, &blobs::thread(thread)).await? else {
        return Ok(None);
    };
    let record: ThreadRecord =
        serde_json::from_slice(&body).map_err(|error| unreadable_state("thread", &error))?;
    app.threads.insert(thread, &record.chat);
    Ok(Some(record.chat))
}

/// Writes the thread's chat if it is not there yet.
///
/// # Errors
/// Blob refused or could not be reached.
pub async fn remember(app: &App, thread: &ThreadId, record: &ThreadRecord) -> Result<(), Failure> {
    if app.threads.get(thread).is_some() {
        return Ok(());
    }
    let body = serde_json::to_vec(record).unwrap_or_default();
    app.blobs
        .create(STATE, &blobs::thread(thread), Bytes::from(body))
        .await?;
    app.threads.insert(thread, &record.chat);
    Ok(())
}
