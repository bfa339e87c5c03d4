use super::{ContentItem, Kind, MalformedWebhook, Piece, Webhook, pieces, question};
use crate::state::question::ChoiceKind;

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
    Webhook::parse(json).expect("readable")
}

#[test]
fn text() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_text.json"));
    assert_eq!(webhook.kind, Kind::Text);
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
    assert_eq!(webhook.kind, Kind::Structured);
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

/// What the customer reads of one structured content item.
fn shown(item: serde_json::Value) -> Option<String> {
    let webhook = serde_json::json!({
        "id": "1",
        "type": "Structured",
        "channel": { "to": { "id": "x" }, "time": "2026-01-01T00:00:00Z" },
        "content": [item],
    });
    text_for_customer(&parsed(webhook.to_string().as_bytes()))
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
    let error = Webhook::parse(br#"{"id":"1","channel":"my secret words"}"#).expect_err("a text");
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

#[test]
fn unknown_kinds_are_kept_as_such() {
    let json = br#"{"id":"1","type":"Hologram","channel":{"to":{"id":"x"},"time":"2026-01-01T00:00:00Z"}}"#;
    assert_eq!(parsed(json).kind, Kind::Other("Hologram".to_owned()));
}

#[test]
fn what_is_no_webhook_is_an_error() {
    assert!(matches!(
        Webhook::parse(b"{"),
        Err(MalformedWebhook::Json(_))
    ));
    assert!(matches!(
        Webhook::parse(b"{}"),
        Err(MalformedWebhook::Field("id"))
    ));
    for (json, field) in [
        (r#"{"id":"1"}"#, "channel"),
        (r#"{"id":"1","channel":{}}"#, "channel.to.id"),
        (r#"{"id":"1","channel":{"to":{"id":"x"}}}"#, "channel.time"),
        (
            r#"{"id":"1","channel":{"to":{"id":"x"},"time":"2026-01-01T00:00:00Z"}}"#,
            "type",
        ),
    ] {
        match Webhook::parse(json.as_bytes()) {
            Err(MalformedWebhook::Field(found)) => assert_eq!(found, field),
            other => panic!("{other:?}"),
        }
    }
}
