//! Program text: blocks between fences, pieces of a line between backticks (CommonMark, sections "Fenced code blocks" and "Code
//! spans").

use super::characters::{Kind, kind};
use super::lines::Lines;

/// Shortest fence of a block.
const FENCE: usize = 3;
/// Most characters of a language's name.
const LONGEST_LANGUAGE: usize = 32;

/// The content of a `pre` or `codeblock` element that is being read.
pub(super) struct Block {
    text: String,
    language: String,
    /// Elements of its kind that are open.
    depth: usize,
    /// Elements in it that are open and whose end tag can also end one outside.
    inner: usize,
    /// The line break right behind the start tag does not count.
    at_start: bool,
}

impl Block {
    pub(super) fn new(language: String) -> Self {
        Self {
            text: String::new(),
            language,
            depth: 1,
            inner: 0,
            at_start: true,
        }
    }

    /// Takes the language from an element inside, unless it is known.
    pub(super) fn set_language(&mut self, language: String) {
        if self.language.is_empty() {
            self.language = language;
        }
    }

    pub(super) fn open(&mut self) {
        self.depth += 1;
    }

    /// Closes one element; true when it was the block's own.
    pub(super) fn close(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.depth == 0
    }

    pub(super) fn open_inner(&mut self) {
        self.inner += 1;
    }

    pub(super) fn has_inner(&self) -> bool {
        self.inner > 0
    }

    /// Whether an end tag belongs to an element inside of the block; if not, it ends the block too.
    pub(super) fn close_inner(&mut self) -> bool {
        let was_open = self.inner > 0;
        self.inner = self.inner.saturating_sub(1);
        was_open
    }

    pub(super) fn text(&mut self, text: &str) {
        for character in text.chars() {
            let at_start = std::mem::take(&mut self.at_start);
            match kind(character) {
                _ if character == '\t' => self.text.push('\t'),
                Kind::Space if matches!(character, '\n' | '\r') => {
                    if !at_start {
                        self.text.push('\n');
                    }
                }
                Kind::Space | Kind::KeptSpace => self.text.push(' '),
                Kind::LineBreak => self.text.push('\n'),
                Kind::Invisible => {}
                Kind::Visible => self.text.push(character),
            }
        }
    }

    pub(super) fn line_break(&mut self) {
        self.at_start = false;
        self.text.push('\n');
    }

    /// Starts a new line, unless this one is still empty.
    pub(super) fn boundary(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Writes the block, unless there is nothing in it.
    pub(super) fn write(self, lines: &mut Lines) {
        if self.text.trim().is_empty() {
            lines.boundary();
            return;
        }
        let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
        let fence = fence(text, FENCE);
        lines.whole_line(&format!("{fence}{}", self.language), false);
        for line in text.split('\n') {
            lines.whole_line(line, false);
        }
        lines.whole_line(&fence, false);
    }
}

/// Program text in a line that is being read.
#[derive(Default)]
pub(super) struct Inline {
    depth: usize,
    text: String,
}

impl Inline {
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    pub(super) fn open(&mut self) {
        self.depth += 1;
    }

    pub(super) fn close(&mut self, lines: &mut Lines) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.write(lines);
        }
    }

    /// Closes all that is open.
    pub(super) fn close_all(&mut self, lines: &mut Lines) {
        self.depth = 0;
        self.write(lines);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes what was read so far, so that something else can follow.
    pub(super) fn write(&mut self, lines: &mut Lines) {
        if self.text.is_empty() {
            return;
        }
        let shown = shown(&self.text);
        let shown = shown.trim();
        if shown.is_empty() {
            lines.text(&self.text);
        } else {
            if self.text.starts_with(char::is_whitespace) {
                lines.space();
            }
            let fence = fence(shown, 1);
            let pad = if shown.starts_with('`') || shown.ends_with('`') {
                " "
            } else {
                ""
            };
            lines.as_is(&format!("{fence}{pad}{shown}{pad}{fence}"));
            if self.text.ends_with(char::is_whitespace) {
                lines.space();
            }
        }
        self.text.clear();
    }
}

/// White space collapsed, no-break spaces as spaces.
fn shown(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        match kind(character) {
            Kind::Space if output.ends_with(' ') => {}
            Kind::Space | Kind::KeptSpace | Kind::LineBreak => output.push(' '),
            Kind::Invisible => {}
            Kind::Visible => output.push(character),
        }
    }
    output
}

/// The language in the class of an element that may also have other classes (HTML standard, section "The code element").
pub(super) fn prefixed_language(class: &str) -> String {
    class
        .split_ascii_whitespace()
        .find_map(|class| {
            class
                .strip_prefix("language-")
                .or_else(|| class.strip_prefix("lang-"))
        })
        .map(language)
        .unwrap_or_default()
}

/// The language that the class of a `codeblock` names, as one word; empty for none.
pub(super) fn language(class: &str) -> String {
    let class = class.split_ascii_whitespace().next().unwrap_or_default();
    if class.eq_ignore_ascii_case("plaintext") {
        return String::new();
    }
    class
        .chars()
        .filter(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '+' | '#' | '.' | '-')
        })
        .take(LONGEST_LANGUAGE)
        .collect()
}

/// Backticks, more than there are side by side in a text, and at least so many.
fn fence(text: &str, least: usize) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat(least.max(longest + 1))
}
