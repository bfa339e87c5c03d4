//! What happens in the background while the handler already listens: secrets and keys are read, and those made that are missing.

use std::sync::Arc;
use std::time::Duration;

use services::error::ServiceError;
use services::secrets::names;
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::own_secrets;

/// Longest wait for the host's first ping; it pings every 25 ms (azure-functions-host, `HttpFunctionInvocationDispatcher`).
const FIRST_PING: Duration = Duration::from_millis(100);

/// Begins to read what the webhooks need for their verdicts: the first requests after a cold start wait for it instead of
/// starting it.
pub fn in_background(app: &Arc<App>) {
    if app.connector_tokens.is_some() {
        let app = Arc::clone(app);
        // Apart from the rest, which must not wait for it.
        tokio::spawn(async move {
            if let Some(tokens) = &app.connector_tokens {
                until_done(|| tokens.warm_up()).await;
            }
        });
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        // The host calls nobody before its first ping is answered, so that answer comes first.
        let _ = timeout(FIRST_PING, app.greeted.notified()).await;
        tokio::join!(
            until_done(|| app.secrets.accepted(names::GRAPH_CLIENT_STATE)),
            until_done(|| app.secrets.accepted(names::GENESYS_WEBHOOK)),
            until_done(|| app.validator.warm_up()),
            until_done(|| app.bus.warm_up()),
        );
        tracing::info!(event = "warmed_up", "secrets and signing keys are loaded");
        own_secrets::make_missing(&app).await;
    });
}

async fn until_done<F, T>(mut load: impl FnMut() -> F)
where
    F: Future<Output = Result<T, ServiceError>>,
{
    let mut wait = Duration::from_millis(200);
    while let Err(error) = load().await {
        let (service, kind) = (error.service.label(), error.kind.label());
        tracing::warn!(event = "warm_up_failed", service, kind);
        sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}
