//! Finding out what became of a post whose answer was never seen.
//!
//! Graph has no idempotency key for chat messages, and Teams rewrites the HTML it is given. So the chat is read, once the
//! request can no longer be under way, and our own message is recognised by its normalised text.

use std::time::Duration;

use bridge::ids::ChatId;
use bridge::teams::from_text::from_text;
use bridge::teams::message::ChatMessage;
use bridge::teams::recognise::{Candidate, recognise};
use time::OffsetDateTime;
use tokio::time::sleep;

use super::chat::ChatMemory;
use crate::app::App;
use crate::failure::Failure;
use crate::graph_calls::read_as_support_user;
use crate::invocation::Delivery;
use crate::settings::SupportAccount;

/// How far our clock may run ahead of Graph's.
const CLOCK_SKEW: Duration = Duration::from_secs(120);

/// Settles the chat's pending post, if there is one: posted after all, or not and free to be posted again.
///
/// # Errors
/// The chat or the state could not be read or written; the post stays pending.
pub async fn resolve(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccount,
    chat: &ChatId,
    memory: &mut ChatMemory,
) -> Result<(), Failure> {
    let Some(pending) = memory.state.pending.clone() else {
        return Ok(());
    };
    // A request of a crashed attempt may still be on its way to Graph.
    let settled = pending.started_at + app.settings.graph_post_timeout * 2;
    if let Ok(wait) = Duration::try_from(settled - OffsetDateTime::now_utc()) {
        sleep(wait.min(app.settings.graph_post_timeout * 2)).await;
    }
    let since = pending.started_at - CLOCK_SKEW;
    let listed = read_as_support_user(app, delivery, &account.name, |token| {
        Box::pin(async move {
            app.graph
                .list_messages(&token, delivery.correlation.as_str(), chat.as_str(), since)
                .await
        })
    })
    .await??;
    let candidates: Vec<Candidate> = listed
        .iter()
        .filter_map(|message| ChatMessage::parse(message.to_string().as_bytes()).ok())
        .map(|message| Candidate {
            id: message.id,
            created: message.created,
            sender: message.from.and_then(|sender| sender.user),
            html: if message.body.html {
                message.body.content
            } else {
                from_text(&message.body.content)
            },
            attachments: message.attachments.len(),
        })
        .collect();
    let taken = memory.state.taken();
    let now = OffsetDateTime::now_utc();
    match recognise(
        &candidates,
        &pending.fingerprint,
        since,
        &taken,
        &account.user,
    ) {
        Some(message) => {
            tracing::info!(
                event = "pending_post_recognised",
                "an earlier attempt had posted it"
            );
            memory.state.posted(message, now);
        }
        None => {
            tracing::info!(
                event = "pending_post_absent",
                "an earlier attempt had not posted it"
            );
            memory.state.clear_pending();
        }
    }
    memory.save(app).await
}
