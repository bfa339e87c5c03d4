//! `deliver-typing`: shows each side that the other is typing. It is worth a try and never a repetition: whatever goes wrong, the queue
//! message is settled, and messages go first wherever both need the same.
//!
//! Over Graph there is no typing in either direction, so that of agents in such chats is dropped where it comes in.

mod agent;
mod customer;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::bot::activity::What;
use bridge::queue::envelope::Content;
use bridge::queue::failed::Direction;
use bridge::typing::is_late;
use time::OffsetDateTime;

use crate::app::App;
use crate::queue::delivery::{self, Delivery, HandBack, Outcome};
use crate::queue::opening::open;

/// Name of the function.
pub const NAME: &str = "deliver-typing";

/// Path at which the host calls it.
pub const PATH: &str = "/deliver-typing";

/// Delivers one message of the typing queue.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = async |delivery| {
        Ok(match deliver(&app, delivery).await? {
            Outcome::Delivered => Outcome::Routine(None),
            Outcome::Skipped(reason) => Outcome::Routine(Some(reason)),
            outcome => outcome,
        })
    };
    delivery::run(&app, NAME, Direction::Outbound, request, work).await
}

async fn deliver(app: &App, delivery: Delivery) -> Result<Outcome, HandBack> {
    let opened = open(app, &delivery).await?;
    let Ok(envelope) = &opened.envelope else {
        return Ok(Outcome::Skipped("unreadable"));
    };
    if is_late(envelope.accepted_at, OffsetDateTime::now_utc()) {
        return Ok(Outcome::Skipped("late"));
    }
    let shown = match &envelope.content {
        Content::AgentMessage(message) => agent::show(app, &delivery, envelope, message).await,
        Content::Activity(activity) if activity.what == What::Typing => {
            customer::tell(app, &delivery, activity).await
        }
        _ => Ok(Outcome::Skipped("no typing")),
    };
    Ok(shown.unwrap_or_else(|failure| {
        let reason = failure.label();
        tracing::info!(event = "typing_not_shown", reason);
        Outcome::Skipped("not shown")
    }))
}

#[cfg(test)]
mod tests;
