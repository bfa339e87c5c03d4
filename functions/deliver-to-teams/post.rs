//! One agent message on its way into the chat: save pending, post, save posted, enqueue the receipt.

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::{Webhook, text_for_customer};
use bridge::ids::{ChatId, Digest, Lane, TeamsMessageId, ThreadId};
use bridge::recognise::fingerprint_html;
use bridge::teams_html::{TEAMS_BODY_LIMIT, split_for_teams};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use time::OffsetDateTime;

use super::chat::ChatMemory;
use super::pending;
use crate::app::{App, graph_key};
use crate::failure::{Failure, Rejection};
use crate::graph_calls::as_support_user;
use crate::invocation::{Delivery, HandBack, Outcome};
use crate::pauses::GRAPH_POSTS;
use crate::receipts::enqueue_receipt;
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
    let parts = text_for_customer(webhook)
        .map(|text| split_for_teams(&text, TEAMS_BODY_LIMIT))
        .filter(|parts| !parts.is_empty())
        .ok_or_else(|| {
            Failure::Permanent(Rejection::new(
                "nothing_to_show",
                "the message holds nothing that Teams can show",
                ReasonCode::UnsupportedMessage,
            ))
        })?;

    let mut memory = ChatMemory::load(app, &chat).await?;
    pending::resolve(app, delivery, account, &chat, &mut memory).await?;
    let already = memory.state.parts_posted(&webhook.id);
    for (index, html) in parts.iter().enumerate().skip(already) {
        let part = Part {
            index,
            of: parts.len(),
            html,
        };
        post_part(app, delivery, account, &chat, &mut memory, webhook, &part).await?;
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
    Ok(if already < parts.len() {
        Outcome::Delivered
    } else {
        Outcome::Skipped("already posted")
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
    .map_err(|_| HandBack)?;
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

struct Part<'a> {
    index: usize,
    of: usize,
    html: &'a str,
}

async fn post_part(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccount,
    chat: &ChatId,
    memory: &mut ChatMemory,
    webhook: &Webhook,
    part: &Part<'_>,
) -> Result<(), Failure> {
    let key = graph_key(account.name.as_str());
    app.pauses.turn(&app.blobs, &key, GRAPH_POSTS).await;
    // A sign-in problem must not leave a post pending that was never sent.
    app.delegated.token(account.name.as_str()).await?;
    let complete = part.index + 1 == part.of;
    memory.state.begin(
        &webhook.id,
        part.index,
        complete,
        OffsetDateTime::now_utc(),
        fingerprint_html(part.html),
    );
    memory.save(app).await?;

    let posted = as_support_user(app, &account.name, |token| {
        Box::pin(async move {
            let timeout = app.settings.graph_post_timeout;
            app.graph
                .post_message(
                    &token,
                    delivery.correlation.as_str(),
                    chat.as_str(),
                    part.html,
                    timeout,
                )
                .await
        })
    })
    .await
    .and_then(|id| {
        // It is in the chat, but only its listing can tell its id now.
        let unusable = || ServiceError::new(Service::Graph, ErrorKind::Malformed, Sent::Yes);
        id.parse::<TeamsMessageId>().map_err(|_| unusable())
    });
    match posted {
        Ok(id) => {
            app.served(Service::Graph, &Digest::of("thread", &webhook.to));
            memory.state.posted(id, OffsetDateTime::now_utc());
            memory.save(app).await
        }
        Err(error) => {
            if certainly_not_posted(&error) {
                memory.state.clear_pending();
                memory.save(app).await?;
            }
            Err(app.judge(error, &key, GRAPH_POSTS).await)
        }
    }
}

/// Graph's own refusal, or a request that never left.
fn certainly_not_posted(error: &ServiceError) -> bool {
    error.service != Service::Graph || error.sent == Sent::No
}
