//! The subscriptions that the platform makes itself, one for each Support User, as long as nobody else does.

use std::sync::LazyLock;

use anyhow::anyhow;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, KeyPair};
use serde_json::json;
use time::Duration;

use super::Owner;
use crate::graph::state::Graph;
use crate::shared::content::hexadecimal;
use crate::shared::tls::rsa_certificate;
use crate::shared::{random_text, time_text};

/// What the platform's own subscriptions are made of, and what the vault is to know of them.
pub struct Own {
    /// In the `clientState` of each of them.
    pub secret: String,
    /// What they encrypt for. Made when it is first needed, for that takes a while.
    pub certificate: LazyLock<CertifiedKey<KeyPair>>,
}

impl Own {
    /// A new secret and a new certificate.
    pub fn new() -> Self {
        Self {
            secret: random_text(),
            certificate: LazyLock::new(|| {
                rsa_certificate("graph-notifications").expect("a certificate can be made")
            }),
        }
    }
}

impl Graph {
    /// Makes the subscription of each Support User, as an operator's script does; Graph asks the notification address for its
    /// validation token first.
    ///
    /// # Errors
    /// The address did not echo the token.
    pub async fn subscribe(&self) -> anyhow::Result<()> {
        let config = &self.world.config;
        let url = format!("{}/api/graph/notifications", self.world.endpoints.functions);
        let certificate = self.own.certificate.cert.der();
        for account in &config.support_accounts {
            let owner = Owner {
                app: config.graph_client_id.clone(),
                user: None,
            };
            let body = json!({
                "changeType": "created,updated,deleted",
                "notificationUrl": url,
                "lifecycleNotificationUrl": url,
                "resource": format!("/users/{}/chats/getAllMessages", account.user),
                "expirationDateTime": time_text(self.world.clock.now() + Duration::minutes(4300)),
                "clientState": format!("{}.{}", account.name, self.own.secret),
                "includeResourceData": true,
                "encryptionCertificate": STANDARD.encode(certificate),
                "encryptionCertificateId": hexadecimal(digest(&SHA256, certificate).as_ref()),
            });
            let body = body.to_string();
            let made = self.create_subscription(owner, body.as_bytes()).await;
            made.map_err(|refusal| anyhow!("{refusal}"))?;
        }
        Ok(())
    }
}
