//! What Graph tells us of: change notifications, rich and basic (Microsoft Learn, "Set up Microsoft Graph change notifications with resource
//! data").

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, KeyPair};
use serde_json::{Value, json};

use super::changes::ChangeType;
use super::chats::Chat;
use super::deliveries;
use super::state::Graph;
use super::subscriptions::Subscription;
use super::views;
use crate::delivery::FirstAttempt;
use crate::entra::PUBLISHER;
use crate::hub::Direction;
use crate::shared::content::hexadecimal;
use crate::shared::correlation;

impl Graph {
    /// Makes the subscription of each Support User; Graph asks the notification address for its validation token first.
    ///
    /// # Errors
    /// The address did not echo the token.
    pub async fn subscribe(&self) -> anyhow::Result<()> {
        let url = self.notification_url();
        for account in &self.world.config.support_accounts {
            self.subscriptions.create(&url, &account.name).await?;
        }
        Ok(())
    }

    fn notification_url(&self) -> String {
        format!("{}/api/graph/notifications", self.world.endpoints.functions)
    }

    /// Tells of what somebody did to a message in Teams, by this word and, unless `notify` is false, these
    /// notifications.
    pub(super) fn message_changed(
        &self,
        chat: &str,
        id: &str,
        outcome: &str,
        notify: Option<bool>,
        notifications: &[ChangeType],
    ) {
        let hub = &self.world.hub;
        let correlation = correlation::of_teams_message(chat, id);
        let attempt = hub.journeys.next_attempt(&correlation, "teams");
        hub.journey(&correlation, Direction::Inbound, "teams", attempt, outcome);
        let silent = notify == Some(false);
        for change in notifications.iter().filter(|_| !silent) {
            self.notify(chat, id, *change, Some(&correlation));
        }
        hub.event("chat", json!({ "chat": chat }));
    }

    /// Puts the notifications of a change on their way; the first attempt of the last one, when there are any.
    pub(super) fn notify(
        &self,
        chat: &str,
        message: &str,
        change: ChangeType,
        correlation: Option<&str>,
    ) -> Option<FirstAttempt> {
        let mut last = None;
        for body in self.compose(chat, message, change) {
            let body = body.to_string().into_bytes();
            let correlation = correlation.map(str::to_owned);
            let (all, url) = (&self.deliveries, self.notification_url());
            last = Some(deliveries::send(all, chat, url, body, correlation));
        }
        last
    }

    /// The collections that tell of a change, one for each support account in the chat that has a subscription.
    pub(super) fn compose(&self, chat: &str, message: &str, change: ChangeType) -> Vec<Value> {
        let (accounts, content, second) = {
            let chats = self.chats.lock();
            let place = |chat: &Chat| chat.messages.iter().position(|it| it.id == message);
            let found = chats.get(chat).and_then(|it| Some((it, place(it)?)));
            let Some((chat, place)) = found else {
                return Vec::new();
            };
            let accounts = self.world.config.support_accounts.iter();
            let accounts: Vec<_> = accounts.filter(|it| chat.has_member(&it.user)).collect();
            let view = match change {
                ChangeType::Deleted => views::deleted_message,
                ChangeType::Created | ChangeType::Updated => views::message,
            };
            // Both versions of the token occur; which one is the app registration's business. Here they take turns.
            let second = place % 2 == 1;
            (accounts, view(chat, &chat.messages[place]), second)
        };
        let content = content.to_string();
        let resource = format!(
            "chats('{}')/messages('{message}')",
            chat.replace('\'', "''")
        );
        let collection = |subscription: Subscription| {
            let mut item = json!({
                "subscriptionId": subscription.id,
                "changeType": change,
                "clientState": subscription.client_state,
                "subscriptionExpirationDateTime": subscription.expires,
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
            let data = content.clone().into_bytes();
            item["encryptedContent"] = encrypted(data, &self.subscriptions.certificate)?;
            Some(json!({ "value": [item], "validationTokens": [self.validation_token(second)] }))
        };
        let subscriptions = accounts.iter();
        let subscriptions = subscriptions.filter_map(|it| self.subscriptions.of(&it.name));
        subscriptions.filter_map(collection).collect()
    }

    fn validation_token(&self, second: bool) -> String {
        let version = if second { "2.0" } else { "1.0" };
        let publisher = if second { "azp" } else { "appid" };
        let mut claims = json!({ "ver": version, "aud": self.world.config.graph_client_id });
        claims[publisher] = json!(PUBLISHER);
        self.entra.issue(claims)
    }
}

/// Encrypts with a key of its own: RSA-OAEP with SHA-1 around the key, AES-256-CBC with the key's first 16 bytes as
/// initialisation vector, HMAC-SHA256 over the result.
fn encrypted(mut data: Vec<u8>, certificate: &CertifiedKey<KeyPair>) -> Option<Value> {
    let mut key = [0; 32];
    rand::fill(&mut key).ok()?;
    let start: [u8; 16] = key[..16].try_into().ok()?;
    let start = EncryptionContext::Iv128(FixedLength::from(start));
    let cipher = UnboundCipherKey::new(&AES_256, &key).ok()?;
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).ok()?;
    cipher.less_safe_encrypt(&mut data, start).ok()?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
    let private = PrivateDecryptingKey::from_pkcs8(certificate.signing_key.serialized_der());
    let public = OaepPublicEncryptingKey::new(private.ok()?.public_key()).ok()?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public
        .encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)
        .ok()?;
    // In capital digits, as Windows shows it.
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.cert.der());
    let id = digest(&SHA256, certificate.cert.der());
    Some(json!({
        "data": STANDARD.encode(&data),
        "dataSignature": STANDARD.encode(signature),
        "dataKey": STANDARD.encode(wrapped),
        "encryptionCertificateId": hexadecimal(id.as_ref()),
        "encryptionCertificateThumbprint": hexadecimal(thumbprint.as_ref()).to_uppercase(),
    }))
}
