//! Graph calls as a Support User, and what they say of Graph's health and its wishes.

use bridge::ids::SupportAccountName;
use services::error::{ErrorKind, Service, ServiceError};

use crate::app::{App, DEFAULT_PAUSE};
use crate::failure::Failure;
use crate::invocation::Delivery;
use crate::pauses::GRAPH_READS;

/// Makes a call and notes when Graph served it.
///
/// # Errors
/// Those of the call.
pub async fn as_support_user<T>(
    app: &App,
    call: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    let result = call.await;
    if result.is_ok() {
        app.outages.succeeded(Service::Graph);
    }
    result
}

/// Reads as the account: obeys what Graph asked for after earlier reads, and passes on a new wish to be left alone.
///
/// # Errors
/// Those of the call, or the wish lasts beyond this invocation.
pub async fn read_as_support_user<T>(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccountName,
    call: impl Future<Output = Result<T, ServiceError>>,
) -> Result<Result<T, ServiceError>, Failure> {
    let key = reads_key(account);
    app.pauses
        .turn(&app.blobs, &key, GRAPH_READS, delivery.deadline)
        .await?;
    let result = as_support_user(app, call).await;
    if let Err(error) = &result {
        note_throttling(app, &key, error).await;
    }
    Ok(result)
}

/// Throttle key of a Support User's reads.
pub fn reads_key(account: &SupportAccountName) -> String {
    format!("graph-reads-{}", account.as_str())
}

/// Passes on Graph's wish to be left alone with reads.
pub async fn note_throttling(app: &App, key: &str, error: &ServiceError) {
    if error.kind == ErrorKind::Throttled {
        let pause = error.retry_after.unwrap_or(DEFAULT_PAUSE);
        app.pauses.pause(&app.blobs, key, GRAPH_READS, pause).await;
    }
}

/// Whether Graph answers a plain read of any Support User.
pub async fn answers(app: &App) -> bool {
    for account in &app.settings.support_accounts {
        match probe(app, &account.name).await {
            Ok(()) => return true,
            // Being throttled is an answer, but no proof that posts work.
            Err(error) if error.kind == ErrorKind::Throttled => return false,
            Err(_) => {}
        }
    }
    false
}

/// Whether Graph answers a plain read of this Support User.
pub async fn answers_to(app: &App, account: &SupportAccountName) -> bool {
    probe(app, account).await.is_ok()
}

async fn probe(app: &App, account: &SupportAccountName) -> Result<(), ServiceError> {
    app.graph.as_user(account.as_str()).probe().await
}
