//! What elements mean for plain text.

use std::borrow::Cow;

use super::tokens::Tag;

/// The characters of an emoji element, or of an image that stands for an emoji (older clients).
pub(crate) fn emoji(tag: &Tag<'_>) -> Option<String> {
    let is_emoji = match tag.name {
        "emoji" | "customemoji" => true,
        "img" => tag
            .attribute("itemtype")
            .is_some_and(|kind| kind.to_ascii_lowercase().ends_with("/emoji")),
        _ => false,
    };
    if !is_emoji {
        return None;
    }
    let shown = |name| {
        tag.attribute(name)
            .filter(|text| !text.trim().is_empty())
            .map(Cow::into_owned)
    };
    Some(match shown("alt").or_else(|| shown("title")) {
        // A custom emoji has a name instead of a character: without marks it would be a word of the sentence.
        Some(name) if tag.name == "customemoji" && name.starts_with(char::is_alphanumeric) => {
            format!(":{name}:")
        }
        Some(text) => text,
        None => "[emoji]".to_owned(),
    })
}

/// Whether browsers, and Teams, show nothing of an element: what is not displayed, what has no height or is quite transparent
/// (the previews that mails bring along), and pictures of one pixel, which only report that somebody reads.
pub(super) fn is_hidden(tag: &Tag<'_>) -> bool {
    let style = tag
        .attribute("style")
        .unwrap_or_default()
        .to_ascii_lowercase();
    tag.name == "template"
        || tag.attribute("hidden").is_some()
        || hides(&style)
        || tag.name == "img"
            && ["width", "height"]
                .iter()
                .all(|side| is_a_pixel(tag, &style, side))
}

fn hides(style: &str) -> bool {
    let is_zero = |property| is_at_most(declared(style, property), 0.0);
    declared(style, "display") == "none"
        || matches!(declared(style, "visibility"), "hidden" | "collapse")
        || is_zero("opacity")
        || declared(style, "overflow") == "hidden" && (is_zero("max-height") || is_zero("height"))
}

fn is_a_pixel(tag: &Tag<'_>, style: &str, side: &str) -> bool {
    let attribute = tag.attribute(side);
    let lengths = [
        attribute.as_deref().unwrap_or_default(),
        declared(style, side),
    ];
    lengths.iter().any(|length| is_at_most(length, 1.0))
}

/// The value that a style declares last for a property.
fn declared<'a>(style: &'a str, wanted: &str) -> &'a str {
    let mut values = style.split(';').filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        let value = value.trim().trim_end_matches("!important").trim_end();
        (property.trim() == wanted).then_some(value)
    });
    values.next_back().unwrap_or_default()
}

/// Whether a length in pixels, or a number, is no more than this.
fn is_at_most(length: &str, most: f32) -> bool {
    let number = length.trim().trim_end_matches("px").trim_end();
    number.parse::<f32>().is_ok_and(|number| number <= most)
}

/// Elements without an end tag (WHATWG HTML, section "Void elements").
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// How an element stands in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Within a line.
    Inline,
    /// On lines of its own.
    Block,
    /// On lines of its own, the text as it is written.
    Preformatted,
}

pub(super) fn layout(name: &str) -> Layout {
    match name {
        "pre" | "codeblock" | "listing" | "xmp" | "plaintext" => Layout::Preformatted,
        "address" | "article" | "aside" | "blockquote" | "body" | "caption" | "center" | "dd"
        | "details" | "dialog" | "div" | "dl" | "dt" | "fieldset" | "figcaption" | "figure"
        | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup"
        | "hr" | "html" | "legend" | "li" | "main" | "menu" | "nav" | "ol" | "optgroup"
        | "option" | "p" | "search" | "section" | "summary" | "table" | "tbody" | "tfoot"
        | "thead" | "title" | "tr" | "ul" => Layout::Block,
        _ => Layout::Inline,
    }
}

/// Whether an element means something in a table only.
pub(super) fn is_part_of_table(name: &str) -> bool {
    matches!(
        name,
        "tr" | "thead" | "tbody" | "tfoot" | "caption" | "colgroup" | "col" | "td" | "th"
    )
}

pub(super) fn is_block(name: &str) -> bool {
    layout(name) == Layout::Block
}

pub(super) fn is_preformatted(name: &str) -> bool {
    layout(name) == Layout::Preformatted
}
