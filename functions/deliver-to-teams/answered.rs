//! Taking the buttons off a card whose question has its answer.

use std::time::Duration;

use bridge::bot::{cards, outgoing};
use bridge::ids::{Digest, SupportAccountName};
use bridge::patience::Fault;
use bridge::queue::envelope::AnsweredEnvelope;
use tokio::time::sleep;

use super::posting::OutboundChat;
use crate::app::App;
use crate::doors::Door;
use crate::failure::{Failure, fault_of};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;

/// Tries to change a card, and the time between them.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// An answered card.
pub(super) struct Answered<'a> {
    app: &'a App,
    answered: &'a AnsweredEnvelope,
    caller: Caller,
}

impl<'a> Answered<'a> {
    /// The card of an envelope.
    pub(super) fn new(app: &'a App, delivery: &Delivery, answered: &'a AnsweredEnvelope) -> Self {
        Self {
            app,
            answered,
            caller: delivery.caller(Digest::of("thread", &answered.thread.to_string())),
        }
    }
}

impl Job for Answered<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let answered = self.answered;
        let account = &answered.thread.account;
        let chat = OutboundChat::load(self.app, &self.caller, account, &answered.chat).await?;
        let post = chat.state.value.posts.get(&answered.question);
        let question = post.and_then(|post| post.question.as_ref());
        let card = question.and_then(|question| cards::answered(question, &answered.answer));
        let (Some(card), Door::Bot(bot)) = (card, chat.way.door()?) else {
            return Ok(Outcome::Skipped("no card of a bot"));
        };
        let activity = outgoing::card(&card, &answered.answer);
        let mut tries = 0;
        loop {
            tries += 1;
            match bot.update(&answered.card, &activity).await {
                Ok(()) => return Ok(Outcome::Delivered),
                Err(Failure::Service(error))
                    if tries < TRIES && fault_of(&error) == Fault::Transient =>
                {
                    sleep(BETWEEN_TRIES).await;
                }
                // It must not keep what the agent writes next.
                Err(failure) => {
                    let reason = failure.label();
                    tracing::warn!(event = "card_keeps_its_buttons", reason);
                    return Ok(Outcome::Skipped("the card keeps its buttons"));
                }
            }
        }
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.answered.chat.digest())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.answered.thread.account)
    }

    /// A card that keeps its buttons is no loss.
    fn is_worth_storing(&self) -> bool {
        false
    }
}
