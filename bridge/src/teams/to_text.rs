//! The HTML of a Teams chat message as readable plain text.

mod characters;
mod code;
mod elements;
mod hidden;
mod lines;
mod links;
mod renderer;
mod replies;
mod tables;
mod tokens;

pub(crate) use elements::emoji;
use renderer::{Pictures, Renderer};
pub(crate) use tokens::{Token, read};

/// What marks the address of a file that Graph keeps for a message (Microsoft Learn, "chatMessageHostedContent resource type").
const HOSTED: &str = "/hostedContents/";

/// Most characters and lines of what an answer quotes: the agent has the whole message above.
pub(crate) const LONGEST_PREVIEW: usize = 300;
pub(crate) const MOST_PREVIEW_LINES: usize = 3;

/// What becomes of the message that a reply quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyContext {
    /// It becomes a line `> Name: beginning` before the answer.
    #[default]
    Quote,
    /// It is left out.
    Strip,
}

/// HTML as text, and the pictures that Graph keeps for it. `Debug` leaves the text out.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text; empty when the message has only pictures.
    pub text: String,
    /// The pictures, in the order of the message; the text names them by their place, from 1 on.
    pub images: Vec<InlineImage>,
    /// It quotes a message that it answers.
    pub quotes: bool,
}

/// A picture (or a video or audio file) in the text of a message that Graph keeps. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineImage {
    /// Its address, as it is written in the message.
    pub source: String,
    /// A picture, or a recording.
    pub kind: Medium,
    /// What its writer says that it shows, on one line; the file name of a recording.
    pub description: Option<String>,
}

/// What kind of file Graph keeps for a place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A picture.
    Image,
    /// A video with its sound.
    Video,
    /// A recording of sound.
    Audio,
}

impl Medium {
    /// What stands in square brackets in its place, and the stem of its file's name where it has none.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

debug_shows!(Rendered: images);
debug_shows!(InlineImage:);

/// Turns the HTML of a Teams message into plain text, and collects the pictures that Graph keeps for it.
///
/// Paragraphs and line breaks become line breaks (Teams writes an empty line as a paragraph of its own), list items get `- ` or
/// their number, quotes `> `, links their address in brackets; tables have their columns side by side, code stands between
/// backticks, what is struck through between `~~`; an emoji is its character, a mention the name shown. Other formatting is
/// dropped, words never.
///
/// A picture leaves `[image]`, or `[image 2: description]` where there are several; not at the end of the text, where the
/// pictures follow anyway.
///
/// No recursion and no tree: the time is linear in the length of the HTML, whatever its nesting, and malformed HTML is read as
/// browsers read it.
#[must_use]
pub fn render(html: &str, replies: ReplyContext) -> Rendered {
    render_with(html, replies, &|_| true, &|_| None)
}

/// As [`render`], with a mark at a quoted message whose id is not `known` (what a quote says comes from the sender's client),
/// and with what an attachment shows where its marker stands, by its id.
#[must_use]
pub fn render_with(
    html: &str,
    replies: ReplyContext,
    known: &dyn Fn(&str) -> bool,
    attachment: &dyn Fn(&str) -> Option<String>,
) -> Rendered {
    rendered(html, replies, known, attachment, collected(html, false))
}

/// As [`render`] for HTML that is a part of something larger: the notices of pictures stay, also at its end.
#[must_use]
pub(crate) fn render_part(html: &str, attachment: &dyn Fn(&str) -> Option<String>) -> Rendered {
    let pictures = collected(html, true);
    rendered(html, ReplyContext::Quote, &|_| true, attachment, pictures)
}

fn collected(html: &str, last_notices: bool) -> Pictures {
    Pictures::Collect {
        // Whether pictures are numbered shows at the end only; this is right but for the strangest messages.
        numbered: html.matches(HOSTED).count() > 1,
        last_notices,
    }
}

/// Whether an address is that of a file which Graph keeps for a message.
pub(crate) fn is_hosted(address: &str) -> bool {
    address.contains(HOSTED)
}

/// The text of HTML as [`render`] writes it with [`ReplyContext::Quote`], but each picture only leaves `[image]` or
/// `[image: description]`. For previews.
#[must_use]
pub fn to_text(html: &str) -> String {
    let pictures = Pictures::Notice;
    rendered(html, ReplyContext::Quote, &|_| true, &|_| None, pictures).text
}

/// Reads the HTML, again if need be: with other numbers, or with a quoted message that never ends as an ordinary quote, because
/// it would swallow the rest. Either happens once at most.
fn rendered(
    html: &str,
    replies: ReplyContext,
    known: &dyn Fn(&str) -> bool,
    attachment: &dyn Fn(&str) -> Option<String>,
    mut pictures: Pictures,
) -> Rendered {
    let columns = tables::with_columns(html);
    let mut replies = Some(replies);
    loop {
        let mut renderer =
            Renderer::new(html.len(), &columns, replies, known, attachment, pictures);
        read(html, |token| renderer.token(token));
        let Some(rendered) = renderer.finish() else {
            replies = None;
            continue;
        };
        match &mut pictures {
            Pictures::Collect { numbered, .. } if *numbered != (rendered.images.len() > 1) => {
                *numbered = !*numbered;
            }
            _ => return rendered,
        }
    }
}

/// What is quoted, behind the name of who said it, with a mark where nobody but the sender's client vouches for it. Where
/// nothing is said, nobody needs to.
pub(crate) fn quotation(name: Option<&str>, said: &str, is_known: bool) -> String {
    let (said, is_known) = match said {
        "" => ("[quoted message]", true),
        said => (said, is_known),
    };
    match name {
        Some(name) if is_known => format!("{name}: {said}"),
        None if is_known => said.to_owned(),
        name => format!("{} (unverified): {said}", name.unwrap_or("Quote")),
    }
}

#[cfg(test)]
mod tests;
