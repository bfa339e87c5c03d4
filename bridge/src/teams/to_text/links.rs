//! Links: what they show, and where they lead.

use std::borrow::Cow;

use super::characters::{Kind, kind};
use crate::teams::address::shown_address;

/// How much longer than its address a link's text may be and still be the address.
const LONGER: usize = 16;

pub(super) struct Link {
    address: Option<String>,
    /// The beginning of what it shows, a little longer than the address at most.
    shown: String,
}

impl Link {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: shown_address(address).map(Cow::into_owned),
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

    /// The address, unless it is what was shown, and whether nothing else was.
    pub(super) fn unseen_address(self) -> Option<(String, bool)> {
        let address = self.address?;
        let shown = self.shown.trim();
        // Teams shows the address of a file with its spaces.
        let written = shown_address(shown).unwrap_or(Cow::Borrowed(shown));
        let is_seen = !shown.is_empty() && bare(&written).eq_ignore_ascii_case(bare(&address));
        (!is_seen).then_some((address, shown.is_empty()))
    }
}

/// An address without scheme and last slash.
fn bare(address: &str) -> &str {
    let schemes = ["https://", "http://", "mailto:", "tel:"];
    let bare = schemes.iter().find_map(|scheme| {
        let (start, rest) = address.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    bare.unwrap_or(address).trim_end_matches('/')
}
