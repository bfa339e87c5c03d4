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

/// Whether an element is a mention as Teams' own editor writes it.
pub(super) fn is_mention(tag: &Tag<'_>) -> bool {
    tag.attribute("itemtype").is_some_and(|kind| {
        kind.trim()
            .to_ascii_lowercase()
            .ends_with("schema.skype.com/mention")
    })
}

/// Whether browsers, and Teams, show nothing of an element: what is not displayed, what has no height or is quite transparent
/// (the previews that mails bring along), and pictures of one pixel, which only report that somebody reads.
pub(super) fn is_hidden(tag: &Tag<'_>) -> bool {
    if tag.name == "template" || tag.attribute("hidden").is_some() {
        return true;
    }
    let style = tag.attribute("style").map(|style| Style::of(&style));
    let style = style.unwrap_or_default();
    style.hides() || tag.name == "img" && style.is_a_pixel(tag)
}

/// What a style declares of what hides an element.
#[derive(Default)]
struct Style {
    no_display: bool,
    invisible: bool,
    transparent: bool,
    clipped: bool,
    /// No more than so many pixels.
    max_height: Option<f32>,
    height: Option<f32>,
    width: Option<f32>,
}

impl Style {
    /// Of several declarations of a property the last one counts.
    fn of(style: &str) -> Self {
        let mut found = Self::default();
        for declaration in style.split(';') {
            let Some((property, value)) = declaration.split_once(':') else {
                continue;
            };
            let property = property.trim();
            // Most styles declare nothing of interest.
            if !matches!(
                property.as_bytes().first(),
                Some(
                    b'd' | b'D'
                        | b'v'
                        | b'V'
                        | b'o'
                        | b'O'
                        | b'm'
                        | b'M'
                        | b'h'
                        | b'H'
                        | b'w'
                        | b'W'
                )
            ) {
                continue;
            }
            let value = value.trim().trim_end_matches("!important").trim_end();
            let is = |word: &str| value.eq_ignore_ascii_case(word);
            match &*property.to_ascii_lowercase() {
                "display" => found.no_display = is("none"),
                "visibility" => found.invisible = is("hidden") || is("collapse"),
                "opacity" => found.transparent = pixels(value).is_some_and(|value| value <= 0.0),
                "overflow" => found.clipped = is("hidden"),
                "max-height" => found.max_height = pixels(value),
                "height" => found.height = pixels(value),
                "width" => found.width = pixels(value),
                _ => {}
            }
        }
        found
    }

    fn hides(&self) -> bool {
        let is_nothing = |length: Option<f32>| length.is_some_and(|length| length <= 0.0);
        let has_no_height = is_nothing(self.max_height) || is_nothing(self.height);
        self.no_display || self.invisible || self.transparent || self.clipped && has_no_height
    }

    fn is_a_pixel(&self, tag: &Tag<'_>) -> bool {
        [("width", self.width), ("height", self.height)]
            .into_iter()
            .all(|(side, styled)| {
                let length = styled.or_else(|| pixels(&tag.attribute(side)?));
                length.is_some_and(|length| length <= 1.0)
            })
    }
}

/// A length in pixels, or a number.
fn pixels(length: &str) -> Option<f32> {
    let number = length.trim().trim_end_matches("px").trim_end();
    number.parse().ok()
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
