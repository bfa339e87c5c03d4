//! A webhook on its way to a customer: no panic, no word lost, HTML that a browser reads as it is meant, no output beyond a bound.
#![no_main]

use bridge::genesys::webhook::{Piece, Webhook, pieces, question};
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use fuzz::{changed, letters, lost, visible_letters};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use time::OffsetDateTime;

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    changed(data, size, most, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(webhook) = Webhook::parse(data, OffsetDateTime::UNIX_EPOCH) else {
        return;
    };
    let _ = question(&webhook);
    let mut shown = String::new();
    for piece in pieces(&webhook) {
        let Piece::Text(text) = piece else {
            continue;
        };
        let parts = split_for_teams(&text, TEAMS_BODY_LIMIT);
        assert!(
            parts.iter().all(|part| part.len() <= TEAMS_BODY_LIMIT),
            "a part is too long"
        );
        let html = parts.concat();
        assert!(
            html.len() <= 64 * text.len() + 4_096,
            "{} bytes of {}",
            html.len(),
            text.len()
        );
        let browser: String = visible_letters(&html)
            .into_iter()
            .flat_map(|(letter, count)| std::iter::repeat_n(letter, count))
            .collect();
        // The name of a language stands in an attribute.
        let without_languages: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with(['`', '~']))
            .collect::<Vec<_>>()
            .join("\n");
        let lost_words = lost(&letters(&without_languages), &browser);
        assert!(
            lost_words.is_empty(),
            "lost {lost_words:?} of {text:?} in {html:?}"
        );
        shown += &text;
    }
    assert!(
        shown.len() <= 64 * data.len() + 4_096,
        "{} bytes of {}",
        shown.len(),
        data.len()
    );
    if let Some(text) = &webhook.text {
        let lost_words = lost(&letters(text), &shown);
        assert!(
            lost_words.is_empty(),
            "lost {lost_words:?} of {text:?} in {shown:?}"
        );
    }
});
