//! Texts that take more than one message.

use proptest::prelude::*;

use super::super::*;
use super::agent_text;
use super::dom::{Dom, words};
use crate::text::tests::rules_hold;

#[test]
fn each_rule_of_the_parts_holds() {
    let rules = include_str!("../../../../fixtures/parts_of_html.json");
    rules_hold(rules, |(text, limit): (String, usize)| {
        split_for_teams(&text, limit)
    });
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
fn a_link_is_never_cut() {
    let address = format!("https://example.com/{}", "a".repeat(60));
    let live = from_text(&address);
    for before in 0..300 {
        let parts = split_for_teams(&format!("{} {address} end", "x".repeat(before)), 240);
        assert!(parts.iter().any(|part| part.contains(&live)), "{parts:?}");
    }
}

#[test]
fn the_time_does_not_grow_with_the_square() {
    let started = std::time::Instant::now();
    let units = concat!(
        "x| |\n|🙂|\u{301}|\u{0}|\t|`|`a` |`a``b|```\n|```\na\n```\n|- x\n|1. x\n|1. x\n2. y\n|- x\n  - y\n",
        "|http://a |http://|http://a)|://|'|&|~~~\n|- |a\n\n|```a "
    );
    for unit in units.split('|') {
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
