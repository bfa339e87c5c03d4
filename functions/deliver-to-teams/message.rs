//! One agent message on its way into the chat, and the receipt that tells how it ended.

use std::sync::OnceLock;

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::ids::{ChatId, Digest, SupportAccountName, ThreadId};
use bridge::patience::Reason;
use bridge::queue::envelope::{AgentEnvelope, Envelope};
use bridge::self_check::Way;
use services::error::{Service, ServiceError};
use time::OffsetDateTime;

use super::parts;
use super::posting::OutboundChat;
use super::receipt::{explanation_for_agent, receipt};
use super::speaker;
use crate::app::App;
use crate::doors::Door;
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, HandBack, Outcome};
use crate::queue::enqueue::enqueue;
use crate::queue::job::Job;
use crate::queue::settlement::handed_back;
use crate::self_check;

/// What Graph answers where the Support User may not write.
const FORBIDDEN: u16 = 403;

/// What the operator must do when a customer's first message may be a request that waits.
const NOT_ACCEPTED: &str = "Graph refuses posts into this chat while all else is well, and nothing of ours is in it yet: \
    the customer's message may be a request that somebody must accept. Sign in to Teams as the Support User, accept the request, \
    and replay this message";

/// An agent's message.
pub(super) struct AgentMessage<'a> {
    app: &'a App,
    webhook: Result<Webhook, Rejection>,
    accepted_at: OffsetDateTime,
    replay: Option<&'a str>,
    caller: Caller,
    thread: Option<ThreadId>,
    chat: OnceLock<Digest>,
    /// Nothing of ours was in the chat yet, so that it may be a request that nobody has accepted.
    may_await_acceptance: OnceLock<bool>,
}

impl Job for AgentMessage<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let webhook = self.webhook.as_ref().map_err(Rejection::clone)?;
        if webhook.is_late(self.accepted_at) {
            return Err(Failure::from(Rejection::new(
                "webhook_late",
                "the webhook call came too late to be told from a replayed one",
                ReasonCode::MessageExpired,
            )));
        }
        let (account, id) = self.destination().await?;
        let mut chat = OutboundChat::load(self.app, &self.caller, account, &id).await?;
        if let Some(conversation) = &webhook.conversation {
            chat.state.value.is_of(conversation);
        }
        if let Some(thread) = &self.thread {
            let may_await_acceptance = chat.state.value.may_await_acceptance(thread);
            let _ = self.may_await_acceptance.set(may_await_acceptance);
        }
        chat.resolve_pending().await?;
        let posted_now = if chat.state.value.is_posted(&webhook.id) {
            false
        } else {
            // All files are at hand before the first word is posted: a message that cannot be shown whole fails whole.
            let now = OffsetDateTime::now_utc();
            let speaker = speaker::of(self.app, &self.caller, webhook).await;
            let state = &mut chat.state.value;
            state.spoken_by(&webhook.id, speaker.as_deref(), now);
            let name = state.name_before(&webhook.id).map(str::to_owned);
            let door = chat.way.door()?;
            let made = parts::of(self.app, &door, webhook, name.as_deref()).await?;
            chat.post(&webhook.id, &made.parts, &made.says).await?
        };
        self.send_receipt(webhook, posted(webhook)).await?;
        if posted_now {
            let (text, way) = (webhook.text.as_deref(), Way::ToCustomer);
            let accepted = Some(self.accepted_at);
            self_check::note(self.app, text, way, webhook.time, accepted).await;
        }
        if let (true, Door::Graph(graph)) = (self.app.settings.mark_read, chat.way.door()?) {
            graph.mark_read().await;
        }
        Ok(match posted_now {
            true => Outcome::Delivered,
            false => Outcome::Skipped("already posted"),
        })
    }

    fn explained(&self, reason: Reason, mut rejection: Box<Rejection>) -> Box<Rejection> {
        let is_forbidden =
            rejection.service == Some(Service::Graph) && rejection.status == Some(FORBIDDEN);
        let may_await_acceptance = self.may_await_acceptance.get() == Some(&true);
        if reason == Reason::Refused && is_forbidden && may_await_acceptance {
            rejection.kind = "chat_not_accepted";
            NOT_ACCEPTED.clone_into(&mut rejection.explanation);
        }
        rejection
    }

    async fn arrived_after_all(&self) -> Result<bool, HandBack> {
        let Some(webhook) = self.found_after_all().await else {
            return Ok(false);
        };
        self.receipt_or_hand_back(webhook, posted(webhook)).await?;
        Ok(true)
    }

    async fn tell(&self, rejection: &Rejection) -> Result<(), HandBack> {
        // Without a readable webhook there is no id that a receipt could name.
        let Ok(webhook) = &self.webhook else {
            return Ok(());
        };
        let outcome = ReceiptOutcome::Failed {
            code: rejection.receipt,
            message: explanation_for_agent(rejection.receipt).to_owned(),
        };
        self.receipt_or_hand_back(webhook, outcome).await
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        self.chat.get().cloned()
    }

    fn account(&self) -> Option<&SupportAccountName> {
        self.thread.as_ref().map(|thread| &thread.account)
    }
}

/// What the agent is told of a message that is in the chat: never that all of it arrived when it did not.
fn posted(webhook: &Webhook) -> ReceiptOutcome {
    match webhook.has_unshown_parts() {
        false => ReceiptOutcome::Delivered,
        true => ReceiptOutcome::Failed {
            code: ReasonCode::UnsupportedMessage,
            message:
                "A part of the message cannot be shown in Microsoft Teams; the rest was delivered."
                    .to_owned(),
        },
    }
}

impl<'a> AgentMessage<'a> {
    /// The message of an envelope, readable or not.
    pub(super) fn read(
        app: &'a App,
        delivery: &Delivery,
        envelope: &'a Envelope,
        message: &AgentEnvelope,
    ) -> Self {
        let accepted_at = envelope.accepted_at;
        let webhook = Webhook::parse(&message.body(), accepted_at).map_err(|error| {
            Rejection::new(
                "webhook_malformed",
                format!("the webhook cannot be read: {error}"),
                ReasonCode::InvalidMessageStructure,
            )
        });
        let to = webhook.as_ref().map(|webhook| webhook.to.as_str());
        Self {
            app,
            accepted_at,
            replay: envelope.replay.as_deref(),
            caller: delivery.caller(match to {
                Ok(to) => Digest::of("thread", to),
                Err(_) => Digest::of("lane", delivery.lane.as_str()),
            }),
            thread: to.ok().and_then(|to| to.parse().ok()),
            chat: OnceLock::new(),
            may_await_acceptance: OnceLock::new(),
            webhook,
        }
    }

    /// The account and the chat that the thread id stands for.
    async fn destination(&self) -> Result<(&SupportAccountName, ChatId), Failure> {
        let refusal = |kind, why: &str| Rejection::new(kind, why, ReasonCode::InvalidDestination);
        let thread = self.thread.as_ref().ok_or_else(|| {
            let why = "the message is addressed to no thread of this bridge";
            refusal("thread_not_ours", why)
        })?;
        let chat = self
            .app
            .threads
            .chat_of(&self.app.blobs, thread, OffsetDateTime::now_utc())
            .await?
            .ok_or_else(|| {
                let why = "no chat is known for the thread that the message is addressed to";
                Failure::NotYet(Box::new(refusal("thread_unknown", why)))
            })?;
        let _ = self.chat.set(chat.digest());
        Ok((&thread.account, chat))
    }

    /// The message, when an attempt whose answer got lost posted all of it. A chat that cannot be read leaves the question to
    /// the next message's attempt.
    async fn found_after_all(&self) -> Option<&Webhook> {
        let webhook = self.webhook.as_ref().ok()?;
        let (account, id) = self.destination().await.ok()?;
        let chat = OutboundChat::load(self.app, &self.caller, account, &id).await;
        let mut chat = chat.ok()?;
        let pending = chat.state.value.pending.as_ref();
        if pending.is_some_and(|pending| pending.message == webhook.id) {
            chat.resolve_pending().await.ok()?;
        }
        chat.state.value.is_posted(&webhook.id).then_some(webhook)
    }

    async fn send_receipt(
        &self,
        webhook: &Webhook,
        outcome: ReceiptOutcome,
    ) -> Result<(), ServiceError> {
        let envelope = receipt(webhook, self.replay, outcome);
        enqueue(self.app, &[envelope]).await.map(drop)
    }

    async fn receipt_or_hand_back(
        &self,
        webhook: &Webhook,
        outcome: ReceiptOutcome,
    ) -> Result<(), HandBack> {
        let sent = self.send_receipt(webhook, outcome).await;
        sent.map_err(|error| handed_back("receipt_not_enqueued", &error))
    }
}
