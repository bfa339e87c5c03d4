//! HTML as a flat row of tokens (WHATWG HTML, section "Tokenization", as far as it shapes the text).
//!
//! No tree is built, so nesting costs nothing. html5ever's own tokenizer is not used: it compares each attribute of a tag with
//! all earlier ones, and a hostile tag of a megabyte would keep it busy for minutes.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// One piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text between tags, character references resolved.
    Text(Cow<'a, str>),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag's name, in lower case.
    End(Cow<'a, str>),
}

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// In lower case.
    pub(crate) name: Cow<'a, str>,
    /// Everything between the name and the `>`, both excluded.
    attributes: &'a str,
}

impl Tag<'_> {
    /// Value of the first attribute of this name (to be given in lower case), character references resolved.
    pub(crate) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        while let Step::Attribute {
            name,
            value,
            rest: after,
        } = attribute(rest)
        {
            if name.eq_ignore_ascii_case(wanted) {
                return Some(resolved(value, Place::Attribute).into_owned());
            }
            rest = after;
        }
        None
    }
}

/// The tokens of a text; the contents of `script` and `style` and all comments are left out.
pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    fn text(&mut self, end: usize) -> Token<'a> {
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Text(resolved(text, Place::Text))
    }

    fn tag_name(&mut self, start: usize) -> Cow<'a, str> {
        let name = &self.rest[start..];
        let end = name
            .find(|character: char| ends_tag_name(character))
            .unwrap_or(name.len());
        self.rest = &name[end..];
        lower_case(&name[..end])
    }

    /// The attributes of the tag, which ends at the first `>` outside quotes; none when the text ends before.
    fn attributes(&mut self) -> Option<&'a str> {
        let start = self.rest;
        let mut rest = start;
        loop {
            match attribute(rest) {
                Step::Attribute { rest: after, .. } => rest = after,
                Step::End(after) => {
                    let attributes = &start[..start.len() - after.len()];
                    self.rest = after;
                    return Some(attributes.strip_suffix('>').unwrap_or(attributes));
                }
                Step::Unfinished => {
                    self.rest = "";
                    return None;
                }
            }
        }
    }

    /// Drops everything up to and with `end`, or all when it does not come.
    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }

    /// Drops the contents of a script or style, whose only end is its end tag.
    fn skip_raw_text(&mut self, name: &str) {
        while let Some(index) = self.rest.find("</") {
            self.rest = &self.rest[index..];
            let found = self
                .rest
                .get(2..2 + name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name));
            if found && self.rest[2 + name.len()..].starts_with(ends_tag_name) {
                return;
            }
            self.rest = &self.rest[2..];
        }
        self.rest = "";
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            match self.rest.find('<') {
                None => return Some(self.text(self.rest.len())),
                Some(0) => {}
                Some(index) => return Some(self.text(index)),
            }
            match self.rest.as_bytes().get(1).copied() {
                Some(b'a'..=b'z' | b'A'..=b'Z') => {
                    let name = self.tag_name(1);
                    let attributes = self.attributes()?;
                    if matches!(&*name, "script" | "style") {
                        self.skip_raw_text(&name);
                    }
                    return Some(Token::Start(Tag { name, attributes }));
                }
                Some(b'/') => match self.rest.as_bytes().get(2).copied() {
                    Some(b'a'..=b'z' | b'A'..=b'Z') => {
                        let name = self.tag_name(2);
                        self.attributes()?;
                        return Some(Token::End(name));
                    }
                    Some(_) => self.skip_past(">"),
                    None => return Some(self.text(self.rest.len())),
                },
                Some(b'!') if self.rest.starts_with("<!-->") => self.skip_past(">"),
                Some(b'!') if self.rest.starts_with("<!--->") => self.skip_past(">"),
                Some(b'!') if self.rest.starts_with("<!--") => {
                    self.rest = &self.rest["<!--".len()..];
                    self.skip_past("-->");
                }
                Some(b'!' | b'?') => self.skip_past(">"),
                _ => return Some(self.text(1)),
            }
        }
        None
    }
}

fn ends_tag_name(character: char) -> bool {
    character.is_ascii_whitespace() || matches!(character, '/' | '>')
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// What follows inside a tag.
enum Step<'a> {
    Attribute {
        name: &'a str,
        value: &'a str,
        rest: &'a str,
    },
    /// The tag is over, and the text goes on behind it.
    End(&'a str),
    /// The text is over before the tag is.
    Unfinished,
}

/// Reads one attribute, or the end of the tag.
fn attribute(text: &str) -> Step<'_> {
    let text = text
        .trim_start_matches(|character: char| character.is_ascii_whitespace() || character == '/');
    if let Some(rest) = text.strip_prefix('>') {
        return Step::End(rest);
    }
    if text.is_empty() {
        return Step::Unfinished;
    }
    // An equals sign in the first place is part of the name.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let ends_name = |character: char| ends_tag_name(character) || character == '=';
    let end = text[first..]
        .find(ends_name)
        .map_or(text.len(), |index| first + index);
    let (name, rest) = text.split_at(end);
    let Some(after) = rest.trim_ascii_start().strip_prefix('=') else {
        return Step::Attribute {
            name,
            value: "",
            rest,
        };
    };
    let after = after.trim_ascii_start();
    let (value, rest) = match after.chars().next() {
        Some(quote @ ('"' | '\'')) => match after[1..].split_once(quote) {
            Some(parts) => parts,
            None => return Step::Unfinished,
        },
        _ => {
            let ends_value = |character: char| character.is_ascii_whitespace() || character == '>';
            after.split_at(after.find(ends_value).unwrap_or(after.len()))
        }
    };
    Step::Attribute { name, value, rest }
}

/// Where a character reference stands; in an attribute, `&copy=1` of an address is no reference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Attribute,
}

/// Resolves character references.
fn resolved(text: &str, place: Place) -> Cow<'_, str> {
    let Some(first) = text.find('&') else {
        return Cow::Borrowed(text);
    };
    let mut output = String::with_capacity(text.len());
    output.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix('&') {
        let consumed = match after.strip_prefix('#') {
            Some(number) => numeric(number, &mut output).map(|length| length + 1),
            None => named(after, place, &mut output),
        };
        match consumed {
            Some(length) => rest = &after[length..],
            None => {
                output.push('&');
                rest = after;
            }
        }
        let end = rest.find('&').unwrap_or(rest.len());
        output.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    Cow::Owned(output)
}

/// Resolves `123;` or `x7b;` behind `&#`; returns how many bytes it takes.
fn numeric(text: &str, output: &mut String) -> Option<usize> {
    let (digits, radix, mark) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits
        .find(|character: char| !character.is_digit(radix))
        .unwrap_or(digits.len());
    if length == 0 {
        return None;
    }
    let code = digits[..length].chars().fold(0_u32, |code, digit| {
        code.saturating_mul(radix)
            .saturating_add(digit.to_digit(radix).unwrap_or_default())
    });
    let windows_1252 = code
        .checked_sub(0x80)
        .and_then(|index| *C1_REPLACEMENTS.get(index as usize)?);
    let character =
        windows_1252.or_else(|| char::from_u32(code).filter(|character| *character != '\0'));
    output.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some(mark + length + semicolon)
}

/// Resolves the longest name behind `&`; returns how many bytes it takes.
fn named(text: &str, place: Place, output: &mut String) -> Option<usize> {
    let mut found = None;
    for (index, character) in text.char_indices() {
        let end = index + character.len_utf8();
        // The table holds every beginning of a name, with zeros.
        match NAMED_ENTITIES.get(&text[..end]) {
            Some((0, _)) => {}
            Some(characters) => found = Some((end, *characters)),
            None => break,
        }
    }
    let (end, (first, second)) = found?;
    let goes_on = text[end..].starts_with(|next: char| next == '=' || next.is_ascii_alphanumeric());
    if place == Place::Attribute && !text[..end].ends_with(';') && goes_on {
        return None;
    }
    output.extend(char::from_u32(first));
    output.extend(char::from_u32(second).filter(|character| *character != '\0'));
    Some(end)
}
