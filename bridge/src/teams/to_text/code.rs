//! Program text: blocks between fences, pieces of a line between backticks (CommonMark, sections "Fenced code blocks" and "Code
//! spans").

use super::characters::{Kind, kind};
use super::lines::Lines;
use super::tokens::Tag;
use crate::text::{LONGEST_LANGUAGE, fence, is_of_language};

/// The content of a `pre` or `codeblock` element that is being read.
pub(super) struct Block {
    text: String,
    pub(super) language: String,
    /// Elements of its kind that are open.
    pub(super) depth: usize,
    /// Elements in it that are open and whose end tag can also end one outside.
    pub(super) inner: usize,
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
        let fence = fence(text, 3);
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
    /// Elements that are open.
    pub(super) depth: usize,
    pub(super) text: String,
}

impl Inline {
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    pub(super) fn close(&mut self, lines: &mut Lines) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.write(lines);
        }
    }

    pub(super) fn close_all(&mut self, lines: &mut Lines) {
        self.depth = 0;
        self.write(lines);
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
            let needs_room = shown.starts_with('`') || shown.ends_with('`');
            let pad = if needs_room { " " } else { "" };
            lines.word(&format!("{fence}{pad}{shown}{pad}{fence}"));
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

/// The language that an element's class names, as one word; empty for none. Those besides `codeblock` may have other classes,
/// too (HTML standard, section "The code element").
pub(super) fn language(tag: &Tag<'_>) -> String {
    let class = tag.attribute("class").unwrap_or_default();
    let mut classes = class.split_ascii_whitespace();
    let name = match tag.name {
        "codeblock" => classes.next(),
        _ => classes.find_map(|class| {
            let prefixes = ["language-", "lang-"];
            prefixes
                .iter()
                .find_map(|prefix| class.strip_prefix(prefix))
        }),
    };
    name.filter(|name| !name.eq_ignore_ascii_case("plaintext"))
        .unwrap_or_default()
        .chars()
        .filter(is_of_language)
        .take(LONGEST_LANGUAGE)
        .collect()
}
