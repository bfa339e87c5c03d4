//! `deliver-to-teams`: takes agents' messages from the outbound queue into the customer's chat, once each, and tells Genesys
//! how each of them ended.

mod attachments;
mod message;
mod notice;
mod part;
mod parts;
mod pending;
mod posting;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::queue::envelope::Content;
use bridge::queue::failed::Direction;

use self::message::AgentMessage;
use self::notice::Notice;
use crate::app::App;
use crate::queue::delivery::{self, Delivery, HandBack, Outcome};

/// Name of the function.
pub const NAME: &str = "deliver-to-teams";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-teams";

/// Delivers one message of the outbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let worker = Arc::clone(&app);
    let work = |delivery| async move { settle(&worker, &delivery).await };
    delivery::run(&app.counters, &app.times, NAME, request, work).await
}

async fn settle(app: &App, delivery: &Delivery) -> Result<Outcome, HandBack> {
    let opened = app.settlement.open(delivery).await?;
    let body = &opened.body;
    match &opened.content {
        Ok(Content::AgentMessage(envelope)) => {
            let message = AgentMessage::read(app, delivery, envelope, &opened);
            app.settlement.settle(delivery, body, &message).await
        }
        Ok(Content::Notice(notice)) => {
            let notice = Notice::new(app, delivery, notice);
            app.settlement.settle(delivery, body, &notice).await
        }
        _ => {
            let way = (Direction::Outbound, app.settings.outbound_queue.as_str());
            app.settlement.refuse(delivery, &opened, way).await
        }
    }
}

#[cfg(test)]
mod tests;
