//! Teams and Graph: chats with messages, and notifications that come late, twice or never.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bridge::catch_up::reading::Listed;
use bridge::ids::{GenesysMessageId, TeamsMessageId};
use bridge::queue::envelope::NotificationEnvelope;
use bridge::teams::message::ChatMessage;
use bridge::teams::notification::{ChangeType, EncryptedContent};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use crate::webhooks;
use crate::world::{WEBHOOKS, World, chat_id, customer_id, support_id};

/// Graph repeats a notification that was not taken for so long.
const REPEATED_FOR: Duration = Duration::from_secs(4 * 3600);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// What becomes of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Lost,
    /// It comes once more so many seconds later, as after an answer that Graph did not see.
    Twice(u16),
    Late(u16),
}

/// A message in a chat.
pub struct Written {
    pub chat: usize,
    pub message: ChatMessage,
    /// The word that its text is made of, with the number of its latest edit.
    pub word: String,
    pub edits: u32,
    /// When it was written or changed last.
    pub changed: OffsetDateTime,
    /// Which part of which message of the agent's it is.
    pub ours: Option<(GenesysMessageId, usize)>,
}

impl Written {
    pub fn is_deleted(&self) -> bool {
        self.message.deleted.is_some()
    }

    /// The mark of what it says now.
    pub fn mark(&self) -> String {
        mark(&self.word, self.edits)
    }
}

fn mark(word: &str, edits: u32) -> String {
    format!("{word}.{edits};")
}

#[derive(Default)]
pub struct Teams {
    pub written: RefCell<Vec<Written>>,
    /// What rich notifications enclose.
    enclosed: RefCell<Vec<ChatMessage>>,
    fates: RefCell<VecDeque<Fate>>,
    /// Notifications that Graph still has to bring.
    pub under_way: Cell<usize>,
}

fn message(id: u64, at: OffsetDateTime, by_customer: Option<usize>, html: &str) -> ChatMessage {
    let (user, tenant) = match by_customer {
        Some(chat) => (customer_id(chat), "be9c1b6e-0000-4000-8000-c0ffee000002"),
        None => (support_id(), "be9c1b6e-0000-4000-8000-c0ffee000001"),
    };
    let json = serde_json::json!({
        "id": id.to_string(),
        "etag": "0",
        "createdDateTime": at.format(&Rfc3339).expect("a time"),
        "from": { "user": { "id": user.as_str(), "tenantId": tenant } },
        "body": { "contentType": "html", "content": html },
    });
    ChatMessage::parse(json.to_string().as_bytes()).expect("readable")
}

impl Teams {
    pub fn order(&self, times: usize, fate: Fate) {
        self.fates.borrow_mut().extend(vec![fate; times]);
    }

    /// Notifications come as they should from now on.
    pub fn fates_end(&self) {
        self.fates.borrow_mut().clear();
    }

    pub fn read(&self, chat: usize, id: &TeamsMessageId) -> Option<ChatMessage> {
        let written = self.written.borrow();
        let found = written
            .iter()
            .find(|it| it.chat == chat && it.message.id == *id);
        found.map(|it| it.message.clone())
    }

    pub fn enclosed(&self, content: &EncryptedContent) -> ChatMessage {
        let place: usize = content.data.parse().expect("a place");
        self.enclosed.borrow()[place].clone()
    }

    /// The messages of a chat that were written or changed since then.
    pub fn since(&self, chat: usize, since: OffsetDateTime) -> Vec<ChatMessage> {
        let written = self.written.borrow();
        let found = written
            .iter()
            .filter(|it| it.chat == chat && it.changed > since);
        found.map(|it| it.message.clone()).collect()
    }

    pub fn listed(&self, chat: usize, since: OffsetDateTime) -> Vec<Listed> {
        let messages = self.since(chat, since).into_iter();
        messages
            .map(|message| Listed {
                message: message.id,
                created: message.created,
                edited: message.last_edited,
                deleted: message.deleted,
            })
            .collect()
    }

    /// The newest message of each chat, the chat with the newest one first.
    pub fn chats(&self) -> Vec<(usize, ChatMessage)> {
        let written = self.written.borrow();
        let mut newest: Vec<(usize, ChatMessage)> = Vec::new();
        for it in written.iter().rev() {
            if newest.iter().all(|(chat, _)| *chat != it.chat) {
                newest.push((it.chat, it.message.clone()));
            }
        }
        newest
    }
}

impl World {
    fn graph_time(&self) -> OffsetDateTime {
        self.now() + self.skew
    }

    /// A customer writes; `words` is how often the mark is repeated. Tells the place of what is written.
    pub fn writes(self: &Rc<Self>, chat: usize, words: usize) -> usize {
        let place = self.teams.written.borrow().len();
        let word = format!("m{place:03}");
        let html = format!("<p>{}</p>", vec![mark(&word, 0); words].join(" "));
        self.log(|| format!("the customer of chat {chat} writes {word}"));
        self.add(chat, Some(chat), html, word, None);
        place
    }

    /// The bridge posts. Teams rewrites what it is given.
    pub fn posted(
        self: &Rc<Self>,
        chat: usize,
        html: &str,
        part: (GenesysMessageId, usize),
    ) -> TeamsMessageId {
        let (name, number) = (part.0.as_str().to_owned(), part.1);
        self.log(|| format!("part {number} of {name} is in chat {chat}"));
        let html = format!("<div>\n{html} </div>");
        self.add(chat, None, html, name, Some(part))
    }

    fn add(
        self: &Rc<Self>,
        chat: usize,
        by_customer: Option<usize>,
        html: String,
        word: String,
        ours: Option<(GenesysMessageId, usize)>,
    ) -> TeamsMessageId {
        let now = self.graph_time();
        let place = self.teams.written.borrow().len();
        let message = message(1_767_600_000_000 + place as u64, now, by_customer, &html);
        let id = message.id.clone();
        self.teams.written.borrow_mut().push(Written {
            chat,
            message,
            word,
            edits: 0,
            changed: now,
            ours,
        });
        self.notify(place, ChangeType::Created);
        id
    }

    pub fn edits(self: &Rc<Self>, place: usize) {
        let now = self.graph_time();
        {
            let written = &mut self.teams.written.borrow_mut()[place];
            written.edits += 1;
            written.changed = now;
            let html = format!("<p>{}</p>", written.mark());
            written.message.body.content = html;
            written.message.last_edited = Some(now);
            written.message.etag = Some(written.edits.to_string());
            self.log(|| format!("{} is edited", written.word));
        }
        self.notify(place, ChangeType::Updated);
    }

    pub fn deletes(self: &Rc<Self>, place: usize) {
        let now = self.graph_time();
        {
            let written = &mut self.teams.written.borrow_mut()[place];
            written.changed = now;
            written.message.deleted = Some(now);
            written.message.body.content.clear();
            self.log(|| format!("{} is deleted", written.word));
        }
        self.notify(place, ChangeType::Deleted);
    }

    fn notify(self: &Rc<Self>, place: usize, change: ChangeType) {
        let fate = self.teams.fates.borrow_mut().pop_front();
        let is_deaf = self
            .unsubscribed
            .get()
            .is_some_and(|until| Instant::now() < until);
        let times: &[u16] = match fate {
            _ if is_deaf => &[],
            Some(Fate::Lost) => &[],
            Some(Fate::Twice(after)) => &[0, after],
            Some(Fate::Late(after)) => &[after],
            None => &[0],
        };
        for after in times {
            let notification = self.notification(place, change);
            self.teams.under_way.set(self.teams.under_way.get() + 1);
            let (world, after) = (Rc::clone(self), Duration::from_secs((*after).into()));
            spawn_local(async move {
                sleep(after + Duration::from_millis(10)).await;
                world.bring(&notification).await;
                world.teams.under_way.set(world.teams.under_way.get() - 1);
            });
        }
    }

    /// Every other notification encloses the message as it is now.
    fn notification(&self, place: usize, change: ChangeType) -> NotificationEnvelope {
        let written = &self.teams.written.borrow()[place];
        let mut enclosed = self.teams.enclosed.borrow_mut();
        let is_rich = change != ChangeType::Deleted && self.faults.roll(2) == 0;
        let encrypted = is_rich.then(|| {
            enclosed.push(written.message.clone());
            EncryptedContent {
                data: (enclosed.len() - 1).to_string(),
                data_signature: String::new(),
                data_key: String::new(),
                certificate_id: String::new(),
            }
        });
        NotificationEnvelope {
            change,
            chat: chat_id(written.chat),
            message: written.message.id.clone(),
            account: crate::webhooks::account(),
            encrypted,
        }
    }

    async fn bring(self: &Rc<Self>, notification: &NotificationEnvelope) {
        let first = Instant::now();
        let mut pause = Duration::from_secs(5);
        loop {
            let process = self.process(WEBHOOKS);
            let work =
                webhooks::inbound_graph(Rc::clone(self), Rc::clone(&process), notification.clone());
            if process.spawn(work).await.unwrap_or(false) {
                return;
            }
            if first.elapsed() + pause > REPEATED_FOR {
                return self.log(|| "Graph gives a notification up".to_owned());
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
