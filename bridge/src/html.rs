//! The HTML of a Teams chat message as readable plain text.

mod lines;
mod tokens;

use std::borrow::Cow;

use lines::Lines;
pub(crate) use tokens::{Tag, Token, read};

/// Turns the HTML of a Teams message into plain text.
///
/// Paragraphs and line breaks become line breaks (Teams writes an empty line as a paragraph of its own), list items get `- ` or
/// their number, quotes `> `, links their address in brackets, table cells ` | `; an emoji is its character, a mention the name
/// shown, an inline image `[image]`. Preformatted text keeps its spaces and line breaks. Formatting is dropped, words never.
///
/// No recursion and no tree: the time is linear in the length of the HTML, whatever its nesting, and malformed HTML is read as
/// browsers read it.
#[must_use]
pub fn to_text(html: &str) -> String {
    let mut renderer = Renderer::default();
    read(html, |token| match token {
        Token::Text(text) => renderer.lines.text(text),
        Token::Start(tag) => renderer.start(&tag),
        Token::End(name) => renderer.end(name),
    });
    renderer.close_link();
    renderer.lines.finish()
}

/// The characters of an emoji element, or of an image that stands for an emoji (older clients).
pub(crate) fn emoji(tag: &Tag<'_>) -> Option<String> {
    let is_emoji = match tag.name {
        "emoji" | "customemoji" => true,
        "img" => tag
            .attribute("itemtype")
            .is_some_and(|kind| kind.to_ascii_lowercase().ends_with("/emoji")),
        _ => false,
    };
    if !is_emoji {
        return None;
    }
    let shown = |name| {
        tag.attribute(name)
            .filter(|text| !text.trim().is_empty())
            .map(Cow::into_owned)
    };
    shown("alt").or_else(|| shown("title"))
}

/// Elements that start and end on a line of their own.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "codeblock"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "title"
            | "tr"
            | "ul"
    )
}

/// An address in plain text: only of the kinds a reader can open.
pub(crate) fn shown_address(address: &str) -> Option<&str> {
    let address = address.trim();
    let scheme = address.split_once(':')?.0;
    let known = ["http", "https", "mailto", "tel"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let one_word =
        !address.contains(|character: char| character.is_whitespace() || character.is_control());
    (known && one_word).then_some(address)
}

#[derive(Default)]
struct Renderer {
    lines: Lines,
    lists: Vec<List>,
    /// The open link's address.
    link: Option<String>,
    /// Cells met in the row; a cell's blocks stay on the row's line.
    cells: usize,
    in_cell: bool,
}

/// What marks the items of a list.
enum List {
    Bullets,
    Numbers(i64),
}

impl Renderer {
    fn start(&mut self, tag: &Tag<'_>) {
        if let Some(emoji) = emoji(tag) {
            self.lines.text(&emoji);
            return;
        }
        if matches!(tag.name, "table" | "tr") {
            self.in_cell = false;
        }
        if is_block(tag.name) {
            self.boundary();
        }
        match tag.name {
            "br" => self.line_break(),
            "a" => {
                self.close_link();
                self.link = tag.attribute("href").map(Cow::into_owned);
                self.lines.open_span();
            }
            "img" => self.image(tag),
            "video" | "audio" => self.media(tag.name, tag),
            "ul" | "menu" => self.open_list(List::Bullets),
            "ol" => {
                let first = tag
                    .attribute("start")
                    .and_then(|start| start.trim().parse().ok());
                self.open_list(List::Numbers(first.unwrap_or(1)));
            }
            "li" => self.item(),
            "blockquote" => self.lines.open_quote(),
            "pre" | "codeblock" => self.lines.open_preformatted(),
            "hr" => {
                self.lines.text("---");
                self.boundary();
            }
            "tr" => self.cells = 0,
            "td" | "th" => self.cell(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "a" => self.close_link(),
            "td" | "th" | "tr" | "table" => self.in_cell = false,
            // Browsers take a lone end tag of a line break for a line break.
            "br" => self.line_break(),
            _ => {}
        }
        if is_block(name) {
            self.boundary();
        }
        match name {
            "ul" | "ol" | "menu" => {
                self.lists.pop();
                self.lines.indent(self.lists.len());
            }
            "blockquote" => self.lines.close_quote(),
            "pre" | "codeblock" => self.lines.close_preformatted(),
            _ => {}
        }
    }

    fn boundary(&mut self) {
        if self.in_cell {
            self.lines.space();
        } else {
            self.lines.boundary();
        }
    }

    fn line_break(&mut self) {
        if self.in_cell {
            self.lines.space();
        } else {
            self.lines.line_break();
        }
    }

    fn open_list(&mut self, list: List) {
        self.lists.push(list);
        self.lines.indent(self.lists.len());
    }

    fn item(&mut self) {
        let marker = match self.lists.last_mut() {
            Some(List::Numbers(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            Some(List::Bullets) | None => "- ".to_owned(),
        };
        self.lines.mark(marker);
    }

    fn cell(&mut self) {
        if self.cells > 0 {
            self.lines.text(" | ");
        }
        self.cells += 1;
        self.in_cell = true;
    }

    /// Ends the link: the address follows, unless it is what was shown anyway.
    fn close_link(&mut self) {
        let Some(address) = self.link.take() else {
            return;
        };
        let Some(address) = shown_address(&address) else {
            return;
        };
        let shown = self.lines.span().trim();
        if shown.is_empty() {
            self.lines.text(address);
        } else if !same_address(shown, address) {
            let suffix = format!(" ({address})");
            self.lines.append(&suffix);
        }
    }

    fn image(&mut self, tag: &Tag<'_>) {
        let description = tag.attribute("alt").unwrap_or_default();
        let description = description.trim();
        if description.is_empty() || description.eq_ignore_ascii_case("image") {
            self.lines.text("[image]");
        } else {
            self.lines.text("[image: ");
            self.lines.text(description);
            self.lines.text("]");
        }
        self.source(tag);
    }

    fn media(&mut self, kind: &str, tag: &Tag<'_>) {
        self.lines.text(&format!("[{kind}]"));
        self.source(tag);
    }

    /// The address of an image that anybody can open; those that Graph keeps need a token.
    fn source(&mut self, tag: &Tag<'_>) {
        let source = tag.attribute("src").unwrap_or_default();
        if let Some(address) = shown_address(&source)
            && !address.contains("/hostedContents/")
        {
            self.lines.append(&format!(" ({address})"));
        }
    }
}

/// Whether a link's text is its address, scheme and last slash aside.
fn same_address(shown: &str, address: &str) -> bool {
    fn bare(address: &str) -> &str {
        let schemes = ["https://", "http://", "mailto:", "tel:"];
        let bare = schemes.iter().find_map(|scheme| {
            let (start, rest) = address.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        });
        bare.unwrap_or(address).trim_end_matches('/')
    }
    bare(shown).eq_ignore_ascii_case(bare(address))
}

#[cfg(test)]
mod tests;
