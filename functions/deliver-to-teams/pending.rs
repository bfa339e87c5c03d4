//! Finding out what became of a post whose answer was never seen.
//!
//! Graph has no idempotency key for chat messages, and Teams rewrites the HTML it is given. So the chat is read, once the
//! request can no longer be under way, and our own message is recognised by its normalised text.

use std::time::Duration;

use bridge::bot::outgoing::repeated_after;
use bridge::patience::Fault;
use bridge::state::outbound::Pending;
use bridge::teams::from_text::from_text;
use bridge::teams::message::{Attachment, ChatMessage};
use bridge::teams::recognise::{Candidate, recognise};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, sleep_until};

use super::posting::OutboundChat;
use crate::doors::{Bot, Door};
use crate::failure::{Failure, fault_of};

/// How far our clock may run ahead of Graph's.
const CLOCK_SKEW: Duration = Duration::from_secs(120);

/// How long after an error was answered the post may still appear: a gateway's error does not prove that the work behind it is
/// over.
const AFTER_AN_ANSWER: Duration = Duration::from_secs(5);

/// Age of a pending post at which a chat that refuses to be listed is no longer asked about it: it would be mute for ever.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

impl OutboundChat<'_> {
    /// Settles the chat's pending post, if there is one: posted after all, or not and free to be posted again.
    ///
    /// # Errors
    /// The chat or the state could not be read or written; the post stays pending.
    pub(super) async fn resolve_pending(&mut self) -> Result<(), Failure> {
        let Some(pending) = self.state.value.pending.clone() else {
            return Ok(());
        };
        let (graph, user) = match self.way.door()? {
            Door::Graph(graph) => (graph, self.way.user()),
            Door::Bot(bot) => {
                self.until_worth_another(&pending, bot).await?;
                self.state.value.lose_pending(OffsetDateTime::now_utc());
                return self.save().await;
            }
        };
        sleep(self.until_over(&pending)).await;
        let since = pending.started_at - CLOCK_SKEW;
        let listed = match graph.find_post(since).await {
            Err(Failure::Service(error)) if is_hopeless(&pending, fault_of(&error)) => {
                tracing::error!(
                    event = "pending_post_forgotten",
                    status = error.status,
                    "the chat cannot be read, so whether an earlier attempt posted cannot be told"
                );
                self.state.value.clear_pending();
                return self.save().await;
            }
            listed => listed?,
        };
        let candidates: Vec<Candidate> = listed.iter().filter_map(candidate).collect();
        let taken = self.state.value.taken();
        let found =
            user.and_then(|user| recognise(&candidates, &pending.fingerprint, since, &taken, user));
        match found {
            Some(message) => {
                tracing::info!(event = "pending_post_recognised");
                self.way
                    .app
                    .own_posts
                    .posted(&self.way.chat.digest(), &message);
                self.state.value.posted(message, OffsetDateTime::now_utc());
            }
            None => {
                tracing::info!(event = "pending_post_absent");
                self.state.value.clear_pending();
            }
        }
        self.save().await
    }

    /// Waits until a post of the bot's whose answer was lost is to be made again. A bot cannot look into its conversation, and twice is
    /// better than never; but while the connector does not even tell who is there, another post would only add to those that may be
    /// in it, and each further one comes later than the one before.
    async fn until_worth_another(&self, pending: &Pending, bot: Bot<'_>) -> Result<(), Failure> {
        let passed = Duration::try_from(OffsetDateTime::now_utc() - pending.started_at);
        let wait = repeated_after(self.state.value.lost());
        let until = Instant::now() + wait.saturating_sub(passed.unwrap_or_default());
        if until >= self.way.caller.deadline {
            return Err(Failure::OutOfTime);
        }
        sleep_until(until).await;
        bot.is_reached().await?;
        let lost = self.state.value.lost() + 1;
        tracing::warn!(
            event = "pending_post_unknown",
            lost,
            "the answer to a post of the bot's was lost, so it is made again"
        );
        Ok(())
    }

    /// Time until the request can no longer be under way: a crashed attempt's may still be on its way to Graph.
    fn until_over(&self, pending: &Pending) -> Duration {
        let app = self.way.app;
        let limit = app.settings.graph_post_timeout * 2;
        let passed = Duration::try_from(OffsetDateTime::now_utc() - pending.started_at);
        let left = limit.saturating_sub(passed.unwrap_or_default());
        match app.own_posts.since_answer(&self.way.chat.digest()) {
            Some(answered) => left.min(AFTER_AN_ANSWER.saturating_sub(answered)),
            None => left,
        }
    }
}

fn is_hopeless(pending: &Pending, fault: Fault) -> bool {
    fault == Fault::Refusal && OffsetDateTime::now_utc() - pending.started_at >= FORGOTTEN_AFTER
}

fn candidate(message: &Value) -> Option<Candidate> {
    let message = ChatMessage::parse(message.to_string().as_bytes()).ok()?;
    Some(Candidate {
        id: message.id,
        created: message.created,
        sender: message.from.and_then(|sender| sender.user),
        html: match message.body.html {
            true => message.body.content,
            false => from_text(&message.body.content),
        },
        by_hand: message.attachments.iter().any(Attachment::is_made_by_hand),
    })
}
