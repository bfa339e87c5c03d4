//! What Teams does to the HTML it is given: it parses it, drops what it does not know, and writes it anew in its own way.

/// Elements after which text is not wrapped in a paragraph.
const BLOCKS: [&str; 10] = [
    "<p",
    "<div",
    "<ul",
    "<ol",
    "<h1",
    "<h2",
    "<h3",
    "<table",
    "<blockquote",
    "<codeblock",
];

/// Elements whose whitespace stays as it is.
const PREFORMATTED: [&str; 2] = ["pre", "codeblock"];

/// The body as Teams stores it: whitespace runs of the text become one space, quotes are written its own way, links gain
/// attributes, and text outside a block is wrapped in a paragraph. What stands inside a tag keeps its references: they
/// could end an attribute.
pub fn rewritten(html: &str) -> String {
    let mut written = String::with_capacity(html.len() + 16);
    let mut rest = html.trim_ascii();
    let mut preformatted = 0_usize;
    while !rest.is_empty() {
        let (part, after) = match (rest.starts_with('<'), rest.find('>'), rest.find('<')) {
            (true, Some(end), _) => rest.split_at(end + 1),
            (false, _, Some(start)) => rest.split_at(start),
            _ => (rest, ""),
        };
        if part.starts_with('<') {
            if opens(part, "<") {
                preformatted += 1;
            } else if opens(part, "</") {
                preformatted = preformatted.saturating_sub(1);
            }
            written.push_str(&tag(part));
        } else {
            text(part, preformatted > 0, &mut written);
        }
        rest = after;
    }
    if BLOCKS.iter().any(|block| written.starts_with(block)) {
        written
    } else {
        format!("<p>{written}</p>")
    }
}

/// Whether the tag, which begins like this, is about a preformatted element.
fn opens(tag: &str, start: &str) -> bool {
    tag.strip_prefix(start).is_some_and(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_alphanumeric());
        PREFORMATTED.contains(&&rest[..end.unwrap_or(rest.len())])
    })
}

fn tag(tag: &str) -> String {
    match tag.strip_prefix("<a href=") {
        Some(rest) => format!("<a rel=\"noreferrer noopener\" target=\"_blank\" href={rest}"),
        None if tag == "<br/>" || tag == "<br />" => "<br>".to_owned(),
        None => tag.to_owned(),
    }
}

fn text(text: &str, preformatted: bool, written: &mut String) {
    let plain = text
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"");
    if preformatted {
        written.push_str(&plain);
        return;
    }
    let mut space = false;
    for character in plain.chars() {
        let blank = character.is_ascii_whitespace();
        if !blank {
            written.push(character);
        } else if !space {
            written.push(' ');
        }
        space = blank;
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

    #[test]
    fn code_lists_and_quotations_stay() {
        for html in [
            "<codeblock class=\"Rust\"><code>fn a() {\n    b  c\n}</code></codeblock>",
            "<pre>a\n  b</pre>",
            "<ul><li>a</li><li>b</li></ul>",
            "<ol><li>a</li></ol>",
            "<blockquote>a</blockquote>",
        ] {
            assert_eq!(rewritten(html), html);
        }
        assert_eq!(rewritten("<pre>a  b</pre>c  d"), "<pre>a  b</pre>c d");
    }

    #[test]
    fn an_attribute_keeps_its_references() {
        let html = "<p><a href=\"https://x/?a=&quot;b  c&quot;\">it&#39;s</a> <b>b</b></p>";
        assert_eq!(
            rewritten(html),
            "<p><a rel=\"noreferrer noopener\" target=\"_blank\" href=\"https://x/?a=&quot;b  c&quot;\">it's</a> <b>b</b></p>"
        );
        assert_eq!(rewritten("1 < 2"), "<p>1 < 2</p>");
        let links = "<p><a href=\"https://x\">x</a> <a href=\"https://y\">y</a></p>";
        assert!(rewritten(links).contains("x</a> <a "));
    }
}
