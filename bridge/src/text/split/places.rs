//! How good a place is for a cut.

/// How good a place for a cut is; the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Grapheme,
    Word,
    Sentence,
    Line,
    Paragraph,
}

/// What went before a place, as far as it says how good the place is.
#[derive(Default)]
pub(super) struct Context {
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
    /// Takes the next grapheme in.
    pub(super) fn push(&mut self, grapheme: &str) {
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
    pub(super) fn place(&self, next: &str) -> Place {
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
