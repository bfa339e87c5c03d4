//! The way to the customer, re-stated: `functions/deliver-to-teams`, whose `message`, `posting` and `pending` these are, without
//! files and notices.

use std::rc::Rc;
use std::time::Duration;

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::{Piece, Webhook, pieces};
use bridge::ids::ThreadId;
use bridge::queue::envelope::{AgentEnvelope, Content, Envelope, ReceiptEnvelope};
use bridge::state::blobs;
use bridge::state::outbound::{OutboundState, Pending, Says};
use bridge::state::thread::ThreadRecord;
use bridge::teams::from_text::split_for_teams;
use bridge::teams::recognise::{Candidate, fingerprint_html, recognise};
use tokio::time::sleep;

use crate::settlement::{Delivery, Failure, HandBack, Outcome};
use crate::store::Document;
use crate::world::{CALL_LIMIT, Kind, Service, Trouble, World, number_of, support_id};

/// How far our clock may run ahead of Graph's.
const CLOCK_SKEW: Duration = Duration::from_secs(120);

/// Bytes of a Teams message here, so that short texts have several parts.
const BODY_LIMIT: usize = 400;

/// An agent's message.
pub struct AgentMessage<'a> {
    delivery: &'a Delivery,
    webhook: Webhook,
    /// The chat, for which the calls are made.
    pub chat: usize,
}

impl<'a> AgentMessage<'a> {
    pub fn read(delivery: &'a Delivery, message: &AgentEnvelope) -> Self {
        let accepted = delivery.message.envelope.accepted_at;
        let webhook = Webhook::parse(&message.body(), accepted).expect("a webhook");
        let chat = webhook.to.as_bytes().last().expect("a thread") - b'0';
        Self {
            delivery,
            webhook,
            chat: chat.into(),
        }
    }

    async fn load(&self) -> Result<Document<OutboundState>, Failure> {
        let Delivery { world, process, .. } = self.delivery;
        let thread: ThreadId = self.webhook.to.parse().expect("a thread");
        let record = world
            .peek::<ThreadRecord>(process, blobs::thread(&thread))
            .await?;
        let chat = record.ok_or(Failure::NotYet)?.chat;
        assert_eq!(number_of(&chat), self.chat);
        let absent = || OutboundState::new(chat.clone());
        Ok(Document::load(world, process, blobs::outbound_state(&chat), absent).await?)
    }

    async fn save(&self, state: &mut Document<OutboundState>) -> Result<(), Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        state.value.forget_before(world.now());
        state.save(world, process).await
    }

    pub async fn attempt(&self) -> Result<Outcome, Failure> {
        let mut state = self.load().await?;
        self.resolve_pending(&mut state).await?;
        if !state.value.is_posted(&self.webhook.id) {
            self.post(&mut state).await?;
        }
        self.send_receipt(ReceiptOutcome::Delivered).await?;
        Ok(Outcome::Delivered)
    }

    async fn post(&self, state: &mut Document<OutboundState>) -> Result<(), Failure> {
        let Delivery { world, process, .. } = self.delivery;
        let (id, chat) = (&self.webhook.id, self.chat);
        let mut parts = Vec::new();
        for piece in pieces(&self.webhook) {
            let Piece::Text(text) = piece else {
                unreachable!("{piece:?}");
            };
            parts.extend(split_for_teams(&text, BODY_LIMIT));
        }
        world.is_to_have_parts(id, parts.len());
        let already = state.value.parts_posted(id);
        for (index, html) in parts.iter().enumerate().skip(already) {
            let (is_last, fingerprint) = (index + 1 == parts.len(), fingerprint_html(html));
            state
                .value
                .begin(id, index, is_last, world.now(), fingerprint, Says::Words);
            self.save(state).await?;
            let (html, part) = (html.clone(), (id.clone(), index));
            let post = move |world: &Rc<World>| world.posted(chat, &html, part);
            match world.call(process, Service::Graph, Some(chat), post).await {
                Ok(posted) => {
                    state.value.posted(posted, world.now());
                    self.save(state).await?;
                }
                Err(trouble) => {
                    // Only of these it is certain that nothing was done.
                    if matches!(trouble.kind, Kind::Refused | Kind::Throttled) {
                        state.value.clear_pending();
                        self.save(state).await?;
                    }
                    return Err(trouble.into());
                }
            }
        }
        Ok(())
    }

    /// Settles the chat's pending post, if there is one: posted after all, or not and free to be posted again.
    async fn resolve_pending(&self, state: &mut Document<OutboundState>) -> Result<(), Trouble> {
        let Delivery { world, process, .. } = self.delivery;
        let Some(pending) = state.value.pending.clone() else {
            return Ok(());
        };
        sleep(self.until_over(&pending)).await;
        let (chat, since) = (self.chat, pending.started_at - CLOCK_SKEW);
        let list = move |world: &Rc<World>| world.teams.since(chat, since);
        let listed = world.call(process, Service::Graph, None, list).await?;
        let candidate = |message: bridge::teams::message::ChatMessage| Candidate {
            id: message.id,
            created: message.created,
            sender: message.from.and_then(|sender| sender.user),
            html: message.body.content,
            by_hand: false,
        };
        let candidates: Vec<Candidate> = listed.into_iter().map(candidate).collect();
        let taken = state.value.taken();
        match recognise(
            &candidates,
            &pending.fingerprint,
            since,
            &taken,
            &support_id(),
        ) {
            Some(message) => state.value.posted(message, world.now()),
            None => state.value.clear_pending(),
        }
        self.save(state).await
    }

    fn until_over(&self, pending: &Pending) -> Duration {
        let passed = Duration::try_from(self.delivery.world.now() - pending.started_at);
        (CALL_LIMIT * 2).saturating_sub(passed.unwrap_or_default())
    }

    /// A last look before the message is given up: it may have arrived all the same.
    pub async fn arrived_after_all(&self) -> Result<bool, HandBack> {
        let Ok(mut state) = self.load().await else {
            return Ok(false);
        };
        let pending = state.value.pending.as_ref();
        if pending.is_some_and(|pending| pending.message == self.webhook.id)
            && self.resolve_pending(&mut state).await.is_err()
        {
            return Ok(false);
        }
        if !state.value.is_posted(&self.webhook.id) {
            return Ok(false);
        }
        self.send_receipt(ReceiptOutcome::Delivered).await?;
        Ok(true)
    }

    pub async fn tell_failed(&self) -> Result<(), HandBack> {
        let outcome = ReceiptOutcome::Failed {
            code: ReasonCode::ServerError,
            message: String::new(),
        };
        Ok(self.send_receipt(outcome).await?)
    }

    async fn send_receipt(&self, outcome: ReceiptOutcome) -> Result<(), Trouble> {
        let Delivery {
            world,
            process,
            message,
            ..
        } = self.delivery;
        let receipt = ReceiptEnvelope {
            message: self.webhook.id.clone(),
            to: self.webhook.to.clone(),
            outcome,
            at: world.now(),
        };
        let envelope = Envelope::new(world.now(), Content::Receipt(receipt));
        let envelope = envelope.replayed(message.envelope.replay.clone());
        world.enqueue(process, &envelope).await
    }
}
