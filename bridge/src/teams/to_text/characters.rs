//! What a character is to plain text.

/// How a character of HTML text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space that collapses.
    Space,
    /// A space that does not break or collapse; written as an ordinary one.
    KeptSpace,
    /// One of Unicode's own line breaks.
    LineBreak,
    /// Takes no room and stands for nothing.
    Invisible,
    Visible,
}

/// How a character of HTML text is written. Joiners and direction marks are visible, because emoji and some scripts need them.
pub(super) fn kind(character: char) -> Kind {
    match character {
        ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' => Kind::Space,
        '\u{a0}' | '\u{202f}' | '\u{2007}' => Kind::KeptSpace,
        '\u{85}' | '\u{2028}' | '\u{2029}' => Kind::LineBreak,
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => Kind::Invisible,
        character if character.is_control() => Kind::Invisible,
        _ => Kind::Visible,
    }
}

/// A text on one line: white space collapsed, invisible characters left out.
pub(super) fn one_line(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        match kind(character) {
            Kind::Invisible => {}
            Kind::Visible if !character.is_whitespace() => output.push(character),
            _ if output.is_empty() || output.ends_with(' ') => {}
            _ => output.push(' '),
        }
    }
    output.truncate(output.trim_end().len());
    output
}

/// The beginning of a text, at most so many characters and one for `…`.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// Marks that turn the direction of text: in a name they could disguise it.
pub(super) fn is_direction_mark(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}
