//! A Teams message as the text that an agent reads.

mod attachments;
mod cards;

use crate::html;
use crate::message::ChatMessage;

/// Most characters of a sender's name.
const LONGEST_NAME: usize = 64;

/// The text of a message: first what it quotes, as lines that start with `> `, then its own text, then a line for each
/// attachment. Everything that cannot be shown as text leaves a notice in square brackets, so that nothing is lost silently.
/// Empty only when the message is.
#[must_use]
pub fn inbound_text(message: &ChatMessage) -> String {
    let body = if message.body.html {
        html::to_text(&message.body.content)
    } else {
        message.body.content.trim().to_owned()
    };
    let (quotes, others): (Vec<_>, Vec<_>) = message
        .attachments
        .iter()
        .partition(|attachment| attachments::is_quote(attachment));
    let quotes = quotes.into_iter().map(attachments::quote);
    let others = others.into_iter().map(attachments::notice);
    let blocks: Vec<String> = quotes
        .chain([body])
        .chain(others)
        .filter(|block| !block.is_empty())
        .collect();
    blocks.join("\n")
}

/// The text of a group chat with its sender's name before it: `Name: first line`, further lines indented by two spaces, so that
/// no line can pass for another person's message.
#[must_use]
pub fn with_sender_name(name: &str, text: &str) -> String {
    let mut lines = text_lines(text);
    let name = one_line(name, LONGEST_NAME);
    let name = if name.is_empty() {
        "Unknown sender"
    } else {
        &name
    };
    let mut output = format!("{name}: {}", lines.next().unwrap_or_default());
    for line in lines {
        output.push('\n');
        if !line.trim().is_empty() {
            output.push_str("  ");
            output.push_str(line);
        }
    }
    output
}

/// The lines of a text, whichever of Unicode's line breaks ends them (Unicode Standard, section 5.8).
fn text_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((index, found)) = text
            .char_indices()
            .find(|(_, character)| is_line_break(*character))
        else {
            rest = None;
            return Some(text);
        };
        let after = &text[index + found.len_utf8()..];
        rest = Some(if found == '\r' {
            after.strip_prefix('\n').unwrap_or(after)
        } else {
            after
        });
        Some(&text[..index])
    })
}

fn is_line_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// A name on one line: white space collapsed, control characters and marks that turn the direction of text left out, at most
/// so many characters.
fn one_line(text: &str, most: usize) -> String {
    let mut output = String::new();
    let mut length = 0;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        let mut visible = word
            .chars()
            .filter(|character| !is_hidden(*character))
            .peekable();
        if visible.peek().is_some() && length > 0 {
            output.push(' ');
            length += 1;
        }
        for character in visible {
            if length >= most {
                output.truncate(output.trim_end().len());
                output.push('…');
                return output;
            }
            output.push(character);
            length += 1;
        }
    }
    output
}

/// Marks that turn the direction of text, or that nobody sees.
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests;
