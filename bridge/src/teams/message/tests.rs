use super::{ChatMessage, MalformedMessage, MessageKind};

macro_rules! fixture {
    ($name:literal) => {
        parsed(include_bytes!(concat!(
            "../../../fixtures/message_",
            $name,
            ".json"
        )))
    };
}

fn parsed(json: &[u8]) -> ChatMessage {
    ChatMessage::parse(json).expect("readable")
}

#[test]
fn a_customer_s_message_is_read() {
    let message = fixture!("html_mention");
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
    assert_eq!(fixture!("system").kind, MessageKind::System);
    for (body, kind) in [
        (
            r#"{"contentType":"html","content":"<systemEventMessage/>"}"#,
            MessageKind::System,
        ),
        ("null", MessageKind::Other),
    ] {
        let message = format!(
            r#"{{"id":"1","messageType":"unknownFutureValue","createdDateTime":"2026-01-01T00:00:00Z","body":{body}}}"#
        );
        assert_eq!(parsed(message.as_bytes()).kind, kind);
    }
}

#[test]
fn a_bot_is_an_application() {
    let sender = fixture!("bot").from.expect("a sender");
    assert!(sender.user.is_none() && sender.application.is_some());
}

#[test]
fn files_and_quotes_are_attachments() {
    let attachments = fixture!("quote_file").attachments;
    let types = attachments
        .iter()
        .map(|attachment| attachment.content_type.as_str());
    assert!(types.eq(["messageReference", "reference"]));
    assert_eq!(attachments[1].name.as_deref(), Some("Quarterly report.pdf"));
}

#[test]
fn edited_and_deleted_messages_show_when() {
    let message = fixture!("deleted");
    assert!(message.last_edited.is_some() && message.deleted.is_some());
    let message = fixture!("edited");
    assert!(message.last_edited > Some(message.created) && message.deleted.is_none());
    assert_eq!(message.etag.as_deref(), Some("1616991510010"));
}

#[test]
fn what_is_no_message_is_an_error() {
    let error = |json: &str| ChatMessage::parse(json.as_bytes()).expect_err("no message");
    assert!(matches!(error("{"), MalformedMessage::Json(_)));
    assert!(matches!(error("{}"), MalformedMessage::Field("id")));
    assert!(matches!(
        error(r#"{"id":"1"}"#),
        MalformedMessage::Field("createdDateTime")
    ));
    // Nothing of the message is repeated.
    let error = error(r#"{"id":"1","body":"my secret words"}"#);
    let source = std::error::Error::source(&error).expect("a source");
    for shown in [error.to_string(), format!("{error:?}"), source.to_string()] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn debug_output_holds_no_text_and_no_name() {
    let shown = format!("{:?}", fixture!("quote_file"));
    for hidden in ["report", "Anna", "quoted", "19:"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}
