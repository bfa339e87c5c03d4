//! What the fuzz targets share: changes of JSON that leave it JSON, what a browser shows of HTML, encryption, and a delivery.

pub mod sealing;
pub mod story;

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_document, parse_fragment};
use libfuzzer_sys::fuzzer_mutate;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde_json::{Map, Value};

/// Names of fields that mean something to one of the conversions.
const NAMES: &str = "id type text title subtitle body content contentType contentUrl name attachments mentions mentionText \
    messageReference messagePreview messageSender sections facts value buttons actions items columns rows cells inlines card \
    url image images tap selectAction isVisible fallback fallbackText summary media duration policyViolation importance from \
    user application device displayName attachment mediaType filename mime quickReply quickReplies buttonResponse payload \
    datePicker availableTimes dateTime listPicker receivedMessage replyMessage template header footer parameters cards \
    defaultAction description phoneNumber contentUrl codeSnippet language choices placeholder label style events eventType";

/// Pieces of text at which conversions branch.
const PIECES: [&str; 34] = [
    "<p>",
    "</p>",
    "<div hidden>",
    "<span style=\"display:none\">",
    "</span>",
    "<br>",
    "<table><tr><td>",
    "<td>",
    "</table>",
    "<ul><li>",
    "<ol start=9><li>",
    "</ul>",
    "<pre>",
    "<codeblock class=\"Rust\"><code>",
    "</codeblock>",
    "<blockquote itemtype=\"http://schema.skype.com/Reply\" itemid=\"1\">",
    "<blockquote>",
    "</blockquote>",
    "<attachment id=\"a1\"></attachment>",
    "<at id=\"0\">Cora</at>",
    "<emoji alt=\"🙂\"></emoji>",
    "<img alt=\"plan\" src=\"https://graph.microsoft.com/v1.0/chats/1/messages/1/hostedContents/1/$value\">",
    "<a href=\"https://shop.example/1\">",
    "&amp;",
    "{{DATE(2026-02-14T06:00:00Z,SHORT)}}",
    "```\n",
    "- [ ] ",
    "1. ",
    "> ",
    "**",
    "[shop](https://shop.example/1)",
    "https://shop.example/1。",
    "\u{2028}",
    "日本語",
];

/// Whole texts at which readers branch: times at the ends of the calendar, ids of each kind.
const TEXTS: [&str; 12] = [
    "0000-01-01T00:00:00Z",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-23:59",
    "2026-01-02T03:04:05Z",
    "2026-01-01T03:04:05.5+02:00",
    "1",
    "19:a@unq.gbl.spaces",
    "teams:support:0f0e0d0c-0000-4000-8000-00000000000a:4294967295",
    "0f0e0d0c-0000-4000-8000-00000000000a",
    "00000000000000000000000000000000",
    "",
];

struct Dice(u64);

impl Dice {
    /// A number below `most`, which is not 0.
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % most
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A custom mutator for JSON: values move, are copied and left out, texts grow by pieces that matter. What is not JSON, and a
/// part of what is, is changed byte by byte.
pub fn changed(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed) << 1 | 1);
    let Ok(mut json) = serde_json::from_slice::<Value>(&data[..size]) else {
        return fuzzer_mutate(data, size, most);
    };
    if dice.below(8) == 0 {
        return fuzzer_mutate(data, size, most);
    }
    for _ in 0..=dice.below(4) {
        change(&mut json, &mut dice);
    }
    let changed = json.to_string();
    if changed.len() > most {
        return fuzzer_mutate(data, size, most);
    }
    data[..changed.len()].copy_from_slice(changed.as_bytes());
    changed.len()
}

fn change(json: &mut Value, dice: &mut Dice) {
    let count = count(json);
    let other = node(json, &mut dice.below(count)).map(|node| node.clone());
    let Some(found) = node(json, &mut dice.below(count)) else {
        return;
    };
    let other = other.unwrap_or_default();
    match found {
        Value::String(text) => match dice.below(6) {
            0 => *found = other,
            1 => *text = in_other_order(text, dice),
            2 => *text = (*dice.pick::<&str>(&TEXTS)).to_owned(),
            _ => {
                let mut at = dice.below(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                text.insert_str(at, dice.pick::<&str>(&PIECES));
            }
        },
        Value::Array(values) => match dice.below(4) {
            0 if !values.is_empty() => {
                let one = dice.below(values.len());
                values.remove(one);
            }
            1 => *found = other,
            _ => values.push(other),
        },
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            match dice.below(5) {
                0 if !names.is_empty() => {
                    fields.remove(dice.pick(&names));
                }
                1 if !names.is_empty() => {
                    let value = fields.remove(dice.pick(&names)).unwrap_or_default();
                    fields.insert(a_name(dice), value);
                }
                2 => *found = other,
                _ => {
                    fields.insert(a_name(dice), other);
                }
            }
        }
        plain => {
            *plain = match dice.below(7) {
                0 => Value::Bool(true),
                1 => Value::Bool(false),
                2 => Value::from(dice.below(1 << 20)),
                3 => Value::Object(Map::new()),
                4 => Value::Array(Vec::new()),
                5 => Value::from(u32::MAX),
                _ => other,
            };
        }
    }
}

fn in_other_order(text: &str, dice: &mut Dice) -> String {
    let mut parts: Vec<&str> = text.split_inclusive(['>', ' ', '\n']).collect();
    if !parts.is_empty() {
        let (one, other) = (dice.below(parts.len()), dice.below(parts.len()));
        parts.swap(one, other);
    }
    parts.concat()
}

fn a_name(dice: &mut Dice) -> String {
    let names: Vec<&str> = NAMES.split_whitespace().collect();
    (*dice.pick(&names)).to_owned()
}

fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn node<'a>(json: &'a mut Value, index: &mut usize) -> Option<&'a mut Value> {
    if *index == 0 {
        return Some(json);
    }
    *index -= 1;
    match json {
        Value::Array(values) => values.iter_mut().find_map(|value| node(value, index)),
        Value::Object(fields) => fields.values_mut().find_map(|value| node(value, index)),
        _ => None,
    }
}

/// How often each letter occurs.
pub type Letters = BTreeMap<char, usize>;

/// The letters of a text.
pub fn letters(text: &str) -> Letters {
    let mut letters = Letters::new();
    for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
        *letters.entry(letter).or_default() += 1;
    }
    letters
}

/// Letters that a text should have and has not.
pub fn lost(expected: &Letters, text: &str) -> Letters {
    let found = letters(text);
    let missing = |(letter, count): (&char, &usize)| {
        let missing = count.saturating_sub(found.get(letter).copied().unwrap_or_default());
        (missing > 0).then_some((*letter, missing))
    };
    expected.iter().filter_map(missing).collect()
}

/// The letters that a browser surely shows of HTML. What a style may hide, what Teams replaces, and quotes, of which only the
/// beginning is shown, do not count; nor does anything where something is hidden and the tags are mixed up: browsers move what
/// stands between such tags.
pub fn visible_letters(html: &str) -> Letters {
    let mut hides = false;
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let tree = parse_document(RcDom::default(), options).one(html);
    let mut text = String::new();
    // Not by recursion: the tree may be as deep as the input is long.
    let mut open: Vec<Handle> = vec![tree.document.clone()];
    while let Some(node) = open.pop() {
        match &node.data {
            NodeData::Text { contents } => text.push_str(&contents.borrow()),
            NodeData::Element { name, attrs, .. } => {
                let is_apart = matches!(
                    &*name.local,
                    "script"
                        | "style"
                        | "template"
                        | "emoji"
                        | "customemoji"
                        | "attachment"
                        | "svg"
                        | "math"
                        | "iframe"
                        | "noframes"
                        | "noembed"
                        | "object"
                        | "audio"
                        | "video"
                        | "canvas"
                        | "select"
                );
                let may_hide = attrs.borrow().iter().any(|attribute| {
                    matches!(&*attribute.name.local, "hidden" | "style" | "itemtype")
                });
                hides |= may_hide;
                if is_apart || may_hide {
                    continue;
                }
            }
            _ => {}
        }
        open.extend(node.children.borrow().iter().cloned());
    }
    if hides && is_mixed_up(html) {
        return Letters::new();
    }
    letters(&text)
}

fn is_mixed_up(html: &str) -> bool {
    let body = QualName::new(None, ns!(html), local_name!("body"));
    let tree =
        parse_fragment(RcDom::default(), ParseOpts::default(), body, vec![], false).one(html);
    !tree.errors.borrow().is_empty()
}
