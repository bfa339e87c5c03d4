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
    shown("alt").or_else(|| shown("title"))
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

pub(super) fn is_block(name: &str) -> bool {
    layout(name) == Layout::Block
}

pub(super) fn is_preformatted(name: &str) -> bool {
    layout(name) == Layout::Preformatted
}
