use serde_json::{Value, json};

use super::*;
use crate::teams::message::Attachment;
use crate::text::tests::rules_hold;

fn message(html: &str, attachments: Vec<Attachment>) -> ChatMessage {
    let json = json!({ "id": "1", "createdDateTime": "2026-01-01T00:00:00Z", "body": { "content": html } });
    let message = ChatMessage::parse(json.to_string().as_bytes()).expect("a message");
    ChatMessage {
        attachments,
        ..message
    }
}

fn attachment(content_type: &str, content: &Value) -> Attachment {
    Attachment {
        content_type: content_type.to_owned(),
        content: Some(content.to_string()),
        ..Attachment::default()
    }
}

fn inbound(message: &ChatMessage, replies: ReplyContext) -> Inbound {
    super::inbound(message, replies, &|_| true)
}

fn inbound_text(message: &ChatMessage) -> String {
    inbound(message, ReplyContext::Quote).text
}

#[test]
fn each_attachment_leaves_its_lines() {
    let rules = include_str!("../../../fixtures/attachments.json");
    rules_hold(rules, |mut given: Value| {
        // Content is JSON inside a text.
        if given["content"].is_object() {
            given["content"] = given["content"].to_string().into();
        }
        let attachment = serde_json::from_value(given).expect("an attachment");
        inbound_text(&message("", vec![attachment]))
    });
}

#[test]
fn html_and_plain_bodies_are_read() {
    assert_eq!(inbound_text(&message("<p>a &lt; b</p>", vec![])), "a < b");
    let mut plain = message(" a &lt; <b> \n", vec![]);
    plain.body.html = false;
    assert_eq!(inbound_text(&plain), "a &lt; <b>");
    assert_eq!(inbound_text(&message("", vec![])), "");
}

fn quote(id: &str, preview: &str) -> Attachment {
    let sender = json!({ "application": null, "user": { "displayName": "Ann Lee" } });
    let content = json!({ "messageId": id, "messagePreview": preview, "messageSender": sender });
    attachment("messageReference", &content)
}

#[test]
fn a_quote_stands_before_the_answer_or_is_left_out() {
    let file = Attachment {
        content_type: "reference".to_owned(),
        name: Some("plan.docx".to_owned()),
        content_url: Some("https://files.example/plan.docx".to_owned()),
        content: None,
    };
    let forwarded =
        json!({ "originalMessageContent": "<p>One</p>", "originalMessageSender": null });
    let answer = message(
        "<attachment id=\"1\"></attachment><p>On its way</p><attachment id=\"2\"></attachment>",
        vec![
            file,
            quote("1", "Where is\nmy order?"),
            attachment("forwardedMessageReference", &forwarded),
        ],
    );
    // What is passed on stays whatever becomes of quotes.
    let stripped = inbound(&answer, ReplyContext::Strip);
    assert_eq!(stripped.text, "[forwarded]\n> One\nOn its way");
    assert!(stripped.files == [shared("https://files.example/plan.docx", "plan.docx")]);
    assert_eq!(
        inbound_text(&answer),
        "> Ann Lee: Where is\n> my order?\n[forwarded]\n> One\nOn its way"
    );
}

#[test]
fn a_code_snippet_is_to_be_fetched() {
    let source = "https://graph.example/v1.0/x/$value".to_owned();
    let content = json!({ "language": "Rust", "codeSnippetUrl": source });
    let snippet = attachment("application/vnd.microsoft.card.codesnippet", &content);
    let found = inbound(&message("", vec![snippet]), ReplyContext::Quote);
    let language = Some("Rust".to_owned());
    assert!(found.text.is_empty() && found.files == [SentFile::Snippet { source, language }]);
}

#[test]
fn a_quote_of_an_unknown_message_is_marked() {
    for (id, preview, text) in [
        ("1616", "Half price", "> Ann Lee: Half price"),
        ("4711", "Half price", "> Ann Lee (unverified): Half price"),
        ("4711", "", "> Ann Lee: [quoted message]"),
    ] {
        let message = message("", vec![quote(id, preview)]);
        let found = super::inbound(&message, ReplyContext::Quote, &|id| id == "1616");
        assert_eq!((found.text.as_str(), found.quotes), (text, true));
    }
}

#[test]
fn a_message_brings_each_file_once_and_not_more_than_some() {
    let picture = |number: usize| {
        format!(
            "<img src=\"https://graph.example/chats/c/messages/1/hostedContents/{number}/$value\">"
        )
    };
    let html: String = (0..MOST_FILES + 5)
        .map(|number| picture(number) + &picture(number))
        .collect();
    let many = inbound(&message(&html, vec![]), ReplyContext::Quote);
    assert_eq!(many.files.len(), MOST_FILES);
    assert!(
        many.text
            .ends_with("[5 more files] They were not taken: at most 20 files of one message are."),
        "{}",
        many.text
    );
    let files: BTreeSet<Digest> = many.files.iter().map(SentFile::digest).collect();
    assert_eq!(files.len(), MOST_FILES);
    let html: String = (0..MOST_FILES).map(picture).collect();
    let all = inbound(&message(&html, vec![]), ReplyContext::Quote);
    assert!(all.files.len() == MOST_FILES && !all.text.contains("more files"));
}

fn shared(address: &str, name: &str) -> SentFile {
    SentFile::Shared {
        address: address.to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn files_of_a_tenant_are_told_by_its_host() {
    let ours = |address: &str| shared(address, "").is_of_host("ours-my.sharepoint.com");
    for address in [
        "https://ours.sharepoint.com/sites/board/plan.docx",
        "https://OURS-MY.sharepoint.com/personal/ceo/salaries.xlsx",
        "https://ours%2Dmy.sharepoint.com/a",
        "https://theirs.sharepoint.com\\@ours.sharepoint.com/a",
        "https://x@ours.sharepoint.com:443/a",
        "https://theirs.sharepoint.com/redirect?to=https://ours.sharepoint.com/a",
    ] {
        assert!(ours(address), "{address}");
    }
    for address in [
        "https://theirs.sharepoint.com/sites/a/plan.docx",
        "https://not-ours.sharepoint.com/a",
        "https://yours.sharepoint.com/a",
        "https://theirs-my.sharepoint.com/personal/ours/a",
        "https://oursister.sharepoint.com/a",
    ] {
        assert!(!ours(address), "{address}");
    }
    assert!(shared("https://127.0.0.1:7/a", "").is_of_host("127.0.0.1"));
}

#[test]
fn files_are_told_apart_by_their_address() {
    let digest = |address, name| shared(address, name).digest();
    assert_eq!(digest("https://a", "one"), digest("https://a", "two"));
    assert_ne!(digest("https://a", "one"), digest("https://b", "one"));
    let shown = format!("{:?}", shared("https://a", "secret plan"));
    assert_eq!(shown, "Shared");
}

#[test]
fn a_deeply_nested_card_leaves_a_notice() {
    for nested in [
        "{\"body\":[".repeat(100_000),
        format!("{}{}", "[".repeat(60), "]".repeat(60)),
    ] {
        let card = Attachment {
            content_type: "application/vnd.microsoft.card.adaptive".to_owned(),
            content: Some(nested),
            ..Attachment::default()
        };
        assert_eq!(inbound_text(&message("", vec![card])), "[card]");
    }
}
