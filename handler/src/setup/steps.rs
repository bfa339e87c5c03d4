//! What a set-up says: one line for each thing, whether it was as wanted, was changed, would be, or waits for a person.

use std::fmt::Display;

use crate::report::Report;

/// The lines so far, and whether anything may be changed at all.
pub struct Steps {
    report: Report,
    is_plan: bool,
    changes: usize,
}

/// How a thing comes to be as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Something new.
    Make,
    /// Something that was otherwise.
    Set,
    /// Something that is wanted no more.
    Remove,
}

impl Steps {
    /// Before the first line; `is_plan` when changes are only to be told.
    pub const fn new(is_plan: bool) -> Self {
        let report = Report { good: true };
        Self {
            report,
            is_plan,
            changes: 0,
        }
    }

    /// Whether changes are only told.
    pub const fn is_plan(&self) -> bool {
        self.is_plan
    }

    /// Whether anything waits for a person.
    pub const fn is_waiting(&self) -> bool {
        !self.report.good
    }

    /// A thing that is as wanted.
    pub fn ok(&mut self, what: impl Display, found: impl Display) {
        self.report.note(what, Ok::<_, &str>(found));
    }

    /// A thing that whoever reads it may want to look at; nothing waits for it.
    pub fn note(&mut self, what: impl Display, found: impl Display) {
        Report::say("note", what, found);
    }

    /// A thing that was changed, or would be.
    pub fn changed(&mut self, verb: Verb, what: impl Display, how: impl Display) {
        self.changes += 1;
        let word = match (self.is_plan, verb) {
            (false, Verb::Make) => "made",
            (false, Verb::Set) => "set",
            (false, Verb::Remove) => "removed",
            (true, Verb::Make) => "would make",
            (true, Verb::Set) => "would set",
            (true, Verb::Remove) => "would remove",
        };
        Report::say(word, what, how);
    }

    /// A thing that somebody has to do, and who can: the set-up is not done.
    pub fn act(&mut self, what: impl Display, who: impl Display) {
        self.report.good = false;
        Report::say("ACT", what, who);
    }

    /// The last line; tells whether all is well.
    pub fn finish(self) -> bool {
        match (self.changes, self.is_plan, self.report.good) {
            (0, _, true) => Report::title("nothing to do"),
            (count, true, _) => Report::title(format_args!("{count} to change, nothing changed")),
            (count, false, true) => Report::title(format_args!("{count} changed")),
            (count, false, false) => Report::title(format_args!(
                "{count} changed; not done: see ACT above, then run the command again"
            )),
        }
        self.report.good
    }
}
