//! Addresses in plain text that a cut would spoil.

use super::barriers::Barriers;

/// Bars the inside of each http, https and mailto address, which goes up to the next white space.
pub(super) fn bar_addresses(text: &str, barriers: &mut Barriers) {
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let end = start + word.trim_end().len();
        if let Some(address) = address_in(&text[start..end]) {
            barriers.add(start + address, end);
        }
        start += word.len();
    }
}

/// Where the first address of a word starts.
fn address_in(word: &str) -> Option<usize> {
    word.match_indices(':').find_map(|(colon, _)| {
        let is_web = word[colon..].starts_with("://");
        ["https", "http", "mailto"].iter().find_map(|scheme| {
            let start = colon.checked_sub(scheme.len())?;
            let found = word.get(start..colon)?.eq_ignore_ascii_case(scheme);
            (found && (is_web || *scheme == "mailto")).then_some(start)
        })
    })
}
