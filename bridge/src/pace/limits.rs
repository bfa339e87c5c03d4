//! What the outside services take, as they publish it: the one table of limits.

use std::time::Duration;

/// How fast a throttle key may be used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Uses a second that are kept up.
    pub per_second: f64,
    /// Uses that may come at once after a quiet time; at least one.
    pub burst: f64,
    /// Those that may come at once from an instance that does not know what was used before it.
    pub at_first: f64,
    /// Whether several instances use the key at the same time, so that they must share it.
    pub is_shared: bool,
    /// Where the limit is published.
    pub source: &'static str,
}

const GRAPH: &str = "Microsoft Graph service-specific throttling limits, Teams";

/// Posts of one user: 1 a second in a short window, 83 % of it sustained.
pub const GRAPH_POSTS: Limit = Limit {
    per_second: 0.83,
    burst: 1.0,
    at_first: 0.0,
    is_shared: true,
    source: GRAPH,
};

/// Hosted contents of one chat: as posts. A chat's lane is in one place at a time.
pub const GRAPH_HOSTED_CONTENTS: Limit = Limit {
    is_shared: false,
    ..GRAPH_POSTS
};

/// Parts of one user's list of chats (`GET /me/chats`): 1 a second. One run looks through it at a time.
pub const GRAPH_CHATS: Limit = GRAPH_HOSTED_CONTENTS;

/// Parts of the list of one chat's messages: 1 a second.
pub const GRAPH_MESSAGES: Limit = GRAPH_HOSTED_CONTENTS;

/// Reads of one user that the published table does not name (a chat's members, one message): 1 a second for all of them, since it
/// does not say whether each has its own.
pub const GRAPH_READS: Limit = GRAPH_POSTS;

/// Reads of one user that may come more often: a chat's own properties (5 a second, 83 % of it sustained), files, look-ups in the
/// directories.
pub const GRAPH_FREQUENT_READS: Limit = Limit {
    per_second: 4.15,
    burst: 3.0,
    at_first: 0.0,
    is_shared: true,
    source: GRAPH,
};

const BOT: &str = "Microsoft Learn, Rate limiting for agents in Teams";

/// What a bot sends to one conversation, typing included: 7 in 1 s, 8 in 2 s, 60 in 30 s. A conversation's lane is in one place at a
/// time; what shows typing is elsewhere, and the limit leaves room for it.
pub const BOT_SENDS: Limit = Limit {
    per_second: 1.2,
    burst: 5.0,
    at_first: 2.0,
    is_shared: false,
    source: BOT,
};

/// The same over a longer time: 1,800 in an hour.
pub const BOT_SENDS_OF_AN_HOUR: Limit = Limit {
    per_second: 0.4,
    burst: 200.0,
    at_first: 30.0,
    ..BOT_SENDS
};

/// All that a bot asks of one tenant: 50 a second, of which each of four instances may have its part. They need not tell one another,
/// since no conversations of one tenant are as many.
pub const BOT_CALLS_OF_A_TENANT: Limit = Limit {
    per_second: 9.0,
    burst: 3.0,
    at_first: 3.0,
    ..BOT_SENDS
};

/// Look-ups of the members of one conversation: 14 in 1 s, 16 in 2 s, 120 in 30 s, 3,600 in an hour.
pub const BOT_READS: Limit = Limit {
    per_second: 0.9,
    burst: 10.0,
    at_first: 4.0,
    ..BOT_SENDS
};

/// That customers are typing, of all that Genesys takes: a small part, so that none is missing when a message comes.
pub const GENESYS_TYPING: Limit = Limit {
    per_second: 0.5,
    burst: 3.0,
    at_first: 3.0,
    is_shared: false,
    source: "a choice of ours: a tenth of 300 calls a minute",
};

/// Calls of one OAuth client, where Genesys takes this many in any minute (300 unless it raised that): a part of them at once, the
/// others spread over the minute, and 1 in 27 is left for what is not booked (the first call after a quiet time, look-ups, files).
#[must_use]
pub fn genesys(per_minute: u32) -> Limit {
    let all = f64::from(per_minute);
    Limit {
        per_second: all * 0.9 / 60.0,
        burst: (all / 15.0).max(1.0),
        at_first: 0.0,
        is_shared: true,
        source: "Genesys Cloud limits, client.credentials.token.rate.per.minute",
    }
}

impl Limit {
    /// The time that one use takes at the sustained rate.
    #[must_use]
    pub fn each(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second.max(0.001))
    }

    /// Uses that are booked together at most: about two seconds'.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        (self.per_second * 2.0).clamp(1.0, 100.0).ceil() as usize
    }

    /// What an instance keeps to while it cannot book: others may be in the same place, four of them without exceeding the limit.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self {
            per_second: self.per_second / 4.0,
            burst: 1.0,
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_holds_more_calls_than_genesys_takes() {
        for per_minute in [30, 60, 300, 3_000] {
            let limit = genesys(per_minute);
            let most = limit.burst + limit.per_second * 60.0;
            let all = f64::from(per_minute);
            assert!(
                most <= all * 0.97 && limit.per_second * 60.0 >= all * 0.8,
                "{per_minute}"
            );
        }
        const { assert!(GRAPH_POSTS.burst + GRAPH_POSTS.per_second * 60.0 <= 60.0) };
    }

    #[test]
    fn no_span_holds_more_than_a_bot_may_send() {
        let most = |limit: Limit, seconds: f64| limit.burst + limit.per_second * seconds;
        for (seconds, sends, reads) in [
            (1.0, 7.0, 14.0),
            (2.0, 8.0, 16.0),
            (30.0, 60.0, 120.0),
            (3_600.0, 1_800.0, 3_600.0),
        ] {
            let sent = most(BOT_SENDS, seconds).min(most(BOT_SENDS_OF_AN_HOUR, seconds));
            assert!(
                sent <= sends && most(BOT_READS, seconds) <= reads,
                "{seconds} s"
            );
        }
        assert!(most(BOT_CALLS_OF_A_TENANT, 1.0) * 4.0 <= 50.0);
    }
}
