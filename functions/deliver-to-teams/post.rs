//! One agent message on its way into the chat, and the receipt that tells how it ended.

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::{Piece, Webhook, pieces, question};
use bridge::ids::{ChatId, Digest, Lane, ThreadId};
use bridge::state::outbound::Says;
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use tokio::sync::SemaphorePermit;

use super::chat::ChatMemory;
use super::posting::{Part, Posting};
use super::{attachments, pending};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, HandBack, Outcome};
use crate::receipts::{enqueue_receipt, report_not_enqueued};
use crate::settings::SupportAccount;
use crate::threads;

/// Delivers an agent's message; parts that are in the chat already are not posted again.
///
/// # Errors
/// Retriable ones leave the state such that another attempt finds out what was posted.
pub async fn deliver(
    app: &App,
    delivery: &Delivery,
    webhook: &Webhook,
) -> Result<Outcome, Failure> {
    let (account, chat) = destination(app, webhook).await?;
    let mut memory = ChatMemory::load(app, &chat).await?;
    pending::resolve(app, delivery, account, &chat, &mut memory).await?;
    let mut posted_now = false;
    if !memory.state.is_posted(&webhook.id) {
        // All files are at hand before the first word is posted: a message that cannot be shown whole fails whole.
        let parts = parts(app, webhook, &chat).await?;
        let posting = Posting {
            account,
            chat: &chat,
            id: &webhook.id,
            subject: Digest::of("thread", &webhook.to),
            parts: &parts.parts,
            says: question(webhook).map_or(Says::Words, Says::Question),
        };
        posted_now = posting.run(app, delivery, &mut memory).await?;
    }
    let lane = Lane::inbound(&chat);
    enqueue_receipt(
        app,
        &lane,
        &delivery.correlation,
        webhook,
        ReceiptOutcome::Delivered,
    )
    .await?;
    Ok(if posted_now {
        Outcome::Delivered
    } else {
        Outcome::Skipped("already posted")
    })
}

/// The Teams messages that an agent's message becomes, and the leave to hold their pictures in memory.
struct Parts<'a> {
    parts: Vec<Part>,
    _pictures: Option<SemaphorePermit<'a>>,
}

async fn parts<'a>(app: &'a App, webhook: &Webhook, chat: &ChatId) -> Result<Parts<'a>, Failure> {
    let pieces = pieces(webhook);
    let has_files = pieces.iter().any(|piece| matches!(piece, Piece::File(_)));
    let pictures = if has_files {
        app.pictures.acquire().await.ok()
    } else {
        None
    };
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let split = split_for_teams(text, TEAMS_BODY_LIMIT);
                parts.extend(split.into_iter().map(Part::of_html));
            }
            Piece::File(file) => {
                parts.push(attachments::part(app, webhook, chat, index, file).await?);
            }
        }
    }
    if parts.is_empty() {
        return Err(Failure::Permanent(Rejection::new(
            "nothing_to_show",
            "the message holds nothing that Teams can show",
            ReasonCode::UnsupportedMessage,
        )));
    }
    Ok(Parts {
        parts,
        _pictures: pictures,
    })
}

/// Whether a message that is about to be given up on was posted after all by an attempt whose answer got lost; its receipt is
/// then enqueued. A chat that cannot be read leaves the question to the next message's attempt.
///
/// # Errors
/// It was posted, but its receipt could not be enqueued.
pub async fn arrived_after_all(
    app: &App,
    delivery: &Delivery,
    webhook: &Webhook,
) -> Result<bool, HandBack> {
    let Ok((account, chat)) = destination(app, webhook).await else {
        return Ok(false);
    };
    let Ok(mut memory) = ChatMemory::load(app, &chat).await else {
        return Ok(false);
    };
    let is_pending = memory
        .state
        .pending
        .as_ref()
        .is_some_and(|pending| pending.message == webhook.id);
    if is_pending
        && pending::resolve(app, delivery, account, &chat, &mut memory)
            .await
            .is_err()
    {
        return Ok(false);
    }
    if !memory.state.is_posted(&webhook.id) {
        return Ok(false);
    }
    let lane = Lane::inbound(&chat);
    enqueue_receipt(
        app,
        &lane,
        &delivery.correlation,
        webhook,
        ReceiptOutcome::Delivered,
    )
    .await
    .map_err(|error| report_not_enqueued(&error))?;
    Ok(true)
}

/// The Support User and the chat that the thread id stands for.
async fn destination<'a>(
    app: &'a App,
    webhook: &Webhook,
) -> Result<(&'a SupportAccount, ChatId), Failure> {
    let reject =
        |kind, explanation| Rejection::new(kind, explanation, ReasonCode::InvalidDestination);
    let thread: ThreadId = webhook.to.parse().map_err(|_| {
        Failure::Permanent(reject(
            "thread_not_ours",
            "the message is addressed to no thread of this bridge",
        ))
    })?;
    let account = app
        .settings
        .support_account(thread.account())
        .ok_or_else(|| {
            Failure::Permanent(reject(
                "account_unknown",
                "the thread belongs to a support account that SUPPORT_ACCOUNTS does not name",
            ))
        })?;
    let chat = threads::chat_of(app, &thread).await?.ok_or_else(|| {
        Failure::NotYet(reject(
            "thread_unknown",
            "no chat is known for the thread that the message is addressed to",
        ))
    })?;
    Ok((account, chat))
}
