//! Attachments as lines of text (Microsoft Learn, "chatMessageAttachment resource type").

use serde_json::Value;

use super::{SentFile, cards};
use crate::files::clean_name;
use crate::teams::message::Attachment;
use crate::teams::to_text::{self, LONGEST_PREVIEW, MOST_PREVIEW_LINES, shown_address};
use crate::text::{LONGEST_NAME, one_line, text_lines};

/// Most characters of an attachment's name in a line of text.
const LONGEST_SHOWN_NAME: usize = 255;

/// What an attachment becomes.
pub(super) enum Read {
    /// The message that this one answers.
    Quote(String),
    /// A message that this one passes on.
    Forwarded(String),
    /// Lines for the reader.
    Notice(String),
    /// Something to fetch.
    File(SentFile),
}

/// What an attachment becomes, by its content type.
pub(super) fn read(attachment: &Attachment, known: &dyn Fn(&str) -> bool) -> Read {
    let content = json(attachment);
    let notice = |kind, address| Read::Notice(line(kind, attachment, address));
    match &*attachment.content_type {
        "messageReference" => Read::Quote(quote(&content, known)),
        "forwardedMessageReference" => Read::Forwarded(forwarded(&content)),
        "reference" => shared(attachment).map_or_else(|| notice("file", None), Read::File),
        "meetingReference" => notice("meeting", text_of(&content, "meetingJoinUrl")),
        "tabReference" => notice("tab", None),
        "application/vnd.microsoft.card.codesnippet" => snippet(&content),
        "application/vnd.microsoft.card.fluidEmbedCard" => {
            notice("Loop component", text_of(&content, "componentUrl"))
        }
        kind if kind.starts_with("application/vnd.microsoft") && kind.contains(".card.") => {
            Read::Notice(card(attachment, &content))
        }
        kind => match kind.split_once('/') {
            Some((medium @ ("image" | "video" | "audio"), _)) => notice(medium, None),
            _ => notice("attachment", None),
        },
    }
}

/// A file that can be fetched: it has an address, and is no page that only a browser can show.
fn shared(attachment: &Attachment) -> Option<SentFile> {
    let address = shown_address(attachment.content_url.as_deref()?)?;
    let name = attachment.name.as_deref().unwrap_or_default();
    let is_component = [".loop", ".fluid"]
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    (!is_component).then(|| SentFile::Shared {
        address: address.to_owned(),
        name: clean_name(name),
    })
}

/// A piece of code: a file where it has an address.
fn snippet(content: &Value) -> Read {
    let language = text_of(content, "language").map(|language| one_line(language, LONGEST_NAME));
    match text_of(content, "codeSnippetUrl").and_then(shown_address) {
        Some(source) => Read::File(SentFile::Snippet {
            source: source.to_owned(),
            language,
        }),
        None => Read::Notice(match language {
            Some(language) => format!("[code snippet: {language}]"),
            None => "[code snippet]".to_owned(),
        }),
    }
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
fn forwarded(content: &Value) -> String {
    let text = to_text::to_text(text_of(content, "originalMessageContent").unwrap_or_default());
    let text = match text.trim() {
        "" => "[forwarded message]",
        text => text,
    };
    let name = content.get("originalMessageSender").and_then(sender_name);
    let name = name.map_or_else(String::new, |name| format!("{name}: "));
    format!("[forwarded]\n{}", quoted(&(name + text)))
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
    let address = attachment.content_url.as_deref().or(address);
    let mut parts = vec![format!("[{kind}]"), one_line(name, LONGEST_SHOWN_NAME)];
    parts.extend(address.and_then(shown_address).map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn card(attachment: &Attachment, content: &Value) -> String {
    let mut lines = vec![line("card", attachment, None), cards::text(content)];
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
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
