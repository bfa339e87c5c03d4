//! Rows as HTML.

use super::blocks::{Kind, Row};
use super::escape::Html;
use super::lists::List;

const LINE_BREAK: &str = "<br>";
const CODE_END: &str = "</code></codeblock>";
const BULLETS_END: &str = "</li></ul>";
const NUMBERS_END: &str = "</li></ol>";

/// Bytes of the tags around a block of code besides the language.
pub(super) const CODE_BLOCK_TAGS: usize = r#"<codeblock class=""><code>"#.len() + CODE_END.len();
/// Most bytes of the tags around a list with one item.
pub(super) const LIST_TAGS: usize = r#"<ol start="4294967295"><li>"#.len() + NUMBERS_END.len();

pub(super) struct Writer {
    html: Html,
    open: Open,
    /// The last row is text, and an empty line: a block behind it would hide it.
    empty_line: bool,
}

/// What the last row left open.
enum Open {
    Nothing,
    Text,
    Code(usize),
    Lists(Vec<OpenList>),
}

struct OpenList {
    depth: usize,
    last: List,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            html: Html::new(),
            open: Open::Nothing,
            empty_line: false,
        }
    }

    /// Adds a part of a row, until the output is longer than `most`. The rest of an item is text: its mark or number was shown.
    pub(super) fn push(&mut self, row: &Row<'_>, from: usize, to: usize, most: usize) {
        match &row.kind {
            Kind::Code { block, language } => {
                self.start_code(*block, language);
                self.html.code_line(&row.line.text[from..to], most);
            }
            Kind::Item { depth, list, .. } if from == 0 => {
                self.start_item(*depth, *list);
                row.line.write(&mut self.html, from, to, most);
            }
            Kind::Item { .. } | Kind::Text => {
                self.start_text();
                let before = self.html.output.len();
                row.line.write(&mut self.html, from, to, most);
                self.empty_line = self.html.output.len() == before;
            }
        }
    }

    /// Bytes of what is written, closed.
    pub(super) fn length(&self) -> usize {
        let closing = match &self.open {
            Open::Nothing | Open::Text => 0,
            Open::Code(_) => CODE_END.len(),
            Open::Lists(lists) => lists.len() * BULLETS_END.len(),
        };
        self.html.output.len() + closing
    }

    pub(super) fn finish(mut self) -> String {
        self.close();
        self.html.output
    }

    fn start_text(&mut self) {
        if matches!(self.open, Open::Text) {
            self.html.start_line(LINE_BREAK);
        } else {
            self.close();
            self.html.start_line("");
        }
        self.open = Open::Text;
    }

    fn start_code(&mut self, block: usize, language: &str) {
        if matches!(self.open, Open::Code(open) if open == block) {
            self.html.start_line(LINE_BREAK);
            return;
        }
        self.start_block();
        let tags = format!(r#"<codeblock class="{language}"><code>"#);
        self.html.start_line(&tags);
        self.open = Open::Code(block);
    }

    fn start_item(&mut self, depth: usize, list: List) {
        if !matches!(self.open, Open::Lists(_)) {
            self.start_block();
            self.open = Open::Lists(Vec::new());
        }
        let Open::Lists(lists) = &mut self.open else {
            return;
        };
        while let Some(last) = lists
            .pop_if(|last| last.depth > depth || (last.depth == depth && !goes_on(last.last, list)))
        {
            self.html.tag(end(last.last));
        }
        match lists.last_mut() {
            Some(last) if last.depth == depth => {
                last.last = list;
                self.html.start_line("</li><li>");
            }
            _ => {
                lists.push(OpenList { depth, last: list });
                match list {
                    List::Bullets => self.html.start_line("<ul><li>"),
                    List::Number(1) => self.html.start_line("<ol><li>"),
                    List::Number(number) => {
                        let tags = format!(r#"<ol start="{number}"><li>"#);
                        self.html.start_line(&tags);
                    }
                }
            }
        }
    }

    fn start_block(&mut self) {
        if matches!(self.open, Open::Text) && self.empty_line {
            self.html.tag(LINE_BREAK);
        }
        self.close();
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing | Open::Text => {}
            Open::Code(_) => self.html.tag(CODE_END),
            Open::Lists(lists) => {
                let ends = lists.iter().rev().map(|list| end(list.last));
                ends.for_each(|end| self.html.tag(end));
            }
        }
    }
}

fn end(list: List) -> &'static str {
    match list {
        List::Bullets => BULLETS_END,
        List::Number(_) => NUMBERS_END,
    }
}

/// Whether an item belongs to the list whose last item is given.
fn goes_on(last: List, next: List) -> bool {
    match (last, next) {
        (List::Bullets, List::Bullets) => true,
        (List::Number(last), List::Number(next)) => last.checked_add(1) == Some(next),
        _ => false,
    }
}
