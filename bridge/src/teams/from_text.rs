//! An agent's plain text as the HTML of a Teams chat message.

mod blocks;
mod escape;
mod inline;
mod links;
mod lists;
mod parts;
mod writer;

use blocks::rows;
use escape::{Html, normalised};
use links::is_web_address;
use writer::Writer;

use crate::text::split::LEAST_LIMIT;

/// Most bytes of HTML in one Teams message. Teams takes about 28 KB for everything in a message (Microsoft Learn, "Limits and
/// specifications for Microsoft Teams"); the margin is for what Teams itself adds.
pub const TEAMS_BODY_LIMIT: usize = 24 * 1024;

/// Turns plain text into HTML that shows the same: special characters escaped, line breaks as `<br>`, several spaces kept,
/// addresses that start with `http://` or `https://` as links. Control characters are dropped.
///
/// Three habits of people who write plain text are understood:
/// - code between lines of at least three backticks or tildes, the first with a language or not, becomes
///   `<codeblock class="Language"><code>`, as Teams stores it, and up to the end of the text if nothing closes it; code
///   between backticks within a line becomes `<code>`;
/// - consecutive lines that start with `- `, `* ` or `• ` become a list, nested by two or more spaces, at most five deep;
/// - so do at least two consecutive lines with `1. ` or `1) ` that count up from 1. All other numbers stay text, because HTML
///   would count on its own.
///
/// What only looks similar stays as it was written. No word is ever lost, besides the language, which Teams shows.
#[must_use]
pub fn from_text(text: &str) -> String {
    let text = normalised(text);
    let mut writer = Writer::new();
    for row in rows(&text) {
        writer.push(&row, 0, row.line.text.len(), usize::MAX);
    }
    writer.finish()
}

/// Splits plain text so that each part's HTML has at most `limit_bytes` bytes, and returns the parts as HTML; a blank text has
/// no part.
///
/// A part ends between blocks or paragraphs, else after an item or a line, a sentence, a word, a grapheme. Code and lists that
/// do not fit into a part of their own are closed and opened again, a numbered list with the number it has reached; of a cut
/// item the rest is text, so that no number is there twice. A link is never cut: one that is too long is text. Parts carry no
/// marks, because Teams keeps them in order. The time is linear in the length of the text, a logarithm aside.
#[must_use]
pub fn split_for_teams(text: &str, limit_bytes: usize) -> Vec<String> {
    let text = normalised(text);
    parts::parts(rows(text.trim_end()), limit_bytes.max(LEAST_LIMIT))
}

/// Text as HTML on one line, several spaces kept, nothing in it understood; control characters, so line breaks, too, are
/// dropped. For names of files.
#[must_use]
pub fn escaped(text: &str) -> String {
    let breaks = |found: char| found.is_control() || matches!(found, '\u{2028}' | '\u{2029}');
    let line = text.replace(breaks, "");
    let mut html = Html::new();
    html.text(&line, usize::MAX);
    html.output
}

/// A link that shows a text, or the address where the text is blank. `None` when the address is none of http or https: what
/// else a link can do is not for a customer to click.
#[must_use]
pub fn link(address: &str, shown: &str) -> Option<String> {
    if !is_web_address(address) {
        return None;
    }
    let shown = match escaped(shown) {
        blank if shown.trim().is_empty() || blank.is_empty() => escaped(address),
        shown => shown,
    };
    Some(format!(r#"<a href="{}">{shown}</a>"#, escaped(address)))
}

#[cfg(test)]
mod tests;
