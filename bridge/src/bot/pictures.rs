//! The pictures of a message, each of which comes twice: in the HTML with an address that nobody can open, and as an attachment.

use super::html::{NOTHING, Piece, pieces};
use crate::teams::from_text::escaped;
use crate::teams::to_text::{Token, read};

/// A picture that is attached.
pub(super) struct Picture<'a> {
    pub(super) address: &'a str,
    pub(super) name: &'a str,
}

/// HTML with the addresses of the attached pictures: at their places where there are as many of both, else behind the words.
pub(super) fn with_pictures(html: &str, pictures: &[Picture<'_>]) -> String {
    let places = pieces(html, is_place).filter(|piece| matches!(piece, Piece::Tag(_)));
    let has_places = places.count() == pictures.len();
    let mut left = pictures.iter();
    let mut output = String::with_capacity(html.len());
    for piece in pieces(html, is_place) {
        match piece {
            Piece::Other(other) => output.push_str(other),
            Piece::Tag(tag) if has_places => {
                if let Some(picture) = left.next() {
                    output.push_str(&element(picture, &description(tag)));
                }
            }
            Piece::Tag(_) => output.push_str(NOTHING),
        }
    }
    for picture in left {
        output.push_str(&element(picture, ""));
    }
    output
}

/// Whether a tag shows a picture; emoji are words.
fn is_place(name: &str, tag: &str) -> bool {
    name.eq_ignore_ascii_case("img") && !tag.contains("schema.skype.com/Emoji")
}

fn element(picture: &Picture<'_>, description: &str) -> String {
    let said = match description.trim() {
        "" => picture.name,
        said => said,
    };
    let (address, said) = (escaped(picture.address), escaped(said));
    format!("<img src=\"{address}\" alt=\"{said}\">")
}

/// What the writer says that the picture shows.
fn description(tag: &str) -> String {
    let mut said = String::new();
    read(tag, |token| {
        if let Token::Start(tag) = token {
            said = tag.attribute("alt").unwrap_or_default().into_owned();
        }
    });
    said
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::teams::to_text::{ReplyContext, render};

    fn shown(html: &str, attached: usize) -> (String, Vec<String>) {
        let addresses: Vec<String> = (1..=attached)
            .map(|number| format!("https://smba.example/v3/attachments/{number}/views/original"))
            .collect();
        let pictures: Vec<Picture<'_>> = addresses
            .iter()
            .map(|address| Picture { address, name: "" })
            .collect();
        let rendered = render(&with_pictures(html, &pictures), ReplyContext::Quote);
        let sources = rendered.images.into_iter().map(|image| image.source);
        assert!(sources.clone().eq(addresses), "{html}");
        (rendered.text, sources.collect())
    }

    #[test]
    fn pictures_stand_where_their_writer_put_them() {
        for (html, attached, text) in [
            (
                "<p>Before:</p><p><img src=\"https://x/1\"></p><p>After:</p><IMG src='https://x/2'/><p>Which?</p>",
                2,
                "Before:\n[image 1]\nAfter:\n[image 2]\nWhich?",
            ),
            (
                "<img alt=\"a > b\" src=\"https://x\"> done",
                1,
                "[image: a > b] done",
            ),
            (
                "<img alt=a'b src=x>c<img title='>'>d",
                2,
                "[image 1: a'b]c[image 2]d",
            ),
            ("<img alt =\n\"x>y\">z", 1, "[image: x>y]z"),
            // What is no attachment cannot be told from what is, where they are not as many.
            ("a <img src=https://x> b <img alt='>'> c", 1, "a b c"),
            ("<p>see</p>", 2, "see"),
            (
                "🙂 <img itemtype=\"http://schema.skype.com/Emoji\" alt=\"🙂\"> <imgx>a</imgx> <img>b",
                1,
                "🙂 🙂 a [image]b",
            ),
            ("a <<img><img><img>b", 1, "a <b"),
            ("cut <img alt=\"never ends>", 1, "cut"),
        ] {
            assert_eq!(shown(html, attached).0, text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_picture(html in "(<img alt=\"[a>'=]{0,3}\" src=x>|<img [a-c='\">]{0,6}>|<b>|<|[a-z ]{1,5}){0,12}", attached in 0..4usize) {
            let (text, _) = shown(&format!("<p>first</p>{html}"), attached);
            prop_assert!(text.starts_with("first"));
        }
    }
}
