//! The secrets that Genesys holds of the bridge: those of its OAuth clients, and the one with which webhooks are signed ("Regenerate
//! Client Secret", "Update an Open messaging integration").

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ANSWER_LIMIT, GenesysAdmin};
use crate::address;
use crate::error::{ErrorKind, Result, Service};
use crate::exchange;

/// What `OpenIntegrationUpdateRequest` takes besides the secret. It is sent as it stands: Genesys requires the name, and does not
/// say what becomes of the rest when it is left out.
const KEPT: [&str; 5] = [
    "name",
    "supportedContent",
    "messagingSetting",
    "outboundNotificationWebhookUrl",
    "webhookHeaders",
];

impl GenesysAdmin {
    /// Whether Genesys accepts the token: reads what it is. It needs no permission.
    ///
    /// # Errors
    /// Genesys refused or could not be reached.
    pub async fn probe(&self) -> Result<()> {
        self.read::<Value>("tokens/me").await.map(drop)
    }

    /// Whether this client is shown the integration: it has the role that the bridge needs, as far as that can be told without
    /// sending a message.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id; otherwise Genesys refused or could not be reached.
    pub async fn sees_integration(&self, id: &str) -> Result<bool> {
        let read = self.read::<Value>(&integration(id)?).await;
        match read {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Forbidden => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a new secret for an OAuth client; the one before works no longer. Genesys shows it this once.
    ///
    /// # Errors
    /// `NotFound` when there is no such client, `Forbidden` without [`super::permissions::EDIT_CLIENT`]; otherwise Genesys refused or
    /// could not be reached.
    pub async fn renew_client_secret(&self, client: &str) -> Result<SecretString> {
        #[derive(Deserialize)]
        struct OAuthClient {
            secret: SecretString,
        }
        let client = address::segment(Service::Genesys, client)?;
        let url = format!("{}/oauth/clients/{client}/secret", self.api);
        let request = self.sign(self.client.post(url));
        let made: OAuthClient =
            exchange::send_for_json(Service::Genesys, request, ANSWER_LIMIT).await?;
        Ok(made.secret)
    }

    /// Makes this the secret that an integration signs its webhooks with, from the next call on; all else about it stays.
    ///
    /// # Errors
    /// `NotFound` when there is no such integration, `Forbidden` without [`super::permissions::VIEW_INTEGRATION`] and
    /// [`super::permissions::EDIT_INTEGRATION`]; otherwise Genesys refused or could not be reached.
    pub async fn set_webhook_secret(&self, id: &str, secret: &SecretString) -> Result<()> {
        let path = integration(id)?;
        let shown: Map<String, Value> = self.read(&path).await?;
        let kept = shown.into_iter();
        let kept = kept.filter(|(name, value)| KEPT.contains(&&**name) && !value.is_null());
        let mut wanted: Map<String, Value> = kept.collect();
        for reference in ["supportedContent", "messagingSetting"] {
            // `SupportedContentReference` and `MessagingSettingRequestReference` hold an id and nothing else.
            if let Some(value) = wanted.get_mut(reference) {
                *value = json!({ "id": value["id"] });
            }
        }
        wanted.insert(
            "outboundNotificationWebhookSignatureSecretToken".to_owned(),
            json!(secret.expose_secret()),
        );
        self.change(Method::PATCH, &path, &Value::Object(wanted))
            .await
    }
}

fn integration(id: &str) -> Result<String> {
    let id = address::segment(Service::Genesys, id)?;
    Ok(format!("conversations/messaging/integrations/open/{id}"))
}

#[cfg(test)]
mod tests;
