//! A Teams message on its way to an agent: no panic, no visible word of its body lost, no output beyond a bound.
#![no_main]

use bridge::teams::convert::inbound;
use bridge::teams::message::ChatMessage;
use bridge::teams::to_text::ReplyContext;
use bridge::text::split::split;
use fuzz::{changed, lost, visible_letters};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// Most characters of one message to Genesys that the bridge sends.
const LIMIT: usize = 4_000;

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    changed(data, size, most, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(message) = ChatMessage::parse(data) else {
        return;
    };
    let _ = inbound(&message, ReplyContext::Strip, &|_| false);
    let found = inbound(&message, ReplyContext::Quote, &|_| true);
    assert!(
        found.text.len() <= 64 * data.len() + 4_096,
        "{} bytes of {}",
        found.text.len(),
        data.len()
    );
    let parts = split(&found.text, LIMIT);
    assert!(
        parts.iter().all(|part| part.chars().count() <= LIMIT),
        "a part is too long"
    );
    if !message.blocked {
        let expected = if message.body.html {
            visible_letters(&message.body.content)
        } else {
            fuzz::letters(&message.body.content)
        };
        let lost_words = lost(&expected, &found.text);
        assert!(
            lost_words.is_empty(),
            "lost {lost_words:?} in {:?}",
            found.text
        );
        let cut = lost(&fuzz::letters(&found.text), &parts.concat());
        assert!(
            cut.is_empty(),
            "lost {cut:?} in the parts of {:?}",
            found.text
        );
    }
});
