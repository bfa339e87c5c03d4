mod code;
mod corpus;
mod hostile;
mod pictures;
mod properties;
mod replies;
mod tables;
mod tokens;

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
        "<b>bo</b>ld <i>ita<u>lic</u></i> <span style=\"color:red\">red</span>",
        "bold italic red",
    );
    expect(
        "<q>said</q> <small>small</small> <mark>marked</mark>",
        "\"said\" small marked",
    );
    expect(
        "a<script>alert('<p>')</script>b<style>p{}</style>c<!-- no > --><!DOCTYPE html><?php x ?>d",
        "abcd",
    );
}

#[test]
fn what_is_struck_through_is_marked() {
    expect("<p>at <s>ten</s> eleven</p>", "at ~~ten~~ eleven");
    expect("<strike>a <del>b</del> c</strike>", "~~a b c~~");
    expect("<s>one<br>two</s>", "~~one~~\n~~two~~");
    expect("<s> <b>x</b>&nbsp;</s>y", "~~x~~ y");
    expect("a<s></s><s> </s>b", "a b");
    expect("<s>never closed<p>next", "~~never closed~~\n~~next~~");
    expect("</s>x", "x");
}

#[test]
fn raised_and_lowered_text_is_readable() {
    expect("x<sup>2</sup> + 10<sup>-6</sup>", "x^2 + 10^-6");
    expect("x<sup>n+1</sup>", "x^(n+1)");
    expect("the 1<sup>st</sup>, H<sub>2</sub>O", "the 1st, H2O");
    expect("10<sub>2</sub>, x<sub>i</sub>", "10_2, x_i");
    expect("note<sup>*</sup> <sup>1</sup> alone", "note* 1 alone");
    expect("<sup>x<sup>y</sup></sup> <sub>z", "xy z");
}

#[test]
fn headings_have_an_empty_line_before() {
    expect(
        "<h1>One</h1><p>text</p><h2>Two</h2>text<h3>Three</h3><h4>Four</h4>",
        "One\ntext\n\nTwo\ntext\n\nThree\n\nFour",
    );
    expect("<ul><li>a</li><li><h2>b</h2></li></ul>", "- a\n- b");
    expect("<blockquote>a<h2>b</h2></blockquote>", "> a\n>\n> b");
}

#[test]
fn empty_lines_do_not_pile_up() {
    let empty = "<p>&nbsp;</p>".repeat(5);
    expect(
        &format!("{empty}<p>One</p>{empty}<p>Two</p>{empty}"),
        "One\n\nTwo",
    );
    expect("One<p><br></p><div>&nbsp; &nbsp;</div>Two", "One\n\nTwo");
    expect("<p>&nbsp; two</p>", "  two");
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
    expect(
        "<ol><li>One</li><li value=\"5\">Five</li><li>Six</li></ol>",
        "1. One\n5. Five\n6. Six",
    );
    expect(
        "<ol start=\"-1\"><li>a</li><li value=x>b</li></ol><ol start=99999999999><li>c</li></ol>",
        "-1. a\n0. b\n1. c",
    );
    expect("<ul><li><ul><li>deep</li></ul></li></ul>", "  - deep");
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
        ":party:",
    );
    expect(
        "<attachment id=\"1616\"></attachment><p>Answer</p>",
        "Answer",
    );
    expect("<systemEventMessage/>", "");
    expect(
        "<customemoji id=\"1\" title=\"party\"></customemoji>",
        ":party:",
    );
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
fn elements_with_raw_text_are_told_apart() {
    expect("a<iframe><p>no frames</p></iframe>b", "ab");
    expect("<textarea><b>&amp;</b></textarea>", "<b>&</b>");
    expect("<title>a<b></title>c", "a<b>\nc");
    expect("<noscript>no <b>script</b></noscript>", "no script");
    expect("<script>a</scripty></script x>b", "b");
    expect("<style>a</STYLE>b", "b");
    expect("<svg><text>c</text></svg>", "c");
    expect("<p>a<plaintext><p>&amp;", "a\n```\n<p>&amp;\n```");
}

#[test]
fn line_breaks_of_all_kinds_are_line_breaks() {
    expect(
        "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\rg&#x85;&#8232;h",
        "a\nb\nc\nd e f g…\nh",
    );
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
