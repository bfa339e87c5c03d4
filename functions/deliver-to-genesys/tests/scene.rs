//! A customer's chat with a Support User, and what Genesys has of it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::queue::envelope::{Content, Envelope, NotificationEnvelope};
use bridge::teams::notification::{ChangeType, EncryptedContent};
use bridge::teams::unwrap::NotificationKey;
use bytes::Bytes;
use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};
use services::error::Service;
use services::secrets::names;
use services::testing::{Sent, World};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::app::App;
use crate::testing::{ANNA, ANNAS_CHAT, agents_message, app_in, deliver, deliver_after, webhook};

/// The Support User of the local settings.
pub(super) const SUPPORT: &str = "00000000-0000-0000-0000-000000000004";

/// The customer's tenant.
pub(super) const TENANT: &str = "be9c1b6e-0000-4000-8000-c0ffee000002";

/// A notification key: what stands for the certificate is its public key, all of it that counts.
static KEY: LazyLock<(SecretString, Vec<u8>)> = LazyLock::new(|| {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
    let private: Pkcs8V1Der<'_> = key.as_der().expect("DER");
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("DER");
    let block = |label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let private = block("PRIVATE KEY", private.as_ref());
    let pem = private + &block("CERTIFICATE", public.as_ref());
    (pem.into(), public.as_ref().to_vec())
});

/// Encrypts a message as Graph does.
fn sealed(message: &Value) -> EncryptedContent {
    const DATA_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
    let (pem, public) = &*KEY;
    let certificate_id = NotificationKey::from_pem(pem).expect("a key");
    let public = aws_lc_rs::rsa::PublicEncryptingKey::from_der(public).expect("a public key");
    let public = OaepPublicEncryptingKey::new(public).expect("a public key");
    let mut data_key = vec![0; public.ciphertext_size()];
    let data_key = public
        .encrypt(&OAEP_SHA1_MGF1SHA1, &DATA_KEY, &mut data_key, None)
        .expect("an encrypted key");
    let mut initialisation = [0; 16];
    initialisation.copy_from_slice(&DATA_KEY[..16]);
    let cipher = UnboundCipherKey::new(&AES_256, &DATA_KEY)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .expect("a cipher");
    let mut data = message.to_string().into_bytes();
    let context = EncryptionContext::Iv128(FixedLength::from(initialisation));
    cipher
        .less_safe_encrypt(&mut data, context)
        .expect("encrypted data");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &DATA_KEY), &data);
    EncryptedContent {
        data_signature: STANDARD.encode(signature),
        data: STANDARD.encode(data),
        data_key: STANDARD.encode(data_key),
        certificate_id: certificate_id.certificate_id().to_owned(),
    }
}

/// A time as Graph writes it.
pub(super) fn time_text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a time")
}

/// One process, and the world that it shares with others.
pub(super) struct Scene {
    pub(super) world: Arc<World>,
    pub(super) app: Arc<App>,
    changed: Vec<(&'static str, &'static str)>,
}

impl Scene {
    pub(super) async fn start(changed: &[(&'static str, &'static str)]) -> Self {
        use secrecy::ExposeSecret;
        let world = Arc::new(World::start().await);
        world.put_secret(names::GRAPH_NOTIFICATION_KEY, KEY.0.expose_secret());
        let changed = [&[("RETRY_FLOOR_SECONDS", "0")], changed].concat();
        Self {
            app: app_in(&world, &changed),
            world,
            changed,
        }
    }

    /// The same world as another process sees it.
    pub(super) fn another_process(&self) -> Self {
        Self {
            app: app_in(&self.world, &self.changed),
            world: Arc::clone(&self.world),
            changed: self.changed.clone(),
        }
    }

    /// A message as Graph shows it.
    pub(super) fn message(&self, id: &str, user: &str, html: &str) -> Value {
        json!({
            "id": id, "chatId": ANNAS_CHAT, "etag": id, "messageType": "message",
            "createdDateTime": time_text(OffsetDateTime::now_utc()),
            "from": {"user": {"id": user, "displayName": "Anna", "tenantId": TENANT}},
            "body": {"contentType": "html", "content": html},
        })
    }

    /// A customer's message with one picture.
    pub(super) fn with_picture(&self, id: &str, text: &str) -> Value {
        let source = format!(
            "https://graph.microsoft.com/v1.0/chats/{ANNAS_CHAT}/messages/{id}/hostedContents/aWQ/$value"
        );
        self.message(id, ANNA, &format!("<p>{text}</p><img src=\"{source}\">"))
    }

    pub(super) async fn customer_writes(&self, id: &str, text: &str) {
        self.created(&self.message(id, ANNA, text)).await;
    }

    pub(super) async fn created(&self, message: &Value) {
        self.notified(ChangeType::Created, message).await;
    }

    pub(super) async fn updated(&self, message: &Value) {
        self.notified(ChangeType::Updated, message).await;
    }

    async fn notified(&self, change: ChangeType, message: &Value) {
        let id = message["id"].as_str().expect("an id");
        self.deliver(change, id, Some(sealed(message))).await;
    }

    /// Delivers a notification that encloses what it is about, or nothing.
    pub(super) async fn deliver(
        &self,
        change: ChangeType,
        id: &str,
        encrypted: Option<EncryptedContent>,
    ) {
        let sent = Self::notification(change, id, encrypted, None);
        assert_eq!(deliver(&self.app, &sent, 1).await, StatusCode::OK);
    }

    /// Delivers a customer's message that has waited on the queue; `replay` names the replay that it belongs to.
    pub(super) async fn waited(
        &self,
        id: &str,
        waited: Duration,
        replay: Option<&str>,
        locale: &str,
    ) -> StatusCode {
        let mut message = self.message(id, ANNA, "hello?");
        message["locale"] = json!(locale);
        let encrypted = Some(sealed(&message));
        let sent = Self::notification(ChangeType::Created, id, encrypted, replay);
        deliver_after(&self.app, &sent, 1, waited).await
    }

    fn notification(
        change: ChangeType,
        id: &str,
        encrypted: Option<EncryptedContent>,
        replay: Option<&str>,
    ) -> Sent {
        let notification = NotificationEnvelope {
            change,
            chat: ANNAS_CHAT.parse().expect("a chat"),
            message: id.parse().expect("an id"),
            account: "support".parse().expect("a name"),
            encrypted,
        };
        let content = Content::Notification(notification);
        let envelope = Envelope::new(OffsetDateTime::now_utc(), content);
        let envelope = envelope.replayed(replay.map(str::to_owned));
        Sent {
            queue: "inbound".to_owned(),
            body: Bytes::from(envelope.to_json()),
            session: Some("chat".to_owned()),
            message_id: None,
            correlation: None,
            request: 0,
        }
    }

    /// Has the agent's text posted; its id in Teams.
    pub(super) async fn agent_writes(&self, text: &str) -> String {
        let posted = self.agent_sends(json!({ "text": text })).await;
        assert_eq!(posted, StatusCode::OK);
        let state = format!("chats/{}/outbound.json", chat_digest());
        let state = self.world.blob("state", &state).expect("a state");
        let state: Value = serde_json::from_slice(&state).expect("JSON");
        let posts = state["posts"].as_object().expect("posts");
        let teams = posts.values().map(|post| post["teams"][0].as_str());
        teams.flatten().max().expect("a post").to_owned()
    }

    /// Has a webhook that says this delivered once, whatever comes of it.
    pub(super) async fn agent_sends(&self, says: Value) -> StatusCode {
        let id = format!("agent-{}", self.world.sent().len());
        let body = agents_message(&id, OffsetDateTime::now_utc(), says).to_string();
        let taken = webhook(&self.app, body, World::WEBHOOK_SECRET).await;
        assert_eq!(taken, StatusCode::OK);
        let sent = self.world.sent();
        let sent = sent.iter().rfind(|sent| sent.queue == "outbound");
        deliver(&self.app, sent.expect("an envelope"), 1).await
    }

    /// Every message that Genesys got.
    pub(super) fn told(&self) -> Vec<Value> {
        let seen = self.world.seen(Service::Genesys);
        let posts = seen
            .iter()
            .filter(|seen| seen.path().ends_with("/open/message"));
        posts.map(|seen| seen.json()).collect()
    }

    /// Their texts.
    pub(super) fn texts(&self) -> Vec<String> {
        let told = self.told();
        let text = |told: &Value| told["text"].as_str().unwrap_or("[content]").to_owned();
        told.iter().map(text).collect()
    }

    /// How often Blob was read and written, and Genesys, Graph and Entra ID were called since `before`. What is booked is left out:
    /// it depends on what else is under way.
    pub(super) fn calls_since(&self, before: [usize; 5]) -> [usize; 5] {
        let blobs = self.world.seen(Service::Blob);
        let blobs = blobs
            .iter()
            .filter(|seen| !seen.target.contains("/state/bookings"));
        let of = |method| blobs.clone().filter(|seen| seen.method == method).count();
        let now = [
            of("GET"),
            of("PUT"),
            self.told().len(),
            self.world.seen(Service::Graph).len(),
            self.world.seen(Service::Entra).len(),
        ];
        std::array::from_fn(|index| now[index] - before[index])
    }
}

/// Stands for the chat in the names of blobs.
pub(super) fn chat_digest() -> String {
    let chat: bridge::ids::ChatId = ANNAS_CHAT.parse().expect("a chat");
    chat.digest().to_string()
}
