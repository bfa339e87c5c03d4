//! The way to the agent, re-stated: `functions/deliver-to-genesys`, whose `message`, `posting`, `notice`, `receipt` and `catch_up`
//! these are, without files and lookups of people. What a notification means is decided by [`bridge::conversation`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use bridge::catch_up::reading::{Untold, untold};
use bridge::conversation::admission::CustomerTenants;
use bridge::conversation::case::{Answers, Asked, Case, Chat, GroupPolicy, Need, Plan, Policy};
use bridge::conversation::plan;
use bridge::conversation::series::{Piece, Series};
use bridge::ids::TeamsMessageId;
use bridge::queue::envelope::{CatchUpEnvelope, Content, Envelope, NotificationEnvelope};
use bridge::state::blobs;
use bridge::state::inbound::{InboundState, PostedPart};
use bridge::state::outbound::OutboundState;
use bridge::state::thread::{ThreadRecord, WindowPolicy};
use bridge::teams::chat_kind::ChatKind;
use bridge::teams::to_text::ReplyContext;
use bridge::text::split::split;
use tokio::time::{Instant, sleep};

use crate::genesys::Taken;
use crate::settlement::{Delivery, Failure, HandBack, Outcome};
use crate::store::Document;
use crate::webhooks::{account, note_gap};
use crate::world::{Service, Trouble, World, number_of, support_id};

/// Time until the state is read again while another holder of the lane posts.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Characters of a Genesys message here, so that short texts have several parts.
const TEXT_LIMIT: usize = 40;

/// Distinguishes what a catch-up puts on the queue from what Graph told.
const REPLAY: &str = "catch-up";

fn policy() -> Policy {
    let home = "be9c1b6e-0000-4000-8000-c0ffee000001";
    Policy {
        accounts: vec![(account(), support_id())],
        home: home.parse().expect("a tenant"),
        tenants: CustomerTenants::All,
        groups: GroupPolicy::Mention,
        window: Duration::from_secs(24 * 3600),
        window_policy: WindowPolicy::Same,
        replies: ReplyContext::Quote,
        reactions: false,
    }
}

/// A chat's state: ours to write, and the other side's to read.
struct InboundChat {
    inbound: Document<InboundState>,
    outbound: Option<OutboundState>,
}

impl InboundChat {
    fn known(&self) -> Chat<'_> {
        Chat {
            inbound: &self.inbound.value,
            outbound: self.outbound.as_ref(),
        }
    }
}

/// A notification about a customer's message.
pub struct CustomerMessage<'a> {
    pub delivery: &'a Delivery,
    pub notification: NotificationEnvelope,
}

impl CustomerMessage<'_> {
    async fn load(&self) -> Result<InboundChat, Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        let chat = &self.notification.chat;
        let absent = || InboundState::new(chat.clone(), self.notification.account.clone());
        Ok(InboundChat {
            inbound: Document::load(world, process, blobs::inbound_state(chat), absent).await?,
            outbound: world.peek(process, blobs::outbound_state(chat)).await?,
        })
    }

    async fn save(&self, chat: &mut InboundChat) -> Result<(), Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        chat.inbound.value.forget(world.now());
        chat.inbound.save(world, process).await
    }

    /// Reads what a plan needs, makes the plan, and does what it says.
    pub async fn attempt(&self) -> Result<Outcome, Failure> {
        let Delivery {
            world,
            process,
            deadline,
            ..
        } = self.delivery;
        let _lane = process.hold(&self.notification.chat.digest()).await;
        let (policy, mut answers) = (policy(), Answers::default());
        let mut chat: Option<InboundChat> = None;
        loop {
            let case = Case {
                policy: &policy,
                notification: &self.notification,
                chat: chat.as_ref().map(InboundChat::known),
                answers: &answers,
                holder: &process.holder,
                now: world.now(),
            };
            match (plan(&case), &mut chat) {
                (Plan::Skip(_), _) => return Ok(Outcome::Skipped),
                (Plan::Note(note), Some(chat)) => {
                    note.apply(&mut chat.inbound.value, world.now());
                    self.save(chat).await?;
                    return Ok(Outcome::Skipped);
                }
                (Plan::Tell(told), Some(chat)) => {
                    for series in &told {
                        self.post(series, chat).await?;
                    }
                    return Ok(Outcome::Delivered);
                }
                (Plan::Wait, _) if Instant::now() >= *deadline => return Err(Failure::OutOfTime),
                (Plan::Wait, _) => {
                    sleep(LOOK_AGAIN).await;
                    chat = Some(self.load().await?);
                }
                (Plan::Need(Need::Chat) | Plan::Note(_) | Plan::Tell(_), _) => {
                    chat = Some(self.load().await?);
                }
                (Plan::Need(need), _) => self.answer(&need, &mut answers).await?,
                (other, _) => unreachable!("{other:?}"),
            }
        }
    }

    async fn answer(&self, need: &Need, answers: &mut Answers) -> Result<(), Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        let (chat, id) = (
            number_of(&self.notification.chat),
            self.notification.message.clone(),
        );
        let read = move |world: &Rc<World>| world.teams.read(chat, &id);
        match (need, &self.notification.encrypted) {
            (Need::Message, Some(content)) => answers.message = Some(world.teams.enclosed(content)),
            (Need::Message, None) => {
                answers.message = world.call(process, Service::Graph, None, read).await?;
            }
            (Need::Fresh, _) => {
                answers.fresh = Asked::Told(world.call(process, Service::Graph, None, read).await?);
            }
            (Need::Kind, _) => answers.kind = Asked::Told(ChatKind::OneOnOne),
            (Need::Members { .. } | Need::Tenant, _) => answers.members = Asked::Told(Vec::new()),
            (Need::DirectoryEntry(_), _) => answers.directory = Asked::CannotTell,
            (Need::TenantInformation(_), _) => answers.tenant = Asked::CannotTell,
            (Need::TenantOfDomain(_), _) => answers.domain = Asked::CannotTell,
            (need, _) => unreachable!("{need:?}"),
        }
        Ok(())
    }

    /// Posts what Genesys does not have yet.
    async fn post(&self, series: &Series, chat: &mut InboundChat) -> Result<(), Failure> {
        let Delivery {
            world,
            process,
            deadline,
            ..
        } = self.delivery;
        let key = (self.notification.chat.digest(), series.id.clone());
        let unsaved = process
            .unsaved
            .borrow()
            .get(&key)
            .cloned()
            .unwrap_or_default();
        for part in unsaved {
            chat.inbound
                .value
                .record_part(&series.id, part, world.now());
        }
        if series.next(&chat.inbound.value).is_none() {
            series.finish_if_done(&mut chat.inbound.value, world.now());
            self.save(chat).await?;
        }
        if series.conversation.is_new {
            let thread = &series.conversation.thread;
            let chat = self.notification.chat.clone();
            let record = ThreadRecord::new(thread, chat, account(), world.now());
            let record = serde_json::to_vec(&record).expect("JSON");
            world.put(process, blobs::thread(thread), record).await?;
        }
        while let Some((piece, progress)) = series.next(&chat.inbound.value) {
            if Instant::now() >= *deadline {
                return Err(Failure::OutOfTime);
            }
            let Piece::Text(text) = piece else {
                unreachable!("{piece:?}");
            };
            let parts = split(text, TEXT_LIMIT);
            if progress.part >= parts.len() {
                series.finish_piece(&mut chat.inbound.value, world.now());
                self.save(chat).await?;
                continue;
            }
            for (index, text) in parts.iter().enumerate().skip(progress.part) {
                let is_first = series.claim(&mut chat.inbound.value, &process.holder, world.now());
                self.save(chat).await?;
                let posted = self.post_part(series, chat, text).await;
                if is_first && posted.as_ref().is_err_and(|it| it.is_certainly_not_done()) {
                    series.retract(&mut chat.inbound.value, world.now());
                    let _ = self.save(chat).await;
                }
                let place = posted?;
                let part = PostedPart {
                    piece: progress.piece,
                    part: index,
                    genesys: place.to_string(),
                    ends_piece: index + 1 == parts.len(),
                };
                let remember = |parts: &mut Vec<PostedPart>| parts.push(part.clone());
                remember(process.unsaved.borrow_mut().entry(key.clone()).or_default());
                series.posted(&mut chat.inbound.value, part, world.now());
                if let Err(trouble) = self.save(chat).await {
                    world.genesys.taken.borrow_mut()[place].unsaved = true;
                    return Err(trouble.into());
                }
                process.unsaved.borrow_mut().remove(&key);
            }
        }
        process.unsaved.borrow_mut().remove(&key);
        Ok(())
    }

    async fn post_part(
        &self,
        series: &Series,
        chat: &InboundChat,
        text: &str,
    ) -> Result<usize, Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        let part = chat.inbound.value.progress(&series.id).posted;
        let taken = Taken {
            chat: number_of(&self.notification.chat),
            series: series.id.clone(),
            id: series.next_id(&chat.inbound.value),
            text: text.to_owned(),
            process: process.number,
            answered: false,
            unsaved: false,
        };
        let about = Some(taken.chat);
        let take = move |world: &Rc<World>| world.take(taken, part);
        let place = world.call(process, Service::Genesys, about, take).await?;
        world.answered(place);
        Ok(place)
    }

    /// Notes that the message was given up.
    pub async fn tell_failed(&self) -> Result<(), HandBack> {
        if let Ok(mut chat) = self.load().await {
            let now = self.delivery.world.now();
            chat.inbound.value.give_up(&self.notification.message, now);
            let _ = self.save(&mut chat).await;
        }
        Ok(())
    }
}

/// The final state of an agent's message.
pub async fn receipt(delivery: &Delivery) -> Result<Outcome, Failure> {
    let Content::Receipt(receipt) = &delivery.message.envelope.content else {
        unreachable!("no receipt");
    };
    let (message, outcome) = (receipt.message.clone(), receipt.outcome.clone());
    let take = move |world: &Rc<World>| {
        world.log(|| format!("receipt of {}: {outcome:?}", message.as_str()));
        world.genesys.receipts.borrow_mut().push((message, outcome));
    };
    let Delivery { world, process, .. } = delivery;
    world.call(process, Service::Genesys, None, take).await?;
    Ok(Outcome::Delivered)
}

/// A chat in which messages may have gone untold.
pub struct ChatReading<'a> {
    delivery: &'a Delivery,
    pub reading: &'a CatchUpEnvelope,
    current: RefCell<Option<TeamsMessageId>>,
    given_up: RefCell<BTreeSet<TeamsMessageId>>,
    enqueued: RefCell<BTreeSet<TeamsMessageId>>,
}

impl<'a> ChatReading<'a> {
    pub fn new(delivery: &'a Delivery, reading: &'a CatchUpEnvelope) -> Self {
        Self {
            delivery,
            reading,
            current: RefCell::default(),
            given_up: RefCell::default(),
            enqueued: RefCell::default(),
        }
    }

    pub async fn attempt(&self) -> Result<Outcome, Failure> {
        let Delivery { world, process, .. } = self.delivery;
        let (chat, since) = (number_of(&self.reading.chat), self.reading.since);
        *self.current.borrow_mut() = None;
        let list = move |world: &Rc<World>| world.teams.listed(chat, since);
        let listed = world.call(process, Service::Graph, None, list).await?;
        let known = CustomerMessage {
            delivery: self.delivery,
            notification: self.notification(None),
        };
        let known = known.load().await?;
        let mut told = false;
        for untold in untold(known.known(), &listed, since) {
            told |= self.work_through(&untold).await?;
        }
        if told && self.reading.message.is_some() {
            note_gap(world, process).await?;
        }
        Ok(Outcome::Delivered)
    }

    fn notification(&self, untold: Option<&Untold>) -> NotificationEnvelope {
        use bridge::teams::notification::ChangeType;
        let nothing = || "1".parse().expect("an id");
        NotificationEnvelope {
            change: untold.map_or(ChangeType::Created, |untold| untold.change),
            chat: self.reading.chat.clone(),
            message: untold.map_or_else(nothing, |untold| untold.message.clone()),
            account: self.reading.account.clone(),
            encrypted: None,
        }
    }

    async fn work_through(&self, untold: &Untold) -> Result<bool, Failure> {
        let Delivery { world, process, .. } = self.delivery;
        let notification = self.notification(Some(untold));
        if self.enqueued.borrow().contains(&untold.message) {
            return Ok(false);
        }
        if self.given_up.borrow().contains(&untold.message) {
            let envelope = Envelope::new(world.now(), Content::Notification(notification));
            let envelope = envelope.replayed(Some(REPLAY.to_owned()));
            world.enqueue(process, &envelope).await?;
            self.enqueued.borrow_mut().insert(untold.message.clone());
            return Ok(false);
        }
        *self.current.borrow_mut() = Some(untold.message.clone());
        let message = CustomerMessage {
            delivery: self.delivery,
            notification,
        };
        let outcome = message.attempt().await?;
        *self.current.borrow_mut() = None;
        Ok(outcome == Outcome::Delivered)
    }

    pub fn set_apart(&self) -> bool {
        match self.current.borrow_mut().take() {
            Some(message) => self.given_up.borrow_mut().insert(message),
            None => false,
        }
    }
}
