//! The REST interface for sending: `POST /{queue}/messages`.
//!
//! Source: Service Bus REST reference, "Send Message" and "Send Message Batch".

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::broker_properties::BrokerProperties;
use super::journey;
use super::message::Draft;
use super::namespace::ServiceBus;
use super::queue::Queue;

/// Largest message on the Standard tier, in bytes, properties included.
const MESSAGE_LIMIT: usize = 256 * 1024;
/// Media type of several messages sent at once.
pub const BATCH_TYPE: &str = "application/vnd.microsoft.servicebus.json";
/// Headers of the request itself; every other header is a custom property of the message.
const OWN_HEADERS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "authorization",
    "brokerproperties",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
    "x-ms-retrypolicy",
];

/// The routes of Service Bus.
pub fn router(state: Arc<ServiceBus>) -> Router {
    Router::new()
        .route("/{queue}/messages", post(send))
        .with_state(state)
}

struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let body = format!(
            "<Error><Code>{}</Code><Detail>{detail}</Detail></Error>",
            status.as_u16()
        );
        let kind = (header::CONTENT_TYPE, "application/xml; charset=utf-8");
        (status, [kind], body).into_response()
    }
}

async fn send(
    State(state): State<Arc<ServiceBus>>,
    Path(queue): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    authorize(&state, &headers)?;
    let Some(queue) = state.queue(&queue) else {
        return Err(Refusal(
            StatusCode::GONE,
            "40401: The queue does not exist.".to_owned(),
        ));
    };
    let too_large = || {
        Refusal(
            StatusCode::FORBIDDEN,
            "The message is too large.".to_owned(),
        )
    };
    let body = axum::body::to_bytes(body, MESSAGE_LIMIT)
        .await
        .map_err(|_| too_large())?;
    let batch = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().unwrap_or_default().trim() == BATCH_TYPE);
    let drafts = if batch {
        batch_drafts(&body)?
    } else {
        vec![single_draft(&headers, body)?]
    };
    if drafts.iter().map(size).sum::<usize>() > MESSAGE_LIMIT {
        return Err(too_large());
    }
    if queue.settings().sessions && drafts.iter().any(|draft| draft.session_id.is_none()) {
        return Err(bad_request(
            "The SessionId was not set on a message sent to a queue that requires sessions.",
        ));
    }
    // A batch may hold several sessions: only a partitioned entity refuses that (azure-sdk-for-net, Azure.Messaging.ServiceBus,
    // TROUBLESHOOTING.md, "Cannot send batch with multiple partition keys"), and ours are not (infra/modules/servicebus.bicep
    // leaves `enablePartitioning` at its default).
    enqueue(&state, &queue, drafts);
    Ok(StatusCode::CREATED)
}

fn enqueue(state: &ServiceBus, queue: &Queue, drafts: Vec<Draft>) {
    let correlations: Vec<Option<String>> = drafts
        .iter()
        .map(|draft| draft.correlation_id.clone())
        .collect();
    let name = queue.settings().name;
    queue.send(drafts, |position, sent| {
        if let Some(Some(correlation)) = correlations.get(position) {
            journey::sent(state.world(), &name, correlation, sent);
        }
    });
    state.touch();
}

fn authorize(state: &ServiceBus, headers: &HeaderMap) -> Result<(), Refusal> {
    let refusal = |detail: &str| Refusal(StatusCode::UNAUTHORIZED, detail.to_owned());
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| refusal("MissingToken: The authorization header was not found."))?;
    state
        .check_token(token)
        .map_err(|problem| refusal(&format!("InvalidToken: {problem}")))
}

fn single_draft(headers: &HeaderMap, body: Bytes) -> Result<Draft, Refusal> {
    let mut draft = Draft {
        body,
        ..Draft::default()
    };
    let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).ok();
    if let Some(properties) = headers.get("brokerproperties") {
        let properties =
            text(properties).ok_or_else(|| bad_request("BrokerProperties is not visible ASCII"))?;
        let properties: BrokerProperties =
            serde_json::from_str(&properties).map_err(bad_request)?;
        properties.fill(&mut draft).map_err(bad_request)?;
    }
    draft.content_type = headers.get(header::CONTENT_TYPE).and_then(text);
    for (name, value) in headers {
        let name = name.as_str();
        if !OWN_HEADERS.contains(&name)
            && let Some(value) = text(value)
        {
            let unquoted = value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .unwrap_or(&value);
            draft
                .properties
                .insert(name.to_owned(), unquoted.to_owned());
        }
    }
    Ok(draft)
}

fn bad_request(detail: impl Display) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, format!("40000: {detail}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchItem {
    body: String,
    broker_properties: Option<BrokerProperties>,
    #[serde(default)]
    user_properties: BTreeMap<String, Value>,
}

fn batch_drafts(body: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let items: Vec<BatchItem> = serde_json::from_slice(body).map_err(bad_request)?;
    if items.is_empty() {
        return Err(bad_request("The batch is empty."));
    }
    let draft = |item: BatchItem| {
        let mut draft = Draft {
            body: item.body.into(),
            properties: item
                .user_properties
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                })
                .collect(),
            ..Draft::default()
        };
        if let Some(properties) = item.broker_properties {
            properties.fill(&mut draft).map_err(bad_request)?;
        }
        Ok(draft)
    };
    items.into_iter().map(draft).collect()
}

fn size(draft: &Draft) -> usize {
    let texts = [
        &draft.message_id,
        &draft.session_id,
        &draft.correlation_id,
        &draft.label,
        &draft.content_type,
    ];
    let own: usize = texts.into_iter().flatten().map(String::len).sum();
    let custom: usize = draft
        .properties
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    draft.body.len() + own + custom
}
