//! What goes wrong with calls: ordered for the next ones, or for a share of them for some time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::world::{CALL_LIMIT, Service};

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strike {
    /// It is answered with an error before anything was done.
    Unavailable,
    /// It is answered with 429.
    Throttled,
    /// The work is done, and an error is answered.
    DoneAndFailed,
    /// The work is done after so long, and nothing is answered.
    AnswerLost(Duration),
    /// It takes so long.
    Slow(Duration),
}

pub struct Faults {
    next: RefCell<BTreeMap<Service, VecDeque<Strike>>>,
    outages: RefCell<Vec<Outage>>,
    dice: Cell<u64>,
}

struct Outage {
    service: Service,
    /// Per cent of the calls.
    share: u8,
    until: Duration,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self {
            next: RefCell::default(),
            outages: RefCell::default(),
            dice: Cell::new(seed),
        }
    }

    /// Has these befall the service's next calls.
    pub fn order(&self, service: Service, times: usize, strike: Strike) {
        let mut next = self.next.borrow_mut();
        next.entry(service).or_default().extend(vec![strike; times]);
    }

    /// Has a share of the service's calls fail until then.
    pub fn brown_out(&self, service: Service, share: u8, until: Duration) {
        self.outages.borrow_mut().push(Outage {
            service,
            share,
            until,
        });
    }

    /// All is well from now on.
    pub fn end(&self) {
        self.next.borrow_mut().clear();
        self.outages.borrow_mut().clear();
    }

    /// What befalls the next call of a service.
    pub fn strike(&self, service: Service, now: Duration) -> Option<Strike> {
        if let Some(strike) = self
            .next
            .borrow_mut()
            .get_mut(&service)
            .and_then(VecDeque::pop_front)
        {
            return Some(strike);
        }
        let outages = self.outages.borrow();
        let worst = outages
            .iter()
            .filter(|it| it.service == service && now < it.until);
        let share = worst.map(|it| it.share).max()?;
        if self.roll(100) >= u64::from(share) {
            return None;
        }
        // Most calls of a brown-out fail outright; some were carried out all the same.
        let late = Duration::from_millis(self.roll(CALL_LIMIT.as_millis() as u64 - 500));
        Some(match self.roll(8) {
            0 => Strike::DoneAndFailed,
            1 => Strike::AnswerLost(late),
            2 => Strike::Throttled,
            _ => Strike::Unavailable,
        })
    }

    /// A number below `sides`, the same in each run of a story (SplitMix64).
    pub fn roll(&self, sides: u64) -> u64 {
        let state = self.dice.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.dice.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
