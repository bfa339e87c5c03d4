use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn expect(html: &str, text: &str) {
    assert_eq!(to_text(html), text, "{html}");
}

#[test]
fn paragraphs_and_breaks_are_lines() {
    expect("<p>One</p>\n<p>Two</p>", "One\nTwo");
    expect("<p>One</p>\n<p>&nbsp;</p>\n<p>Two</p>", "One\n\nTwo");
    expect(
        "<div>One<br>Two<br/></div><div>Three</div>",
        "One\nTwo\nThree",
    );
    expect("<div><div>One</div></div><br><br><br><br>Two", "One\n\nTwo");
    expect("One\n  two\t three", "One two three");
    expect("<p> One <b> two </b> three </p>", "One two three");
    expect("Line</br>next", "Line\nnext");
}

#[test]
fn formatting_is_dropped() {
    expect(
        "<b>bo</b>ld <i>ita<u>lic</u></i> <s>gone</s> <span style=\"color:red\">red</span>",
        "bold italic gone red",
    );
    expect(
        "a<script>alert('<p>')</script>b<style>p{}</style>c<!-- no > --><!DOCTYPE html><?php x ?>d",
        "abcd",
    );
}

#[test]
fn lists_have_marks() {
    expect(
        "<ul><li>One</li><li><p>Two</p></li></ul><p>End</p>",
        "- One\n- Two\nEnd",
    );
    expect(
        "<ol start=\"3\"><li>Three</li><li>Four<br>more</li></ol>",
        "3. Three\n4. Four\n  more",
    );
    expect(
        "<ul><li>One<ol><li>Inner</li></ol></li><li>Two</li></ul>",
        "- One\n  1. Inner\n- Two",
    );
    expect(
        "<ol><li>One<ul><li>x</li></ul></li><li>Two</li></ol>",
        "1. One\n  - x\n2. Two",
    );
    expect("<ul><li></li><li>One</li></ul>", "- One");
    expect("<li>Alone", "- Alone");
}

#[test]
fn links_show_their_address() {
    expect(
        "<a href=\"https://example.com/a?b=1&amp;c=2\">here</a>.",
        "here (https://example.com/a?b=1&c=2).",
    );
    expect(
        "<a href=\"https://example.com/\">https://example.com</a>",
        "https://example.com",
    );
    expect(
        "<a href=\"https://example.com/\">Example.com</a>",
        "Example.com",
    );
    expect(
        "<a href=\"mailto:a@example.com\">a@example.com</a>",
        "a@example.com",
    );
    expect(
        "<a href=\"https://example.com/\"></a>",
        "https://example.com/",
    );
    expect(
        "<ul><li><a href=\"https://example.com/\">https://example.com/</a></li></ul>",
        "- https://example.com/",
    );
    expect(
        "<a href='https://example.com/'><p>Two</p><p>lines</p></a>end",
        "Two\nlines (https://example.com/)\nend",
    );
    expect(
        "<a href=https://example.com/>open",
        "open (https://example.com/)",
    );
    expect(
        "<a href=\"javascript:alert(1)\">click</a> <a href=\"/x\">rel</a> <a>none</a>",
        "click rel none",
    );
}

#[test]
fn teams_elements_are_read() {
    expect(
        "<at id=\"0\">Ann</at>&nbsp;<at id=\"1\">Lee</at>, hello",
        "Ann Lee, hello",
    );
    expect(
        "Fine <emoji id=\"smile\" alt=\"🙂\" title=\"Smile\"></emoji>!",
        "Fine 🙂!",
    );
    expect(
        "<img alt=\"😀\" itemtype=\"http://schema.skype.com/Emoji\" src=\"https://x/y.png\">",
        "😀",
    );
    expect(
        "<customemoji id=\"1\" alt=\"party\" source=\"x\"></customemoji>",
        "party",
    );
    expect(
        "<attachment id=\"1616\"></attachment><p>Answer</p>",
        "Answer",
    );
    expect("<systemEventMessage/>", "");
}

#[test]
fn images_leave_a_notice() {
    let hosted = "https://graph.microsoft.com/v1.0/chats/1/messages/2/hostedContents/3/$value";
    expect(
        &format!("<p>See <img alt=\"image\" src=\"{hosted}\"></p>"),
        "See [image]",
    );
    expect(
        &format!("<img src=\"{hosted}\" alt='A \"plan\"'>"),
        "[image: A \"plan\"]",
    );
    expect(
        "<img alt=\"Cat\" src=\"https://media.example/cat.gif\">",
        "[image: Cat] (https://media.example/cat.gif)",
    );
    expect("<img src=\"data:image/png;base64,AAAA\">", "[image]");
    expect(&format!("<video src=\"{hosted}\"></video>"), "[video]");
}

#[test]
fn quotes_are_marked() {
    expect(
        "<blockquote><p>One</p><p>Two</p></blockquote><p>Answer</p>",
        "> One\n> Two\nAnswer",
    );
    expect("<blockquote>a<br><br>b</blockquote>", "> a\n>\n> b");
    expect(
        "<blockquote>a<blockquote>b</blockquote></blockquote>c",
        "> a\n> > b\nc",
    );
    expect("<blockquote><ul><li>x</li></ul></blockquote>", "> - x");
}

#[test]
fn preformatted_text_keeps_its_shape() {
    expect(
        "<pre>\nfn x() {\n    y();\n\n\n}\n</pre>done",
        "fn x() {\n    y();\n\n\n}\ndone",
    );
    expect(
        "<codeblock class=\"Rust\"><code>let x;<br>&nbsp;&nbsp;x = 1;</code></codeblock>",
        "let x;\n  x = 1;",
    );
    expect("run <code>ls  -l</code>", "run ls -l");
}

#[test]
fn tables_are_rows() {
    let table = "<table><tbody>\n<tr><th><p>A</p></th> <th>B</th></tr>\n<tr><td>1<br>2</td><td></td><td>3</td></tr></tbody></table>x";
    expect(table, "A | B\n1 2 | | 3\nx");
}

#[test]
fn character_references_are_resolved() {
    expect(
        "&lt;b&gt; &amp;amp; &quot;&apos;&#39;&#x1F600;&copy &notit; &unknown; &#0;&#x110000;&#128; & &;",
        "<b> &amp; \"''😀© ¬it; &unknown; \u{fffd}\u{fffd}€ & &;",
    );
    expect("&NotEqualTilde;&bne;", "≂\u{338}=\u{20e5}");
    expect(
        "<a href=\"https://x.example/?a=1&copy=2&amp;lt;\">y</a>",
        "y (https://x.example/?a=1&copy=2&lt;)",
    );
}

#[test]
fn spaces_without_width_vanish_and_hard_spaces_become_spaces() {
    expect("a\u{200b}b\u{feff}c&shy;d&nbsp;e&nbsp;&nbsp;f", "abcd e  f");
    expect("👩\u{200d}🚀", "👩\u{200d}🚀");
}

#[test]
fn malformed_html_is_read_as_browsers_do() {
    expect("1 < 2 <3 </ p>x<>", "1 < 2 <3 x<>");
    expect("</p></ul></blockquote></pre></td>text", "text");
    expect("<P CLASS=x>One<P>Two", "One\nTwo");
    expect("<p/class=\"a>b\" = x ==y>One", "One");
    expect("One <b", "One");
    expect("One <b title=\"x", "One");
    expect("One</", "One</");
    expect("One<!-- never closed", "One");
    expect("One<script>never closed", "One");
    expect("", "");
}

#[test]
fn hostile_html_takes_linear_time_and_no_stack() {
    let many: String = (0..1 << 17).map(|number| format!(" a{number}")).collect();
    let hostile = [
        "<div>".repeat(100_000) + "x" + &"</div>".repeat(100_000),
        "<blockquote><ul><li>".repeat(50_000) + "x",
        "<table><tr><td>".repeat(50_000) + "x",
        "<a href=x>".repeat(100_000) + "x",
        "<ul><li>x<br>".repeat(50_000),
        format!("<p {many}>x"),
        format!("<a {many}>x"),
        format!("<p title=\"{}\">x", "y".repeat(1 << 20)),
        format!("<p {}>x", "\"".repeat(1 << 20)),
        "<".repeat(1 << 20) + " x",
        "</".repeat(1 << 19) + "x>x",
        "<!--".repeat(1 << 18) + "-->x",
        "<script>".repeat(1 << 17) + "</script>x",
        "&".repeat(1 << 20) + "x",
        "&#".repeat(1 << 19) + "x",
        "&CounterClockwiseContourIntegra".repeat(1 << 15) + "x",
        format!("&#{};x", "9".repeat(1 << 20)),
        "&nbsp;<br>".repeat(1 << 16) + "x",
        "<a href=\"https://x.example\">&nbsp;".repeat(1 << 15) + "x",
    ];
    let start = Instant::now();
    for html in &hostile {
        let text = to_text(html);
        assert!(
            text.ends_with('x') || text.ends_with("(https://x.example)"),
            "{}",
            &html[..40]
        );
        assert!(text.len() < html.len() * 8);
    }
    // Quadratic work on a megabyte takes minutes.
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// A piece of HTML, and the words that it shows.
fn piece() -> impl Strategy<Value = (String, Vec<String>)> {
    let word = "[a-zA-Z0-9äöüß日本語🙂]{1,8}";
    let element = prop::sample::select(vec![
        "p",
        "div",
        "b",
        "i",
        "span",
        "li",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "codeblock",
        "code",
        "td",
        "tr",
        "table",
        "h1",
        "at",
        "a",
        "x-y",
    ]);
    prop_oneof![
        word.prop_map(|word| (format!(" {word} "), vec![word])),
        element
            .clone()
            .prop_map(|name| (format!("<{name}>"), vec![])),
        element
            .clone()
            .prop_map(|name| (format!("</{name}>"), vec![])),
        (element, "[a-z<>&' ]{0,12}")
            .prop_map(|(name, value)| (format!("<{name} class=\"{value}\">"), vec![])),
        Just(("<br>".to_owned(), vec![])),
        Just(("&nbsp;".to_owned(), vec![])),
        Just(("<!-- hidden -->".to_owned(), vec![])),
    ]
}

proptest! {
    #[test]
    fn words_are_never_lost(pieces in prop::collection::vec(piece(), 0..60)) {
        let html: String = pieces.iter().map(|(html, _)| html.as_str()).collect();
        let text = to_text(&html);
        let mut found = text.split_whitespace();
        for word in pieces.iter().flat_map(|(_, words)| words) {
            prop_assert!(found.any(|candidate| candidate == word), "{word} of {html} is not in {text}");
        }
    }

    #[test]
    fn any_text_can_be_read(html in "(<|>|&|\"|'|/|=|!--|-->|script|pre|li|a href=|#x|;|\\PC){0,80}") {
        let text = to_text(&html);
        prop_assert_eq!(text.trim_end(), &text);
    }

    #[test]
    fn escaped_text_comes_back(text in "[a-z<>&;#\"']{0,40}") {
        let html: String = text.chars().map(|character| format!("&#{};", u32::from(character))).collect();
        prop_assert_eq!(to_text(&html), text);
    }
}
