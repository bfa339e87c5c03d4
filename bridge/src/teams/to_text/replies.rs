//! The message that a reply quotes, as older clients write it: a `blockquote` of the type `http://schema.skype.com/Reply` with
//! the writer's name, the time and the beginning of the text.

use super::characters::{Kind, is_direction_mark, kind, one_line, shortened};
use super::elements::{emoji, is_block};
use super::lines::Lines;
use super::tokens::Tag;
use super::{LONGEST_PREVIEW, MOST_PREVIEW_LINES, quotation};
use crate::text::LONGEST_NAME;

/// Whether a `blockquote` holds the message that a reply quotes.
pub(super) fn is_reply(tag: &Tag<'_>) -> bool {
    tag.name == "blockquote"
        && tag.attribute("itemtype").is_some_and(|kind| {
            kind.trim()
                .to_ascii_lowercase()
                .ends_with("schema.skype.com/reply")
        })
}

/// A quoted message that is being read.
pub(super) struct Reply {
    /// Quotes that are open, this one included.
    depth: usize,
    is_known: bool,
    name: String,
    preview: String,
    part: Part,
}

/// What the text that comes next belongs to.
enum Part {
    Name,
    Time,
    Preview,
}

impl Reply {
    pub(super) fn new(is_known: bool) -> Self {
        Self {
            depth: 1,
            is_known,
            name: String::new(),
            preview: String::new(),
            part: Part::Preview,
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        match self.part {
            Part::Name => self.name.extend(
                text.chars()
                    .filter(|character| !is_direction_mark(*character)),
            ),
            Part::Time => {}
            Part::Preview => {
                self.preview
                    .extend(text.chars().map(|character| match kind(character) {
                        Kind::LineBreak => '\n',
                        Kind::Space => ' ',
                        _ => character,
                    }))
            }
        }
    }

    pub(super) fn start(&mut self, tag: &Tag<'_>) {
        match tag.attribute("itemprop").as_deref() {
            Some("mri") => self.part = Part::Name,
            Some("time") => self.part = Part::Time,
            Some("preview") => self.part = Part::Preview,
            _ => {}
        }
        if let Some(emoji) = emoji(tag) {
            self.text(&emoji);
            return;
        }
        match tag.name {
            "blockquote" => self.depth += 1,
            "img" => self.text("[image]"),
            "video" => self.text("[video]"),
            "audio" => self.text("[audio]"),
            _ => {}
        }
        self.line_break(tag.name);
    }

    /// True when the quote is over.
    pub(super) fn end(&mut self, name: &str) -> bool {
        if matches!(name, "strong" | "span" | "p" | "div") {
            self.part = Part::Preview;
        }
        self.line_break(name);
        if name == "blockquote" {
            self.depth -= 1;
        }
        self.depth == 0
    }

    fn line_break(&mut self, name: &str) {
        if name == "br" || is_block(name) || matches!(name, "td" | "th") {
            self.preview.push('\n');
        }
    }

    /// Writes the quote as `> Name: beginning`.
    pub(super) fn write(&self, lines: &mut Lines) {
        let name = shortened(&one_line(&self.name), LONGEST_NAME);
        let preview = self.preview();
        if name.is_empty() && preview.is_empty() {
            return;
        }
        let name = Some(&*name).filter(|name| !name.is_empty());
        let text = quotation(name, &preview, self.is_known);
        lines.boundary();
        lines.quotes += 1;
        for line in text.split('\n') {
            lines.text(line);
            lines.boundary();
        }
        lines.close_quote();
    }

    /// The beginning of the message, shortened.
    fn preview(&self) -> String {
        let mut lines = self
            .preview
            .split('\n')
            .map(one_line)
            .filter(|line| !line.is_empty());
        let first: Vec<String> = lines.by_ref().take(MOST_PREVIEW_LINES).collect();
        let mut preview = shortened(&first.join("\n"), LONGEST_PREVIEW);
        if lines.next().is_some() && !preview.ends_with('…') {
            preview.push('…');
        }
        preview
    }
}
