//! What the checks print: one line for each thing that was looked at.

use std::fmt::Display;
use std::io::Write as _;

use functions::self_check::{Line, Verdict};

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

    /// Prints what the app found when it looked at itself.
    pub fn take(&mut self, lines: &[Line]) {
        for Line {
            verdict,
            what,
            told,
        } in lines
        {
            match verdict {
                Verdict::Ok => self.note(what, Ok::<_, String>(told)),
                Verdict::Failed => self.note(what, Err::<String, _>(told)),
                Verdict::Missing => Self::note_missing(what, told),
            }
        }
    }

    /// Prints what the lines below are about.
    pub fn title(words: impl Display) {
        Self::print(format_args!("{words}"));
    }

    /// Whoever reads only the first lines (`| head`) has no use for the others.
    fn print(line: std::fmt::Arguments<'_>) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Prints a line that begins with this word.
    pub fn say(word: &str, what: impl Display, finding: impl Display) {
        Self::print(format_args!("  {word:<7} {what}: {finding}"));
    }

    /// Prints the line of one thing that is missing and need not be there.
    pub fn note_missing(what: impl Display, cost: impl Display) {
        Self::say("missing", what, cost);
    }
}
