//! Puts words, line breaks, quote marks and indentation together, white space collapsed as HTML collapses it.

/// Deepest quote or list that is still indented: more would multiply the length of hostile input.
const DEEPEST: usize = 8;

/// Plain text under construction.
#[derive(Default)]
pub(super) struct Lines {
    output: String,
    line: Line,
    /// A space is due before the next word of the line.
    space: bool,
    /// Line breaks are due before the next word.
    breaks: usize,
    quotes: usize,
    quotes_of_last_line: usize,
    indentation: usize,
    preformatted: usize,
    /// The line break right behind the start tag of preformatted text does not count.
    preformatted_start: bool,
    marker: Option<String>,
    span: Span,
}

/// Where a remembered span starts.
#[derive(Default)]
enum Span {
    #[default]
    Empty,
    From(usize),
}

/// What the current line holds so far.
#[derive(Default, PartialEq, Eq)]
enum Line {
    #[default]
    Nothing,
    /// Something, if only a space that is to be kept.
    Something,
}

impl Lines {
    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let at_start = std::mem::take(&mut self.preformatted_start);
            match character {
                '\r' if characters.peek() == Some(&'\n') => self.preformatted_start = at_start,
                '\n' | '\r' if self.preformatted > 0 => {
                    if !at_start {
                        self.line_break();
                    }
                }
                '\u{2028}' | '\u{2029}' => self.line_break(),
                ' ' | '\t' if self.preformatted > 0 => self.push(character),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.space(),
                // No-break spaces: kept, as an ordinary space.
                '\u{a0}' | '\u{202f}' | '\u{2007}' => self.push(' '),
                character if is_invisible(character) => {}
                character => self.push(character),
            }
        }
    }

    /// A space that collapses with others, and vanishes at both ends of a line.
    pub(super) fn space(&mut self) {
        self.space = self.line == Line::Something;
    }

    /// Starts a new line, unless this one is still empty.
    pub(super) fn boundary(&mut self) {
        if self.line == Line::Something {
            self.line_break();
        }
    }

    /// Ends the line.
    pub(super) fn line_break(&mut self) {
        // One empty line at most, but in preformatted text as many as there are.
        if self.breaks < 2 || self.preformatted > 0 {
            self.breaks += 1;
        }
        self.line = Line::Nothing;
        self.space = false;
    }

    /// Adds to the last word, before the line breaks that are due.
    pub(super) fn append(&mut self, text: &str) {
        self.output.push_str(text);
    }

    pub(super) fn open_quote(&mut self) {
        self.quotes += 1;
    }

    pub(super) fn close_quote(&mut self) {
        self.quotes = self.quotes.saturating_sub(1);
    }

    pub(super) fn open_preformatted(&mut self) {
        self.preformatted += 1;
        self.preformatted_start = true;
    }

    pub(super) fn close_preformatted(&mut self) {
        self.preformatted = self.preformatted.saturating_sub(1);
        self.preformatted_start = false;
    }

    /// Depth of lists from here on.
    pub(super) fn indent(&mut self, depth: usize) {
        self.indentation = depth;
        self.marker = None;
    }

    /// Starts a list item.
    pub(super) fn mark(&mut self, marker: String) {
        self.marker = Some(marker);
    }

    /// Starts to remember what is added.
    pub(super) fn open_span(&mut self) {
        self.span = Span::Empty;
    }

    /// What was added since the span was opened, without the line's marks before it.
    pub(super) fn span(&self) -> &str {
        match self.span {
            Span::Empty => "",
            Span::From(start) => self.output.get(start..).unwrap_or_default(),
        }
    }

    /// The whole text, without white space around it.
    pub(super) fn finish(mut self) -> String {
        self.output.truncate(self.output.trim_end().len());
        self.output
    }

    fn push(&mut self, character: char) {
        if self.line == Line::Nothing {
            self.start_line();
        }
        if std::mem::take(&mut self.space) {
            self.output.push(' ');
        }
        if matches!(self.span, Span::Empty) {
            self.span = Span::From(self.output.len());
        }
        self.output.push(character);
    }

    fn start_line(&mut self) {
        let quotes = self.quotes.min(DEEPEST);
        let breaks = std::mem::take(&mut self.breaks);
        if !self.output.is_empty() {
            self.trim_line();
            let between = quotes.min(self.quotes_of_last_line);
            for left in (0..breaks).rev() {
                self.output.push('\n');
                if left > 0 {
                    self.push_quotes(between);
                    self.trim_line();
                }
            }
        }
        self.push_quotes(quotes);
        self.quotes_of_last_line = quotes;
        let marker = self.marker.take();
        let depth = self.indentation.min(DEEPEST);
        let steps = if marker.is_some() {
            depth.saturating_sub(1)
        } else {
            depth
        };
        self.output.extend(std::iter::repeat_n("  ", steps));
        self.output.push_str(marker.as_deref().unwrap_or_default());
        self.line = Line::Something;
    }

    fn push_quotes(&mut self, quotes: usize) {
        self.output.extend(std::iter::repeat_n("> ", quotes));
    }

    fn trim_line(&mut self) {
        self.output
            .truncate(self.output.trim_end_matches([' ', '\t']).len());
    }
}

/// Marks that take no room and stand for nothing; joiners are not among them, since emoji and some scripts need them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') || character.is_control()
}
