//! One agent message on its way into the chat, and the receipt that tells how it ended.

use std::sync::OnceLock;

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::{Webhook, question};
use bridge::ids::{ChatId, Digest, SupportAccountName, ThreadId};
use bridge::queue::envelope::AgentEnvelope;
use bridge::queue::failed::Direction;
use bridge::state::outbound::Says;
use services::error::ServiceError;
use time::OffsetDateTime;

use super::posting::{self, Posting};
use super::{parts, pending};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::queue::delivery::{Delivery, HandBack, Outcome};
use crate::queue::job::Job;
use crate::queue::opening::Opened;
use crate::queue::receipts::{explanation_for_agent, receipt};
use crate::queue::settlement::handed_back;
use crate::settings::SupportAccount;

/// An agent's message.
pub(super) struct AgentMessage<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    webhook: Result<Webhook, Rejection>,
    accepted_at: OffsetDateTime,
    replay: Option<&'a str>,
    subject: Digest,
    thread: Option<ThreadId>,
    chat: OnceLock<Digest>,
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
        let (account, chat) = self.destination().await?;
        let mut state = posting::load(self.app, &chat).await?;
        let caller = self.delivery.caller(self.subject.clone());
        pending::resolve(self.app, &caller, account, &chat, &mut state).await?;
        let posted_now = if state.value.is_posted(&webhook.id) {
            false
        } else {
            // All files are at hand before the first word is posted: a message that cannot be shown whole fails whole.
            let parts = parts::of(self.app, webhook, &chat).await?;
            let posting = Posting {
                account,
                chat: &chat,
                id: &webhook.id,
                parts: &parts.parts,
                says: question(webhook).map_or(Says::Words, Says::Question),
            };
            posting.run(self.app, &caller, &mut state).await?
        };
        self.send_receipt(webhook, ReceiptOutcome::Delivered)
            .await?;
        Ok(match posted_now {
            true => Outcome::Delivered,
            false => Outcome::Skipped("already posted"),
        })
    }

    async fn arrived_after_all(&self) -> Result<bool, HandBack> {
        let Some(webhook) = self.found_after_all().await else {
            return Ok(false);
        };
        self.send_receipt(webhook, ReceiptOutcome::Delivered)
            .await
            .map_err(|error| handed_back("receipt_not_enqueued", &error))?;
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
        self.send_receipt(webhook, outcome)
            .await
            .map_err(|error| handed_back("receipt_not_enqueued", &error))
    }

    fn way(&self) -> (Direction, &str) {
        (Direction::Outbound, &self.app.settings.outbound_queue)
    }

    fn subject(&self) -> &Digest {
        &self.subject
    }

    fn chat(&self) -> Option<Digest> {
        self.chat.get().cloned()
    }

    fn account(&self) -> Option<&SupportAccountName> {
        self.thread.as_ref().map(|thread| &thread.account)
    }
}

impl<'a> AgentMessage<'a> {
    /// The message of an envelope, readable or not.
    pub(super) fn read(
        app: &'a App,
        delivery: &'a Delivery,
        envelope: &AgentEnvelope,
        opened: &'a Opened,
    ) -> Self {
        let accepted_at = opened.accepted_at.unwrap_or_else(OffsetDateTime::now_utc);
        let webhook = Webhook::parse(&envelope.body(), accepted_at).map_err(|error| {
            Rejection::new(
                "webhook_malformed",
                format!("the webhook cannot be read: {error}"),
                ReasonCode::InvalidMessageStructure,
            )
        });
        let to = webhook.as_ref().map(|webhook| webhook.to.as_str());
        Self {
            app,
            delivery,
            accepted_at,
            replay: opened.replay.as_deref(),
            subject: match to {
                Ok(to) => Digest::of("thread", to),
                Err(_) => Digest::of("lane", delivery.lane.as_str()),
            },
            thread: to.ok().and_then(|to| to.parse().ok()),
            chat: OnceLock::new(),
            webhook,
        }
    }

    /// The Support User and the chat that the thread id stands for.
    async fn destination(&self) -> Result<(&'a SupportAccount, ChatId), Failure> {
        let reject = |kind, explanation| {
            Box::new(Rejection::new(
                kind,
                explanation,
                ReasonCode::InvalidDestination,
            ))
        };
        let thread = self.thread.as_ref().ok_or_else(|| {
            Failure::Permanent(reject(
                "thread_not_ours",
                "the message is addressed to no thread of this bridge",
            ))
        })?;
        let account = self.app.settings.support_account(&thread.account);
        let account = account.ok_or_else(|| {
            Failure::Permanent(reject(
                "account_unknown",
                "the thread belongs to a support account that SUPPORT_ACCOUNTS does not name",
            ))
        })?;
        let chat = self.app.threads.chat_of(thread).await?.ok_or_else(|| {
            Failure::NotYet(reject(
                "thread_unknown",
                "no chat is known for the thread that the message is addressed to",
            ))
        })?;
        let _ = self.chat.set(chat.digest());
        Ok((account, chat))
    }

    /// The message, when an attempt whose answer got lost posted all of it. A chat that cannot be read leaves the question to
    /// the next message's attempt.
    async fn found_after_all(&self) -> Option<&Webhook> {
        let webhook = self.webhook.as_ref().ok()?;
        let (account, chat) = self.destination().await.ok()?;
        let mut state = posting::load(self.app, &chat).await.ok()?;
        let pending = state.value.pending.as_ref();
        if pending.is_some_and(|pending| pending.message == webhook.id) {
            let caller = self.delivery.caller(self.subject.clone());
            let resolved = pending::resolve(self.app, &caller, account, &chat, &mut state).await;
            resolved.ok()?;
        }
        state.value.is_posted(&webhook.id).then_some(webhook)
    }

    async fn send_receipt(
        &self,
        webhook: &Webhook,
        outcome: ReceiptOutcome,
    ) -> Result<(), ServiceError> {
        let envelope = receipt(webhook, self.replay, outcome);
        self.app.queues.enqueue(&[envelope]).await.map(drop)
    }
}
