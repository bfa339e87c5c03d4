//! What a notification means for a message, by examples.

use std::collections::BTreeSet;

use time::Duration;

use super::super::changes::{Step, deleted_id, edit_id, reaction_id, restored_id, step};
use super::*;
use crate::state::KEPT;
use crate::state::inbound::{Carried, Seen};

fn last_edited(at: Option<OffsetDateTime>) -> ChatMessage {
    ChatMessage {
        last_edited: at,
        ..message("1616", "7", START)
    }
}

/// What the message says, and when it was last edited: so many seconds after it was written, or never.
fn seen(edited: Option<i64>, text: &str, files: &[&str]) -> Seen {
    Seen {
        edited: edited.map(|seconds| START + Duration::seconds(seconds)),
        text: Some(Digest::of("text", text)),
        files: files.iter().map(|file| Digest::of("file", file)).collect(),
        ..Seen::default()
    }
}

/// What the state has of the message: what was seen of it, how many parts are posted, and whether that is all.
fn carried(seen: &Seen, posted: usize, complete: bool) -> Option<Carried> {
    Some(Carried {
        at: START,
        genesys: vec![String::new(); posted],
        pieces: Vec::new(),
        complete,
        given_up: false,
        in_doubt: false,
        seen: seen.clone(),
    })
}

fn created(known: Option<Carried>, found: &Seen) -> Step {
    let message = last_edited(found.edited);
    step(ChangeType::Created, known.as_ref(), &message, found, START)
}

fn updated(known: Option<Carried>, found: &Seen) -> Step {
    let message = last_edited(found.edited);
    step(ChangeType::Updated, known.as_ref(), &message, found, START)
}

#[test]
fn a_new_message_is_delivered_once() {
    let message = seen(None, "a", &[]);
    let handled = Step::Skip("already handled");
    assert_eq!(created(None, &message), Step::Deliver);
    for posted in [0, 2] {
        let begun = carried(&message, posted, false);
        assert_eq!(created(begun, &message), Step::Deliver);
    }
    assert_eq!(created(carried(&message, 1, true), &message), handled);
    // An edit before its original is the original.
    let edited = seen(Some(60), "b", &[]);
    assert_eq!(updated(None, &edited), Step::Deliver);
    assert_eq!(created(carried(&edited, 1, true), &edited), handled);
}

#[test]
fn an_edit_of_a_message_from_long_ago_is_an_edit() {
    let (edited, found) = (last_edited(Some(START)), seen(None, "b", &[]));
    let told = |now| step(ChangeType::Updated, None, &edited, &found, now);
    assert_eq!(told(START + KEPT), Step::Deliver);
    assert_eq!(told(START + KEPT + Duration::SECOND), Step::Edited);
}

#[test]
fn an_edit_is_told_once_and_only_when_it_shows() {
    let first = || carried(&seen(None, "a", &["x"]), 1, true);
    let nothing = Step::Note("the edit changes nothing that is seen");
    for (text, files, step) in [
        ("b", &["x"][..], Step::Edited),
        ("a", &["x", "y"], Step::Edited),
        ("a", &["x"], nothing),
        ("a", &[], nothing),
    ] {
        assert_eq!(updated(first(), &seen(Some(60), text, files)), step);
    }
    let second = || carried(&seen(Some(60), "b", &["x"]), 1, true);
    let later = |seconds, text| updated(second(), &seen(Some(seconds), text, &["x"]));
    let none = Step::Skip("no new edit");
    assert_eq!(later(60, "b"), none);
    assert_eq!(later(1, "a"), none, "an older edit that comes late");
    assert_eq!(later(3600, "a"), Step::Edited);
}

#[test]
fn a_reaction_is_no_edit() {
    let message = seen(None, "a", &[]);
    let known = carried(&message, 1, true);
    assert_eq!(updated(known, &message), Step::Skip("no edit"));
    let unknown = Step::Skip("no edit of a message that is known");
    assert_eq!(updated(None, &message), unknown);
}

#[test]
fn what_was_deleted_can_come_back() {
    let mut gone = seen(None, "a", &[]);
    gone.deleted = true;
    let back = seen(None, "a", &[]);
    assert_eq!(updated(carried(&gone, 1, true), &back), Step::Restored);
    assert_eq!(updated(carried(&gone, 0, true), &back), Step::Deliver);
    let in_doubt = carried(&gone, 0, true).map(|carried| Carried {
        in_doubt: true,
        ..carried
    });
    assert_eq!(updated(in_doubt, &back), Step::Restored);
    let handled = Step::Skip("already handled");
    assert_eq!(created(carried(&gone, 0, true), &back), handled);
}

#[test]
fn a_message_that_failed_half_way_is_edited_like_others() {
    let edited = seen(Some(60), "b", &[]);
    let half = carried(&seen(None, "a", &[]), 1, false);
    assert_eq!(updated(half, &edited), Step::Edited);
    let not_at_all = carried(&Seen::default(), 0, false);
    assert_eq!(updated(not_at_all, &edited), Step::Deliver);
}

#[test]
fn deletions_are_told_of_what_the_agent_has() {
    let mut world = World::begun();
    let unseen = End::Noted("deleted before it was delivered");
    assert_eq!(world.deleted("2"), unseen);
    assert_eq!(world.needed, [Need::Chat]);
    // Graph knows no more of it; what a late notification encloses is from before.
    let (late, hello) = (message("2", "PIN", START), message("1", "hello", START));
    let known = "known to be deleted";
    world.skips_change(&late, known);
    world.skips(&late, "already handled");
    assert_eq!(world.deleted("1"), End::Told);
    assert_eq!(world.deleted("1"), End::Skipped(known));
    world.fresh = Asked::CannotTell;
    world.skips_change(&hello, known);
    world.fresh = Asked::Told(Some(hello.clone()));
    world.tells_of_change(&hello);
    assert_eq!(world.deleted("1"), End::Told);
    let gone = "[deleted] The message of 2026-01-02 03:04 UTC was deleted.";
    assert_eq!(world.texts(), [gone, "[restored] hello", gone]);
    let ids: Vec<&str> = world.genesys.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids[0], ids[2]), ("1-deleted", "1-deleted-2"));
}

#[test]
fn a_deletion_is_told_where_the_agent_may_have_the_message_without_our_knowing() {
    let mut world = World::begun();
    let unseen = End::Noted("deleted before it was delivered");
    for (id, refusals, expected) in [
        ("2", &[false][..], End::Told),
        ("3", &[true], unseen),
        // What the first attempt left in doubt, no later one can tell.
        ("4", &[false, true], End::Told),
        ("5", &[true, false], End::Told),
    ] {
        for refuses in refusals {
            (world.patience, world.refuses) = (0, *refuses);
            let broken = world.created(&message(id, "hello?", START));
            assert_eq!(broken, End::Broken);
        }
        world.patience = usize::MAX;
        assert_eq!(world.deleted(id), expected, "{id}");
    }
    let gone = "[deleted] The message of 2026-01-02 03:04 UTC was deleted.";
    assert_eq!(world.texts(), [gone; 3]);
}

#[test]
fn reactions_are_told_once_where_they_are_wanted() {
    let mut world = World::begun();
    let reacted = |mut message: ChatMessage, reaction: Reaction| {
        message.reactions.push(reaction);
        message
    };
    let ours = world.agent_posts("p1", "Done.", Says::Words);
    let liked = reacted(ours, thumb(user('a')));
    world.tells_of_change(&liked);
    world.skips_change(&liked, "no new reaction");
    let by_us = reacted(message("1", "hello", START), thumb(user('5')));
    world.skips_change(&by_us, "no new reaction");
    let custom = Reaction {
        kind: "custom".to_owned(),
        label: Some("party parrot".to_owned()),
        ..thumb(user('a'))
    };
    let both = reacted(reacted(by_us, custom), thumb(user('a')));
    world.tells_of_change(&both);
    let told = [
        "[reaction] 👍 to your message of 2026-01-02 03:04 UTC",
        "[reaction] party parrot to the message of 2026-01-02 03:04 UTC",
        "[reaction] 👍 to the message of 2026-01-02 03:04 UTC",
    ];
    assert_eq!(world.texts(), told);
    let unknown = reacted(message("7", "x", START), thumb(user('a')));
    world.skips_change(&unknown, "a reaction outside the conversation");
    world.policy.reactions = false;
    world.skips_change(&both, "no edit");
    world.remembered = vec![id("p1")];
    world.skips_change(&liked, "our own message");
}

#[test]
fn derived_ids_are_stable_and_distinct() {
    let message = last_edited(Some(START + Duration::MINUTE));
    let reaction = |kind: &str, label: &str| {
        let reaction = Reaction {
            kind: kind.to_owned(),
            label: Some(label.to_owned()),
            user: None,
            name: None,
        };
        reaction_id(&message.id, &reaction)
    };
    let mut state = World::new().inbound;
    let ids = [
        edit_id(&message),
        restored_id(&message),
        deleted_id(&message.id, &state),
        reaction("like", "Like"),
        reaction("heart", "Heart"),
        reaction("custom", "parrot"),
        reaction("custom", "ship"),
    ]
    .map(|id| id.expect("an id"));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let translated = reaction("like", "Gefällt mir");
    assert_eq!(translated.as_ref(), Ok(&ids[3]));
    assert_eq!(ids[0].as_str(), "1616-edited-1767323105000");
    assert_eq!(ids[2].as_str(), "1616-deleted");
    state.complete(&ids[1], START);
    let again = deleted_id(&message.id, &state).expect("an id");
    assert_eq!(again.as_str(), "1616-deleted-2");
}
