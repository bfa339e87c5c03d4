//! Splits a long text into parts that a service takes, at the best place near the end of each part.

use unicode_segmentation::UnicodeSegmentation;

/// The least limit that [`split`] and its relatives work with; a smaller one is taken as this.
pub const LEAST_LIMIT: usize = 64;

/// Splits a text into parts of at most `limit` characters (Unicode scalar values), the mark `(1/3) ` included that tells
/// which part of how many it is. A text that fits is one part without a mark; a blank text has no part.
///
/// A part ends at a paragraph, else a line, a sentence, a word, a grapheme; a grapheme is cut only when it does not fit into
/// a part of its own. White space at the places of the cuts is dropped, everything else is kept in order. The time is linear
/// in the length of the text.
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
        let parts = pieces(text, budget, |grapheme| grapheme.chars().count());
        let total = parts.len();
        if total.to_string().len() <= digits {
            return match parts.as_slice() {
                [only] => vec![(*only).to_owned()],
                parts => parts
                    .iter()
                    .enumerate()
                    .map(|(index, part)| format!("({}/{total}) {part}", index + 1))
                    .collect(),
            };
        }
        digits += 1;
    }
}

/// Cuts a text into pieces whose graphemes cost at most `budget` together; no piece is blank. `cost` of a grapheme is at least
/// one per character.
pub(crate) fn pieces(text: &str, budget: usize, cost: impl Fn(&str) -> usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = cut(rest, budget, &cost);
        let (piece, after) = rest.split_at(end);
        let trimmed = piece.trim_end();
        if !trimmed.is_empty() {
            pieces.push(trimmed);
        }
        rest = without_gap(after, piece.ends_with('\n'), budget);
    }
    pieces
}

/// How good a place for a cut is; the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Grapheme,
    Word,
    Sentence,
    Line,
    Paragraph,
}

/// Where the first piece of a text ends: the end of the text when it fits, else the best of the last places in the second
/// half of what fits. The second half only, so that pieces stay few and the time linear.
pub(crate) fn cut(text: &str, budget: usize, cost: &impl Fn(&str) -> usize) -> usize {
    // One character more than can fit: whether a grapheme that ends the window goes on behind it is then of no matter.
    let window_end = text
        .char_indices()
        .nth(budget + 1)
        .map_or(text.len(), |(index, _)| index);
    let window = &text[..window_end];
    let mut spent = 0;
    let mut context = Context::default();
    let mut best: Option<(Place, usize)> = None;
    let mut last = 0;
    for (start, grapheme) in window.grapheme_indices(true) {
        if start > 0 {
            last = start;
            let place = context.place(grapheme);
            if spent * 2 >= budget && best.is_none_or(|(known, _)| place >= known) {
                best = Some((place, start));
            }
        }
        spent += cost(grapheme);
        if spent > budget {
            return match best {
                Some((_, index)) => index,
                None if last > 0 => last,
                None => inside(grapheme, budget, cost),
            };
        }
        context.push(grapheme);
    }
    window.len()
}

/// Where a grapheme is cut that does not fit into a piece of its own: after as many characters as fit, at least one.
fn inside(grapheme: &str, budget: usize, cost: &impl Fn(&str) -> usize) -> usize {
    let mut spent = 0;
    let mut end = 0;
    for (index, character) in grapheme.char_indices() {
        let next = index + character.len_utf8();
        spent += cost(&grapheme[index..next]);
        if end > 0 && spent > budget {
            break;
        }
        end = next;
    }
    end
}

/// Drops the white space behind a cut, but keeps the indentation of a line.
fn without_gap(text: &str, at_line_start: bool, most: usize) -> &str {
    let mut gap = 0;
    let mut line_start = at_line_start.then_some(0);
    for (index, grapheme) in text.grapheme_indices(true).take(most) {
        if !grapheme.trim().is_empty() {
            break;
        }
        gap = index + grapheme.len();
        if grapheme.ends_with('\n') {
            line_start = Some(gap);
        }
    }
    &text[line_start.unwrap_or(gap)..]
}

/// What went before a place, as far as it says how good the place is.
#[derive(Default)]
struct Context {
    /// Line breaks since the last visible grapheme.
    breaks: usize,
    /// The last grapheme was a line break: what follows is the line's indentation, if not the line.
    line_start: bool,
    /// White space since the last visible grapheme.
    space: bool,
    /// The last visible grapheme ends a sentence, closing quotes and brackets passed over.
    sentence: bool,
    /// ... and needs no space behind it.
    full_width: bool,
}

impl Context {
    fn push(&mut self, grapheme: &str) {
        self.line_start = grapheme.ends_with('\n');
        if self.line_start {
            self.breaks += 1;
            self.space = true;
        } else if grapheme.trim().is_empty() {
            self.space = true;
        } else {
            let closing = matches!(
                grapheme,
                "\"" | "'" | ")" | "]" | "\u{201d}" | "\u{2019}" | "»" | "」" | "』" | "）"
            );
            let sentence_goes_on = closing && !self.space;
            if !sentence_goes_on {
                self.full_width = matches!(grapheme, "。" | "！" | "？");
                self.sentence = self.full_width || matches!(grapheme, "." | "!" | "?" | "…");
            }
            self.breaks = 0;
            self.space = false;
        }
    }

    /// The place before `next`.
    fn place(&self, next: &str) -> Place {
        let gap_follows = next.trim().is_empty();
        match self.breaks {
            2.. if self.line_start => Place::Paragraph,
            1 if self.line_start => Place::Line,
            _ if self.sentence && (self.space || self.full_width || gap_follows) => Place::Sentence,
            _ if self.space || gap_follows => Place::Word,
            _ => Place::Grapheme,
        }
    }
}

#[cfg(test)]
mod tests;
