//! The words of a card: HTML and Markdown's links as text, dates and mentions as people read them.

use std::borrow::Cow;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::teams::address::shown_address;
use crate::teams::to_text::{self, InlineImage};
use crate::text::placeholders::filled;
use crate::text::zone;

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// Elements of HTML that cards are written with: `x <y` is no HTML.
const ELEMENTS: [&str; 45] = [
    "a",
    "at",
    "b",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "emoji",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Elements whose content nobody sees.
const UNSEEN: [&str; 2] = ["script", "style"];

/// Words, and the pictures among them that Graph keeps.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) hosted: Vec<InlineImage>,
}

/// Reads a text of a card.
pub(super) fn read(text: &str) -> Words {
    // Cards write line breaks in all three ways.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = filled(&text, moment);
    let Some(html) = html(&text) else {
        return Words {
            text: with_links(&text, shown_address).into_owned(),
            hosted: Vec::new(),
        };
    };
    // A card's text is Markdown too, where an empty line starts a paragraph.
    let html = html.replace("\n\n", "<br>");
    let rendered = to_text::render_part(&html, &|_| None);
    Words {
        text: with_links(&rendered.text, shown_address).into_owned(),
        hosted: rendered.images,
    }
}

/// A text with elements or character references of HTML as HTML. Each `<` that begins no such element is one that a reader sees: else
/// `a<b and c>d` would lose its words as soon as somebody is mentioned beside it.
fn html(text: &str) -> Option<String> {
    let reference = |rest: &str| {
        let name = rest.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        (1..=31).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut is_html = text.split('&').skip(1).any(reference);
    // Whether a script or style that begins here ends: else it would hide all that follows.
    let lower = text.to_ascii_lowercase();
    let ends = UNSEEN.map(|name| (name, lower.rfind(&format!("</{name}>"))));
    let ends_behind = |start: usize, name: &str| {
        ends.iter()
            .any(|(unseen, end)| *unseen == name && end.is_some_and(|end| end >= start))
    };
    let mut pieces = text.split('<');
    let mut html = pieces.next().unwrap_or_default().to_owned();
    let mut start = html.len();
    for piece in pieces {
        let is_tag = begins_with_tag(piece, |name| {
            ELEMENTS.contains(&name) || ends_behind(start, name)
        });
        start += 1 + piece.len();
        is_html |= is_tag;
        html.push_str(if is_tag { "<" } else { "&lt;" });
        html.push_str(piece);
    }
    is_html.then_some(html)
}

/// Whether what follows a `<`, up to the next one, is the tag of a known element, with nothing or attributes behind its name.
fn begins_with_tag(text: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let is_end = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let is_of_name = |character: char| character.is_ascii_alphanumeric();
    let (name, mut rest) = split_behind(text, is_of_name);
    if !is_known(&name.to_ascii_lowercase()) {
        return false;
    }
    loop {
        let behind = rest.trim_start_matches(|character: char| character.is_ascii_whitespace());
        if behind.starts_with('>') {
            return true;
        }
        if let Some(behind) = behind.strip_prefix('/') {
            return !is_end && behind.starts_with('>');
        }
        // Only white space parts attributes.
        if is_end || behind.len() == rest.len() {
            return false;
        }
        match behind_attribute(behind) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
}

/// What follows an attribute: `name=value`, or one of the few that stand alone.
fn behind_attribute(text: &str) -> Option<&str> {
    let is_of_name =
        |character: char| character.is_ascii_alphanumeric() || "-_:.".contains(character);
    let (name, rest) = split_behind(text, is_of_name);
    let Some(value) = rest.strip_prefix('=').filter(|_| !name.is_empty()) else {
        let is_alone = ["hidden", "itemscope"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
        return is_alone.then_some(rest);
    };
    if let Some(quote @ ('"' | '\'')) = value.chars().next() {
        return Some(value[1..].split_once(quote)?.1);
    }
    let is_of_value =
        |character: char| !character.is_ascii_whitespace() && !"\"'`=>".contains(character);
    let (value, rest) = split_behind(value, is_of_value);
    (!value.is_empty()).then_some(rest)
}

/// The beginning of a text, as far as its characters are such, and the rest.
fn split_behind(text: &str, is_such: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|character| !is_such(character));
    text.split_at(end.unwrap_or(text.len()))
}

/// `[words](address)` as `words (address)` (CommonMark, "Links"), where `shown` shows the address. No address holds the beginning of
/// another one's, so the time is linear in the text.
fn with_links<'a>(
    text: &'a str,
    mut shown: impl FnMut(&'a str) -> Option<Cow<'a, str>>,
) -> Cow<'a, str> {
    let mut output = String::new();
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = (&rest[..middle], &rest[middle + 2..]);
        let link = before.rfind('[').and_then(|start| {
            let (written, after) = destination(after)?;
            let address = shown(written)?;
            let before = before[..start]
                .strip_suffix('!')
                .unwrap_or(&before[..start]);
            Some((before, &rest[start + 1..middle], written, address, after))
        });
        match link {
            Some((before, words, written, address, after)) => {
                output.push_str(before);
                output.push_str(words);
                if words != address && words != written {
                    output.push_str(&format!(" ({address})"));
                }
                rest = after;
            }
            None => {
                output.push_str(&rest[..middle + 2]);
                rest = after;
            }
        }
    }
    if output.is_empty() {
        return Cow::Borrowed(text);
    }
    output.push_str(rest);
    Cow::Owned(output)
}

/// The address behind `](`, as long as its brackets pair, and what follows the link.
fn destination(text: &str) -> Option<(&str, &str)> {
    let end = text.find("](").unwrap_or(text.len());
    let mut open = 0usize;
    let end = text[..end].find(|character: char| match character {
        '(' => {
            open += 1;
            false
        }
        ')' if open > 0 => {
            open -= 1;
            false
        }
        ')' | '\n' => true,
        _ => false,
    })?;
    let after = text[end..].strip_prefix(')')?;
    Some((without_title(text[..end].trim()), after))
}

/// An address without the title that may follow it. What else follows it is a part of it: people leave the spaces in a file's
/// address as they are.
fn without_title(text: &str) -> &str {
    if let Some((address, _)) = text.strip_prefix('<').and_then(|text| text.split_once('>')) {
        return address;
    }
    for quote in ['"', '\''] {
        let Some(title) = text.strip_suffix(quote) else {
            continue;
        };
        for blank in [' ', '\t'] {
            if let Some(start) = title.find(&String::from_iter([blank, quote])) {
                return text[..start].trim_end();
            }
        }
    }
    text
}

/// `DATE(…)` or `TIME(…)` (Adaptive Cards, "Text features") as people read it, in the zone in which the card gives it.
fn moment(call: &str) -> Option<String> {
    let (function, arguments) = call.trim().split_once('(')?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let moment = arguments.split(',').next()?.trim();
    let moment = OffsetDateTime::parse(moment, &Rfc3339).ok()?;
    match function.trim() {
        "DATE" => moment.format(DATE).ok(),
        "TIME" => Some(format!(
            "{} {}",
            moment.format(TIME).ok()?,
            zone(moment.offset())
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_elements_with_attributes_are_tags() {
        for (text, shown) in [
            // One element, or one reference, makes a text HTML.
            ("alarm when a<b and c>d", "alarm when a<b and c>d"),
            (
                "Hi <at>Cora</at>, alarm when x<limit and y>0",
                "Hi Cora, alarm when x<limit and y>0",
            ),
            ("<b>now</b> if a<b and c>d", "now if a<b and c>d"),
            ("a<b and c>d &amp; e", "a<b and c>d & e"),
            ("<b>a</b> x</b and c>d", "a x</b and c>d"),
            ("<b>a</b> 1 <b", "a 1 <b"),
            ("<b>a</b> <unknown>b", "a <unknown>b"),
            ("<b>a</b> <bold>b</bold> <b-c>", "a <bold>b</bold> <b-c>"),
            ("<b>a</b> x<i and y=1>z", "a x<i and y=1>z"),
            ("<b>a</b> x<i y=1 and>z", "a x<i y=1 and>z"),
            ("<b>a</b> x<i =1>z <i y=>", "a x<i =1>z <i y=>"),
            ("<b>a</b> <!-- b -->", "a <!-- b -->"),
            ("<b>a</b> <STYLE>b{}</Style><style>c", "a <style>c"),
            ("<b>a</b> </script> <script>c", "a <script>c"),
            // What cards and their mails are written with.
            ("a<br>b<br/>c<br />d<BR clear=all>e", "a\nb\nc\nd\ne"),
            (
                "<a href=\"https://x.example/?a=1&b>2\" title='t'>x</a >",
                "x (https://x.example/?a=1&b>2)",
            ),
            (
                "<a href=https://x.example/a/>x</a>",
                "x (https://x.example/a/)",
            ),
            ("<p\n class=\"a b\"\n style=''>x</p\n>y", "x\ny"),
            (
                "<span itemscope itemtype=\"http://schema.skype.com/Mention\" itemid=\"0\">Ann</span>",
                "Ann",
            ),
        ] {
            assert_eq!(read(text).text, shown, "{text}");
        }
    }

    #[test]
    fn addresses_of_links_may_have_spaces() {
        for (text, shown) in [
            (
                "[doc](https://c.example/Shared Documents/a.docx)!",
                "doc (https://c.example/Shared%20Documents/a.docx)!",
            ),
            (
                "[doc](https://c.example/My (old) files/a.docx \"the old one\")",
                "doc (https://c.example/My%20(old)%20files/a.docx)",
            ),
            (
                "[doc](<https://c.example/a b.docx> 'it')",
                "doc (https://c.example/a%20b.docx)",
            ),
            (
                "[https://c.example/a b](https://c.example/a b)",
                "https://c.example/a b",
            ),
            ("[a](https://c.example/\nb)", "[a](https://c.example/\nb)"),
            (
                "[a](https://c.example/[b](https://c.example/b)",
                "[a](https://c.example/b (https://c.example/b)",
            ),
            (
                "[a](/Shared Documents/a.docx)",
                "[a](/Shared Documents/a.docx)",
            ),
        ] {
            assert_eq!(read(text).text, shown, "{text}");
        }
    }

    /// How much of a text is looked at as an address: a hostile card must not have it looked at again and again.
    fn looked_at(text: &str) -> usize {
        let mut looked_at = 0;
        let unchanged = with_links(text, |address| {
            looked_at += address.len();
            None
        });
        assert_eq!(unchanged, text);
        looked_at
    }

    #[test]
    fn brackets_without_end_are_looked_at_once() {
        for text in [
            "[](",
            "[a](x",
            "[a](https://x.example/",
            "[](()",
            "](",
            "[]()",
            "[](<",
        ] {
            let text = text.repeat(1000);
            for text in [text.clone() + &")".repeat(1000), text + ")\n"] {
                assert!(looked_at(&text) <= text.len());
            }
        }
    }

    proptest! {
        #[test]
        fn no_part_is_looked_at_twice(text in "(\\[|\\]|\\]\\(|\\(|\\)|<|\n|[aé ]){0,60}") {
            prop_assert!(looked_at(&text) <= text.len());
        }

        #[test]
        fn signs_between_words_are_no_loss(text in "(<|>|=|a|b|/| |\"|'|and|!|-){0,40}") {
            // Whatever is no tag stays, beside one that is.
            let shown = read(&format!("<at>x</at>{text}")).text;
            let tags = text.split('<').skip(1).any(|text| begins_with_tag(text, |name| ELEMENTS.contains(&name)));
            prop_assume!(!tags);
            let letters = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(letters(&shown), letters(&format!("x{text}")));
        }
    }
}
