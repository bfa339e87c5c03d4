//! Answers to a question with choices, by examples.

use super::rules::{at, edited, file, question, quoting};
use super::*;
use crate::teams::message::Importance;

#[test]
fn a_number_answers_an_open_question_once() {
    let mut world = World::begun();
    world.agent_posts("p1", "Sure?", question());
    world.tells(&file(message("2", "1", at(1)), "https://a.example/b"));
    for (name, text, written) in [("3", "1", at(-1)), ("4", "2", at(1)), ("5", "1", at(1))] {
        world.tells(&message(name, text, written));
    }
    let told = ["1", "<Shared>", "1", "<choice No>", "1"];
    assert_eq!(world.texts(), told);
    let mut world = World::group();
    world.agent_posts("p1", "Sure?", question());
    let answer = mentioning(message("2", "Support 1", START), user('5'));
    world.tells(&answer);
    assert_eq!(world.texts(), ["<choice Yes>"]);
}

/// The message with a mention of the Support User by this name.
fn with_name(mut message: ChatMessage, name: &str) -> ChatMessage {
    message.mentions.push(Mention {
        text: name.to_owned(),
        user: Some(user('5')),
    });
    message
}

/// The world after the question of [`question`] was asked by the post `p1`.
fn asked(mut world: World) -> World {
    let posts = &mut world.outbound;
    let (asked, fingerprint) = (
        "question".parse().expect("an id"),
        fingerprint_html("Sure?"),
    );
    posts.begin(&asked, 0, true, START, fingerprint, question());
    posts.posted(id("p1"), START);
    world
}

#[test]
fn an_answer_counts_whatever_stands_around_it() {
    let with = |html: &str| message("2", html, at(1));
    let urgent = ChatMessage {
        importance: Importance::Urgent,
        ..with("2")
    };
    let older = r#"<blockquote itemtype="http://schema.skype.com/Reply" itemid="p1"><strong itemprop="mri">Support</strong><p itemprop="preview">Sure?</p></blockquote><p>no.</p>"#;
    for answer in [
        quoting(with("2"), "p1"),
        quoting(with("No"), "p1"),
        with(older),
        urgent,
    ] {
        let mut world = asked(World::begun());
        world.tells(&answer);
        assert_eq!(world.texts(), ["<choice No>"]);
    }
    // What answers something else is left to whoever sees both.
    let mut world = asked(World::begun());
    world.tells(&quoting(with("2"), "1"));
    assert_eq!(world.texts(), ["> Support: half price\n2"]);
    assert_eq!(world.inbound.answered, None);
}

#[test]
fn in_a_group_an_answer_stands_beside_what_makes_it_ours() {
    let whole: &[&str] = &["Support User"];
    let split: &[&str] = &["Support", "User"];
    for (html, names, expected) in [
        ("<at>Support User</at> 2", whole, "<choice No>"),
        (
            "<at>Support</at>&nbsp;<at>User</at>&nbsp;2",
            split,
            "<choice No>",
        ),
        ("2 <at>Support User</at>", whole, "<choice No>"),
        ("2, <at>Support</at> <at>User</at>", split, "<choice No>"),
        ("<at>Support User</at>, 2", whole, "<choice No>"),
        ("<at>Support User</at>: no", whole, "<choice No>"),
        ("<p><at>Support User</at></p><p>2</p>", whole, "<choice No>"),
        ("<at>Support</at> no <at>User</at>", split, "<choice No>"),
        // A choice can have the name of who is asked.
        ("No <at>No</at>", &["No"], "<choice No>"),
        ("Yes <at>Y</at>", &["Y"], "<choice Yes>"),
        ("<at>Support User</at>", whole, "Anna: Support User"),
        (
            "<at>Support User</at> ask 2",
            whole,
            "Anna: Support User ask 2",
        ),
    ] {
        let answer = names
            .iter()
            .fold(message("2", html, START), |answer, name| {
                with_name(answer, name)
            });
        let mut world = asked(World::group());
        world.tells(&answer);
        assert_eq!(world.texts(), [expected], "{html}");
    }
    let quoted = quoting(message("2", "<at>Support</at> 2", START), "p1");
    let mut world = asked(World::group());
    world.tells(&with_name(quoted, "Support"));
    assert_eq!(world.texts(), ["<choice No>"]);
}

#[test]
fn the_edit_of_an_answer_says_which_words_its_number_means() {
    let mut world = asked(World::begun());
    let answer = message("2", "2", at(1));
    world.tells(&answer);
    world.agent_posts("p2", "And?", Says::Words);
    for (hours, html) in [(2, "1"), (3, "2."), (4, "neither")] {
        world.tells_of_change(&edited(answer.clone(), html, at(hours)));
    }
    let told = [
        "<choice No>",
        "[edited] Yes",
        "[edited] No",
        "[edited] neither",
    ];
    assert_eq!(world.texts(), told);
    // What is no answer means what it says.
    let number = message("3", "7", at(5));
    world.tells(&number);
    world.tells_of_change(&edited(number, "1", at(6)));
    assert_eq!(world.texts().last(), Some(&"[edited] 1"));
}
