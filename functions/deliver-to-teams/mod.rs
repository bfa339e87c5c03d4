//! `deliver-to-teams`: takes agents' messages from the outbound queue into the customer's chat, once each, and tells Genesys
//! how each of them ended.

mod attachments;
mod chat;
mod notice;
mod pending;
mod post;
mod posting;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::ids::{Digest, ThreadId};
use bridge::queue::envelope::{Content, NoticeEnvelope};
use time::OffsetDateTime;

use crate::app::App;
use crate::failure::Rejection;
use crate::invocation::{Delivery, HandBack, Outcome, queue_function};
use crate::opening::{misplaced, open};
use crate::persistence::{End, Work, persist};
use crate::receipts::{enqueue_receipt, explanation_for_agent, report_not_enqueued};
use crate::{failed, threads};

/// Name of the function.
pub const NAME: &str = "deliver-to-teams";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-teams";

/// Delivers one message of the outbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let worker = Arc::clone(&app);
    queue_function(&app, NAME, request, |delivery| {
        Box::pin(async move { settle(&worker, &delivery).await })
    })
    .await
}

async fn settle(app: &App, delivery: &Delivery) -> Result<Outcome, HandBack> {
    let opened = open(app, delivery).await?;
    if let Ok(Content::Notice(notice)) = &opened.content {
        return settle_notice(app, delivery, &opened.body, notice).await;
    }
    let received = delivery
        .trigger
        .enqueued_at
        .unwrap_or_else(OffsetDateTime::now_utc);
    let replay = opened.replay.as_ref();
    let webhook = match &opened.content {
        Ok(Content::AgentMessage(message)) => {
            Webhook::parse(&message.body(), received).map_err(|error| {
                let explanation = format!("the webhook cannot be read: {error}");
                Rejection::new(
                    "webhook_malformed",
                    explanation,
                    ReasonCode::InvalidMessageStructure,
                )
            })
        }
        Ok(_) => Err(misplaced()),
        Err(rejection) => Err(rejection.clone()),
    };
    let webhook = match webhook {
        Ok(webhook) => webhook,
        Err(rejection) => {
            // Without a readable webhook there is no id that a receipt could name.
            let subject = Digest::of("lane", delivery.lane.as_str());
            store(app, delivery, &subject, &opened.body, &rejection, 0).await?;
            return Ok(Outcome::Failed);
        }
    };
    let subject = Digest::of("thread", &webhook.to);
    let place = failed_under(app, &webhook.to).await;
    if let Some(rejection) = failed::earlier_verdict(app, delivery, &place, &opened.body).await? {
        tell_the_agent(app, &webhook, replay, &rejection).await?;
        return Ok(Outcome::Failed);
    }
    if webhook.is_late(received) {
        let rejection = Rejection::new(
            "webhook_late",
            "the webhook call came too late to be told from a replayed one",
            ReasonCode::MessageExpired,
        );
        store(app, delivery, &place, &opened.body, &rejection, 0).await?;
        tell_the_agent(app, &webhook, replay, &rejection).await?;
        return Ok(Outcome::Failed);
    }
    let end = persist(app, delivery, &subject, Work::Post, || {
        Box::pin(post::deliver(app, delivery, &webhook, replay))
    })
    .await?;
    match end {
        End::Done(outcome) => Ok(outcome),
        End::GivenUp {
            rejection,
            attempts,
        } => {
            // The last post may have arrived although its answer did not.
            if post::arrived_after_all(app, delivery, &webhook, replay).await? {
                return Ok(Outcome::Delivered);
            }
            store(app, delivery, &place, &opened.body, &rejection, attempts).await?;
            tell_the_agent(app, &webhook, replay, &rejection).await?;
            Ok(Outcome::Failed)
        }
    }
}

async fn settle_notice(
    app: &App,
    delivery: &Delivery,
    body: &[u8],
    notice: &NoticeEnvelope,
) -> Result<Outcome, HandBack> {
    let subject = notice.chat.digest();
    let end = persist(app, delivery, &subject, Work::Post, || {
        Box::pin(notice::deliver(app, delivery, notice))
    })
    .await?;
    match end {
        End::Done(outcome) => Ok(outcome),
        End::GivenUp {
            rejection,
            attempts,
        } => {
            store(app, delivery, &subject, body, &rejection, attempts).await?;
            Ok(Outcome::Failed)
        }
    }
}

async fn store(
    app: &App,
    delivery: &Delivery,
    subject: &Digest,
    body: &[u8],
    rejection: &Rejection,
    attempts: u32,
) -> Result<(), HandBack> {
    failed::store(
        app, delivery, "outbound", subject, body, rejection, attempts,
    )
    .await
    .map_err(|error| failed::report_not_stored(&error))
}

async fn tell_the_agent(
    app: &App,
    webhook: &Webhook,
    replay: Option<&String>,
    rejection: &Rejection,
) -> Result<(), HandBack> {
    let outcome = ReceiptOutcome::Failed {
        code: rejection.receipt,
        message: explanation_for_agent(rejection.receipt).to_owned(),
    };
    enqueue_receipt(app, webhook, replay.cloned(), outcome)
        .await
        .map_err(|error| report_not_enqueued(&error))
}

/// Failed messages lie with their chat's others; those of no known chat by their addressee.
async fn failed_under(app: &App, to: &str) -> Digest {
    match to.parse::<ThreadId>() {
        Ok(thread) => match threads::chat_of(app, &thread).await {
            Ok(Some(chat)) => chat.digest(),
            _ => Digest::of("thread", to),
        },
        Err(_) => Digest::of("thread", to),
    }
}
