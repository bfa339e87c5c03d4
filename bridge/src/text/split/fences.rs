//! The lines that start and end a block of code in plain text (CommonMark specification, "Fenced code blocks"), with any
//! indentation, since blocks stand inside lists and behind a sender's name, too.

/// Least characters of a fence.
const LEAST: usize = 3;

/// The line that starts a block of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening<'a> {
    /// The backticks or tildes.
    pub(crate) fence: &'a str,
    /// What stands behind them, without white space around it.
    pub(crate) info: &'a str,
}

impl<'a> Opening<'a> {
    /// Reads a line without its line break.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let mark = line
            .chars()
            .next()
            .filter(|mark| matches!(mark, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let fence = &line[..line.len() - info.len()];
        // Backticks on both sides are code within a line.
        let is_opening = fence.len() >= LEAST && !(mark == '`' && info.contains('`'));
        is_opening.then(|| Self {
            fence,
            info: info.trim(),
        })
    }

    /// Whether a line without its line break ends the block.
    pub(crate) fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.fence.len()
            && line.starts_with(self.fence)
            && line.trim_start_matches(&self.fence[..1]).is_empty()
    }
}
