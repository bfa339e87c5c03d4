//! Adaptive Cards of version 1.5, by the published schema (adaptivecards.io/schemas/adaptive-card.json): which elements there are,
//! what each must have, and what stands inside. Properties that are not named here are not looked at.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Type, properties that must be there, properties that hold further elements, and of which kind these are.
type Shape = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, Family)],
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Card,
    Element,
    Action,
    Column,
    Row,
    Cell,
    Inline,
    Image,
    /// `Fact`, `Input.Choice` and `MediaSource` need no type: they have these two properties.
    Pair(&'static str, &'static str),
}

use Family::{Action, Card, Cell, Column, Element, Image, Inline, Pair, Row};

const SELECT: (&str, Family) = ("selectAction", Action);

const SHAPES: &[(Family, &[Shape])] = &[
    (
        Card,
        &[(
            "AdaptiveCard",
            &["version"],
            &[("body", Element), ("actions", Action), SELECT],
        )],
    ),
    (
        Element,
        &[
            ("TextBlock", &["text"], &[]),
            ("Image", &["url"], &[SELECT]),
            (
                "Media",
                &["sources"],
                &[("sources", Pair("mimeType", "url"))],
            ),
            ("RichTextBlock", &["inlines"], &[("inlines", Inline)]),
            ("ActionSet", &["actions"], &[("actions", Action)]),
            ("Container", &["items"], &[("items", Element), SELECT]),
            ("ColumnSet", &[], &[("columns", Column), SELECT]),
            ("FactSet", &["facts"], &[("facts", Pair("title", "value"))]),
            ("ImageSet", &["images"], &[("images", Image)]),
            ("Table", &[], &[("rows", Row)]),
            (
                "Input.ChoiceSet",
                &["id"],
                &[("choices", Pair("title", "value"))],
            ),
            ("Input.Date", &["id"], &[]),
            ("Input.Number", &["id"], &[]),
            ("Input.Text", &["id"], &[("inlineAction", Action)]),
            ("Input.Time", &["id"], &[]),
            ("Input.Toggle", &["id", "title"], &[]),
        ],
    ),
    (
        Action,
        &[
            ("Action.Submit", &[], &[]),
            ("Action.Execute", &[], &[]),
            ("Action.OpenUrl", &["url"], &[]),
            ("Action.ShowCard", &["card"], &[("card", Card)]),
            ("Action.ToggleVisibility", &["targetElements"], &[]),
        ],
    ),
    (Column, &[("Column", &[], &[("items", Element), SELECT])]),
    (Row, &[("TableRow", &[], &[("cells", Cell)])]),
    (
        Cell,
        &[("TableCell", &["items"], &[("items", Element), SELECT])],
    ),
    (Inline, &[("TextRun", &["text"], &[SELECT])]),
    (Image, &[("Image", &["url"], &[SELECT])]),
];

/// Refuses a card that Teams would not show; the error says why.
pub fn check(card: &Value) -> Result<(), String> {
    let version = card["version"].as_str().and_then(|it| it.split_once('.'));
    let version =
        version.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    if !version.is_some_and(|version: (u32, u32)| ((1, 0)..=(1, 5)).contains(&version)) {
        return Err("a card has a version up to 1.5".to_owned());
    }
    look(card, Card, &mut HashSet::new())
}

fn look(value: &Value, family: Family, inputs: &mut HashSet<String>) -> Result<(), String> {
    let element = value
        .as_object()
        .ok_or("an element of a card is an object")?;
    if let Pair(one, other) = family {
        return require(element, &[one, other], "a pair");
    }
    // What stands in these places need not say what it is.
    let implied = match family {
        Column => Some("Column"),
        Row => Some("TableRow"),
        Cell => Some("TableCell"),
        Image => Some("Image"),
        _ => None,
    };
    let kind = element.get("type").map_or(implied, Value::as_str);
    let kind = kind.ok_or("an element of a card has a type")?;
    let shapes = SHAPES.iter().find(|(of, _)| *of == family);
    let mut shapes = shapes.into_iter().flat_map(|(_, shapes)| shapes.iter());
    let shape = shapes.find(|(name, ..)| *name == kind);
    let (_, required, inside) = shape.ok_or_else(|| format!("a card has no {kind} there"))?;
    require(element, required, kind)?;
    if kind.starts_with("Input.") {
        let id = element["id"].as_str().unwrap_or_default();
        if id.is_empty() || !inputs.insert(id.to_owned()) {
            return Err("each input has an id of its own".to_owned());
        }
    }
    for (name, family) in *inside {
        match element.get(*name) {
            None => {}
            Some(Value::Array(all)) => all.iter().try_for_each(|it| look(it, *family, inputs))?,
            Some(one) if ["selectAction", "inlineAction", "card"].contains(name) => {
                look(one, *family, inputs)?;
            }
            Some(_) => return Err(format!("{name} of {kind} is no list")),
        }
    }
    Ok(())
}

/// Texts, addresses and ids are texts; lists and cards are looked at where they stand.
fn require(element: &Map<String, Value>, names: &[&str], kind: &str) -> Result<(), String> {
    let is_there = |name: &&str| match element.get(*name) {
        None | Some(Value::Null) => false,
        Some(Value::String(_) | Value::Array(_)) => true,
        Some(value) => *name == "card" && value.is_object(),
    };
    match names.iter().find(|name| !is_there(name)) {
        Some(name) => Err(format!("{kind} has no {name}")),
        None => Ok(()),
    }
}

/// The first object in the card for which this holds.
pub fn find<'card>(card: &'card Value, holds: &impl Fn(&Value) -> bool) -> Option<&'card Value> {
    if card.is_object() && holds(card) {
        return Some(card);
    }
    let parts: Vec<&Value> = match card {
        Value::Array(all) => all.iter().collect(),
        Value::Object(all) => all.values().collect(),
        _ => Vec::new(),
    };
    parts.into_iter().find_map(|part| find(part, holds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_schema_has_passes_and_nothing_else() {
        let body =
            |element: Value| json!({ "type": "AdaptiveCard", "version": "1.5", "body": [element] });
        let button = json!({ "type": "Action.Submit", "title": "A", "data": { "k": 1 } });
        let image = json!({ "type": "Image", "url": "https://a.example/", "selectAction": button });
        let row = json!({ "cells": [{ "items": [{ "type": "TextBlock", "text": "a" }] }] });
        let inner = json!({ "type": "AdaptiveCard", "version": "1.0", "body": [] });
        for (is_good, card) in [
            (
                true,
                body(json!({ "type": "TextBlock", "text": "a", "wrap": true })),
            ),
            (
                true,
                body(json!({ "type": "ColumnSet", "columns": [{ "items": [image] }] })),
            ),
            (
                true,
                body(json!({ "type": "ImageSet", "images": [{ "url": "https://a.example/" }] })),
            ),
            (true, body(json!({ "type": "Table", "rows": [row] }))),
            (
                true,
                body(json!({ "type": "FactSet", "facts": [{ "title": "a", "value": "b" }] })),
            ),
            (
                true,
                body(
                    json!({ "type": "ActionSet", "actions": [{ "type": "Action.ShowCard", "card": inner }] }),
                ),
            ),
            (
                true,
                body(
                    json!({ "type": "Input.ChoiceSet", "id": "a", "choices": [{ "title": "A", "value": "a" }] }),
                ),
            ),
            (
                true,
                json!({ "type": "AdaptiveCard", "version": "1.2", "actions": [button] }),
            ),
            (false, json!({ "type": "AdaptiveCard", "version": "1.6" })),
            (false, json!({ "type": "AdaptiveCard", "body": [] })),
            (false, json!({ "type": "Card", "version": "1.5" })),
            (
                false,
                json!({ "type": "AdaptiveCard", "version": "1.5", "body": {} }),
            ),
            (false, json!([])),
            (false, body(json!({ "type": "Text", "text": "a" }))),
            (false, body(json!({ "text": "a" }))),
            (false, body(json!({ "type": "TextBlock" }))),
            (false, body(button.clone())),
            (
                false,
                body(json!({ "type": "Container", "items": [{ "type": "Odd" }] })),
            ),
            (false, body(json!({ "type": "Input.Text", "id": "" }))),
            (
                false,
                body(
                    json!({ "type": "Container", "items": [{ "type": "Input.Text", "id": "a" },
                { "type": "Input.Date", "id": "a" }] }),
                ),
            ),
            (
                false,
                body(
                    json!({ "type": "Input.ChoiceSet", "id": "a", "choices": [{ "title": "A" }] }),
                ),
            ),
            (
                false,
                body(json!({ "type": "ActionSet", "actions": [{ "type": "Action.Odd" }] })),
            ),
        ] {
            assert_eq!(check(&card).is_ok(), is_good, "{card}");
        }
    }
}
