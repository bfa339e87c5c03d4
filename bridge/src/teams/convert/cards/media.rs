//! Pictures and recordings of a card.

use serde_json::Value;

use super::{Fields, Walk, each, is_hidden, text_of, words};
use crate::teams::address::shown_address;
use crate::teams::to_text::{InlineImage, Medium, is_hosted};
use crate::text::spoken_duration;

/// What the media of a card are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::teams::convert) enum Recording {
    Audio,
    Video,
    Animation,
}

impl Recording {
    fn medium(self) -> Medium {
        match self {
            Self::Audio => Medium::Audio,
            Self::Video => Medium::Video,
            Self::Animation => Medium::Image,
        }
    }
}

impl Walk {
    pub(super) fn pictures(&mut self, pictures: &Value) {
        each(pictures, |picture| match picture {
            Value::Object(fields) => {
                let start = self.lines.len();
                self.picture(fields);
                for name in ["selectAction", "tap"] {
                    self.link_of(fields.get(name), start);
                }
            }
            Value::String(address) => self.picture_at(address, None),
            _ => {}
        });
    }

    pub(super) fn picture(&mut self, fields: &Fields) {
        if is_hidden(fields) {
            return;
        }
        let address = text_of(fields, "url").or_else(|| text_of(fields, "image"));
        let description = ["altText", "alt", "title"]
            .iter()
            .find_map(|name| text_of(fields, name));
        self.picture_at(address.unwrap_or_default(), description);
    }

    /// `[image: description] (address)`; one that Graph keeps is fetched.
    fn picture_at(&mut self, address: &str, description: Option<&str>) {
        let mut line = match description.map(|text| words::read(text).text.replace('\n', " ")) {
            Some(description) => format!("[image: {description}]"),
            None => "[image]".to_owned(),
        };
        if is_hosted(address) {
            self.hosted.push(InlineImage {
                source: address.to_owned(),
                kind: Medium::Image,
                description: description.map(str::to_owned),
            });
        } else if let Some(address) = shown_address(address) {
            line.push_str(&format!(" ({address})"));
        }
        self.lines.push(line);
    }

    /// A media element: its sources are the same recording in several formats.
    pub(super) fn media(&mut self, fields: &Fields) {
        let sources = fields.get("sources").unwrap_or(&Value::Null);
        let mime = sources[0]["mimeType"].as_str().unwrap_or_default();
        let kind = if mime.starts_with("audio/") {
            Recording::Audio
        } else {
            Recording::Video
        };
        self.recording(
            kind,
            text_of(fields, "altText").or(text_of(fields, "title")),
            None,
            &sources[0],
        );
    }

    /// The media of an audio, video or animation card: the same recording in several formats.
    pub(super) fn recordings(&mut self, fields: &Fields, media: &Value) {
        let kind = self.recording.unwrap_or(Recording::Video);
        let duration = text_of(fields, "duration").and_then(spoken_duration);
        self.recording(kind, text_of(fields, "title"), duration, &media[0]);
    }

    fn recording(
        &mut self,
        kind: Recording,
        title: Option<&str>,
        duration: Option<String>,
        source: &Value,
    ) {
        // Teams itself makes cards without a title of what somebody records in a chat.
        let label = match (kind, title) {
            (Recording::Audio, None) if self.recording.is_some() => "voice message",
            (Recording::Animation, _) => "animation",
            _ => kind.medium().label(),
        };
        let mut line = match duration {
            Some(duration) => format!("[{label}, {duration}]"),
            None => format!("[{label}]"),
        };
        if let Some(title) = title {
            line.push(' ');
            line.push_str(&words::read(title).text.replace('\n', " "));
        }
        let address = source["url"].as_str().unwrap_or_default();
        if is_hosted(address) {
            self.hosted.push(InlineImage {
                source: address.to_owned(),
                kind: kind.medium(),
                description: None,
            });
        } else if let Some(address) = shown_address(address) {
            line.push_str(&format!(" ({address})"));
        }
        self.lines.push(line);
    }
}
