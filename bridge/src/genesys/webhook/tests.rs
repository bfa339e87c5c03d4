use time::OffsetDateTime;
use time::macros::datetime;

use super::{ContentItem, Kind, Piece, Webhook, pieces, question};
use crate::state::question::ChoiceKind;

const RECEIVED: OffsetDateTime = datetime!(2026-01-02 03:04:06 UTC);

/// The words that the customer reads, and the names of files in their places.
fn text_for_customer(webhook: &Webhook) -> Option<String> {
    let shown: Vec<String> = pieces(webhook)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::File(file) => format!(
                "<{} {}>",
                file.media_type,
                file.filename.as_deref().unwrap_or("-")
            ),
        })
        .collect();
    (!shown.is_empty()).then(|| shown.join("\n"))
}

fn parsed(json: &[u8]) -> Webhook {
    Webhook::parse(json, RECEIVED).expect("readable")
}

#[test]
fn text() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_text.json"));
    assert_eq!(webhook.kind, Kind::Message);
    assert_eq!(
        webhook.to,
        "teams:support:0f0e0d0c-0000-4000-8000-00000000000a"
    );
    assert_eq!(webhook.human, Some(true));
    assert_eq!(
        text_for_customer(&webhook).as_deref(),
        Some("It is on its way")
    );
}

#[test]
fn files_follow_the_text() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_attachment.json"));
    assert_eq!(webhook.content.len(), 2);
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(shown, "Your label\n<File label.pdf>\n<Image ->");
    assert_eq!(question(&webhook), None);
}

#[test]
fn quick_replies_are_numbered() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_quick_reply.json"));
    assert_eq!(webhook.kind, Kind::Message);
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(shown, "What is it about?\n1. My order\n2. My invoice");
    let question = question(&webhook).expect("a question");
    assert_eq!(
        (&question.message, question.asked),
        (&webhook.id, webhook.time)
    );
    let choices: Vec<_> = question
        .choices
        .iter()
        .map(|choice| (choice.kind, choice.text.as_str(), choice.payload.as_str()))
        .collect();
    assert_eq!(
        choices,
        [
            (ChoiceKind::QuickReply, "My order", "order"),
            (ChoiceKind::QuickReply, "My invoice", "invoice")
        ]
    );
}

#[test]
fn files_and_choices_keep_their_order() {
    let webhook = serde_json::json!({
        "id": "1",
        "type": "Structured",
        "text": "First",
        "channel": { "to": { "id": "x" }, "time": "2026-01-01T00:00:00Z" },
        "content": [
            { "contentType": "ButtonResponse", "buttonResponse": { "text": "A", "payload": "a" } },
            { "contentType": "Attachment", "attachment": { "mediaType": "Image", "url": "https://x.example/1", "filename": "1.png" } },
            { "contentType": "Attachment", "attachment": { "mediaType": "File", "filename": "lost.pdf" } },
            { "contentType": "ButtonResponse", "buttonResponse": { "text": "B" } },
        ],
    });
    let webhook = parsed(webhook.to_string().as_bytes());
    assert_eq!(
        text_for_customer(&webhook).as_deref(),
        Some("First\n1. A\n<Image 1.png>\nlost.pdf\n2. B")
    );
    let question = question(&webhook).expect("a question");
    assert_eq!(question.choices[1].payload, "B");
    assert_eq!(question.choices[1].kind, ChoiceKind::Button);
    assert!(matches!(webhook.content[1], ContentItem::File(_)));
}

#[test]
fn a_card_shows_its_words_links_and_choices() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_card.json"));
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(
        shown,
        "Premium plan\nAll included\nhttps://example.com/plan.png\nTell me more: https://example.com/plan\n1. Order"
    );
}

/// A structured message with this text and content.
fn with_content(text: Option<&str>, item: serde_json::Value) -> Webhook {
    let webhook =
        serde_json::json!({ "id": "1", "type": "Structured", "text": text, "content": [item] });
    parsed(webhook.to_string().as_bytes())
}

/// What the customer reads of one structured content item.
fn shown(item: serde_json::Value) -> Option<String> {
    text_for_customer(&with_content(None, item))
}

#[test]
fn a_carousel_shows_its_cards_in_order() {
    let item = serde_json::json!({ "contentType": "Carousel", "carousel": { "cards": [
        { "title": "One", "actions": [{ "type": "Postback", "text": "Take one", "payload": "1" }] },
        { "title": "Two", "actions": [{ "type": "Postback", "text": "Take two", "payload": "2" }] },
    ] } });
    assert_eq!(
        shown(item).as_deref(),
        Some("One\n1. Take one\nTwo\n2. Take two")
    );
}

#[test]
fn a_date_picker_shows_its_times() {
    let item = serde_json::json!({ "contentType": "DatePicker", "datePicker": {
        "title": "When?", "subtitle": "Pick one",
        "availableTimes": [
            { "duration": 900, "dateTime": "2026-01-02T10:00:00Z" },
            { "duration": 900, "dateTime": "2026-01-02T11:00:00Z" },
        ],
    } });
    assert_eq!(
        shown(item).as_deref(),
        Some("When?\nPick one\n1. 2026-01-02T10:00:00Z\n2. 2026-01-02T11:00:00Z")
    );
}

#[test]
fn a_list_picker_s_items_are_choices_after_what_asks_for_them() {
    let item = serde_json::json!({ "contentType": "ListPicker", "listPicker": {
        "replyMessage": { "title": "Thank you" },
        "receivedMessage": { "title": "Which one?", "imageUrl": "https://example.com/all.png" },
        "sections": [{ "title": "Plans", "items": [
            { "id": "p1", "title": "Basic", "subtitle": "for one" },
            { "id": "p2", "title": "Premium" },
        ] }],
    } });
    let lines =
        "Which one?\nhttps://example.com/all.png\nPlans\n1. Basic\nfor one\n2. Premium\nThank you";
    assert_eq!(shown(item.clone()).as_deref(), Some(lines));
    let choices = question(&with_content(None, item))
        .expect("a question")
        .choices;
    assert_eq!(
        (choices[1].kind, choices[1].payload.as_str()),
        (ChoiceKind::ListItem, "p2")
    );
}

#[test]
fn a_form_shows_its_introduction() {
    let item = serde_json::json!({ "contentType": "Form", "form": {
        "introduction": { "title": "A few questions", "subtitle": "It takes a minute" },
    } });
    assert_eq!(
        shown(item).as_deref(),
        Some("A few questions\nIt takes a minute")
    );
}

#[test]
fn quick_replies_of_the_second_version_are_answered_as_such() {
    let item = serde_json::json!({ "contentType": "QuickReplyV2", "quickReplyV2": {
        "title": "More?", "actions": [{ "text": "Yes", "payload": "y" }],
    } });
    let question = question(&with_content(None, item)).expect("a question");
    assert_eq!(question.choices[0].kind, ChoiceKind::QuickReply);
}

#[test]
fn a_template_s_header_comes_before_its_body_and_its_file_is_one() {
    let item = serde_json::json!({ "contentType": "Notification", "template": {
        "id": "t", "language": "en",
        "header": { "type": "Media", "text": "Your order", "media": {
            "url": "https://example.com/1", "filename": "order.pdf", "mime": "application/pdf" } },
        "body": { "text": "It is on its way" }, "footer": { "text": "The team" },
    } });
    let webhook = with_content(Some("It is on its way"), item);
    assert_eq!(
        text_for_customer(&webhook).as_deref(),
        Some("<File order.pdf>\nYour order\nIt is on its way\nThe team")
    );
}

#[test]
fn a_file_s_length_and_hash_are_read() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_attachment.json"));
    let sizes: Vec<_> = webhook
        .content
        .iter()
        .map(|item| match item {
            ContentItem::File(file) => file.size,
            ContentItem::Structured(_) => None,
        })
        .collect();
    assert_eq!(sizes, [Some(1234), None]);
}

#[test]
fn unknown_content_shows_what_words_it_has() {
    let item = serde_json::json!({ "contentType": "Notification", "notification": {
        "header": { "text": "Head" }, "body": { "text": "Middle" }, "footer": { "text": "Foot" },
    } });
    assert_eq!(shown(item).as_deref(), Some("Head\nMiddle\nFoot"));
    let script = serde_json::json!({ "contentType": "Card", "card": {
        "actions": [{ "type": "Link", "text": "Go", "url": "javascript:alert(1)" }],
    } });
    assert_eq!(shown(script).as_deref(), Some("1. Go"));
    for nothing in [
        serde_json::json!({ "contentType": "Hologram", "hologram": { "shape": 7 } }),
        serde_json::json!("text"),
        serde_json::json!(null),
    ] {
        assert_eq!(shown(nothing), None);
    }
}

#[test]
fn errors_repeat_nothing_of_the_message() {
    let error = Webhook::parse(br#"["my secret words"]"#, RECEIVED).expect_err("no object");
    let source = std::error::Error::source(&error).expect("a source");
    assert!(!format!("{error} {error:?} {source}").contains("secret"));
}

#[test]
fn typing_and_receipts_are_told_apart() {
    let typing = parsed(include_bytes!("../../../fixtures/webhook_typing.json"));
    assert_eq!(
        typing.kind,
        Kind::Typing {
            duration_ms: Some(5000)
        }
    );
    let receipt = parsed(include_bytes!("../../../fixtures/webhook_receipt.json"));
    assert_eq!(receipt.kind, Kind::Receipt);
    assert_eq!(text_for_customer(&receipt), None);
}

/// The kind of a call of this type with these further fields.
fn kind(kind: &str, further: &str) -> Kind {
    let json = format!(r#"{{"id":"1","type":{kind}{further}}}"#);
    parsed(json.as_bytes()).kind
}

#[test]
fn whatever_carries_words_or_content_is_a_message() {
    for name in [
        "\"Message\"",
        "\"Unknown\"",
        "\"Hologram\"",
        "\"Event\"",
        "null",
        "7",
    ] {
        assert_eq!(kind(name, r#","text":"hello""#), Kind::Message, "{name}");
        assert_eq!(kind(name, r#","content":[{}]"#), Kind::Message, "{name}");
    }
    for name in ["\"Text\"", "\"Structured\"", "\"Message\""] {
        assert_eq!(
            kind(name, ""),
            Kind::Message,
            "{name}: the agent must hear that it was empty"
        );
    }
}

#[test]
fn other_kinds_are_kept_as_such() {
    assert_eq!(kind("\"Hologram\"", ""), Kind::Other("Hologram".to_owned()));
    assert_eq!(kind("\"Event\"", ""), Kind::Other("Event".to_owned()));
    assert_eq!(
        kind("\"Event\"", r#","text":"","content":[]"#),
        Kind::Other("Event".to_owned())
    );
    assert_eq!(kind("null", ""), Kind::Other(String::new()));
}

#[test]
fn no_field_is_required() {
    let empty = parsed(b"{}");
    assert_eq!((empty.to.as_str(), empty.time), ("", RECEIVED));
    assert_eq!(parsed(b"{}").id, empty.id, "the same at each repetition");
    assert_ne!(parsed(br#"{"text":"x"}"#).id, empty.id);
    let other_types = parsed(
        br#"{"id":7,"channel":{"messageId":"m1","to":5,"time":"yesterday"},"text":["x"],"content":"x"}"#,
    );
    assert_eq!(
        (other_types.id.as_str(), other_types.time),
        ("m1", RECEIVED)
    );
    assert_eq!(other_types.kind, Kind::Other(String::new()));
    assert_eq!(
        parsed(br#"{"id":"a b","channel":[]}"#).id,
        parsed(br#"{"id":"a b","channel":[]}"#).id
    );
}

#[test]
fn a_call_that_may_be_a_replayed_one_is_late() {
    let written = parsed(include_bytes!("../../../fixtures/webhook_text.json"));
    assert!(!written.is_late(written.time + time::Duration::hours(6)));
    assert!(written.is_late(written.time + time::Duration::hours(6) + time::Duration::SECOND));
}

#[test]
fn what_is_no_object_is_an_error() {
    for body in [&b""[..], b"{", b"[]", b"\"text\"", b"{\"id\":\"\xff\"}"] {
        assert!(Webhook::parse(body, RECEIVED).is_err());
    }
}
