//! Everything that there is in a story: the clock, the processes of the bridge, and the one way in which they call outside.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bridge::ids::{ChatId, Digest, TeamsMessageId, UserId};
use bridge::patience::{Fault, Meter};
use bridge::state::inbound::PostedPart;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::task::{AbortHandle, JoinHandle, spawn_local};
use tokio::time::{Instant, sleep};

use crate::bus::{self, Bus};
use crate::faults::{Faults, Strike};
use crate::genesys::Genesys;
use crate::store::Store;
use crate::story::Broken;
use crate::teams::Teams;

/// Chats of every story; the last one is the one that can be broken.
pub const CHATS: usize = 4;
pub const BROKEN: usize = CHATS - 1;

/// Time limit of a call; Graph's work may go on for as long again.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

const START: OffsetDateTime = datetime!(2026-01-05 08:00:00 UTC);

/// A service outside the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Graph,
    Genesys,
    Blob,
    Bus,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A definitive answer to this very call.
    Refused,
    /// An error of the service; the work may have been done.
    Unavailable,
    /// No answer; the work may have been done, or may still be.
    TimedOut,
    /// Too many calls.
    Throttled,
    /// Somebody else wrote first.
    Overtaken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    pub service: Service,
    pub kind: Kind,
}

impl Trouble {
    /// As `services::error::Sent::No`.
    pub fn is_certainly_not_done(self) -> bool {
        matches!(self.kind, Kind::Refused | Kind::Throttled)
    }

    /// As `functions::failure::fault_of`.
    pub fn fault(self) -> Fault {
        match (self.service, self.kind) {
            (_, Kind::Overtaken) => Fault::Overtaken,
            (Service::Graph | Service::Genesys, Kind::Refused) => Fault::Refusal,
            (Service::Graph | Service::Genesys, Kind::Unavailable | Kind::TimedOut) => {
                Fault::Transient
            }
            _ => Fault::NotTheMessage,
        }
    }
}

/// What a process of the bridge does. On Flex each function has processes of its own, so nothing in memory is shared between
/// them: a post of ours is known by the chat's state alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    ToGenesys,
    ToTeams,
    Webhooks,
}

/// Two processes serve each queue; one takes the webhooks' calls and runs the timers.
pub const SLOTS: [Role; 5] = [
    Role::ToGenesys,
    Role::ToGenesys,
    Role::ToTeams,
    Role::ToTeams,
    Role::Webhooks,
];
pub const WEBHOOKS: usize = 4;

/// One process, with all that it only remembers.
pub struct Process {
    pub number: u64,
    pub role: Role,
    pub holder: Digest,
    dead: Cell<bool>,
    /// Steps until it is killed, and whether its instance goes with it.
    fuse: Cell<Option<(u32, bool)>>,
    tasks: RefCell<Vec<AbortHandle>>,
    lanes: RefCell<BTreeMap<Digest, std::sync::Arc<Mutex<()>>>>,
    /// Parts that Genesys has and that could not be noted.
    pub unsaved: RefCell<BTreeMap<(Digest, TeamsMessageId), Vec<PostedPart>>>,
    pub failing_since: RefCell<BTreeMap<Digest, Instant>>,
    meters: RefCell<BTreeMap<Service, Meter>>,
}

impl Process {
    /// Runs something in the process: it ends with it.
    pub fn spawn<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        let task = spawn_local(work);
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_finished());
        match self.dead.get() {
            true => task.abort(),
            false => tasks.push(task.abort_handle()),
        }
        task
    }

    /// Takes back the order to kill it.
    pub fn spare(&self) {
        self.fuse.set(None);
    }

    /// As `functions::store::lanes::Lanes::hold`.
    pub async fn hold(&self, chat: &Digest) -> OwnedMutexGuard<()> {
        let lane = self
            .lanes
            .borrow_mut()
            .entry(chat.clone())
            .or_default()
            .clone();
        lane.lock_owned().await
    }

    pub fn well_for_others(&self, service: Service, now: Duration, chat: &Digest) -> bool {
        let meters = self.meters.borrow();
        meters
            .get(&service)
            .is_some_and(|meter| meter.well_for_others(now, chat))
    }
}

pub struct World {
    began: Instant,
    pub skew: time::Duration,
    pub broken: Cell<Option<Broken>>,
    was_broken: bool,
    pub faults: Faults,
    pub bus: Bus,
    pub store: Store,
    pub teams: Teams,
    pub genesys: Genesys,
    processes: RefCell<Vec<Rc<Process>>>,
    started: Cell<u64>,
    /// Times at which a process was killed, by its number.
    pub killed: RefCell<Vec<u64>>,
    /// Until when there is no subscription.
    pub unsubscribed: Cell<Option<Instant>>,
    /// What happened, for whoever reads a failure.
    log: RefCell<Vec<String>>,
}

pub fn chat_id(chat: usize) -> ChatId {
    let id = format!("19:customer{chat}_support@unq.gbl.spaces");
    id.parse().expect("a chat")
}

pub fn number_of(chat: &ChatId) -> usize {
    let number = chat.as_str().as_bytes()["19:customer".len()];
    usize::from(number - b'0')
}

pub fn customer_id(chat: usize) -> UserId {
    let id = format!("0f0e0d0c-0000-4000-8000-00000000000{chat}");
    id.parse().expect("a user")
}

pub fn support_id() -> UserId {
    let id = "0f0e0d0c-0000-4000-8000-0000000000ff";
    id.parse().expect("a user")
}

impl World {
    pub fn new(seed: u64, skew: i8, broken: Option<Broken>) -> Rc<Self> {
        let world = Rc::new(Self {
            began: Instant::now(),
            skew: time::Duration::seconds(skew.into()),
            broken: Cell::new(broken),
            was_broken: broken.is_some(),
            faults: Faults::new(seed),
            bus: Bus::default(),
            store: Store::default(),
            teams: Teams::default(),
            genesys: Genesys::default(),
            processes: RefCell::default(),
            started: Cell::new(0),
            killed: RefCell::default(),
            unsubscribed: Cell::new(None),
            log: RefCell::default(),
        });
        for slot in 0..SLOTS.len() {
            let process = world.start(slot);
            world.processes.borrow_mut().push(process);
        }
        world
    }

    /// The time since the story began, and the time of day of the bridge.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn now(&self) -> OffsetDateTime {
        START + self.elapsed()
    }

    pub fn log(&self, line: impl FnOnce() -> String) {
        let at = self.elapsed().as_secs_f64();
        self.log
            .borrow_mut()
            .push(format!("{at:>10.2} s  {}", line()));
    }

    pub fn told(&self) -> String {
        self.log.borrow().join("\n")
    }

    fn start(self: &Rc<Self>, slot: usize) -> Rc<Process> {
        let number = self.started.get();
        self.started.set(number + 1);
        let process = Rc::new(Process {
            number,
            role: SLOTS[slot],
            holder: Digest::of("holder", &number.to_string()),
            dead: Cell::new(false),
            fuse: Cell::new(None),
            tasks: RefCell::default(),
            lanes: RefCell::default(),
            unsaved: RefCell::default(),
            failing_since: RefCell::default(),
            meters: RefCell::default(),
        });
        process.spawn(bus::serve_lanes(Rc::clone(self), Rc::clone(&process)));
        process
    }

    pub fn process(&self, slot: usize) -> Rc<Process> {
        Rc::clone(&self.processes.borrow()[slot])
    }

    /// Has a process killed after so many further steps of it.
    pub fn kill_after(&self, slot: usize, steps: u32, instance: bool) {
        self.process(slot).fuse.set(Some((steps, instance)));
    }

    /// A place at which a process can be killed.
    async fn step(self: &Rc<Self>, process: &Rc<Process>) {
        match process.fuse.get() {
            Some((0, instance)) => {
                process.fuse.set(None);
                self.kill(process, instance);
            }
            Some((steps, instance)) => process.fuse.set(Some((steps - 1, instance))),
            None => {}
        }
        if process.dead.get() {
            std::future::pending::<()>().await;
        }
    }

    /// The host hands back the messages of a killed handler at once; those of a killed instance stay locked for a minute.
    fn kill(self: &Rc<Self>, process: &Rc<Process>, instance: bool) {
        let (world, number) = (Rc::clone(self), process.number);
        self.log(|| format!("process {number} ({:?}) is killed", process.role));
        process.dead.set(true);
        for task in process.tasks.borrow().iter() {
            task.abort();
        }
        self.killed.borrow_mut().push(number);
        spawn_local(async move {
            sleep(Duration::from_secs(if instance { 5 } else { 1 })).await;
            let slot = world
                .processes
                .borrow()
                .iter()
                .position(|it| it.number == number);
            let slot = slot.expect("its slot");
            let next = world.start(slot);
            world.processes.borrow_mut()[slot] = next;
            if instance {
                sleep(bus::LOCK).await;
            }
            world.bus.free(number);
        });
    }

    pub fn has_died(&self, process: u64) -> bool {
        self.killed.borrow().contains(&process)
    }

    /// Whether the last chat is, or was, broken.
    pub fn was_broken(&self) -> bool {
        self.was_broken
    }

    /// Whether calls about a chat fail for ever, and how.
    fn brokenness(&self, service: Service, chat: Option<usize>) -> Option<Kind> {
        let broken = self.broken.get().filter(|_| chat == Some(BROKEN))?;
        match (broken, service) {
            (Broken::GraphRefuses, Service::Graph) | (Broken::GenesysRefuses, Service::Genesys) => {
                Some(Kind::Refused)
            }
            (Broken::GraphFails, Service::Graph) | (Broken::GenesysFails, Service::Genesys) => {
                Some(Kind::Unavailable)
            }
            _ => None,
        }
    }

    /// A call to an outside service. The request goes its own way: it is worked on whatever becomes of the process, and in
    /// front of it and behind it the process can be killed. `about` is the chat whose brokenness it meets.
    pub async fn call<T: 'static>(
        self: &Rc<Self>,
        process: &Rc<Process>,
        service: Service,
        about: Option<usize>,
        work: impl FnOnce(&Rc<Self>) -> T + 'static,
    ) -> Result<T, Trouble> {
        self.step(process).await;
        let trouble = |kind| Err(Trouble { service, kind });
        let world = Rc::clone(self);
        let answer = match (
            self.brokenness(service, about),
            self.faults.strike(service, self.elapsed()),
        ) {
            (Some(kind), _) => {
                sleep(Duration::from_millis(20)).await;
                trouble(kind)
            }
            (None, Some(Strike::Unavailable)) => {
                sleep(Duration::from_millis(50)).await;
                trouble(Kind::Unavailable)
            }
            (None, Some(Strike::Throttled)) => trouble(Kind::Throttled),
            (None, Some(Strike::DoneAndFailed)) => {
                sleep(Duration::from_millis(20)).await;
                work(&world);
                trouble(Kind::Unavailable)
            }
            (None, Some(Strike::AnswerLost(after))) => {
                spawn_local(async move {
                    sleep(after).await;
                    work(&world)
                });
                sleep(CALL_LIMIT).await;
                trouble(Kind::TimedOut)
            }
            (None, slow) => {
                let takes = match slow {
                    Some(Strike::Slow(takes)) => takes,
                    _ => Duration::from_millis(15),
                };
                let (tell, told) = oneshot::channel();
                spawn_local(async move {
                    sleep(takes / 2).await;
                    let result = work(&world);
                    sleep(takes / 2).await;
                    // Nobody listens any more when the process was killed.
                    let _ = tell.send(result);
                });
                told.await.map_err(|_| Trouble {
                    service,
                    kind: Kind::TimedOut,
                })
            }
        };
        self.step(process).await;
        if let Some(chat) = about {
            self.note(process, service, chat, &answer);
        }
        answer
    }

    /// As the gate does: refusals and throttling say nothing of how well a service is.
    fn note<T>(
        &self,
        process: &Process,
        service: Service,
        chat: usize,
        answer: &Result<T, Trouble>,
    ) {
        let served = match answer {
            Ok(_) => true,
            Err(trouble) if trouble.fault() == Fault::Transient => false,
            Err(_) => return,
        };
        let mut meters = process.meters.borrow_mut();
        let meter = meters.entry(service).or_default();
        meter.note(self.elapsed(), &chat_id(chat).digest(), served);
    }
}
