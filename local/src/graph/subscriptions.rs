//! Subscriptions to the messages of each Support User, made the way Graph makes them.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rcgen::{CertifiedKey, KeyPair};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::shared::tls::rsa_certificate;
use crate::shared::{random_text, time_text};

/// Graph waits this long for the echo of its validation token.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// All subscriptions, by the name of the support account whose chats they watch.
pub struct Subscriptions {
    /// In the `clientState` of each of them.
    pub secret: String,
    /// What they encrypt for. Made when it is first needed, for that takes a while.
    pub certificate: LazyLock<CertifiedKey<KeyPair>>,
    made: Locked<HashMap<String, Subscription>>,
}

/// One subscription, as its notifications tell of it.
#[derive(Clone)]
pub struct Subscription {
    pub id: String,
    pub client_state: String,
    pub expires: String,
}

impl Subscriptions {
    /// No subscriptions yet, with a new secret and a new certificate.
    pub fn new() -> Self {
        Self {
            secret: random_text(),
            certificate: LazyLock::new(|| {
                rsa_certificate("graph-notifications").expect("a certificate can be made")
            }),
            made: Locked::default(),
        }
    }

    /// Makes the subscription of a Support User, after the address has echoed a token.
    pub async fn create(&self, url: &str, account: &str) -> anyhow::Result<()> {
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
        let status = answer.status();
        ensure!(
            status == 200,
            "the notification address answered {status} to the validation"
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
            client_state: format!("{account}.{}", self.secret),
            expires: time_text(OffsetDateTime::now_utc() + time::Duration::days(3)),
        };
        self.made.lock().insert(account.to_owned(), subscription);
        Ok(())
    }

    pub fn of(&self, account: &str) -> Option<Subscription> {
        self.made.lock().get(account).cloned()
    }
}
