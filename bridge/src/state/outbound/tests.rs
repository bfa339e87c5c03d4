//! Posts, questions, speakers and ends.

use std::str::FromStr;

use time::macros::datetime;

use super::*;
use crate::ids::InvalidId;

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

#[test]
fn only_a_persons_own_chat_without_a_post_may_await_acceptance() {
    let digest = Digest::of("chat", "x");
    for (party, may) in [
        (
            "teams:support:0f0e0d0c-0000-4000-8000-00000000000a".to_owned(),
            true,
        ),
        (
            "teams:support:0f0e0d0c-0000-4000-8000-00000000000a:2".to_owned(),
            true,
        ),
        (format!("teams-guest:support:{digest}"), false),
        (format!("teams-chat:support:{digest}"), false),
    ] {
        let thread: ThreadId = party.parse().expect("a thread");
        let mut state = state();
        assert_eq!(state.may_await_acceptance(&thread), may, "{party}");
        state.last_post = Some(AT);
        assert!(!state.may_await_acceptance(&thread), "{party}");
    }
}

fn state() -> OutboundState {
    OutboundState::new(id("19:a@thread.v2"))
}

fn id<T: FromStr<Err = InvalidId>>(text: &str) -> T {
    text.parse().expect("an id")
}

fn begin(state: &mut OutboundState, message: &str, part: usize, last: bool, says: Says) {
    let fingerprint = Digest::of("post", ["a", "b"][part]);
    state.begin(&id(message), part, last, AT, fingerprint, says);
}

#[test]
fn a_post_is_pending_until_its_answer() {
    let (mut state, message, teams) = (state(), id("b71f"), id("1612289765949"));
    begin(&mut state, "b71f", 0, false, Says::Words);
    assert_eq!(state.parts_posted(&message), 0);
    assert!(state.pending.is_some() && !state.is_ours(&teams));
    state.posted(teams.clone(), AT);
    assert_eq!(state.parts_posted(&message), 1);
    assert!(state.pending.is_none() && state.is_ours(&teams));
    begin(&mut state, "b71f", 1, true, Says::Words);
    insta::assert_json_snapshot!(state);
    assert!(!state.is_posted(&message));
    state.posted(id("1612289765950"), AT);
    assert!(state.is_posted(&message));
    assert_eq!(state.taken().len(), 2);
    state.forget_before(AT + KEPT + time::Duration::SECOND);
    assert!(!state.is_posted(&message) && state.last_post == Some(AT));
}

#[test]
fn the_word_of_an_end_is_nothing_that_was_written_since() {
    let later = |seconds| AT + time::Duration::seconds(seconds);
    let mut state = state();
    assert!(!state.is_told_of_end(None));
    begin(&mut state, "b71f", 0, true, Says::Words);
    state.posted(id("1612289765949"), AT);
    state.ended_at = Some(later(1));
    begin(&mut state, "b720", 0, true, Says::Notice);
    state.posted(id("1612289765950"), later(2));
    assert!(state.is_told_of_end(None) && state.is_told_of_end(Some(later(1))));
    assert!(!state.is_told_of_end(Some(later(2))));
    begin(&mut state, "b721", 0, true, Says::Words);
    state.posted(id("1612289765951"), later(2));
    assert!(!state.is_told_of_end(None));
}

#[test]
fn a_state_with_unknown_fields_is_read() {
    let json = r#"{"version":1,"chat":"19:a","later":{"a":1},"pending":{"message":"b71f","part":0,"last":true,
        "started_at":"2026-01-02T03:04:05Z","fingerprint":"0123456789abcdef0123456789abcdef","later":2}}"#;
    let state: OutboundState = serde_json::from_str(json).expect("readable");
    assert!(state.pending.is_some() && state.posts.is_empty());
}

#[test]
fn a_question_is_open_until_the_agent_says_more() {
    let mut state = state();
    let question = Some(Question {
        message: id("q"),
        asked: AT,
        choices: Vec::new(),
        card: None,
    });
    let asks = || Says::Question(question.clone().expect("one"));
    for (message, last, says, open) in [
        ("g1", false, asks(), &None),
        ("g2", true, asks(), &question),
        ("g3", true, Says::Notice, &question),
        ("g4", true, Says::Words, &None),
    ] {
        begin(&mut state, message, 0, last, says);
        state.posted(id("1"), AT);
        assert_eq!(&state.question, open, "{message}");
    }
}

#[test]
fn cards_are_kept_for_a_while_and_not_too_many_of_them() {
    let mut state = state();
    for number in 0..=MOST_CARDS {
        let message: GenesysMessageId = id(&format!("g{number}"));
        let question = Question {
            message: message.clone(),
            asked: AT,
            choices: Vec::new(),
            card: (number > 0).then(|| "{}".to_owned()),
        };
        let at = AT + time::Duration::seconds(number as i64);
        let fingerprint = Digest::of("post", "a");
        state.begin(&message, 0, true, at, fingerprint, Says::Question(question));
        state.posted(id(&number.to_string()), at);
    }
    let kept = |state: &OutboundState| {
        let posts = state.posts.values();
        posts.filter(|post| post.question.is_some()).count()
    };
    // One without a card is no more than the open question.
    state.forget_before(AT);
    assert_eq!(kept(&state), MOST_CARDS);
    let message: GenesysMessageId = id("one-more");
    let question = state.question.clone().expect("an open question");
    let (at, fingerprint) = (AT + time::Duration::HOUR, Digest::of("post", "a"));
    state.begin(&message, 0, true, at, fingerprint, Says::Question(question));
    state.posted(id("1000"), at);
    state.forget_before(at);
    assert_eq!(kept(&state), MOST_CARDS);
    assert!(state.posts[&message].question.is_some());
    assert_eq!(state.card_of(&message), state.posts[&message].teams.last());
    assert!(
        state.posts[&id::<GenesysMessageId>("g1")]
            .question
            .is_none()
    );
}

#[test]
fn the_last_speaker_is_that_of_the_latest_whole_message() {
    let mut state = state();
    assert_eq!(state.last_speaker(), None);
    for (number, speaker, last, shown) in [
        (0, Some("Ada"), true, Some("Ada")),
        (1, None, true, None),
        (2, Some("Ada"), true, None),
        (3, Some("Bob"), false, Some("Bob")),
        (4, Some("Ada"), true, None),
    ] {
        let at = AT + time::Duration::seconds(number);
        let message: GenesysMessageId = id(&format!("g{number}"));
        state.spoken_by(&message, speaker, at);
        assert_eq!(state.name_before(&message), shown, "{number}");
        let fingerprint = Digest::of("post", "a");
        state.begin(&message, 0, last, at, fingerprint, Says::Words);
        state.posted(id(&number.to_string()), at);
        // What is begun keeps its name, whoever can be asked in the next attempt.
        state.spoken_by(&message, None, at);
        let kept = if last { None } else { shown };
        assert_eq!(state.name_before(&message), kept, "{number}");
    }
    assert_eq!(state.last_speaker(), Some(&speaker::digest("Ada")));
}

#[test]
fn lost_answers_are_counted_until_one_comes() {
    let mut state = state();
    for times in 0..3 {
        begin(&mut state, "b71f", 0, true, Says::Words);
        assert_eq!(state.lost(), times);
        state.lose_pending(AT);
        assert!(state.pending.is_none());
    }
    begin(&mut state, "b71f", 0, false, Says::Words);
    state.posted(id("1"), AT);
    begin(&mut state, "b71f", 1, true, Says::Words);
    assert_eq!(state.lost(), 0);
}

#[test]
fn a_cleared_post_may_be_posted_again() {
    let mut state = state();
    begin(&mut state, "b71f", 0, true, Says::Words);
    state.clear_pending();
    state.posted(id("1"), AT);
    assert_eq!(state.parts_posted(&id("b71f")), 0);
    // It may be in the chat all the same.
    let (text, other) = (Digest::of("post", "a"), Digest::of("post", "b"));
    assert!(state.wrote(&text) && !state.wrote(&other));
    state.forget_before(AT + KEPT + time::Duration::SECOND);
    assert!(!state.wrote(&text));
}
