//! Whether Entra ID takes a client secret of the Graph app yet ("Microsoft identity platform and the OAuth 2.0 client credentials
//! flow"). A new one is not known everywhere at once.

use secrecy::{ExposeSecret, SecretString};

use crate::address;
use crate::error::{Result, Service};
use crate::exchange;
use crate::graph::own_app::scope_of;
use crate::http::CALL_TIMEOUT;

/// Largest answer of the token endpoint.
const ANSWER_LIMIT: usize = 256 * 1024;

/// What Entra ID says to a secret that it does not know, or not yet ("Microsoft Entra authentication and authorization error
/// codes", AADSTS7000215).
const UNKNOWN: &str = "7000215";

/// Tries client secrets.
#[derive(Debug)]
pub struct ClientSecretProbe {
    client: reqwest::Client,
    token_url: String,
    client_id: String,
    scope: String,
}

impl ClientSecretProbe {
    /// Nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        graph_endpoint: &str,
        tenant: &str,
        client_id: &str,
    ) -> Self {
        let endpoint = address::base(entra_endpoint);
        Self {
            client,
            token_url: format!("{endpoint}/{tenant}/oauth2/v2.0/token"),
            client_id: client_id.to_owned(),
            scope: scope_of(&address::base(graph_endpoint)),
        }
    }

    /// Whether the token endpoint takes this secret. The token that it gives for it is thrown away.
    ///
    /// # Errors
    /// Entra ID refused for another reason, or could not be reached.
    pub async fn is_taken(&self, secret: &SecretString) -> Result<bool> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", secret.expose_secret()),
            ("scope", self.scope.as_str()),
        ];
        let request = self.client.post(&self.token_url).form(&form);
        let request = request.timeout(CALL_TIMEOUT);
        match exchange::send(Service::Entra, request, ANSWER_LIMIT).await {
            Ok(_) => Ok(true),
            Err(error) => {
                let code = error.code.as_deref().unwrap_or_default();
                let is_unknown = code.rsplit(':').next() == Some(UNKNOWN);
                if is_unknown { Ok(false) } else { Err(error) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Double, Reply, TENANT, client};

    #[tokio::test]
    async fn a_secret_is_taken_not_known_yet_or_refused_for_another_reason() {
        let refusal = |number: u32| {
            let body = json!({"error": "invalid_client", "error_codes": [number]});
            Reply::json(401, &body)
        };
        let granted = json!({"access_token": "a", "expires_in": 3599});
        let replies = [
            Reply::json(200, &granted),
            refusal(7_000_215),
            refusal(7_000_222),
        ];
        let entra = Double::start(replies).await;
        let graph = "https://graph.microsoft.com";
        let probe = ClientSecretProbe::new(client(), &entra.base, graph, TENANT, "client");
        let secret = SecretString::from("s3cret");
        assert!(probe.is_taken(&secret).await.expect("an answer"));
        assert!(!probe.is_taken(&secret).await.expect("an answer"));
        probe.is_taken(&secret).await.expect_err("it has ended");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "client"),
            ("client_secret", "s3cret"),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(entra.seen()[0].form(), form);
    }
}
