//! A Teams message as the text that an agent reads.

mod attachments;
mod cards;
pub mod changes;

use std::cell::RefCell;
use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use crate::files::clean_name;
use crate::ids::Digest;
use crate::teams::message::{Attachment, ChatMessage, Importance};
use crate::teams::to_text::{self, InlineImage, Medium, ReplyContext};
use crate::text::begins_with_a_mark;
use attachments::Attachments;

/// What an agent gets of a message: its text, then its files, in order. `Debug` shows neither.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Inbound {
    /// What the agent reads; empty for a message of files only.
    pub text: String,
    /// What has to be fetched first: each file once, at most [`MOST_FILES`].
    pub files: Vec<SentFile>,
    /// The text has, or would have, what the message answers.
    pub quotes: bool,
}

/// Most files of one message that an agent gets. Each costs calls that all chats share.
pub const MOST_FILES: usize = 20;

debug_shows!(Inbound: files);

/// Something that a message only points at. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum SentFile {
    /// A picture or recording in the text, kept by Graph.
    Picture {
        /// Its address, as the HTML has it.
        source: String,
        /// What it is.
        kind: Medium,
        /// What the picture is said to show; the file name of a recording.
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

impl From<InlineImage> for SentFile {
    fn from(image: InlineImage) -> Self {
        Self::Picture {
            source: image.source,
            kind: image.kind,
            description: image.description,
        }
    }
}

impl SentFile {
    /// Stands for the file wherever its address must not be seen; the same at each edit of the message.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("file", self.address())
    }

    fn address(&self) -> &str {
        match self {
            Self::Picture { source, .. } | Self::Snippet { source, .. } => source,
            Self::Shared { address, .. } => address,
        }
    }

    /// What stands in the place of a file that is not brought over: its name, its address and why.
    #[must_use]
    pub fn notice(&self, why: &str) -> String {
        match self {
            Self::Picture {
                kind,
                description: Some(description),
                ..
            } => format!("[{}: {description}] {why}", kind.label()),
            Self::Picture { kind, .. } => format!("[{}] {why}", kind.label()),
            Self::Snippet { .. } => format!("[code snippet] {why}"),
            Self::Shared { address, name } => {
                format!("[file] {} {address}\n{why}", clean_name(name))
            }
        }
    }

    /// Whether it lies, or may lie, with the tenant whose files have this host.
    #[must_use]
    pub fn is_of_host(&self, host: &str) -> bool {
        let Self::Shared { address, .. } = self else {
            return false;
        };
        // `ours.sharepoint.com`, `ours-my.sharepoint.com` and `ours-admin.sharepoint.com` are one tenant's.
        let host = host.to_ascii_lowercase();
        let (label, domain) = host.split_once('.').unwrap_or((&host, ""));
        let tenant = label.split('-').next().unwrap_or(label);
        // Whoever reads the address in the end may read it in another way: anywhere in it is near enough.
        let address = percent_decode_str(address).decode_utf8_lossy();
        let address = address.to_ascii_lowercase();
        let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '-';
        address.match_indices(tenant).any(|(start, _)| {
            let after = &address[start + tenant.len()..];
            let after = match after.strip_prefix('-') {
                Some(suffix) => suffix.trim_start_matches(is_of_name),
                None => after,
            };
            let after = after.strip_prefix('.').unwrap_or(after);
            !address[..start].ends_with(is_of_name) && after.starts_with(domain)
        })
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

/// What an agent gets of a message: what its writer marked it with, then its own words, with what it answers (with
/// [`ReplyContext::Quote`]), passes on or shows besides where the writer put it. Quotes without a place come first, other
/// attachments without one last. Nothing is lost silently: what cannot be shown leaves a line in square brackets.
///
/// What is quoted comes from the sender's client: a quote of a message whose id is not `known` is marked.
#[must_use]
pub fn inbound(
    message: &ChatMessage,
    replies: ReplyContext,
    known: &dyn Fn(&str) -> bool,
) -> Inbound {
    if message.blocked {
        return Inbound {
            text: changes::blocked(message.created),
            ..Inbound::default()
        };
    }
    let found = unmarked(message, replies, known);
    Inbound {
        text: match message.importance {
            Importance::Normal => found.text,
            Importance::High => marked("[important]", &found.text),
            Importance::Urgent => marked("[urgent]", &found.text),
        },
        ..found
    }
}

/// What the writer of a message says, as text: without what it answers, and without a mark of how important it is.
#[must_use]
pub fn own_words(message: &ChatMessage) -> String {
    unmarked(message, ReplyContext::Strip, &|_| true).text
}

/// The ids of the messages that a message answers; empty for one that has none.
#[must_use]
pub fn answered(message: &ChatMessage) -> Vec<String> {
    let ids = RefCell::new(Vec::new());
    unmarked(message, ReplyContext::Quote, &|id| {
        ids.borrow_mut().push(id.to_owned());
        true
    });
    ids.into_inner()
}

fn unmarked(message: &ChatMessage, replies: ReplyContext, known: &dyn Fn(&str) -> bool) -> Inbound {
    let mut attachments = Attachments::read(message, replies, known);
    let mut files = Vec::new();
    let mut quotes = attachments.quotes;
    let body = if message.body.html {
        let place = |id: &str| attachments.take(id);
        let rendered = to_text::render_with(&message.body.content, replies, known, &place);
        quotes |= rendered.quotes;
        files.extend(rendered.images.into_iter().map(SentFile::from));
        rendered.text
    } else {
        message.body.content.trim().to_owned()
    };
    files.append(&mut attachments.files);
    let mut known_files = BTreeSet::new();
    files.retain(|file| known_files.insert(file.digest()));
    let (before, after) = attachments.without_a_place();
    let mut blocks: Vec<String> = message
        .subject
        .iter()
        .map(|text| text.trim().to_owned())
        .collect();
    blocks.extend(before);
    blocks.push(body);
    blocks.extend(after);
    let left_out = files.len().saturating_sub(MOST_FILES);
    if left_out > 0 {
        files.truncate(MOST_FILES);
        blocks.push(format!(
            "[{left_out} more files] They were not taken: at most {MOST_FILES} files of one message are."
        ));
    }
    blocks.retain(|block| !block.is_empty());
    if blocks.is_empty() && files.is_empty() {
        blocks.extend(message.summary.clone());
    }
    Inbound {
        text: blocks.join("\n"),
        files,
        quotes,
    }
}

/// The file that an attachment is, if it is one that can be fetched.
pub(crate) fn shared_file(attachment: &Attachment) -> Option<SentFile> {
    attachments::shared(attachment)
}

fn marked(mark: &str, text: &str) -> String {
    let between = if begins_with_a_mark(text) { "\n" } else { " " };
    format!("{mark}{between}{text}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
