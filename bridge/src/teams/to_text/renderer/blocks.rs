//! Blocks of code inside of a message.

use super::Renderer;
use crate::teams::to_text::code::{Block, language};
use crate::teams::to_text::elements::{is_block, is_preformatted};
use crate::teams::to_text::tokens::Tag;

impl Renderer<'_> {
    pub(super) fn open_preformatted(&mut self, tag: &Tag<'_>) {
        if self.in_cell() {
            self.code.depth += 1;
            return;
        }
        // A link's address behind the fence would spoil it.
        self.close_pieces();
        self.lines.boundary();
        self.block = Some(Block::new(language(tag)));
    }

    pub(super) fn write_block(&mut self) {
        if self.block.is_some() {
            self.close_link();
        }
        if let Some(block) = self.block.take() {
            block.write(&mut self.lines);
        }
    }

    pub(super) fn start_in_block(&mut self, tag: &Tag<'_>) {
        match tag.name {
            "a" => self.open_link(tag),
            "img" | "video" | "audio" => self.picture(tag),
            _ => {}
        }
        let Some(block) = &mut self.block else {
            return;
        };
        match tag.name {
            "br" => block.line_break(),
            "code" if block.language.is_empty() => block.language = language(tag),
            "td" | "th" => block.text(" "),
            name if is_preformatted(name) => block.depth += 1,
            name if is_block(name) => {
                block.boundary();
                block.inner += usize::from(has_end_tag(name));
            }
            _ => {}
        }
    }

    pub(super) fn end_in_block(&mut self, name: &str) {
        if name == "a" {
            self.close_link();
        }
        let Some(block) = &mut self.block else {
            return;
        };
        let is_over = match name {
            "br" => {
                block.line_break();
                return;
            }
            name if is_preformatted(name) => {
                block.depth -= 1;
                block.depth == 0
            }
            "td" | "th" | "tr" | "li" => block.inner == 0,
            name if has_end_tag(name) => {
                let was_outside = block.inner == 0;
                block.inner = block.inner.saturating_sub(1);
                was_outside
            }
            _ => false,
        };
        if is_block(name) {
            block.boundary();
        }
        if is_over {
            self.write_block();
            if !is_preformatted(name) {
                self.end(name);
            }
        }
    }
}

/// Elements that only their end tag ends, or that of an element around them.
fn has_end_tag(name: &str) -> bool {
    matches!(
        name,
        "blockquote" | "div" | "ul" | "ol" | "menu" | "table" | "section" | "article"
    )
}
