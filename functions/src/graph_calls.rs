//! Graph calls as a Support User: token, one retry with a fresh one, and what a refusal says about the token.

use bridge::ids::SupportAccountName;
use futures::future::BoxFuture;
use secrecy::SecretString;
use services::error::{ErrorKind, ServiceError};

use crate::app::App;

/// Runs a call with the account's delegated token; a token that Graph refuses is replaced once.
///
/// # Errors
/// Those of the token endpoint and of the call.
pub async fn as_support_user<'a, T>(
    app: &App,
    account: &SupportAccountName,
    call: impl Fn(SecretString) -> BoxFuture<'a, Result<T, ServiceError>> + Send + Sync,
) -> Result<T, ServiceError> {
    let token = app.delegated.token(account.as_str()).await?;
    match call(token).await {
        Err(error) if error.kind == ErrorKind::Unauthorized => {
            app.delegated.drop_token(account.as_str());
            let token = app.delegated.token(account.as_str()).await?;
            call(token).await
        }
        result => result,
    }
}

/// Whether Graph answers a plain read of any Support User.
pub async fn answers(app: &App) -> bool {
    for account in &app.settings.support_accounts {
        let Ok(token) = app.delegated.token(account.name.as_str()).await else {
            continue;
        };
        match app.graph.probe(&token).await {
            Ok(()) => return true,
            // Being throttled is an answer, but no proof that posts work.
            Err(error) if error.kind == ErrorKind::Throttled => return false,
            Err(_) => {}
        }
    }
    false
}
