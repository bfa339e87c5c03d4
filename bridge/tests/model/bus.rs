//! Service Bus: lanes that one holder has at a time, peek-lock, redelivery, duplicate detection; and the host that serves them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bridge::ids::Lane;
use bridge::queue::envelope::Envelope;
use bridge::queue::route::{Queue, Route};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::settlement::deliver;
use crate::world::{Process, Role, Service, Trouble, World};

/// After this the lanes of a killed instance are free.
pub const LOCK: Duration = Duration::from_secs(60);

/// Window of duplicate detection.
const REMEMBERED: Duration = Duration::from_secs(6 * 3600);

/// How long a holder keeps a lane in which nothing waits.
const IDLE: Duration = Duration::from_secs(3);

/// A message on a queue.
#[derive(Clone)]
pub struct Message {
    pub envelope: Envelope,
    pub route: Route,
    pub enqueued_at: OffsetDateTime,
    pub deliveries: u32,
}

impl Message {
    pub fn lane(&self) -> Lane {
        self.route.lane.clone().expect("a lane")
    }
}

/// A queue's name for sorting, and the session.
type Place = (bool, String);

#[derive(Default)]
struct Session {
    messages: VecDeque<Message>,
    /// Its holder and the number of the lock.
    lock: Option<(u64, u64)>,
    /// Who lost it last, and does not get it back at once.
    loser: Option<u64>,
}

#[derive(Default)]
pub struct Bus {
    sessions: RefCell<BTreeMap<Place, Session>>,
    seen: RefCell<BTreeMap<(bool, String), OffsetDateTime>>,
    /// All that was accepted, once each.
    pub accepted: RefCell<Vec<(u64, Envelope)>>,
    numbers: Cell<u64>,
    more: Notify,
}

fn is_outbound(queue: Queue) -> bool {
    queue == Queue::Outbound
}

impl Bus {
    pub fn number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Takes an envelope, unless it has its `MessageId` already.
    pub fn put(&self, envelope: &Envelope, route: Route, now: OffsetDateTime) {
        let queue = is_outbound(route.queue);
        let id = route
            .message_id
            .as_ref()
            .expect("an id")
            .as_str()
            .to_owned();
        let mut seen = self.seen.borrow_mut();
        if seen
            .get(&(queue, id.clone()))
            .is_some_and(|at| now - *at < REMEMBERED)
        {
            return;
        }
        seen.insert((queue, id), now);
        let number = self.number();
        self.accepted.borrow_mut().push((number, envelope.clone()));
        let lane = route.lane.as_ref().expect("a lane").as_str().to_owned();
        let mut sessions = self.sessions.borrow_mut();
        sessions
            .entry((queue, lane))
            .or_default()
            .messages
            .push_back(Message {
                // As it travels.
                envelope: Envelope::parse(&envelope.to_json()).expect("an envelope"),
                route,
                enqueued_at: now,
                deliveries: 0,
            });
        self.more.notify_waiters();
    }

    /// Has all lanes of a queue handed to another holder while the present ones still work.
    pub fn lose_locks(&self, outbound: bool) {
        for ((queue, _), session) in self.sessions.borrow_mut().iter_mut() {
            if *queue == outbound
                && let Some((holder, _)) = session.lock.take()
            {
                session.loser = Some(holder);
            }
        }
        self.more.notify_waiters();
    }

    /// Frees the lanes of a holder that is no more.
    pub fn free(&self, holder: u64) {
        for session in self.sessions.borrow_mut().values_mut() {
            if session.lock.is_some_and(|(present, _)| present == holder) {
                session.lock = None;
            }
        }
        self.more.notify_waiters();
    }

    /// Lanes of a queue in which something waits, without those about the given lanes.
    pub fn waiting(&self) -> Vec<Message> {
        let sessions = self.sessions.borrow();
        let messages = sessions
            .values()
            .flat_map(|session| session.messages.iter());
        messages.cloned().collect()
    }

    async fn accept(&self, outbound: bool, holder: u64) -> (Place, u64) {
        loop {
            let lock = self.number();
            let free = self
                .sessions
                .borrow_mut()
                .iter_mut()
                .find_map(|(place, session)| {
                    let is_free = session.lock.is_none() && session.loser != Some(holder);
                    (place.0 == outbound && is_free && !session.messages.is_empty()).then(|| {
                        session.lock = Some((holder, lock));
                        session.loser = None;
                        place.clone()
                    })
                });
            if let Some(place) = free {
                return (place, lock);
            }
            self.more.notified().await;
        }
    }

    /// The message that is next in a lane; nothing where the lock is lost.
    fn peek(&self, place: &Place, lock: u64) -> Option<Option<Message>> {
        let mut sessions = self.sessions.borrow_mut();
        let session = sessions.get_mut(place)?;
        session.lock.filter(|(_, present)| *present == lock)?;
        let next = session.messages.front_mut();
        Some(next.map(|message| {
            message.deliveries += 1;
            message.clone()
        }))
    }

    fn complete(&self, place: &Place, lock: u64) {
        let mut sessions = self.sessions.borrow_mut();
        let session = sessions.get_mut(place).expect("a session");
        if session.lock.is_some_and(|(_, present)| present == lock) {
            session.messages.pop_front();
        }
    }

    fn release(&self, place: &Place, lock: u64) {
        let mut sessions = self.sessions.borrow_mut();
        let session = sessions.get_mut(place).expect("a session");
        if session.lock.is_some_and(|(_, present)| present == lock) {
            session.lock = None;
        }
    }
}

impl World {
    /// As `functions::queue::enqueue`.
    pub async fn enqueue(
        self: &Rc<Self>,
        process: &Rc<Process>,
        envelope: &Envelope,
    ) -> Result<(), Trouble> {
        let dice = self.faults.roll(u64::MAX);
        let route = envelope.route(|| u128::from(dice).to_be_bytes());
        self.enqueue_by(process, envelope, route).await
    }

    pub async fn enqueue_by(
        self: &Rc<Self>,
        process: &Rc<Process>,
        envelope: &Envelope,
        route: Route,
    ) -> Result<(), Trouble> {
        let envelope = envelope.clone();
        let put = move |world: &Rc<Self>| {
            world.is_durable(&envelope);
            world.bus.put(&envelope, route, world.now());
        };
        self.call(process, Service::Bus, None, put).await
    }
}

/// Takes lanes and serves each until it is empty, or lost.
pub async fn serve_lanes(world: Rc<World>, process: Rc<Process>) {
    let outbound = match process.role {
        Role::ToGenesys => false,
        Role::ToTeams => true,
        Role::Webhooks => return,
    };
    loop {
        let (place, lock) = world.bus.accept(outbound, process.number).await;
        process.spawn(serve(Rc::clone(&world), Rc::clone(&process), place, lock));
    }
}

async fn serve(world: Rc<World>, process: Rc<Process>, place: Place, lock: u64) {
    let mut idle = false;
    while let Some(next) = world.bus.peek(&place, lock) {
        match next {
            Some(message) => {
                idle = false;
                if deliver(&world, &process, &message).await.is_ok() {
                    world.bus.complete(&place, lock);
                }
            }
            None if idle => return world.bus.release(&place, lock),
            None => {
                idle = true;
                sleep(IDLE).await;
            }
        }
    }
}
