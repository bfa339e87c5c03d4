//! Which of several clients of a service makes a call. Each has a limit of its own.

use std::time::Duration;

use crate::ids::Digest;

/// A client as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// How long its next call has to wait.
    pub wait: Duration,
    /// Whether the service refused it lately where it may take another.
    pub is_doubted: bool,
}

/// The client that a chat's calls belong to, of this many: the same as long as their number is.
#[must_use]
pub fn home(chat: &Digest, clients: usize) -> usize {
    let number = chat.as_str().bytes().fold(0u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    usize::try_from(number % clients.max(1) as u64).unwrap_or_default()
}

/// Chooses the client for a call whose chat belongs to `home`: that one while it can go at once, else whichever can go first. One
/// that is in doubt is used when all are.
#[must_use]
pub fn choose(home: usize, ways: &[Way]) -> usize {
    let all_are_doubted = ways.iter().all(|way| way.is_doubted);
    let from_home = (0..ways.len()).map(|step| (home + step) % ways.len());
    from_home
        .filter(|way| all_are_doubted || !ways[*way].is_doubted)
        .min_by_key(|way| ways[*way].wait)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds to wait, doubted where there is a minus sign.
    fn ways(waits: &[i64]) -> Vec<Way> {
        let way = |wait: &i64| Way {
            wait: Duration::from_millis(wait.unsigned_abs()),
            is_doubted: *wait < 0,
        };
        waits.iter().map(way).collect()
    }

    #[test]
    fn a_call_stays_with_its_client_while_that_can_go() {
        for (home, waits, expected) in [
            (0, &[0][..], 0),
            (0, &[500], 0),
            (0, &[-500], 0),
            (1, &[0, 0, 0], 1),
            (1, &[0, 200, 0], 2),
            (2, &[0, 0, 200], 0),
            (1, &[300, 200, 100], 2),
            (1, &[200, 200, 200], 1),
            // In doubt: the others first, however long that takes.
            (1, &[300, -1, 200], 2),
            (1, &[-300, -1, -200], 1),
        ] {
            assert_eq!(choose(home, &ways(waits)), expected, "{home} {waits:?}");
        }
    }

    #[test]
    fn chats_spread_over_the_clients() {
        let mut chats = [0; 4];
        for number in 0..4_000 {
            chats[home(&Digest::of("chat", &number.to_string()), 4)] += 1;
        }
        assert!(
            chats.iter().all(|count| (800..1_200).contains(count)),
            "{chats:?}"
        );
        assert_eq!(home(&Digest::of("chat", "1"), 1), 0);
    }
}
