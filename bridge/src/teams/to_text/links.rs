//! Links: what they show, and where they lead.

use super::characters::{Kind, kind};
use super::elements::same_address;
use super::shown_address;

/// How much longer than its address a link's text may be and still be the address.
const LONGER: usize = 16;

/// A link that is open.
pub(super) struct Link {
    address: Option<String>,
    /// The beginning of what it shows, a little longer than the address at most.
    shown: String,
}

/// What has to be written where a link ends.
pub(super) enum Suffix {
    Nothing,
    /// The link shows nothing else.
    Alone(String),
    /// Behind what the link shows.
    Behind(String),
}

impl Link {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: shown_address(address).map(str::to_owned),
            shown: String::new(),
        }
    }

    /// Takes note of what the link shows.
    pub(super) fn text(&mut self, text: &str) {
        let Some(address) = &self.address else {
            return;
        };
        let room = (address.len() + LONGER).saturating_sub(self.shown.len());
        if room > 0 {
            let visible = text
                .chars()
                .filter(|character| kind(*character) != Kind::Invisible);
            self.shown.extend(visible.take(room));
        }
    }

    pub(super) fn close(self) -> Suffix {
        let Some(address) = self.address else {
            return Suffix::Nothing;
        };
        let shown = self.shown.trim();
        if shown.is_empty() {
            Suffix::Alone(address)
        } else if same_address(shown, &address) {
            Suffix::Nothing
        } else {
            Suffix::Behind(format!(" ({address})"))
        }
    }
}
