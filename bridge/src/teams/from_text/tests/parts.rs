//! Texts that take more than one message.

use proptest::prelude::*;

use super::super::*;
use super::agent_text;
use super::dom::{Dom, words};

#[test]
fn short_text_is_one_part() {
    assert_eq!(split_for_teams("a\nb", TEAMS_BODY_LIMIT), ["a<br>b"]);
    assert!(split_for_teams(" \n ", TEAMS_BODY_LIMIT).is_empty());
}

#[test]
fn a_few_addresses_cost_no_extra_parts() {
    let text = format!(
        "https://example.com/{} {}",
        "x".repeat(100),
        "word ".repeat(4_900)
    );
    assert_eq!(split_for_teams(&text, TEAMS_BODY_LIMIT).len(), 2);
}

#[test]
fn the_time_is_linear() {
    for text in [
        "http://".repeat(1 << 14),
        "http://a ".repeat(1 << 14),
        "http://a)".repeat(1 << 14),
        "://".repeat(1 << 15),
        "&".repeat(1 << 17),
    ] {
        let parts = split_for_teams(&text, TEAMS_BODY_LIMIT);
        assert!(parts.iter().all(|part| part.len() <= TEAMS_BODY_LIMIT));
    }
}

#[test]
fn a_block_that_fits_is_not_cut() {
    let code = format!("```rust\n{}\n```", ["let x = 1;"; 10].join("\n"));
    for before in 1..40 {
        let text = format!("{}\n{code}\nend", "word ".repeat(before).trim_end());
        let parts = split_for_teams(&text, 256);
        let whole = from_text(&code);
        assert!(parts.iter().any(|part| part.contains(&whole)), "{parts:?}");
    }
}

#[test]
fn cut_code_is_closed_and_opened_again() {
    let text = format!("a\n```rust\n{}\n```\nb", ["  let x;"; 40].join("\n"));
    let parts = split_for_teams(&text, 200);
    assert!(parts.len() > 3);
    let (last, others) = parts.split_last().expect("parts");
    for part in &others[1..] {
        assert!(
            part.starts_with(r#"<codeblock class="rust"><code>&nbsp;&nbsp;let x;<br>"#),
            "{part}"
        );
        assert!(
            part.ends_with("&nbsp;&nbsp;let x;</code></codeblock>"),
            "{part}"
        );
    }
    assert!(last.ends_with("let x;</code></codeblock>b"), "{last}");
    assert_eq!(parts.concat().matches("let x;").count(), 40);
}

#[test]
fn a_cut_list_counts_on() {
    let items: Vec<String> = (1..=60)
        .map(|number| format!("{number}. item {number}"))
        .collect();
    let parts = split_for_teams(&items.join("\n"), 300);
    assert!(parts.len() > 2);
    let mut next = 1;
    for part in &parts {
        let start = if next == 1 {
            "<ol><li>".to_owned()
        } else {
            format!(r#"<ol start="{next}"><li>"#)
        };
        assert!(
            part.starts_with(&format!("{start}item {next}</li>")),
            "{part}"
        );
        assert!(part.ends_with("</li></ol>"));
        next += part.matches("<li>").count();
    }
    assert_eq!(next, 61);
}

#[test]
fn the_rest_of_a_cut_item_has_no_number() {
    let text = format!("1. {}\n2. b", "word ".repeat(60).trim_end());
    let parts = split_for_teams(&text, 200);
    assert!(parts[0].starts_with("<ol><li>word") && parts[0].ends_with("word</li></ol>"));
    assert!(parts[1].starts_with("word"));
    assert!(
        parts[parts.len() - 1].ends_with(r#"word<ol start="2"><li>b</li></ol>"#),
        "{parts:?}"
    );
}

#[test]
fn a_list_is_cut_between_its_outer_items() {
    let text = [
        "- a",
        "  - first",
        "  - second",
        "  - third",
        "- b",
        "  - first",
        "  - second",
    ]
    .join("\n");
    let parts = split_for_teams(&text, 110);
    assert_eq!(parts.len(), 2);
    assert!(parts[1].starts_with("<ul><li>b<ul><li>first"), "{parts:?}");
}

#[test]
fn a_link_is_never_cut() {
    let address = format!("https://example.com/{}", "a".repeat(60));
    let live = from_text(&address);
    for before in 0..300 {
        let parts = split_for_teams(&format!("{} {address} end", "x".repeat(before)), 240);
        assert!(parts.iter().any(|part| part.contains(&live)), "{parts:?}");
    }
    let parts = split_for_teams(&address, 100);
    assert_eq!(parts.concat(), address);
}

#[test]
fn cut_code_within_a_line_is_code_in_both_parts() {
    let parts = split_for_teams(&format!("`{}`", "word ".repeat(40).trim_end()), 100);
    assert!(parts.len() > 1);
    assert!(
        parts
            .iter()
            .all(|part| part.starts_with("<code>word") && part.ends_with("word</code>")),
        "{parts:?}"
    );
}

#[test]
fn control_characters_alone_are_nothing() {
    assert!(split_for_teams("\u{0}\u{7} \u{85}", TEAMS_BODY_LIMIT).is_empty());
}

#[test]
fn the_time_does_not_grow_with_the_square() {
    let started = std::time::Instant::now();
    for unit in [
        "x",
        " ",
        "\n",
        "🙂",
        "\u{301}",
        "\u{0}",
        "\t",
        "`",
        "`a` ",
        "`a``b",
        "```\n",
        "```\na\n```\n",
        "- x\n",
        "1. x\n",
        "1. x\n2. y\n",
        "- x\n  - y\n",
        "http://a ",
        "http://",
        "'",
        "&",
        "~~~\n",
        "- ",
        "a\n\n",
        "```a ",
    ] {
        for (length, limit) in [(1 << 15, 64), (1 << 18, TEAMS_BODY_LIMIT)] {
            for first in ["", "```\n", "- ", "https://x"] {
                let text = format!("{first}{}x", unit.repeat(length / unit.len()));
                let parts = split_for_teams(&text, limit);
                assert!(parts.iter().all(|part| part.len() <= limit), "{unit:?}");
                assert!(from_text(&text).len() >= parts.len());
            }
        }
    }
    let runs: String = (1..700)
        .map(|length| format!("{} ", "`".repeat(length)))
        .collect();
    assert!(!split_for_teams(&runs, TEAMS_BODY_LIMIT).is_empty());
    assert!(started.elapsed().as_secs() < 300, "quadratic");
}

proptest! {
    #[test]
    fn parts_fit_and_lose_nothing(text in agent_text(), limit in 64_usize..400) {
        let parts = split_for_teams(&text, limit);
        for part in &parts {
            prop_assert!(part.len() <= limit, "{} of {}: {}", part.len(), limit, part);
            prop_assert!(Dom::parse(part).is_ours());
            prop_assert!(!Dom::parse(part).words().is_empty() || words(&text).is_empty() || part.contains(['-', '*', '.', ')', '`', '~', '•']));
        }
        let shown: String = parts.iter().map(|part| Dom::parse(part).words_without_languages()).collect();
        prop_assert_eq!(shown, Dom::parse(&from_text(&text)).words_without_languages());
    }

    #[test]
    fn what_fits_is_one_part(text in agent_text()) {
        let parts = split_for_teams(&text, TEAMS_BODY_LIMIT);
        prop_assert!(parts.len() <= 1);
        let shown = Dom::parse(&parts.concat()).words();
        prop_assert_eq!(shown, words(&text));
    }
}
