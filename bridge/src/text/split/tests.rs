use proptest::prelude::*;

use super::*;

fn unmarked(parts: &[String]) -> Vec<&str> {
    let total = parts.len();
    let without = |(index, part): (usize, &'_ String)| -> usize {
        let mark = format!("({}/{total}) ", index + 1);
        assert!(part.starts_with(&mark), "a part lacks its mark");
        mark.len()
    };
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| &part[without((index, part))..])
        .collect()
}

fn visible(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .collect()
}

#[test]
fn what_fits_stays_as_it_is() {
    assert_eq!(split("Hello\n\nWorld", 64), ["Hello\n\nWorld"]);
    assert_eq!(split("Hello \n", 64), ["Hello"]);
    assert_eq!(split(&"ä".repeat(64), 64), ["ä".repeat(64)]);
}

#[test]
fn a_blank_text_has_no_part() {
    assert!(split("", 64).is_empty());
    assert!(split(&" \n\t".repeat(100), 64).is_empty());
}

#[test]
fn paragraphs_are_the_first_choice() {
    let first = "One sentence. Another sentence of it.";
    let second = "The second paragraph has words.\nAnd a line.";
    assert_eq!(
        split(&format!("{first}\n\n{second}"), 64),
        [format!("(1/2) {first}"), format!("(2/2) {second}")]
    );
}

#[test]
fn then_lines_sentences_and_words() {
    let line = "x".repeat(20);
    let text = format!("{line} {line}.\n{line} {line}");
    assert_eq!(
        split(&text, 64),
        [
            format!("(1/2) {line} {line}."),
            format!("(2/2) {line} {line}")
        ]
    );
    let text = format!("{line} {line}! {line} {line}");
    assert_eq!(
        split(&text, 64),
        [
            format!("(1/2) {line} {line}!"),
            format!("(2/2) {line} {line}")
        ]
    );
    let text = format!("{line} {line} {line} {line}");
    assert_eq!(
        split(&text, 64),
        [
            format!("(1/2) {line} {line}"),
            format!("(2/2) {line} {line}")
        ]
    );
}

#[test]
fn full_width_sentences_need_no_space() {
    let text = "你好世界今天天气很好。".repeat(8);
    let parts = split(&text, 64);
    assert!(
        unmarked(&parts).iter().all(|part| part.ends_with('。')),
        "{parts:?}"
    );
}

#[test]
fn a_closing_quote_stays_with_its_sentence() {
    let text = format!(
        "{} \"{}.\" {}",
        "a".repeat(20),
        "b".repeat(20),
        "c".repeat(30)
    );
    assert!(split(&text, 64)[0].ends_with(".\""));
}

#[test]
fn graphemes_are_never_cut() {
    let family = "👨‍👩‍👧‍👦";
    let parts = split(&family.repeat(40), 64);
    assert!(parts.len() > 1);
    for part in unmarked(&parts) {
        assert_eq!(part.len() % family.len(), 0, "{part}");
    }
}

#[test]
fn a_grapheme_longer_than_a_part_is_cut() {
    let text = format!("a{}", "\u{301}".repeat(1_000));
    let parts = split(&text, 64);
    assert!(parts.iter().all(|part| part.chars().count() <= 64));
    assert_eq!(unmarked(&parts).concat(), text);
}

#[test]
fn indentation_survives_a_cut_before_its_line() {
    let text = format!("{}\n    indented {}", "x".repeat(40), "y".repeat(20));
    assert_eq!(
        split(&text, 64)[1],
        format!("(2/2)     indented {}", "y".repeat(20))
    );
}

#[test]
fn marks_widen_with_the_number_of_parts() {
    let text = "word ".repeat(3_000);
    let parts = split(&text, 64);
    assert!(parts.len() > 99);
    assert!(parts.iter().all(|part| part.chars().count() <= 64));
    assert_eq!(visible(&unmarked(&parts).concat()), visible(&text));
}

#[test]
fn the_time_is_linear() {
    for text in [
        "x".repeat(1 << 17),
        " ".repeat(1 << 17) + "x",
        "\u{301}".repeat(1 << 16),
        "🇩🇪".repeat(1 << 14),
    ] {
        assert!(!split(&text, 4_000).is_empty());
    }
}

proptest! {
    #[test]
    fn parts_rejoin(text in "(\\PC|\n|\r\n| |[a-z]{1,12}[.!?]? |👩‍🚀|e\u{301}){0,400}", limit in 64_usize..200) {
        // Quotes and code are marked again where they are cut.
        let text = text.replace(['>', '`', '~'], "-");
        let parts = split(&text, limit);
        prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
        let joined = if parts.len() > 1 { unmarked(&parts).concat() } else { parts.concat() };
        prop_assert_eq!(visible(&joined), visible(&text));
        prop_assert!(parts.iter().all(|part| !part.trim().is_empty()));
    }

    #[test]
    fn words_that_fit_are_never_cut(words in prop::collection::vec("[a-zäöü]{1,20}", 1..200)) {
        let text = words.join(" ");
        let parts = split(&text, 64);
        let found: Vec<String> = if parts.len() > 1 {
            unmarked(&parts).iter().flat_map(|part| part.split(' ')).map(str::to_owned).collect()
        } else {
            parts[0].split(' ').map(str::to_owned).collect()
        };
        prop_assert_eq!(found, words);
    }
}
