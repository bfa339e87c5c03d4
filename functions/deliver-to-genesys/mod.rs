//! `deliver-to-genesys`: takes customers' messages, and receipts of agents' messages, from the inbound queue to Genesys; and reads
//! the chats in which messages may have gone untold.

mod activity;
mod answers;
mod attachments;
mod catch_up;
mod chat;
mod ending;
mod lookups;
mod message;
mod notice;
mod posting;
mod receipt;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::queue::envelope::Content;
use bridge::queue::failed::Direction;

use self::catch_up::ChatReading;
use self::ending::Ending;
use self::message::CustomerMessage;
use self::receipt::ReceiptJob;
use crate::app::App;
use crate::lifecycle_graph::LifecycleWork;
use crate::queue::delivery::{self, Delivery, HandBack, Outcome};
use crate::queue::opening::open;
use crate::queue::settlement::{refuse, settle};

/// Name of the function.
pub const NAME: &str = "deliver-to-genesys";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-genesys";

/// Delivers one message of the inbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |delivery| deliver(&app, delivery);
    delivery::run(&app, NAME, Direction::Inbound, request, work).await
}

async fn deliver(app: &App, delivery: Delivery) -> Result<Outcome, HandBack> {
    let delivery = &delivery;
    let opened = open(app, delivery).await?;
    let is_replay = opened.envelope.as_ref().is_ok_and(|it| it.replay.is_some());
    match opened.envelope.as_ref().map(|it| &it.content) {
        Ok(Content::Notification(notification)) => {
            let message = CustomerMessage::new(app, delivery, notification)
                .telling_of_delay(delivery, is_replay);
            settle(app, delivery, &opened, &message).await
        }
        Ok(Content::Activity(activity)) => {
            Box::pin(activity::deliver(
                app, delivery, &opened, activity, is_replay,
            ))
            .await
        }
        Ok(Content::Ending(ending)) => {
            let ending = Ending::new(app, delivery, ending);
            settle(app, delivery, &opened, &ending).await
        }
        Ok(Content::Receipt(receipt)) => {
            let receipt = ReceiptJob::new(app, delivery, receipt);
            settle(app, delivery, &opened, &receipt).await
        }
        Ok(Content::CatchUp(reading)) => {
            let reading = ChatReading::new(app, delivery, reading);
            settle(app, delivery, &opened, &reading).await
        }
        Ok(Content::Lifecycle(lifecycle)) => {
            let work = LifecycleWork::new(app, delivery, lifecycle);
            settle(app, delivery, &opened, &work).await
        }
        _ => refuse(app, delivery, &opened).await,
    }
}

#[cfg(test)]
mod tests;
