//! `deliver-to-genesys`: takes customers' messages, and receipts of agents' messages, from the inbound queue to Genesys.

mod answers;
mod attachments;
mod chat;
mod message;
mod notice;
mod posting;
mod receipt;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::queue::envelope::Content;
use bridge::queue::failed::Direction;

use self::message::CustomerMessage;
use self::receipt::ReceiptJob;
use crate::app::App;
use crate::queue::delivery::{self, Delivery, HandBack, Outcome};

/// Name of the function.
pub const NAME: &str = "deliver-to-genesys";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-genesys";

/// Delivers one message of the inbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let worker = Arc::clone(&app);
    let work = |delivery| async move { settle(&worker, &delivery).await };
    delivery::run(&app.counters, &app.times, NAME, request, work).await
}

async fn settle(app: &App, delivery: &Delivery) -> Result<Outcome, HandBack> {
    let opened = app.settlement.open(delivery).await?;
    let body = &opened.body;
    match &opened.content {
        Ok(Content::Notification(notification)) => {
            let message = CustomerMessage::new(app, delivery, notification);
            app.settlement.settle(delivery, body, &message).await
        }
        Ok(Content::Receipt(receipt)) => {
            let receipt = ReceiptJob::new(app, delivery, receipt);
            app.settlement.settle(delivery, body, &receipt).await
        }
        _ => {
            let way = (Direction::Inbound, app.settings.inbound_queue.as_str());
            app.settlement.refuse(delivery, &opened, way).await
        }
    }
}

#[cfg(test)]
mod tests;
