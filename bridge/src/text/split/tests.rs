use std::collections::BTreeSet;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;
use crate::text::tests::rules_hold;

/// The parts without their marks, behind which there is a space or a line break.
fn unmarked(parts: &[String]) -> Vec<&str> {
    let total = parts.len();
    if let [only] = parts {
        return vec![only];
    }
    let unmarked = parts.iter().zip(1..).map(|(part, number)| {
        let unmarked = part.strip_prefix(&format!("({number}/{total})"));
        &unmarked.expect("a mark")[1..]
    });
    unmarked.collect()
}

fn visible(text: &str) -> String {
    text.replace(char::is_whitespace, "")
}

/// Where a piece starts and ends in its text.
fn range(text: &str, piece: &Piece<'_>) -> (usize, usize) {
    let start = piece.body.as_ptr() as usize - text.as_ptr() as usize;
    (start, start + piece.body.len())
}

/// Whether each block of code in a text is closed, written without the code under test.
fn is_balanced(text: &str) -> bool {
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        let line = line.trim();
        let mark = line.chars().next().unwrap_or(' ');
        let length = line.chars().take_while(|found| *found == mark).count();
        let is_fence = matches!(mark, '`' | '~') && length >= 3;
        match open {
            Some((kind, least)) => {
                let only_fence = line.chars().count() == length;
                if is_fence && only_fence && kind == mark && length >= least {
                    open = None;
                }
            }
            None if is_fence && !(mark == '`' && line[length..].contains('`')) => {
                open = Some((mark, length));
            }
            _ => {}
        }
    }
    open.is_none()
}

#[test]
fn each_rule_of_the_parts_holds() {
    let rules = include_str!("../../../fixtures/parts_of_text.json");
    rules_hold(rules, |(text, limit): (String, usize)| split(&text, limit));
}

#[test]
fn a_grapheme_longer_than_a_part_is_cut() {
    let text = format!("a{}", "\u{301}".repeat(1_000));
    let parts = split(&text, 64);
    assert!(parts.iter().all(|part| part.chars().count() <= 64));
    assert_eq!(unmarked(&parts).concat(), text);
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
fn a_block_is_not_torn_from_its_fences() {
    let code = "x".repeat(20);
    for before in 0..60 {
        let text = format!(
            "{}\n```\n{code}\n```\n{}",
            "a".repeat(before),
            "b".repeat(60)
        );
        let parts = split(&text, 64);
        for part in unmarked(&parts) {
            assert!(!part.contains("```\n```"), "{parts:?}");
        }
    }
}

#[test]
fn an_address_is_whole_if_a_part_takes_it() {
    for scheme in ["http://", "https://", "HTTPS://", "mailto:"] {
        let address = format!("{scheme}{}", "a.b/c?d".repeat(6));
        for before in 0..70 {
            let text = format!("{} ({address} {}", "x".repeat(before), "word ".repeat(20));
            let parts = split(&text, 64);
            assert!(
                parts.iter().any(|part| part.contains(&address)),
                "{parts:?}"
            );
        }
    }
}

#[test]
fn the_time_does_not_grow_with_the_square() {
    let started = std::time::Instant::now();
    let units = concat!(
        "x| |\n|🙂|🇩🇪|\u{301}|👩‍🚀|http://|http://a |```\n|```a\nb\n```\n|> |>|> ```\n|`|mailto:|x ",
        "|>> ```\n> x\n| \u{301}"
    );
    for unit in units.split('|') {
        for (length, limit) in [(1 << 15, 64), (1 << 17, 4_000)] {
            for first in ["", "https://", "```\n", "> "] {
                let text = format!("{first}{}x", unit.repeat(length / unit.len()));
                let parts = split(&text, limit);
                assert!(parts.iter().all(|part| part.chars().count() <= limit));
            }
        }
    }
    assert!(started.elapsed().as_secs() < 300, "quadratic");
}

/// What a customer may send.
fn customer_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zäöü]{1,12}[.!?]? ",
        2 => "\n",
        1 => "\n\n",
        1 => "(\\PC){1,8}",
        1 => "(👩‍🚀|e\u{301}|🇩🇪|👨‍👩‍👧‍👦){1,20}",
        1 => "(https?://|mailto:)[a-z]{1,9}[a-z./?=]{0,9} ",
        1 => "\n(```|~~~|````)(rust|c)?\n",
        1 => "\n(> |> > |  > )[a-z ]{1,80}",
        1 => "\n> ```\n",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parts_rejoin(text in "(\\PC|\n|\r\n| |[a-z]{1,12}[.!?]? |👩‍🚀|e\u{301}){0,400}", limit in 64_usize..200) {
        // Quotes and code are marked again where they are cut.
        let text = text.replace(['>', '`', '~'], "-");
        let parts = split(&text, limit);
        prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
        prop_assert_eq!(visible(&unmarked(&parts).concat()), visible(&text));
        prop_assert!(parts.iter().all(|part| !part.trim().is_empty()));
    }

    #[test]
    fn words_that_fit_are_never_cut(words in prop::collection::vec("[a-zäöü]{1,20}", 1..200)) {
        let text = words.join(" ");
        let parts = split(&text, 64);
        let found: Vec<&str> = unmarked(&parts).iter().flat_map(|part| part.split(' ')).collect();
        prop_assert_eq!(found, words);
    }

    #[test]
    fn pieces_rejoin(text in customer_text(), budget in 40_usize..300) {
        let text = text.trim_end();
        let pieces = framed_pieces(text, budget);
        let joined: String = pieces.iter().map(|piece| piece.body).collect();
        prop_assert_eq!(visible(&joined), visible(text));
        let mut known = 0;
        for piece in &pieces {
            let (start, end) = range(text, piece);
            prop_assert!(text[known..start].trim().is_empty());
            prop_assert!(!piece.body.trim().is_empty());
            prop_assert!(piece.text().chars().count() <= budget);
            known = end;
            // What was added are marks that the text has.
            let (fence, mark) = piece.opening.rsplit_once('\n').unwrap_or(("", &piece.opening));
            prop_assert!(text.contains(fence) && text.contains(mark));
            prop_assert!(mark.trim_start().chars().all(|character| matches!(character, '>' | ' ')));
            prop_assert!(piece.closing.is_none_or(|closing| text.contains(closing) && !is_balanced(closing.trim_start_matches(['>', ' ']))));
        }
    }

    #[test]
    fn graphemes_and_addresses_are_whole(text in customer_text(), budget in 60_usize..300) {
        let text = text.trim_end();
        let boundaries: BTreeSet<usize> = text.grapheme_indices(true).map(|(index, _)| index).chain([text.len()]).collect();
        for piece in framed_pieces(text, budget) {
            let (start, end) = range(text, &piece);
            prop_assert!(boundaries.contains(&start));
            prop_assert!(boundaries.contains(&end) || text[end..].starts_with(char::is_whitespace));
            for cut in [start, end] {
                let before = text[..cut].split(char::is_whitespace).next_back().unwrap_or_default();
                let after = text[cut..].split(char::is_whitespace).next().unwrap_or_default();
                let scheme = ["http://", "https://", "mailto:"].iter().find_map(|scheme| before.find(scheme));
                if let Some(scheme) = scheme {
                    // A part of 60 has room for 20 besides fences and quote marks.
                    let length = before[scheme..].chars().count() + after.chars().count();
                    prop_assert!(after.is_empty() || length > budget / 3);
                }
            }
        }
    }

    #[test]
    fn code_is_closed_in_each_part(
        blocks in prop::collection::vec(("[a-z ]{0,60}\n", "(```|~~~|````)", "(rust)?", "([a-z]{1,30}[ \n]){1,20}"), 1..6),
        limit in 64_usize..300,
    ) {
        let text: String = blocks.iter().map(|(text, fence, language, code)| format!("{text}{fence}{language}\n{code}\n{fence}\n")).collect();
        for part in split(&text, limit) {
            let (_, unmarked) = part.split_once(")").unwrap_or(("", &part));
            prop_assert!(is_balanced(unmarked.trim_start()), "{}", part);
        }
    }
}
