//! A Teams message as the text that an agent reads.

mod attachments;
mod cards;
pub mod changes;

use crate::html::{self, ReplyContext};
use crate::ids::Digest;
use crate::message::ChatMessage;
use attachments::Read;

/// Most characters of the language before a block of code.
const LONGEST_LANGUAGE: usize = 32;

/// Most characters of a sender's name.
const LONGEST_NAME: usize = 64;

/// What an agent gets of a message: its text, then its files, in order. `Debug` shows neither.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Inbound {
    /// What the agent reads; empty for a message of files only.
    pub text: String,
    /// What has to be fetched first.
    pub files: Vec<SentFile>,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inbound")
            .field("characters", &self.text.chars().count())
            .field("files", &self.files.len())
            .finish()
    }
}

/// Something that a message only points at. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum SentFile {
    /// A picture in the text, kept by Graph.
    Picture {
        /// Its address, as the HTML has it.
        source: String,
        /// What the picture is said to show.
        description: Option<String>,
    },
    /// A file in somebody's OneDrive or SharePoint.
    Shared {
        /// Its address for a browser.
        address: String,
        /// Its name.
        name: String,
    },
    /// A piece of code, kept by Graph.
    Snippet {
        /// Its address.
        source: String,
        /// The language it is written in.
        language: Option<String>,
    },
}

impl SentFile {
    /// Stands for the file wherever its address must not be seen; the same at each edit of the message.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let (Self::Picture {
            source: address, ..
        }
        | Self::Shared { address, .. }
        | Self::Snippet {
            source: address, ..
        }) = self;
        Digest::of("file", address)
    }
}

impl std::fmt::Debug for SentFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Picture { .. } => "Picture",
            Self::Shared { .. } => "Shared",
            Self::Snippet { .. } => "Snippet",
        })
    }
}

/// What an agent gets of a message. The text has first what the message answers (with [`ReplyContext::Quote`]) or passes on,
/// as lines that start with `> `, then its own words, then a line for each attachment that is no file. Nothing is lost
/// silently: what cannot be shown leaves a line in square brackets.
#[must_use]
pub fn inbound(message: &ChatMessage, replies: ReplyContext) -> Inbound {
    let mut files = Vec::new();
    let body = if message.body.html {
        let rendered = html::render(&message.body.content, replies);
        files.extend(rendered.images.into_iter().map(|image| SentFile::Picture {
            source: image.source,
            description: image.description,
        }));
        rendered.text
    } else {
        message.body.content.trim().to_owned()
    };
    let mut before = Vec::new();
    let mut after = Vec::new();
    for attachment in &message.attachments {
        match attachments::read(attachment) {
            Read::Quote(_) if replies == ReplyContext::Strip => {}
            Read::Quote(lines) | Read::Forwarded(lines) => before.push(lines),
            Read::Notice(lines) => after.push(lines),
            Read::File(file) => files.push(file),
        }
    }
    before.push(body);
    before.extend(after);
    before.retain(|block| !block.is_empty());
    Inbound {
        text: before.join("\n"),
        files,
    }
}

/// Whether the first line of a text means something only at the beginning of a line: a quote, a fence, a list.
fn begins_with_a_mark(text: &str) -> bool {
    let numbered = text
        .trim_start_matches(|character: char| character.is_ascii_digit())
        .starts_with(". ")
        && text.starts_with(|character: char| character.is_ascii_digit());
    numbered
        || ["> ", "```", "~~~", "- "]
            .iter()
            .any(|mark| text.starts_with(mark))
}

/// The text of a group chat with its sender's name before it: `Name: first line`, further lines indented by two spaces, so that
/// no line can pass for another person's message. A quote, code or list begins on the line below the name.
#[must_use]
pub fn with_sender_name(name: &str, text: &str) -> String {
    let mut lines = text_lines(text);
    let name = one_line(name, LONGEST_NAME);
    let name = if name.is_empty() {
        "Unknown sender"
    } else {
        &name
    };
    let mut output = format!("{name}:");
    if !begins_with_a_mark(text) {
        output.push(' ');
        output.push_str(lines.next().unwrap_or_default());
    }
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
pub(crate) fn text_lines(text: &str) -> impl Iterator<Item = &str> {
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

/// Code as a fenced block: the fence is longer than any in the code.
#[must_use]
pub fn fenced(code: &str, language: &str) -> String {
    let language: String = language
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || "+#.-".contains(*character))
        .take(LONGEST_LANGUAGE)
        .collect();
    let longest_run = code
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat((longest_run + 1).max(3));
    let lines: Vec<&str> = text_lines(code.trim_end()).collect();
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A name on one line: white space collapsed, control characters and marks that turn the direction of text left out, at most
/// so many characters.
pub fn one_line(text: &str, most: usize) -> String {
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
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests;
