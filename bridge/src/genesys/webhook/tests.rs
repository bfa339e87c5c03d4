use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{Kind, Part, Piece, Webhook, pieces, question};
use crate::state::question::ChoiceKind;

const RECEIVED: OffsetDateTime = datetime!(2026-01-02 03:04:06 UTC);
const TEXT: &[u8] = include_bytes!("../../../fixtures/webhook_text.json");

fn parsed(json: &[u8]) -> Webhook {
    Webhook::parse(json, RECEIVED).expect("readable")
}

/// A structured message with this text and content.
fn structured(text: Option<&str>, content: &Value) -> Webhook {
    let webhook = json!({ "id": "1", "type": "Structured", "text": text, "content": content });
    parsed(webhook.to_string().as_bytes())
}

/// The words that the customer reads, and the names of files in their places.
fn shown(webhook: &Webhook) -> String {
    let shown = pieces(webhook).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::File(file) => {
            let name = file.filename.as_deref().unwrap_or("-");
            format!("<{} {name}>", file.media_type)
        }
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// The kind, words and payload of a choice.
type Answer<'a> = (ChoiceKind, &'a str, &'a str);

/// Asserts that the customer reads these lines, and can answer so.
#[track_caller]
fn assert_shows(webhook: &Webhook, lines: &[&str], answers: &[Answer<'_>]) {
    assert_eq!(shown(webhook), lines.join("\n"));
    let question = question(webhook);
    assert_eq!(question.is_none(), answers.is_empty());
    let choices = question.iter().flat_map(|question| &question.choices);
    let found: Vec<Answer<'_>> = choices
        .map(|choice| (choice.kind, choice.text.as_str(), choice.payload.as_str()))
        .collect();
    assert_eq!(found, answers);
}

#[test]
fn documented_calls_are_read() {
    let text = parsed(TEXT);
    assert_eq!(text.kind, Kind::Message);
    assert_eq!(
        text.to,
        "teams:support:0f0e0d0c-0000-4000-8000-00000000000a"
    );
    assert_shows(&text, &["It is on its way"], &[]);

    let files = parsed(include_bytes!("../../../fixtures/webhook_attachment.json"));
    assert_shows(
        &files,
        &["Your label", "<File label.pdf>", "<Image ->"],
        &[],
    );
    let sizes = files.content.iter().map(|part| match part {
        Part::File(file) => file.size,
        Part::Words(_) | Part::Choice(_) => None,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [Some(1234), None]);

    let replies = parsed(include_bytes!("../../../fixtures/webhook_quick_reply.json"));
    let lines = ["What is it about?", "1. My order", "2. My invoice"];
    let reply = ChoiceKind::QuickReply;
    let answers = [
        (reply, "My order", "order"),
        (reply, "My invoice", "invoice"),
    ];
    assert_shows(&replies, &lines, &answers);
    let asked = question(&replies).expect("a question");
    assert_eq!((asked.message, asked.asked), (replies.id, replies.time));

    let card = parsed(include_bytes!("../../../fixtures/webhook_card.json"));
    let lines = [
        "Premium plan",
        "All included",
        "https://example.com/plan.png",
        "Tell me more: https://example.com/plan",
        "1. Order",
    ];
    assert_shows(&card, &lines, &[(ChoiceKind::Button, "Order", "order")]);

    let typing = parsed(include_bytes!("../../../fixtures/webhook_typing.json"));
    assert_eq!(typing.kind, Kind::Typing);
    let receipt = parsed(include_bytes!("../../../fixtures/webhook_receipt.json"));
    assert_eq!(receipt.kind, Kind::Receipt);
    assert_shows(&receipt, &[], &[]);
}

#[test]
fn files_and_choices_keep_their_order() {
    let content = json!([
        { "contentType": "ButtonResponse", "buttonResponse": { "text": "A", "payload": "a" } },
        { "contentType": "Attachment", "attachment": { "mediaType": "Image", "url": "https://x.example/1", "filename": "1.png" } },
        { "contentType": "Attachment", "attachment": { "mediaType": "File", "filename": "lost.pdf" } },
        { "contentType": "ButtonResponse", "buttonResponse": { "text": "B" } },
    ]);
    let answers = [
        (ChoiceKind::Button, "A", "a"),
        (ChoiceKind::Button, "B", "B"),
    ];
    let lines = ["First", "1. A", "<Image 1.png>", "lost.pdf", "2. B"];
    assert_shows(&structured(Some("First"), &content), &lines, &answers);
}

#[test]
fn a_carousel_shows_its_cards_in_order() {
    let content = json!([{ "contentType": "Carousel", "carousel": { "cards": [
        { "title": "One", "actions": [{ "type": "Postback", "text": "Take one", "payload": "1" }] },
        { "title": "Two", "actions": [{ "type": "Postback", "text": "Take two", "payload": "2" }] },
    ] } }]);
    let lines = ["One", "1. Take one", "Two", "2. Take two"];
    let button = ChoiceKind::Button;
    let answers = [(button, "Take one", "1"), (button, "Take two", "2")];
    assert_shows(&structured(None, &content), &lines, &answers);
}

#[test]
fn pickers_show_what_can_be_picked_after_what_asks_for_it() {
    let dates = json!([{ "contentType": "DatePicker", "datePicker": {
        "title": "When?", "subtitle": "Pick one",
        "availableTimes": [{ "duration": 900, "dateTime": "2026-01-02T10:00:00Z" }],
    } }]);
    let time = "2026-01-02T10:00:00Z";
    let lines = ["When?", "Pick one", "1. 2026-01-02T10:00:00Z"];
    let answer = (ChoiceKind::DatePicker, time, time);
    assert_shows(&structured(None, &dates), &lines, &[answer]);
    let list = json!([{ "contentType": "ListPicker", "listPicker": {
        "replyMessage": { "title": "Thank you" },
        "receivedMessage": { "title": "Which one?", "imageUrl": "https://example.com/all.png" },
        "sections": [{ "title": "Plans", "items": [
            { "id": "p1", "title": "Basic", "subtitle": "for one" },
            { "id": "p2", "title": "Premium" },
        ] }],
    } }]);
    let lines = [
        "Which one?",
        "https://example.com/all.png",
        "Plans",
        "1. Basic",
        "for one",
        "2. Premium",
        "Thank you",
    ];
    let item = ChoiceKind::ListItem;
    let answers = [(item, "Basic", "p1"), (item, "Premium", "p2")];
    assert_shows(&structured(None, &list), &lines, &answers);
    let replies = json!([{ "contentType": "QuickReplyV2", "quickReplyV2": {
        "title": "More?", "actions": [{ "text": "Yes", "payload": "y" }],
    } }]);
    let answer = (ChoiceKind::QuickReply, "Yes", "y");
    assert_shows(&structured(None, &replies), &["More?", "1. Yes"], &[answer]);
}

#[test]
fn a_template_s_header_comes_before_its_body_and_its_file_is_one() {
    let template = json!([{ "contentType": "Notification", "template": {
        "id": "t", "language": "en",
        "header": { "type": "Media", "text": "Your order", "media": {
            "url": "https://example.com/1", "filename": "order.pdf", "mime": "application/pdf" } },
        "body": { "text": "It is on its way" }, "footer": { "text": "The team" },
    } }]);
    let webhook = structured(Some("It is on its way"), &template);
    let lines = [
        "<File order.pdf>",
        "Your order",
        "It is on its way",
        "The team",
    ];
    assert_shows(&webhook, &lines, &[]);
}

#[test]
fn unknown_content_shows_what_words_it_has() {
    let words = json!([
        { "contentType": "Form", "form": { "introduction": { "title": "Hello", "subtitle": "A minute" } } },
        { "contentType": "Notification", "notification": {
            "header": { "text": "Head" }, "body": { "text": "Middle" }, "footer": { "text": "Foot" } } },
        { "contentType": "Hologram", "hologram": { "shape": 7 } },
        "text",
        null,
    ]);
    let lines = ["Hello", "A minute", "Head", "Middle", "Foot"];
    assert_shows(&structured(None, &words), &lines, &[]);
    let script = json!([{ "contentType": "Card", "card": {
        "actions": [{ "type": "Link", "text": "Go", "url": "javascript:alert(1)" }],
    } }]);
    let answer = (ChoiceKind::Button, "Go", "Go");
    assert_shows(&structured(None, &script), &["1. Go"], &[answer]);
}

#[test]
fn errors_repeat_nothing_of_the_message() {
    let error = Webhook::parse(br#"["my secret words"]"#, RECEIVED).expect_err("no object");
    let source = std::error::Error::source(&error).expect("a source");
    assert!(!format!("{error} {error:?} {source}").contains("secret"));
}

/// The kind of a call of this type with these further fields.
fn kind(kind: &str, further: &str) -> Kind {
    let json = format!(r#"{{"id":"1","type":{kind}{further}}}"#);
    parsed(json.as_bytes()).kind
}

#[test]
fn whatever_carries_words_or_content_is_a_message() {
    for name in ["\"Unknown\"", "\"Hologram\"", "\"Event\"", "null", "7"] {
        assert_eq!(kind(name, r#","text":"hello""#), Kind::Message, "{name}");
        assert_eq!(kind(name, r#","content":[{}]"#), Kind::Message, "{name}");
        assert_eq!(kind(name, r#","text":"","content":[]"#), Kind::Other);
    }
    // The agent must hear that it was empty.
    for name in ["\"Text\"", "\"Structured\"", "\"Message\""] {
        assert_eq!(kind(name, ""), Kind::Message, "{name}");
    }
}

#[test]
fn no_field_is_required() {
    let empty = parsed(b"{}");
    assert_eq!((empty.to.as_str(), empty.time), ("", RECEIVED));
    assert_eq!(parsed(b"{}").id, empty.id, "the same at each repetition");
    assert_ne!(parsed(br#"{"text":"x"}"#).id, empty.id);
    let other_types = br#"{"id":7,"channel":{"messageId":"m1","to":5,"time":"yesterday"},"text":["x"],"content":"x"}"#;
    let other_types = parsed(other_types);
    assert_eq!(
        (other_types.id.as_str(), other_types.time),
        ("m1", RECEIVED)
    );
    assert_eq!(other_types.kind, Kind::Other);
    let no_id = || parsed(br#"{"id":"a b","channel":[]}"#).id;
    assert_eq!(no_id(), no_id());
}

#[test]
fn a_call_that_may_be_a_replayed_one_is_late() {
    let written = parsed(TEXT);
    assert!(!written.is_late(written.time + time::Duration::hours(6)));
    assert!(written.is_late(written.time + time::Duration::hours(6) + time::Duration::SECOND));
}

#[test]
fn what_is_no_object_is_an_error() {
    for body in [&b""[..], b"{", b"[]", b"\"text\"", b"{\"id\":\"\xff\"}"] {
        assert!(Webhook::parse(body, RECEIVED).is_err());
    }
}
