//! Splits a long text into parts that a service takes, at the best place near the end of each part.

mod barriers;
mod cut;
pub(crate) mod fences;
mod frames;
mod places;

pub(crate) use barriers::Barriers;
pub(crate) use cut::{Material, after_gap, cut};
use frames::Frames;
pub(crate) use places::Place;

/// The least limit that a text is split with; a smaller one is taken as this.
pub const LEAST_LIMIT: usize = 64;

/// Splits a text into parts of at most `limit` characters (Unicode scalar values), the mark `(1/3) ` included that tells
/// which part of how many it is. A text that fits is one part without a mark; a blank text has no part.
///
/// A part ends at a paragraph, else a line, a sentence, a word, a grapheme. A word that fits into a part is not cut, and
/// neither is an http, https or mailto address; a grapheme is cut only when it does not fit into a part of its own. White space
/// at the places of the cuts is dropped, everything else is kept in order.
///
/// A block of code (CommonMark's fenced code blocks) that is cut is closed at the end of the part and opened again in the
/// next, and a line of a quote that is cut gets its `> ` again. Behind the mark of a part that starts with one of these a line
/// starts, since they count only there. Marks of more than some characters are not repeated: a part is there for the text.
///
/// The time is linear in the length of the text, a logarithm aside.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(LEAST_LIMIT);
    let text = text.trim_end();
    if text.is_empty() {
        return Vec::new();
    }
    if text.chars().count() <= limit {
        return vec![text.to_owned()];
    }
    // The mark's width depends on the number of parts: one pass for each number of digits until it is enough.
    let mut digits = 1;
    loop {
        let mark = "(/) ".len() + 2 * digits;
        let budget = limit.saturating_sub(mark).max(LEAST_LIMIT / 2);
        let pieces = framed_pieces(text, budget);
        let total = pieces.len();
        if total.to_string().len() <= digits {
            return match pieces.as_slice() {
                [only] => vec![only.text()],
                pieces => pieces
                    .iter()
                    .enumerate()
                    .map(|(index, piece)| {
                        let gap = if piece.starts_line { '\n' } else { ' ' };
                        format!("({}/{total}){gap}{}", index + 1, piece.text())
                    })
                    .collect(),
            };
        }
        digits += 1;
    }
}

/// A piece of the text, with what closes and opens again the block of code or the quote that a cut went through.
#[derive(Debug)]
struct Piece<'a> {
    opening: String,
    body: &'a str,
    closing: Option<&'a str>,
    /// It starts with a mark that counts only at the start of a line.
    starts_line: bool,
}

impl Piece<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}{}", self.opening, self.body);
        if let Some(closing) = self.closing {
            text.push('\n');
            text.push_str(closing);
        }
        text
    }
}

/// Cuts a text into pieces of at most `budget` characters; none is blank.
fn framed_pieces(text: &str, budget: usize) -> Vec<Piece<'_>> {
    let frames = Frames::new(text, budget);
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let end = cut(text, from, frames.fresh_room(from), &frames);
        let body = text[from..end].trim_end();
        if !body.is_empty() {
            let opening = frames.opening(from);
            pieces.push(Piece {
                starts_line: !opening.is_empty() || frames.starts(from),
                opening,
                body,
                closing: frames.closing_line(end).filter(|_| end < text.len()),
            });
        }
        from = after_gap(text, end, budget);
    }
    pieces
}

#[cfg(test)]
mod tests;
