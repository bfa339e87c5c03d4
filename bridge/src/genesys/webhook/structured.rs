//! Structured content (Platform API, `ConversationMessageContent`): titles, descriptions, links, files and choices.

use serde_json::Value;

use super::{Part, WebhookAttachment};
use crate::state::question::{Choice, ChoiceKind};
use crate::teams::to_text::shown_address;

/// Titles, descriptions, links, files and choices of one content item, whatever its kind: Genesys nests them in an object named
/// after the kind (`quickReply`, `buttonResponse`, `card`, `carousel`, `datePicker`, `listPicker`, `template`, …).
pub(super) fn parts(item: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match name.as_str() {
            "contentType" | "attachment" => {}
            "quickReply" => parts.extend(action(value, ChoiceKind::QuickReply)),
            "buttonResponse" => parts.extend(action(value, ChoiceKind::Button)),
            "quickReplyV2" => elements(value, ChoiceKind::QuickReply, &mut parts),
            "listPicker" => elements(value, ChoiceKind::ListItem, &mut parts),
            _ => elements(value, ChoiceKind::Button, &mut parts),
        }
    }
    parts
}

/// A link with its address, or a choice.
fn action(value: &Value, kind: ChoiceKind) -> Option<Part> {
    let text = value["text"].as_str().or(value["title"].as_str());
    let text = text.filter(|text| !text.trim().is_empty());
    match (text, value["url"].as_str().and_then(shown_address)) {
        (Some(text), Some(address)) => Some(Part::Words(format!("{text}: {address}"))),
        (None, Some(address)) => Some(Part::Words(address.to_owned())),
        (Some(text), None) => Some(choice(kind, text, value["payload"].as_str())),
        (None, None) => None,
    }
}

fn choice(kind: ChoiceKind, text: &str, payload: Option<&str>) -> Part {
    Part::Choice(Choice {
        kind,
        text: text.to_owned(),
        payload: payload.unwrap_or(text).to_owned(),
    })
}

/// The file of a template's header: address, name and media type.
fn media(value: &Value) -> Option<Part> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let url = Some(text("url")?);
    let mime = text("mime");
    let family = mime.as_deref().and_then(|mime| mime.split('/').next());
    let media_type = match family {
        Some("image") => "Image",
        Some("video") => "Video",
        Some("audio") => "Audio",
        _ => "File",
    };
    Some(Part::File(WebhookAttachment {
        media_type: media_type.to_owned(),
        url,
        mime,
        filename: text("filename"),
        text: None,
        size: None,
    }))
}

/// Fields of an element that the customer reads, in the order in which cards show them.
const TEXTS: [&str; 7] = [
    "header",
    "title",
    "subtitle",
    "description",
    "address",
    "text",
    "body",
];
/// Fields with the address of a picture, a film or a page.
const ADDRESSES: [&str; 4] = ["image", "imageUrl", "video", "url"];
/// Fields with an action or a list of them.
const ACTIONS: [&str; 5] = [
    "defaultAction",
    "actions",
    "quickReplies",
    "components",
    "buttons",
];
/// Fields with further elements. What asks for an answer comes before what can be answered, and what thanks for it comes last.
const ELEMENTS: [&str; 9] = [
    "receivedMessage",
    "introduction",
    "header",
    "body",
    "cards",
    "sections",
    "items",
    "footer",
    "replyMessage",
];

/// What an element shows, and those below it. Its actions are choices of this kind; where that is a list's, so are its items.
fn elements(value: &Value, kind: ChoiceKind, parts: &mut Vec<Part>) {
    // A stack of our own instead of recursion; the last entry comes next.
    let mut waiting = vec![("", value)];
    while let Some((name, value)) = waiting.pop() {
        if let Value::Array(values) = value {
            waiting.extend(values.iter().rev().map(|value| (name, value)));
            continue;
        }
        let is_choice = kind == ChoiceKind::ListItem && name == "items";
        parts.extend(media(&value["media"]));
        for name in TEXTS {
            match value[name].as_str().filter(|text| !text.trim().is_empty()) {
                Some(text) if is_choice && name == "title" => {
                    parts.push(choice(kind, text, value["id"].as_str()));
                }
                Some(text) => parts.push(Part::Words(text.to_owned())),
                None => {}
            }
        }
        let addresses = ADDRESSES.iter().filter_map(|name| value[name].as_str());
        let addresses = addresses.filter_map(shown_address);
        parts.extend(addresses.map(|address| Part::Words(address.to_owned())));
        let actions = ACTIONS.iter().flat_map(|name| match &value[name] {
            Value::Array(actions) => actions.as_slice(),
            action => std::slice::from_ref(action),
        });
        parts.extend(actions.filter_map(|one| action(one, kind)));
        let times = value["availableTimes"].as_array().into_iter().flatten();
        let times = times.filter_map(|time| time["dateTime"].as_str());
        parts.extend(times.map(|time| choice(ChoiceKind::DatePicker, time, None)));
        let below = ELEMENTS.iter().rev();
        waiting.extend(below.filter_map(|name| Some((*name, value.get(name)?))));
    }
}
