//! `/v1.0/subscriptions`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::rules::{Changes, Terms, check_lifecycle};
use super::{Owner, Refusal, Subscription, handshake};
use crate::graph::caller::READ;
use crate::graph::state::Graph;

/// Rights with which an app may subscribe to the chats of anybody.
const READ_ALL: [&str; 2] = ["Chat.Read.All", "Chat.ReadWrite.All"];

/// Subscriptions on one page of a list. How many it really has is not documented; few show whether the next page is read.
const PAGE: usize = 2;

type Shared = State<Arc<Graph>>;
type Answer = Result<Json<Value>, Refusal>;

/// Routes below `/v1.0`.
pub fn router() -> Router<Arc<Graph>> {
    const ONE: &str = "/v1.0/subscriptions/{id}";
    Router::new()
        .route("/v1.0/subscriptions", get(list).post(create))
        .route(ONE, get(read).patch(update).delete(delete))
        .route(&format!("{ONE}/reauthorize"), post(reauthorize))
}

async fn create(
    State(graph): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let owner = graph.subscriber(&headers)?;
    let subscription = graph.create_subscription(owner, &body).await?;
    Ok((StatusCode::CREATED, Json(entity(&subscription))))
}

async fn list(
    State(graph): Shared,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    const OPTION: Refusal = Refusal::bad_request("Query options are not supported here.");
    const TOKEN: Refusal = Refusal::bad_request("Invalid skip token.");
    let owner = graph.subscriber(&headers)?;
    if query.keys().any(|name| name != "$skiptoken") {
        return Err(OPTION);
    }
    let after = query.get("$skiptoken").map_or(Ok(0), |text| text.parse());
    let after: u64 = after.map_err(|_| TOKEN)?;
    let mut own = graph.subscriptions.own(&owner);
    own.retain(|it| it.number > after);
    let shown = &own[..own.len().min(PAGE)];
    let views: Vec<Value> = shown.iter().map(Subscription::view).collect();
    let mut page = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#subscriptions",
        "value": views,
    });
    if let Some(last) = shown.last().filter(|_| own.len() > PAGE) {
        let endpoint = &graph.world.endpoints.graph;
        let next = format!("{endpoint}/v1.0/subscriptions?%24skiptoken={}", last.number);
        page["@odata.nextLink"] = json!(next);
    }
    Ok(Json(page))
}

async fn read(State(graph): Shared, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let owner = graph.subscriber(&headers)?;
    let view = |it: &mut Subscription| Ok(entity(it));
    graph.subscriptions.with(&owner, &id, view).map(Json)
}

async fn update(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let owner = graph.subscriber(&headers)?;
    let now = graph.world.clock.now();
    let check = |it: &mut Subscription| {
        let changes = Changes::read(&body, now)?;
        if let Some(ends) = changes.ends {
            check_lifecycle(it.terms.lifecycle_url.is_some(), ends, now)?;
        }
        Subscription::check_apart(it.reauthorized, now)?;
        Ok(changes)
    };
    let changes = graph.subscriptions.with(&owner, &id, check)?;
    if let Some(url) = &changes.notification_url {
        handshake::validate(url).await?;
    }
    let change = |it: &mut Subscription| {
        it.change(changes, now);
        Ok((it.id.clone(), entity(it)))
    };
    let (id, view) = graph.subscriptions.with(&owner, &id, change)?;
    graph.send_held(&id);
    Ok(Json(view))
}

async fn delete(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let owner = graph.subscriber(&headers)?;
    let id = {
        graph
            .subscriptions
            .with(&owner, &id, |it| Ok(it.id.clone()))?
    };
    graph.subscriptions.remove(&id);
    graph.subscriptions_changed();
    Ok(StatusCode::NO_CONTENT)
}

async fn reauthorize(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let owner = graph.subscriber(&headers)?;
    let now = graph.world.clock.now();
    let id = graph.subscriptions.with(&owner, &id, |it| {
        Subscription::check_apart(it.updated, now)?;
        it.reauthorized = Some(now);
        it.resume();
        Ok(it.id.clone())
    })?;
    graph.send_held(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// A subscription as an answer of its own.
fn entity(subscription: &Subscription) -> Value {
    let mut view = subscription.view();
    let context = "https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity";
    view["@odata.context"] = json!(context);
    view
}

impl Graph {
    /// Makes a subscription, after the addresses have echoed a token.
    pub(super) async fn create_subscription(
        &self,
        owner: Owner,
        body: &[u8],
    ) -> Result<Subscription, Refusal> {
        let terms = Terms::read(body, &owner, self.world.clock.now())?;
        self.check_delegated(&owner, &terms)?;
        self.subscriptions.check_room(&owner, &terms)?;
        // Each is asked, also when they are the same.
        handshake::validate(&terms.notification_url).await?;
        if let Some(url) = &terms.lifecycle_url {
            handshake::validate(url).await?;
        }
        let made = self.subscriptions.add(owner, terms)?;
        self.subscriptions_changed();
        Ok(made)
    }

    /// Lets a signed-in user subscribe to the own chats only, and only where that was switched on.
    fn check_delegated(&self, owner: &Owner, terms: &Terms) -> Result<(), Refusal> {
        const REFUSED: Refusal = Refusal::forbidden(
            "Operation: Create; Exception: [Status Code: Forbidden; Reason: Subscription to this resource is not supported in delegated context.]",
        );
        let Some(user) = &owner.user else {
            return Ok(());
        };
        let allowed = self.subscriptions.may_delegate() && *user == terms.user;
        allowed.then_some(()).ok_or(REFUSED)
    }

    /// Who asks about subscriptions: an app that may read all chats, or one on behalf of somebody who may read the own ones.
    fn subscriber(&self, headers: &HeaderMap) -> Result<Owner, Refusal> {
        let claims = self.claims(headers)?;
        let text = |name: &str| claims[name].as_str().map(str::to_ascii_lowercase);
        let app = text("appid").or_else(|| text("azp"));
        let app = app.ok_or(Refusal::UNAUTHORIZED)?;
        if claims["scp"].is_string() {
            self.caller(headers)?.may(&READ)?;
            let user = text("oid").ok_or(Refusal::UNAUTHORIZED)?;
            return Ok(Owner {
                app,
                user: Some(user),
            });
        }
        let roles = claims["roles"].as_array().into_iter().flatten();
        let mut roles = roles.filter_map(Value::as_str);
        const MISSING: Refusal = Refusal::forbidden(
            "Missing role permissions on the request. API requires one of 'Chat.Read.All, Chat.ReadWrite.All'.",
        );
        if !roles.any(|role| READ_ALL.contains(&role)) {
            return Err(MISSING);
        }
        Ok(Owner { app, user: None })
    }
}
