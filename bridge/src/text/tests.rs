use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;

use super::*;

/// Checks the rules of a fixture, each of which has examples of what goes in and what comes out.
pub(crate) fn rules_hold<Given, Expected>(fixture: &str, convert: impl Fn(Given) -> Expected)
where
    Given: Clone + Debug + DeserializeOwned,
    Expected: Debug + PartialEq + DeserializeOwned,
{
    let rules: BTreeMap<String, Vec<(Given, Expected)>> =
        serde_json::from_str(fixture).expect("rules with their examples");
    assert!(rules.len() > 1);
    for (rule, examples) in rules {
        for (given, expected) in examples {
            assert_eq!(convert(given.clone()), expected, "{rule}: {given:?}");
        }
    }
}

#[test]
fn code_stays_inside_its_fence() {
    let code = "let a = 1;\r\nb\n";
    assert_eq!(fenced(code, "Rust"), "```Rust\nlet a = 1;\nb\n```");
    assert_eq!(fenced("a\n```\nb", "x y\n!"), "````xy\na\n```\nb\n````");
}

#[test]
fn the_name_stands_before_the_first_line() {
    for (name, text, shown) in [
        ("Ann Lee", "Hello", "Ann Lee: Hello"),
        ("Ann", "1.5 is it", "Ann: 1.5 is it"),
        ("Ann", "1. a\n2. b", "Ann:\n  1. a\n  2. b"),
        ("Ann", "> Bob: a\nmine", "Ann:\n  > Bob: a\n  mine"),
        ("Ann", "One\nBob: b\n\nc", "Ann: One\n  Bob: b\n\n  c"),
        // Names are one visible line.
        (" Ann\r\n\u{202e}Lee\u{0} ", "x", "Ann Lee: x"),
        ("\u{200b}\n", "x", "Unknown sender: x"),
        ("👩\u{200d}🚀", "x", "👩\u{200d}🚀: x"),
    ] {
        assert_eq!(with_sender_name(name, text), shown);
    }
    let long = with_sender_name(&"a".repeat(100), "x");
    assert_eq!(long, format!("{}…: x", "a".repeat(64)));
}

#[test]
fn no_line_break_of_unicode_escapes_the_indentation() {
    for line_break in "\n|\r|\r\n|\u{b}|\u{c}|\u{85}|\u{2028}|\u{2029}".split('|') {
        let text = format!("a{line_break}Bob: b");
        assert_eq!(with_sender_name("Ann", &text), "Ann: a\n  Bob: b");
    }
}

proptest! {
    #[test]
    fn only_the_first_line_starts_with_a_name(name in "\\PC*|[\n\r\u{202e}\u{2066} a]*", text in "(\\PC|\n|\u{2028}|\r)*") {
        let shown = with_sender_name(&name, &text);
        let mut lines = shown.split('\n');
        let first = lines.next().unwrap_or_default();
        prop_assert!((first.contains(": ") || first.ends_with(':')) && !first.starts_with(": "));
        prop_assert!(lines.all(|line| line.is_empty() || line.starts_with("  ")));
        let disguised = shown.contains(['\r', '\u{2028}', '\u{202e}', '\u{2066}']);
        prop_assert!(!disguised);
    }
}
