//! What the conversions of both directions share: lines, names, marks, and how a long text is split.

pub(crate) mod placeholders;
pub mod split;

use time::UtcOffset;

/// Most characters of the language before a block of code.
pub(crate) const LONGEST_LANGUAGE: usize = 32;

/// Most characters of a sender's name.
pub(crate) const LONGEST_NAME: usize = 64;

/// Whether the first line of a text means something only at the beginning of a line: a quote, a fence, a list.
pub(crate) fn begins_with_a_mark(text: &str) -> bool {
    let behind = text.trim_start_matches(|found: char| found.is_ascii_digit());
    let is_numbered = behind.len() < text.len() && behind.starts_with(". ");
    let marks = ["> ", "```", "~~~", "- "];
    is_numbered || marks.iter().any(|mark| text.starts_with(mark))
}

/// The text of a group chat with its sender's name before it: `Name: first line`, further lines indented by two spaces, so that
/// no line can pass for another person's message. A quote, code or list begins on the line below the name.
#[must_use]
pub fn with_sender_name(name: &str, text: &str) -> String {
    let mut lines = text_lines(text);
    let name = one_line(name, LONGEST_NAME);
    let name = if name.is_empty() {
        "Unknown sender"
    } else {
        &name
    };
    let mut output = format!("{name}:");
    if !begins_with_a_mark(text) {
        output.push(' ');
        output.push_str(lines.next().unwrap_or_default());
    }
    for line in lines {
        output.push('\n');
        if !line.trim().is_empty() {
            output.push_str("  ");
            output.push_str(line);
        }
    }
    output
}

/// The lines of a text, whichever of Unicode's line breaks ends them.
pub(crate) fn text_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((index, found)) = text
            .char_indices()
            .find(|(_, character)| is_line_break(*character))
        else {
            rest = None;
            return Some(text);
        };
        let after = &text[index + found.len_utf8()..];
        rest = Some(if found == '\r' {
            after.strip_prefix('\n').unwrap_or(after)
        } else {
            after
        });
        Some(&text[..index])
    })
}

/// Whether a character ends a line (Unicode Standard, section 5.8).
pub(crate) fn is_line_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Code as a fenced block: the fence is longer than any in the code.
#[must_use]
pub fn fenced(code: &str, language: &str) -> String {
    let language: String = language
        .chars()
        .filter(is_of_language)
        .take(LONGEST_LANGUAGE)
        .collect();
    let fence = fence(code, 3);
    let lines: Vec<&str> = text_lines(code.trim_end()).collect();
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A duration of ISO 8601 as people say it: `PT1M5.2S` is `1 min 5 s`. Nothing for what is no duration of time.
pub(crate) fn spoken_duration(duration: &str) -> Option<String> {
    let mut rest = duration.trim().strip_prefix("PT")?;
    let mut seconds = 0u64;
    for (mark, unit) in [('H', 3600), ('M', 60), ('S', 1)] {
        if let Some((number, after)) = rest.split_once(mark) {
            let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
            seconds += whole.parse::<u32>().ok().map(u64::from)? * unit;
            rest = after;
        }
    }
    spoken_seconds(seconds).filter(|_| rest.is_empty())
}

/// Seconds as people say them: `1 h 30 min`. Nothing for none.
pub(crate) fn spoken_seconds(seconds: u64) -> Option<String> {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let spoken: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    (!spoken.is_empty()).then(|| spoken.join(" "))
}

/// A time zone: `UTC`, or `UTC+02:00`.
pub(crate) fn zone(offset: UtcOffset) -> String {
    if offset.is_utc() {
        return "UTC".to_owned();
    }
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", hours.abs(), minutes.abs())
}

/// Backticks, more than there are side by side in a text, and at least so many.
pub(crate) fn fence(text: &str, least: usize) -> String {
    let runs = text.split(|found| found != '`').map(str::len);
    "`".repeat(least.max(runs.max().unwrap_or_default() + 1))
}

/// Whether names of programming languages have this character.
pub(crate) fn is_of_language(character: &char) -> bool {
    character.is_ascii_alphanumeric() || "+#.-".contains(*character)
}

/// A name on one line: white space collapsed, control characters and marks that turn the direction of text left out, at most
/// so many characters.
pub fn one_line(text: &str, most: usize) -> String {
    let mut output = String::new();
    let mut length = 0;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        let mut visible = word
            .chars()
            .filter(|character| !is_hidden(*character))
            .peekable();
        if visible.peek().is_some() && length > 0 {
            output.push(' ');
            length += 1;
        }
        for character in visible {
            if length >= most {
                output.truncate(output.trim_end().len());
                output.push('…');
                return output;
            }
            output.push(character);
            length += 1;
        }
    }
    output
}

/// Marks that turn the direction of text, or that nobody sees.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
pub(crate) mod tests;
