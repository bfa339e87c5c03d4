//! The client secrets of our own app registration, as the managed identity may change them: it owns the app and holds
//! `Application.ReadWrite.OwnedBy`, a right that does not end when the secrets do.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;

/// Hosts of Graph in the clouds that have their own ("National cloud deployments"); elsewhere the first one's audience applies.
pub(crate) const HOSTS: [&str; 4] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

/// Largest answer: an app has some hundreds of secrets at most.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// Our own app registration.
#[derive(Debug)]
pub struct OwnApp {
    client: reqwest::Client,
    url: String,
    scope: String,
    identity: Arc<ManagedIdentity>,
}

/// A client secret as Graph lists it, without its text ("passwordCredential resource type").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordCredential {
    /// Its key id.
    pub key_id: String,
    /// Its name.
    pub display_name: Option<String>,
    /// The first three characters of the secret.
    pub hint: Option<String>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub start_date_time: OffsetDateTime,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    pub end_date_time: OffsetDateTime,
}

/// A secret that was added. Its text is shown this once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddedPassword {
    /// Its key id.
    pub key_id: String,
    /// The secret.
    pub secret_text: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    password_credentials: Vec<PasswordCredential>,
}

impl OwnApp {
    /// The app with this client id at this Graph; nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        graph_endpoint: &str,
        client_id: &str,
        identity: Arc<ManagedIdentity>,
    ) -> Self {
        let base = address::base(graph_endpoint);
        Self {
            client,
            url: format!("{base}/v1.0/applications(appId='{client_id}')"),
            scope: scope_of(&base),
            identity,
        }
    }

    /// The app's secrets ("Get application"). A change can take a while to be listed.
    ///
    /// # Errors
    /// `Forbidden` without the right; otherwise Graph or the managed identity refused or could not be reached.
    pub async fn passwords(&self) -> Result<Vec<PasswordCredential>> {
        let request = self
            .request(Method::GET, "?$select=passwordCredentials")
            .await?;
        let listed: Listed = exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await?;
        Ok(listed.password_credentials)
    }

    /// Adds a secret that ends then ("application: addPassword"). It is a while until the token endpoint takes it.
    ///
    /// # Errors
    /// As [`Self::passwords`]; the code of the error tells of a policy that forbids it.
    pub async fn add_password(&self, name: &str, ends: OffsetDateTime) -> Result<AddedPassword> {
        let unwritable =
            |error| ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No).because(error);
        let ends = ends.format(&Rfc3339).map_err(unwritable)?;
        let body = json!({ "passwordCredential": { "displayName": name, "endDateTime": ends } });
        let request = self.post("/addPassword", &body).await?;
        exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await
    }

    /// Removes a secret ("application: removePassword"); one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::passwords`].
    pub async fn remove_password(&self, key_id: &str) -> Result<()> {
        let request = self
            .post("/removePassword", &json!({ "keyId": key_id }))
            .await?;
        match exchange::send(Service::Graph, request, ANSWER_LIMIT).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn post(&self, action: &str, body: &Value) -> Result<RequestBuilder> {
        Ok(self.request(Method::POST, action).await?.json(body))
    }

    async fn request(&self, method: Method, rest: &str) -> Result<RequestBuilder> {
        let token = self.identity.token(&self.scope).await?;
        let request = self.client.request(method, format!("{}{rest}", self.url));
        Ok(request
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT))
    }
}

/// The scope of the managed identity's tokens for this Graph.
pub(crate) fn scope_of(base: &str) -> String {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let host = HOSTS.iter().find(|known| **known == host);
    format!("https://{}/.default", host.unwrap_or(&HOSTS[0]))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::testing::{Double, Reply, client, identity};

    async fn app(replies: impl IntoIterator<Item = Reply>) -> (Double, OwnApp) {
        let double = Double::start(replies).await;
        let app = OwnApp::new(client(), &format!("{}/", double.base), "client", identity());
        (double, app)
    }

    /// As "Get application" and "application: addPassword" show them.
    fn listed() -> Value {
        json!({ "passwordCredentials": [{
            "customKeyIdentifier": null, "displayName": "by hand", "hint": "a~b", "keyId": "k-1", "secretText": null,
            "startDateTime": "2026-06-01T10:00:00.1234567Z", "endDateTime": "2026-12-01T10:00:00Z",
        }] })
    }

    #[tokio::test]
    async fn secrets_are_listed_added_and_removed_as_the_managed_identity() {
        let added =
            json!({ "keyId": "k-2", "secretText": "s3cret", "hint": "s3c", "displayName": "new" });
        let replies = [
            Reply::json(200, &listed()),
            Reply::json(200, &added),
            Reply::new(204, ""),
            Reply::json(404, &json!({"error": {"code": "Request_ResourceNotFound"}})),
        ];
        let (double, app) = app(replies).await;
        let all = app.passwords().await.expect("a list");
        assert_eq!(
            (all[0].key_id.as_str(), all[0].hint.as_deref()),
            ("k-1", Some("a~b"))
        );
        assert_eq!(all[0].end_date_time, datetime!(2026-12-01 10:00:00 UTC));
        let ends = datetime!(2027-03-01 03:17:00 UTC);
        let added = app.add_password("new", ends).await.expect("added");
        assert_eq!(added.secret_text.expose_secret(), "s3cret");
        assert!(!format!("{added:?}").contains("s3cret"));
        for _ in 0..2 {
            app.remove_password("k-1").await.expect("removed, or gone");
        }
        let seen = double.seen();
        let place = "/v1.0/applications(appId='client')";
        let targets = [
            "?$select=passwordCredentials",
            "/addPassword",
            "/removePassword",
        ];
        for (seen, target) in seen.iter().zip(targets) {
            assert_eq!(seen.target, format!("{place}{target}"));
            let token = "Bearer https://graph.microsoft.com/.default#1";
            assert_eq!(seen.header("authorization"), token);
        }
        let asked = json!({"passwordCredential": {"displayName": "new", "endDateTime": "2027-03-01T03:17:00Z"}});
        assert_eq!(seen[1].json(), asked);
        assert_eq!(seen[2].json(), json!({"keyId": "k-1"}));
    }

    #[tokio::test]
    async fn a_policy_that_forbids_secrets_is_told_by_its_code() {
        let code = "CredentialTypeNotAllowedAsPerAppPolicy";
        let body = json!({"error": {"code": code, "message": "…"}});
        let (_, app) = app([Reply::json(400, &body)]).await;
        let error = app
            .add_password("new", datetime!(2027-03-01 03:17:00 UTC))
            .await;
        let error = error.expect_err("refused");
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Rejected, Some(code))
        );
    }

    #[test]
    fn the_audience_is_that_of_the_cloud() {
        for (base, host) in [
            ("https://graph.microsoft.us", "graph.microsoft.us"),
            ("https://127.0.0.1:7447", "graph.microsoft.com"),
        ] {
            assert_eq!(scope_of(base), format!("https://{host}/.default"));
        }
    }
}
