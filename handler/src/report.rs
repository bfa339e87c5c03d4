//! What the checks print: one line for each thing that was looked at.

use std::fmt::Display;

/// What was found, or what to do.
pub type Finding = Result<String, String>;

/// The lines so far.
pub struct Report {
    /// Whether all of them are good.
    pub good: bool,
}

impl Report {
    /// Prints the line of one thing.
    pub fn note(&mut self, what: impl Display, finding: Result<impl Display, impl Display>) {
        match finding {
            Ok(found) => Self::say("ok", what, found),
            Err(advice) => {
                self.good = false;
                Self::say("FAILED", what, advice);
            }
        }
    }

    /// Prints a line that begins with this word.
    pub fn say(word: &str, what: impl Display, finding: impl Display) {
        println!("  {word:<7} {what}: {finding}");
    }

    /// Prints the line of one thing that is missing and need not be there.
    pub fn note_missing(what: impl Display, cost: impl Display) {
        Self::say("missing", what, cost);
    }
}
