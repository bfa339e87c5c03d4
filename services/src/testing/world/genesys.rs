//! Genesys Cloud in the world in memory: messages, the secrets of its OAuth clients, and the integration.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Contents, Reply, Seen, grant};

impl Contents {
    /// Open Messaging: each message gets an id `genesys-{number}`. A client's new secret is not taken the first two times, and the
    /// one before never again.
    pub(super) fn genesys(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        match (&*seen.method, segments) {
            (_, ["oauth", "token"]) => self.genesys_token(seen),
            (_, [.., "inbound", "open", _] | [.., "structured", "response"]) => {
                let id = format!("genesys-{}", self.next_id());
                Reply::json(200, &json!({ "id": id }))
            }
            (_, ["api", "v2", "tokens", "me"]) => Reply::json(200, &json!({})),
            ("POST", [.., "oauth", "clients", id, "secret"]) if self.clients.contains_key(*id) => {
                let secret = format!("made-{}", self.next_id());
                let answer = json!({ "id": id, "secret": secret });
                self.clients.insert((*id).to_owned(), (secret, 2));
                Reply::json(200, &answer)
            }
            (method, [.., "integrations", "open", id]) => {
                if method == "PATCH" {
                    let wanted = seen.json();
                    let secret = &wanted["outboundNotificationWebhookSignatureSecretToken"];
                    self.webhook_secret = secret.as_str().map(str::to_owned);
                }
                Reply::json(200, &json!({ "id": id, "name": "Teams" }))
            }
            _ => Reply::json(404, &json!({"code": "not.found"})),
        }
    }

    fn genesys_token(&mut self, seen: &Seen) -> Reply {
        let basic = seen.header("authorization").trim_start_matches("Basic ");
        let basic = STANDARD.decode(basic).unwrap_or_default();
        let basic = String::from_utf8_lossy(&basic);
        let (id, secret) = basic.split_once(':').unwrap_or_default();
        let refused = || Reply::json(401, &json!({ "error": "invalid_client" }));
        if self.clients.is_empty() {
            return grant("genesys-token");
        }
        match self.clients.get_mut(id) {
            Some((own, unknown_to)) if own == secret && *unknown_to == 0 => grant("genesys-token"),
            Some((own, unknown_to)) if own == secret => {
                *unknown_to -= 1;
                refused()
            }
            _ => refused(),
        }
    }
}
