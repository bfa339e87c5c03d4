use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{Kind, Piece, Webhook, names_integration, pieces, question};

const RECEIVED: OffsetDateTime = datetime!(2026-01-02 03:04:06 UTC);
const TEXT: &[u8] = include_bytes!("../../../fixtures/webhook_text.json");
const FILES: &[u8] = include_bytes!("../../../fixtures/webhook_attachment.json");
const QUICK_REPLY: &[u8] = include_bytes!("../../../fixtures/webhook_quick_reply.json");
const CARD: &[u8] = include_bytes!("../../../fixtures/webhook_card.json");
const STRUCTURED: &[u8] = include_bytes!("../../../fixtures/structured.json");
const TYPING: &[u8] = include_bytes!("../../../fixtures/webhook_typing.json");
const RECEIPT: &[u8] = include_bytes!("../../../fixtures/webhook_receipt.json");

fn parsed(json: &[u8]) -> Webhook {
    Webhook::parse(json, RECEIVED).expect("readable")
}

/// What the customer reads, with the names of files in their places, and what can be answered.
fn shown(json: &[u8]) -> Value {
    let webhook = parsed(json);
    let pieces = pieces(&webhook).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.lines().map(Value::from).collect(),
        Piece::File(file) => json!({ file.media_type.as_str(): [file.filename, file.size] }),
    });
    let question = question(&webhook);
    if let Some(question) = &question {
        let asked = (&question.message, question.asked);
        assert_eq!(asked, (&webhook.id, webhook.time));
    }
    let choices = question.map(|question| question.choices);
    json!({ "shown": pieces.collect::<Value>(), "choices": choices })
}

#[test]
fn messages_as_the_customer_reads_them() {
    let documented = [
        ("text", TEXT),
        ("files", FILES),
        ("quick replies", QUICK_REPLY),
        ("a card", CARD),
        ("a receipt", RECEIPT),
    ];
    let documented = documented.map(|(name, json)| (name.to_owned(), shown(json)));
    let structured: BTreeMap<String, Value> = serde_json::from_slice(STRUCTURED).expect("JSON");
    let structured = structured
        .into_iter()
        .map(|(name, json)| (name, shown(json.to_string().as_bytes())));
    let all: BTreeMap<_, _> = structured.chain(documented).collect();
    insta::assert_json_snapshot!(all);
}

#[test]
fn kinds_are_told_apart() {
    let kinds = [TEXT, FILES, QUICK_REPLY, CARD, TYPING, RECEIPT].map(|json| parsed(json).kind);
    assert_eq!(kinds[..4], [Kind::Message; 4]);
    assert_eq!(kinds[4..], [Kind::Typing, Kind::Receipt]);
    let customer = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
    assert_eq!(parsed(TEXT).to, customer);
}

/// How many bytes a message of these template texts becomes, each with these parameters.
fn length_filled_in(texts: &[String], parameters: &Value) -> usize {
    let bodies = texts
        .iter()
        .map(|text| json!({ "template": { "body": { "text": text, "parameters": parameters } } }));
    let message = json!({ "type": "Structured", "content": bodies.collect::<Value>() });
    let webhook = parsed(message.to_string().as_bytes());
    let pieces = pieces(&webhook).into_iter();
    pieces
        .map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::File(_) => 0,
        })
        .sum()
}

#[test]
fn what_is_filled_in_stays_bounded() {
    // A value that holds its own name, many times: filled in again and again, it would be a thousand times as long each time.
    let own = json!(vec![
        json!({ "name": "a", "text": "{{a}}".repeat(1000) });
        12
    ]);
    assert_eq!(length_filled_in(&["{{a}}".to_owned()], &own), 5000);
    // A long value in many places, of one text or of many.
    let long = json!([{ "name": "a", "text": "x".repeat(10_000) }]);
    for texts in [
        vec!["{{a}}".repeat(1000)],
        vec!["{{a}}{{a}}".to_owned(); 500],
    ] {
        let length = length_filled_in(&texts, &long);
        assert!((100_000..300_000).contains(&length), "{length}");
    }
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

#[test]
fn a_call_names_the_integration_that_sends_it() {
    const INTEGRATION: &str = "5f0c0000-0000-4000-8000-00000000000d";
    assert!(names_integration(TEXT, INTEGRATION));
    assert!(names_integration(TEXT, &INTEGRATION.to_uppercase()));
    let other = "5f0c0000-0000-4000-8000-00000000000e";
    assert!(!names_integration(TEXT, other));
    for body in [
        &b""[..],
        b"{}",
        br#"{"channel":{"from":{"id":7}}}"#,
        br#"{"channel":{"from":{"id":""}}}"#,
        br#"{"channel":{"id":"5f0c0000-0000-4000-8000-00000000000d"}}"#,
    ] {
        assert!(!names_integration(body, INTEGRATION));
        // An installation that does not know its integration yet.
        assert!(!names_integration(body, ""));
    }
}
