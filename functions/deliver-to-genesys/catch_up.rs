//! Reading a chat in which changes may have gone untold: each is worked through as if Graph had told of it just now.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use bridge::catch_up::parts::{Part, most_changes};
use bridge::catch_up::reading::{Listed, Untold, untold};
use bridge::forget::{Erased, caught_up_from};
use bridge::ids::{CorrelationId, Digest, SupportAccountName, TeamsMessageId};
use bridge::queue::envelope::{CatchUpEnvelope, Content, Envelope, NotificationEnvelope};
use bridge::state::blobs;
use services::graph::MessageRecord;
use time::OffsetDateTime;

use super::chat::InboundChat;
use super::message::CustomerMessage;
use crate::app::App;
use crate::catch_up::note_gap;
use crate::doors::Graph;
use crate::doors::graph::Changes;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::enqueue::enqueue;
use crate::queue::job::Job;
use crate::store::document::peek;

/// Distinguishes what a catch-up puts on the queue from what Graph told, for duplicate detection.
const REPLAY: &str = "catch-up";

/// What nobody told of, and the message as it is listed, where that could be kept.
type Found = (Untold, Option<Vec<u8>>);

/// A chat that is to be read.
pub(super) struct ChatReading<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    reading: &'a CatchUpEnvelope,
    caller: Caller,
    apart: Mutex<Apart>,
}

/// Messages that cannot be told now: they go on as queue messages of their own.
#[derive(Default)]
struct Apart {
    /// The one that is being worked on.
    current: Option<TeamsMessageId>,
    /// Those that are to go on so.
    given_up: BTreeSet<TeamsMessageId>,
    /// Those that do.
    enqueued: BTreeSet<TeamsMessageId>,
}

impl<'a> ChatReading<'a> {
    /// The chat of an envelope.
    pub(super) fn new(app: &'a App, delivery: &'a Delivery, reading: &'a CatchUpEnvelope) -> Self {
        Self {
            app,
            delivery,
            reading,
            caller: delivery.caller(reading.chat.digest()),
            apart: Mutex::default(),
        }
    }

    fn apart<R>(&self, action: impl FnOnce(&mut Apart) -> R) -> R {
        action(&mut self.apart.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What nobody told of in the part that is read, as far as Graph lists it, with the messages as they are listed; or what is to be
    /// read instead, where that is too much for one attempt.
    async fn untold(&self, part: &Part) -> Result<Result<Vec<Found>, Part>, Failure> {
        let (chat, account) = (&self.reading.chat, &self.reading.account);
        let erased = peek::<Erased>(&self.app.blobs, &blobs::erased(&chat.digest())).await?;
        let since = caught_up_from(self.reading.since, erased);
        let door = Graph {
            app: self.app,
            account,
            chat,
            caller: &self.caller,
        };
        let most = most_changes(self.app.settings.attempt_deadline);
        let Changes { listed, is_cut } = door.changes(part, most).await?;
        if is_cut {
            let stopped = listed.last().and_then(|it| it.last_modified_date_time);
            if let Some(divided) = stopped.and_then(|stopped| part.divided(stopped)) {
                return Ok(Err(divided));
            }
            tracing::error!(event = "changes_cut", most);
        }
        let listed = listed.into_iter().filter_map(read);
        let (listed, mut shown): (Vec<Listed>, HashMap<_, _>) = listed
            .map(|(listed, whole)| (listed.clone(), (listed.message, whole)))
            .unzip();
        let known = InboundChat::load(self.app, chat, account).await?;
        let found = untold(known.known(), &listed, since).into_iter();
        let found = found.map(|untold| {
            let whole = shown.remove(&untold.message).flatten();
            (untold, whole)
        });
        Ok(Ok(found.collect()))
    }

    /// Has a further part of the chat read.
    async fn go_on(&self, part: Part) -> Result<(), Failure> {
        let reading = CatchUpEnvelope {
            part: Some(part),
            ..self.reading.clone()
        };
        let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::CatchUp(reading));
        enqueue(self.app, &[envelope]).await?;
        Ok(())
    }

    /// Works through one change; true when the agent was told of it.
    async fn work_through(&self, (untold, listed): Found) -> Result<bool, Failure> {
        let app = self.app;
        let notification = NotificationEnvelope {
            change: untold.change,
            chat: self.reading.chat.clone(),
            message: untold.message.clone(),
            account: self.reading.account.clone(),
            encrypted: None,
        };
        if self.apart(|apart| apart.enqueued.contains(&untold.message)) {
            return Ok(false);
        }
        if self.apart(|apart| apart.given_up.contains(&untold.message)) {
            let content = Content::Notification(notification);
            let envelope = Envelope::new(OffsetDateTime::now_utc(), content);
            enqueue(app, &[envelope.replayed(Some(REPLAY.to_owned()))]).await?;
            self.apart(|apart| apart.enqueued.insert(untold.message.clone()));
            return Ok(false);
        }
        let mut delivery = self.delivery.clone();
        delivery.correlation = CorrelationId::of_teams_message(&self.reading.chat, &untold.message);
        self.apart(|apart| apart.current = Some(untold.message.clone()));
        let message = CustomerMessage::new(app, &delivery, &notification).with_listed(listed);
        let outcome = message.attempt().await?;
        self.apart(|apart| apart.current = None);
        if outcome != Outcome::Delivered {
            return Ok(false);
        }
        let (account, correlation) = (notification.account.as_str(), delivery.correlation.as_str());
        let (what, age_s) = (untold.change.as_str(), self.delivery.age().as_secs());
        tracing::info!(event = "told_late", account, correlation, what, age_s);
        Ok(true)
    }
}

impl Job for ChatReading<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        self.apart(|apart| apart.current = None);
        let (part, mut told) = (self.reading.part(), 0);
        let untold = match self.untold(&part).await? {
            Ok(untold) => untold,
            Err(divided) => {
                self.go_on(divided).await?;
                return Ok(Outcome::Skipped("read in parts"));
            }
        };
        for found in untold {
            told += usize::from(self.work_through(found).await?);
        }
        if let Some(rest) = part.rest() {
            self.go_on(rest).await?;
        }
        if told == 0 {
            return Ok(Outcome::Skipped("nothing went untold"));
        }
        let account = self.reading.account.as_str();
        // For a gap that is known this is no news, nor where no subscription would have told.
        if self.reading.message.is_some() && note_gap(self.app, &self.reading.account).await? {
            tracing::warn!(
                event = "notification_missed",
                account,
                told,
                "Graph told nothing of messages that are in the chat: all that moved will be read"
            );
        }
        Ok(Outcome::Delivered)
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.caller.subject.clone())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.reading.account)
    }

    fn set_apart(&self) -> bool {
        self.apart(|apart| match apart.current.take() {
            Some(message) => apart.given_up.insert(message),
            None => false,
        })
    }
}

/// A message whose id is none of Teams' cannot be asked for either.
fn read(record: MessageRecord) -> Option<(Listed, Option<Vec<u8>>)> {
    let listed = Listed {
        message: record.id.parse().ok()?,
        created: record.created_date_time,
        edited: record.last_edited_date_time,
        deleted: record.deleted_date_time,
    };
    Some((listed, record.whole))
}
