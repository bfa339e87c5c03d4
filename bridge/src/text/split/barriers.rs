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
