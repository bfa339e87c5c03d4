//! Attachments as lines of text (Microsoft Learn, "chatMessageAttachment resource type").

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SentFile;
use super::cards::{self, Recording};
use crate::files::clean_name;
use crate::teams::address::{encoded, shown_address};
use crate::teams::message::{Attachment, ChatMessage};
use crate::teams::to_text::{self, LONGEST_PREVIEW, MOST_PREVIEW_LINES, ReplyContext};
use crate::text::{LONGEST_NAME, fenced, one_line, text_lines};

/// Most characters of an attachment's name in a line of text.
const LONGEST_SHOWN_NAME: usize = 255;
/// The attachments of a message, each with what it shows.
pub(super) struct Attachments {
    shown: Vec<Shown>,
    /// By their ids, and whether they have their place in the body.
    places: RefCell<BTreeMap<String, (usize, bool)>>,
    /// What has to be fetched.
    pub(super) files: Vec<SentFile>,
    /// One of them is the message that this one answers.
    pub(super) quotes: bool,
}

/// What an attachment shows.
#[derive(Default)]
struct Shown {
    /// Its lines; empty where it is a file.
    lines: String,
    /// It is something that the words answer or pass on.
    comes_first: bool,
    files: Vec<SentFile>,
    is_quote: bool,
}

impl Attachments {
    pub(super) fn read(
        message: &ChatMessage,
        replies: ReplyContext,
        known: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut all = Self {
            shown: Vec::new(),
            places: RefCell::default(),
            files: Vec::new(),
            quotes: false,
        };
        for (index, attachment) in message.attachments.iter().enumerate() {
            let is_attached = |id: &str| message.attachments.iter().any(|other| other.id == id);
            let mut shown = read(attachment, known, &is_attached);
            all.quotes |= shown.is_quote;
            if shown.is_quote && replies == ReplyContext::Strip {
                shown.lines.clear();
            }
            all.files.append(&mut shown.files);
            all.shown.push(shown);
            let mut places = all.places.borrow_mut();
            places
                .entry(attachment.id.clone())
                .or_insert((index, false));
        }
        all
    }

    /// What stands where the body has the marker of this id.
    pub(super) fn take(&self, id: &str) -> Option<String> {
        let mut places = self.places.borrow_mut();
        let nameless = places.contains_key("");
        let Some((index, is_placed)) = places.get_mut(id) else {
            // Something was attached that Graph does not tell of, or not by its id.
            return (!nameless).then(|| "[attachment]".to_owned());
        };
        *is_placed = true;
        Some(self.shown[*index].lines.clone())
    }

    /// The lines of those that have no place in the body: what the words answer, and the rest.
    pub(super) fn without_a_place(self) -> (Vec<String>, Vec<String>) {
        let places = self.places.into_inner();
        let placed: BTreeSet<usize> = places
            .into_values()
            .filter_map(|(index, is_placed)| is_placed.then_some(index))
            .collect();
        let left = self.shown.into_iter().enumerate();
        let left = left.filter(|(index, _)| !placed.contains(index));
        let (before, after): (Vec<Shown>, Vec<Shown>) = left
            .map(|(_, shown)| shown)
            .partition(|shown| shown.comes_first);
        let lines = |all: Vec<Shown>| all.into_iter().map(|shown| shown.lines).collect();
        (lines(before), lines(after))
    }
}

/// What an attachment shows, by its content type.
fn read(
    attachment: &Attachment,
    known: &dyn Fn(&str) -> bool,
    is_attached: &dyn Fn(&str) -> bool,
) -> Shown {
    let content = json(attachment);
    let notice = |kind: &str, key: &str| line(kind, attachment, text_of(&content, key));
    let lines = match &*attachment.content_type {
        "messageReference" => {
            return Shown {
                lines: quote(&content, known),
                comes_first: true,
                is_quote: true,
                ..Shown::default()
            };
        }
        "forwardedMessageReference" => return forwarded(&content, is_attached),
        "reference" => match shared(attachment) {
            Some(file) => return Shown::file(file),
            None => notice("file", ""),
        },
        "application/vnd.microsoft.card.codesnippet" => match snippet(&content) {
            Ok(file) => return Shown::file(file),
            Err(lines) => lines,
        },
        "meetingReference" => notice("meeting", "meetingJoinUrl"),
        "tabReference" => notice("tab", ""),
        "application/vnd.microsoft.card.fluidEmbedCard" => notice("Loop component", "componentUrl"),
        kind if kind.starts_with("application/vnd.microsoft") && kind.contains(".card.") => {
            return card(attachment, &content);
        }
        kind => match kind.split_once('/') {
            Some((medium @ ("image" | "video" | "audio"), _)) => notice(medium, ""),
            _ => notice("attachment", ""),
        },
    };
    Shown {
        lines,
        ..Shown::default()
    }
}

impl Shown {
    fn file(file: SentFile) -> Self {
        Self {
            files: vec![file],
            ..Self::default()
        }
    }
}

/// A file that can be fetched: it has an address, and is no page that only a browser can show.
pub(super) fn shared(attachment: &Attachment) -> Option<SentFile> {
    let address = address_of(attachment)?;
    let name = attachment.name.as_deref().unwrap_or_default();
    let is_component = [".loop", ".fluid"]
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    (!is_component).then(|| SentFile::Shared {
        address,
        name: clean_name(name),
    })
}

/// An attachment's address for a browser, as it must be written: Teams has it with and without encoding.
fn address_of(attachment: &Attachment) -> Option<String> {
    let address = attachment.content_url.as_deref()?.trim();
    let name = attachment.name.as_deref().unwrap_or_default();
    let mut encoded = encoded(address);
    let is_unencoded = !name.is_empty() && address.ends_with(name);
    if is_unencoded && name.contains('#') {
        encoded = encoded.replace('#', "%23");
    }
    if is_unencoded && name.contains('?') {
        encoded = encoded.replace('?', "%3F");
    }
    shown_address(&encoded).map(Cow::into_owned)
}

/// A piece of code: a file where Graph keeps it, or else its lines.
fn snippet(content: &Value) -> Result<SentFile, String> {
    let language = text_of(content, "language");
    let language = language.map(|language| one_line(language, LONGEST_NAME));
    if let Some(source) = text_of(content, "codeSnippetUrl").and_then(shown_address) {
        return Ok(SentFile::Snippet {
            source: source.into_owned(),
            language,
        });
    }
    Err(match (text_of(content, "codeSnippet"), language) {
        (Some(code), language) => fenced(code, language.as_deref().unwrap_or_default()),
        (None, Some(language)) => format!("[code snippet: {language}]"),
        (None, None) => "[code snippet]".to_owned(),
    })
}

/// The message that is answered: its sender and its beginning, each line behind `> `.
fn quote(content: &Value, known: &dyn Fn(&str) -> bool) -> String {
    let preview = preview_of(content["messagePreview"].as_str().unwrap_or_default());
    let is_known = known(text_of(content, "messageId").unwrap_or_default());
    let name = content.get("messageSender").and_then(sender_name);
    let text = to_text::quotation(name.as_deref(), preview.trim(), is_known);
    quoted(&text)
}

/// The message that is passed on, whole: it is what the customer wanted to say.
fn forwarded(content: &Value, is_attached: &dyn Fn(&str) -> bool) -> Shown {
    let html = text_of(content, "originalMessageContent").unwrap_or_default();
    // What was attached to it is attached to this message.
    let attachment = |id: &str| (!is_attached(id)).then(|| "[attachment]".to_owned());
    let rendered = to_text::render_part(html, &attachment);
    let name = content.get("originalMessageSender").and_then(sender_name);
    let name = name.map_or_else(String::new, |name| format!("{name}: "));
    let text = match rendered.text.trim() {
        "" => "[forwarded message]",
        text => text,
    };
    Shown {
        lines: format!("[forwarded]\n{}", quoted(&(name + text))),
        comes_first: true,
        files: rendered.images.into_iter().map(SentFile::from).collect(),
        is_quote: false,
    }
}

fn quoted(text: &str) -> String {
    let lines = text_lines(text).map(|line| format!("> {line}").trim_end().to_owned());
    lines.collect::<Vec<String>>().join("\n")
}

/// The beginning of a preview.
fn preview_of(preview: &str) -> String {
    let mut lines = text_lines(preview.trim());
    let mut kept: Vec<&str> = lines.by_ref().take(MOST_PREVIEW_LINES).collect();
    let mut shortened = lines.next().is_some();
    let mut left = LONGEST_PREVIEW;
    for line in &mut kept {
        match line.char_indices().nth(left) {
            Some((end, _)) => {
                *line = &line[..end];
                left = 0;
                shortened = true;
            }
            None => left -= line.chars().count(),
        }
    }
    while kept.len() > 1 && kept.last().is_some_and(|line| line.trim().is_empty()) {
        kept.pop();
    }
    let mut text = kept.join("\n");
    if shortened {
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}

/// `[kind] name address`, as far as there is a name and an address.
fn line(kind: &str, attachment: &Attachment, address: Option<&str>) -> String {
    let name = attachment.name.as_deref().unwrap_or_default();
    let other = || address.and_then(shown_address).map(Cow::into_owned);
    let mut parts = vec![format!("[{kind}]"), one_line(name, LONGEST_SHOWN_NAME)];
    parts.extend(address_of(attachment).or_else(other));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn card(attachment: &Attachment, content: &Value) -> Shown {
    let recording = match attachment.content_type.rsplit('.').next() {
        Some("audio") => Some(Recording::Audio),
        Some("video") => Some(Recording::Video),
        Some("animation") => Some(Recording::Animation),
        _ => None,
    };
    let card = cards::read(content, recording);
    let head = line("card", attachment, None);
    let text = match recording {
        // Its first line says what it is.
        Some(_) if !card.text.is_empty() => card.text,
        _ if card.text.is_empty() => head,
        _ => format!("{head}\n{}", card.text),
    };
    Shown {
        lines: text,
        files: card.hosted.into_iter().map(SentFile::from).collect(),
        ..Shown::default()
    }
}

/// The content, which is JSON inside a text; null when it is not.
fn json(attachment: &Attachment) -> Value {
    let content = attachment.content.as_deref().unwrap_or_default();
    serde_json::from_str(content).unwrap_or_default()
}

fn sender_name(sender: &Value) -> Option<String> {
    let name = ["user", "application", "device"]
        .iter()
        .find_map(|kind| sender.get(kind)?.get("displayName")?.as_str())?;
    Some(one_line(name, LONGEST_NAME)).filter(|name| !name.is_empty())
}

fn text_of<'a>(content: &'a Value, key: &str) -> Option<&'a str> {
    content
        .get(key)?
        .as_str()
        .filter(|text| !text.trim().is_empty())
}
