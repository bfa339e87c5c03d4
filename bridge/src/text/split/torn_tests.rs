//! What a cut must not tear, and what it mends where it has to.

use std::collections::BTreeSet;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;

fn visible(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .collect()
}

/// The parts without their marks.
fn unmarked(parts: &[String]) -> Vec<&str> {
    let total = parts.len();
    let without = |(index, part): (usize, &'_ String)| -> usize {
        let mark = format!("({}/{total})", index + 1);
        assert!(part.starts_with(&mark), "a part lacks its mark");
        mark.len() + 1
    };
    let unmarked = parts.iter().enumerate();
    unmarked
        .map(|(index, part)| &part[without((index, part))..])
        .collect()
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
fn a_block_of_code_is_closed_and_opened_again() {
    let line = "let x = compute(1);";
    let text = format!("Try this:\n```rust\n{}\n```\nDone.", [line; 6].join("\n"));
    assert_eq!(
        split(&text, 80),
        [
            format!("(1/3) Try this:\n```rust\n{line}\n{line}\n```"),
            format!("(2/3)\n```rust\n{line}\n{line}\n{line}\n```"),
            format!("(3/3)\n```rust\n{line}\n```\nDone."),
        ]
    );
}

#[test]
fn the_same_fence_closes_and_opens() {
    let text = format!("~~~~ c++\n```\n{}\n~~~\n~~~~", "word ".repeat(40));
    let parts = split(&text, 64);
    assert!(parts.len() > 2);
    for part in unmarked(&parts) {
        assert!(part.starts_with("~~~~ c++\n"), "{part}");
        assert!(part.ends_with("\n~~~~"), "{part}");
    }
}

#[test]
fn an_open_block_stays_open_at_the_end() {
    let text = format!("```\n{}", "word ".repeat(40));
    let parts = split(&text, 64);
    let unmarked = unmarked(&parts);
    let (last, others) = unmarked.split_last().expect("parts");
    assert!(others.iter().all(|part| part.ends_with("\n```")));
    assert!(last.starts_with("```\n") && !last.ends_with("```"));
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
fn a_fence_with_too_long_a_language_is_text() {
    let text = format!("```{}\n{}", "x".repeat(90), "word ".repeat(30));
    let parts = split(&text, 64);
    assert_eq!(visible(&unmarked(&parts).concat()), visible(&text));
}

#[test]
fn a_cut_line_of_a_quote_stays_a_quote() {
    let text = format!("> Anna: {}\nMy answer", ["word"; 21].join(" "));
    assert_eq!(
        split(&text, 64),
        [
            format!("(1/3)\n> Anna: {}", ["word"; 10].join(" ")),
            format!("(2/3)\n> {}", ["word"; 11].join(" ")),
            "(3/3) My answer".to_owned(),
        ]
    );
}

#[test]
fn nested_and_indented_quotes_keep_their_marks() {
    for mark in ["> > ", ">> ", "  > "] {
        let text = format!("{mark}{}", "word ".repeat(30));
        let parts = split(&text, 64);
        assert!(unmarked(&parts).iter().all(|part| part.starts_with(mark)));
    }
}

#[test]
fn what_only_looks_like_a_quote_is_not_marked() {
    let text = format!(">:( {}", "word ".repeat(30));
    let parts = split(&text, 64);
    assert_eq!(visible(&unmarked(&parts).concat()), visible(&text));
}

#[test]
fn quoted_code_is_closed_within_the_quote() {
    let text = format!("> ```\n{}", "> some code\n".repeat(12));
    let parts = split(&text, 64);
    let unmarked = unmarked(&parts);
    assert!(
        unmarked
            .iter()
            .all(|part| part.starts_with("> ```\n> some"))
    );
    let (_, others) = unmarked.split_last().expect("parts");
    assert!(others.iter().all(|part| part.ends_with("\n> ```")));
}

#[test]
fn code_ends_with_the_quote_that_it_is_in() {
    let text = format!("> ```\n> code\n{}", "word ".repeat(30));
    assert!(
        split(&text, 64)[1..]
            .iter()
            .all(|part| !part.contains("```"))
    );
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
fn a_word_that_fits_is_moved_rather_than_cut() {
    let text = format!("ab {} more", "x".repeat(57));
    let parts = split(&text, 64);
    assert_eq!(unmarked(&parts), ["ab", &"x".repeat(57), "more"]);
}

#[test]
fn a_longer_address_is_cut() {
    let text = format!("see https://{}", "x".repeat(300));
    let parts = split(&text, 64);
    assert_eq!(visible(&unmarked(&parts).concat()), visible(&text));
    assert!(parts.len() < 8, "{parts:?}");
}

#[test]
fn the_time_does_not_grow_with_the_square() {
    let started = std::time::Instant::now();
    for unit in [
        "x",
        " ",
        "\n",
        "🙂",
        "🇩🇪",
        "\u{301}",
        "👩‍🚀",
        "http://",
        "http://a ",
        "```\n",
        "```a\nb\n```\n",
        "> ",
        ">",
        "> ```\n",
        "`",
        "mailto:",
        "x ",
        ">> ```\n> x\n",
        " \u{301}",
    ] {
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
    fn parts_fit(text in customer_text(), limit in 64_usize..300) {
        let parts = split(&text, limit);
        prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
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
