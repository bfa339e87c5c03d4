//! Names of blobs. Ids appear as digests only, so that a listing names nobody.

use crate::ids::{ChatId, Digest, Lane, SupportAccountName, ThreadId};

/// Container of everything that the bridge remembers.
pub const STATE: &str = "state";

/// Container of the messages that a person must look at.
pub const FAILED: &str = "failed";

/// Container of people's files.
pub const ATTACHMENTS: &str = "attachments";

/// What the names of all chats' states begin with, in the container `state`.
pub const CHATS: &str = "chats/";

/// What the names of all threads begin with, in the container `state`.
pub const THREADS: &str = "threads/";

/// What the names of all large envelopes begin with, in the container `state`.
pub const CLAIMS: &str = "claims/";

/// A chat's state on the way to Genesys, in the container `state`.
#[must_use]
pub fn inbound_state(chat: &ChatId) -> String {
    format!("{CHATS}{}/inbound.json", chat.digest())
}

/// A chat's state on the way to Teams, in the container `state`.
#[must_use]
pub fn outbound_state(chat: &ChatId) -> String {
    format!("{CHATS}{}/outbound.json", chat.digest())
}

/// A thread's chat, in the container `state`.
#[must_use]
pub fn thread(thread: &ThreadId) -> String {
    format!("{THREADS}{}.json", thread.digest())
}

/// That a chat's state was erased, in the container `state`.
#[must_use]
pub fn erased(chat: &Digest) -> String {
    format!("erased/{chat}.json")
}

/// An envelope too large for the queue, in the container `state`.
#[must_use]
pub fn claim(digest: &Digest) -> String {
    format!("{CLAIMS}{digest}.json")
}

/// A file of a message, in the container `attachments`. The file's own name is in its `Content-Disposition` only.
#[must_use]
pub fn attachment(subject: &Digest, message: &str, file: &Digest) -> String {
    let file = Digest::of("attachment", &format!("{message}\n{file}"));
    format!("{subject}/{file}")
}

/// Until when a throttle key is to be left alone, in the container `state`.
#[must_use]
pub fn pause(key: &str) -> String {
    format!("pauses/{}.json", Digest::of("pause", key))
}

/// What is booked of a throttle key, in the container `state`.
#[must_use]
pub fn bookings(key: &str) -> String {
    format!("bookings/{}.json", Digest::of("bookings", key))
}

/// Where a Support User's sign-in stands, in the container `state`. The name is the configured one, which names nobody.
#[must_use]
pub fn sign_in(account: &SupportAccountName) -> String {
    format!("sign-in/{}.json", account.as_str())
}

/// What an operator left for a check of the whole bridge, by the digest of its ticket or mark, in the container `state`.
#[must_use]
pub fn check(digest: &Digest) -> String {
    format!("checks/{digest}.json")
}

/// What is remembered of a timer function, in the container `state`.
#[must_use]
pub fn timer(function: &str) -> String {
    format!("timers/{function}.json")
}

/// How far the catching up of a support account is, in the container `state`.
#[must_use]
pub fn catch_up(account: &SupportAccountName) -> String {
    format!("catch-up/{}.json", account.as_str())
}

/// Which subscription a support account has, in the container `state`.
#[must_use]
pub fn subscription(account: &SupportAccountName) -> String {
    format!("subscriptions/{}.json", account.as_str())
}

/// What is noted of a secret's replacement, in the container `state`.
#[must_use]
pub fn rotation(secret: &str) -> String {
    format!("rotation/{secret}.json")
}

/// A failed message, in the container `failed`, under a name that needs no look-up.
#[must_use]
pub fn failed(lane: &Lane, envelope: &Digest) -> String {
    format!("{}/{envelope}.json", Digest::of("lane", lane.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_digests_only() {
        let chat: ChatId = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        let digest = chat.digest();
        assert_eq!(inbound_state(&chat), format!("chats/{digest}/inbound.json"));
        let lane = Lane::inbound(&chat);
        let name = failed(&lane, &digest);
        assert_eq!(
            name,
            format!("{}/{digest}.json", Digest::of("lane", lane.as_str()))
        );
    }
}
