//! `deliver-to-genesys`: takes customers' messages, and receipts of agents' messages, from the inbound queue to Genesys.

mod aftermath;
mod attachments;
mod chat;
mod choice;
mod content;
mod group;
mod message;
mod notice;
mod receipt;
mod series;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::ids::Digest;
use bridge::queue::envelope::{Content, NotificationEnvelope};
use services::error::{Service, ServiceError};

use self::series::Files;
use crate::app::{App, GENESYS_KEY};
use crate::failed;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, HandBack, Outcome, queue_function};
use crate::opening::{misplaced, open};
use crate::pauses::GENESYS_CALLS;
use crate::persistence::{End, Work, persist};

/// Name of the function.
pub const NAME: &str = "deliver-to-genesys";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-genesys";

/// Delivers one message of the inbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let worker = Arc::clone(&app);
    queue_function(&app, NAME, request, |delivery| {
        Box::pin(async move { settle(&worker, &delivery).await })
    })
    .await
}

async fn settle(app: &App, delivery: &Delivery) -> Result<Outcome, HandBack> {
    let opened = open(app, delivery).await?;
    let unreadable = |rejection| {
        (
            Digest::of("lane", delivery.lane.as_str()),
            given_up(rejection),
        )
    };
    let (subject, end) = match &opened.content {
        Ok(Content::Notification(notification)) => {
            let subject = notification.chat.digest();
            if let Some(rejection) =
                failed::earlier_verdict(app, delivery, &subject, &opened.body).await?
            {
                notice::enqueue_notice(app, delivery, notification, &rejection).await?;
                return Ok(Outcome::Failed);
            }
            let end = deliver_message(app, delivery, &subject, notification).await?;
            (subject, end)
        }
        Ok(Content::Receipt(receipt)) => {
            let subject = Digest::of("thread", &receipt.to);
            let end = persist(app, delivery, &subject, Work::Receipt, || {
                Box::pin(receipt::deliver(app, delivery, receipt))
            })
            .await?;
            (subject, end)
        }
        Ok(_) => unreadable(misplaced()),
        Err(rejection) => unreadable(rejection.clone()),
    };
    match end {
        End::Done(outcome) => Ok(outcome),
        End::GivenUp {
            rejection,
            attempts,
        } => {
            failed::store(
                app,
                delivery,
                "inbound",
                &subject,
                &opened.body,
                &rejection,
                attempts,
            )
            .await
            .map_err(|error| failed::report_not_stored(&error))?;
            if let Ok(Content::Notification(notification)) = &opened.content {
                notice::enqueue_notice(app, delivery, notification, &rejection).await?;
            }
            Ok(Outcome::Failed)
        }
    }
}

/// Delivers a customer's message. One that only a file keeps from arriving is not given up: the file is.
async fn deliver_message(
    app: &App,
    delivery: &Delivery,
    subject: &Digest,
    notification: &NotificationEnvelope,
) -> Result<End<Outcome>, HandBack> {
    let files = Files::default();
    loop {
        let end = persist(app, delivery, subject, Work::Message, || {
            files.failing.store(false, Ordering::Relaxed);
            Box::pin(message::deliver(app, delivery, notification, &files))
        })
        .await?;
        let only_a_file = matches!(end, End::GivenUp { .. })
            && files.failing.load(Ordering::Relaxed)
            && !files.given_up.swap(true, Ordering::Relaxed);
        if !only_a_file {
            return Ok(end);
        }
    }
}

fn given_up(rejection: Rejection) -> End<Outcome> {
    End::GivenUp {
        rejection: Box::new(rejection),
        attempts: 0,
    }
}

/// Waits for our Genesys client's turn, makes the call, and passes on a wish to be left alone.
async fn call_genesys<T>(
    app: &App,
    delivery: &Delivery,
    work: Work,
    subject: &Digest,
    call: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, Failure> {
    app.pauses
        .turn(&app.blobs, GENESYS_KEY, GENESYS_CALLS, delivery.deadline)
        .await?;
    let _probe = app
        .outages
        .turn(Service::Genesys, delivery.deadline)
        .await?;
    match call.await {
        Ok(answer) => {
            app.served(work, Service::Genesys, subject);
            Ok(answer)
        }
        Err(error) => Err(app.judge(error, GENESYS_KEY, GENESYS_CALLS).await),
    }
}
