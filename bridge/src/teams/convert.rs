//! A Teams message as the text that an agent reads.

mod attachments;
mod cards;
pub mod changes;

use crate::ids::Digest;
use crate::teams::message::ChatMessage;
use crate::teams::to_text::{self, ReplyContext};
use attachments::Read;

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
        let rendered = to_text::render(&message.body.content, replies);
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

#[cfg(test)]
mod tests;
