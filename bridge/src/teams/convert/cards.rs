//! The text of a card, whatever its kind: adaptive, hero, thumbnail or connector card (Adaptive Cards, "Schema Explorer"; Microsoft
//! Learn, "Types of cards").

use serde_json::{Map, Value};

use crate::teams::to_text::shown_address;

/// Fields that hold text for the reader, in the order in which cards show them.
const TEXTS: [&str; 7] = [
    "title",
    "activityTitle",
    "subtitle",
    "activitySubtitle",
    "text",
    "activityText",
    "label",
];
/// Fields that hold further parts of the card, in the order in which cards show them.
const PARTS: [&str; 14] = [
    "sections",
    "body",
    "facts",
    "items",
    "columns",
    "rows",
    "cells",
    "inlines",
    "choices",
    "card",
    "buttons",
    "tap",
    "actions",
    "potentialAction",
];

/// The card's texts, each on a line of its own, with the addresses of its buttons; empty when there are none.
pub(super) fn text(card: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    // A stack of our own instead of recursion; the last entry comes next.
    let mut open = vec![card];
    while let Some(part) = open.pop() {
        match part {
            Value::Array(parts) => open.extend(parts.iter().rev()),
            Value::Object(fields) => {
                lines.extend(own_text(fields));
                open.extend(PARTS.iter().rev().filter_map(|name| fields.get(*name)));
            }
            // Inlines can be plain texts.
            Value::String(text) if !text.trim().is_empty() => lines.push(text.trim().to_owned()),
            _ => {}
        }
    }
    lines.join("\n")
}

/// What an element shows itself.
fn own_text(fields: &Map<String, Value>) -> Option<String> {
    let shown = |name: &&str| {
        let text = fields.get(*name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    };
    let mut texts: Vec<&str> = TEXTS.iter().filter_map(shown).collect();
    let fact_name = shown(&"name");
    let value = shown(&"value").filter(|_| fields.contains_key("title") || fact_name.is_some());
    let mut line = match (fact_name, value) {
        (Some(name), Some(value)) => format!("{name}: {value}"),
        (None, Some(value)) if texts.len() == 1 && shown_address(value).is_none() => {
            format!("{}: {value}", texts[0])
        }
        _ => {
            texts.dedup();
            texts.join("\n")
        }
    };
    let address = ["url", "value"]
        .iter()
        .find_map(|name| shown_address(shown(name)?));
    let is_picture = fields.get("type").and_then(Value::as_str) == Some("Image");
    if is_picture {
        line = "[image]".to_owned();
    }
    if let Some(address) = address
        && (is_picture || !line.is_empty())
        && !line.contains(address)
    {
        line.push_str(&format!(" ({address})"));
    }
    (!line.is_empty()).then_some(line)
}
