//! Genesys: takes customers' messages and receipts, and sends the agents' messages by webhook until one is taken.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bridge::genesys::receipt::ReceiptOutcome;
use bridge::genesys::webhook::Webhook;
use bridge::ids::{GenesysMessageId, Party, TeamsMessageId, ThreadId};
use bridge::queue::envelope::{Content, Envelope};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use time::format_description::well_known::Rfc3339;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use crate::webhooks::{self, account};
use crate::world::{WEBHOOKS, World, chat_id, customer_id};

/// Genesys gives a webhook call up after this.
const REPEATED_FOR: Duration = Duration::from_secs(85);

/// A message that Genesys took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub chat: usize,
    /// The series that it is of, and its place in it.
    pub series: TeamsMessageId,
    pub id: String,
    pub text: String,
    /// Which process sent it, and what it learned of it.
    pub process: u64,
    pub answered: bool,
    pub unsaved: bool,
}

/// An agent's message.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: GenesysMessageId,
    pub chat: usize,
    pub parts: usize,
    /// Genesys heard that it was taken.
    pub accepted: bool,
}

#[derive(Default)]
pub struct Genesys {
    pub taken: RefCell<Vec<Taken>>,
    pub said: RefCell<Vec<Said>>,
    pub receipts: RefCell<Vec<(GenesysMessageId, ReceiptOutcome)>>,
    /// Seconds after which further calls tell the same once more.
    repeats: RefCell<Vec<u16>>,
    pub under_way: Cell<usize>,
    /// A flow answers each chat's first message while its POST is still under way.
    pub flow: Cell<bool>,
    /// When the bridge had an agent's message safe, on the queue or in the spool, by the numbers of the queue.
    pub durable: RefCell<BTreeMap<GenesysMessageId, u64>>,
    /// What nothing excuses.
    pub wrongs: RefCell<Vec<String>>,
}

impl Genesys {
    pub fn order_repeats(&self, times: usize, after: u16) {
        self.repeats.borrow_mut().extend(vec![after; times]);
    }
}

impl World {
    /// Takes a message; tells its place among those that were taken.
    pub fn take(self: &Rc<Self>, taken: Taken, part: usize) -> usize {
        self.log(|| format!("the agent gets {} {:?}", taken.id, taken.text));
        let (chat, id) = (taken.chat, &taken.id);
        let state: Option<InboundState> = self.store.read(&blobs::inbound_state(&chat_id(chat)));
        if state.is_some_and(|state| state.progress(&taken.series).posted > part) {
            self.wrong(format!(
                "{id} is posted although it was noted that the agent has it"
            ));
        }
        let is_excused = |earlier: &Taken| {
            let other = earlier.process != taken.process;
            !earlier.answered || self.has_died(earlier.process) || (other && earlier.unsaved)
        };
        let earlier = |it: &&Taken| it.chat == chat && it.id == *id;
        let list = self.genesys.taken.borrow();
        if list.iter().filter(earlier).any(|it| !is_excused(it)) {
            self.wrong(format!("{id} is posted twice by a bridge that knew better"));
        }
        let is_first = list.iter().all(|it| it.chat != chat);
        drop(list);
        let mut list = self.genesys.taken.borrow_mut();
        list.push(taken);
        let place = list.len() - 1;
        drop(list);
        if is_first && self.genesys.flow.get() {
            self.says(chat, 0, 1);
        }
        place
    }

    /// Notes that the sender of a message heard that it was taken: whoever posted it again meanwhile should have waited.
    pub fn answered(&self, place: usize) {
        let mut list = self.genesys.taken.borrow_mut();
        list[place].answered = true;
        let (earlier, later) = list.split_at(place + 1);
        let it = &earlier[place];
        if later
            .iter()
            .any(|other| other.chat == it.chat && other.id == it.id)
        {
            self.wrong(format!(
                "{} is posted by two holders of its lane at a time",
                it.id
            ));
        }
    }

    /// Notes that an envelope is safe.
    pub fn is_durable(&self, envelope: &Envelope) {
        if let Content::AgentMessage(message) = &envelope.content {
            let webhook = Webhook::parse(&message.body(), envelope.accepted_at).expect("a webhook");
            let mut durable = self.genesys.durable.borrow_mut();
            durable
                .entry(webhook.id)
                .or_insert_with(|| self.bus.number());
        }
    }

    /// Notes into how many parts the bridge splits an agent's message.
    pub fn is_to_have_parts(&self, id: &GenesysMessageId, parts: usize) {
        let mut said = self.genesys.said.borrow_mut();
        let said = said
            .iter_mut()
            .find(|it| it.id == *id)
            .expect("an agent's message");
        said.parts = parts;
    }

    pub fn wrong(&self, what: String) {
        self.log(|| format!("WRONG: {what}"));
        self.genesys.wrongs.borrow_mut().push(what);
    }

    /// An agent writes into a chat that Genesys knows. Few different words: an agent says "yes" more than once.
    pub fn says(self: &Rc<Self>, chat: usize, text: u8, parts: usize) {
        const WORDS: [&str; 3] = ["Good morning.", "Yes.", "Please wait & see <here>."];
        if self.genesys.taken.borrow().iter().all(|it| it.chat != chat) {
            return;
        }
        let number = self.genesys.said.borrow().len();
        let id: GenesysMessageId = format!("agent{number}").parse().expect("an id");
        let text = vec![WORDS[usize::from(text) % WORDS.len()]; 1 + (parts - 1) * 40].join("\n\n");
        self.log(|| format!("the agent of chat {chat} writes agent{number}"));
        let thread = ThreadId {
            account: account(),
            party: Party::of(&customer_id(chat)),
            counter: 0,
        };
        let time = self.now().format(&Rfc3339).expect("a time");
        let body = serde_json::json!({
            "id": id.as_str(), "type": "Text", "text": text,
            "channel": { "to": { "id": thread.to_string() }, "time": time },
        });
        self.genesys.said.borrow_mut().push(Said {
            id,
            chat,
            parts: 0,
            accepted: false,
        });
        let repeat = self.genesys.repeats.borrow_mut().pop();
        for after in [Some(0), repeat].into_iter().flatten() {
            self.genesys.under_way.set(self.genesys.under_way.get() + 1);
            let (world, body) = (Rc::clone(self), body.to_string().into_bytes());
            spawn_local(async move {
                sleep(Duration::from_secs(after.into())).await;
                world.send(number, body).await;
                world
                    .genesys
                    .under_way
                    .set(world.genesys.under_way.get() - 1);
            });
        }
    }

    async fn send(self: &Rc<Self>, number: usize, body: Vec<u8>) {
        let first = Instant::now();
        let mut pause = Duration::from_secs(1);
        while first.elapsed() < REPEATED_FOR {
            let process = self.process(WEBHOOKS);
            let work =
                webhooks::outbound_genesys(Rc::clone(self), Rc::clone(&process), body.clone());
            if process.spawn(work).await.unwrap_or(false) {
                self.genesys.said.borrow_mut()[number].accepted = true;
                return;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }
}
