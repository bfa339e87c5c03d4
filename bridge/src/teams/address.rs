//! Addresses as a text shows them: those that a reader can open, written so that they are one word.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Beginnings of what a reader can open.
const KNOWN: [&str; 4] = ["http:", "https:", "mailto:", "tel:"];

/// White space and what no eye sees: an address that holds it as it is would end there for its reader.
const SPACES: &AsciiSet = &CONTROLS.add(b' ');

/// What an address may not hold as it is (RFC 3986, section 2), and Teams writes as it is.
const UNENCODED: &AsciiSet = &SPACES
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An address in plain text: only of the kinds a reader can open. As browsers do (WHATWG URL, section "URL parsing"), it takes no
/// notice of white space around it nor of tabs and line breaks in it; a space in it is encoded, for files are often named with
/// some. The name of a host has none.
pub(crate) fn shown_address(address: &str) -> Option<Cow<'_, str>> {
    let address = address.trim_matches(is_space);
    let is_known = |address: &str| {
        let begins = |known: &str| {
            let start = address.get(..known.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(known))
        };
        KNOWN.into_iter().any(begins)
    };
    if !address.contains(is_space) {
        return is_known(address).then_some(Cow::Borrowed(address));
    }
    let address = address.replace(['\t', '\n', '\r'], "");
    if !is_known(&address) {
        return None;
    }
    if scheme(&address).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel")) {
        // What parts the digits for the eye is no part of the number (RFC 3966).
        return Some(Cow::Owned(address.replace(is_space, "")));
    }
    let host = address.split_once("://").map(|(_, rest)| rest);
    let host = host.and_then(|rest| rest.split(['/', '?', '#', '\\']).next());
    if host.is_some_and(|host| host.contains(is_space)) {
        return None;
    }
    let mut encoded = String::new();
    for piece in address.split_inclusive(is_space) {
        let word = piece.trim_end_matches(is_space);
        encoded.push_str(word);
        encoded.extend(utf8_percent_encode(&piece[word.len()..], SPACES));
    }
    // Whoever leaves spaces as they are leaves percent signs so too.
    Some(Cow::Owned(match with_encoded_percent_signs(&encoded) {
        Cow::Owned(encoded) => encoded,
        Cow::Borrowed(_) => encoded,
    }))
}

/// The scheme of an address, as it is written.
pub(crate) fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let begins = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    (begins && scheme.bytes().all(is_of_scheme)).then_some(scheme)
}

/// All that an address may not hold as percent signs and digits, and `%` where it begins no encoded byte.
pub(crate) fn encoded(address: &str) -> String {
    let encoded = utf8_percent_encode(address, UNENCODED).to_string();
    match with_encoded_percent_signs(&encoded) {
        Cow::Owned(encoded) => encoded,
        Cow::Borrowed(_) => encoded,
    }
}

fn is_space(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// `%` as `%25` where it begins no encoded byte.
fn with_encoded_percent_signs(address: &str) -> Cow<'_, str> {
    let mut pieces = address.split('%');
    let first = pieces.next().unwrap_or_default();
    let begins_a_byte = |piece: &str| {
        let digits = piece.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if pieces.clone().all(begins_a_byte) {
        return Cow::Borrowed(address);
    }
    let mut output = first.to_owned();
    for piece in pieces {
        output.push_str(if begins_a_byte(piece) { "%" } else { "%25" });
        output.push_str(piece);
    }
    Cow::Owned(output)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_a_reader_can_open_are_one_word() {
        for (written, shown) in [
            ("https://x.example/a", Some("https://x.example/a")),
            (" HTTPS://x.example/a\n", Some("HTTPS://x.example/a")),
            (
                "https://x.example/Shared Documents/Ten  tips.docx?a=b c#d e",
                Some("https://x.example/Shared%20Documents/Ten%20%20tips.docx?a=b%20c#d%20e"),
            ),
            (
                "https://x.example/100% done at 5%20.pdf",
                Some("https://x.example/100%25%20done%20at%205%20.pdf"),
            ),
            // Nothing is encoded twice.
            ("https://x.example/a%20b", Some("https://x.example/a%20b")),
            ("https://x.example/100%", Some("https://x.example/100%")),
            (
                "https://x.example/a\u{a0}b\u{2003}c\u{0}d",
                Some("https://x.example/a%C2%A0b%E2%80%83c%00d"),
            ),
            (
                "https://x.example/Gr\u{f6}\u{df}e 7.pdf",
                Some("https://x.example/Gr\u{f6}\u{df}e%207.pdf"),
            ),
            ("https://x.exa\nmple/a\tb", Some("https://x.example/ab")),
            ("tel:+49 30 1", Some("tel:+49301")),
            (
                "mailto:a@x.example?subject=My order",
                Some("mailto:a@x.example?subject=My%20order"),
            ),
            // No host has a space, and what only a program reads is none of a reader's.
            ("https://x.example .other.example/a", None),
            ("https://x y", None),
            ("java\nscript:alert(1)", None),
            ("javascript:alert(1) https://x.example", None),
            ("myapp://open?id=1", None),
            ("/Shared Documents/a.docx", None),
            ("x.example/a", None),
            ("", None),
        ] {
            assert_eq!(shown_address(written).as_deref(), shown, "{written}");
        }
    }

    #[test]
    fn schemes_are_told() {
        for (address, expected) in [
            ("myapp://open", Some("myapp")),
            ("web+x.y-z:1", Some("web+x.y-z")),
            ("x.example:8080/a", Some("x.example")),
            ("/a:b", None),
            ("1a:b", None),
            ("a b:c", None),
            ("a", None),
        ] {
            assert_eq!(scheme(address), expected, "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_one_word_and_stays_as_it_is(address in "(https://x\\.example/|tel:|mailto:|)[\\PC\\s%]{0,20}") {
            if let Some(shown) = shown_address(&address) {
                prop_assert!(!shown.contains(is_space), "{}", shown);
                let again = shown_address(&shown);
                prop_assert_eq!(again.as_deref(), Some(&*shown));
            }
        }
    }
}
