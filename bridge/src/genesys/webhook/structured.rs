//! Structured content (Platform API, `ConversationMessageContent`): titles, descriptions, links, files and choices.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Time, UtcOffset};

use super::{Part, Target, WebhookAttachment};
use crate::state::question::{Choice, ChoiceKind};
use crate::text::placeholders::filled;
use crate::text::{spoken_seconds, zone};

const DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year]");
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const ZONE: &[BorrowedFormatItem<'_>] =
    format_description!("[offset_hour sign:mandatory]:[offset_minute]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

type Fields = Map<String, Value>;

/// Titles, descriptions, links, files and choices of one content item, whatever its kind: Genesys nests them in an object named
/// after the kind (`quickReply`, `buttonResponse`, `card`, `carousel`, `datePicker`, `listPicker`, `template`, …). An item that
/// shows nothing is named. What is filled into templates has so much `room`.
pub(super) fn parts(item: &Value, room: &mut usize) -> Vec<Part> {
    let mut walk = Walk {
        kind: ChoiceKind::Button,
        parts: Vec::new(),
        room,
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

/// Kinds of action that Genesys takes as an answer.
const ANSWERS: [&str; 6] = [
    "QuickReply",
    "Postback",
    "Message",
    "Button",
    "Listitem",
    "Unknown",
];

struct Walk<'a> {
    /// What the choices are to Genesys.
    kind: ChoiceKind,
    parts: Vec<Part>,
    /// How many bytes of values may still be filled in.
    room: &'a mut usize,
}

impl Walk<'_> {
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
        let values = values(fields);
        for text in TEXTS.iter().filter_map(|name| text_of(fields, name)) {
            let words = self.filled_in(text, &values);
            self.parts.push(Part::Words(words.into_owned()));
        }
        self.range(fields);
        self.addresses(fields);
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

    /// A template's text, each `{{name}}` of its parameters filled in as long as there is room: Genesys does so, but for some
    /// channels.
    fn filled_in<'a>(&mut self, text: &'a str, values: &BTreeMap<&str, &str>) -> Cow<'a, str> {
        filled(text, |name| {
            let value = values.get(name)?;
            *self.room = self.room.checked_sub(value.len())?;
            Some(value)
        })
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
        let values = values(fields);
        // An item of a list has what it does below it.
        let below = fields.get("actions").and_then(Value::as_object);
        let of_item = |name| below.and_then(|action| text_of(action, name));
        let payload = text_of(fields, "payload").or(of_item("textback"));
        let kind = text_of(fields, "type").or(text_of(fields, "action"));
        let is_answer = |kind: &str| ANSWERS.iter().any(|known| known.eq_ignore_ascii_case(kind));
        let answers = kind.is_none_or(is_answer);
        let target = self.leads_to(
            fields,
            of_item("url").filter(|_| payload.is_none()),
            &values,
        );
        // What cannot be opened matters where nothing can be answered instead.
        let target = target.filter(|target| {
            !answers || (kind.is_none() && payload.is_none()) || target.can_be_used()
        });
        let text = ["text", "title", "label"]
            .iter()
            .find_map(|name| text_of(fields, name))
            .map(|text| self.filled_in(text, &values).into_owned());
        match (text, target) {
            (text, Some(Target::Unshown)) => {
                self.parts.extend(text.map(Part::Words));
                self.parts.push(Part::Unshown("Link".to_owned()));
            }
            (text, Some(Target::Page(url) | Target::Contact(url) | Target::Words(url))) => {
                self.parts.push(Part::Link { text, url });
            }
            (Some(text), None) if answers => {
                let payload = payload.map(|payload| self.filled_in(payload, &values));
                let notes = ["description", "subtitle"].iter();
                let notes: Vec<Cow<'_, str>> = notes
                    .filter_map(|name| text_of(fields, name))
                    .map(|note| self.filled_in(note, &values))
                    .collect();
                let note = Some(notes.join(", ")).filter(|note| !note.is_empty());
                self.choice(self.kind, &text, payload.as_deref(), note.as_deref());
            }
            (text, None) => self.parts.extend(text.map(Part::Words)),
        }
    }

    /// Where an action leads: to what can be opened, or else called, or else only read.
    fn leads_to(
        &mut self,
        fields: &Fields,
        of_item: Option<&str>,
        values: &BTreeMap<&str, &str>,
    ) -> Option<Target> {
        let mut targets: Vec<Target> = ["url", "uri", "link", "paymentUrl"]
            .iter()
            .filter_map(|name| text_of(fields, name))
            .chain(of_item)
            .map(|address| Target::of(&self.filled_in(address, values)))
            .collect();
        if let Some(usable) = targets.iter().position(Target::can_be_used) {
            return Some(targets.swap_remove(usable));
        }
        let number = text_of(fields, "phoneNumber").or_else(|| text_of(fields, "phone"));
        let number = number.map(|number| self.filled_in(number, values).into_owned());
        number
            .map(Target::Contact)
            .or_else(|| targets.into_iter().next())
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
        self.addresses(fields);
    }

    fn addresses(&mut self, fields: &Fields) {
        for name in ADDRESSES {
            let Some(address) = text_of(fields, name) else {
                continue;
            };
            let is_picture = matches!(name, "image" | "imageUrl");
            self.parts.push(match Target::of(address) {
                Target::Page(address) if is_picture => Part::Picture(address),
                Target::Page(url) | Target::Contact(url) | Target::Words(url) => {
                    Part::Link { text: None, url }
                }
                Target::Unshown => {
                    Part::Unshown(if is_picture { "Picture" } else { "Link" }.to_owned())
                }
            });
        }
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
        let duration = time["duration"].as_u64().and_then(spoken_seconds);
        let text = moment(payload).map_or_else(|| payload.to_owned(), |moment| moment.spoken());
        self.choice(
            ChoiceKind::DatePicker,
            &text,
            Some(payload),
            duration.as_deref(),
        );
    }

    /// The days between which a date picker lets the customer choose, behind its last words.
    fn range(&mut self, fields: &Fields) {
        let day = |name| Some(text_of(fields, name).and_then(moment)?.day);
        let written = |day: Date| day.format(DAY).unwrap_or_default();
        let range = match (day("dateMinimum"), day("dateMaximum")) {
            (Some(first), Some(last)) if first == last => written(first),
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

/// A day, and what is known of the time.
struct Moment {
    day: Date,
    time: Option<Time>,
    zone: Option<UtcOffset>,
}

/// Reads a date with or without a time, and a time with or without seconds and zone.
fn moment(text: &str) -> Option<Moment> {
    let day = Date::parse(text.get(..10)?, DATE).ok()?;
    let Some(rest) = text[10..].strip_prefix('T') else {
        return text[10..].is_empty().then_some(Moment {
            day,
            time: None,
            zone: None,
        });
    };
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (hours, zone) = rest.split_at(end);
    let zone = match zone {
        "" => None,
        "Z" => Some(UtcOffset::UTC),
        zone => Some(UtcOffset::parse(zone, ZONE).ok()?),
    };
    let time = Some(Time::parse(hours.get(..5)?, TIME).ok()?);
    Some(Moment { day, time, zone })
}

impl Moment {
    /// `29 May 2026, 12:00 UTC`.
    fn spoken(&self) -> String {
        let time = self.time.and_then(|time| time.format(TIME).ok());
        let time = time.map(|time| format!(", {time}")).unwrap_or_default();
        let zone = self
            .zone
            .map(|offset| format!(" {}", zone(offset)))
            .unwrap_or_default();
        format!("{}{time}{zone}", self.day.format(DAY).unwrap_or_default())
    }
}

/// The values of a template's parameters by their names; of two of a name, the first counts.
fn values(fields: &Fields) -> BTreeMap<&str, &str> {
    let mut values = BTreeMap::new();
    each(fields.get("parameters"), |parameter| {
        if let (Some(name), Some(value)) = (parameter["name"].as_str(), parameter["text"].as_str())
        {
            values.entry(name).or_insert(value);
        }
    });
    values
}

fn text_of<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .get(name)?
        .as_str()
        .filter(|text| !text.trim().is_empty())
}

/// Each entry of a list, or the only one.
fn each<'a>(value: Option<&'a Value>, mut visit: impl FnMut(&'a Value)) {
    match value {
        Some(Value::Array(values)) => values.iter().for_each(visit),
        Some(value) => visit(value),
        None => {}
    }
}
