//! `inbound-graph`: Graph's change notifications. Verify, enqueue, answer; the work comes later.
//!
//! Rules: Microsoft Learn, "Receive change notifications through webhooks" and "Set up Microsoft Graph change notifications
//! with resource data". Graph wants an answer within 3 s and repeats what was answered with 5xx for 4 h.

mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bridge::ids::{BusMessageId, ChatId, CorrelationId, Lane};
use bridge::queue::envelope::{Content, Envelope, NotificationEnvelope};
use bridge::teams::notification::{ChangeType, Collection};
use futures::{StreamExt, TryStreamExt, stream};
use http::{StatusCode, header};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::app::App;
use crate::counters::count;
use crate::enqueue::{Passage, enqueue};
use crate::invocation::{invocation_id, milliseconds};
use crate::webhook::body::read_json_body;
use crate::webhook::refusal::Refusal;

/// Name of the function.
pub const NAME: &str = "inbound-graph";

/// Path at which the host calls it.
pub const PATH: &str = "/api/graph/notifications";

/// Half a second below Graph's own limit, for the way there and back.
const DEADLINE: Duration = Duration::from_millis(2500);

/// Larger than any batch seen; Graph documents no limit.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Longest validation token that is echoed.
const TOKEN_LIMIT: usize = 8 * 1024;

/// Chats of one batch whose items are enqueued at the same time.
const PARALLEL_CHATS: usize = 32;

/// Answers a validation handshake, or takes a batch of notifications.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let started = Instant::now();
    let invocation = invocation_id(request.headers());
    let span = tracing::info_span!("invocation", function = NAME, invocation);
    async {
        if let Some(token) = validation_token(request.uri().query().unwrap_or_default()) {
            return handshake(token);
        }
        let taken = timeout(DEADLINE, take(&app, request))
            .await
            .unwrap_or(Err(Refusal::unavailable("not in time, please retry")));
        let elapsed_ms = milliseconds(started.elapsed());
        match taken {
            Ok(summary) => {
                let Summary { enqueued, dropped } = summary;
                let reasons = dropped_reasons(&dropped);
                let dropped = dropped.values().sum::<u64>();
                // The line of a single item says it all.
                if (enqueued, dropped) != (1, 0) {
                    tracing::info!(
                        event = "notifications",
                        enqueued,
                        dropped,
                        reasons,
                        elapsed_ms
                    );
                }
                StatusCode::ACCEPTED.into_response()
            }
            Err(refusal) => {
                if refusal.status == StatusCode::SERVICE_UNAVAILABLE {
                    count(&app.counters.deferred);
                }
                let status = refusal.status.as_u16();
                tracing::warn!(
                    event = "notifications_refused",
                    status,
                    reason = refusal.reason,
                    elapsed_ms
                );
                refusal.into_response()
            }
        }
    }
    .instrument(span.clone())
    .await
}

/// What became of a batch.
struct Summary {
    enqueued: u64,
    dropped: BTreeMap<&'static str, u64>,
}

/// One verified item.
struct Accepted {
    envelope: NotificationEnvelope,
    correlation: CorrelationId,
}

async fn take(app: &App, request: Request) -> Result<Summary, Refusal> {
    let (head, body) = request.into_parts();
    let body = read_json_body(&head.headers, body, BODY_LIMIT).await?;
    let collection = Collection::parse(&body)
        .map_err(|_| Refusal::bad_request("the body is no collection of change notifications"))?;
    let verdict::Checked { accepted, dropped } = verdict::check(app, collection).await?;
    for _ in 0..dropped.values().sum::<u64>() {
        count(&app.counters.notifications_dropped);
    }

    // Insertion order within a chat is the order of the batch.
    let mut chats: BTreeMap<ChatId, Vec<Accepted>> = BTreeMap::new();
    for item in accepted {
        let correlation = CorrelationId::of_teams_message(&item.chat, &item.message);
        chats.entry(item.chat.clone()).or_default().push(Accepted {
            envelope: item,
            correlation,
        });
    }
    let counts: Vec<u64> = stream::iter(chats)
        .map(|(chat, items)| enqueue_chat(app, chat, items))
        .buffer_unordered(PARALLEL_CHATS)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    Ok(Summary {
        enqueued: counts.iter().sum(),
        dropped,
    })
}

/// Enqueues the items of one chat in order; the first that is refused stops those behind it, so that the retry of the whole
/// batch cannot put an older message behind a newer one.
async fn enqueue_chat(app: &App, chat: ChatId, items: Vec<Accepted>) -> Result<u64, Refusal> {
    let lane = Lane::inbound(&chat);
    let now = OffsetDateTime::now_utc();
    stream::iter(items.into_iter().map(Ok))
        .try_fold(0, |enqueued, item| {
            let lane = &lane;
            async move {
                let Accepted {
                    envelope,
                    correlation,
                } = item;
                let change = envelope.change;
                let message_id = match change {
                    ChangeType::Created => BusMessageId::created(&envelope.chat, &envelope.message),
                    // Two edits of one message must both pass; state tells repeated ones apart.
                    ChangeType::Updated | ChangeType::Deleted => {
                        BusMessageId::unique(uuid::Uuid::new_v4().into_bytes())
                    }
                };
                let passage = Passage {
                    queue: &app.settings.inbound_queue,
                    lane: Some(lane),
                    message_id: Some(&message_id),
                    correlation: &correlation,
                    time_to_live: None,
                };
                let content = Content::Notification(envelope);
                let correlation = correlation.to_string();
                match enqueue(app, passage, &Envelope::new(now, content)).await {
                    Ok(()) => {
                        count(&app.counters.notifications_enqueued);
                        tracing::info!(event = "enqueued", correlation, change = change.as_str());
                        Ok(enqueued + 1)
                    }
                    Err(error) => {
                        let service = error.service.to_string();
                        tracing::warn!(
                            event = "enqueue_failed",
                            correlation,
                            service,
                            kind = error.kind.label(),
                            status = error.status
                        );
                        Err(Refusal::unavailable(
                            "the queue did not take it, please retry",
                        ))
                    }
                }
            }
        })
        .await
}

fn dropped_reasons(dropped: &BTreeMap<&'static str, u64>) -> Option<String> {
    let reasons: Vec<String> = dropped
        .iter()
        .map(|(reason, count)| format!("{reason}={count}"))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join(","))
}

/// The decoded `validationToken` of a query, with `+` as a space, as Graph encodes it.
fn validation_token(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "validationToken")
        .map(|(_, token)| token.into_owned())
}

/// Graph wants the decoded token and nothing else, as plain text (so that a browser cannot be made to run it).
fn handshake(token: String) -> Response {
    if token.is_empty() || token.len() > TOKEN_LIMIT {
        return Refusal::bad_request("no usable validation token").into_response();
    }
    tracing::info!(event = "validation_handshake");
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        token,
    )
        .into_response()
}
