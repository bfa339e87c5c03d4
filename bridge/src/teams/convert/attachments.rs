//! Attachments as lines of text (Microsoft Learn, "chatMessageAttachment resource type").

use serde_json::Value;

use super::SentFile;
use super::cards::{self, Recording};
use crate::files::clean_name;
use crate::teams::message::Attachment;
use crate::teams::to_text::{self, InlineImage};
use crate::text::{one_line, text_lines};

/// Most characters of an attachment's name in a line of text.
const LONGEST_SHOWN_NAME: usize = 255;
/// Most characters of the name in a quote.
const LONGEST_QUOTED_NAME: usize = 64;

/// Most characters and lines of what a reply quotes: the agent has the whole message above.
const LONGEST_PREVIEW: usize = 300;
const MOST_PREVIEW_LINES: usize = 3;

/// What an attachment becomes.
pub(super) enum Read {
    /// The message that this one answers.
    Quote(String),
    /// A message that this one passes on.
    Forwarded(String),
    /// Lines for the reader.
    Notice(String),
    /// Lines for the reader, and what Graph keeps of them.
    Shown(String, Vec<InlineImage>),
    /// Something to fetch.
    File(SentFile),
}

/// What an attachment becomes, by its content type.
pub(super) fn read(attachment: &Attachment, known: &dyn Fn(&str) -> bool) -> Read {
    let content = json(attachment);
    let kind = &*attachment.content_type;
    match kind {
        "messageReference" => Read::Quote(quote(&content, known)),
        "forwardedMessageReference" => Read::Forwarded(forwarded(&content)),
        "reference" => shared(attachment)
            .map_or_else(|| Read::Notice(line("file", attachment, None)), Read::File),
        "application/vnd.microsoft.card.codesnippet" => {
            snippet(&content).map_or_else(|| Read::Notice(snippet_notice(&content)), Read::File)
        }
        "meetingReference" => Read::Notice(line(
            "meeting",
            attachment,
            text_of(&content, "meetingJoinUrl"),
        )),
        "tabReference" => Read::Notice(line("tab", attachment, None)),
        "application/vnd.microsoft.card.fluidEmbedCard" => Read::Notice(line(
            "Loop component",
            attachment,
            text_of(&content, "componentUrl"),
        )),
        kind if kind.starts_with("application/vnd.microsoft") && kind.contains(".card.") => {
            card(attachment, &content)
        }
        kind if kind.starts_with("image/") => Read::Notice(line("image", attachment, None)),
        kind if kind.starts_with("video/") => Read::Notice(line("video", attachment, None)),
        kind if kind.starts_with("audio/") => Read::Notice(line("audio", attachment, None)),
        _ => Read::Notice(line("attachment", attachment, None)),
    }
}

/// A file that can be fetched: it has an address, and is no page that only a browser can show.
fn shared(attachment: &Attachment) -> Option<SentFile> {
    let address = to_text::shown_address(attachment.content_url.as_deref()?)?;
    let name = attachment.name.as_deref().unwrap_or_default();
    let is_component = [".loop", ".fluid"]
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    (!is_component).then(|| SentFile::Shared {
        address: address.to_owned(),
        name: clean_name(name),
    })
}

fn snippet(content: &Value) -> Option<SentFile> {
    let source = to_text::shown_address(text_of(content, "codeSnippetUrl")?)?;
    Some(SentFile::Snippet {
        source: source.to_owned(),
        language: text_of(content, "language")
            .map(|language| one_line(language, LONGEST_QUOTED_NAME)),
    })
}

fn snippet_notice(content: &Value) -> String {
    match text_of(content, "language") {
        Some(language) => format!(
            "[code snippet: {}]",
            one_line(language, LONGEST_QUOTED_NAME)
        ),
        None => "[code snippet]".to_owned(),
    }
}

/// The message that is answered: its sender and its beginning, each line behind `> `.
fn quote(content: &Value, known: &dyn Fn(&str) -> bool) -> String {
    let preview = content
        .get("messagePreview")
        .and_then(Value::as_str)
        .map_or_else(String::new, preview_of);
    // Where nothing is said, nobody needs to vouch for it.
    let is_known = preview.is_empty() || known(text_of(content, "messageId").unwrap_or_default());
    let name = content.get("messageSender").and_then(sender_name);
    let name = to_text::quoted_name(name.as_deref(), is_known);
    quoted(name, &preview, "[quoted message]")
}

/// The message that is passed on, whole: it is what the customer wanted to say.
fn forwarded(content: &Value) -> String {
    let text = text_of(content, "originalMessageContent")
        .map(to_text::to_text)
        .unwrap_or_default();
    let name = content.get("originalMessageSender").and_then(sender_name);
    let lines = quoted(name, &text, "[forwarded message]");
    format!("[forwarded]\n{lines}")
}

fn quoted(name: Option<String>, text: &str, nothing: &str) -> String {
    let text = Some(text.trim())
        .filter(|text| !text.is_empty())
        .unwrap_or(nothing);
    let text = match name {
        Some(name) => format!("{name}: {text}"),
        None => text.to_owned(),
    };
    let lines: Vec<String> = text_lines(&text)
        .map(|line| format!("> {line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
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
    let mut output = format!("[{kind}]");
    let name = one_line(
        attachment.name.as_deref().unwrap_or_default(),
        LONGEST_SHOWN_NAME,
    );
    let address = attachment
        .content_url
        .as_deref()
        .or(address)
        .and_then(to_text::shown_address);
    for part in [Some(&*name), address]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
    {
        output.push(' ');
        output.push_str(part);
    }
    output
}

fn card(attachment: &Attachment, content: &Value) -> Read {
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
    Read::Shown(text, card.hosted)
}

/// The content, which is JSON inside a text; null when it is not.
fn json(attachment: &Attachment) -> Value {
    attachment
        .content
        .as_deref()
        .and_then(|content| serde_json::from_str(content).ok())
        .unwrap_or_default()
}

fn sender_name(sender: &Value) -> Option<String> {
    let name = ["user", "application", "device"]
        .iter()
        .find_map(|kind| sender.get(kind)?.get("displayName")?.as_str())?;
    Some(one_line(name, LONGEST_QUOTED_NAME)).filter(|name| !name.is_empty())
}

fn text_of<'a>(content: &'a Value, key: &str) -> Option<&'a str> {
    content
        .get(key)?
        .as_str()
        .filter(|text| !text.trim().is_empty())
}
