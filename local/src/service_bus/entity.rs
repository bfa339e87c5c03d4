//! How long a queue is, in Atom, for whoever may manage it.
//!
//! Source: Service Bus REST reference, "Get Entity"; azure-sdk-for-net, `QueueRuntimePropertiesExtensions`: what is not there is an
//! empty feed.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::message::QueueView;
use super::namespace::ServiceBus;
use super::send::{Refusal, authorize};
use crate::entra::Entra;

#[derive(Deserialize)]
pub(super) struct Version {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
}

/// Describes a queue.
pub(super) async fn get(
    State((bus, entra)): State<(Arc<ServiceBus>, Arc<Entra>)>,
    Path(name): Path<String>,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Whoever has a role here has Azure Service Bus Data Owner, as deployed.
    authorize(&bus, &entra, &headers, &name)
        .map_err(|detail| Refusal(StatusCode::UNAUTHORIZED, detail))?;
    if version.api_version.is_none() {
        let detail = "40000: api-version is required.".to_owned();
        return Err(Refusal(StatusCode::BAD_REQUEST, detail));
    }
    let (kind, body) = match bus.queue(&name) {
        Some(queue) => ("entry", entry(&queue.view())),
        None => (
            "feed",
            r#"<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Publicly Listed Services</title></feed>"#.to_owned(),
        ),
    };
    let kind = format!("application/atom+xml;type={kind};charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

fn entry(queue: &QueueView) -> String {
    let QueueView {
        name,
        active,
        scheduled,
        dead_letters,
        ..
    } = queue;
    let all = active + scheduled + dead_letters;
    format!(
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\">{name}</title><content type=\"application/xml\">\
         <QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\">\
         <MessageCount>{all}</MessageCount>\
         <CountDetails xmlns:d2p1=\"http://schemas.microsoft.com/netservices/2011/06/servicebus\">\
         <d2p1:ActiveMessageCount>{active}</d2p1:ActiveMessageCount>\
         <d2p1:DeadLetterMessageCount>{dead_letters}</d2p1:DeadLetterMessageCount>\
         <d2p1:ScheduledMessageCount>{scheduled}</d2p1:ScheduledMessageCount>\
         <d2p1:TransferMessageCount>0</d2p1:TransferMessageCount>\
         <d2p1:TransferDeadLetterMessageCount>0</d2p1:TransferDeadLetterMessageCount>\
         </CountDetails></QueueDescription></content></entry>"
    )
}
