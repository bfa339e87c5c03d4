//! The marks in a message's words: `<at>Name</at>` for a mention, and `<quoted messageId="1"/>` where a message that it answers stands
//! (Microsoft Learn, "Messages in bot conversations"). Anybody can write what looks like them: a mark is what the entities of the
//! activity tell of. One pass over the words, because they can be long.

use std::collections::BTreeSet;

use super::html::{NOTHING, Piece, pieces};
use crate::teams::from_text::{escaped, from_text};
use crate::teams::to_text::{Token, read};

/// What the entities of an activity tell of.
pub(super) struct Words<'a> {
    /// The names of mentions, as they stand between the marks.
    pub(super) names: BTreeSet<&'a str>,
    /// The ids of the attachments that messages are which it answers.
    pub(super) quotes: BTreeSet<&'a str>,
}

/// Words without their marks.
pub(super) enum Said {
    /// As they were typed.
    Plain(String),
    /// As HTML, with the places of quotes.
    Rich(String),
}

enum Mark<'a> {
    Words(&'a str),
    Name(&'a str),
    /// A message that is answered, by its id.
    Quote(Option<&'a str>),
}

/// The id of the attachment that a quoted message is.
pub(super) fn place_of(message: &str) -> String {
    format!("quoted-{message}")
}

/// The name in the mark of a mention.
pub(super) fn name_in(mention: &str) -> &str {
    let inner = mention.strip_prefix("<at");
    let inner = inner.and_then(|inner| Some(inner.split_once('>')?.1));
    let inner = inner.unwrap_or(mention);
    inner.strip_suffix("</at>").unwrap_or(inner)
}

/// Text with its character references resolved, and nothing else understood: where Teams writes marks, it writes them too.
pub(super) fn resolved(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    read(&text.replace('<', "&lt;"), |token| {
        if let Token::Text(text) = token {
            resolved.push_str(text);
        }
    });
    resolved
}

impl Words<'_> {
    /// What plain words say; nothing where they say nothing.
    pub(super) fn said(&self, text: &str) -> Option<Said> {
        let mut marks = Vec::new();
        self.each(text, |mark| marks.push(mark));
        if let [Mark::Words(words)] = marks[..] {
            let words = words.trim();
            return (!words.is_empty()).then(|| Said::Plain(words.to_owned()));
        }
        let (mut html, mut words) = (String::new(), String::new());
        let mut left = self.quotes.clone();
        for mark in marks {
            match mark {
                Mark::Words(text) | Mark::Name(text) => words.push_str(&resolved(text)),
                Mark::Quote(id) => {
                    if let Some(place) = place(&mut left, id) {
                        html += &block(&std::mem::take(&mut words));
                        html += &place;
                    }
                }
            }
        }
        let words = words.trim();
        match (html.is_empty(), words.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Said::Plain(words.to_owned())),
            (false, _) => Some(Said::Rich(html + &block(words))),
        }
    }

    /// HTML with the places of quotes.
    pub(super) fn with_places(&self, html: &str) -> String {
        let mut left = self.quotes.clone();
        let is_quote = |name: &str, _: &str| name.eq_ignore_ascii_case("quoted");
        let mut output = String::with_capacity(html.len());
        for piece in pieces(html, is_quote) {
            match piece {
                Piece::Other(other) => output.push_str(other),
                Piece::Tag(tag) => match place(&mut left, quoted_in(tag)) {
                    Some(place) => output.push_str(&place),
                    None => output.push_str(NOTHING),
                },
            }
        }
        output
    }

    fn each<'a>(&self, text: &'a str, mut take: impl FnMut(Mark<'a>)) {
        let (mut start, mut from) = (0, 0);
        while let Some(found) = text[from..].find('<') {
            let at = from + found;
            let Some((mark, length)) = self.mark(&text[at..]) else {
                from = at + 1;
                continue;
            };
            take(Mark::Words(&text[start..at]));
            take(mark);
            from = at + length;
            start = from;
        }
        take(Mark::Words(&text[start..]));
    }

    /// The mark that begins here, and its length. No mark has another one in it, so each look ends at the next `<`.
    fn mark<'a>(&self, text: &'a str) -> Option<(Mark<'a>, usize)> {
        let end = text[1..].find(['<', '>'])? + 1;
        let (tag, rest) = (&text[..end], text[end..].strip_prefix('>')?);
        let is_of = |name: &str| {
            let behind = tag[1..].strip_prefix(name);
            behind.is_some_and(|it| !it.starts_with(|sign: char| sign.is_alphanumeric()))
        };
        if is_of("quoted") && tag.ends_with('/') {
            return Some((Mark::Quote(quoted_in(tag)), end + 1));
        }
        if is_of("at") {
            let name = &rest[..rest.find('<')?];
            let is_mention = rest[name.len()..].starts_with("</at>") && self.names.contains(name);
            let length = end + 1 + name.len() + "</at>".len();
            return is_mention.then_some((Mark::Name(name), length));
        }
        None
    }
}

/// The id of the message that a mark `quoted` stands for.
fn quoted_in(tag: &str) -> Option<&str> {
    let value = tag.split_once("messageId=")?.1;
    let quote = value.chars().next().filter(|sign| "\"'".contains(*sign))?;
    let id = value[1..].split_once(quote)?.0;
    // Who reads the place later cuts spaces off.
    (!id.contains(char::is_whitespace)).then_some(id)
}

/// The place of a quote, which has one only.
fn place(left: &mut BTreeSet<&str>, id: Option<&str>) -> Option<String> {
    let id = place_of(id?);
    let is_known = left.remove(id.as_str());
    is_known.then(|| format!("<attachment id=\"{}\"></attachment>", escaped(&id)))
}

fn block(words: &str) -> String {
    match words.trim() {
        "" => String::new(),
        words => format!("<div>{}</div>", from_text(words)),
    }
}
