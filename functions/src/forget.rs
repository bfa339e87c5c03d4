//! What `handler forget` does: finds all that is stored of a person, and erases it. `bridge::forget` decides what that is.
//!
//! Each document goes only in the version that was read, and no chat's state while a message of it is on its way: so a delivery either
//! ends first, or begins anew. What finds the rest, the chats' states and the threads, goes last, and then all is looked at again: a
//! run that is killed is repeated, and what a delivery left meanwhile is found.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bridge::forget::{Erased, Person, Share, Traces, chat_of, is_posting, is_sending, take_out};
use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::ids::Digest;
use bridge::queue::envelope::{Content, Envelope};
use bridge::queue::spool::SPOOL;
use bridge::state::blobs::{self, ATTACHMENTS, CHATS, CLAIMS, FAILED, STATE, THREADS};
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use bridge::state::thread::ThreadRecord;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use services::blob::ETag;
use services::error::{ErrorKind, ServiceError};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use crate::deliver_to_teams::{explanation_for_agent, receipt};
use crate::failed::Desk;
use crate::queue::enqueue::send;

/// How the names of chats' states on the way to Genesys end.
const INBOUND: &str = "/inbound.json";

/// Blobs that are read at a time.
const AT_A_TIME: usize = 16;

/// Time until a chat is looked at again whose messages are on their way.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is erased of a person, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A message that was given up.
    Failed,
    /// The content of a message too large for its queue.
    Content,
    /// An agent's message that waits in Blob for its queue.
    Spooled,
    /// A file of either side.
    File,
    /// The description of a group's conversation.
    Group,
    /// What is known of agents' messages in a chat.
    Posts,
    /// What is known of a chat and its customer.
    Chat,
    /// Which chat a thread leads to.
    Thread,
}

/// Something that is to be erased.
#[derive(Debug)]
pub struct Trace {
    /// What it is.
    pub kind: Kind,
    /// Its blob.
    pub blob: String,
    /// A message of its chat is on its way, so that it stays for now.
    pub is_in_work: bool,
    /// The chat, where it is what the rest of the chat is found by.
    chat: Option<Digest>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// A document goes as it was read.
    Remove(ETag),
    /// A file never changes under its name.
    RemoveFile,
    /// The agent is told that the message will not arrive; then it goes.
    TellAndRemove(Box<Envelope>, ETag),
    /// The document stays, and says this.
    Replace(Bytes, ETag),
}

/// What a look at everything found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is to be erased, in its order.
    pub traces: Vec<Trace>,
    /// Failed messages, contents of large ones and files of groups that the person is known to be in: nobody can tell whose they are.
    pub of_groups: usize,
    /// State that cannot be read, so that nobody can tell whose it is.
    pub unreadable: Vec<String>,
    /// The chats of this user id are those of somebody in another tenant, or so they say.
    pub is_of_another_tenant: bool,
}

/// How much of each kind.
pub type Tally = BTreeMap<Kind, usize>;

impl Found {
    /// How much of each kind there is.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::new();
        for trace in &self.traces {
            *tally.entry(trace.kind).or_default() += 1;
        }
        tally
    }

    fn add(&mut self, kind: Kind, blob: &str, step: Step) {
        self.traces.push(Trace {
            kind,
            blob: blob.to_owned(),
            is_in_work: false,
            chat: None,
            step,
        });
    }

    fn add_state(&mut self, kind: Kind, blob: &str, chat: Digest, is_in_work: bool, step: Step) {
        self.traces.push(Trace {
            kind,
            blob: blob.to_owned(),
            is_in_work,
            chat: Some(chat),
            step,
        });
    }

    /// Puts all in its order. While one side of a chat is in work, all stays by which the chat is found.
    fn arrange(&mut self) {
        self.traces.sort_by_key(|trace| trace.kind);
        let in_work = self.traces.iter().filter(|trace| trace.is_in_work);
        let in_work: BTreeSet<Digest> = in_work.filter_map(|trace| trace.chat.clone()).collect();
        for trace in &mut self.traces {
            trace.is_in_work = trace.chat.as_ref().is_some_and(|it| in_work.contains(it));
        }
    }

    /// Counts a message or file in: to be erased when all of it is the person's.
    fn add_if_own(&mut self, share: Share, kind: Kind, blob: &str, step: Step) {
        match share {
            Share::All => self.add(kind, blob, step),
            Share::OfGroup => self.of_groups += 1,
            Share::None => {}
        }
    }

    /// What a blob of the state says; one that cannot be read is told.
    fn document<T: DeserializeOwned>(&mut self, blob: &str, body: &[u8]) -> Option<T> {
        let document = serde_json::from_slice(body).ok();
        if document.is_none() {
            self.unreadable.push(format!("{STATE}/{blob}"));
        }
        document
    }
}

impl Desk {
    /// Finds all that is to be erased of a person.
    ///
    /// # Errors
    /// Blob refused or could not be reached.
    pub async fn trace(&self, person: &Person) -> Result<Found, ServiceError> {
        self.look(&mut Traces::of(person.clone())).await
    }

    /// Erases all that is found of a person, and waits so long for messages on their way. Tells what is left; `erased` counts what
    /// is gone, also before an error. What the chats say of another tenant leaves all as it is.
    ///
    /// # Errors
    /// Blob or Service Bus refused or could not be reached: the same once more goes on from there.
    pub async fn forget(
        &self,
        person: &Person,
        patience: Duration,
        erased: &mut Tally,
    ) -> Result<Found, ServiceError> {
        let until = Instant::now() + patience;
        let mut traces = Traces::of(person.clone());
        let mut is_first = true;
        loop {
            let found = self.look(&mut traces).await?;
            let is_late = !is_first && Instant::now() >= until;
            if found.is_of_another_tenant || found.traces.is_empty() || is_late {
                return Ok(found);
            }
            is_first = false;
            self.mark(&found).await?;
            let mut changed = BTreeSet::new();
            for trace in found.traces.iter().filter(|trace| !trace.is_in_work) {
                if changed.contains(&trace.chat) {
                    continue;
                }
                if self.erase(trace).await? {
                    *erased.entry(trace.kind).or_default() += 1;
                } else if trace.chat.is_some() {
                    // The next look shows what it is now; until then the chat must be found.
                    changed.insert(trace.chat.clone());
                }
            }
            if found.traces.iter().any(|trace| trace.is_in_work) {
                sleep(LOOK_AGAIN.min(until.saturating_duration_since(Instant::now()))).await;
            }
        }
    }

    /// Looks at all that can be about a person, chats and threads first.
    async fn look(&self, traces: &mut Traces) -> Result<Found, ServiceError> {
        let mut found = Found::default();
        let now = OffsetDateTime::now_utc();
        let listed = self.blobs.list_all(STATE, CHATS).await?.names;
        let (chats, posts): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|blob| blob.ends_with(INBOUND));
        let with_state: BTreeSet<Digest> = chats.iter().filter_map(|blob| chat_of(blob)).collect();
        self.read_all(STATE, chats, |blob, body, version| {
            let Some(state) = found.document::<InboundState>(blob, body) else {
                return;
            };
            let (chat, is_in_work) = (state.chat.digest(), is_sending(&state, now));
            match traces.see_chat(&state) {
                Share::All => {
                    found.add_state(Kind::Chat, blob, chat, is_in_work, Step::Remove(version));
                }
                Share::OfGroup => {
                    let step = Step::Replace(without_description(state), version);
                    found.add_state(Kind::Group, blob, chat, is_in_work, step);
                }
                Share::None => {}
            }
        })
        .await?;
        self.each(STATE, THREADS, |blob, body, version| {
            let Some(record) = found.document::<ThreadRecord>(blob, body) else {
                return;
            };
            if traces.see_thread(&record) == Share::All {
                let (chat, step) = (record.chat.digest(), Step::Remove(version));
                found.add_state(Kind::Thread, blob, chat, false, step);
            }
        })
        .await?;
        found.is_of_another_tenant = traces.are_of_another_tenant();
        // Where a chat has the other side's state, that tells whose it is.
        let posts = posts.into_iter().filter(|blob| {
            let chat = chat_of(blob);
            chat.is_none_or(|chat| {
                !with_state.contains(&chat) || traces.of_chat(&chat) == Share::All
            })
        });
        self.read_all(STATE, posts.collect(), |blob, body, version| {
            let Some(state) = found.document::<OutboundState>(blob, body) else {
                return;
            };
            if traces.see_posts(&state) == Share::All {
                let (chat, is_in_work) = (state.chat.digest(), is_posting(&state, now));
                found.add_state(Kind::Posts, blob, chat, is_in_work, Step::Remove(version));
            }
        })
        .await?;
        let traces = &*traces;
        self.each(FAILED, "", |blob, body, version| {
            let share = traces.of_failed(blob, body);
            found.add_if_own(share, Kind::Failed, blob, Step::Remove(version));
        })
        .await?;
        self.each(STATE, CLAIMS, |blob, body, version| {
            let share = traces.of_envelope(body);
            found.add_if_own(share, Kind::Content, blob, Step::Remove(version));
        })
        .await?;
        self.each(STATE, SPOOL, |blob, body, version| {
            // A group's goes on to its queue.
            if traces.of_envelope(body) == Share::All {
                let step = match refusal(body) {
                    Some(receipt) => Step::TellAndRemove(Box::new(receipt), version),
                    None => Step::Remove(version),
                };
                found.add(Kind::Spooled, blob, step);
            }
        })
        .await?;
        for chat in traces.own_chats() {
            for file in self.files(chat).await? {
                found.add(Kind::File, &file, Step::RemoveFile);
            }
        }
        for chat in traces.groups() {
            found.of_groups += self.files(chat).await?.len();
        }
        found.arrange();
        Ok(found)
    }

    async fn files(&self, chat: &Digest) -> Result<Vec<String>, ServiceError> {
        let folder = format!("{chat}/");
        Ok(self.blobs.list_all(ATTACHMENTS, &folder).await?.names)
    }

    /// Reads all blobs whose names begin so.
    async fn each(
        &self,
        container: &str,
        prefix: &str,
        see: impl FnMut(&str, &[u8], ETag),
    ) -> Result<(), ServiceError> {
        let listed = self.blobs.list_all(container, prefix).await?;
        self.read_all(container, listed.names, see).await
    }

    /// Reads these blobs; what is gone by then is as wanted.
    async fn read_all(
        &self,
        container: &str,
        names: Vec<String>,
        mut see: impl FnMut(&str, &[u8], ETag),
    ) -> Result<(), ServiceError> {
        let read = |name: String| async {
            let read = self.blobs.get(container, &name).await?;
            Ok::<_, ServiceError>((name, read))
        };
        let mut reads = stream::iter(names).map(read).buffered(AT_A_TIME);
        while let Some((name, read)) = reads.try_next().await? {
            if let Some((body, version)) = read {
                see(&name, &body, version);
            }
        }
        Ok(())
    }

    /// Notes of the chats whose state is about to go that what was handled before is not to be caught up with.
    async fn mark(&self, found: &Found) -> Result<(), ServiceError> {
        let of_chats = |trace: &&Trace| matches!(trace.kind, Kind::Chat | Kind::Posts);
        let traces = found.traces.iter().filter(of_chats);
        let chats: BTreeSet<&Digest> = traces.filter_map(|trace| trace.chat.as_ref()).collect();
        let mark = json(&Erased::new(OffsetDateTime::now_utc()));
        for chat in chats {
            let mark = mark.clone();
            self.blobs.put(STATE, &blobs::erased(chat), mark).await?;
        }
        Ok(())
    }

    /// Erases one trace; false when somebody wrote it since it was read.
    async fn erase(&self, trace: &Trace) -> Result<bool, ServiceError> {
        let container = match trace.kind {
            Kind::Failed => FAILED,
            Kind::File => ATTACHMENTS,
            _ => STATE,
        };
        let (blobs, blob) = (&self.blobs, &trace.blob);
        let erased = match &trace.step {
            Step::Remove(version) => blobs.remove(container, blob, version).await,
            Step::RemoveFile => blobs.remove_any(container, blob).await,
            Step::TellAndRemove(receipt, version) => {
                let (receipts, queue) = (std::slice::from_ref(&**receipt), &self.inbound_queue);
                let routes = [receipt.route(|| [0; 16])];
                send(blobs, &self.bus, queue, receipts, &routes).await?;
                blobs.remove(container, blob, version).await
            }
            Step::Replace(body, version) => {
                let replaced = blobs.replace(container, blob, body.clone(), version);
                replaced.await.map(drop)
            }
        };
        match erased {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Precondition => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn json(document: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(document).unwrap_or_default())
}

fn without_description(mut state: InboundState) -> Bytes {
    take_out(&mut state);
    json(&state)
}

/// What the agent is told of a message that is erased before it arrived; nothing where no message can be told.
fn refusal(body: &[u8]) -> Option<Envelope> {
    let envelope = Envelope::parse(body).ok()?;
    let Content::AgentMessage(message) = &envelope.content else {
        return None;
    };
    let webhook = Webhook::parse(&message.body(), envelope.accepted_at).ok()?;
    let code = ReasonCode::GeneralError;
    let outcome = ReceiptOutcome::Failed {
        code,
        message: explanation_for_agent(code).to_owned(),
    };
    Some(receipt(&webhook, envelope.replay.as_deref(), outcome))
}

#[cfg(test)]
mod tests;
