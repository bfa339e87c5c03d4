//! How activities reach us: signed with the connector's key, and again with another timestamp when no good answer comes within
//! 15 seconds (bot-docs, "Authentication with the Bot Connector API"; BotFramework-Services issues 59 and 290).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::state::Bot;
use crate::delivery::Delivery;
use crate::entra::SigningKeys;
use crate::hub::{Direction, FaultService};
use crate::shared::time_text;

/// Who issues the tokens.
const ISSUER: &str = "https://api.botframework.com";
/// The connector waits this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Seconds between the deliveries of an activity, of which there are four at most. The connector's own waits are not known.
const WAITS: [u64; 3] = [1, 2, 4];
/// An activity waits at most this long for the first delivery of the one before it in its chat.
const LONGEST_TURN: Duration = Duration::from_secs(1);
const HOUR: i64 = 3_600;

/// How a delivery is signed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signing {
    /// As it should be.
    #[default]
    Good,
    OtherAudience,
    OtherIssuer,
    /// By a key that is published without an endorsement for Teams.
    Unendorsed,
    /// By a key that nobody published.
    UnknownKey,
    OtherServiceUrl,
    Expired,
    /// `alg` is `none`.
    None,
    /// An HMAC with what is public of the key.
    Hs256,
    /// Without a token.
    Missing,
}

impl Bot {
    /// Puts an activity on its way to the bot, in the chat's line.
    pub(crate) fn deliver(
        self: &Arc<Self>,
        chat: &str,
        activity: &Value,
        correlation: Option<String>,
    ) {
        let (bot, activity) = (Arc::clone(self), activity.clone());
        let loses = self.loses_refused.load(Ordering::Relaxed);
        let body = activity.to_string().into_bytes();
        let request = move |client: &Client, _: u32, _: &[u8]| {
            let request = bot.request(client, &activity, Signing::Good);
            request.timeout(TIMEOUT)
        };
        let delivery = Delivery {
            service: FaultService::BotDelivery,
            direction: Direction::Inbound,
            hop: "activity",
            correlation,
            body,
            request: Box::new(request),
            repeat: at_another_time,
            will_do: if loses {
                |_| true
            } else {
                |it: StatusCode| it.is_success()
            },
        };
        let waits = WAITS.map(Duration::from_secs).into_iter();
        self.deliveries.send(chat, LONGEST_TURN, waits, delivery);
    }

    /// The request that carries this activity, without its body.
    pub(crate) fn request(
        &self,
        client: &Client,
        activity: &Value,
        how: Signing,
    ) -> RequestBuilder {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let url = format!("{}/api/messages", self.world.endpoints.functions);
        let request = client
            .post(url)
            .header(
                "x-ms-conversation-id",
                text(&activity["conversation"]["id"]),
            )
            .header(
                "x-ms-tenant-id",
                text(&activity["conversation"]["tenantId"]),
            );
        match self.token(activity["serviceUrl"].as_str(), how) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn token(&self, service_url: Option<&str>, how: Signing) -> Option<String> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let own = self.service_url();
        let mut claims = json!({
            "serviceurl": service_url.unwrap_or(&own),
            "nbf": now,
            "exp": now + HOUR,
            "iss": ISSUER,
            "aud": self.world.config.bot_app,
        });
        match how {
            Signing::Missing => return None,
            Signing::OtherAudience => claims["aud"] = json!(self.world.config.graph_client_id),
            Signing::OtherIssuer => claims["iss"] = json!("https://api.botframework.us"),
            Signing::OtherServiceUrl => claims["serviceurl"] = json!("https://smba.example/amer/"),
            Signing::Expired => {
                claims["nbf"] = json!(now - 2 * HOUR);
                claims["exp"] = json!(now - HOUR);
            }
            Signing::Unendorsed => {
                let mut key = self.unendorsed.lock();
                return Some(key.get_or_insert_with(another_key).sign(&claims));
            }
            Signing::UnknownKey => return Some(another_key().sign(&claims)),
            Signing::None => {
                let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let header =
                    part(json!({ "alg": "none", "typ": "JWT", "kid": self.public_key()["kid"] }));
                return Some(format!("{header}.{}.", part(claims)));
            }
            Signing::Hs256 => {
                let key = self.public_key();
                let mut header = Header::new(Algorithm::HS256);
                header.kid = key["kid"].as_str().map(str::to_owned);
                let secret = key["n"].as_str().unwrap_or_default().as_bytes();
                return encode(&header, &claims, &EncodingKey::from_secret(secret)).ok();
            }
            Signing::Good => {}
        }
        Some(self.keys.sign(&claims))
    }

    /// The current key as it is published.
    fn public_key(&self) -> Value {
        self.keys.published("")["keys"][0].take()
    }

    /// All keys, as `/v1/.well-known/keys` tells them.
    pub(crate) fn published_keys(&self) -> Value {
        let published = |mut key: Value, endorsements: &[&str]| {
            key["endorsements"] = json!(endorsements);
            if let Value::Object(key) = &mut key {
                key.retain(|name, _| name != "issuer" && name != "cloud_instance_name");
            }
            key
        };
        let mut all = vec![published(
            self.public_key(),
            &["msteams", "webchat", "directline"],
        )];
        if let Some(key) = self.unendorsed.lock().as_ref() {
            all.push(published(key.published("")["keys"][0].take(), &["webchat"]));
        }
        json!({ "keys": all })
    }
}

/// A key that is none of the others.
pub fn another_key() -> SigningKeys {
    let keys = SigningKeys::new();
    keys.rotate();
    keys
}

/// Resends differ in their timestamp.
fn at_another_time(body: &mut Vec<u8>) {
    if let Ok(mut activity) = serde_json::from_slice::<Value>(body) {
        activity["timestamp"] = json!(time_text(OffsetDateTime::now_utc()));
        *body = activity.to_string().into_bytes();
    }
}
