//! What an agent is told when a message changes after it was sent.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::teams::message::Reaction;
use crate::text::{LONGEST_NAME, begins_with_a_mark, one_line};

/// The new text of an edited message.
#[must_use]
pub fn edited(text: &str) -> String {
    match text.trim() {
        "" => "[edited] The message's text was removed.".to_owned(),
        text => marked("[edited]", text),
    }
}

/// A message whose files changed, and whose text did not.
#[must_use]
pub fn files_changed() -> String {
    "[edited] The files of the message changed.".to_owned()
}

/// A mark before a text; on a line of its own where the text's first line means something only at its beginning.
fn marked(mark: &str, text: &str) -> String {
    if begins_with_a_mark(text) {
        format!("{mark}\n{text}")
    } else {
        format!("{mark} {text}")
    }
}

/// A message that was deleted and is there again.
#[must_use]
pub fn restored(text: &str) -> String {
    marked("[restored]", text).trim_end().to_owned()
}

/// Word that a message is gone. What it said is not repeated: its author took it back.
#[must_use]
pub fn deleted(written: OffsetDateTime) -> String {
    format!("[deleted] The message of {} was deleted.", moment(written))
}

/// Word that nobody may read a message any more, or ever could.
#[must_use]
pub fn blocked(written: OffsetDateTime) -> String {
    let written = moment(written);
    format!("[blocked] The message of {written} was blocked by its sender's organization.")
}

/// A reaction to a message.
#[must_use]
pub fn reaction(symbol: &str, to_the_agent: bool, written: OffsetDateTime) -> String {
    let whose = if to_the_agent { "your" } else { "the" };
    format!(
        "[reaction] {symbol} to {whose} message of {}",
        moment(written)
    )
}

/// The symbol of a reaction (Microsoft Learn, "chatMessageReaction resource type": a Unicode character, one of six older words,
/// or the name of a custom emoji).
#[must_use]
pub fn reaction_symbol(reaction: &Reaction) -> &str {
    match (&*reaction.kind, &reaction.label) {
        ("like", _) => "👍",
        ("heart", _) => "❤️",
        ("laugh", _) => "😆",
        ("surprised", _) => "😮",
        ("sad", _) => "😢",
        ("angry", _) => "😡",
        ("custom", Some(label)) => label,
        (kind, _) => kind,
    }
}

/// What somebody on our own side wrote into the chat without the agent's desk.
#[must_use]
pub fn by_hand(name: &str, text: &str) -> String {
    let name = one_line(name, LONGEST_NAME);
    let name = if name.is_empty() { "Support" } else { &name };
    marked(&format!("[{name}]"), text)
}

fn moment(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn changes_are_marked() {
        let at = datetime!(2026-01-02 05:04:05 +2);
        let symbol = |kind: &str| {
            let reaction = Reaction {
                kind: kind.to_owned(),
                label: Some("party parrot".to_owned()),
                user: None,
                name: None,
            };
            reaction_symbol(&reaction).to_owned()
        };
        assert_eq!(edited(" new\nwords "), "[edited] new\nwords");
        assert_eq!(edited(" "), "[edited] The message's text was removed.");
        assert_eq!(restored("old words"), "[restored] old words");
        assert_eq!(restored(""), "[restored]");
        assert_eq!(edited("```rust\nx\n```"), "[edited]\n```rust\nx\n```");
        assert_eq!(edited("- one\n- two"), "[edited]\n- one\n- two");
        assert_eq!(
            deleted(at),
            "[deleted] The message of 2026-01-02 03:04 UTC was deleted."
        );
        assert_eq!(
            reaction(&symbol("like"), true, at),
            "[reaction] 👍 to your message of 2026-01-02 03:04 UTC"
        );
        assert_eq!(
            reaction(&symbol("🎉"), false, at),
            "[reaction] 🎉 to the message of 2026-01-02 03:04 UTC"
        );
        assert_eq!(symbol("custom"), "party parrot");
        assert_eq!(by_hand("Sam\nLee", "> a\nb"), "[Sam Lee]\n> a\nb");
        assert_eq!(by_hand(" ", "hello"), "[Support] hello");
    }
}
