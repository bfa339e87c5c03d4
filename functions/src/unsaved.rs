//! What Genesys has and no state says yet: a post whose note could not be written.
//!
//! Memory only: it closes the gap while the process lives, so that a store that cannot be written does not make every attempt
//! post again. A crash in the gap remains, with the same message id at Genesys.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bridge::ids::{Digest, TeamsMessageId};
use bridge::state::inbound::PostedPart;

/// Posted parts by chat and message.
#[derive(Debug, Default)]
pub struct Unsaved(Mutex<HashMap<(Digest, TeamsMessageId), Vec<PostedPart>>>);

/// Messages remembered; beyond that the memory starts over.
const REMEMBERED: usize = 10_000;

impl Unsaved {
    /// Notes a posted part.
    pub fn add(&self, chat: &Digest, message: &TeamsMessageId, part: PostedPart) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.len() >= REMEMBERED {
            parts.clear();
        }
        parts
            .entry((chat.clone(), message.clone()))
            .or_default()
            .push(part);
    }

    /// The parts that no state knows.
    pub fn of(&self, chat: &Digest, message: &TeamsMessageId) -> Vec<PostedPart> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .get(&(chat.clone(), message.clone()))
            .cloned()
            .unwrap_or_default()
    }

    /// The state knows them now.
    pub fn forget(&self, chat: &Digest, message: &TeamsMessageId) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.remove(&(chat.clone(), message.clone()));
    }
}
