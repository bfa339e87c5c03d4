//! What a rule reports.

use std::fmt;

/// One violation of a rule at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path below the repository's root, with slashes.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// The rule's name, e.g. `role-too-wide`.
    pub rule: &'static str,
    /// What is wrong and what would be right.
    pub what: String,
}

impl Problem {
    /// A problem at a line of a file.
    #[must_use]
    pub fn new(rule: &'static str, file: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule,
            what: what.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}: {}",
            self.file, self.line, self.rule, self.what
        )
    }
}
