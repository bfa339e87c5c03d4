//! `threads/{digest}.json`: which chat a thread belongs to. Never changed once written.

use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, SupportAccountName, ThreadId};

/// A thread's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// Version of this format.
    pub version: u32,
    /// The thread.
    pub thread: ThreadId,
    /// Its chat.
    pub chat: ChatId,
    /// Its support account.
    pub account: SupportAccountName,
}

impl ThreadRecord {
    /// A record of the present version.
    #[must_use]
    pub fn new(thread: &ThreadId, chat: ChatId, account: SupportAccountName) -> Self {
        Self {
            version: 1,
            thread: thread.clone(),
            chat,
            account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_as_it_is_stored() {
        let thread = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a:3"
            .parse()
            .expect("a thread");
        let chat = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        let record = ThreadRecord::new(&thread, chat, "support".parse().expect("a name"));
        insta::assert_json_snapshot!(record);
    }
}
