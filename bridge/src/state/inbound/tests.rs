use time::macros::datetime;

use super::*;

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

fn state() -> InboundState {
    let chat = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
    InboundState::new(chat, "support".parse().expect("a name"))
}

fn posted(piece: usize, part: usize, genesys: &str, ends_piece: bool) -> PostedPart {
    PostedPart {
        piece,
        part,
        genesys: genesys.to_owned(),
        ends_piece,
    }
}

fn id(number: usize) -> TeamsMessageId {
    number.to_string().parse().expect("an id")
}

fn place(state: &InboundState, message: &TeamsMessageId) -> (usize, usize, usize) {
    let progress = state.progress(message);
    (progress.piece, progress.part, progress.posted)
}

#[test]
fn parts_count_until_all_are_posted() {
    let mut state = state();
    let message: TeamsMessageId = "1612289765949".parse().expect("an id");
    assert!(state.record_part(&message, posted(0, 0, "g1", false), AT));
    assert_eq!(place(&state, &message), (0, 1, 1));
    assert!(state.record_part(&message, posted(0, 1, "g2", true), AT));
    assert_eq!(place(&state, &message), (1, 0, 2));
    state.finish_piece(&message, AT);
    assert!(state.record_part(&message, posted(2, 0, "g3", false), AT));
    assert_eq!(place(&state, &message), (2, 1, 3));
    state.finish_piece(&message, AT);
    assert_eq!(place(&state, &message), (3, 0, 3));
    assert!(!state.is_complete(&message));
    state.entry(&message, AT).seen.text = Some(Digest::of("text", "words"));
    state.complete(&message, AT);
    assert!(state.is_complete(&message));
    state.kind = Some(ChatKind::OneOnOne);
    let user = "0f0e0d0c-0000-4000-8000-00000000000a";
    state.customer = Some(Customer {
        user: user.parse().expect("a GUID"),
        user_type: None,
        tenant: None,
        upn: Some("anna@customer.example".to_owned()),
        name: Some("Anna".to_owned()),
        guest: false,
        upn_verified: false,
        company: None,
        domain: None,
        lookup_failed_at: None,
    });
    state.customer_resolved_at = Some(AT);
    state.thread = Some(ThreadState {
        counter: 0,
        last_message: AT,
    });
    insta::assert_json_snapshot!(state);
}

#[test]
fn a_part_that_is_noted_already_is_no_further_part() {
    let (mut state, message) = (state(), id(1));
    assert!(state.record_part(&message, posted(0, 0, "g1", false), AT));
    // Another holder of the lane posted it as well, with an id of its own.
    assert!(!state.record_part(&message, posted(0, 0, "g2", false), AT));
    assert_eq!(place(&state, &message), (0, 1, 1));
    assert!(!state.record_part(&message, posted(1, 0, "g3", true), AT));
    assert!(state.record_part(&message, posted(0, 1, "g4", true), AT));
    assert_eq!(place(&state, &message), (1, 0, 2));
}

#[test]
fn what_is_complete_is_forgotten_in_time_and_progress_never() {
    let (mut state, whole, half) = (state(), id(1), id(2));
    state.record_part(&whole, posted(0, 0, "g1", true), AT);
    state.complete(&whole, AT);
    state.record_part(&half, posted(0, 0, "g2", false), AT);
    for number in 0..NEWEST {
        let later = id(10 + number);
        state.complete(&later, AT + Duration::from_secs(1));
    }
    state.forget(AT + KEPT);
    assert!(state.is_complete(&whole));
    state.forget(AT + KEPT * 100);
    assert!(!state.is_complete(&whole));
    assert_eq!(place(&state, &half), (0, 1, 1));
    // The newest are known after the longest outage.
    assert_eq!(state.messages.len(), NEWEST + 1);
}

#[test]
fn what_was_given_up_is_no_longer_so_once_it_is_carried() {
    let (mut state, message) = (state(), id(1));
    state.give_up(&message, AT);
    assert!(state.messages[&message].given_up && !state.is_complete(&message));
    state.complete(&message, AT);
    state.give_up(&message, AT);
    assert!(!state.messages[&message].given_up && state.is_complete(&message));
}

#[test]
fn messages_are_limited_in_number() {
    let mut state = state();
    for number in 0..MOST_MESSAGES + 10 {
        let at = AT + Duration::from_secs(number as u64);
        state.entry(&id(number), at).complete = number >= 5;
    }
    state.forget(AT + Duration::from_secs(3600));
    assert_eq!(state.messages.len(), MOST_MESSAGES);
    let is_kept = |number| state.messages.contains_key(&id(number));
    assert!((0..5).all(is_kept) && !(5..15).any(is_kept));
}

#[test]
fn another_holder_waits_for_what_is_under_way() {
    let mut state = state();
    let (ours, theirs) = (Digest::of("holder", "1"), Digest::of("holder", "2"));
    assert!(!state.is_held_from(&ours, AT));
    state.sending = Some(Sending {
        holder: theirs.clone(),
        at: AT,
    });
    assert!(!state.is_held_from(&theirs, AT));
    assert!(state.is_held_from(&ours, AT + UNDER_WAY / 2));
    assert!(!state.is_held_from(&ours, AT + UNDER_WAY));
    assert!(!state.is_held_from(&ours, AT - UNDER_WAY));
}

#[test]
fn states_of_other_releases_are_read() {
    let json = r#"{"version":1,"chat":"19:a","account":"support","unknown":{"later":1}}"#;
    let state: InboundState = serde_json::from_str(json).expect("readable");
    assert!(state.messages.is_empty() && state.thread.is_none());
    // What an older one left half way goes on.
    let json = r#"{"version":1,"chat":"19:a","account":"support","chat_type":"group",
        "handled":{"1":{"at":"2026-01-02T03:04:05Z","etag":"e","genesys":["g1","g2"],"complete":false}}}"#;
    let state: InboundState = serde_json::from_str(json).expect("readable");
    assert_eq!(state.kind, Some(ChatKind::Group));
    assert_eq!(place(&state, &id(1)), (0, 2, 2));
}
