//! The API below `/api/v2`: what a customer wrote comes in, and receipts for what the agent wrote.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Extension, Json, Router, middleware};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::access::Caller;
use super::answers::{Refusal, with_correlation};
use super::conversations::{Arrival, Placed};
use super::state::Genesys;
use super::{access, checks, downloads, organisation, participants, structured};
use crate::crm::ScreenPop;
use crate::hub::Direction;
use crate::shared::correlation;

/// Largest body in bytes (Genesys Cloud Developer Center, "Limits", `request.bytes.max`).
const BODY_LIMIT: usize = 512_000;

/// Largest file that reaches the agent, in bytes (Genesys Cloud Resource Center, "Supported content profiles").
const LARGEST_MEDIA: u64 = 25 * 1024 * 1024;

/// The header under which the bridge passes on a message's correlation id.
const CORRELATION: &str = "x-correlation-id";

type Answer = Result<(StatusCode, Json<Value>), Refusal>;

/// Login and API.
pub fn router(genesys: &Arc<Genesys>) -> Router {
    let api = Router::new()
        .route("/tokens/me", get(access::token_info))
        .route("/downloads/{id}", get(downloads::redirection))
        .route(
            "/conversations/messages/{id}/inbound/open/{*kind}",
            post(inbound),
        )
        .route("/conversations/messages/{id}", get(participants::show))
        .route(
            "/conversations/messages/{id}/participants/{participant}",
            patch(participants::update),
        )
        .merge(organisation::router())
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(
            Arc::clone(genesys),
            access::authorised,
        ));
    Router::new()
        .route("/oauth/token", post(access::token))
        .nest("/api/v2", api)
        .merge(organisation::uploads())
        .fallback(unknown)
        .layer(middleware::map_response(with_correlation))
        .with_state(Arc::clone(genesys))
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

async fn inbound(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path((integration, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let came = OffsetDateTime::now_utc();
    let read = match caller.needs(&genesys, "conversation:message:receive") {
        Ok(()) => genesys.read(&integration, &headers, body).await,
        Err(refusal) => Err(refusal),
    };
    let taken = match (read, kind.as_str()) {
        (Err(refusal), _) => Err(refusal),
        (Ok(body), "message") => genesys.message(&body).await,
        (Ok(body), "structured/response") => genesys.structured_response(&body),
        (Ok(body), "receipt") => genesys.receipt(body),
        (Ok(body), "event") => genesys.customer_types(&body),
        (Ok(_), _) => Err(unknown().await),
    };
    let answer = taken.into_response();
    let correlation = headers.get(CORRELATION).map(|value| value.to_str());
    if let (Some(Ok(correlation)), "message" | "structured/response") = (correlation, &*kind) {
        let (hub, direction) = (&genesys.world.hub, Direction::Inbound);
        let attempt = hub.journeys.next_attempt(correlation, "genesys");
        let outcome = answer.status();
        let outcome = outcome.as_str();
        hub.journey_at(came, correlation, direction, "genesys", attempt, outcome);
    }
    answer
}

impl Genesys {
    /// Reads a request's body after all checks that do not depend on its kind.
    async fn read(
        &self,
        integration: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Value, Refusal> {
        let too_large = |_| {
            let why = format!("The request is larger than {BODY_LIMIT} bytes.");
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request.entity.too.large",
                why,
            )
        };
        let body = axum::body::to_bytes(body, BODY_LIMIT)
            .await
            .map_err(too_large)?;
        let kind = headers.get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            let (status, why) = (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json.",
            );
            return Err(Refusal::new(status, "unsupported.media.type", why));
        }
        if integration != self.world.config.genesys_integration_id {
            return Err(Refusal::not_found("There is no such integration."));
        }
        serde_json::from_slice(&body).map_err(|_| Refusal::bad_request("The body is no JSON."))
    }

    async fn message(&self, body: &Value) -> Answer {
        let mut arrival = checks::message(body)?;
        if let Some(attachment) = &mut arrival.attachment {
            attachment.dropped = !self.profile.lock().lets_in(&attachment.mime);
            if !attachment.dropped {
                attachment.fetched = self.fetch(&attachment.url).await;
                let size = attachment.fetched.as_ref().map(|fetched| fetched.size);
                attachment.dropped = size.is_some_and(|size| size > LARGEST_MEDIA);
            }
        }
        let thread = arrival.thread.clone();
        let placed = self.arrive(arrival);
        if let Some(greeting) = &self.world.config.genesys_greeting
            && placed.first_inbound
        {
            self.greet(&thread, greeting).await;
        }
        let answer = self.normalized(&placed, body);
        Ok((StatusCode::OK, Json(answer)))
    }

    fn structured_response(&self, body: &Value) -> Answer {
        let arrival = structured::response(body)?;
        if let Some(button) = &arrival.button {
            let unknown = || Refusal::not_found("There is no such structured message.");
            let conversations = self.conversations.lock();
            let offered = conversations.offered(&button.originating, &arrival.thread);
            structured::check(offered.ok_or_else(unknown)?, button)?;
        }
        // `OpenStructuredResponseNormalizedMessage`
        let mut answer = self.normalized(&self.arrive(arrival), body);
        answer["type"] = json!("Structured");
        answer["originatingMessageId"] = body["originatingMessageId"].clone();
        answer["content"] = json!([{
            "contentType": "ButtonResponse",
            "buttonResponse": body["buttonResponse"],
        }]);
        Ok((StatusCode::OK, Json(answer)))
    }

    fn receipt(&self, body: Value) -> Answer {
        let (id, addressee, receipt) = checks::receipt(&body)?;
        let status = receipt.status.clone();
        let unknown = || Refusal::not_found("There is no such message.");
        let conversation = {
            let mut conversations = self.conversations.lock();
            if conversations.thread_of(&id).ok_or_else(unknown)? != addressee {
                let why = "channel.to.id is not whom the message was sent to";
                return Err(Refusal::bad_request(why));
            }
            let received = conversations.receive(&id, receipt);
            received.ok_or_else(unknown)?
        };
        let hub = &self.world.hub;
        let correlation = correlation::of_genesys_message(&id);
        let attempt = hub.journeys.next_attempt(&correlation, "receipt");
        let direction = Direction::Outbound;
        hub.journey(&correlation, direction, "receipt", attempt, &status);
        self.tell(&conversation, &addressee);
        Ok((StatusCode::ACCEPTED, Json(body)))
    }

    fn arrive(&self, arrival: Arrival) -> Placed {
        let thread = arrival.thread.clone();
        let now = OffsetDateTime::now_utc();
        let look_up = |attributes: &_| ScreenPop::of(attributes, &self.crm);
        let placed = self.conversations.lock().arrive(arrival, now, look_up);
        self.tell(&placed.conversation, &thread);
        placed
    }

    /// The answer to a message (`OpenMessageNormalizedMessage`).
    fn normalized(&self, placed: &Placed, request: &Value) -> Value {
        let mut answer = self.answer_about(request);
        answer["id"] = json!(placed.message);
        answer["type"] = json!("Text");
        for name in ["text", "content", "metadata"] {
            if let Some(value) = request.get(name) {
                answer[name] = value.clone();
            }
        }
        answer
    }

    /// What every answer says of a request.
    pub(super) fn answer_about(&self, request: &Value) -> Value {
        let integration = &self.world.config.genesys_integration_id;
        let mut channel = request["channel"].clone();
        channel["id"] = json!(integration);
        channel["platform"] = json!("Open");
        channel["type"] = json!("Private");
        channel["to"] = json!({ "id": integration, "idType": "Opaque" });
        json!({ "channel": channel, "direction": "Inbound" })
    }
}
