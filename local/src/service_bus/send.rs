//! The REST interface for sending: `POST /{queue}/messages`.
//!
//! Source: Service Bus REST reference, "Send Message" and "Send Message Batch".

use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::broker_properties::BrokerProperties;
use super::dead_letters;
use super::entity;
use super::journey;
use super::message::Draft;
use super::namespace::ServiceBus;
use crate::entra::Entra;

/// Largest message on the Standard tier, in bytes, properties included.
const MESSAGE_LIMIT: usize = 256 * 1024;
/// Media type of several messages sent at once.
pub const BATCH_TYPE: &str = "application/vnd.microsoft.servicebus.json";
/// The audience of a token for Service Bus, with and without the slash that some clients add.
const AUDIENCES: [&str; 2] = [
    "https://servicebus.azure.net",
    "https://servicebus.azure.net/",
];
/// The routes of Service Bus, for the one identity that owns the queues.
pub fn router(bus: &Arc<ServiceBus>, entra: &Arc<Entra>) -> Router {
    Router::new()
        .route("/{queue}", get(entity::get))
        .route("/{queue}/messages", post(send))
        .route(
            "/{queue}/{sub_queue}/messages/head",
            post(dead_letters::lock),
        )
        .route(
            "/{queue}/{sub_queue}/messages/{message}/{token}",
            delete(dead_letters::complete).put(dead_letters::unlock),
        )
        .with_state((Arc::clone(bus), Arc::clone(entra)))
}

pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

impl Refusal {
    fn bad_request(detail: impl Display) -> Self {
        Self(StatusCode::BAD_REQUEST, format!("40000: {detail}"))
    }

    fn too_large() -> Self {
        let detail = "The message is too large.".to_owned();
        Self(StatusCode::FORBIDDEN, detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let code = status.as_u16();
        let body = format!("<Error><Code>{code}</Code><Detail>{detail}</Detail></Error>");
        let kind = (header::CONTENT_TYPE, "application/xml; charset=utf-8");
        (status, [kind], body).into_response()
    }
}

async fn send(
    State((bus, entra)): State<(Arc<ServiceBus>, Arc<Entra>)>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    authorize(&bus, &entra, &headers, &name)
        .map_err(|detail| Refusal(StatusCode::UNAUTHORIZED, detail))?;
    let queue = bus.queue(&name).ok_or_else(|| {
        let detail = "40401: The queue does not exist.".to_owned();
        Refusal(StatusCode::GONE, detail)
    })?;
    let body = axum::body::to_bytes(body, MESSAGE_LIMIT).await;
    let body = body.map_err(|_| Refusal::too_large())?;
    let content_type = text(&headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    let drafts = if essence.trim() == BATCH_TYPE {
        batch_drafts(&body)?
    } else {
        vec![single_draft(&headers, body)?]
    };
    if drafts.iter().map(size).sum::<usize>() > MESSAGE_LIMIT {
        return Err(Refusal::too_large());
    }
    // A batch may hold several sessions: only a partitioned entity refuses that (azure-sdk-for-net, Azure.Messaging.ServiceBus,
    // TROUBLESHOOTING.md, "Cannot send batch with multiple partition keys"), and ours are not (infra/modules/servicebus.bicep
    // leaves `enablePartitioning` at its default).
    if queue.sessions && drafts.iter().any(|it| it.broker.session_id.is_none()) {
        return Err(Refusal::bad_request(
            "The SessionId was not set on a message sent to a queue that requires sessions.",
        ));
    }
    queue.send(drafts, |correlation, sent| {
        journey::sent(&bus.world, &name, correlation, sent);
    });
    bus.touch();
    Ok(StatusCode::CREATED)
}

/// What Service Bus asks of a token: genuine, current, meant for it, and of somebody who has the role: the app's identity, or an
/// operator, who has it as deployed on the two queues whose messages are kept.
pub(super) fn authorize(
    bus: &ServiceBus,
    entra: &Entra,
    headers: &HeaderMap,
    queue: &str,
) -> Result<(), String> {
    let token = text(headers, header::AUTHORIZATION.as_str());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or("MissingToken: The authorization header was not found.")?;
    let claims = entra
        .verify(token, &AUDIENCES)
        .map_err(|problem| format!("InvalidToken: {problem}"))?;
    let is_kept = queue != bus.world.config.queues.typing;
    let is_app = claims["oid"] == entra.managed_identity_principal();
    match is_app || (is_kept && claims["oid"] == entra.operator()) {
        true => Ok(()),
        false => Err("InvalidToken: the identity has no role here".to_owned()),
    }
}

/// A header in visible ASCII.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Other headers than these would be custom properties of the message, which no function asks for.
fn single_draft(headers: &HeaderMap, body: Bytes) -> Result<Draft, Refusal> {
    let broker = match headers.get("brokerproperties") {
        Some(properties) => {
            let properties = properties.to_str().map_err(Refusal::bad_request)?;
            serde_json::from_str(properties).map_err(Refusal::bad_request)?
        }
        None => BrokerProperties::default(),
    };
    let content_type = text(headers, header::CONTENT_TYPE.as_str()).map(str::to_owned);
    Ok(Draft {
        body,
        content_type,
        broker,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchItem {
    body: String,
    broker_properties: Option<BrokerProperties>,
}

fn batch_drafts(body: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let items: Vec<BatchItem> = serde_json::from_slice(body).map_err(Refusal::bad_request)?;
    if items.is_empty() {
        return Err(Refusal::bad_request("The batch is empty."));
    }
    let draft = |item: BatchItem| Draft {
        body: item.body.into(),
        content_type: None,
        broker: item.broker_properties.unwrap_or_default(),
    };
    Ok(items.into_iter().map(draft).collect())
}

fn size(draft: &Draft) -> usize {
    let broker = &draft.broker;
    let texts = [
        &broker.message_id,
        &broker.session_id,
        &broker.correlation_id,
        &broker.label,
        &draft.content_type,
    ];
    let texts = texts.into_iter().flatten();
    draft.body.len() + texts.map(String::len).sum::<usize>()
}
