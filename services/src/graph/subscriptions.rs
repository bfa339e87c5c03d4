//! Change-notification subscriptions of the Graph app (Microsoft Graph v1.0, "subscription resource type"): by itself, with the
//! application permission `Chat.Read.All`, or on behalf of a Support User, with the delegated permission `Chat.Read`.

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use super::{ANSWER_LIMIT, Graph};
use crate::address;
use crate::entra::ApplicationToken;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::renewal::Renewal;

/// Time that Graph has to make or change a subscription: it calls the address back meanwhile, and waits 10 s for its answer.
const HANDSHAKE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(45);

/// Pages of the list that are read at most.
const MOST_PAGES: usize = 50;

/// A subscription, as Graph lists it. Its `clientState` is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionRecord {
    /// Its id.
    pub id: String,
    /// What it watches.
    pub resource: String,
    /// Kinds of changes, with commas.
    pub change_type: String,
    /// Where notifications go.
    pub notification_url: String,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expiration_date_time: OffsetDateTime,
}

/// What can be given to a subscription again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changeable {
    /// Where notifications go.
    pub notification_url: String,
    /// When it ends: 4,320 minutes from now at most.
    #[serde(with = "time::serde::rfc3339")]
    pub expiration_date_time: OffsetDateTime,
    /// The certificate that Graph encrypts for: base64 of its DER form.
    pub encryption_certificate: String,
    /// What notifications call it.
    pub encryption_certificate_id: String,
}

/// A subscription to be made. `Debug` does not show its `clientState`.
#[derive(Debug)]
pub struct NewSubscription {
    /// What it watches.
    pub resource: String,
    /// Kinds of changes, with commas.
    pub change_type: String,
    /// Where lifecycle notifications go; it cannot be changed later.
    pub lifecycle_notification_url: String,
    /// What each notification presents: at most 128 characters.
    pub client_state: SecretString,
    /// The rest.
    pub changeable: Changeable,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<SubscriptionRecord>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// The app's subscriptions, those that it made by itself or those that it made on behalf of one user: Graph shows and changes either
/// only to whom they belong ("List subscriptions").
#[derive(Debug, Clone)]
pub struct Subscriptions {
    client: reqwest::Client,
    url: String,
    token: Renewal<SecretString>,
}

impl Subscriptions {
    /// At the Graph of this endpoint; nothing is called yet.
    pub fn new(client: reqwest::Client, endpoint: &str, token: ApplicationToken) -> Self {
        let url = format!("{}/v1.0/subscriptions", address::base(endpoint));
        let token = token.0;
        Self { client, url, token }
    }

    /// Those on behalf of a Support User, by the account's configured name.
    #[must_use]
    pub fn on_behalf_of(&self, graph: &Graph, account: &str) -> Self {
        Self {
            client: self.client.clone(),
            url: self.url.clone(),
            token: graph.tokens.of(account),
        }
    }

    /// All of the app's ("List subscriptions").
    ///
    /// # Errors
    /// Graph, Entra ID, Key Vault or the managed identity refused or could not be reached, `SignInNeeded` on behalf of a Support
    /// User who must sign in; `Malformed` when a next page lies
    /// elsewhere or the list does not end.
    pub async fn list(&self) -> Result<Vec<SubscriptionRecord>> {
        let mut all = Vec::new();
        let mut url = self.url.clone();
        for _ in 0..MOST_PAGES {
            let page: Page = self
                .token
                .call(Service::Graph, |token| {
                    let request = self.request(Method::GET, &url, &token);
                    exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT)
                })
                .await?;
            all.extend(page.value);
            let Some(next) = page.next else {
                return Ok(all);
            };
            // The token goes to Graph and nowhere else.
            let origin = |url: &str| Url::parse(url).ok().map(|it| it.origin());
            if origin(&next) != origin(&self.url) {
                break;
            }
            url = next;
        }
        let malformed = ErrorKind::Malformed;
        Err(ServiceError::new(Service::Graph, malformed, Sent::Yes))
    }

    /// Makes one ("Create subscription"), with the content of messages in its notifications.
    ///
    /// # Errors
    /// `Conflict` when the app has one with the same resource and kinds, `Forbidden` without the permission or beyond a quota,
    /// `Rejected` when an address did not answer its validation; otherwise as [`Self::list`].
    pub async fn create(&self, new: &NewSubscription) -> Result<()> {
        let mut body = json!(new.changeable);
        body["resource"] = json!(new.resource);
        body["changeType"] = json!(new.change_type);
        body["lifecycleNotificationUrl"] = json!(new.lifecycle_notification_url);
        body["clientState"] = json!(new.client_state.expose_secret());
        body["includeResourceData"] = json!(true);
        self.write(Method::POST, &self.url, &body).await
    }

    /// Gives one another end ("Update subscription").
    ///
    /// # Errors
    /// `NotFound` when it is gone; otherwise as [`Self::list`].
    pub async fn renew(&self, id: &str, ends: OffsetDateTime) -> Result<()> {
        let unwritable =
            |error| ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No).because(error);
        let ends = ends.format(&Rfc3339).map_err(unwritable)?;
        let url = self.url_of(id)?;
        let body = json!({ "expirationDateTime": ends });
        self.write(Method::PATCH, &url, &body).await
    }

    /// Gives one another address, certificate and end. Graph validates the address anew.
    ///
    /// # Errors
    /// `NotFound` when it is gone; otherwise as [`Self::create`].
    pub async fn change(&self, id: &str, to: &Changeable) -> Result<()> {
        let url = self.url_of(id)?;
        self.write(Method::PATCH, &url, &json!(to)).await
    }

    /// Removes one ("Delete subscription"); one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn delete(&self, id: &str) -> Result<()> {
        let url = self.url_of(id)?;
        let deleted = self.token.call(Service::Graph, |token| {
            let request = self.request(Method::DELETE, &url, &token);
            exchange::send(Service::Graph, request, ANSWER_LIMIT)
        });
        match deleted.await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn write(&self, method: Method, url: &str, body: &Value) -> Result<()> {
        let written = self.token.call(Service::Graph, |token| {
            let request = self.request(method.clone(), url, &token);
            let request = request.json(body).timeout(HANDSHAKE_TIMEOUT);
            exchange::send(Service::Graph, request, ANSWER_LIMIT)
        });
        // It is done when Graph says yes, whatever else the answer holds.
        written.await.map(drop)
    }

    fn request(&self, method: Method, url: &str, token: &SecretString) -> RequestBuilder {
        let request = self.client.request(method, url);
        request
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT)
    }

    fn url_of(&self, id: &str) -> Result<String> {
        let id = address::segment(Service::Graph, id)?;
        Ok(format!("{}/{id}", self.url))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::entra::ClientAuthentication;
    use crate::testing::{Double, Reply, client, delegated, vault};

    fn token(value: &str) -> Reply {
        Reply::json(200, &json!({"access_token": value, "expires_in": 3599}))
    }

    /// Entra ID and Graph, each with these answers.
    async fn start(
        tokens: impl IntoIterator<Item = Reply>,
        answers: impl IntoIterator<Item = Reply>,
    ) -> (Double, Double, Subscriptions) {
        let (entra, graph) = (Double::start(tokens).await, Double::start(answers).await);
        let (_, secrets) = vault([]).await;
        let tokens = delegated(&entra, ClientAuthentication::Federated, secrets);
        let token = tokens.application("https://graph.microsoft.com");
        let subscriptions = Subscriptions::new(client(), &format!("{}/", graph.base), token);
        (entra, graph, subscriptions)
    }

    fn changeable() -> Changeable {
        Changeable {
            notification_url: "https://app.example/n?state=1".to_owned(),
            expiration_date_time: datetime!(2026-12-03 10:00:00 UTC),
            encryption_certificate: "MII=".to_owned(),
            encryption_certificate_id: "c-1".to_owned(),
        }
    }

    /// As "List subscriptions" shows one.
    fn listed(id: &str) -> Value {
        json!({
            "id": id, "resource": "users/u/chats/getAllMessages", "applicationId": "a", "changeType": "created,updated",
            "clientState": null, "notificationUrl": "https://app.example/n?state=1", "notificationQueryOptions": null,
            "lifecycleNotificationUrl": "https://app.example/n", "expirationDateTime": "2026-12-03T10:00:00.0000000Z",
            "creatorId": "c", "includeResourceData": true, "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": null, "encryptionCertificateId": null, "notificationUrlAppId": null,
        })
    }

    #[tokio::test]
    async fn they_are_listed_over_pages_with_the_app_s_own_token() {
        let (entra, graph, subscriptions) = start([token("t")], []).await;
        let next = format!("{}/v1.0/subscriptions?$skiptoken=2", graph.base);
        graph.push(Reply::json(
            200,
            &json!({"value": [listed("1")], "@odata.nextLink": next}),
        ));
        graph.push(Reply::json(200, &json!({"value": [listed("2")]})));
        let all = subscriptions.list().await.expect("a list");
        let ids: Vec<_> = all.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(
            all[0].expiration_date_time,
            datetime!(2026-12-03 10:00:00 UTC)
        );
        let form = entra.only().form();
        let asked = |name: &str| {
            form.iter()
                .find(|(it, _)| it == name)
                .map(|it| it.1.as_str())
        };
        assert_eq!(asked("grant_type"), Some("client_credentials"));
        assert_eq!(asked("scope"), Some("https://graph.microsoft.com/.default"));
        assert!(asked("client_assertion").is_some());
        let seen = graph.seen();
        assert_eq!(seen[1].target, "/v1.0/subscriptions?$skiptoken=2");
        assert_eq!(seen[1].header("authorization"), "Bearer t");
    }

    #[tokio::test]
    async fn a_next_page_elsewhere_never_gets_the_token() {
        let (_, graph, subscriptions) = start([token("t")], []).await;
        let elsewhere = "https://elsewhere.example/v1.0/subscriptions";
        let page = json!({"value": [], "@odata.nextLink": elsewhere});
        graph.push(Reply::json(200, &page));
        let error = subscriptions.list().await.expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Malformed);
    }

    #[tokio::test]
    async fn one_is_made_changed_renewed_and_removed() {
        let answers = [
            Reply::json(201, &listed("1")),
            Reply::json(200, &listed("1")),
            Reply::json(200, &listed("1")),
            Reply::new(204, ""),
            Reply::json(404, &json!({"error": {"code": "ResourceNotFound"}})),
        ];
        let (_, graph, subscriptions) = start([token("t")], answers).await;
        let new = NewSubscription {
            resource: "users/u/chats/getAllMessages".to_owned(),
            change_type: "created,updated,deleted".to_owned(),
            lifecycle_notification_url: "https://app.example/n".to_owned(),
            client_state: "support.s3cret".into(),
            changeable: changeable(),
        };
        assert!(!format!("{new:?}").contains("s3cret"));
        subscriptions.create(&new).await.expect("made");
        subscriptions
            .change("1", &changeable())
            .await
            .expect("changed");
        let ends = datetime!(2026-12-03 10:00:00 UTC);
        subscriptions.renew("1", ends).await.expect("renewed");
        for _ in 0..2 {
            subscriptions.delete("1").await.expect("removed, or gone");
        }
        let seen = graph.seen();
        let calls: Vec<_> = seen
            .iter()
            .map(|it| format!("{} {}", it.method, it.target))
            .collect();
        let one = "/v1.0/subscriptions/1";
        let expected = [
            "POST /v1.0/subscriptions".to_owned(),
            format!("PATCH {one}"),
            format!("PATCH {one}"),
            format!("DELETE {one}"),
        ];
        assert_eq!(calls[..4], expected);
        let end = json!({ "expirationDateTime": "2026-12-03T10:00:00Z" });
        assert_eq!(seen[2].json(), end);
        let body = json!({
            "resource": "users/u/chats/getAllMessages", "changeType": "created,updated,deleted",
            "notificationUrl": "https://app.example/n?state=1", "lifecycleNotificationUrl": "https://app.example/n",
            "expirationDateTime": "2026-12-03T10:00:00Z", "clientState": "support.s3cret", "includeResourceData": true,
            "encryptionCertificate": "MII=", "encryptionCertificateId": "c-1",
        });
        assert_eq!(seen[0].json(), body);
        let patched = json!({
            "notificationUrl": "https://app.example/n?state=1", "expirationDateTime": "2026-12-03T10:00:00Z",
            "encryptionCertificate": "MII=", "encryptionCertificateId": "c-1",
        });
        assert_eq!(seen[1].json(), patched);
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once() {
        let refused = Reply::json(
            401,
            &json!({"error": {"code": "InvalidAuthenticationToken"}}),
        );
        let answers = [refused, Reply::json(200, &json!({ "value": [] }))];
        let (_, graph, subscriptions) = start([token("old"), token("new")], answers).await;
        subscriptions.list().await.expect("a list");
        assert_eq!(graph.seen()[1].header("authorization"), "Bearer new");
    }
}
