//! The Bot Framework's connector and signing keys.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::{Reply, Seen};
use super::{Contents, World, signer};

impl World {
    /// The application id of the bot.
    pub const BOT: &str = "00000000-0000-0000-0000-000000000008";

    /// What activities name as the address of their conversation.
    pub fn bot_service_url(&self) -> String {
        format!("{}/amer/", self.base)
    }

    /// The connector's token for an activity; `changes` go over the claims of a genuine one.
    pub fn connector_token(&self, changes: &Value) -> String {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = json!({
            "iss": "https://api.botframework.com", "aud": Self::BOT, "nbf": now - 10,
            "exp": now + 3600, "serviceurl": self.bot_service_url(),
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        signer().sign(&claims)
    }
}

impl Contents {
    /// Every conversation is there; each post gets an id as Teams makes it, typing none.
    pub(super) fn bot(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        match (seen.method.as_str(), segments) {
            ("GET", ["v1", _, "openidconfiguration"]) => {
                let host = seen.header("host");
                let keys = format!("https://{host}/v1/.well-known/keys");
                Reply::json(200, &json!({ "jwks_uri": keys }))
            }
            ("GET", ["v1", _, "keys"]) => {
                let mut key = signer().jwk();
                key["endorsements"] = json!(["msteams"]);
                if let Some(fields) = key.as_object_mut() {
                    fields.remove("issuer");
                }
                Reply::json(200, &json!({ "keys": [key] }))
            }
            ("POST", [.., "activities"]) if seen.json()["type"] == "typing" => Reply::new(202, ""),
            ("POST", [.., "activities"]) => {
                let id = (1_700_000_000_000 + self.next_id()).to_string();
                Reply::json(201, &json!({ "id": id }))
            }
            ("PUT", [.., "activities", id]) => Reply::json(200, &json!({ "id": id })),
            _ => Reply::json(404, &json!({"error": {"code": "ConversationNotFound"}})),
        }
    }
}
