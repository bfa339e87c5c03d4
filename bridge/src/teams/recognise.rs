//! Finds a message of ours in a chat again, after an attempt whose outcome is unknown: Graph has no idempotency key.

use time::OffsetDateTime;

use crate::ids::{Digest, TeamsMessageId, UserId};
use crate::teams::from_text::from_text;
use crate::teams::message::Body;
use crate::teams::to_text::{Token, emoji, read};

/// A message of the chat that might be the one. `Debug` leaves the text out.
#[derive(Clone)]
pub struct Candidate {
    /// The message.
    pub id: TeamsMessageId,
    /// When Teams took it.
    pub created: OffsetDateTime,
    /// Who wrote it.
    pub sender: Option<UserId>,
    /// Its body.
    pub html: String,
    /// It has an attachment that only a person makes.
    pub by_hand: bool,
}

debug_shows!(Candidate: id, created, sender, by_hand);

/// Stands for a picture (Unicode, "object replacement character").
const PICTURE: char = '\u{fffc}';

/// Digest of a message's text, the same before and after Teams rewrote the HTML.
///
/// Only what is written counts, without any white space, and how many pictures are where: Teams wraps the text into `<p>` and `<div>`, changes and adds
/// attributes, collapses spaces, writes characters as references and the other way round, and puts elements in the place of
/// emoji.
#[must_use]
pub fn fingerprint_html(html: &str) -> Digest {
    let mut visible = String::with_capacity(html.len());
    read(html, |token| match token {
        Token::Text(text) => visible.extend(text.chars().filter(counts)),
        Token::Start(tag) => match emoji(&tag) {
            Some(emoji) => visible.extend(emoji.chars().filter(counts)),
            // A picture counts as one, whatever Teams makes of its address.
            None if tag.name == "img" => visible.push(PICTURE),
            None => {}
        },
        Token::End(_) => {}
    });
    Digest::of("message text", &visible)
}

/// Digest of a message's text, whichever form its body has.
#[must_use]
pub fn fingerprint(body: &Body) -> Digest {
    if body.html {
        fingerprint_html(&body.content)
    } else {
        fingerprint_html(&from_text(&body.content))
    }
}

/// The oldest message that `ours` wrote at or after `since` with the wanted fingerprint and nothing that only a person attaches,
/// and that is not `taken` by an earlier post; messages of the same time are taken in the order of their ids.
///
/// `since` is compared with the clock of Teams: the caller allows for the difference of the clocks.
#[must_use]
pub fn recognise(
    candidates: &[Candidate],
    wanted: &Digest,
    since: OffsetDateTime,
    taken: &[TeamsMessageId],
    ours: &UserId,
) -> Option<TeamsMessageId> {
    candidates
        .iter()
        .filter(|candidate| candidate.sender.as_ref() == Some(ours))
        .filter(|candidate| candidate.created >= since)
        // The bridge posts text and pictures; a person who works as the support user may post files with a text.
        .filter(|candidate| !candidate.by_hand)
        .filter(|candidate| !taken.contains(&candidate.id))
        .filter(|candidate| fingerprint_html(&candidate.html) == *wanted)
        .min_by_key(|candidate| (candidate.created, &candidate.id))
        .map(|candidate| candidate.id.clone())
}

/// Whether a character is part of the fingerprint: neither white space nor invisible.
fn counts(character: &char) -> bool {
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    );
    !character.is_whitespace() && !character.is_control() && !invisible
}

#[cfg(test)]
mod tests;
