use super::{Kind, MalformedWebhook, Webhook, text_for_customer};

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
fn attachments_are_named_with_their_links() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_attachment.json"));
    assert_eq!(webhook.attachments.len(), 2);
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(
        shown,
        "Your label\nlabel.pdf: https://api.mypurecloud.de/media/1\nhttps://api.mypurecloud.de/media/2"
    );
}

#[test]
fn quick_replies_are_numbered() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_quick_reply.json"));
    assert_eq!(webhook.kind, Kind::Structured);
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(shown, "What is it about?\n1. My order\n2. My invoice");
}

#[test]
fn a_card_shows_its_words_and_choices() {
    let webhook = parsed(include_bytes!("../../../fixtures/webhook_card.json"));
    let shown = text_for_customer(&webhook).expect("something");
    assert_eq!(
        shown,
        "Premium plan\nAll included\n1. Tell me more\n2. Order"
    );
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
