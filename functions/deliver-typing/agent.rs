//! An agent who is typing, shown to the customer.

use std::time::Duration;

use bridge::bot::outgoing;
use bridge::bot::reference::ConversationReference;
use bridge::genesys::webhook::Webhook;
use bridge::ids::{ChatId, Digest, ThreadId};
use bridge::queue::envelope::{AgentEnvelope, Envelope};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use bridge::typing::{SHOWN_AGAIN_AFTER, again_in};
use services::bot::Conversation;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::failure::Failure;
use crate::outside::{Call, Caller};
use crate::queue::delivery::{Delivery, Outcome};
use crate::store::document::peek;

/// How long a typing indicator may wait for its turn.
const WAIT: Duration = Duration::from_secs(1);

/// Shows it until it ends, or until a message goes out.
///
/// # Errors
/// It could not be shown.
pub(super) async fn show(
    app: &App,
    delivery: &Delivery,
    envelope: &Envelope,
    message: &AgentEnvelope,
) -> Result<Outcome, Failure> {
    let webhook = Webhook::parse(&message.body(), envelope.accepted_at);
    let thread = webhook
        .as_ref()
        .ok()
        .and_then(|it| it.to.parse::<ThreadId>().ok());
    let (Ok(webhook), Some(thread)) = (webhook, thread) else {
        return Ok(Outcome::Skipped("no thread of ours"));
    };
    if !app.settings.is_bot(&thread.account) {
        return Ok(Outcome::Skipped("a Support User cannot show typing"));
    }
    let subject = Digest::of("thread", &webhook.to);
    let began = Instant::now();
    if was_shown_since(app, &subject, began - SHOWN_AGAIN_AFTER) {
        return Ok(Outcome::Skipped("is shown"));
    }
    let (chat, reference) = match app.bot_chats.get(&subject) {
        Some(known) => known,
        None => {
            let Some(found) = find(app, &thread).await? else {
                return Ok(Outcome::Skipped("no conversation is known"));
            };
            app.bot_chats.insert(subject.clone(), found.clone());
            found
        }
    };
    loop {
        app.typing_shown.insert(subject.clone(), Instant::now());
        let shown = Instant::now();
        let mut caller = delivery.caller(subject.clone());
        caller.deadline = caller.deadline.min(shown + WAIT);
        post(app, &caller, &chat, &reference).await?;
        let Some(wait) = again_in(webhook.typing_for, began.elapsed()) else {
            return Ok(Outcome::Delivered);
        };
        sleep(wait).await;
        let posts = peek::<OutboundState>(&app.blobs, &blobs::outbound_state(&chat)).await?;
        let has_written = posts.and_then(|posts| posts.last_post).is_some_and(|at| {
            let ago = Duration::try_from(OffsetDateTime::now_utc() - at).unwrap_or_default();
            ago < began.elapsed()
        });
        if has_written || was_shown_since(app, &subject, shown) {
            return Ok(Outcome::Delivered);
        }
    }
}

fn was_shown_since(app: &App, subject: &Digest, time: Instant) -> bool {
    app.typing_shown.get(subject).is_some_and(|at| at > time)
}

async fn post(
    app: &App,
    caller: &Caller,
    chat: &ChatId,
    reference: &ConversationReference,
) -> Result<(), Failure> {
    let Some(bot) = &app.bot else {
        return Ok(());
    };
    let turn = app
        .gate
        .turn(Call::BotTyping(&caller.subject), caller)
        .await?;
    let conversation = Conversation {
        service_url: &reference.service_url,
        id: chat.as_str(),
        correlation: caller.correlation.as_str(),
    };
    let typing = outgoing::typing();
    turn.make(bot.post(conversation, &typing, WAIT)).await?;
    Ok(())
}

/// The conversation of a thread.
async fn find(
    app: &App,
    thread: &ThreadId,
) -> Result<Option<(ChatId, ConversationReference)>, Failure> {
    let now = OffsetDateTime::now_utc();
    let Some(chat) = app.threads.chat_of(&app.blobs, thread, now).await? else {
        return Ok(None);
    };
    let state = peek::<InboundState>(&app.blobs, &blobs::inbound_state(&chat)).await?;
    let reference = state.and_then(|state| state.reference);
    Ok(reference.map(|reference| (chat, reference)))
}
