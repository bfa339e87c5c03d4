//! Where a link or picture of the contact center leads.

use crate::teams::address::{scheme, shown_address};

/// What is shown of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A page or file that a browser opens.
    Page(String),
    /// A number to call, or an address to write to.
    Contact(String),
    /// Words: an address that only an app opens, or nothing.
    Words(String),
    /// Nothing: a program, a file's content, or more than a reader would read.
    Unshown,
}

/// Most bytes of an address that is shown as words.
const LONGEST_WORDS: usize = 2048;

/// Schemes whose addresses are no places: what a browser would run, or the thing itself.
const NO_PLACES: [&str; 5] = ["javascript", "vbscript", "data", "blob", "cid"];

impl Target {
    /// Reads an address as the contact center has it.
    #[must_use]
    pub fn of(address: &str) -> Self {
        let Some(shown) = shown_address(address) else {
            return Self::of_unknown(address);
        };
        let known = scheme(&shown).map(str::to_ascii_lowercase);
        let contact = match known.as_deref() {
            Some("tel") => behind_scheme(address),
            // What its letter is about is nothing for whoever reads where to send it.
            Some("mailto") => behind_scheme(address).split('?').next().unwrap_or_default(),
            _ => return Self::Page(shown.into_owned()),
        };
        words(contact).map_or(Self::Unshown, Self::Contact)
    }

    /// Whether its reader can open it, call or write.
    pub(super) fn can_be_used(&self) -> bool {
        matches!(self, Self::Page(_) | Self::Contact(_))
    }

    fn of_unknown(address: &str) -> Self {
        // As browsers read it, who pass over what hides a scheme.
        let bare = address.replace(|character: char| character.is_control(), "");
        let is_no_place = scheme(bare.trim())
            .is_some_and(|scheme| NO_PLACES.iter().any(|it| it.eq_ignore_ascii_case(scheme)));
        let shown = words(&bare).filter(|_| !is_no_place);
        shown.map_or(Self::Unshown, Self::Words)
    }
}

/// An address as words, unless it is more than somebody would read.
fn words(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty() && text.len() <= LONGEST_WORDS).then_some(text)
}

fn behind_scheme(address: &str) -> &str {
    address.split_once(':').map_or(address, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_opened_or_read_or_named() {
        let page = |text: &str| Target::Page(text.to_owned());
        let contact = |text: &str| Target::Contact(text.to_owned());
        let words = |text: &str| Target::Words(text.to_owned());
        for (address, target) in [
            (
                " https://x.example/my file.pdf",
                page("https://x.example/my%20file.pdf"),
            ),
            ("HTTP://x.example", page("HTTP://x.example")),
            ("tel:+49 30 1", contact("+49 30 1")),
            ("TEL:+49-30%201", contact("+49-30%201")),
            (
                "mailto:a@x.example?subject=My order",
                contact("a@x.example"),
            ),
            ("mailto:?subject=x", Target::Unshown),
            ("myapp://open?id=1", words("myapp://open?id=1")),
            (
                "www.x.example/my file.pdf",
                words("www.x.example/my file.pdf"),
            ),
            ("/files/a.pdf", words("/files/a.pdf")),
            ("https://x .example/a\nb", words("https://x .example/ab")),
            ("javascript:alert(1)", Target::Unshown),
            ("\u{1}java\nscript:alert(1)", Target::Unshown),
            ("data:image/png;base64,AAAA", Target::Unshown),
            ("tel:", Target::Unshown),
            (" ", Target::Unshown),
        ] {
            assert_eq!(Target::of(address), target, "{address}");
        }
        let long = format!("myapp://{}", "x".repeat(LONGEST_WORDS));
        assert_eq!(Target::of(&long), Target::Unshown);
    }
}
