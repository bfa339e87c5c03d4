//! Subscriptions to the messages of each Support User, made the way Graph makes them.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::ChangeType;
use super::views;
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::shared::tls::{RsaCertificate, rsa_certificate};
use crate::world::SupportAccount;

/// Graph waits this long for the echo of its validation token.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// All subscriptions, the secret in their `clientState`, and the certificate that they encrypt for.
pub struct Subscriptions {
    secret: String,
    /// Made when it is first needed, for that takes a while.
    certificate: LazyLock<RsaCertificate>,
    made: Locked<Vec<Subscription>>,
}

impl std::fmt::Debug for Subscriptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Subscriptions")
    }
}

/// One subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Name of the support account whose chats it watches.
    pub account: String,
    /// Presented with each notification.
    pub client_state: String,
    /// The kinds of change that it is about.
    pub changes: Vec<ChangeType>,
    resource: String,
    expires: OffsetDateTime,
}

impl Subscriptions {
    /// No subscriptions yet, with a new secret and a new certificate.
    pub fn new() -> Self {
        Self {
            secret: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
            certificate: LazyLock::new(|| {
                rsa_certificate("graph-notifications").expect("a certificate can be made")
            }),
            made: Locked::default(),
        }
    }

    /// The secret in the `clientState` of every subscription.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Private key and certificate, as PEM.
    pub fn key_pem(&self) -> String {
        format!(
            "{}{}",
            self.certificate.key_pem, self.certificate.certificate_pem
        )
    }

    /// The certificate that content is encrypted for.
    pub fn certificate(&self) -> &RsaCertificate {
        &self.certificate
    }

    /// Makes the subscription of a Support User to these kinds of change, after the address has echoed a token.
    pub async fn create(
        &self,
        url: &str,
        account: &SupportAccount,
        changes: &[ChangeType],
    ) -> anyhow::Result<()> {
        let token = format!(
            "Validation: Testing client application reachability for subscription Request-Id: {}",
            Uuid::new_v4()
        );
        let answer = loopback_client()
            .build()?
            .post(url)
            .query(&[("validationToken", &token)])
            .header("content-type", "text/plain; charset=utf-8")
            .timeout(HANDSHAKE)
            .send()
            .await
            .context("the notification address does not answer")?;
        ensure!(
            answer.status() == 200,
            "the notification address answered {} to the validation",
            answer.status()
        );
        let kind = answer.headers().get("content-type").cloned();
        ensure!(
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain")),
            "the validation token did not come back as text/plain"
        );
        ensure!(
            answer.text().await? == token,
            "the validation token came back changed"
        );
        let subscription = Subscription {
            id: Uuid::new_v4().to_string(),
            account: account.name.clone(),
            client_state: format!("{}.{}", account.name, self.secret),
            changes: changes.to_vec(),
            resource: format!("/users/{}/chats/getAllMessages", account.user),
            expires: OffsetDateTime::now_utc() + Duration::from_secs(3 * 24 * 3600),
        };
        self.made.lock().push(subscription);
        Ok(())
    }

    /// The subscription of a support account.
    pub fn of(&self, account: &str) -> Option<Subscription> {
        let made = self.made.lock();
        made.iter()
            .find(|subscription| subscription.account == account)
            .cloned()
    }

    /// All of them, as `GET /local/graph/subscriptions` shows them.
    pub fn view(&self) -> Value {
        let made = self.made.lock();
        let all: Vec<Value> = made.iter().map(Subscription::view).collect();
        json!({ "subscriptions": all })
    }
}

impl Subscription {
    /// When it ends, as its notifications say.
    pub fn expires(&self) -> String {
        views::time(self.expires)
    }

    fn view(&self) -> Value {
        let changes: Vec<&str> = self.changes.iter().map(|change| change.name()).collect();
        json!({
            "id": self.id,
            "account": self.account,
            "resource": self.resource,
            "changeType": changes.join(","),
            "expirationDateTime": self.expires(),
        })
    }
}
