//! Where an account's sign-in stands (`sign-in/{account}.json`). A newer link takes the place of an older one. Each step writes the
//! document before anything follows from it, so of two requests, or instances, with the same ticket one gets no further.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::STEP_LIFE;
use super::ticket::Ticket;
use crate::ids::{Digest, SupportAccountName};

/// Tickets of older sign-ins that are remembered, to tell them from foreign ones.
const REMEMBERED: usize = 16;

/// Where one account's sign-in stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRecord {
    /// Version of this format.
    pub version: u32,
    /// The account.
    pub account: SupportAccountName,
    link: Digest,
    #[serde(with = "crate::moment")]
    link_until: OffsetDateTime,
    begun: Option<Begun>,
    superseded: Vec<Digest>,
}

/// What the link's opening began.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    state: Digest,
    #[serde(with = "crate::moment")]
    until: OffsetDateTime,
    /// The PKCE code verifier, until it is taken.
    verifier: Option<String>,
}

debug_shows!(SignInRecord: account, link_until);

/// Why a ticket does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is none of ours.
    Foreign,
    /// A newer link was made for the account.
    Superseded,
    /// It was used before.
    Used,
    /// Its time is over.
    Expired,
}

impl Refused {
    /// Stable word for the log.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Superseded => "superseded",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }
}

impl SignInRecord {
    /// A new link, in the place of what was there before.
    #[must_use]
    pub fn offer(before: Option<Self>, link: &Ticket, now: OffsetDateTime) -> Self {
        let mut superseded = Vec::new();
        if let Some(before) = before {
            superseded = before.superseded;
            superseded.push(before.link);
            superseded.extend(before.begun.map(|begun| begun.state));
            superseded.drain(..superseded.len().saturating_sub(REMEMBERED));
        }
        Self {
            version: 1,
            account: link.account().clone(),
            link: link.digest(),
            link_until: now + STEP_LIFE,
            begun: None,
            superseded,
        }
    }

    /// The link is opened: from now on an answer with this `state` is awaited, whose code the verifier belongs to.
    ///
    /// # Errors
    /// The link does not count.
    pub fn begin(
        &mut self,
        link: &Ticket,
        state: &Ticket,
        verifier: &str,
        now: OffsetDateTime,
    ) -> Result<(), Refused> {
        self.check(link, Some(&self.link))?;
        if self.begun.is_some() {
            return Err(Refused::Used);
        }
        if now > self.link_until {
            return Err(Refused::Expired);
        }
        self.begun = Some(Begun {
            state: state.digest(),
            until: now + STEP_LIFE,
            verifier: Some(verifier.to_owned()),
        });
        Ok(())
    }

    /// Entra ID's answer is there: the verifier that belongs to it, which is given out once.
    ///
    /// # Errors
    /// The answer's `state` does not count.
    pub fn take(&mut self, state: &Ticket, now: OffsetDateTime) -> Result<String, Refused> {
        self.check(state, self.begun.as_ref().map(|begun| &begun.state))?;
        let begun = self.begun.as_mut().ok_or(Refused::Foreign)?;
        if begun.verifier.is_some() && now > begun.until {
            return Err(Refused::Expired);
        }
        begun.verifier.take().ok_or(Refused::Used)
    }

    fn check(&self, ticket: &Ticket, expected: Option<&Digest>) -> Result<(), Refused> {
        let digest = ticket.digest();
        match expected {
            Some(expected) if *expected == digest && *ticket.account() == self.account => Ok(()),
            _ if self.superseded.contains(&digest) => Err(Refused::Superseded),
            _ => Err(Refused::Foreign),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn ticket(number: u8) -> Ticket {
        Ticket::new("support".parse().expect("a name"), [number; 32])
    }

    fn minutes(minutes: i64) -> OffsetDateTime {
        NOW + time::Duration::minutes(minutes)
    }

    /// What happens to a record, in this order; tickets by their numbers.
    enum Step {
        Offer(u8),
        Open(u8, i64, Result<(), Refused>),
        Answer(u8, i64, Result<(), Refused>),
    }
    use Step::{Answer, Offer, Open};

    /// The state of a link that is opened has the link's number and ten.
    fn play(steps: &[Step]) {
        let mut record = None;
        for (number, step) in steps.iter().enumerate() {
            match step {
                Offer(link) => {
                    record = Some(SignInRecord::offer(record.take(), &ticket(*link), NOW));
                }
                Open(link, at, expected) => {
                    let record = record.as_mut().expect("a record");
                    let opened =
                        record.begin(&ticket(*link), &ticket(link + 10), "verifier", minutes(*at));
                    assert_eq!(opened, *expected, "step {number}");
                }
                Answer(state, at, expected) => {
                    let record = record.as_mut().expect("a record");
                    let taken = record.take(&ticket(*state), minutes(*at));
                    let expected = expected.map(|()| "verifier".to_owned());
                    assert_eq!(taken, expected, "step {number}");
                }
            }
        }
    }

    #[test]
    fn each_ticket_counts_once_and_for_15_minutes() {
        play(&[
            Offer(1),
            Answer(11, 0, Err(Refused::Foreign)),
            Open(1, 15, Ok(())),
            Open(1, 15, Err(Refused::Used)),
            Answer(11, 30, Ok(())),
            Answer(11, 30, Err(Refused::Used)),
            Open(1, 30, Err(Refused::Used)),
        ]);
        play(&[Offer(1), Open(1, 16, Err(Refused::Expired))]);
        play(&[
            Offer(1),
            Open(1, 0, Ok(())),
            Answer(11, 16, Err(Refused::Expired)),
            Answer(11, 0, Ok(())),
        ]);
    }

    #[test]
    fn a_newer_link_ends_what_the_older_one_began() {
        play(&[
            Offer(1),
            Open(1, 0, Ok(())),
            Offer(2),
            Open(1, 1, Err(Refused::Superseded)),
            Answer(11, 1, Err(Refused::Superseded)),
            Open(2, 1, Ok(())),
            Answer(11, 1, Err(Refused::Superseded)),
            Answer(12, 1, Ok(())),
        ]);
    }

    #[test]
    fn foreign_tickets_and_tickets_in_each_others_place_are_refused() {
        play(&[
            Offer(1),
            Open(9, 0, Err(Refused::Foreign)),
            Open(1, 0, Ok(())),
            Open(11, 0, Err(Refused::Foreign)),
            Answer(1, 0, Err(Refused::Foreign)),
            Answer(9, 0, Err(Refused::Foreign)),
            Answer(11, 0, Ok(())),
        ]);
        let mut record = SignInRecord::offer(None, &ticket(1), NOW);
        record.account = "another".parse().expect("a name");
        let opened = record.begin(&ticket(1), &ticket(11), "verifier", NOW);
        assert_eq!(opened, Err(Refused::Foreign), "of another account");
    }

    #[test]
    fn what_is_remembered_stays_bounded_and_holds_no_ticket() {
        let mut record = SignInRecord::offer(None, &ticket(0), NOW);
        for number in 1..100 {
            record = SignInRecord::offer(Some(record), &ticket(number), NOW);
        }
        let opened = record.begin(&ticket(98), &ticket(1), "verifier", NOW);
        assert_eq!(opened, Err(Refused::Superseded));
        let opened = record.begin(&ticket(2), &ticket(1), "verifier", NOW);
        assert_eq!(opened, Err(Refused::Foreign));
        let text = serde_json::to_string(&record).expect("JSON");
        assert!(text.len() < 2_000, "{text}");
        let secret = secrecy::ExposeSecret::expose_secret(ticket(99).text()).to_owned();
        assert!(!text.contains(secret.trim_start_matches("support.")));
        let read: SignInRecord = serde_json::from_str(&text).expect("JSON");
        assert!(read == record);
    }
}
