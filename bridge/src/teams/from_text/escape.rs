//! Characters as HTML.

use crate::text::is_line_break;

/// What keeps a space that HTML would drop.
const KEPT_SPACE: &str = "&nbsp;";
/// A tab in a block of code.
const TAB_IN_CODE: &str = "&nbsp;&nbsp;&nbsp;&nbsp;";
/// Most bytes that one character takes.
pub(super) const WIDEST: usize = TAB_IN_CODE.len();

pub(super) struct Html {
    pub(super) output: String,
    /// HTML would drop a space here: a line starts, or another space went before.
    after_space: bool,
}

impl Html {
    pub(super) fn new() -> Self {
        Self {
            output: String::new(),
            after_space: true,
        }
    }

    /// Adds a tag that starts a line.
    pub(super) fn start_line(&mut self, tag: &str) {
        self.output.push_str(tag);
        self.after_space = true;
    }

    /// Adds a tag within a line.
    pub(super) fn tag(&mut self, tag: &str) {
        self.output.push_str(tag);
    }

    /// Adds text, several spaces kept, until the output is longer than `most`.
    pub(super) fn text(&mut self, text: &str, most: usize) {
        for character in text.chars() {
            match character {
                _ if self.output.len() > most => break,
                ' ' | '\t' if self.after_space => self.output.push_str(KEPT_SPACE),
                ' ' | '\t' => {
                    self.output.push(' ');
                    self.after_space = true;
                }
                _ => self.character(character),
            }
        }
    }

    /// Adds a line of a block of code, or the rest of one, until the output is longer than `most`.
    pub(super) fn code_line(&mut self, text: &str, most: usize) {
        for piece in text.split_inclusive('\t') {
            let before = piece.strip_suffix('\t');
            self.text(before.unwrap_or(piece), most);
            if before.is_some() && self.output.len() <= most {
                self.output.push_str(TAB_IN_CODE);
                self.after_space = true;
            }
        }
    }

    pub(super) fn link(&mut self, address: &str) {
        self.output.push_str(r#"<a href=""#);
        address.chars().for_each(|found| self.character(found));
        self.output.push_str(r#"">"#);
        address.chars().for_each(|found| self.character(found));
        self.output.push_str("</a>");
    }

    fn character(&mut self, character: char) {
        match character {
            '&' => self.output.push_str("&amp;"),
            '<' => self.output.push_str("&lt;"),
            '>' => self.output.push_str("&gt;"),
            '"' => self.output.push_str("&quot;"),
            '\'' => self.output.push_str("&#39;"),
            character if character.is_control() => return,
            character => self.output.push(character),
        }
        self.after_space = false;
    }
}

/// Most bytes that a character other than a tab in code takes.
pub(super) fn cost(character: char) -> usize {
    match character {
        ' ' | '\t' | '"' => KEPT_SPACE.len(),
        '&' | '\'' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        character => character.len_utf8(),
    }
}

/// A text in the form that the other modules work with: each line break is a line feed, and there is no control character
/// besides line feeds and tabs.
pub(super) fn normalised(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            _ if is_line_break(character) => output.push('\n'),
            '\t' => output.push('\t'),
            _ if character.is_control() => {}
            _ => output.push(character),
        }
    }
    output
}
