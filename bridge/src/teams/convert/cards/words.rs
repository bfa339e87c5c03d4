//! The words of a card: HTML and Markdown's links as text, dates and mentions as people read them.

use std::borrow::Cow;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::teams::to_text::{self, InlineImage, shown_address};
use crate::text::zone;

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// Elements of HTML that cards are written with: `x <y` is no HTML.
const ELEMENTS: [&str; 38] = [
    "a",
    "at",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
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
    "th",
    "tr",
    "u",
    "ul",
];

/// Words, and the pictures among them that Graph keeps.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) hosted: Vec<InlineImage>,
}

/// Reads a text of a card.
pub(super) fn read(text: &str) -> Words {
    // Cards write line breaks in all three ways.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = with_dates(&text);
    if !is_html(&text) {
        return Words {
            text: with_links(&text).into_owned(),
            hosted: Vec::new(),
        };
    }
    // A card's text is Markdown too, where an empty line starts a paragraph.
    let html = text.replace("\n\n", "<br>");
    let rendered = to_text::render_part(&html, &|_| None);
    Words {
        text: with_links(&rendered.text).into_owned(),
        hosted: rendered.images,
    }
}

/// Whether there is an element or a character reference of HTML.
fn is_html(text: &str) -> bool {
    let element = |rest: &str| {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let follows = rest[end..].starts_with(['>', ' ', '/', '\n', '\t', '\r']);
        follows && ELEMENTS.contains(&&*rest[..end].to_ascii_lowercase())
    };
    let reference = |rest: &str| {
        let name = rest.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        (1..=31).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut elements = text.split('<').skip(1);
    let mut references = text.split('&').skip(1);
    elements.any(element) || references.any(reference)
}

/// `[words](address)` as `words (address)` (CommonMark, "Links").
fn with_links(text: &str) -> Cow<'_, str> {
    let mut output = String::new();
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = (&rest[..middle], &rest[middle + 2..]);
        let link = before.rfind('[').and_then(|start| {
            let (address, after) = destination(after)?;
            let before = before[..start]
                .strip_suffix('!')
                .unwrap_or(&before[..start]);
            Some((before, &rest[start + 1..middle], address, after))
        });
        match link {
            Some((before, words, address, after)) => {
                output.push_str(before);
                output.push_str(words);
                if words != address {
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
    let mut open = 0usize;
    let end = text.find(|character: char| match character {
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
    let address = text[..end].trim();
    // A title may follow the address.
    let address = address
        .split_once(char::is_whitespace)
        .map_or(address, |(address, _)| address);
    let address = address.trim_start_matches('<').trim_end_matches('>');
    Some((shown_address(address)?, after))
}

/// `{{DATE(…)}}` and `{{TIME(…)}}` (Adaptive Cards, "Text features").
fn with_dates(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut output = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        output.push_str(&rest[..start]);
        rest = &rest[start..];
        let shown = rest
            .split_once("}}")
            .and_then(|(call, after)| Some((moment(&call[2..])?, after)));
        match shown {
            Some((shown, after)) => {
                output.push_str(&shown);
                rest = after;
            }
            None => {
                output.push_str("{{");
                rest = &rest[2..];
            }
        }
    }
    output.push_str(rest);
    Cow::Owned(output)
}

/// A date or time as people read it, in the zone in which the card gives it.
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
