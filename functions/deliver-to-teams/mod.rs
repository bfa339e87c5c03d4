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
use bridge::ids::{Digest, Lane, ThreadId};
use bridge::queue::envelope::{Content, NoticeEnvelope};

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
    let webhook = match &opened.content {
        Ok(Content::AgentMessage { webhook }) => {
            Webhook::parse(webhook.as_bytes()).map_err(|error| {
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
        tell_the_agent(app, delivery, &webhook, &rejection).await?;
        return Ok(Outcome::Failed);
    }
    let end = persist(app, delivery, &subject, Work::Post, || {
        Box::pin(post::deliver(app, delivery, &webhook))
    })
    .await?;
    match end {
        End::Done(outcome) => Ok(outcome),
        End::GivenUp {
            rejection,
            attempts,
        } => {
            // The last post may have arrived although its answer did not.
            if post::arrived_after_all(app, delivery, &webhook).await? {
                return Ok(Outcome::Delivered);
            }
            store(app, delivery, &place, &opened.body, &rejection, attempts).await?;
            tell_the_agent(app, delivery, &webhook, &rejection).await?;
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
    delivery: &Delivery,
    webhook: &Webhook,
    rejection: &Rejection,
) -> Result<(), HandBack> {
    let outcome = ReceiptOutcome::Failed {
        code: rejection.receipt,
        message: explanation_for_agent(rejection.receipt).to_owned(),
    };
    let lane = receipt_lane(app, &webhook.to).await;
    enqueue_receipt(app, &lane, &delivery.correlation, webhook, outcome)
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

/// The lane of the chat where the thread is known, so that the receipt follows the chat's own messages.
async fn receipt_lane(app: &App, to: &str) -> Lane {
    match to.parse::<ThreadId>() {
        Ok(thread) => match threads::chat_of(app, &thread).await {
            Ok(Some(chat)) => Lane::inbound(&chat),
            _ => Lane::unroutable(to),
        },
        Err(_) => Lane::unroutable(to),
    }
}
