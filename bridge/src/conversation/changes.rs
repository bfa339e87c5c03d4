//! What a notification means for the agent: something new, something changed, or nothing.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::ids::{Digest, InvalidId, TeamsMessageId};
use crate::state::KEPT;
use crate::state::inbound::{Carried, InboundState, Seen};
use crate::teams::message::{ChatMessage, Reaction};
use crate::teams::notification::ChangeType;

/// What is to be done about a message that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The agent has not seen it yet.
    Deliver,
    /// The agent has seen it, and it says something else now.
    Edited,
    /// The agent was told that it is gone, and it is back.
    Restored,
    /// The agent has seen all of it; what is known of it may still move on.
    Note(&'static str),
    /// Nothing.
    Skip(&'static str),
}

/// Decides about a message after a notification. `known` is what the state has of it, `found` what it is now.
///
/// Graph tells of edits and of reactions in the same way; only an edit moves `lastEditedDateTime` (Microsoft Learn, "Set up
/// notifications for changes in resource data"). Notifications can come twice, late and in any order.
#[must_use]
pub fn step(
    change: ChangeType,
    known: Option<&Carried>,
    message: &ChatMessage,
    found: &Seen,
    now: OffsetDateTime,
) -> Step {
    let Some(known) = known else {
        return match (change, message.last_edited) {
            (ChangeType::Created, _) => Step::Deliver,
            (_, None) => Step::Skip("no edit of a message that is known"),
            // Its own notification is late or lost: whatever it was, this is what it says.
            (_, Some(_)) if now - message.created <= KEPT => Step::Deliver,
            (_, Some(_)) => Step::Edited,
        };
    };
    if !known.complete && (change == ChangeType::Created || !known.is_shown()) {
        return Step::Deliver;
    }
    let seen = &known.seen;
    if change == ChangeType::Created {
        return Step::Skip("already handled");
    }
    if seen.deleted {
        return if known.is_shown() {
            Step::Restored
        } else {
            Step::Deliver
        };
    }
    match message.last_edited {
        None => Step::Skip("no edit"),
        Some(edited) if seen.edited.is_some_and(|known| edited <= known) => {
            Step::Skip("no new edit")
        }
        Some(_) if seen.text == found.text && found.files.is_subset(&seen.files) => {
            Step::Note("the edit changes nothing that is seen")
        }
        Some(_) => Step::Edited,
    }
}

/// What a message is now, for comparison with what it is later.
#[must_use]
pub fn seen(message: &ChatMessage, text: &str, files: BTreeSet<Digest>) -> Seen {
    Seen {
        written: Some(message.created),
        edited: message.last_edited,
        text: Some(Digest::of("converted text", text)),
        files,
        deleted: false,
    }
}

/// Id of the series that tells of an edit, the same at each repetition.
///
/// # Errors
/// The message's own id is too long for it.
pub fn edit_id(message: &ChatMessage) -> Result<TeamsMessageId, InvalidId> {
    let edited = message.last_edited.unwrap_or(message.created);
    derived(
        &message.id,
        &format!("edited-{}", edited.unix_timestamp_nanos() / 1_000_000),
    )
}

/// Id of the message that tells that another one is back.
///
/// # Errors
/// As [`edit_id`].
pub fn restored_id(message: &ChatMessage) -> Result<TeamsMessageId, InvalidId> {
    let version = Digest::of("version", message.etag.as_deref().unwrap_or_default());
    derived(
        &message.id,
        &format!("restored-{}", &version.as_str()[..16]),
    )
}

/// Id of the message that tells that another one is gone. What was brought back can be deleted again, which is something new:
/// `state` knows how often it came back.
///
/// # Errors
/// As [`edit_id`].
pub fn deleted_id(
    message: &TeamsMessageId,
    state: &InboundState,
) -> Result<TeamsMessageId, InvalidId> {
    let restored = format!("{}-restored-", message.as_str());
    let times = state
        .messages
        .keys()
        .filter(|id| id.as_str().starts_with(&restored))
        .count();
    match times {
        0 => derived(message, "deleted"),
        times => derived(message, &format!("deleted-{}", times + 1)),
    }
}

/// Id of the message that tells of a reaction.
///
/// # Errors
/// As [`edit_id`].
pub fn reaction_id(
    message: &TeamsMessageId,
    reaction: &Reaction,
) -> Result<TeamsMessageId, InvalidId> {
    let user = reaction.user.as_ref().map_or("", |user| user.as_str());
    let mut what = format!("{user}\n{}", reaction.kind);
    if reaction.is_custom() {
        // All custom emoji are of one kind.
        what = format!("{what}\n{}", reaction.label.as_deref().unwrap_or_default());
    }
    let which = Digest::of("reaction", &what);
    derived(message, &format!("reaction-{}", &which.as_str()[..16]))
}

fn derived(message: &TeamsMessageId, what: &str) -> Result<TeamsMessageId, InvalidId> {
    format!("{}-{what}", message.as_str()).parse()
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::teams::message::{Body, MessageKind};

    const WRITTEN: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
    const NOW: OffsetDateTime = datetime!(2026-01-02 04:00:00 UTC);

    fn message(edited: Option<OffsetDateTime>) -> ChatMessage {
        ChatMessage {
            id: "1616".parse().expect("an id"),
            chat_id: None,
            etag: Some("7".to_owned()),
            kind: MessageKind::Message,
            created: WRITTEN,
            last_edited: edited,
            deleted: None,
            from: None,
            body: Body::default(),
            attachments: Vec::new(),
            mentions: Vec::new(),
            reactions: Vec::new(),
        }
    }

    fn found(message: &ChatMessage, text: &str, files: &[&str]) -> Seen {
        let files = files.iter().map(|file| Digest::of("file", file)).collect();
        seen(message, text, files)
    }

    fn carried(seen: Seen, posted: usize, complete: bool) -> Carried {
        Carried {
            at: WRITTEN,
            genesys: vec![String::new(); posted],
            pieces: Vec::new(),
            complete,
            seen,
        }
    }

    fn decide(
        change: ChangeType,
        known: Option<&Carried>,
        edited: Option<Duration>,
        text: &str,
        files: &[&str],
    ) -> Step {
        let message = message(edited.map(|after| WRITTEN + after));
        step(change, known, &message, &found(&message, text, files), NOW)
    }

    const MINUTE: Option<Duration> = Some(Duration::MINUTE);

    #[test]
    fn a_new_message_is_delivered_once() {
        let known = |posted, complete| carried(found(&message(None), "a", &[]), posted, complete);
        let created = |known: Option<&Carried>| decide(ChangeType::Created, known, None, "a", &[]);
        assert_eq!(created(None), Step::Deliver);
        assert_eq!(created(Some(&known(0, false))), Step::Deliver);
        assert_eq!(created(Some(&known(2, false))), Step::Deliver);
        assert_eq!(
            created(Some(&known(1, true))),
            Step::Skip("already handled")
        );
    }

    #[test]
    fn an_edit_before_its_original_is_the_original() {
        let step = decide(ChangeType::Updated, None, MINUTE, "b", &[]);
        assert_eq!(step, Step::Deliver);
        // The original comes later.
        let known = carried(
            found(&message(Some(WRITTEN + Duration::MINUTE)), "b", &[]),
            1,
            true,
        );
        let late = decide(ChangeType::Created, Some(&known), MINUTE, "b", &[]);
        assert_eq!(late, Step::Skip("already handled"));
    }

    #[test]
    fn an_edit_of_a_message_from_long_ago_is_an_edit() {
        let message = message(Some(NOW));
        let later = WRITTEN + KEPT + Duration::SECOND;
        let step = step(
            ChangeType::Updated,
            None,
            &message,
            &found(&message, "b", &[]),
            later,
        );
        assert_eq!(step, Step::Edited);
    }

    #[test]
    fn an_edit_is_told_once_and_only_when_it_shows() {
        let first = carried(found(&message(None), "a", &["x"]), 1, true);
        let updated = |known: &Carried, edited, text: &str, files: &[&str]| {
            decide(ChangeType::Updated, Some(known), edited, text, files)
        };
        assert_eq!(updated(&first, MINUTE, "b", &["x"]), Step::Edited);
        assert_eq!(updated(&first, MINUTE, "a", &["x", "y"]), Step::Edited);
        let nothing = Step::Note("the edit changes nothing that is seen");
        assert_eq!(updated(&first, MINUTE, "a", &["x"]), nothing);
        assert_eq!(updated(&first, MINUTE, "a", &[]), nothing);
        let second = carried(
            found(&message(Some(WRITTEN + Duration::MINUTE)), "b", &["x"]),
            1,
            true,
        );
        assert_eq!(
            updated(&second, MINUTE, "b", &["x"]),
            Step::Skip("no new edit")
        );
        assert_eq!(
            updated(&second, Some(Duration::SECOND), "a", &["x"]),
            Step::Skip("no new edit"),
            "an older edit that comes late"
        );
        assert_eq!(
            updated(&second, Some(Duration::HOUR), "a", &["x"]),
            Step::Edited
        );
    }

    #[test]
    fn a_reaction_is_no_edit() {
        let known = carried(found(&message(None), "a", &[]), 1, true);
        assert_eq!(
            decide(ChangeType::Updated, Some(&known), None, "a", &[]),
            Step::Skip("no edit")
        );
        assert_eq!(
            decide(ChangeType::Updated, None, None, "a", &[]),
            Step::Skip("no edit of a message that is known")
        );
        let edited = carried(
            found(&message(Some(WRITTEN + Duration::MINUTE)), "b", &[]),
            1,
            true,
        );
        assert_eq!(
            decide(ChangeType::Updated, Some(&edited), MINUTE, "b", &[]),
            Step::Skip("no new edit")
        );
    }

    #[test]
    fn what_was_deleted_can_come_back() {
        let mut gone = found(&message(None), "a", &[]);
        gone.deleted = true;
        let told = carried(gone.clone(), 1, true);
        assert_eq!(
            decide(ChangeType::Updated, Some(&told), None, "a", &[]),
            Step::Restored
        );
        let never_seen = carried(gone, 0, true);
        assert_eq!(
            decide(ChangeType::Updated, Some(&never_seen), None, "a", &[]),
            Step::Deliver
        );
        assert_eq!(
            decide(ChangeType::Created, Some(&never_seen), None, "a", &[]),
            Step::Skip("already handled")
        );
    }

    #[test]
    fn a_message_that_failed_half_way_is_edited_like_others() {
        let half = carried(found(&message(None), "a", &[]), 1, false);
        assert_eq!(
            decide(ChangeType::Updated, Some(&half), MINUTE, "b", &[]),
            Step::Edited
        );
        let not_at_all = carried(Seen::default(), 0, false);
        assert_eq!(
            decide(ChangeType::Updated, Some(&not_at_all), MINUTE, "b", &[]),
            Step::Deliver
        );
    }

    #[test]
    fn derived_ids_are_stable_and_distinct() {
        let message = message(Some(WRITTEN + Duration::MINUTE));
        let reaction = |kind: &str, label: &str| Reaction {
            kind: kind.to_owned(),
            label: Some(label.to_owned()),
            user: None,
            name: None,
        };
        let mut state = InboundState::new(
            "19:a".parse().expect("an id"),
            "support".parse().expect("a name"),
        );
        let ids = [
            edit_id(&message).expect("an id"),
            restored_id(&message).expect("an id"),
            deleted_id(&message.id, &state).expect("an id"),
            reaction_id(&message.id, &reaction("like", "Like")).expect("an id"),
            reaction_id(&message.id, &reaction("heart", "Heart")).expect("an id"),
            reaction_id(&message.id, &reaction("custom", "parrot")).expect("an id"),
            reaction_id(&message.id, &reaction("custom", "ship")).expect("an id"),
        ];
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        let translated = reaction_id(&message.id, &reaction("like", "Gefällt mir"));
        assert_eq!(translated.expect("an id"), ids[3]);
        assert_eq!(ids[0].as_str(), "1616-edited-1767323105000");
        assert_eq!(ids[2].as_str(), "1616-deleted");
        state.complete(&ids[1], NOW);
        let again = deleted_id(&message.id, &state).expect("an id");
        assert_eq!(again.as_str(), "1616-deleted-2");
    }
}
