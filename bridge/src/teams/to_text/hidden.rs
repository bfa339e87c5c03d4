//! Elements of which nothing is shown.

use std::collections::BTreeMap;

use super::elements::{is_block, is_void};

/// A hidden element that is being passed over. There is no tree: it ends with its end tag, with one of an element around it, or
/// where the next one of its kind starts. Where tags are mixed up it may end too early, and never too late.
pub(super) struct Hidden {
    name: String,
    /// How many elements of each name are open in it, itself included.
    open: BTreeMap<String, usize>,
    /// How many of them are blocks, itself not included.
    blocks: usize,
    /// It stands in a paragraph, which ends where a block starts.
    in_paragraph: bool,
}

/// What an end tag means to a hidden element.
#[derive(PartialEq, Eq)]
pub(super) enum End {
    /// It ends something inside.
    Inside,
    /// It ends the element.
    Own,
    /// It ends something around the element, and with it the element.
    Around,
}

impl Hidden {
    /// A hidden element of this name; nothing for one that has no content.
    pub(super) fn of(name: &str, in_paragraph: bool) -> Option<Self> {
        (!is_void(name)).then(|| Self {
            name: name.to_owned(),
            open: BTreeMap::from([(name.to_owned(), 1)]),
            blocks: 0,
            in_paragraph: in_paragraph && !is_block(name),
        })
    }

    /// Whether an element that starts is hidden too. If not, this one is over.
    pub(super) fn start(&mut self, name: &str) -> bool {
        if is_void(name) {
            return true;
        }
        let ends_it = match &*self.name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => is_block(name),
            "li" | "dd" | "dt" | "tr" | "td" | "th" | "option" | "a" => name == self.name,
            _ => self.in_paragraph && is_block(name),
        };
        if ends_it && self.blocks == 0 {
            return false;
        }
        *self.open.entry(name.to_owned()).or_default() += 1;
        self.blocks += usize::from(is_block(name));
        true
    }

    pub(super) fn end(&mut self, name: &str) -> End {
        if is_void(name) {
            return End::Inside;
        }
        let Some(open) = self.open.get_mut(name).filter(|open| **open > 0) else {
            return End::Around;
        };
        *open -= 1;
        if *open == 0 && name == self.name {
            return End::Own;
        }
        self.blocks = self.blocks.saturating_sub(usize::from(is_block(name)));
        End::Inside
    }
}
