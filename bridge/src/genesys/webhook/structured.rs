//! Structured content (Platform API, `ConversationMessageContent`): titles, descriptions, links and choices.

use serde_json::Value;

use super::StructuredPart;
use crate::state::question::{Choice, ChoiceKind};
use crate::teams::to_text::shown_address;

/// Titles, descriptions, links and choices of one content item, whatever its kind: Genesys nests them in an object named after
/// the kind (`quickReply`, `buttonResponse`, `card`, `carousel`, `datePicker`, `listPicker`, …).
pub(super) fn parts(item: &Value) -> Vec<StructuredPart> {
    let mut parts = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match name.as_str() {
            "contentType" | "attachment" => {}
            "quickReply" => parts.extend(action(value, ChoiceKind::QuickReply)),
            "buttonResponse" => parts.extend(action(value, ChoiceKind::Button)),
            _ => elements(value, &mut parts),
        }
    }
    parts
}

/// A link with its address, or a choice.
fn action(value: &Value, kind: ChoiceKind) -> Option<StructuredPart> {
    let text = ["text", "title"]
        .iter()
        .find_map(|name| value[*name].as_str())
        .filter(|text| !text.trim().is_empty());
    match (text, value["url"].as_str().and_then(shown_address)) {
        (Some(text), Some(address)) => Some(StructuredPart::Words(format!("{text}: {address}"))),
        (None, Some(address)) => Some(StructuredPart::Words(address.to_owned())),
        (Some(text), None) => Some(StructuredPart::Choice(Choice {
            kind,
            text: text.to_owned(),
            payload: value["payload"].as_str().unwrap_or(text).to_owned(),
        })),
        (None, None) => None,
    }
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
const ADDRESSES: [&str; 3] = ["image", "video", "url"];
/// Fields with an action or a list of them.
const ACTIONS: [&str; 5] = [
    "defaultAction",
    "actions",
    "quickReplies",
    "components",
    "buttons",
];
/// Fields with further elements.
const ELEMENTS: [&str; 6] = ["header", "body", "cards", "sections", "items", "footer"];

fn elements(value: &Value, parts: &mut Vec<StructuredPart>) {
    // A stack of our own instead of recursion; the last entry comes next.
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        if let Value::Array(values) = value {
            waiting.extend(values.iter().rev());
            continue;
        }
        let field = |name: &&str| value.get(*name);
        let texts = TEXTS.iter().filter_map(field).filter_map(Value::as_str);
        let addresses = ADDRESSES.iter().filter_map(field).filter_map(Value::as_str);
        let words = texts
            .filter(|text| !text.trim().is_empty())
            .chain(addresses.filter_map(shown_address));
        parts.extend(words.map(|words| StructuredPart::Words(words.to_owned())));
        for actions in ACTIONS.iter().filter_map(field) {
            match actions {
                Value::Array(actions) => {
                    parts.extend(
                        actions
                            .iter()
                            .filter_map(|one| action(one, ChoiceKind::Button)),
                    );
                }
                one => parts.extend(action(one, ChoiceKind::Button)),
            }
        }
        let times = field(&"availableTimes").and_then(Value::as_array);
        let times = times.into_iter().flatten();
        parts.extend(
            times
                .filter_map(|time| time["dateTime"].as_str())
                .map(|time| {
                    StructuredPart::Choice(Choice {
                        kind: ChoiceKind::DatePicker,
                        text: time.to_owned(),
                        payload: time.to_owned(),
                    })
                }),
        );
        waiting.extend(ELEMENTS.iter().rev().filter_map(field));
    }
}
