//! HTML as a flat row of tokens, as the tokenizer of the WHATWG HTML standard cuts it (section "Tokenization").
//!
//! No tree is built, so nesting costs nothing. The tokenizer is `html5gum`'s; html5ever's compares each attribute of a tag with
//! all earlier ones, and a hostile tag of a megabyte would keep it busy for minutes. Here only the attributes in [`READ`] are
//! kept, so a tag costs what its length costs.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::Range;

use html5gum::{Emitter, Error, State, Tokenizer};

/// The attributes that a [`Tag`] keeps.
const READ: [&str; 20] = [
    "alt",
    "checked",
    "class",
    "colspan",
    "data-duration",
    "height",
    "hidden",
    "href",
    "id",
    "itemid",
    "itemprop",
    "itemtype",
    "rowspan",
    "src",
    "start",
    "style",
    "title",
    "type",
    "value",
    "width",
];

/// Longest name in [`READ`].
const LONGEST_READ: usize = 13;

/// One piece of HTML. What it borrows lives until the next one is read.
pub(crate) enum Token<'a> {
    /// Text between two tags, character references resolved, comments in it left out.
    Text(&'a str),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag's name, in lower case.
    End(&'a str),
}

/// A start tag.
#[derive(Clone, Copy)]
pub(crate) struct Tag<'a> {
    /// In lower case.
    pub(crate) name: &'a str,
    attributes: &'a [(&'static str, Range<usize>)],
    values: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Value of the first attribute of this name, character references resolved. Only those in [`READ`] are known.
    pub(crate) fn attribute(&self, wanted: &str) -> Option<Cow<'a, str>> {
        debug_assert!(READ.contains(&wanted));
        let (_, range) = self.attributes.iter().find(|(name, _)| *name == wanted)?;
        self.values.get(range.clone()).map(String::from_utf8_lossy)
    }
}

/// Hands the tokens of a text to `take`, in order. The contents of elements that no browser shows, as those of `script` and
/// `style`, and comments are left out.
pub(crate) fn read(html: &str, take: impl FnMut(Token<'_>)) {
    let emitter = Cutter {
        take,
        text: Vec::new(),
        hides_text: false,
        is_end: false,
        name: Vec::new(),
        last_start: Vec::new(),
        attribute: None,
        attribute_name: Vec::new(),
        attributes: Vec::new(),
        values: Vec::new(),
    };
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
}

/// Puts tokens together from what the tokenizer reports. All buffers are used again for the next token.
struct Cutter<F> {
    take: F,
    text: Vec<u8>,
    /// The text up to the next tag is that of a script or the like.
    hides_text: bool,
    is_end: bool,
    name: Vec<u8>,
    /// Name of the last start tag: only its end tag ends a script or the like.
    last_start: Vec<u8>,
    /// Where the value of the attribute that is being read starts.
    attribute: Option<usize>,
    attribute_name: Vec<u8>,
    attributes: Vec<(&'static str, Range<usize>)>,
    values: Vec<u8>,
}

impl<F: FnMut(Token<'_>)> Cutter<F> {
    fn end_text(&mut self) {
        if !self.text.is_empty() && !self.hides_text {
            (self.take)(Token::Text(&String::from_utf8_lossy(&self.text)));
        }
        self.text.clear();
        self.hides_text = false;
    }

    fn start_tag(&mut self, is_end: bool) {
        self.is_end = is_end;
        self.name.clear();
        self.attribute = None;
        self.attributes.clear();
        self.values.clear();
    }

    fn end_attribute(&mut self) {
        let Some(start) = self.attribute.take() else {
            return;
        };
        let read = READ
            .iter()
            .find(|read| read.as_bytes() == self.attribute_name);
        match read {
            Some(read) if !self.attributes.iter().any(|(known, _)| known == read) => {
                self.attributes.push((read, start..self.values.len()));
            }
            _ => self.values.truncate(start),
        }
    }
}

/// How the text behind a start tag is read (WHATWG HTML, section "The rules for parsing tokens in HTML content", scripting
/// disabled), and whether no browser shows it.
fn state_behind(name: &[u8]) -> Option<(State, bool)> {
    match name {
        b"textarea" | b"title" => Some((State::RcData, false)),
        b"plaintext" => Some((State::PlainText, false)),
        b"xmp" => Some((State::RawText, false)),
        b"script" => Some((State::ScriptData, true)),
        b"style" | b"iframe" | b"noembed" | b"noframes" => Some((State::RawText, true)),
        _ => None,
    }
}

impl<F: FnMut(Token<'_>)> Emitter for Cutter<F> {
    type Token = Infallible;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start.clear();
        self.last_start
            .extend_from_slice(last_start_tag.unwrap_or_default());
    }

    fn emit_eof(&mut self) {
        self.end_text();
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    fn emit_string(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    fn init_start_tag(&mut self) {
        self.start_tag(false);
    }

    fn init_end_tag(&mut self) {
        self.start_tag(true);
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        self.end_text();
        let name = str::from_utf8(&self.name).unwrap_or_default();
        if self.is_end {
            (self.take)(Token::End(name));
            return None;
        }
        (self.take)(Token::Start(Tag {
            name,
            attributes: &self.attributes,
            values: &self.values,
        }));
        std::mem::swap(&mut self.last_start, &mut self.name);
        let (state, hides_text) = state_behind(&self.last_start)?;
        self.hides_text = hides_text;
        Some(state)
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.name.extend_from_slice(name);
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
        self.attribute = Some(self.values.len());
        self.attribute_name.clear();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        // One byte more than the longest name tells that it is none of them.
        let room = (LONGEST_READ + 1).saturating_sub(self.attribute_name.len());
        self.attribute_name
            .extend_from_slice(&name[..name.len().min(room)]);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        self.values.extend_from_slice(value);
    }

    // Comments, types of documents and errors are left out.
    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn emit_current_comment(&mut self) {}
    fn emit_current_doctype(&mut self) {}
    fn set_self_closing(&mut self) {}
    fn set_force_quirks(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && self.name == self.last_start
    }
}
