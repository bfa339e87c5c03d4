//! Tokens one after the other as text.

mod blocks;
mod cells;
mod pictures;

use std::collections::BTreeSet;

use super::code::{Block, Inline};
use super::elements::{Layout, emoji, is_hidden, is_mention, is_part_of_table, layout};
use super::hidden::{End, Hidden};
use super::lines::{Lines, Place};
use super::links::Link;
use super::replies::{Reply, is_reply};
use super::tokens::{Tag, Token};
use super::{InlineImage, Rendered, ReplyContext};
use cells::OpenTable;
use pictures::Recording;

/// What becomes of pictures that Graph keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pictures {
    /// They leave a notice.
    Notice,
    /// They are collected, and their notices numbered or not; those at the end stay or are left out.
    Collect { numbered: bool, last_notices: bool },
}

/// Reads tokens. Each part of a message that is written only when it is over (a quoted message, a block of code, a piece of
/// code in a line, a table) collects what is in it.
pub(super) struct Renderer<'a> {
    /// What becomes of the message that a reply quotes; without it, it is a quote as any other.
    replies: Option<ReplyContext>,
    /// Whether the id of a quoted message is known.
    known: &'a dyn Fn(&str) -> bool,
    /// What stands in the place of an attachment.
    attachment: &'a dyn Fn(&str) -> Option<String>,
    /// Attachments that have their place: each is shown once.
    placed: BTreeSet<String>,
    quotes: bool,
    pictures: Pictures,
    /// Whether the tables still to come have columns.
    columns: std::slice::Iter<'a, bool>,
    images: Vec<InlineImage>,
    lines: Lines,
    lists: Vec<List>,
    link: Option<Link>,
    reply: Option<Reply>,
    block: Option<Block>,
    code: Inline,
    table: Option<OpenTable>,
    hidden: Option<Hidden>,
    in_paragraph: bool,
    open_tables: usize,
    recording: Option<Recording>,
    /// The spans that are open inside of a mention written as one, itself included.
    mention: usize,
}

/// What marks the items of a list.
enum List {
    Bullets,
    Numbers(i64),
}

impl<'a> Renderer<'a> {
    /// For HTML of so many bytes.
    pub(super) fn new(
        length: usize,
        columns: &'a [bool],
        replies: Option<ReplyContext>,
        known: &'a dyn Fn(&str) -> bool,
        attachment: &'a dyn Fn(&str) -> Option<String>,
        pictures: Pictures,
    ) -> Self {
        Self {
            replies,
            known,
            attachment,
            placed: BTreeSet::new(),
            quotes: false,
            pictures,
            columns: columns.iter(),
            images: Vec::new(),
            lines: Lines::for_html(length),
            lists: Vec::new(),
            link: None,
            reply: None,
            block: None,
            code: Inline::default(),
            table: None,
            hidden: None,
            in_paragraph: false,
            open_tables: 0,
            recording: None,
            mention: 0,
        }
    }

    pub(super) fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(_) if self.hidden.is_some() => {}
            Token::Text(text) => match &mut self.reply {
                Some(reply) => reply.text(text),
                None => self.text(text),
            },
            Token::Start(tag) => self.start(&tag),
            Token::End(name) => self.end(name),
        }
    }

    /// What came of the HTML; `None` when the message that a reply quotes does not end.
    pub(super) fn finish(mut self) -> Option<Rendered> {
        self.close_recording();
        self.write_block();
        self.finish_table();
        self.close_pieces();
        let keeps_notices = match self.pictures {
            Pictures::Notice => true,
            Pictures::Collect { last_notices, .. } => last_notices,
        };
        self.reply.is_none().then(|| Rendered {
            text: self.lines.finish(keeps_notices),
            images: self.images,
            quotes: self.quotes,
        })
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let has_columns = tag.name == "table" && self.columns.next().copied().unwrap_or_default();
        if let Some(hidden) = &mut self.hidden {
            if hidden.start(tag.name) {
                return;
            }
            self.hidden = None;
        }
        // Browsers pass over the tags of a table's parts where no table is open.
        if is_hidden(tag) && (self.open_tables > 0 || !is_part_of_table(tag.name)) {
            self.hidden = Hidden::of(tag.name, self.in_paragraph);
            return;
        }
        let layout = layout(tag.name);
        if layout != Layout::Inline {
            self.close_recording();
        }
        self.open_tables += usize::from(tag.name == "table");
        self.in_paragraph |= tag.name == "p";
        if let Some(reply) = &mut self.reply {
            reply.start(tag);
        } else if let Some(emoji) = emoji(tag) {
            self.text(&emoji);
        } else if self.block.is_some() {
            self.start_in_block(tag);
        } else if layout == Layout::Preformatted {
            self.open_preformatted(tag);
        } else if self.replies.is_some() && is_reply(tag) {
            self.close_pieces();
            self.quotes = true;
            let id = tag.attribute("itemid").unwrap_or_default();
            self.reply = Some(Reply::new((self.known)(id.trim())));
        } else if tag.name == "table" {
            self.start_table(has_columns);
        } else {
            if layout == Layout::Block {
                self.boundary();
            }
            self.start_element(tag);
        }
    }

    fn start_element(&mut self, tag: &Tag<'_>) {
        match tag.name {
            "br" => self.line_break(),
            "a" => self.open_link(tag),
            "code" => self.code.depth += 1,
            "img" => self.picture(tag),
            "video" | "audio" => self.open_recording(tag),
            "input" => self.input(tag),
            // What a mention shows is a word of its own.
            "at" => self.lines.start_word(),
            "span" if self.mention > 0 => self.mention += 1,
            "span" if is_mention(tag) => {
                self.mention = 1;
                self.lines.start_word();
            }
            "attachment" => self.attachment(tag),
            "ul" | "menu" => self.open_list(List::Bullets),
            "ol" => self.open_list(List::Numbers(number(tag, "start").unwrap_or(1))),
            "li" => self.item(number(tag, "value")),
            "blockquote" => self.lines.quotes += 1,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.lines.empty_line(),
            "hr" if self.in_cell() => {}
            "hr" => self.lines.whole_line("---", false),
            "q" => self.text("\""),
            "s" | "strike" | "del" => {
                self.code.write(&mut self.lines);
                self.lines.strikes += 1;
            }
            "sup" if !self.code.is_open() => self.lines.open_script(Place::Above),
            "sub" if !self.code.is_open() => self.lines.open_script(Place::Below),
            "tr" | "thead" | "tbody" | "tfoot" | "caption" | "td" | "th" => {
                self.start_in_table(tag)
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match self.hidden.as_mut().map(|hidden| hidden.end(name)) {
            Some(End::Inside) => return,
            Some(End::Own) => {
                self.hidden = None;
                return;
            }
            Some(End::Around) => self.hidden = None,
            None => {}
        }
        let layout = layout(name);
        match name {
            "p" => self.in_paragraph = false,
            "table" => self.open_tables = self.open_tables.saturating_sub(1),
            _ => {}
        }
        if layout != Layout::Inline || matches!(name, "video" | "audio") {
            self.close_recording();
        }
        if let Some(reply) = &mut self.reply {
            if reply.end(name) {
                self.end_reply();
            }
            return;
        }
        if self.block.is_some() {
            self.end_in_block(name);
            return;
        }
        if layout == Layout::Preformatted {
            if self.in_cell() {
                self.code.close(&mut self.lines);
            } else {
                self.boundary();
            }
            return;
        }
        match name {
            "a" => self.close_link(),
            "at" => self.lines.end_word(),
            "span" if self.mention > 0 => {
                self.mention -= 1;
                if self.mention == 0 {
                    self.lines.end_word();
                }
            }
            // Browsers take a lone end tag of a line break for a line break.
            "br" => self.line_break(),
            "code" => self.code.close(&mut self.lines),
            "q" => self.text("\""),
            "s" | "strike" | "del" => {
                self.code.write(&mut self.lines);
                self.lines.close_strike();
            }
            "sup" | "sub" if !self.code.is_open() => self.lines.close_script(),
            "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "table" => self.end_in_table(name),
            _ => {}
        }
        if layout == Layout::Block {
            self.boundary();
        }
        match name {
            "ul" | "ol" | "menu" => self.close_list(),
            "blockquote" => self.lines.close_quote(),
            _ => {}
        }
    }

    /// Adds text to whatever is open.
    fn text(&mut self, text: &str) {
        if let Some(recording) = &mut self.recording {
            recording.name.push_str(text);
            return;
        }
        if let Some(link) = &mut self.link {
            link.text(text);
        }
        if let Some(block) = &mut self.block {
            block.text(text);
        } else if self.code.is_open() {
            self.code.text.push_str(text);
        } else {
            self.lines.text(text);
        }
    }

    fn boundary(&mut self) {
        self.code.write(&mut self.lines);
        self.lines.boundary();
    }

    fn line_break(&mut self) {
        self.code.write(&mut self.lines);
        self.lines.line_break();
    }

    /// Ends what cannot go on beyond the cell of a table or the like.
    fn close_pieces(&mut self) {
        self.close_link();
        self.code.close_all(&mut self.lines);
    }

    fn end_reply(&mut self) {
        if let Some(reply) = self.reply.take()
            && self.replies == Some(ReplyContext::Quote)
        {
            reply.write(&mut self.lines);
        }
    }

    fn open_link(&mut self, tag: &Tag<'_>) {
        self.close_link();
        if self.block.is_none() {
            self.code.write(&mut self.lines);
        }
        self.link = tag.attribute("href").map(|address| Link::new(&address));
    }

    /// Ends the link: the address follows, unless it is what was shown anyway.
    fn close_link(&mut self) {
        let unseen = self.link.take().and_then(Link::unseen_address);
        let Some((address, is_alone)) = unseen else {
            return;
        };
        let text = if is_alone {
            address
        } else {
            format!(" ({address})")
        };
        if let Some(block) = &mut self.block {
            return block.text(&text);
        }
        self.code.write(&mut self.lines);
        if is_alone {
            self.lines.text(&text);
        } else {
            self.lines.append(&text);
        }
    }

    /// The tick of a task, or what a field holds.
    fn input(&mut self, tag: &Tag<'_>) {
        let kind = tag.attribute("type").unwrap_or_default();
        match kind.to_ascii_lowercase().as_str() {
            "checkbox" | "radio" if tag.attribute("checked").is_some() => self.text("[x] "),
            "checkbox" | "radio" => self.text("[ ] "),
            "hidden" | "password" => {}
            _ => self.text(&tag.attribute("value").unwrap_or_default()),
        }
    }

    /// What an attachment shows stands where its writer put it, on lines of its own.
    fn attachment(&mut self, tag: &Tag<'_>) {
        let id = tag.attribute("id").unwrap_or_default();
        let Some(text) = (self.attachment)(id.trim()) else {
            return;
        };
        if text.is_empty() || !self.placed.insert(id.trim().to_owned()) {
            return;
        }
        self.close_pieces();
        self.boundary();
        for line in text.lines() {
            if self.in_cell() {
                self.text(line);
                self.boundary();
            } else {
                self.lines.whole_line(line, false);
            }
        }
    }

    fn open_list(&mut self, list: List) {
        self.lists.push(list);
        self.lines.indent(self.lists.len());
    }

    fn close_list(&mut self) {
        let outside = self.cell().map_or(0, |cell| cell.outer_lists);
        if self.lists.len() > outside {
            self.lists.pop();
        }
        self.lines.indent(self.lists.len());
    }

    fn item(&mut self, value: Option<i64>) {
        let marker = match self.lists.last_mut() {
            Some(List::Numbers(number)) => {
                *number = value.unwrap_or(*number);
                let marker = format!("{number}. ");
                *number += 1;
                marker
            }
            Some(List::Bullets) | None => "- ".to_owned(),
        };
        self.lines.marker = Some(marker);
    }
}

/// An attribute that is a number of the size that browsers read.
fn number(tag: &Tag<'_>, name: &str) -> Option<i64> {
    let text = tag.attribute(name)?;
    text.trim().parse::<i32>().ok().map(i64::from)
}
