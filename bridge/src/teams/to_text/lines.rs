//! Puts words, line breaks, quote marks and indentation together, white space collapsed as HTML collapses it.

use unicode_width::UnicodeWidthChar as _;

use super::characters::{Kind, kind};

/// Deepest quote or list that is still indented: more would multiply the length of hostile input.
const DEEPEST: usize = 8;

/// Plain text under construction.
#[derive(Default)]
pub(super) struct Lines {
    output: String,
    line: Line,
    /// Spaces that are due before the next word of the line; they vanish at its end.
    spaces: usize,
    /// Whether the last of the due spaces still swallows others.
    collapsing: bool,
    /// Line breaks are due before the next word.
    breaks: usize,
    /// Quotes that are open.
    pub(super) quotes: usize,
    quotes_of_last_line: usize,
    indentation: usize,
    /// What stands before the item of a list that starts.
    pub(super) marker: Option<String>,
    /// All is one line: line breaks are spaces.
    flow: bool,
    /// The last word is whole: letters that follow at once are another one.
    apart: bool,
    /// In a flow, what is due before the next word instead of a space.
    pub(super) separator: Option<&'static str>,
    /// Elements that strike through and are open, and whether the mark before their text is written.
    pub(super) strikes: usize,
    is_struck: bool,
    script: Script,
    /// Where the text ends if nothing but pictures' notices follows.
    cut: Option<usize>,
    /// Longer than this, only the outermost quote is marked, or hostile input would grow too much.
    generous: usize,
}

/// What the current line holds so far.
#[derive(Default, PartialEq, Eq)]
enum Line {
    #[default]
    Nothing,
    /// Spaces that are to be kept when a word follows.
    Blank,
    Something,
}

/// A raised or lowered text.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Script {
    #[default]
    None,
    /// Nothing of it is written yet.
    Due(Place),
    /// It follows the mark that ends here.
    Marked(usize),
    /// It needs no mark.
    Plain,
}

/// Where a text stands beside the line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Above,
    Below,
}

impl Lines {
    /// Lines for HTML of this many bytes.
    pub(super) fn for_html(length: usize) -> Self {
        Self {
            output: String::with_capacity(length / 2),
            generous: length.saturating_mul(3).saturating_add(1 << 12),
            ..Self::default()
        }
    }

    /// Text on one line, as in the cell of a table.
    pub(super) fn flow() -> Self {
        Self {
            flow: true,
            ..Self::default()
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = rest
                .bytes()
                .position(|byte| !byte.is_ascii_graphic())
                .unwrap_or(rest.len());
            if word > 0 {
                self.word(&rest[..word]);
                rest = &rest[word..];
            }
            let Some(character) = rest.chars().next() else {
                return;
            };
            let (this, after) = rest.split_at(character.len_utf8());
            match kind(character) {
                Kind::Space => self.space(),
                Kind::KeptSpace => self.kept_space(),
                Kind::LineBreak => self.line_break(),
                Kind::Invisible => {}
                Kind::Visible => self.word(this),
            }
            rest = after;
        }
    }

    /// Keeps letters that follow at once apart from those before.
    pub(super) fn start_word(&mut self) {
        self.apart |= self.output.ends_with(is_letter_of_word);
    }

    /// Keeps letters that follow at once apart from the last word.
    pub(super) fn end_word(&mut self) {
        self.apart = true;
    }

    /// Adds a picture's notice, which is left out again when nothing else follows.
    pub(super) fn notice(&mut self, text: &str) {
        let cut = self.cut.unwrap_or(self.end_of_line());
        self.text(text);
        self.cut = Some(cut);
    }

    /// A line of its own, spaces as they are; a picture's notice alone may be left out again.
    pub(super) fn whole_line(&mut self, text: &str, only_notices: bool) {
        self.boundary();
        let cut = self.cut.unwrap_or(self.end_of_line());
        self.start_line();
        self.output.push_str(text);
        self.trim_line();
        self.cut = only_notices.then_some(cut);
        self.break_line();
    }

    /// A space that collapses with others, and vanishes at both ends of a line.
    pub(super) fn space(&mut self) {
        if self.line != Line::Nothing && !self.collapsing {
            self.spaces += 1;
            self.collapsing = true;
        }
    }

    fn kept_space(&mut self) {
        self.spaces += 1;
        self.collapsing = false;
        if self.line == Line::Nothing {
            self.line = Line::Blank;
        }
    }

    /// Starts a new line, unless this one is still empty.
    pub(super) fn boundary(&mut self) {
        if self.flow || self.line != Line::Nothing {
            self.line_break();
        }
    }

    pub(super) fn line_break(&mut self) {
        if self.flow {
            self.space();
        } else {
            self.break_line();
        }
    }

    /// Starts a new line, with an empty one before it.
    pub(super) fn empty_line(&mut self) {
        self.boundary();
        if !self.flow && self.marker.is_none() {
            self.breaks = 2;
        }
    }

    fn break_line(&mut self) {
        self.suspend_strike();
        // One empty line at most.
        self.breaks = (self.breaks + 1).min(2);
        self.line = Line::Nothing;
        self.spaces = 0;
        self.collapsing = false;
    }

    /// Adds to the last word, before the line breaks that are due.
    pub(super) fn append(&mut self, text: &str) {
        self.cut = None;
        self.output.push_str(text);
    }

    pub(super) fn close_quote(&mut self) {
        self.quotes = self.quotes.saturating_sub(1);
    }

    pub(super) fn close_strike(&mut self) {
        self.strikes = self.strikes.saturating_sub(1);
        if self.strikes == 0 {
            self.suspend_strike();
        }
    }

    /// Starts a text that stands above or below the line; of nested ones the outermost counts.
    pub(super) fn open_script(&mut self, place: Place) {
        if self.script == Script::None {
            self.script = Script::Due(place);
        }
    }

    pub(super) fn close_script(&mut self) {
        if let Script::Marked(start) = std::mem::take(&mut self.script)
            && let Some(shown) = self.output.get(start..)
            && !shown.contains('\n')
        {
            let unsigned = shown.strip_prefix(['+', '-', '−']).unwrap_or(shown);
            if !unsigned.chars().all(char::is_alphanumeric) {
                self.output.insert(start, '(');
                self.output.push(')');
            }
        }
    }

    /// Depth of lists from here on.
    pub(super) fn indent(&mut self, depth: usize) {
        self.indentation = depth;
        self.marker = None;
    }

    /// Whether there is nothing but pictures' notices, if anything.
    pub(super) fn has_only_notices(&self) -> bool {
        self.output.is_empty() || self.cut == Some(0)
    }

    /// The whole text, without white space at its end, and with the pictures' notices there or without them.
    pub(super) fn finish(mut self, keeps_notices: bool) -> String {
        self.suspend_strike();
        let cut = self.cut.filter(|_| !keeps_notices);
        self.output.truncate(cut.unwrap_or(self.output.len()));
        self.output.truncate(self.output.trim_end().len());
        self.output
    }

    /// Adds something visible as it is: it has no line break, and starts and ends with something visible.
    pub(super) fn word(&mut self, word: &str) {
        self.cut = None;
        let mut joined = false;
        if self.line == Line::Something {
            let spaces = std::mem::take(&mut self.spaces);
            if let Some(separator) = self.separator.take() {
                self.output.push_str(separator);
            } else {
                let apart = self.apart && word.starts_with(is_letter_of_word);
                joined = spaces == 0 && !apart;
                self.push_spaces(if apart { spaces.max(1) } else { spaces });
            }
            if let Some(marker) = self.marker.take() {
                self.output.push_str(&marker);
            }
        } else {
            self.start_line();
        }
        self.collapsing = false;
        if self.strikes > 0 && !self.is_struck {
            self.output.push_str("~~");
            self.is_struck = true;
            joined = false;
        }
        if let Script::Due(place) = self.script {
            self.start_script(place, joined, word);
        }
        self.output.push_str(word);
        self.apart = false;
    }

    /// `x^2` and `10_2`, which would be other numbers without the mark, but `1st` and `H2O`.
    fn start_script(&mut self, place: Place, joined: bool, word: &str) {
        let before = self.output.chars().next_back().filter(|_| joined);
        let after = word.chars().next();
        let (Some(before), Some(after)) = (before, after) else {
            self.script = Script::Plain;
            return;
        };
        let after_digit = before.is_numeric();
        let is_sign = matches!(after, '+' | '-' | '−');
        let mark = match place {
            Place::Above if after_digit && after.is_alphabetic() => None,
            Place::Above if after.is_alphanumeric() || is_sign => Some('^'),
            Place::Below if after_digit && after.is_alphanumeric() => Some('_'),
            Place::Below if before.is_alphabetic() && after.is_alphabetic() => Some('_'),
            Place::Above | Place::Below => None,
        };
        self.output.extend(mark);
        self.script = match mark {
            Some(_) => Script::Marked(self.output.len()),
            None => Script::Plain,
        };
    }

    fn start_line(&mut self) {
        let deepest = match self.flow {
            true => 0,
            false if self.output.len() > self.generous => 1,
            false => DEEPEST,
        };
        let quotes = self.quotes.min(deepest);
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
        let depth = self.indentation.min(deepest);
        self.push_spaces(2 * depth.saturating_sub(usize::from(marker.is_some())));
        self.output.push_str(marker.as_deref().unwrap_or_default());
        let spaces = std::mem::take(&mut self.spaces);
        self.push_spaces(spaces);
        self.separator = None;
        self.line = Line::Something;
    }

    /// Closes the strike on this line; it goes on with the next word.
    fn suspend_strike(&mut self) {
        if std::mem::take(&mut self.is_struck) {
            self.output.push_str("~~");
        }
    }

    fn push_quotes(&mut self, quotes: usize) {
        self.output.extend(std::iter::repeat_n("> ", quotes));
    }

    fn push_spaces(&mut self, spaces: usize) {
        self.output.extend(std::iter::repeat_n(' ', spaces));
    }

    fn trim_line(&mut self) {
        self.output.truncate(self.end_of_line());
    }

    fn end_of_line(&self) -> usize {
        self.output.trim_end_matches([' ', '\t']).len()
    }
}

/// Whether spaces part the words that this character is used in; Chinese and Japanese have none.
fn is_letter_of_word(character: char) -> bool {
    character.is_alphanumeric() && character.width() == Some(1)
}
