//! Stretches of a text that should not be torn.

/// Stretches of a text, each from the first to behind the last byte; both ends are good places for a cut.
#[derive(Debug, Default)]
pub(crate) struct Barriers {
    stretches: Vec<(usize, usize)>,
}

impl Barriers {
    /// Adds a stretch, in any order.
    pub(crate) fn add(&mut self, start: usize, end: usize) {
        if start < end {
            self.stretches.push((start, end));
        }
    }

    /// Adds each http, https and mailto address of a text; it goes up to the next white space.
    pub(crate) fn add_addresses(&mut self, text: &str) {
        let mut start = 0;
        for word in text.split_inclusive(char::is_whitespace) {
            let end = start + word.trim_end().len();
            if let Some(address) = address_in(&text[start..end]) {
                self.add(start + address, end);
            }
            start += word.len();
        }
    }

    /// Makes them ready to be asked.
    pub(crate) fn sorted(mut self) -> Self {
        self.stretches.sort_unstable();
        self.stretches.dedup_by(|next, known| {
            let overlap = next.0 < known.1;
            if overlap {
                known.1 = known.1.max(next.1);
            }
            overlap
        });
        self
    }

    /// Whether an index is inside a stretch.
    pub(crate) fn contains(&self, index: usize) -> bool {
        let behind = self.stretches.partition_point(|(start, _)| *start < index);
        behind > 0 && index < self.stretches[behind - 1].1
    }
}

/// Where the first address of a word starts.
fn address_in(word: &str) -> Option<usize> {
    word.match_indices(':').find_map(|(colon, _)| {
        let is_web = word[colon..].starts_with("://");
        ["https", "http", "mailto"].iter().find_map(|scheme| {
            let start = colon.checked_sub(scheme.len())?;
            let found = word.get(start..colon)?.eq_ignore_ascii_case(scheme);
            (found && (is_web || *scheme == "mailto")).then_some(start)
        })
    })
}
