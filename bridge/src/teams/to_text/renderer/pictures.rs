//! Pictures and recordings inside of a message.

use std::borrow::Cow;

use super::{Pictures, Renderer};
use crate::teams::address::shown_address;
use crate::teams::to_text::characters::one_line;
use crate::teams::to_text::tokens::Tag;
use crate::teams::to_text::{HOSTED, InlineImage, Medium};
use crate::text::spoken_duration;

/// Where a bot's connector keeps pictures (Microsoft Learn, "Send and receive files through the bot").
const CONNECTOR: &str = "/v3/attachments/";

/// A video or audio element that is open.
pub(super) struct Recording {
    medium: Medium,
    source: String,
    duration: Option<String>,
    /// The words in it: Teams writes the name of the file, browsers show them only where they cannot play it.
    pub(super) name: String,
}

impl Renderer<'_> {
    pub(super) fn picture(&mut self, tag: &Tag<'_>) {
        let description = tag
            .attribute("alt")
            .map(|text| one_line(&text))
            .filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("image"));
        let source = tag.attribute("src").unwrap_or_default();
        let number = self.number(&source);
        let text = match &description {
            Some(description) => format!("[image{number}: {description}]"),
            None => format!("[image{number}]"),
        };
        self.medium(Medium::Image, &source, description, &text);
    }

    pub(super) fn open_recording(&mut self, tag: &Tag<'_>) {
        self.close_recording();
        self.recording = Some(Recording {
            medium: match tag.name {
                "audio" => Medium::Audio,
                _ => Medium::Video,
            },
            source: tag.attribute("src").unwrap_or_default().into_owned(),
            duration: tag
                .attribute("data-duration")
                .and_then(|duration| spoken_duration(&duration)),
            name: String::new(),
        });
    }

    /// Ends the recording: `[video] clip.mp4 (27 s)`.
    pub(super) fn close_recording(&mut self) {
        let Some(recording) = self.recording.take() else {
            return;
        };
        let number = self.number(&recording.source);
        let mut text = format!("[{}{number}]", recording.medium.label());
        let words = one_line(&recording.name);
        let name = Some(&words).filter(|words| is_file_name(words)).cloned();
        if let Some(name) = &name {
            text.push_str(&format!(" {name}"));
        }
        if let Some(duration) = &recording.duration {
            text.push_str(&format!(" ({duration})"));
        }
        let is_named = name.is_some();
        self.medium(recording.medium, &recording.source, name, &text);
        if !is_named && !words.is_empty() {
            self.text(&format!(" {}", recording.name));
        }
    }

    /// Shows that something is here, and collects it where Graph keeps it.
    fn medium(&mut self, kind: Medium, source: &str, description: Option<String>, text: &str) {
        if !self.collects(source) {
            self.text(text);
            self.source(source);
            return;
        }
        self.images.push(InlineImage {
            source: source.to_owned(),
            kind,
            description,
        });
        if self.block.is_some() || self.code.is_open() {
            self.text(text);
            return;
        }
        if let Some(link) = &mut self.link {
            link.text(text);
        }
        self.lines.notice(text);
    }

    fn collects(&self, source: &str) -> bool {
        matches!(self.pictures, Pictures::Collect { .. }) && is_kept(source)
    }

    /// The number in a notice, where there are several to tell apart.
    fn number(&self, source: &str) -> Cow<'static, str> {
        match self.pictures {
            Pictures::Collect { numbered: true, .. } if self.collects(source) => {
                format!(" {}", self.images.len() + 1).into()
            }
            _ => "".into(),
        }
    }

    /// The address of a picture that anybody can open; those that Graph or a bot's connector keep need a token.
    fn source(&mut self, source: &str) {
        if let Some(address) = shown_address(source)
            && !is_kept(&address)
        {
            self.text(&format!(" ({address})"));
        }
    }
}

/// Whether Graph or a bot's connector keeps what is at an address.
fn is_kept(address: &str) -> bool {
    address.contains(HOSTED) || address.contains(CONNECTOR)
}

/// Whether words are the name of a file: they end in a dot and a few letters or digits.
fn is_file_name(words: &str) -> bool {
    words.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.trim().is_empty()
            && (1..=5).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
