//! The API below `/api/v2`: what a customer wrote comes in, and receipts for what the agent wrote.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::answers::{Refusal, with_correlation};
use super::conversations::{Arrival, Attachment, Placed};
use super::profile::LARGEST_MEDIA;
use super::{Genesys, admin, checks, login, media, structured};
use crate::hub::Direction;
use crate::shared::correlation;

/// Largest body in bytes (Genesys Cloud Developer Center, "Limits", `request.bytes.max`).
pub const BODY_LIMIT: usize = 512_000;

/// The header under which the bridge passes on a message's correlation id.
const CORRELATION: &str = "x-correlation-id";

/// Login and API.
pub fn router(genesys: Arc<Genesys>) -> Router {
    let inbound = Router::new()
        .route(
            "/conversations/messages/{integration}/inbound/open/message",
            post(message),
        )
        .route(
            "/conversations/messages/{integration}/inbound/open/structured/response",
            post(structured_response),
        )
        .route(
            "/conversations/messages/{integration}/inbound/open/event",
            post(event),
        )
        .route(
            "/conversations/messages/{integration}/inbound/open/receipt",
            post(receipt),
        )
        .route_layer(middleware::from_fn(login::may_receive));
    let api = Router::new()
        .route("/tokens/me", get(login::token_info))
        .route("/downloads/{id}", get(media::redirection))
        .merge(inbound)
        .merge(admin::router())
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&genesys),
            login::authorised,
        ));
    Router::new()
        .route("/oauth/token", post(login::token))
        .nest("/api/v2", api)
        .fallback(unknown)
        .layer(middleware::map_response(with_correlation))
        .with_state(genesys)
}

async fn unknown() -> Refusal {
    Refusal::not_found("The requested resource was not found.")
}

async fn not_allowed() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method.not.allowed",
        "The method is not allowed for this resource.",
    )
}

async fn message(
    State(genesys): State<Arc<Genesys>>,
    Path(integration): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let came = OffsetDateTime::now_utc();
    let prefetch = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .any(|(name, value)| name == "prefetchConversationId" && value == "true");
    let taken = genesys.take_message(&integration, &headers, body).await;
    let correlation = correlation(&headers, &taken);
    let greeting = taken
        .as_ref()
        .is_ok_and(|(placed, _)| placed.first_inbound)
        .then_some(genesys.world.config.genesys_greeting.as_deref())
        .flatten();
    let answer = match taken {
        Ok((placed, body)) => {
            if let Some(greeting) = greeting {
                let thread = body["channel"]["from"]["id"].as_str().unwrap_or_default();
                genesys.greet(thread, greeting).await;
            }
            Json(genesys.normalized(&placed, &body, prefetch)).into_response()
        }
        Err(refusal) => refusal.into_response(),
    };
    genesys.tell(came, correlation, &answer);
    answer
}

async fn structured_response(
    State(genesys): State<Arc<Genesys>>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let came = OffsetDateTime::now_utc();
    let taken = genesys.take_response(&integration, &headers, body).await;
    let correlation = correlation(&headers, &taken);
    let answer = match taken {
        Ok((placed, body)) => Json(genesys.normalized_response(&placed, &body)).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    genesys.tell(came, correlation, &answer);
    answer
}

async fn event(
    State(genesys): State<Arc<Genesys>>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = genesys.read(&integration, &headers, body).await?;
    let thread = checks::event(&body)?;
    // An event may open a conversation, as the API's description says.
    genesys
        .conversations()
        .touch(&thread, OffsetDateTime::now_utc());
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

async fn receipt(
    State(genesys): State<Arc<Genesys>>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = genesys.read(&integration, &headers, body).await?;
    let (id, addressee, receipt) = checks::receipt(&body)?;
    let status = receipt.status.clone();
    let conversation = {
        let mut conversations = genesys.conversations();
        let thread = conversations.thread_of(&id).map(str::to_owned);
        match thread {
            Some(thread) if thread == addressee => conversations.receive(&id, receipt),
            Some(_) => {
                let why = "channel.to.id is not whom the message was sent to";
                return Err(Refusal::bad_request(why));
            }
            None => None,
        }
    };
    let Some(conversation) = conversation else {
        return Err(Refusal::not_found("There is no such message."));
    };
    let hub = &genesys.world.hub;
    let correlation = correlation::of_genesys_message(&id);
    let attempt = hub.next_attempt(&correlation, "receipt");
    hub.journey(
        &correlation,
        Direction::Outbound,
        "receipt",
        attempt,
        &status,
    );
    hub.event(
        "conversation",
        json!({ "conversation": conversation, "thread": addressee }),
    );
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

/// What the request is followed by: what the bridge says, else what its message says.
fn correlation(headers: &HeaderMap, taken: &Result<(Placed, Value), Refusal>) -> Option<String> {
    let given = headers
        .get(CORRELATION)
        .and_then(|value| value.to_str().ok())
        .filter(|given| !given.is_empty());
    match (given, taken) {
        (Some(given), _) => Some(given.to_owned()),
        (None, Ok((placed, _))) => Some(correlation::of_genesys_message(&placed.message)),
        (None, Err(_)) => None,
    }
}

impl Genesys {
    /// Reads a request's body after all checks that do not depend on its kind.
    async fn read(
        &self,
        integration: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Value, Refusal> {
        let body: Bytes = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| {
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request.entity.too.large",
                format!("The request is larger than {BODY_LIMIT} bytes."),
            )
        })?;
        let json = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/json"));
        if !json {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported.media.type",
                "The body must be application/json.",
            ));
        }
        if integration != self.world.config.genesys_integration_id {
            return Err(Refusal::not_found("There is no such integration."));
        }
        serde_json::from_slice(&body).map_err(|_| Refusal::bad_request("The body is no JSON."))
    }

    async fn take_message(
        &self,
        integration: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Placed, Value), Refusal> {
        let body = self.read(integration, headers, body).await?;
        let mut arrival = checks::message(&body)?;
        if let Some(attachment) = &mut arrival.attachment {
            self.look_at(attachment).await;
        }
        Ok((self.arrive(arrival), body))
    }

    /// Fetches a customer's file at once, unless the content profile does not let it in.
    async fn look_at(&self, attachment: &mut Attachment) {
        attachment.dropped = !self.profile().lets_in(&attachment.mime);
        if !attachment.dropped {
            attachment.fetched = self.fetch(&attachment.url).await;
            let size = attachment.fetched.as_ref().map(|fetched| fetched.size);
            attachment.dropped = size.is_some_and(|size| size > LARGEST_MEDIA);
        }
    }

    async fn take_response(
        &self,
        integration: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Placed, Value), Refusal> {
        let body = self.read(integration, headers, body).await?;
        let arrival = structured::response(&body)?;
        if let Some(button) = &arrival.button {
            let offered = self
                .conversations()
                .offered(&button.originating, &arrival.thread)
                .ok_or_else(|| Refusal::not_found("There is no such structured message."))?;
            structured::check(&offered, button)?;
        }
        Ok((self.arrive(arrival), body))
    }

    fn arrive(&self, arrival: Arrival) -> Placed {
        let thread = arrival.thread.clone();
        let placed = self
            .conversations()
            .arrive(arrival, OffsetDateTime::now_utc());
        self.world.hub.event(
            "conversation",
            json!({ "conversation": placed.conversation, "thread": thread }),
        );
        placed
    }

    /// Records how a customer's message that came at this time was answered.
    fn tell(&self, came: OffsetDateTime, correlation: Option<String>, answer: &Response) {
        let Some(correlation) = correlation else {
            return;
        };
        let hub = &self.world.hub;
        let attempt = hub.next_attempt(&correlation, "genesys");
        let outcome = answer.status();
        hub.journey_at(
            came,
            &correlation,
            Direction::Inbound,
            "genesys",
            attempt,
            outcome.as_str(),
        );
    }

    /// The answer to the response to a structured message (`OpenStructuredResponseNormalizedMessage`).
    fn normalized_response(&self, placed: &Placed, request: &Value) -> Value {
        let mut answer = self.normalized(placed, request, false);
        answer["type"] = json!("Structured");
        answer["originatingMessageId"] = request["originatingMessageId"].clone();
        answer["content"] = json!([{
            "contentType": "ButtonResponse",
            "buttonResponse": request["buttonResponse"],
        }]);
        answer
    }

    /// The answer to a message (`OpenMessageNormalizedMessage`).
    fn normalized(&self, placed: &Placed, request: &Value, prefetch: bool) -> Value {
        let integration = &self.world.config.genesys_integration_id;
        let mut channel = request["channel"].clone();
        channel["id"] = json!(integration);
        channel["platform"] = json!("Open");
        channel["type"] = json!("Private");
        channel["to"] = json!({ "id": integration, "idType": "Opaque" });
        let mut answer = json!({
            "id": placed.message,
            "channel": channel,
            "type": "Text",
            "direction": "Inbound",
        });
        for name in ["text", "content", "metadata"] {
            if let Some(value) = request.get(name) {
                answer[name] = value.clone();
            }
        }
        if prefetch {
            answer["conversationId"] = json!(placed.conversation);
        }
        answer
    }
}
