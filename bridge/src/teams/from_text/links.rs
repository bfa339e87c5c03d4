//! Addresses in plain text that become links.

use linkify::{LinkFinder, LinkKind};
use unicode_width::UnicodeWidthChar as _;

/// Start and end of each web address in a text, in order: where `linkify` sees them, and in scripts that part words by no
/// spaces only up to where the script begins.
pub(super) fn links(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    stretches(text).flat_map(move |start_and_stretch| {
        let (start, stretch) = start_and_stretch;
        let found: Vec<(usize, usize)> = finder
            .links(stretch)
            .filter(|link| is_web_address(link.as_str()))
            .map(|link| {
                (
                    start + link.start(),
                    start + link.start() + trimmed(link.as_str()).len(),
                )
            })
            .collect();
        found
    })
}

/// The parts of a text in which an address may lie, each with its start.
fn stretches(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
        let mut in_own_script = false;
        let end = rest.char_indices().find(|(index, character)| {
            let before = &rest[..*index];
            if is_unspaced(*character) && (in_own_script || before.ends_with("://")) {
                // An address whose host is written in such a script goes on in it.
                in_own_script = true;
                return false;
            }
            ends_address(*character) || is_unspaced(*character)
        });
        let (length, next) = match end {
            Some((index, character)) => (index, index + character.len_utf8()),
            None => (rest.len(), rest.len()),
        };
        let start = from;
        from += next;
        Some((start, &rest[..length]))
    })
}

/// Whether a character belongs to a script that parts words by no spaces, or to one whose words are often written right behind
/// an address: Thai, Lao, Tibetan, Myanmar, Khmer, and what is as wide as two letters (Unicode Standard Annex 11), as Chinese,
/// Japanese and Korean are.
fn is_unspaced(character: char) -> bool {
    let has_no_spaces = matches!(character, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}');
    !ends_address(character) && (has_no_spaces || character.width() == Some(2))
}

/// Whether no address that a person writes goes on behind this character: white space, quotation marks, the punctuation of other
/// scripts, and marks of direction and of width, which can make an address look like another one.
fn ends_address(character: char) -> bool {
    is_foreign(character)
        || matches!(character,
            '\u{2014}' | '\u{2015}' | '«' | '»' | '‹' | '›' | '…' | '\u{2018}'..='\u{201f}'
            // Arabic, Armenian, Devanagari, Ethiopic.
            | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{6d4}' | '\u{55d}' | '\u{589}' | '\u{964}' | '\u{965}' | '\u{1361}'..='\u{1368}'
            // Chinese and Japanese, and their wide forms of our own.
            | '\u{3000}'..='\u{3020}' | '\u{30fb}' | '\u{fe10}'..='\u{fe6f}'
            | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

/// An address without the marks of Markdown that a person sets around it.
fn trimmed(address: &str) -> &str {
    address.trim_end_matches(['*', '_', '~'])
}

/// Whether no address holds this character: white space, and marks of direction and of width.
fn is_foreign(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether all of a text is a web address.
pub(super) fn is_web_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && starts_host(rest) && !rest.contains(is_foreign)
}

fn starts_host(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphanumeric() || first == '[')
}
