//! A Support User's refresh token: each is redeemed for a newer one once a day, so that none reaches the end of its life.
//!
//! All others only read it. One writer, so that an older token never takes a newer one's place.

use bridge::ids::SupportAccountName;

use crate::app::App;
use crate::failure::Failure;

/// Renews the token of this account.
pub(super) async fn renew(app: &App, account: &SupportAccountName) -> Result<(), Failure> {
    let account = account.as_str();
    let renewed = app.graph.as_user(account).renew_refresh_token().await;
    renewed
        .inspect(|()| tracing::info!(event = "refresh_token_renewed", account))
        .map_err(|error| {
            let (service, kind) = (error.service.label(), error.kind.label());
            tracing::error!(event = "refresh_token_not_renewed", account, service, kind);
            Failure::from(error)
        })
}
