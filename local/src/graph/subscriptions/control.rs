//! Control of the subscriptions: looking at them, and what Graph does to them on its own.

use std::sync::Arc;

use axum::extract::{Path, State as Extracted};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::lifecycle::Event;
use super::{State, Subscription};
use crate::graph::state::Graph;
use crate::shared::refused::Refused;
use crate::shared::time_text;

type Shared = Extracted<Arc<Graph>>;
type Done = Result<StatusCode, Refused>;

/// `/local/graph/subscriptions`.
pub fn router() -> Router<Arc<Graph>> {
    const ONE: &str = "/local/graph/subscriptions/{id}";
    Router::new()
        .route("/local/graph/subscriptions", get(list))
        .route(ONE, delete(remove))
        .route(&format!("{ONE}/lifecycle"), post(tell))
        .route(&format!("{ONE}/state"), put(set_state))
        .route(&format!("{ONE}/end"), put(set_end))
        .route("/local/graph/delegated-subscriptions", put(delegate))
}

async fn list(Extracted(graph): Shared) -> Json<Value> {
    let made = graph.subscriptions.living();
    let all: Vec<Value> = made.all.iter().map(|it| view(&graph, it)).collect();
    Json(json!({ "subscriptions": all }))
}

/// Everything about a subscription, the secret included.
fn view(graph: &Graph, subscription: &Subscription) -> Value {
    let terms = &subscription.terms;
    let accounts = &graph.world.config.support_accounts;
    let account = accounts.iter().find(|it| it.user == terms.user);
    let state = match subscription.state {
        State::Active => "active",
        State::Silent => "silent",
        State::Paused { .. } => "paused",
    };
    json!({
        "id": subscription.id,
        "app": subscription.owner.app,
        "signed_in": subscription.owner.user,
        "account": account.map(|it| &it.name),
        "resource": terms.resource,
        "change_type": terms.change_type,
        "ends": time_text(terms.ends),
        "client_state": terms.client_state,
        "certificate": terms.recipient.as_ref().map(|it| &it.id),
        "content": terms.with_content,
        "notification_url": terms.notification_url,
        "lifecycle_url": terms.lifecycle_url,
        "state": state,
        "waiting": subscription.waiting(),
    })
}

/// Without a word to its owner.
async fn remove(Extracted(graph): Shared, Path(id): Path<String>) -> Done {
    if !graph.subscriptions.remove(&id) {
        return Err(none());
    }
    graph.subscriptions_changed();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    event: Event,
}

/// Sends a lifecycle notification. Only `subscriptionRemoved` changes anything: the subscription is gone.
async fn tell(Extracted(graph): Shared, Path(id): Path<String>, Json(told): Json<Told>) -> Done {
    let found = graph.subscriptions.with_any(&id, |it| it.clone());
    if graph.tell_lifecycle(&found.ok_or_else(none)?, told.event) {
        return Ok(StatusCode::ACCEPTED);
    }
    const MUTE: &str = "the subscription has no address for lifecycle notifications";
    Err(Refused(StatusCode::CONFLICT, MUTE.to_owned()))
}

#[derive(Deserialize)]
#[serde(tag = "state", rename_all = "lowercase", deny_unknown_fields)]
enum Wanted {
    Active,
    Silent,
    Paused {
        /// What comes during the pause is lost.
        #[serde(default)]
        loses: bool,
    },
}

/// `active` ends a pause as well, with all that was held.
async fn set_state(
    Extracted(graph): Shared,
    Path(id): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Done {
    let state = match wanted {
        Wanted::Active => State::Active,
        Wanted::Silent => State::Silent,
        Wanted::Paused { loses } => State::Paused { loses },
    };
    let set = graph.subscriptions.with_any(&id, |it| it.state = state);
    set.ok_or_else(none)?;
    graph.send_held(&id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    #[serde(with = "time::serde::rfc3339")]
    ends: OffsetDateTime,
}

/// Gives a subscription another end, whatever the rules.
async fn set_end(Extracted(graph): Shared, Path(id): Path<String>, Json(end): Json<End>) -> Done {
    let set = graph
        .subscriptions
        .with_any(&id, |it| it.terms.ends = end.ends);
    set.ok_or_else(none)?;
    graph.subscriptions_changed();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegation {
    allowed: bool,
}

/// Whether whoever signed in may subscribe to the own chats.
async fn delegate(Extracted(graph): Shared, Json(wanted): Json<Delegation>) -> StatusCode {
    graph.subscriptions.let_delegate(wanted.allowed);
    StatusCode::NO_CONTENT
}

fn none() -> Refused {
    Refused::not_found("such subscription")
}
