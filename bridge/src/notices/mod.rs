//! What a customer is told of a message of theirs that did not reach the agent: when, and in which words.

mod texts;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::texts::TEXTS;

/// What an attempt has, once its message has waited long enough, before the customer is told: most succeed in less, and then there
/// is nothing to tell.
pub const GRACE: Duration = Duration::from_secs(30);

/// Longest tag of a language (RFC 5646, 4.4.1).
const LONGEST_TAG: usize = 35;

/// What Graph writes whatever language its user has chosen (Microsoft Learn, "chatMessage resource type", `locale`: "Always set
/// to en-us"): it tells nothing.
const SAYS_NOTHING: &str = "en-us";

/// What a customer is told of a message of theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// It could not be delivered.
    #[default]
    Failed,
    /// It waits to be delivered, longer than it should.
    Delayed,
    /// It is not passed on, because of the customer's tenant.
    TurnedAway,
    /// No message yet: the bot was added, and says what it is for.
    Greeting,
    /// The conversation has ended.
    Ended,
    /// Another agent goes on with it.
    Transferred,
}

impl NoticeKind {
    /// What tells it from other notices about the same message, which may follow one another.
    #[must_use]
    pub const fn distinction(self) -> Option<&'static str> {
        match self {
            Self::Delayed => Some("delayed"),
            Self::Greeting => Some("greeting"),
            Self::Ended => Some("ended"),
            Self::Transferred => Some("transferred"),
            Self::Failed | Self::TurnedAway => None,
        }
    }

    /// Whether it is the first kind, which envelopes leave out.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        *self == Self::Failed
    }
}

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
struct Texts {
    language: &'static str,
    failed: &'static str,
    delayed: &'static str,
    turned_away: &'static str,
    greeting: &'static str,
    ended: &'static str,
    transferred: &'static str,
    end: &'static str,
}

/// The language of a notice: one that there are texts in.
#[derive(Debug, Clone, Copy)]
pub struct Language(&'static Texts);

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Language {
    /// The language that a tag stands for, whatever region it names; `None` where there are no texts in it.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase().replace('_', "-");
        let primary = tag.split('-').next().unwrap_or_default();
        let named = match tag.as_str() {
            // Traditional script, by name or by region; there are no texts in it.
            "zh-hant" | "zh-tw" | "zh-hk" | "zh-mo" => return None,
            _ if tag.starts_with("zh-hant-") => return None,
            _ if primary == "zh" => "zh-hans",
            _ => primary,
        };
        TEXTS.iter().find(|it| it.language == named).map(Self)
    }

    /// The language of the writer of a message, by the `locale` that Graph shows of it.
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        let says_nothing = locale.len() > LONGEST_TAG || locale.eq_ignore_ascii_case(SAYS_NOTHING);
        if says_nothing {
            None
        } else {
            Self::of_tag(locale)
        }
    }

    /// The tags of all languages that there are texts in.
    pub fn tags() -> impl Iterator<Item = &'static str> {
        TEXTS.iter().map(|it| it.language)
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.0.language
    }

    /// What a notice of this kind says.
    #[must_use]
    pub const fn text(self, kind: NoticeKind) -> &'static str {
        match kind {
            NoticeKind::Failed => self.0.failed,
            NoticeKind::Delayed => self.0.delayed,
            NoticeKind::TurnedAway => self.0.turned_away,
            NoticeKind::Greeting => self.0.greeting,
            NoticeKind::Ended => self.0.ended,
            NoticeKind::Transferred => self.0.transferred,
        }
    }

    /// What stands on a button that ends the conversation.
    #[must_use]
    pub const fn end_button(self) -> &'static str {
        self.0.end
    }
}

/// What is known of a message that is on its way to the agent.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// The setting: after so long customers are told; zero for never.
    pub told_after: Duration,
    /// Since the queue accepted it.
    pub age: Duration,
    /// A customer wrote it, it is for the agent, and the agent does not have it yet: no edit, no reaction, none of our own.
    pub is_new: bool,
    /// It comes late anyway: a catch-up found it, or somebody replays it.
    pub is_late_anyway: bool,
    /// The chat was told since a message of it was last delivered.
    pub is_told: bool,
    /// The attempt that was under way has failed.
    pub has_failed: bool,
}

impl Waiting {
    /// How long from now the customer is to be told that it waits; `None` for never.
    #[must_use]
    pub fn told_in(&self) -> Option<Duration> {
        let is_told = self.is_new && !self.is_late_anyway && !self.is_told;
        if self.told_after.is_zero() || !is_told {
            return None;
        }
        let left = self.told_after.saturating_sub(self.age);
        match self.has_failed {
            true => Some(left),
            false => Some(left.max(GRACE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn who_waits_is_told_in_time_and_once() {
        let waiting = Waiting {
            told_after: 10 * MINUTE,
            age: MINUTE,
            is_new: true,
            is_late_anyway: false,
            is_told: false,
            has_failed: false,
        };
        let older = |age| Waiting { age, ..waiting };
        let failed = |age| Waiting {
            has_failed: true,
            ..older(age)
        };
        for (case, waiting, told) in [
            ("a young one", waiting, Some(9 * MINUTE)),
            (
                "one that is due, at its next attempt",
                older(60 * MINUTE),
                Some(GRACE),
            ),
            (
                "one whose attempt may succeed yet",
                older(10 * MINUTE - GRACE / 2),
                Some(GRACE),
            ),
            ("a young one that failed", failed(MINUTE), Some(9 * MINUTE)),
            (
                "a due one that failed",
                failed(10 * MINUTE),
                Some(Duration::ZERO),
            ),
            (
                "one that failed for days",
                failed(5_000 * MINUTE),
                Some(Duration::ZERO),
            ),
            (
                "notices are off",
                Waiting {
                    told_after: Duration::ZERO,
                    ..failed(60 * MINUTE)
                },
                None,
            ),
            (
                "an edit, an echo",
                Waiting {
                    is_new: false,
                    ..failed(60 * MINUTE)
                },
                None,
            ),
            (
                "one that a catch-up found",
                Waiting {
                    is_late_anyway: true,
                    ..failed(60 * MINUTE)
                },
                None,
            ),
            (
                "the second one of an episode",
                Waiting {
                    is_told: true,
                    ..failed(60 * MINUTE)
                },
                None,
            ),
        ] {
            assert_eq!(waiting.told_in(), told, "{case}");
        }
    }

    #[test]
    fn a_locale_tells_the_language_unless_it_is_the_one_that_graph_always_writes() {
        for (locale, language) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("pt_BR", Some("pt")),
            ("zh", Some("zh-hans")),
            ("zh-CN", Some("zh-hans")),
            ("zh-Hans-SG", Some("zh-hans")),
            ("zh-TW", None),
            ("zh-Hant-HK", None),
            ("en-gb", Some("en")),
            ("en-us", None),
            ("EN-US", None),
            ("xx", None),
            ("", None),
            ("deutsch", None),
            ("de-with-more-than-a-tag-of-a-language-has", None),
        ] {
            let found = Language::of_locale(locale);
            assert_eq!(found.map(Language::tag), language, "{locale}");
        }
        let named = Language::of_tag("en-us").map(Language::tag);
        assert_eq!(named, Some("en"), "who names it means it");
    }

    #[test]
    fn the_texts() {
        let mut shown = String::new();
        for tag in Language::tags() {
            let language = Language::of_tag(tag).expect("a language");
            for kind in [
                NoticeKind::Failed,
                NoticeKind::Delayed,
                NoticeKind::TurnedAway,
                NoticeKind::Greeting,
                NoticeKind::Ended,
                NoticeKind::Transferred,
            ] {
                let text = language.text(kind);
                assert!((10..=200).contains(&text.chars().count()), "{tag}: {text}");
                shown += &format!("{tag} {kind:?}: {text}\n");
            }
        }
        insta::assert_snapshot!(shown);
    }
}
