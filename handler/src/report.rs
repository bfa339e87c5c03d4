//! What the checks print: one line for each thing that was looked at.

use std::fmt::Display;
use std::io::Write as _;

use functions::self_check::{Line, Verdict};

/// What was found, or what to do.
pub type Finding = Result<String, String>;

/// Characters of a line; ours are shorter.
const LONGEST_LINE: usize = 4000;

/// A text of the far side in a form that cannot steer the terminal, and not too long.
pub fn shown(text: &str) -> String {
    harmless(text, 300)
}

/// At most so many characters of a text, on one line: without those that steer a terminal or turn the direction of what follows.
fn harmless(text: &str, most: usize) -> String {
    let turns = |it: char| matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let characters = text.chars().filter_map(|it| match it {
        '\n' | '\t' => Some(' '),
        it => (!it.is_control() && !turns(it)).then_some(it),
    });
    characters.take(most).collect()
}

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

    /// Whoever reads only the first lines (`| head`) has no use for the others. Most lines hold a text that somebody else wrote: an
    /// app's answer, a name in the directory, a key of the file.
    fn print(line: std::fmt::Arguments<'_>) {
        let line = harmless(&line.to_string(), LONGEST_LINE);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_far_side_cannot_steer_the_terminal() {
        for (text, expected) in [
            ("a\u{1b}[31mred\r\nb", "a[31mred b"),
            ("Bridge\n  ok      all: well", "Bridge   ok      all: well"),
            ("a\u{9b}31mb\u{7}\u{8}\u{7f}", "a31mb"),
            ("user\u{202e}txt.exe\u{2066}\u{2028}", "usertxt.exe"),
            ("Grüße, 世界 · é", "Grüße, 世界 · é"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), 300);
    }
}
