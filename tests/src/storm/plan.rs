//! What a storm is: who writes when, and what goes wrong meanwhile. The same seed makes the same plan.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

/// Share of the calls to Graph, Genesys and the bot's connector that are refused throughout.
pub const REFUSED: f64 = 0.05;

/// Share of them whose work is done and whose answer is lost.
pub const LOST: f64 = 0.02;

/// How much of everything there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Chats, each with a customer of its own.
    pub chats: usize,
    /// Support Users, to whom the chats are dealt out that are not the bot's, which are a third of them.
    pub accounts: usize,
    /// OAuth clients of the bridge at Genesys.
    pub clients: usize,
    /// Host instances.
    pub instances: usize,
    /// Customers' messages.
    pub messages: usize,
    /// Agents' replies.
    pub replies: usize,
    /// Chats that fail for ever: at Genesys, in Teams, and with a file, in turn.
    pub doomed: usize,
    /// Seconds in which all is written.
    pub writing: u64,
    /// Seconds for which Genesys is down.
    pub outage: u64,
    /// Handlers that are killed.
    pub kills: usize,
    /// Instances that are killed with all that they hold.
    pub deaths: usize,
    /// Seconds for which a dead instance keeps its lanes.
    pub lock: u64,
    /// The timers are fired when the weather is over, instead of by their schedules alone.
    pub timers: bool,
}

impl Size {
    /// A minute's work for several instances.
    pub const FULL: Self = Self {
        chats: 500,
        accounts: 10,
        clients: 8,
        instances: 4,
        messages: 4_000,
        replies: 1_500,
        doomed: 10,
        writing: 60,
        outage: 60,
        kills: 6,
        deaths: 2,
        lock: 60,
        timers: false,
    };

    /// The same in small, for every run of the tests.
    pub const SMALL: Self = Self {
        chats: 24,
        accounts: 3,
        clients: 1,
        instances: 2,
        messages: 120,
        replies: 30,
        doomed: 3,
        writing: 10,
        outage: 6,
        kills: 2,
        deaths: 1,
        lock: 5,
        timers: true,
    };
}

/// What never succeeds in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// Genesys refuses the customer's messages.
    AtGenesys,
    /// Graph refuses the Support User's posts, or the connector the bot's.
    InTeams,
    /// A picture of the customer's cannot be fetched.
    OfFile,
}

/// What happens in one chat, as times since the beginning.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Which Support User's chat it is, where it is not the bot's.
    pub account: usize,
    /// Whether it is the bot's.
    pub is_app: bool,
    /// When the customer writes.
    pub writes: Vec<Duration>,
    /// When the agent replies, at the earliest.
    pub replies: Vec<Duration>,
    /// What never succeeds.
    pub doom: Option<Doom>,
}

/// A fault for a time.
#[derive(Debug, Clone)]
pub struct Spell {
    /// Since the beginning.
    pub from: Duration,
    /// Since the beginning.
    pub until: Duration,
    /// As the platform takes it.
    pub rule: Value,
}

/// Something that happens once.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    /// A handler is killed.
    Kill(usize),
    /// An instance is killed, which leaves its locks behind.
    Death(usize),
    /// Graph removes a Support User's subscription without a word.
    Removal,
}

/// A storm.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it was made from.
    pub seed: u64,
    /// How large it is.
    pub size: Size,
    /// The chats.
    pub chats: Vec<Chat>,
    /// Faults.
    pub spells: Vec<Spell>,
    /// Blows, by the time at which they fall.
    pub blows: Vec<(Duration, Blow)>,
}

impl Plan {
    /// The storm of this seed.
    #[must_use]
    pub fn new(seed: u64, size: Size) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut plan = Self {
            seed,
            size,
            chats: Vec::new(),
            spells: Vec::new(),
            blows: Vec::new(),
        };
        plan.deal_out(&mut random);
        plan.brew(&mut random);
        plan.strike(&mut random);
        plan
    }

    /// When the weather is over, since the beginning.
    #[must_use]
    pub fn calm(&self) -> Duration {
        let spells = self.spells.iter().map(|spell| spell.until);
        let blows = self.blows.iter().map(|(at, _)| *at);
        spells.chain(blows).max().unwrap_or_default()
    }

    /// How often a handler ends in the middle of its work.
    #[must_use]
    pub fn kills(&self) -> usize {
        let blows = self.blows.iter();
        blows
            .filter(|(_, blow)| !matches!(blow, Blow::Removal))
            .count()
    }

    fn deal_out(&mut self, random: &mut Rng) {
        let size = self.size;
        let dooms = [Doom::AtGenesys, Doom::InTeams, Doom::OfFile];
        self.chats = (0..size.chats)
            .map(|number| Chat {
                account: number % size.accounts,
                // A third of all, and of those with each doom.
                is_app: (number + number / dooms.len()) % 3 == 2,
                writes: Vec::new(),
                replies: Vec::new(),
                doom: (number < size.doomed).then(|| dooms[number % dooms.len()]),
            })
            .collect();
        let time = |random: &mut Rng| Duration::from_millis(random.u64(0..size.writing * 1_000));
        for number in 0..size.messages {
            // Everybody writes; some write much more than others.
            let chat = match number < size.chats {
                true => number,
                false => random.usize(0..size.chats).min(random.usize(0..size.chats)),
            };
            let at = time(random);
            self.chats[chat].writes.push(at);
        }
        for _ in 0..size.replies {
            let chat = random.usize(0..size.chats);
            let at = time(random);
            // To whom nothing was delivered nobody replies.
            if self.chats[chat].doom != Some(Doom::AtGenesys) {
                self.chats[chat].replies.push(at);
            }
        }
        for chat in &mut self.chats {
            chat.writes.sort_unstable();
            chat.replies.sort_unstable();
        }
    }

    /// Faults: some from the first to the last moment, others for a while.
    fn brew(&mut self, random: &mut Rng) {
        let (writing, outage) = (self.size.writing * 1_000, self.size.outage * 1_000);
        let end = writing + outage;
        let mut spell = |from: u64, length: u64, rule: Value| {
            self.spells.push(Spell {
                from: Duration::from_millis(from),
                until: Duration::from_millis(from + length),
                rule,
            });
        };
        for service in ["graph", "genesys", "bot"] {
            spell(
                0,
                end,
                json!({ "service": service, "share": REFUSED, "status": 503 }),
            );
            spell(
                0,
                end,
                json!({ "service": service, "share": LOST, "drop": "after" }),
            );
        }
        for service in ["service-bus", "blob", "entra", "key-vault"] {
            spell(
                0,
                end,
                json!({ "service": service, "share": 0.02, "status": 503 }),
            );
        }
        spell(
            0,
            end,
            json!({ "service": "service-bus", "share": 0.02, "drop": "after" }),
        );
        for service in ["graph-notification", "genesys-webhook", "bot-delivery"] {
            spell(
                0,
                end,
                json!({ "service": service, "share": 0.03, "duplicate": 1 }),
            );
            spell(
                0,
                end,
                json!({ "service": service, "share": 0.03, "delay_ms": 3_000 }),
            );
        }
        // A brown-out of each, an outage, and queues and blobs that take nothing for a moment.
        let at = |random: &mut Rng| random.u64(writing / 6..writing * 5 / 6);
        let brown_out = |service| json!({ "service": service, "share": 0.9, "status": 503 });
        spell(at(random), writing / 6, brown_out("graph"));
        spell(at(random), writing / 6, brown_out("genesys"));
        spell(at(random), writing / 6, brown_out("bot"));
        let down = |service| json!({ "service": service, "status": 503 });
        spell(at(random), outage, down("genesys"));
        spell(at(random), writing / 20, down("service-bus"));
        spell(at(random), writing / 20, down("blob"));
    }

    fn strike(&mut self, random: &mut Rng) {
        let size = self.size;
        let within = (size.writing + size.outage) * 1_000;
        let at = |random: &mut Rng| Duration::from_millis(random.u64(2_000..within));
        for _ in 0..size.kills {
            let blow = Blow::Kill(random.usize(0..size.instances));
            self.blows.push((at(random), blow));
        }
        for _ in 0..size.deaths {
            let blow = Blow::Death(random.usize(0..size.instances));
            self.blows.push((at(random), blow));
        }
        self.blows
            .push((Duration::from_secs(size.writing / 2), Blow::Removal));
        self.blows.sort_by_key(|(at, _)| *at);
    }
}
