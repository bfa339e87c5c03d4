//! Attachments as lines of text (Microsoft Learn, "chatMessageAttachment resource type").

use serde_json::Value;

use super::{cards, one_line, text_lines};
use crate::html;
use crate::message::Attachment;

/// Most characters of a file's name.
const LONGEST_FILE_NAME: usize = 255;
/// Most characters of the name in a quote.
const LONGEST_QUOTED_NAME: usize = 64;

/// Whether the attachment is an earlier message that this one answers or passes on.
pub(super) fn is_quote(attachment: &Attachment) -> bool {
    matches!(
        &*attachment.content_type,
        "messageReference" | "forwardedMessageReference"
    )
}

/// The quoted message: its sender and its beginning, each line behind `> `.
pub(super) fn quote(attachment: &Attachment) -> String {
    let content = json(attachment);
    let sender = ["messageSender", "originalMessageSender"]
        .iter()
        .find_map(|key| sender_name(content.get(key)?));
    let preview = content
        .get("messagePreview")
        .and_then(Value::as_str)
        .map(|preview| preview.trim().to_owned());
    let text = preview
        .or_else(|| {
            content
                .get("originalMessageContent")
                .and_then(Value::as_str)
                .map(html::to_text)
        })
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "[quoted message]".to_owned());
    let text = sender.map_or_else(|| text.clone(), |sender| format!("{sender}: {text}"));
    let lines: Vec<String> = text_lines(&text)
        .map(|line| format!("> {line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// The line for an attachment that is no quote; a card takes several.
pub(super) fn notice(attachment: &Attachment) -> String {
    let kind = &*attachment.content_type;
    let content = json(attachment);
    match kind {
        "reference" => line("file", attachment, None),
        "meetingReference" => line("meeting", attachment, text_of(&content, "meetingJoinUrl")),
        "tabReference" => line("tab", attachment, None),
        "application/vnd.microsoft.card.codesnippet" => match text_of(&content, "language") {
            Some(language) => format!(
                "[code snippet: {}]",
                one_line(language, LONGEST_QUOTED_NAME)
            ),
            None => line("code snippet", attachment, None),
        },
        "application/vnd.microsoft.card.fluidEmbedCard" => line(
            "Loop component",
            attachment,
            text_of(&content, "componentUrl"),
        ),
        kind if kind.starts_with("application/vnd.microsoft") && kind.contains(".card.") => {
            card(attachment, &content)
        }
        kind if kind.starts_with("image/") => line("image", attachment, None),
        kind if kind.starts_with("video/") => line("video", attachment, None),
        kind if kind.starts_with("audio/") => line("audio", attachment, None),
        _ => line("attachment", attachment, None),
    }
}

/// `[kind] name address`, as far as there is a name and an address.
fn line(kind: &str, attachment: &Attachment, address: Option<&str>) -> String {
    let mut output = format!("[{kind}]");
    let name = one_line(
        attachment.name.as_deref().unwrap_or_default(),
        LONGEST_FILE_NAME,
    );
    let address = attachment
        .content_url
        .as_deref()
        .or(address)
        .and_then(html::shown_address);
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

fn card(attachment: &Attachment, content: &Value) -> String {
    let text = cards::text(content);
    let head = line("card", attachment, None);
    if text.is_empty() {
        head
    } else {
        format!("{head}\n{text}")
    }
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
