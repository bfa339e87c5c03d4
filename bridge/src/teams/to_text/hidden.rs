//! Elements of which nothing is shown.

use super::elements::{is_block, is_void};

/// A hidden element that is being passed over. There is no tree: it ends with its end tag, or where browsers end it because
/// an element around it ends, or because the next one of its kind starts.
pub(super) struct Hidden {
    name: String,
    /// Elements of its name that are open, itself included.
    depth: usize,
    /// Blocks in it that are open.
    blocks: usize,
}

impl Hidden {
    /// A hidden element of this name; nothing for one that has no content.
    pub(super) fn of(name: &str) -> Option<Self> {
        (!is_void(name)).then(|| Self {
            name: name.to_owned(),
            depth: 1,
            blocks: 0,
        })
    }

    /// Whether an element that starts is hidden too. If not, this one is over.
    pub(super) fn start(&mut self, name: &str) -> bool {
        if is_void(name) {
            return true;
        }
        let implied = match &*self.name {
            "p" => is_block(name),
            "li" | "dd" | "dt" | "tr" | "td" | "th" | "option" => name == self.name,
            _ => false,
        };
        if implied && self.blocks == 0 && self.depth == 1 {
            return false;
        }
        if name == self.name {
            self.depth += 1;
        } else if is_block(name) {
            self.blocks += 1;
        }
        true
    }

    /// What an end tag means.
    pub(super) fn end(&mut self, name: &str) -> End {
        if name == self.name {
            self.depth -= 1;
            return if self.depth == 0 {
                End::Own
            } else {
                End::Inside
            };
        }
        if !is_block(name) && !matches!(name, "td" | "th") {
            return End::Inside;
        }
        match self.blocks.checked_sub(1) {
            Some(left) => {
                self.blocks = left;
                End::Inside
            }
            None => End::Around,
        }
    }
}

/// What an end tag means to a hidden element.
pub(super) enum End {
    /// It ends something inside.
    Inside,
    /// It ends the element.
    Own,
    /// It ends something around the element, and with it the element.
    Around,
}
