//! Structured content (Platform API, `ConversationMessageContent`): titles, descriptions, links, files and choices.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::{Part, WebhookAttachment};
use crate::state::question::{Choice, ChoiceKind};
use crate::teams::to_text::shown_address;
use crate::text::{spoken_seconds, zone};

const DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

type Fields = Map<String, Value>;

/// Titles, descriptions, links, files and choices of one content item, whatever its kind: Genesys nests them in an object named
/// after the kind (`quickReply`, `buttonResponse`, `card`, `carousel`, `datePicker`, `listPicker`, `template`, …). An item that
/// shows nothing is named.
pub(super) fn parts(item: &Value) -> Vec<Part> {
    let mut walk = Walk {
        kind: ChoiceKind::Button,
        parts: Vec::new(),
    };
    for (name, value) in item.as_object().into_iter().flatten() {
        walk.kind = match name.as_str() {
            "quickReply" | "quickReplyV2" => ChoiceKind::QuickReply,
            "listPicker" => ChoiceKind::ListItem,
            _ => ChoiceKind::Button,
        };
        match name.as_str() {
            "quickReply" | "buttonResponse" => walk.action(value),
            _ => walk.element("", value),
        }
    }
    if walk.parts.is_empty() && item.as_object().is_some_and(|fields| !fields.is_empty()) {
        let kind = item["contentType"].as_str().unwrap_or("content");
        walk.parts.push(Part::Unshown(kind.to_owned()));
    }
    walk.parts
}

/// Fields of an element that the customer reads, in the order in which cards show them.
const TEXTS: [&str; 8] = [
    "header",
    "title",
    "subtitle",
    "description",
    "name",
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
/// Fields with further elements, in the order in which the customer reads them; others come behind these.
const ELEMENTS: [&str; 8] = [
    "receivedMessage",
    "introduction",
    "header",
    "body",
    "cards",
    "sections",
    "items",
    "footer",
];
/// Fields that are no elements, or that come last.
const APART: [&str; 7] = [
    "media",
    "availableTimes",
    "parameters",
    "metadata",
    "payload",
    "context",
    "replyMessage",
];

struct Walk {
    /// What the choices are to Genesys.
    kind: ChoiceKind,
    parts: Vec<Part>,
}

impl Walk {
    /// What an element shows, and those below it; `name` is the field that holds it. As deep as JSON may be: `serde_json` ends at
    /// 128 levels.
    fn element(&mut self, name: &str, value: &Value) {
        let fields = match value {
            Value::Array(values) => {
                for value in values {
                    self.element(name, value);
                }
                return;
            }
            Value::Object(fields) => fields,
            _ => return,
        };
        if self.kind == ChoiceKind::ListItem && name == "items" {
            return self.item(fields);
        }
        self.parts.extend(fields.get("media").and_then(media));
        let mut texts = TEXTS.iter().filter_map(|name| text_of(fields, name));
        self.words(texts.by_ref());
        self.range(fields);
        let addresses = ADDRESSES.iter().filter_map(|name| text_of(fields, name));
        self.words(addresses.filter_map(shown_address));
        self.place(fields);
        each(fields.get("availableTimes"), |time| self.time(time));
        for name in ELEMENTS {
            self.element(name, fields.get(name).unwrap_or(&Value::Null));
        }
        for (name, value) in fields {
            let known = [&ELEMENTS[..], &ACTIONS, &APART];
            if !known.iter().any(|names| names.contains(&&**name)) {
                self.element(name, value);
            }
        }
        for name in ACTIONS {
            each(fields.get(name), |action| self.action(action));
        }
        // What thanks for the answer.
        self.element("", fields.get("replyMessage").unwrap_or(&Value::Null));
    }

    fn words<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.parts
            .extend(words.map(|words| Part::Words(words.to_owned())));
    }

    /// A choice, a link, or a number to call: only what Genesys takes as an answer can be chosen.
    fn action(&mut self, value: &Value) {
        let Value::Object(fields) = value else {
            return;
        };
        let text = ["text", "title", "label"]
            .iter()
            .find_map(|name| text_of(fields, name));
        let leads_to = ["url", "uri", "link", "paymentUrl"]
            .iter()
            .find_map(|name| shown_address(text_of(fields, name)?))
            .or_else(|| text_of(fields, "phoneNumber"))
            .or_else(|| text_of(fields, "phone"));
        let kind = text_of(fields, "type").or(text_of(fields, "action"));
        let answers = kind.is_none_or(|kind| {
            let answers = [
                "QuickReply",
                "Postback",
                "Message",
                "Button",
                "Listitem",
                "Unknown",
            ];
            answers.iter().any(|known| known.eq_ignore_ascii_case(kind))
        });
        match (text, leads_to) {
            (Some(text), Some(address)) => self.words([&*format!("{text}: {address}")].into_iter()),
            (None, Some(address)) => self.words([address].into_iter()),
            (Some(text), None) if answers => {
                let note = text_of(fields, "description").or(text_of(fields, "subtitle"));
                self.choice(self.kind, text, text_of(fields, "payload"), note);
            }
            (Some(text), None) => self.words([text].into_iter()),
            (None, None) => {}
        }
    }

    /// An item of a list.
    fn item(&mut self, fields: &Fields) {
        if let Some(title) = text_of(fields, "title") {
            self.choice(
                self.kind,
                title,
                text_of(fields, "id"),
                text_of(fields, "subtitle"),
            );
        } else {
            let texts = TEXTS.iter().filter_map(|name| text_of(fields, name));
            self.words(texts);
        }
        let addresses = ADDRESSES.iter().filter_map(|name| text_of(fields, name));
        self.words(addresses.filter_map(shown_address));
    }

    fn choice(&mut self, kind: ChoiceKind, text: &str, payload: Option<&str>, note: Option<&str>) {
        let choice = Choice {
            kind,
            text: text.to_owned(),
            payload: payload.unwrap_or(text).to_owned(),
        };
        self.parts
            .push(Part::Choice(choice, note.map(str::to_owned)));
    }

    /// A time of a date picker, as people read it; its answer is the time as Genesys wrote it.
    fn time(&mut self, time: &Value) {
        let Some(payload) = time["dateTime"].as_str() else {
            return;
        };
        let text = moment(payload).and_then(|moment| {
            let (day, time) = (moment.format(DAY).ok()?, moment.format(TIME).ok()?);
            Some(format!("{day}, {time} {}", zone(moment.offset())))
        });
        let duration = time["duration"].as_u64().and_then(spoken_seconds);
        let text = text.unwrap_or_else(|| payload.to_owned());
        self.choice(
            ChoiceKind::DatePicker,
            &text,
            Some(payload),
            duration.as_deref(),
        );
    }

    /// The days between which a date picker lets the customer choose, behind its last words.
    fn range(&mut self, fields: &Fields) {
        let day = |name| text_of(fields, name).and_then(moment);
        let written = |day: OffsetDateTime| day.format(DAY).unwrap_or_default();
        let range = match (day("dateMinimum"), day("dateMaximum")) {
            (Some(first), Some(last))
                if (first.year(), first.month()) == (last.year(), last.month()) =>
            {
                format!("{} to {}", first.day(), written(last))
            }
            (Some(first), Some(last)) => format!("{} to {}", written(first), written(last)),
            (Some(first), None) => format!("from {}", written(first)),
            (None, Some(last)) => format!("until {}", written(last)),
            (None, None) => return,
        };
        match self.parts.last_mut() {
            Some(Part::Words(words)) => words.push_str(&format!(" ({range})")),
            _ => self.words([&*range].into_iter()),
        }
    }

    /// A place on the map that nothing else names.
    fn place(&mut self, fields: &Fields) {
        let degrees = |name: &str| fields.get(name).and_then(Value::as_f64);
        if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
            self.words([&*format!("{latitude}, {longitude}")].into_iter());
        }
    }
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

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

fn text_of<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .get(name)?
        .as_str()
        .filter(|text| !text.trim().is_empty())
}

/// Each entry of a list, or the only one.
fn each(value: Option<&Value>, mut visit: impl FnMut(&Value)) {
    match value {
        Some(Value::Array(values)) => values.iter().for_each(visit),
        Some(value) => visit(value),
        None => {}
    }
}
