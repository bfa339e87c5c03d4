use super::{ChatMessage, MalformedMessage, MessageKind};

fn parsed(json: &[u8]) -> ChatMessage {
    ChatMessage::parse(json).expect("readable")
}

#[test]
fn a_customer_s_message_is_read() {
    let message = parsed(include_bytes!(
        "../../../fixtures/message_html_mention.json"
    ));
    assert_eq!(message.kind, MessageKind::Message);
    assert_eq!(message.id.as_str(), "1616991463150");
    assert!(message.body.html && message.body.content.contains("<at id=\"0\">"));
    let sender = message.from.expect("a sender");
    assert_eq!(sender.name.as_deref(), Some("Anna Adler"));
    assert!(sender.user.is_some() && sender.tenant.is_some() && sender.application.is_none());
    assert_eq!(message.mentions.len(), 1);
    assert!(message.mentions[0].user.is_some());
    assert!(message.last_edited.is_none() && message.deleted.is_none());
}

#[test]
fn system_messages_are_told_by_either_word() {
    assert_eq!(
        parsed(include_bytes!("../../../fixtures/message_system.json")).kind,
        MessageKind::System
    );
    let hidden = br#"{"id":"1","messageType":"unknownFutureValue","createdDateTime":"2026-01-01T00:00:00Z","body":{"contentType":"html","content":"<systemEventMessage/>"}}"#;
    assert_eq!(parsed(hidden).kind, MessageKind::System);
    let new = br#"{"id":"1","messageType":"unknownFutureValue","createdDateTime":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(parsed(new).kind, MessageKind::Other);
}

#[test]
fn a_bot_is_an_application() {
    let sender = parsed(include_bytes!("../../../fixtures/message_bot.json"))
        .from
        .expect("a sender");
    assert!(sender.user.is_none() && sender.application.is_some());
}

#[test]
fn files_and_quotes_are_attachments() {
    let message = parsed(include_bytes!("../../../fixtures/message_quote_file.json"));
    let types: Vec<&str> = message
        .attachments
        .iter()
        .map(|attachment| attachment.content_type.as_str())
        .collect();
    assert_eq!(types, ["messageReference", "reference"]);
    assert_eq!(
        message.attachments[1].name.as_deref(),
        Some("Quarterly report.pdf")
    );
}

#[test]
fn an_edited_and_deleted_message_shows_both_times() {
    let message = parsed(include_bytes!("../../../fixtures/message_deleted.json"));
    assert!(message.last_edited.is_some() && message.deleted.is_some());
}

#[test]
fn what_is_no_message_is_an_error() {
    assert!(matches!(
        ChatMessage::parse(b"{"),
        Err(MalformedMessage::Json(_))
    ));
    assert!(matches!(
        ChatMessage::parse(b"{}"),
        Err(MalformedMessage::Field("id"))
    ));
    assert!(matches!(
        ChatMessage::parse(br#"{"id":"1"}"#),
        Err(MalformedMessage::Field("createdDateTime"))
    ));
}

#[test]
fn debug_output_holds_no_text_and_no_name() {
    let shown = format!(
        "{:?}",
        parsed(include_bytes!("../../../fixtures/message_quote_file.json"))
    );
    for hidden in ["report", "Anna", "quoted", "19:"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn an_edited_message_shows_when() {
    let message = parsed(include_bytes!("../../../fixtures/message_edited.json"));
    assert!(message.last_edited > Some(message.created) && message.deleted.is_none());
    assert_eq!(message.etag.as_deref(), Some("1616991510010"));
}

#[test]
fn errors_repeat_nothing_of_the_message() {
    let error = ChatMessage::parse(br#"{"id":"1","body":"my secret words""#).expect_err("a text");
    let source = std::error::Error::source(&error).expect("a source");
    for shown in [error.to_string(), format!("{error:?}"), source.to_string()] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}
