//! What a card shows, as lines of text, whatever its kind: adaptive card, hero, thumbnail, list, receipt, audio, video, animation,
//! connector card (Adaptive Cards, "Schema Explorer", version 1.6, with Teams' own elements; Microsoft Learn, "Types of cards" and
//! "Legacy actionable message card reference").
//!
//! One walk for all of them: it knows the names under which cards keep words, parts, pictures and buttons. An element that it
//! does not know shows what it has under the same names.

mod controls;
mod media;
mod words;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::teams::address::shown_address;
use crate::teams::to_text::InlineImage;
use crate::text::fenced;
pub(super) use media::Recording;
use words::Words;

type Fields = Map<String, Value>;

/// What a card shows.
#[derive(Default)]
pub(super) struct Card {
    /// Its lines; empty when it shows nothing.
    pub(super) text: String,
    /// Pictures and recordings that Graph keeps.
    pub(super) hosted: Vec<InlineImage>,
}

/// How the value of a field is shown.
#[derive(Clone, Copy)]
enum Shown {
    /// Words, or parts that hold words.
    Parts,
    /// Pairs of a name and a value.
    Facts,
    /// Pictures: objects, or an address alone.
    Pictures,
    /// Buttons.
    Buttons,
    /// Choices of an input.
    Choices,
    /// An amount that needs its name.
    Amount(&'static str),
}

/// The fields that cards show, in the order in which they show them.
const FIELDS: [(&str, Shown); 47] = [
    ("title", Shown::Parts),
    ("activityImage", Shown::Pictures),
    ("activityTitle", Shown::Parts),
    ("heading", Shown::Parts),
    ("displayName", Shown::Parts),
    ("header", Shown::Parts),
    ("subtitle", Shown::Parts),
    ("activitySubtitle", Shown::Parts),
    ("text", Shown::Parts),
    ("activityText", Shown::Parts),
    ("description", Shown::Parts),
    ("caption", Shown::Parts),
    ("label", Shown::Parts),
    ("message", Shown::Parts),
    ("quantity", Shown::Amount("Quantity")),
    ("price", Shown::Amount("Price")),
    ("heroImage", Shown::Pictures),
    ("image", Shown::Pictures),
    ("images", Shown::Pictures),
    ("content", Shown::Parts),
    ("sections", Shown::Parts),
    ("body", Shown::Parts),
    ("items", Shown::Parts),
    ("facts", Shown::Facts),
    ("columns", Shown::Parts),
    ("rows", Shown::Parts),
    ("cells", Shown::Parts),
    ("inlines", Shown::Parts),
    ("pages", Shown::Parts),
    ("elements", Shown::Parts),
    ("data", Shown::Facts),
    ("choices", Shown::Choices),
    ("card", Shown::Parts),
    ("cards", Shown::Parts),
    ("attachments", Shown::Parts),
    ("footer", Shown::Parts),
    ("tax", Shown::Amount("Tax")),
    ("vat", Shown::Amount("VAT")),
    ("total", Shown::Amount("Total")),
    ("buttons", Shown::Buttons),
    ("inputs", Shown::Parts),
    ("actions", Shown::Buttons),
    ("menuActions", Shown::Buttons),
    ("potentialAction", Shown::Buttons),
    ("quickActions", Shown::Buttons),
    ("options", Shown::Choices),
    ("suggestedActions", Shown::Parts),
];

/// Fields of an element that the walk does not know, and that nobody sees.
const UNSEEN: [&str; 16] = [
    "authentication",
    "backgroundImage",
    "channelData",
    "fallback",
    "grid.area",
    "iconUrl",
    "layouts",
    "metadata",
    "msteams",
    "poster",
    "refresh",
    "requires",
    "selectAction",
    "speak",
    "tap",
    "targetWidth",
];

/// Reads the content of a card; `recording` is what its media are, where the card's type says so.
pub(super) fn read(content: &Value, recording: Option<Recording>) -> Card {
    let mut walk = Walk {
        recording,
        ..Walk::default()
    };
    walk.part(content);
    if walk.lines.is_empty() {
        // What a card says that shows nothing here.
        for name in ["fallbackText", "summary"] {
            if walk.lines.is_empty() {
                walk.part(&content[name]);
            }
        }
    }
    Card {
        text: walk.lines.join("\n"),
        hosted: walk.hosted,
    }
}

#[derive(Default)]
struct Walk {
    lines: Vec<String>,
    hosted: Vec<InlineImage>,
    recording: Option<Recording>,
}

impl Walk {
    /// Any part of a card. As deep as JSON may be: `serde_json` ends at 128 levels.
    fn part(&mut self, part: &Value) {
        match part {
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part)),
            Value::Object(fields) => self.element(fields),
            Value::String(text) => self.words(text),
            _ => {}
        }
    }

    fn element(&mut self, fields: &Fields) {
        if is_hidden(fields) {
            return;
        }
        let start = self.lines.len();
        let kind = text_of(fields, "type").unwrap_or_default();
        match kind {
            "Image" => self.picture(fields),
            "Media" => self.media(fields),
            "RichTextBlock" if fields.contains_key("inlines") => self.rich_text(fields),
            "Table" if fields.contains_key("rows") => self.table(fields),
            "CodeBlock" => self.code(fields),
            "Rating" => self.rating(fields),
            _ if kind.starts_with("Input.") => self.input(fields),
            _ if kind.starts_with("Action.") => self.button(fields),
            _ => self.any_element(fields),
        }
        if self.lines.len() == start
            && let Some(fallback) = fields.get("fallback").filter(|part| part.is_object())
        {
            self.part(fallback);
        }
        for name in ["selectAction", "tap"] {
            self.link_of(fields.get(name), start);
        }
    }

    /// What stands under the names that every card uses.
    fn any_element(&mut self, fields: &Fields) {
        let start = self.lines.len();
        if let Some(media) = fields.get("media") {
            self.recordings(fields, media);
        }
        let has_recordings = fields.contains_key("media");
        for (name, shown) in FIELDS {
            let Some(value) = fields.get(name) else {
                continue;
            };
            match shown {
                // The line of the recording says it.
                Shown::Parts if name == "title" && has_recordings => {}
                Shown::Parts if value.is_number() => self.words(&value.to_string()),
                Shown::Parts => self.part(value),
                Shown::Facts => self.facts(value),
                Shown::Pictures => self.pictures(value),
                Shown::Buttons => each(value, |button| self.buttons(button)),
                Shown::Choices => each(value, |choice| self.choice(choice, None)),
                Shown::Amount(title) => self.amount(title, value),
            }
        }
        let known = |name: &str| FIELDS.iter().any(|(known, _)| *known == name);
        for (name, value) in fields {
            let is_part = value.is_object() || value.is_array();
            if is_part && !known(name) && !UNSEEN.contains(&&**name) && name != "media" {
                self.part(value);
            }
        }
        // The id of a list card's file is its address.
        let addresses = ["url", "uri", "href", "link", "id"].iter();
        let address = addresses.filter_map(|name| text_of(fields, name));
        self.link(address.filter_map(shown_address).next().as_deref(), start);
    }

    /// Adds words, each line of them a line of its own.
    fn words(&mut self, text: &str) {
        let Words { text, hosted } = words::read(text);
        self.hosted.extend(hosted);
        let lines = text.lines().map(str::trim_end);
        self.lines.extend(
            lines
                .filter(|line| !line.trim().is_empty())
                .map(str::to_owned),
        );
    }

    /// What a part shows, on one line.
    fn on_one_line(&mut self, part: &Value) -> String {
        let before = std::mem::take(&mut self.lines);
        self.part(part);
        std::mem::replace(&mut self.lines, before).join(" ")
    }

    fn rich_text(&mut self, fields: &Fields) {
        let mut text = String::new();
        each(fields.get("inlines").unwrap_or(&Value::Null), |run| {
            let Value::Object(run) = run else {
                text.push_str(run.as_str().unwrap_or_default());
                return;
            };
            if is_hidden(run) {
                return;
            }
            let Some(words) = run.get("text").and_then(Value::as_str) else {
                text.push_str(&self.on_one_line(&Value::Object(run.clone())));
                return;
            };
            text.push_str(words);
            if let Some(address) = run.get("selectAction").and_then(address_of) {
                text.push_str(&format!(" ({address})"));
            }
        });
        self.words(&text);
    }

    fn table(&mut self, fields: &Fields) {
        each(&fields["rows"], |row| {
            let mut cells = Vec::new();
            if row.as_object().is_some_and(is_hidden) {
                return;
            }
            each(row.get("cells").unwrap_or(&Value::Null), |cell| {
                if !cell.as_object().is_some_and(is_hidden) {
                    cells.push(self.on_one_line(cell));
                }
            });
            if cells.iter().any(|cell| !cell.is_empty()) {
                self.lines.push(cells.join(" | "));
            }
        });
    }

    fn code(&mut self, fields: &Fields) {
        let code = fields.get("codeSnippet").and_then(Value::as_str);
        if let Some(code) = code.filter(|code| !code.trim().is_empty()) {
            let language = text_of(fields, "language").unwrap_or_default();
            self.lines.push(fenced(code, language));
        }
    }

    fn rating(&mut self, fields: &Fields) {
        let stars = |name: &str| fields.get(name).filter(|value| value.is_number());
        if let Some(value) = stars("value") {
            let most = stars("max").map_or_else(|| "5".to_owned(), Value::to_string);
            self.lines.push(format!("[rating] {value}/{most}"));
        }
    }

    /// Pairs of a name and a value, and the points of a chart.
    fn facts(&mut self, facts: &Value) {
        each(facts, |fact| {
            let Value::Object(fields) = fact else {
                return self.part(fact);
            };
            if is_hidden(fields) {
                return;
            }
            let first = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| fields.get(*name).and_then(plain))
            };
            let name = first(&["title", "name", "key", "legend", "label", "x"]);
            let value = first(&["value", "y"]);
            match (name, value) {
                (Some(name), Some(value)) => self.pair(&name, &value),
                (Some(text), None) | (None, Some(text)) => self.words(&text),
                (None, None) => {}
            }
            for name in ["values", "data"] {
                self.facts(fields.get(name).unwrap_or(&Value::Null));
            }
        });
    }

    fn amount(&mut self, title: &str, value: &Value) {
        if let Some(value) = plain(value) {
            self.pair(title, &value);
        }
    }

    /// `name: value`, whether or not the name brings its colon.
    fn pair(&mut self, name: &str, value: &str) {
        let name = name.trim().trim_end_matches([':', '：']).trim_end();
        self.words(&format!("{name}: {value}"));
    }

    /// Where a click on an element leads.
    fn link_of(&mut self, action: Option<&Value>, start: usize) {
        self.link(action.and_then(address_of).as_deref(), start);
    }

    /// An address of all that was written since `start`: behind its first line, or on a line of its own.
    fn link(&mut self, address: Option<&str>, start: usize) {
        let Some(address) = address else {
            return;
        };
        let lines = &mut self.lines[start..];
        if lines.iter().any(|line| line.contains(address)) {
            return;
        }
        match lines.first_mut().filter(|line| !line.contains('\n')) {
            Some(line) => line.push_str(&format!(" ({address})")),
            None => self.lines.push(address.to_owned()),
        }
    }
}

/// What an action opens, if it is an address that a reader can open.
fn address_of(action: &Value) -> Option<Cow<'_, str>> {
    address_in(action.as_object()?)
}

fn address_in(fields: &Fields) -> Option<Cow<'_, str>> {
    let targets = fields.get("targets").and_then(Value::as_array);
    let page = fields
        .get("target")
        .filter(|_| fields.get("@type").is_some_and(|kind| kind == "ViewAction"));
    let page = page.and_then(|page| page.as_str().or_else(|| page[0].as_str()));
    let is_default = |target: &&Value| target["os"] == "default";
    let target = targets.and_then(|all| all.iter().find(is_default).or_else(|| all.first()));
    let addresses = ["url", "uri", "value"].iter();
    addresses
        .filter_map(|name| text_of(fields, name))
        .chain(target.and_then(|target| target["uri"].as_str()))
        .chain(page)
        .find_map(shown_address)
}

fn is_hidden(fields: &Fields) -> bool {
    fields.get("isVisible") == Some(&Value::Bool(false))
}

/// The words of a text or number.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn text_of<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// Each part of a list, or the only one.
fn each<'a>(value: &'a Value, mut visit: impl FnMut(&'a Value)) {
    match value {
        Value::Array(parts) => parts.iter().for_each(visit),
        Value::Null => {}
        one => visit(one),
    }
}
