//! Activities as they come, and messages as they go.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::activity::{Activity, MalformedActivity, What};
use super::cards::{Shown, answered, file, shown, with_end_button};
use super::outgoing;
use super::press::Press;
use crate::conversation::case::GroupPolicy;
use crate::genesys::webhook::{Piece, Webhook};
use crate::ids::{ChatId, Digest};
use crate::state::inbound::InboundState;
use crate::state::outbound::{OutboundState, Says};
use crate::state::question::{Answered, Question};
use crate::state::thread::ThreadState;
use crate::teams::convert::{self, SentFile};
use crate::teams::to_text::ReplyContext;

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

/// What Teams adds to each activity.
fn complete(mut activity: Value) -> Value {
    let common = json!({
        "timestamp": "2017-02-01T21:10:07.437Z", "channelId": "msteams", "locale": "de-DE",
        "serviceUrl": "https://smba.trafficmanager.net/amer/",
        "from": {"id": "29:1XJK", "name": "Anna Adler", "aadObjectId": "0F0E0D0C-0000-4000-8000-00000000000A"},
        "conversation": {"conversationType": "personal", "tenantId": "be9c1b6e-0000-4000-8000-c0ffee000002", "id": "a:17I0kl"},
        "recipient": {"id": "28:00000000-0000-0000-0000-000000000008", "name": "Support"},
        "channelData": {"tenant": {"id": "be9c1b6e-0000-4000-8000-c0ffee000002"}},
    });
    for (name, value) in common.as_object().expect("an object") {
        if activity.get(name).is_none() {
            activity[name] = value.clone();
        }
    }
    activity
}

fn read(activity: Value) -> Activity {
    let body = complete(activity).to_string();
    Activity::parse(body.as_bytes(), AT).expect("an activity")
}

fn activities() -> Map<String, Value> {
    let all = include_str!("../../fixtures/bot/activities.json");
    serde_json::from_str(all).expect("JSON")
}

/// The world after a question with eight choices was asked.
fn posts() -> OutboundState {
    let chat: ChatId = "a:17I0kl".parse().expect("an id");
    let mut posts = OutboundState::new(chat);
    let question = question(&structured(8));
    let id = "b71f".parse().expect("an id");
    posts.begin(
        &id,
        0,
        true,
        AT,
        Digest::of("post", "x"),
        Says::Question(question),
    );
    posts.posted("1485983400000".parse().expect("an id"), AT);
    posts
}

/// A question as a flow asks it, with so many choices.
fn structured(choices: usize) -> Webhook {
    let content: Vec<Value> = (0..choices)
        .map(|number| {
            json!({"contentType": "QuickReply", "quickReply": {
                "text": format!("Choice {number}"), "payload": format!("payload {number}"), "action": "Message"}})
        })
        .collect();
    webhook(json!({"text": "What is it about?", "content": content}))
}

fn webhook(fields: Value) -> Webhook {
    let mut raw = json!({"id": "b71f", "type": "Structured", "channel": {"to": {"id": "x"}, "time": "2026-01-02T03:04:05.000Z"}});
    for (name, value) in fields.as_object().expect("an object") {
        raw[name] = value.clone();
    }
    Webhook::parse(raw.to_string().as_bytes(), AT).expect("a webhook")
}

fn question(webhook: &Webhook) -> Question {
    let card = shown(webhook).into_iter().find_map(|shown| match shown {
        Shown::Card(card) => card.question,
        Shown::Piece(_) => None,
    });
    card.expect("a card that asks")
}

#[test]
fn every_kind_of_activity_is_understood() {
    let posts = posts();
    let mut seen = String::new();
    for (name, raw) in activities() {
        let activity = read(raw);
        seen += &format!(
            "{name}: {:?} {}\n",
            activity.what,
            activity.message.as_str()
        );
        if activity.what.change().is_none() {
            continue;
        }
        let message = activity.chat_message(Some(&posts));
        let told = convert::inbound(&message, ReplyContext::Quote, &|id| id == "1485983400000");
        for line in told.text.lines() {
            seen += &format!("    | {line}\n");
        }
        for sent in &told.files {
            let (what, address) = match sent {
                SentFile::Picture { source, .. } => ("picture", source),
                SentFile::Shared { address, .. } => ("file", address),
                SentFile::Snippet { source, .. } => ("snippet", source),
            };
            let fetched = activity.download_address(sent);
            seen += &format!("    {what} {address}");
            seen += &fetched.map_or("\n".to_owned(), |from| format!("\n      from {from}\n"));
        }
        let times = [Some(message.created), message.last_edited, message.deleted];
        let names = ["written", "edited", "deleted"].into_iter().zip(times);
        for (what, at) in names.filter_map(|(what, at)| Some((what, at?))) {
            seen += &format!("    {what} {at}\n");
        }
        for reaction in &message.reactions {
            seen += &format!("    reaction {}\n", reaction.kind);
        }
        for mention in &message.mentions {
            let user = mention.user.as_ref().map_or("nobody", |user| user.as_str());
            seen += &format!("    mentions {user} as {}\n", mention.text);
        }
    }
    insta::assert_snapshot!(seen);
}

/// The time is linear in the length of the words, whatever they hold; a square of it would be minutes here.
#[test]
fn words_full_of_marks_are_read_in_one_pass() {
    let many = 100_000;
    let mention = |number: usize| json!({"type": "mention", "text": format!("<at>{number}</at>"), "mentioned": {"id": "28:x"}});
    let mentions: Vec<Value> = (0..many / 10).map(mention).collect();
    let quote = json!({"type": "quotedReply", "quotedReply": {"messageId": "1", "preview": "?"}});
    let started = std::time::Instant::now();
    for (text, entities) in [
        ("<quoted />".repeat(many), json!([quote])),
        ("<quoted messageId=\"1\"/>".repeat(many), json!([quote])),
        ("<quoted <quoted".repeat(many), json!([quote])),
        ("<at>7</at>".repeat(many), json!(mentions)),
        ("<at>".repeat(many), json!(mentions)),
        ("<at><at a=".repeat(many) + "</at>", json!(mentions)),
    ] {
        let words = json!({"type": "message", "id": "1", "text": text, "entities": entities});
        drop(read(words).chat_message(None));
        let html = json!({"type": "message", "id": "1", "entities": entities, "attachments": [
            {"contentType": "image/*", "contentUrl": "https://x"}, {"contentType": "text/html", "content": text + "<img <img x"}]});
        drop(read(html).chat_message(None));
    }
    assert!(started.elapsed().as_secs() < 300, "quadratic");
}

#[test]
fn a_sender_is_known_by_the_object_id_and_the_tenant() {
    let activity = read(json!({"type": "message", "id": "1", "text": "x"}));
    let sender = activity.chat_message(None).from.expect("somebody");
    let user = sender.user.expect("a user");
    assert_eq!(user.as_str(), "0f0e0d0c-0000-4000-8000-00000000000a");
    assert_eq!(sender.user_type.as_deref(), Some("aadUser"));
    assert_eq!(sender.name.as_deref(), Some("Anna Adler"));
    assert_eq!(activity.tenant(), sender.tenant.as_ref());
    let elsewhere = json!({"type": "message", "id": "1", "text": "x", "conversation": {"id": "a:1"},
        "from": {"id": "29:1X"}});
    let activity = read(elsewhere);
    let sender = activity.chat_message(None).from.expect("somebody");
    assert_eq!(sender.user_type, None, "without an object id");
    assert!(activity.tenant().is_some(), "by the channel's data");
    assert_eq!(activity.sender.expect("somebody").as_str(), "29:1X");
    let shown = format!(
        "{:?}",
        read(json!({"type": "message", "id": "1", "text": "secret"}))
    );
    assert!(
        !shown.contains("secret") && !shown.contains("Anna"),
        "{shown}"
    );
}

#[test]
fn what_is_no_activity_of_teams_is_refused() {
    let without = |field: &str| {
        let mut activity = complete(json!({"type": "message"}));
        activity[field] = Value::Null;
        Activity::parse(activity.to_string().as_bytes(), AT)
    };
    for field in ["channelId", "conversation", "serviceUrl"] {
        let error = without(field).expect_err("nothing to go by");
        assert!(error.label().starts_with(field), "{field}");
    }
    let mut other = complete(json!({"type": "message"}));
    other["channelId"] = json!("webchat");
    let other = Activity::parse(other.to_string().as_bytes(), AT);
    assert!(matches!(other, Err(MalformedActivity::Field("channelId"))));
    for body in [&b"no JSON"[..], b"[]", b"\xff", b"null"] {
        assert!(Activity::parse(body, AT).is_err());
    }
}

#[test]
fn of_a_group_that_a_support_user_bridges_graph_tells_all() {
    let group = json!({"conversationType": "groupChat", "id": "19:253b@thread.v2"});
    let group = read(json!({"type": "message", "id": "1", "text": "x", "conversation": group}));
    let direct = read(json!({"type": "message", "id": "1", "text": "x"}));
    let bot = "bot".parse().expect("a name");
    let state = |account: &str, has_thread: bool| {
        let mut state = InboundState::new(group.chat.clone(), account.parse().expect("a name"));
        let last_message = AT;
        state.thread = has_thread.then_some(ThreadState {
            counter: 0,
            last_message,
        });
        state
    };
    let (all, mention) = (GroupPolicy::All, GroupPolicy::Mention);
    for (activity, account, has_thread, groups, comes) in [
        (&group, "support", true, all, true),
        (&group, "support", true, mention, false),
        (&group, "support", false, all, false),
        (&group, "bot", true, all, false),
        (&direct, "support", true, all, false),
    ] {
        let state = state(account, has_thread);
        assert_eq!(activity.comes_by_graph(&state, groups, &bot), comes);
    }
}

#[test]
fn a_group_that_nobody_serves_is_not_greeted() {
    let group = json!({"conversationType": "groupChat", "id": "19:253b@thread.v2"});
    let group = read(json!({"type": "installationUpdate", "action": "add", "conversation": group}));
    let direct = read(json!({"type": "installationUpdate", "action": "add"}));
    for (groups, greeted) in [
        (GroupPolicy::Off, false),
        (GroupPolicy::Mention, true),
        (GroupPolicy::All, true),
    ] {
        assert_eq!(group.is_greeted(groups), greeted);
        assert!(direct.is_greeted(groups));
    }
}

#[test]
fn a_press_is_late_where_its_question_has_its_answer() {
    let chat: ChatId = "a:17I0kl".parse().expect("an id");
    let mut state = InboundState::new(chat, "bot".parse().expect("a name"));
    let press = |question: &str| {
        let value = json!({"bridge": {"question": question, "choice": 0, "text": "x"}});
        Press::read(&value).expect("a press")
    };
    for question in ["b71f", "c82a"] {
        assert!(!press(question).is_late(&state));
        let question = question.parse().expect("an id");
        state.answer(Answered::by(&"1".parse().expect("an id"), &question));
    }
    assert!(press("b71f").is_late(&state) && press("c82a").is_late(&state));
    assert!(!press("d93b").is_late(&state) && !Press::End.is_late(&state));
}

#[test]
fn a_message_without_an_id_has_one_of_its_own() {
    let id = |text: &str| read(json!({"type": "message", "text": text})).message;
    assert_eq!(id("x"), id("x"));
    assert_ne!(id("x"), id("y"));
}

#[test]
fn a_press_means_what_was_asked_and_nothing_else() {
    let posts = posts();
    let press = |value: Value| Press::read(&value);
    let meant = |value: Value| {
        let press = press(value)?;
        press
            .meant(&posts)
            .map(|(_, choice)| choice.payload.clone())
    };
    let of = |question: &str, choice: i64| json!({"bridge": {"question": question, "choice": choice, "text": "x"}});
    assert_eq!(meant(of("b71f", 3)).as_deref(), Some("payload 3"));
    for value in [
        of("b71f", 8),
        of("b71f", -1),
        of("other", 0),
        json!({"bridge": {}}),
        json!({"bridge": "x"}),
    ] {
        assert_eq!(meant(value.clone()), None, "{value}");
    }
    assert_eq!(
        press(of("b71f", 99)).expect("a press").words(Some(&posts)),
        "x"
    );
    assert!(press(json!({"other": 1})).is_none() && press(json!(null)).is_none());
    let listed = json!({"bridge": {"question": "b71f"}, "bridgeChoice8": "2|Choice 2"});
    assert_eq!(meant(listed).as_deref(), Some("payload 2"));
    // Of a question that is forgotten the words are left.
    let forgotten = json!({"bridge": {"question": "other"}, "bridgeChoice8": "2|My invoice|x"});
    let forgotten = press(forgotten).expect("a press");
    assert_eq!(forgotten.words(Some(&posts)), "My invoice|x");
    // A list in which nothing is chosen.
    let nothing = json!({"bridge": {"question": "b71f"}, "bridgeChoice8": ""});
    assert_eq!(meant(nothing), None);
    assert!(press(json!({"bridge": {"end": true}})) == Some(Press::End));
}

#[test]
fn messages_as_the_connector_gets_them() {
    let card = json!({"contentType": "Card", "card": {"title": "Router X", "description": "It's *new*", "image": "https://example.com/x.png",
        "actions": [{"type": "Link", "text": "More", "url": "https://example.com/x"}, {"type": "Postback", "text": "Buy", "payload": "buy x"}]}});
    let carousel =
        json!({"contentType": "Carousel", "carousel": {"cards": [card["card"], card["card"]]}});
    let button = json!({"contentType": "ButtonResponse", "buttonResponse": {"type": "Button", "text": "Yes", "payload": "y"}});
    let date = json!({"contentType": "DatePicker", "datePicker": {"title": "When?", "subtitle": "Choose",
        "availableTimes": [{"dateTime": "2026-05-29T12:00Z", "duration": 1800}]}});
    let list = json!({"contentType": "ListPicker", "listPicker": {"sections": [{"title": "Fruit", "items": [
        {"id": "a", "title": "Apple", "subtitle": "red"}, {"id": "b", "title": "Pear"}]}]}});
    let file = json!({"contentType": "Attachment", "attachment": {"mediaType": "Image", "url": "https://example.com/f.png"}});
    let messages = [
        ("quick replies", structured(2)),
        ("many quick replies", structured(8)),
        ("a card", webhook(json!({"content": [card]}))),
        (
            "a carousel",
            webhook(json!({"text": "Our offers", "content": [carousel]})),
        ),
        (
            "a button",
            webhook(json!({"text": "Sure?", "content": [button]})),
        ),
        ("a date picker", webhook(json!({"content": [date]}))),
        ("a list picker", webhook(json!({"content": [list]}))),
        (
            "words with a file",
            webhook(json!({"text": "see", "content": [file]})),
        ),
        ("words", webhook(json!({"text": "only *words*"}))),
    ];
    let mut seen = Map::new();
    for (name, message) in &messages {
        let parts = shown(message).into_iter().map(|part| match part {
            Shown::Piece(Piece::Text(text)) => outgoing::words(&text),
            Shown::Piece(Piece::File(_)) => json!("a file"),
            Shown::Card(card) => {
                let left = card
                    .question
                    .and_then(|question| answered(&question, "the answer"));
                json!({"activity": outgoing::card(&card.card, &card.summary), "answered": left})
            }
        });
        seen.insert((*name).to_owned(), parts.collect());
    }
    seen.insert(
        "a file".to_owned(),
        outgoing::card(&file_card(), "plan.pdf"),
    );
    let greeting = with_end_button("Hello!\nWrite here.", "End conversation");
    seen.insert("a greeting".to_owned(), greeting);
    seen.insert(
        "a picture".to_owned(),
        outgoing::picture("image/png", b"bytes", "a.png"),
    );
    seen.insert("typing".to_owned(), outgoing::typing());
    insta::assert_json_snapshot!(seen);
}

fn file_card() -> Value {
    file(
        "plan.pdf",
        "2 MB, until 3 Jan 2026",
        "https://example.com/plan.pdf?sig=x",
    )
}

#[test]
fn a_card_that_is_too_large_goes_as_text() {
    let content: Vec<Value> = (0..300)
        .map(|number| json!({"contentType": "QuickReply", "quickReply": {"text": format!("{number}{}", "x".repeat(400)), "payload": "p"}}))
        .collect();
    let message = webhook(json!({"text": "?", "content": content}));
    assert!(matches!(
        &shown(&message)[..],
        [Shown::Piece(Piece::Text(_))]
    ));
}

#[test]
fn only_small_pictures_of_known_kinds_are_shown() {
    // The first bytes of a GIF tell its sides.
    let gif = |width: u16, height: u16| {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend_from_slice(&width.to_le_bytes());
        bytes.extend_from_slice(&height.to_le_bytes());
        bytes.extend_from_slice(&[0; 16]);
        bytes
    };
    assert!(outgoing::is_shown("image/gif", &gif(1024, 1)));
    assert!(!outgoing::is_shown("image/gif", &gif(1025, 1)));
    assert!(!outgoing::is_shown("image/webp", &gif(10, 10)));
    assert!(!outgoing::is_shown("image/png", b"no picture"));
    let mut large = gif(10, 10);
    large.resize(outgoing::PICTURE_LIMIT + 1, 0);
    assert!(!outgoing::is_shown("image/gif", &large));
}

#[test]
fn what_is_told_of_a_message_is_its_change() {
    let changes: Vec<&str> = [What::Written, What::Edited, What::Deleted, What::Reacted]
        .into_iter()
        .filter_map(|what| Some(what.change()?.as_str()))
        .collect();
    assert_eq!(changes, ["created", "updated", "deleted", "updated"]);
    assert!(What::Typing.change().is_none() && What::Installed.change().is_none());
}

/// All texts in a card, one after the other.
fn texts_of(value: &Value, texts: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("text" | "title", Value::String(text)) => *texts += text,
                    // What a button sends is not shown.
                    ("data", _) => {}
                    (_, value) => texts_of(value, texts),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, texts)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn plain_words_reach_the_agent_as_they_are(text in "[^<]{0,200}") {
        let activity = read(json!({"type": "message", "id": "1", "text": text}));
        let message = activity.chat_message(None);
        let told = convert::inbound(&message, ReplyContext::Quote, &|_| true);
        prop_assert_eq!(told.text, text.trim());
    }

    #[test]
    fn no_activity_makes_the_reader_panic(text in "\\PC{0,60}", html in "(<[a-z]{1,10}|>|\"|<img |<blockquote|\\PC){0,30}", name in "\\PC{0,20}") {
        let activity = complete(json!({"type": "message", "id": "1", "text": format!("{text}<quoted {name}"),
            "attachments": [{"contentType": "text/html", "content": html}, {"contentType": "image/png", "contentUrl": name}, {"contentType": name}],
            "entities": [{"type": "mention", "text": text}, {"type": "quotedReply", "quotedReply": {"messageId": name}}], "value": {"bridge": name}}));
        if let Ok(activity) = Activity::parse(activity.to_string().as_bytes(), AT) {
            let message = activity.chat_message(None);
            let told = convert::inbound(&message, ReplyContext::Quote, &|_| false);
            prop_assert!(told.text.len() <= 64 * (text.len() + html.len() + name.len()) + 4_096);
        }
    }

    #[test]
    fn no_words_of_a_question_are_lost_in_its_card(text in "[a-z ]{1,50}", choices in proptest::collection::vec("[a-z]{1,20}|[a-z]{70,120}", 1..12)) {
        let content: Vec<Value> = choices.iter()
            .map(|choice| json!({"contentType": "QuickReply", "quickReply": {"text": choice, "payload": choice, "action": "Message"}}))
            .collect();
        let message = webhook(json!({"text": text, "content": content}));
        let [Shown::Card(card)] = &shown(&message)[..] else {
            return Err(TestCaseError::fail("a card"));
        };
        let mut texts = String::new();
        texts_of(&card.card, &mut texts);
        prop_assert!(texts.contains(text.as_str()) || text.trim().is_empty());
        for (place, choice) in choices.iter().enumerate() {
            prop_assert!(texts.contains(choice.as_str()), "{} {}", place, choice);
            // Either form of the card sends what means this choice.
            let pressed = json!({"bridge": {"question": "b71f", "choice": place, "text": ""}});
            let mut posts = posts();
            posts.posts.values_mut().for_each(|post| post.question = card.question.clone());
            let press = Press::read(&pressed).expect("a press");
            let meant = press.meant(&posts).map(|(_, choice)| choice.payload.as_str());
            prop_assert_eq!(meant, Some(choice.as_str()));
        }
    }
}
