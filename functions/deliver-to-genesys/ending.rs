//! A customer who ends the conversation, by a word or a button: its customer leaves it at Genesys, and is told so.

use std::time::Duration;

use bridge::conversation::present_thread;
use bridge::conversation::series::{Piece, Series};
use bridge::ending::is_wish;
use bridge::ids::{Digest, SupportAccountName};
use bridge::patience::Fault;
use bridge::queue::envelope::{
    Content, EndedEnvelope, EndingEnvelope, Envelope, NotificationEnvelope,
};
use bridge::teams::chat_kind::ChatKind;
use time::OffsetDateTime;
use tokio::time::sleep;

use super::chat::InboundChat;
use crate::app::App;
use crate::failure::{Failure, fault_of};
use crate::outside::{Call, Caller};
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::enqueue::enqueue;
use crate::queue::job::Job;

/// Puts a customer's wish to end the conversation on the queue, where the message says nothing else. It comes after the message, since
/// it waits in the same lane; in a group nobody ends what others may need.
///
/// # Errors
/// The queue did not take it.
pub(super) async fn ask(
    app: &App,
    notification: &NotificationEnvelope,
    told: &[Series],
) -> Result<(), Failure> {
    let words = &app.settings.end_words;
    let asks = told.iter().any(|series| {
        let is_direct = series.conversation.kind == ChatKind::OneOnOne;
        let is_wish = |piece: &Piece| matches!(piece, Piece::Text(text) if is_wish(text, words));
        is_direct
            && series.is_new_of_customer
            && matches!(&series.pieces[..], [one] if is_wish(one))
    });
    if !asks {
        return Ok(());
    }
    let ending = EndingEnvelope {
        chat: notification.chat.clone(),
        message: notification.message.clone(),
        account: notification.account.clone(),
    };
    let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::Ending(ending));
    enqueue(app, &[envelope]).await?;
    Ok(())
}

/// Tries to end a conversation, and the time between them: the customer can ask again.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// The end of a conversation on its way to Genesys.
pub(super) struct Ending<'a> {
    app: &'a App,
    ending: &'a EndingEnvelope,
    caller: Caller,
}

impl<'a> Ending<'a> {
    /// The end that an envelope asks for.
    pub(super) fn new(app: &'a App, delivery: &Delivery, ending: &'a EndingEnvelope) -> Self {
        Self {
            app,
            ending,
            caller: delivery.caller(ending.chat.digest()),
        }
    }
}

impl Ending<'_> {
    /// Takes the customer out of the conversation, in a few tries; how many participants that were.
    async fn end(&self, conversation: &str) -> Result<usize, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.disconnect(conversation).await {
                Err(Failure::Service(error))
                    if tries < TRIES && fault_of(&error) == Fault::Transient =>
                {
                    sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    async fn disconnect(&self, conversation: &str) -> Result<usize, Failure> {
        let (app, caller) = (self.app, &self.caller);
        let turn = app.gate.turn(Call::GenesysConversation, caller).await?;
        let genesys = app.genesys_by(turn.client());
        let participants = turn.make(genesys.participants(conversation)).await?;
        let customers = participants
            .iter()
            .filter(|one| one.purpose == "customer" && !one.is_gone());
        let mut left = 0;
        for customer in customers {
            left += 1;
            let turn = app.gate.turn(Call::GenesysConversation, caller).await?;
            let genesys = app.genesys_by(turn.client());
            turn.make(genesys.disconnect(conversation, &customer.id))
                .await?;
        }
        Ok(left)
    }
}

impl Job for Ending<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, ending) = (self.app, self.ending);
        let chat = InboundChat::load(app, &ending.chat, &ending.account).await?;
        let known = chat.known();
        let conversation = known.outbound.and_then(|posts| posts.conversation.clone());
        let (Some(conversation), Some(thread)) = (conversation, present_thread(known.inbound))
        else {
            // Genesys tells a conversation's id with what the agent or the flow writes in it, and nowhere else.
            return Ok(Outcome::Skipped("no conversation is known"));
        };
        let left = match self.end(conversation.as_str()).await {
            Ok(left) => left,
            Err(error) => {
                let reason = error.label();
                tracing::error!(
                    event = "conversation_not_ended",
                    reason,
                    "a customer wants a conversation ended, and Genesys does not end it: check let_customers_end"
                );
                // It waits in the chat's lane, and must not keep what the customer writes next.
                return Ok(Outcome::Skipped("Genesys does not end it"));
            }
        };
        if left == 0 {
            // It was over before, and what the customer wrote since is a conversation whose id is not known yet.
            return Ok(Outcome::Skipped("the conversation that is known was over"));
        }
        let ended = EndedEnvelope {
            session: Digest::of("ending", ending.message.as_str()),
            conversation,
            thread,
            transferred: false,
        };
        let ended = Envelope::new(OffsetDateTime::now_utc(), Content::Ended(ended));
        enqueue(app, &[ended]).await?;
        Ok(Outcome::Delivered)
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.caller.subject.clone())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.ending.account)
    }

    /// Nobody wants a conversation ended that has gone on since.
    fn is_worth_storing(&self) -> bool {
        false
    }
}
