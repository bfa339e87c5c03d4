//! Names of blobs. Ids appear as digests only, so that a listing names nobody.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::ids::{ChatId, Digest, ThreadId};

/// A chat's state on the way to Genesys, in the container `state`.
#[must_use]
pub fn inbound_state(chat: &ChatId) -> String {
    format!("chats/{}/inbound.json", chat.digest())
}

/// A chat's state on the way to Teams, in the container `state`.
#[must_use]
pub fn outbound_state(chat: &ChatId) -> String {
    format!("chats/{}/outbound.json", chat.digest())
}

/// A thread's chat, in the container `state`.
#[must_use]
pub fn thread(thread: &ThreadId) -> String {
    format!("threads/{}.json", thread.digest())
}

/// An envelope too large for the queue, in the container `state`.
#[must_use]
pub fn claim(digest: &Digest) -> String {
    format!("claims/{digest}.json")
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

/// A failed message, in the container `failed`: sorted by chat, then by time of acceptance.
#[must_use]
pub fn failed(subject: &Digest, accepted: OffsetDateTime, id: &Digest) -> String {
    let format =
        format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z");
    let time = accepted
        .to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default();
    format!("{subject}/{time}-{id}.json")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn names_hold_digests_and_sortable_times() {
        let chat: ChatId = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        let digest = chat.digest();
        assert_eq!(inbound_state(&chat), format!("chats/{digest}/inbound.json"));
        let name = failed(&digest, datetime!(2026-01-02 03:04:05.678 +1), &digest);
        assert_eq!(name, format!("{digest}/20260102T020405.678Z-{digest}.json"));
    }
}
