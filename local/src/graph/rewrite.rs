//! What Teams does to the HTML it is given: it parses it, drops what it does not know, and writes it anew in its own way.

/// The body as Teams stores it: whitespace runs become one space, quotes and non-breaking spaces are written its own way,
/// links gain attributes, and text outside a block is wrapped in a paragraph.
pub fn rewritten(html: &str) -> String {
    let mut text = String::with_capacity(html.len() + 16);
    let mut space = false;
    for character in html.chars() {
        if character.is_ascii_whitespace() {
            space = true;
            continue;
        }
        let between_tags = character == '<' && text.ends_with('>');
        if space && !text.is_empty() && !between_tags {
            text.push(' ');
        }
        space = false;
        text.push(character);
    }
    let text = text
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("<br/>", "<br>")
        .replace("<br />", "<br>")
        .replace(
            "<a href=",
            "<a rel=\"noreferrer noopener\" target=\"_blank\" href=",
        );
    let block = [
        "<p",
        "<div",
        "<ul",
        "<ol",
        "<h1",
        "<h2",
        "<h3",
        "<table",
        "<blockquote",
    ]
    .iter()
    .any(|tag| text.starts_with(tag));
    if block {
        text
    } else {
        format!("<p>{text}</p>")
    }
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn it_is_wrapped_and_written_anew() {
        assert_eq!(
            rewritten("a  b\n&quot;c&quot;<br/>d"),
            "<p>a b \"c\"<br>d</p>"
        );
        assert_eq!(rewritten("<p>x</p>"), "<p>x</p>");
        assert!(rewritten("<a href=\"https://x\">x</a>").contains("rel="));
    }
}
