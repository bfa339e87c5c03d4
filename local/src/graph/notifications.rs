//! What Graph tells us of: change notifications, rich and basic (Microsoft Learn, "Set up Microsoft Graph change notifications with resource
//! data").

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::changes::ChangeType;
use super::chats::NewMessage;
use super::state::Graph;
use super::views;
use crate::hub::Direction;
use crate::shared::content::hexadecimal;
use crate::shared::correlation;
use crate::shared::tls::RsaCertificate;

/// Graph's own application, which signs for rich notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

impl Graph {
    /// Makes the subscription of each Support User; Graph asks the notification address for its validation token first.
    ///
    /// # Errors
    /// The address did not echo the token.
    pub async fn subscribe(&self) -> anyhow::Result<()> {
        let url = self.notification_url();
        let subscriptions = &self.subscriptions;
        for account in &self.world.config.support_accounts {
            subscriptions
                .create(&url, account, &ChangeType::ALL)
                .await?;
        }
        Ok(())
    }

    fn notification_url(&self) -> String {
        format!("{}/api/graph/notifications", self.world.endpoints.functions)
    }

    /// A customer writes; returns the message's id. The notifications, if wanted, are on their way when this returns.
    pub(super) fn customer_writes(&self, chat: &str, message: NewMessage, notify: bool) -> String {
        let now = OffsetDateTime::now_utc();
        let id = self.chats.lock().add(chat, message, now);
        let changes: &[ChangeType] = if notify { &[ChangeType::Created] } else { &[] };
        self.message_changed(chat, &id, "written", changes);
        id
    }

    /// Tells of what somebody did to a message in Teams, by this word and these notifications.
    pub(super) fn message_changed(
        &self,
        chat: &str,
        id: &str,
        outcome: &str,
        notifications: &[ChangeType],
    ) {
        let hub = &self.world.hub;
        let correlation = correlation::of_teams_message(chat, id);
        let attempt = hub.journeys.next_attempt(&correlation, "teams");
        hub.journey(&correlation, Direction::Inbound, "teams", attempt, outcome);
        for change in notifications {
            // Nobody waits for them.
            drop(self.notify(chat, id, *change, Some(correlation.clone())));
        }
        hub.event("chat", json!({ "chat": chat }));
    }

    /// Puts the notifications of a change on their way; the receiver resolves when each was tried once.
    pub(super) fn notify(
        &self,
        chat: &str,
        message: &str,
        change: ChangeType,
        correlation: Option<String>,
    ) -> oneshot::Receiver<()> {
        let accounts = self.chats.lock().support_accounts(chat, &self.world);
        let bodies: Vec<Vec<u8>> = accounts
            .iter()
            .filter_map(|account| self.compose(chat, message, account, change))
            .map(|body| body.to_string().into_bytes())
            .collect();
        let url = self.notification_url();
        self.deliveries.send(chat, &url, bodies, correlation)
    }

    /// The collection that tells a support account's subscription of a change; `None` without message, and without a
    /// subscription for this kind of change.
    pub(super) fn compose(
        &self,
        chat: &str,
        message: &str,
        account: &str,
        change: ChangeType,
    ) -> Option<Value> {
        let subscription = self.subscriptions.of(account)?;
        if !subscription.changes.contains(&change) {
            return None;
        }
        let (content, second) = {
            let chats = self.chats.lock();
            let messages = &chats.get(chat)?.messages;
            let place = messages.iter().position(|it| it.id == message)?;
            // Both versions of the token occur; which one is the app registration's business. Here they take turns.
            let content = match change {
                ChangeType::Deleted => views::deleted_message(chat, &messages[place]),
                ChangeType::Created | ChangeType::Updated => views::message(chat, &messages[place]),
            };
            (content, place % 2 == 1)
        };
        let resource = format!(
            "chats('{}')/messages('{message}')",
            chat.replace('\'', "''")
        );
        let mut item = json!({
            "subscriptionId": subscription.id,
            "changeType": change.name(),
            "clientState": subscription.client_state,
            "subscriptionExpirationDateTime": subscription.expires(),
            "resource": resource,
            "resourceData": {
                "id": message,
                "@odata.type": "#Microsoft.Graph.chatMessage",
                "@odata.id": resource,
            },
            "tenantId": self.world.config.tenant,
        });
        if self.world.config.basic_notifications {
            return Some(json!({ "value": [item] }));
        }
        let certificate = self.subscriptions.certificate();
        item["encryptedContent"] = encrypted(content.to_string().into_bytes(), certificate)?;
        Some(json!({ "value": [item], "validationTokens": [self.validation_token(second)] }))
    }

    fn validation_token(&self, second: bool) -> String {
        let config = &self.world.config;
        let tenant = &config.tenant;
        let (version, issuer, publisher) = if second {
            let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
            ("2.0", issuer, "azp")
        } else {
            ("1.0", format!("https://sts.windows.net/{tenant}/"), "appid")
        };
        let mut claims = json!({
            "ver": version, "iss": issuer, "aud": config.graph_client_id, "tid": tenant,
        });
        claims[publisher] = json!(PUBLISHER);
        self.entra.issue(claims)
    }
}

/// Encrypts with a key of its own: RSA-OAEP with SHA-1 around the key, AES-256-CBC with the key's first 16 bytes as
/// initialisation vector, HMAC-SHA256 over the result.
fn encrypted(mut data: Vec<u8>, certificate: &RsaCertificate) -> Option<Value> {
    let mut key = [0; 32];
    rand::fill(&mut key).ok()?;
    let mut start = [0; 16];
    start.copy_from_slice(&key[..16]);
    let cipher = UnboundCipherKey::new(&AES_256, &key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .ok()?;
    cipher
        .less_safe_encrypt(
            &mut data,
            EncryptionContext::Iv128(FixedLength::from(start)),
        )
        .ok()?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
    let public = PrivateDecryptingKey::from_pkcs8(&certificate.key_der)
        .ok()?
        .public_key();
    let public = OaepPublicEncryptingKey::new(public).ok()?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public
        .encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)
        .ok()?;
    Some(json!({
        "data": STANDARD.encode(&data),
        "dataSignature": STANDARD.encode(signature),
        "dataKey": STANDARD.encode(wrapped),
        "encryptionCertificateId": certificate.id,
        "encryptionCertificateThumbprint": thumbprint(certificate),
    }))
}

/// The certificate's SHA-1 in capital hexadecimal digits, as Windows shows it.
fn thumbprint(certificate: &RsaCertificate) -> String {
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate.certificate_der);
    hexadecimal(sha1.as_ref()).to_uppercase()
}
