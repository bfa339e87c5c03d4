//! Graph calls as a Support User: token, one retry with a fresh one, and what a refusal says about the token.

use bridge::ids::SupportAccountName;
use futures::future::BoxFuture;
use secrecy::SecretString;
use services::error::{ErrorKind, Service, ServiceError};

use crate::app::{App, DEFAULT_PAUSE};
use crate::failure::Failure;
use crate::invocation::Delivery;
use crate::pauses::GRAPH_READS;

/// Runs a call with the account's delegated token; a token that Graph refuses is replaced once.
///
/// # Errors
/// Those of the token endpoint and of the call.
pub async fn as_support_user<'a, T>(
    app: &App,
    account: &SupportAccountName,
    call: impl Fn(SecretString) -> BoxFuture<'a, Result<T, ServiceError>> + Send + Sync,
) -> Result<T, ServiceError> {
    let token = token(app, account).await?;
    let result = match call(token).await {
        Err(error) if error.kind == ErrorKind::Unauthorized => {
            app.delegated.drop_token(account.as_str());
            call(self::token(app, account).await?).await
        }
        result => result,
    };
    if result.is_ok() {
        app.outages.succeeded(Service::Graph);
    }
    result
}

/// Reads as the account: obeys what Graph asked for after earlier reads, and passes on a new wish to be left alone.
///
/// # Errors
/// Those of [`as_support_user`], or the wish lasts beyond this invocation.
pub async fn read_as_support_user<'a, T>(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccountName,
    call: impl Fn(SecretString) -> BoxFuture<'a, Result<T, ServiceError>> + Send + Sync,
) -> Result<Result<T, ServiceError>, Failure> {
    let key = reads_key(account);
    app.pauses
        .turn(&app.blobs, &key, GRAPH_READS, delivery.deadline)
        .await?;
    let result = as_support_user(app, account, call).await;
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

/// The account's token; a sign-in that a person must repeat is told with the account's name.
///
/// # Errors
/// Those of the token endpoint.
pub async fn token(app: &App, account: &SupportAccountName) -> Result<SecretString, ServiceError> {
    let token = app.delegated.token(account.as_str()).await;
    if let Err(error) = &token
        && error.kind == ErrorKind::SignInNeeded
    {
        let account = account.as_str();
        tracing::error!(
            event = "sign_in_needed",
            account,
            code = error.code.as_deref(),
            "the Support User must sign in again"
        );
    }
    token
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
    let token = app.delegated.token(account.as_str()).await?;
    app.graph.probe(&token).await
}
