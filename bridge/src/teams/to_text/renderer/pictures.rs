//! Pictures inside of a message.

use super::{Pictures, Renderer};
use crate::teams::to_text::characters::one_line;
use crate::teams::to_text::tokens::Tag;
use crate::teams::to_text::{HOSTED, InlineImage, shown_address};

impl Renderer<'_> {
    pub(super) fn picture(&mut self, tag: &Tag<'_>) {
        let kind = if tag.name == "img" { "image" } else { tag.name };
        let alternative = (tag.name == "img").then(|| tag.attribute("alt")).flatten();
        let description = alternative
            .map(|text| one_line(&text))
            .filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("image"));
        let source = tag.attribute("src").unwrap_or_default();
        let numbered = match self.pictures {
            Pictures::Collect { numbered } if source.contains(HOSTED) => numbered,
            _ => {
                self.text(&notice(kind, None, description.as_deref()));
                self.source(&source);
                return;
            }
        };
        let number = numbered.then_some(self.images.len() + 1);
        let text = notice(kind, number, description.as_deref());
        self.images.push(InlineImage {
            source: source.into_owned(),
            description,
        });
        if self.block.is_some() || self.code.is_open() {
            self.text(&text);
            return;
        }
        if let Some(link) = &mut self.link {
            link.text(&text);
        }
        self.lines.notice(&text);
    }

    /// The address of a picture that anybody can open; those that Graph keeps need a token.
    fn source(&mut self, source: &str) {
        if let Some(address) = shown_address(source)
            && !address.contains(HOSTED)
        {
            self.text(&format!(" ({address})"));
        }
    }
}

/// `[image 2: floor plan]`, with a number and a description if there are some.
fn notice(kind: &str, number: Option<usize>, description: Option<&str>) -> String {
    let number = number.map_or_else(String::new, |number| format!(" {number}"));
    match description {
        Some(description) => format!("[{kind}{number}: {description}]"),
        None => format!("[{kind}{number}]"),
    }
}
