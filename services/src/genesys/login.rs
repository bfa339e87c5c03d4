//! The client credentials grant (Genesys Cloud Developer Center, "Client Credentials").

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::ANSWER_LIMIT;
use crate::address;
use crate::error::{ErrorKind, Result, Service};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::renewal::Lease;

/// A token for an OAuth client, from the login at this endpoint, for example `https://login.mypurecloud.de`.
///
/// # Errors
/// `Configuration` when Genesys does not know the client or its secret; otherwise it refused or could not be reached.
pub(super) async fn grant(
    client: &reqwest::Client,
    endpoint: &str,
    client_id: &str,
    secret: &SecretString,
) -> Result<Lease<SecretString>> {
    #[derive(Deserialize)]
    struct Grant {
        access_token: SecretString,
        expires_in: u64,
    }
    let request = client
        .post(format!("{}/oauth/token", address::base(endpoint)))
        .basic_auth(client_id, Some(secret.expose_secret()))
        .form(&[("grant_type", "client_credentials")])
        .timeout(CALL_TIMEOUT);
    let grant: Grant = exchange::send_for_json(Service::Genesys, request, ANSWER_LIMIT)
        .await
        .map_err(|mut error| {
            // A refused client is no refused token.
            if matches!(error.kind, ErrorKind::Rejected | ErrorKind::Unauthorized) {
                error.kind = ErrorKind::Configuration;
            }
            error
        })?;
    let life = Duration::from_secs(grant.expires_in);
    Ok(Lease {
        value: grant.access_token,
        renew_after: life.saturating_sub((life / 5).min(Duration::from_secs(300))),
        expires_after: life.saturating_sub((life / 10).min(Duration::from_secs(30))),
    })
}
