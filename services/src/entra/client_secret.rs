//! Whether Entra ID takes a client secret of the Graph app yet ("Microsoft identity platform and the OAuth 2.0 client credentials
//! flow"). A new one is not known everywhere at once.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::app::OwnRegistration;
use crate::address;
use crate::error::Result;
use crate::graph::own_app::scope_of;

/// What Entra ID says to a secret that it does not know, or not yet ("Microsoft Entra authentication and authorization error
/// codes", AADSTS7000215).
const UNKNOWN: &str = "7000215";

/// Tries client secrets.
#[derive(Debug)]
pub struct ClientSecretProbe {
    app: Arc<OwnRegistration>,
    scope: String,
}

impl ClientSecretProbe {
    pub(super) fn new(app: Arc<OwnRegistration>, graph_endpoint: &str) -> Self {
        let scope = scope_of(&address::base(graph_endpoint));
        Self { app, scope }
    }

    /// Whether the token endpoint takes this secret. The token that it gives for it is thrown away.
    ///
    /// # Errors
    /// Entra ID refused for another reason, or could not be reached.
    pub async fn is_taken(&self, secret: &SecretString) -> Result<bool> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
        ];
        let proof = [("client_secret", secret.expose_secret())];
        match self.app.send(&form, &proof).await {
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
    use crate::entra::ClientAuthentication;
    use crate::testing::{Double, Reply, delegated, vault};

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
        let (_, secrets) = vault([]).await;
        let probe = delegated(&entra, ClientAuthentication::Secret, secrets)
            .client_secret_probe("https://graph.microsoft.com");
        let secret = SecretString::from("s3cret");
        assert!(probe.is_taken(&secret).await.expect("an answer"));
        assert!(!probe.is_taken(&secret).await.expect("an answer"));
        probe.is_taken(&secret).await.expect_err("it has ended");
        let form = [
            ("client_id", "client"),
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_secret", "s3cret"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(entra.seen()[0].form(), form);
    }
}
