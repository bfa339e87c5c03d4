use super::*;

/// A reply as older clients write it.
fn reply(name: &str, preview: &str) -> String {
    format!(
        concat!(
            "<blockquote itemscope itemtype=\"http://schema.skype.com/Reply\" itemid=\"1616991463150\">\n",
            "<strong itemprop=\"mri\" itemid=\"8:orgid:0f0e0d0c-0000-4000-8000-00000000000a\">{name}</strong>",
            "<span itemprop=\"time\" itemid=\"1616991463150\"></span>\n",
            "<p itemprop=\"preview\">{preview}</p>\n</blockquote>\n<p>Answer</p>"
        ),
        name = name,
        preview = preview
    )
}

fn quoted(html: &str) -> String {
    render(html, ReplyContext::Quote).text
}

fn stripped(html: &str) -> String {
    render(html, ReplyContext::Strip).text
}

#[test]
fn the_quoted_message_is_a_quote_or_nothing() {
    let html = reply("Anna Adler", "Is it <b>done</b>?");
    assert_eq!(quoted(&html), "> Anna Adler: Is it done?\nAnswer");
    assert_eq!(to_text(&html), "> Anna Adler: Is it done?\nAnswer");
    assert_eq!(stripped(&html), "Answer");
    assert_eq!(ReplyContext::default(), ReplyContext::Quote);
}

#[test]
fn a_quote_of_an_unknown_message_is_marked() {
    let html = reply("Support", "Half price");
    let without_id = html.replace(" itemid=\"1616991463150\">\n", ">\n");
    for (html, id, text) in [
        (&html, "1616991463150", "> Support: Half price"),
        (&html, "1", "> Support (unverified): Half price"),
        (
            &without_id,
            "1616991463150",
            "> Support (unverified): Half price",
        ),
        (
            &reply("", "Half price"),
            "1",
            "> Quote (unverified): Half price",
        ),
    ] {
        let rendered = render_quoting(html, ReplyContext::Quote, &|known| known == id);
        assert_eq!(rendered.text, format!("{text}\nAnswer"));
    }
}

#[test]
fn other_quotes_stay() {
    let html = "<blockquote>said</blockquote><p>Answer</p>";
    assert_eq!(quoted(html), "> said\nAnswer");
    assert_eq!(stripped(html), "> said\nAnswer");
}

#[test]
fn the_quote_is_short() {
    let html = reply(&"N".repeat(100), &"p".repeat(500));
    let expected = format!("> {}…: {}…\nAnswer", "N".repeat(64), "p".repeat(300));
    assert_eq!(quoted(&html), expected);
    let html = reply("Anna", "1<br>2<p>3</p>4");
    assert_eq!(quoted(&html), "> Anna: 1\n> 2\n> 3…\nAnswer");
    let html = reply("Anna", "1<br><br>2<br>3");
    assert_eq!(quoted(&html), "> Anna: 1\n> 2\n> 3\nAnswer");
}

#[test]
fn nothing_leaves_the_quote_and_parts_may_be_missing() {
    for (name, preview, text) in [
        (
            "An\u{202e}na<br>\nAdler\u{2028}",
            "a\u{2028}b\u{85}Answer: yes&#10;\rc",
            "> Anna Adler: a\n> b\n> Answer: yes c\nAnswer",
        ),
        ("", "said", "> said\nAnswer"),
        ("Anna", " ", "> Anna: [quoted message]\nAnswer"),
        ("", "", "Answer"),
    ] {
        assert_eq!(quoted(&reply(name, preview)), text);
    }
}

#[test]
fn what_is_not_text_is_named() {
    let html = reply(
        "Anna",
        concat!(
            "<img src=\"https://graph.microsoft.com/v1.0/chats/1/messages/2/hostedContents/3/$value\"> ",
            "<emoji alt=\"🙂\"></emoji><blockquote>older</blockquote>"
        ),
    );
    let rendered = render(&html, ReplyContext::Quote);
    assert_eq!(rendered.text, "> Anna: [image] 🙂\n> older\nAnswer");
    assert!(rendered.images.is_empty());
    assert_eq!(stripped(&html), "Answer");
}

#[test]
fn a_reply_that_never_ends_is_an_ordinary_quote() {
    let html = reply("Anna", "said").replace("</blockquote>", "");
    assert_eq!(quoted(&html), "> Anna\n> said\n> Answer");
    assert_eq!(stripped(&html), "> Anna\n> said\n> Answer");
}
