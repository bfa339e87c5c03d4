//! An agent's plain text as the HTML of a Teams chat message.

use crate::split::{LEAST_LIMIT, pieces};

/// Most bytes of HTML in one Teams message. Teams takes about 28 KB for everything in a message (Microsoft Learn, "Limits and
/// specifications for Microsoft Teams"); the margin is for what Teams itself adds.
pub const TEAMS_BODY_LIMIT: usize = 24 * 1024;

/// What a line break costs in HTML.
const LINE_BREAK: &str = "<br>";
/// What keeps a space that HTML would drop.
const KEPT_SPACE: &str = "&nbsp;";
/// Bytes of a link's tags besides the address, which stands there twice.
const LINK_TAGS: usize = r#"<a href=""></a>"#.len();

/// Turns plain text into HTML that shows the same: special characters escaped, line breaks as `<br>`, several spaces kept,
/// addresses that start with `http://` or `https://` as links. Control characters are dropped.
#[must_use]
pub fn from_text(text: &str) -> String {
    let mut html = Html {
        output: String::with_capacity(text.len() + text.len() / 8),
        after_space: true,
    };
    let mut plain = 0;
    for (start, end) in links(text) {
        html.plain(&text[plain..start]);
        html.link(&text[start..end]);
        plain = end;
    }
    html.plain(&text[plain..]);
    html.output
}

/// Splits plain text so that each part's HTML has at most `limit_bytes` bytes, and returns the parts as HTML; a blank text has
/// no part. The places are those of [`crate::split::split`]; parts carry no marks, because Teams keeps them in order.
#[must_use]
pub fn split_for_teams(text: &str, limit_bytes: usize) -> Vec<String> {
    let limit = limit_bytes.max(LEAST_LIMIT);
    let mut parts = Vec::new();
    for piece in pieces(text.trim_end(), limit, escaped_cost) {
        let html = from_text(piece);
        if html.len() <= limit {
            parts.push(html);
            continue;
        }
        // The addresses made it too long: room for all of them is left in each part, unless they are most of the text.
        let extra: usize = links(piece)
            .map(|(start, end)| LINK_TAGS + escaped_cost(&piece[start..end]))
            .sum();
        let shorter = if extra <= limit / 2 {
            pieces(piece, limit - extra, escaped_cost)
        } else {
            pieces(piece, limit, linked_cost)
        };
        parts.extend(shorter.into_iter().map(from_text));
    }
    parts
}

/// Shim.
pub fn escaped(text: &str) -> String {
    let mut o = String::new();
    text.chars().for_each(|c| push_escaped(&mut o, c));
    o
}
/// Shim.
pub fn link(address: &str, shown: &str) -> Option<String> {
    Some(format!(
        "<a href=\"{}\">{}</a>",
        escaped(address),
        escaped(shown)
    ))
}

struct Html {
    output: String,
    /// HTML would drop a space here: a line starts, or another space went before.
    after_space: bool,
}

impl Html {
    fn plain(&mut self, text: &str) {
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => {
                    self.output.push_str(LINE_BREAK);
                    self.after_space = true;
                }
                ' ' | '\t' => {
                    self.output
                        .push_str(if self.after_space { KEPT_SPACE } else { " " });
                    self.after_space = true;
                }
                _ => {
                    self.after_space = false;
                    push_escaped(&mut self.output, character);
                }
            }
        }
    }

    fn link(&mut self, address: &str) {
        self.output.push_str(r#"<a href=""#);
        address
            .chars()
            .for_each(|character| push_escaped(&mut self.output, character));
        self.output.push_str(r#"">"#);
        address
            .chars()
            .for_each(|character| push_escaped(&mut self.output, character));
        self.output.push_str("</a>");
        self.after_space = false;
    }
}

fn push_escaped(output: &mut String, character: char) {
    match character {
        '&' => output.push_str("&amp;"),
        '<' => output.push_str("&lt;"),
        '>' => output.push_str("&gt;"),
        '"' => output.push_str("&quot;"),
        '\'' => output.push_str("&#39;"),
        character if character.is_control() => {}
        character => output.push(character),
    }
}

/// Most bytes that a grapheme outside an address takes.
fn escaped_cost(grapheme: &str) -> usize {
    grapheme.chars().map(character_cost).sum()
}

/// Most bytes that a grapheme takes wherever it stands: an address has two copies of it, and its tags take less than two more,
/// because an address has at least eight characters.
fn linked_cost(grapheme: &str) -> usize {
    4 * escaped_cost(grapheme)
}

fn character_cost(character: char) -> usize {
    match character {
        ' ' | '\t' | '"' => KEPT_SPACE.len(),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => LINE_BREAK.len(),
        '&' | '\'' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        character => character.len_utf8(),
    }
}

/// Start and end of each address in a text, in order.
fn links(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find("://")?;
            let searched = from;
            from = start + "://".len();
            let Some(scheme) = ["https", "http"]
                .iter()
                .find_map(|scheme| scheme_before(text, searched, start, scheme))
            else {
                continue;
            };
            if text[from..].starts_with(|first: char| first.is_alphanumeric() || first == '[') {
                from = address_end(text, from);
                return Some((scheme, from));
            }
        }
    })
}

/// Where the scheme that ends at `end` starts, when it is this one and no letter or digit goes before it.
fn scheme_before(text: &str, searched: usize, end: usize, scheme: &str) -> Option<usize> {
    let start = end
        .checked_sub(scheme.len())
        .filter(|start| *start >= searched)?;
    let found = text.get(start..end)?.eq_ignore_ascii_case(scheme);
    (found && !text[searched..start].ends_with(char::is_alphanumeric)).then_some(start)
}

/// Where the address ends whose host starts at `host`: before white space or a character that no address holds, punctuation at
/// the end left out. A closing bracket belongs to the address when its opening one does.
fn address_end(text: &str, host: usize) -> usize {
    let ends = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
            // Marks of direction and of width can make an address look like another one.
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let address = &text[host..];
    let address = &address[..address.find(ends).unwrap_or(address.len())];
    let count = |wanted: char| {
        address
            .chars()
            .filter(|character| *character == wanted)
            .count()
    };
    let mut spare_round = count(')').saturating_sub(count('('));
    let mut spare_square = count(']').saturating_sub(count('['));
    let mut end = address.len();
    for (index, character) in address.char_indices().rev() {
        let punctuation = match character {
            ')' if spare_round > 0 => {
                spare_round -= 1;
                true
            }
            ']' if spare_square > 0 => {
                spare_square -= 1;
                true
            }
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            '…'
            | '\u{2018}'..='\u{201f}'
            | '«'
            | '»'
            | '\u{3001}'..='\u{3003}'
            | '\u{3008}'..='\u{3011}' => true,
            '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff0e}' | '\u{ff1a}'
            | '\u{ff1b}' | '\u{ff1f}' => true,
            _ => false,
        };
        if !punctuation {
            break;
        }
        end = index;
    }
    host + end
}

#[cfg(test)]
mod tests;
