//! The posts that this process made lately, so that most echoes are known without a look at any state.
//!
//! On Flex each queue function runs on instances of its own, where this memory is empty: the chat's outbound state decides then.

use std::time::Duration;

use bridge::ids::{Digest, TeamsMessageId};
use tokio::time::Instant;

use super::bounded::Bounded;

/// Chats remembered; an echo comes within seconds, a repeated notification within hours.
const CHATS: usize = 5_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(6 * 3600);

/// Posts of one chat that are remembered.
const POSTS: usize = 20;

/// Posts of ours by chat.
#[derive(Debug)]
pub struct OwnPosts(Bounded<Digest, Vec<Post>>);

#[derive(Debug, Clone)]
struct Post {
    fingerprint: Digest,
    id: Option<TeamsMessageId>,
    /// When Graph answered it with an error.
    answered: Option<Instant>,
}

impl Default for OwnPosts {
    fn default() -> Self {
        Self(Bounded::new(CHATS, REMEMBERED_FOR))
    }
}

impl OwnPosts {
    /// Notes that a post with this text is about to be made: its notification can come before its answer.
    pub fn begin(&self, chat: &Digest, fingerprint: &Digest) {
        self.0.update(chat, Vec::new, |posts| {
            if posts.len() >= POSTS {
                posts.remove(0);
            }
            posts.push(Post {
                fingerprint: fingerprint.clone(),
                id: None,
                answered: None,
            });
        });
    }

    /// Notes the id of the post that was begun last.
    pub fn posted(&self, chat: &Digest, id: &TeamsMessageId) {
        self.of_last(chat, |post| post.id = Some(id.clone()));
    }

    /// Notes that the post that was begun last was not made.
    pub fn not_posted(&self, chat: &Digest) {
        self.0.update(chat, Vec::new, Vec::pop);
    }

    /// Notes that Graph answered the post that was begun last with an error.
    pub fn answered(&self, chat: &Digest) {
        self.of_last(chat, |post| post.answered = Some(Instant::now()));
    }

    fn of_last(&self, chat: &Digest, note: impl FnOnce(&mut Post)) {
        self.0
            .update(chat, Vec::new, |posts| posts.last_mut().map(note));
    }

    /// Time since Graph answered the latest post with an error, where it did so to this process.
    pub fn since_answer(&self, chat: &Digest) -> Option<Duration> {
        let posts = self.0.get(chat)?;
        Some(posts.last()?.answered?.elapsed())
    }

    /// Whether a message written as a support account is certainly one of these posts: by its id, or by its text while the id
    /// of the post with that text is not known yet.
    pub fn contains(&self, chat: &Digest, id: &TeamsMessageId, fingerprint: &Digest) -> bool {
        self.0.get(chat).is_some_and(|posts| {
            posts.iter().any(|post| match &post.id {
                Some(known) => known == id,
                None => post.fingerprint == *fingerprint,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_known_before_and_after_the_post_s_answer() {
        let posts = OwnPosts::default();
        let (chat, text) = (Digest::of("chat", "1"), Digest::of("text", "hello"));
        let id: TeamsMessageId = "1616".parse().expect("an id");
        let other: TeamsMessageId = "1617".parse().expect("an id");
        assert!(!posts.contains(&chat, &id, &text));
        posts.begin(&chat, &text);
        assert!(posts.contains(&chat, &id, &text));
        posts.posted(&chat, &id);
        assert!(posts.contains(&chat, &id, &text));
        assert!(!posts.contains(&chat, &other, &text), "written by hand");
        posts.begin(&chat, &text);
        posts.not_posted(&chat);
        assert!(!posts.contains(&chat, &other, &text), "written by hand");
    }
}
