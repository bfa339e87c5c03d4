use super::*;
use crate::teams::message::Attachment;
use crate::text::{fenced, with_sender_name};

fn message(html: &str, attachments: Vec<Attachment>) -> ChatMessage {
    let json =
        r#"{"id":"1","createdDateTime":"1970-01-01T00:00:00Z","body":{"contentType":"html"}}"#;
    let mut message = ChatMessage::parse(json.as_bytes()).expect("a message");
    message.body.content = html.to_owned();
    message.attachments = attachments;
    message
}

fn attachment(
    content_type: &str,
    name: Option<&str>,
    address: Option<&str>,
    content: Option<&str>,
) -> Attachment {
    Attachment {
        content_type: content_type.to_owned(),
        name: name.map(str::to_owned),
        content_url: address.map(str::to_owned),
        content: content.map(str::to_owned),
        ..Attachment::default()
    }
}

fn inbound(message: &ChatMessage, replies: ReplyContext) -> Inbound {
    super::inbound(message, replies, &|_| true)
}

fn inbound_text(message: &ChatMessage) -> String {
    inbound(message, ReplyContext::Quote).text
}

fn notice(
    content_type: &str,
    name: Option<&str>,
    address: Option<&str>,
    content: Option<&str>,
) -> String {
    inbound_text(&message(
        "",
        vec![attachment(content_type, name, address, content)],
    ))
}

#[test]
fn html_and_plain_bodies_are_read() {
    assert_eq!(inbound_text(&message("<p>a &lt; b</p>", vec![])), "a < b");
    let mut plain = message(" a &lt; <b> \n", vec![]);
    plain.body.html = false;
    assert_eq!(inbound_text(&plain), "a &lt; <b>");
    assert_eq!(inbound_text(&message("", vec![])), "");
}

#[test]
fn a_quote_stands_before_the_answer() {
    let quote = r#"{"messageId":"1","messagePreview":"Where is\nmy order?","messageSender":{"application":null,"device":null,
        "user":{"userIdentityType":"aadUser","id":"x","displayName":"Ann Lee"}}}"#;
    let file = attachment(
        "reference",
        Some("plan.docx"),
        Some("https://files.example/plan.docx"),
        None,
    );
    let answer = message(
        "<attachment id=\"1\"></attachment><p>On its way</p><attachment id=\"2\"></attachment>",
        vec![
            file,
            attachment("messageReference", None, None, Some(quote)),
        ],
    );
    assert_eq!(
        inbound_text(&answer),
        "> Ann Lee: Where is\n> my order?\nOn its way"
    );
    let stripped = inbound(&answer, ReplyContext::Strip);
    assert_eq!(stripped.text, "On its way");
    let file = SentFile::Shared {
        address: "https://files.example/plan.docx".to_owned(),
        name: "plan.docx".to_owned(),
    };
    assert!(stripped.files == [file]);
}

#[test]
fn a_forwarded_message_is_shown() {
    let content = r#"{"originalMessageId":"1","originalMessageContent":"<p>One</p><p>Two</p>",
        "originalMessageSender":{"user":{"displayName":"Ann"}}}"#;
    assert_eq!(
        notice("forwardedMessageReference", None, None, Some(content)),
        "[forwarded]\n> Ann: One\n> Two"
    );
}

#[test]
fn what_is_passed_on_stays_whatever_becomes_of_quotes() {
    let quote = r#"{"messagePreview":"earlier","messageSender":{"user":{"displayName":"Bob"}}}"#;
    let forwarded = r#"{"originalMessageContent":"<p>One</p>","originalMessageSender":null}"#;
    let both = message(
        "<p>mine</p>",
        vec![
            attachment("messageReference", None, None, Some(quote)),
            attachment("forwardedMessageReference", None, None, Some(forwarded)),
        ],
    );
    assert_eq!(
        inbound(&both, ReplyContext::Strip).text,
        "[forwarded]\n> One\nmine"
    );
    assert_eq!(
        inbound(&both, ReplyContext::Quote).text,
        "> Bob: earlier\n[forwarded]\n> One\nmine"
    );
}

#[test]
fn long_previews_are_shortened_and_stay_in_the_quote() {
    let quote = |preview: &str| {
        let content = serde_json::json!({
            "messagePreview": preview,
            "messageSender": { "user": { "displayName": "Bob\nMallory: lies\u{2028}" } },
        });
        notice("messageReference", None, None, Some(&content.to_string()))
    };
    assert_eq!(
        quote("one\u{2028}two\r\nthree\nfour"),
        "> Bob Mallory: lies: one\n> two\n> three…"
    );
    assert_eq!(
        quote(&"x".repeat(1000)),
        format!("> Bob Mallory: lies: {}…", "x".repeat(300))
    );
    assert_eq!(quote("one\n\n\ntwo"), "> Bob Mallory: lies: one…");
}

#[test]
fn a_code_snippet_is_to_be_fetched() {
    let content = r#"{"language":"Rust","codeSnippetUrl":"https://graph.example/v1.0/x/$value"}"#;
    let snippet = attachment(
        "application/vnd.microsoft.card.codesnippet",
        None,
        None,
        Some(content),
    );
    let found = inbound(&message("", vec![snippet]), ReplyContext::Quote);
    let wanted = SentFile::Snippet {
        source: "https://graph.example/v1.0/x/$value".to_owned(),
        language: Some("Rust".to_owned()),
    };
    assert!(found.text.is_empty() && found.files == [wanted]);
}

#[test]
fn a_quote_of_an_unknown_message_is_marked() {
    let quote = |id: &str, preview: &str| {
        let content = format!(
            r#"{{"messageId":"{id}","messagePreview":"{preview}","messageSender":{{"user":{{"displayName":"Support"}}}}}}"#
        );
        let quote = attachment("messageReference", None, None, Some(&content));
        super::inbound(&message("", vec![quote]), ReplyContext::Quote, &|id| {
            id == "1616"
        })
    };
    let known = quote("1616", "Half price");
    assert_eq!(
        (known.text.as_str(), known.quotes),
        ("> Support: Half price", true)
    );
    let unknown = quote("4711", "Half price").text;
    assert_eq!(unknown, "> Support (unverified): Half price");
    assert_eq!(quote("4711", "").text, "> Support: [quoted message]");
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
    assert_eq!(
        shared("https://a", "one").digest(),
        shared("https://a", "two").digest()
    );
    assert_ne!(
        shared("https://a", "one").digest(),
        shared("https://b", "one").digest()
    );
    let shown = format!("{:?}", shared("https://a", "secret plan"));
    assert_eq!(shown, "Shared");
}

#[test]
fn an_unreadable_quote_leaves_a_notice() {
    for content in [
        None,
        Some("{"),
        Some("[]"),
        Some("{\"messagePreview\":null}"),
        Some("{\"messagePreview\":\" \"}"),
    ] {
        assert_eq!(
            notice("messageReference", None, None, content),
            "> [quoted message]"
        );
    }
}

#[test]
fn every_attachment_leaves_a_line() {
    let web = Some("https://x.example/a");
    assert_eq!(
        notice(
            "reference",
            Some("a\nb\u{202e}c.txt"),
            Some("javascript:alert(1)"),
            None
        ),
        "[file] a bc.txt"
    );
    assert_eq!(
        notice("reference", Some("Plan.loop"), web, None),
        "[file] Plan.loop https://x.example/a"
    );
    assert_eq!(
        notice("image/png", Some("a.png"), web, None),
        "[image] a.png https://x.example/a"
    );
    assert_eq!(
        notice("video/mp4", None, web, None),
        "[video] https://x.example/a"
    );
    assert_eq!(
        notice("audio/ogg", None, web, None),
        "[audio] https://x.example/a"
    );
    assert_eq!(
        notice("tabReference", Some("Wiki"), None, None),
        "[tab] Wiki"
    );
    assert_eq!(
        notice(
            "meetingReference",
            Some("Call"),
            None,
            Some(r#"{"meetingJoinUrl":"https://x.example/j"}"#)
        ),
        "[meeting] Call https://x.example/j"
    );
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.codesnippet",
            None,
            None,
            Some(r#"{"language":"Rust","codeSnippetUrl":"x"}"#)
        ),
        "[code snippet: Rust]"
    );
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.fluidEmbedCard",
            None,
            None,
            Some(r#"{"componentUrl":"https://x.example/l"}"#)
        ),
        "[Loop component] https://x.example/l"
    );
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.announcement",
            None,
            None,
            None
        ),
        "[card]"
    );
    assert_eq!(
        notice("something/new", Some("x"), None, None),
        "[attachment] x"
    );
}

#[test]
fn an_adaptive_card_shows_its_text() {
    let card = r#"{"type":"AdaptiveCard","actions":[{"type":"Action.OpenUrl","title":"Open","url":"https://x.example/o"}],
        "body":[{"type":"TextBlock","text":"Order 7"},{"type":"Image","url":"https://x.example/i.png"},
        {"type":"FactSet","facts":[{"title":"State","value":"sent"}]},
        {"type":"ColumnSet","columns":[{"items":[{"type":"TextBlock","text":"left"}]},{"items":[{"type":"RichTextBlock",
        "inlines":["plain",{"type":"TextRun","text":"run"}]}]}]}]}"#;
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.adaptive",
            None,
            None,
            Some(card)
        ),
        "[card]\nOrder 7\n[image] (https://x.example/i.png)\nState: sent\nleft\nplainrun\nOpen (https://x.example/o)"
    );
}

#[test]
fn a_hero_card_shows_its_text() {
    let card = r#"{"title":"Hello","subtitle":"there","text":"Choose","buttons":[{"type":"openUrl","title":"Go","value":"https://x.example/"},
        {"type":"imBack","title":"Yes","value":"yes"}]}"#;
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.hero",
            None,
            None,
            Some(card)
        ),
        "[card]\nHello\nthere\nChoose\nGo (https://x.example/)\nYes"
    );
}

#[test]
fn a_deeply_nested_card_leaves_a_notice() {
    let card = "{\"body\":[".repeat(100_000);
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.adaptive",
            None,
            None,
            Some(&card)
        ),
        "[card]"
    );
    let card = format!("{}{}", "[".repeat(60), "]".repeat(60));
    assert_eq!(
        notice(
            "application/vnd.microsoft.card.adaptive",
            None,
            None,
            Some(&card)
        ),
        "[card]"
    );
}

#[test]
fn code_stays_inside_its_fence() {
    assert_eq!(
        fenced("let a = 1;\r\nb\n", "Rust"),
        "```Rust\nlet a = 1;\nb\n```"
    );
    assert_eq!(fenced("a\n```\nb", "x y\n!"), "````xy\na\n```\nb\n````");
}

#[test]
fn the_name_stands_before_the_first_line() {
    assert_eq!(with_sender_name("Ann Lee", "Hello"), "Ann Lee: Hello");
    assert_eq!(
        with_sender_name("Ann", "One\nBob: two\n\nthree"),
        "Ann: One\n  Bob: two\n\n  three"
    );
    assert_eq!(
        with_sender_name("Ann", "> Bob: earlier\nmine"),
        "Ann:\n  > Bob: earlier\n  mine"
    );
    assert_eq!(
        with_sender_name("Ann", "1. a\n2. b"),
        "Ann:\n  1. a\n  2. b"
    );
    assert_eq!(with_sender_name("Ann", "1.5 is it"), "Ann: 1.5 is it");
}

#[test]
fn no_line_break_of_unicode_escapes_the_indentation() {
    for line_break in [
        "\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}",
    ] {
        assert_eq!(
            with_sender_name("Ann", &format!("a{line_break}Bob: b")),
            "Ann: a\n  Bob: b"
        );
    }
}

#[test]
fn names_are_one_visible_line() {
    assert_eq!(
        with_sender_name(" Ann\r\n\u{202e}Lee\u{0} ", "x"),
        "Ann Lee: x"
    );
    assert_eq!(with_sender_name("\u{200b}\n", "x"), "Unknown sender: x");
    assert_eq!(
        with_sender_name(&"a".repeat(100), "x"),
        format!("{}…: x", "a".repeat(64))
    );
    assert_eq!(with_sender_name("👩\u{200d}🚀", "x"), "👩\u{200d}🚀: x");
}

proptest::proptest! {
    #[test]
    fn only_the_first_line_starts_with_a_name(name in "\\PC*|[\n\r\u{202e}\u{2066} a]*", text in "(\\PC|\n|\u{2028}|\r)*") {
        let shown = with_sender_name(&name, &text);
        let mut lines = shown.split('\n');
        let first = lines.next().unwrap_or_default();
        proptest::prop_assert!((first.contains(": ") || first.ends_with(':')) && !first.starts_with(": "));
        proptest::prop_assert!(lines.all(|line| line.is_empty() || line.starts_with("  ")));
        let disguised = shown.contains(['\r', '\u{2028}', '\u{202e}', '\u{2066}']);
        proptest::prop_assert!(!disguised);
    }
}
