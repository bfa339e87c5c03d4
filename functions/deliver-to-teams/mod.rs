//! `deliver-to-teams`: takes agents' messages from the outbound queue into the customer's chat, once each, and tells Genesys
//! how each of them ended.

mod answered;
mod attachments;
mod ended;
mod message;
mod notice;
mod parts;
mod pending;
mod posting;
mod receipt;
mod speaker;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::queue::envelope::Content;
use bridge::queue::failed::Direction;

use self::answered::Answered;
use self::ended::Ended;
use self::message::AgentMessage;
use self::notice::Notice;
pub(crate) use self::receipt::{explanation_for_agent, receipt};
use crate::app::App;
use crate::queue::delivery::{self, Delivery, HandBack, Outcome};
use crate::queue::opening::open;
use crate::queue::settlement::{refuse, settle};

/// Name of the function.
pub const NAME: &str = "deliver-to-teams";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-to-teams";

/// Delivers one message of the outbound queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |delivery| deliver(&app, delivery);
    delivery::run(&app, NAME, Direction::Outbound, request, work).await
}

async fn deliver(app: &App, delivery: Delivery) -> Result<Outcome, HandBack> {
    let delivery = &delivery;
    let opened = open(app, delivery).await?;
    let Ok(envelope) = &opened.envelope else {
        return refuse(app, delivery, &opened).await;
    };
    match &envelope.content {
        Content::AgentMessage(message) => {
            let message = AgentMessage::read(app, delivery, envelope, message);
            settle(app, delivery, &opened, &message).await
        }
        Content::Notice(notice) => {
            let notice = Notice::new(app, delivery, notice);
            settle(app, delivery, &opened, &notice).await
        }
        Content::Answered(answered) => {
            let answered = Answered::new(app, delivery, answered);
            settle(app, delivery, &opened, &answered).await
        }
        Content::Ended(ended) => {
            let ended = Ended::new(app, delivery, ended);
            settle(app, delivery, &opened, &ended).await
        }
        _ => refuse(app, delivery, &opened).await,
    }
}

#[cfg(test)]
mod tests;
