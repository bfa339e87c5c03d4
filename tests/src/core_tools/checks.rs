//! What is asked of the running host.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Body, RequestBuilder, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::host::Host;
use super::{Finding, Function};
use crate::view::{list, text};
use crate::{Platform, Talk};

/// How long what a call sets going may take.
const SOON: Duration = Duration::from_secs(60);

const NOTIFICATIONS: &str = "/api/graph/notifications";
const WEBHOOK: &str = "/api/genesys/webhook";

/// The checks, which build on each other.
pub(super) struct Checks<'a> {
    platform: &'a Platform,
    host: &'a Host,
    functions: Vec<Function>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(platform: &'a Platform, host: &'a Host, functions: Vec<Function>) -> Self {
        Self {
            platform,
            host,
            functions,
        }
    }

    pub(super) async fn make(&self, note: &mut impl FnMut(&str, Finding)) {
        note("functions", self.listed().await);
        note("their bindings", self.without_errors().await);
        note("Graph handshake", self.handshake().await);
        note("health", self.healthy().await);
        note("a timer, called by hand", self.timer().await);
        note("the subscription, by a timer", self.subscribed().await);
        note("genuine notification", self.notified().await);
        note("forged notification", self.forged_notification().await);
        note("genuine webhook", self.webhook().await);
        note("forged webhook", self.forged_webhook().await);
    }

    /// The host lists the functions of the package, and has disabled none but those of the queues.
    async fn listed(&self) -> Finding {
        let all = self.host.json("/admin/functions").await;
        let all = all.ok_or("the host does not list its functions")?;
        let all = all.as_array().ok_or("the list is none")?;
        let found: BTreeSet<&str> = all.iter().map(|it| text(it, "name")).collect();
        let own = self.functions.iter();
        let expected: BTreeSet<&str> = own.map(|it| it.name.as_str()).collect();
        if found != expected {
            return Err(format!("it lists {found:?} instead of {expected:?}"));
        }
        let serving = self.functions.iter().filter(|it| !it.is_queue);
        let serving: BTreeSet<&str> = serving.map(|it| it.name.as_str()).collect();
        let is_off = |it: &&Value| it["isDisabled"] == true && serving.contains(text(it, "name"));
        match all.iter().find(is_off) {
            Some(function) => Err(format!("{} is disabled", function["name"])),
            None => Ok(format!("all {} are listed", found.len())),
        }
    }

    /// The host found nothing wrong with any of them.
    async fn without_errors(&self) -> Finding {
        for Function { name, .. } in &self.functions {
            let path = format!("/admin/functions/{name}/status");
            let status = self.host.json(&path).await;
            let status = status.ok_or_else(|| format!("the host tells nothing of {name}"))?;
            if status["errors"].as_array().is_some_and(|it| !it.is_empty()) {
                return Err(format!("{name}: {}", status["errors"]));
            }
        }
        Ok("the host understands them".to_owned())
    }

    /// The token that Graph sends comes back as text, decoded, and nothing else.
    async fn handshake(&self) -> Finding {
        let token = format!("Validation: {} a+b&c=d%20é/?#", Uuid::new_v4().simple());
        let request = self.host.post(NOTIFICATIONS);
        let request = request.query(&[("validationToken", &token)]);
        let request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        let answer = answered(request).await?;
        match (answer.status, answer.kind.as_str(), answer.body == token) {
            (200, "text/plain", true) => Ok("the token came back".to_owned()),
            (status, kind, is_token) => Err(format!(
                "{status}, {kind}, the token itself: {is_token}; does the host honour enableProxyingHttpRequest?"
            )),
        }
    }

    /// The handler has what it needs of the services.
    async fn healthy(&self) -> Finding {
        let mut last = Value::Null;
        let healthy = self
            .host
            .until("ok", SOON, async || {
                last = self.host.json("/api/health").await?;
                (last["status"] == "ok").then(|| text(&last, "version").to_owned())
            })
            .await;
        match healthy {
            Ok(version) => Ok(format!("ok, version {version}")),
            Err(problem) => Err(format!("{problem}; {} {}", last["status"], last["reasons"])),
        }
    }

    /// Calls a timer function through the admin interface.
    async fn call(&self, function: &str) -> Result<(), String> {
        let path = format!("/admin/functions/{function}");
        // As Microsoft Learn has it ("Manually run a non HTTP-triggered function"); a timer makes nothing of the input.
        let request = self.host.post(&path).json(&json!({ "input": "" }));
        let answer = answered(request).await?;
        match answer.status {
            202 => Ok(()),
            status => Err(format!("{status} instead of 202 for {function}")),
        }
    }

    /// A nightly timer, which does not come by itself now: the Support User's refresh token is another one afterwards.
    async fn timer(&self) -> Finding {
        const VERSIONS: &str = "/local/key-vault/secrets/graph-refresh-token-support/versions";
        let versions = async || list(self.platform.get(VERSIONS).await, "versions").len();
        let before = versions().await;
        self.call("secret-rotation").await?;
        let renewed = self.host.until("a newer refresh token", SOON, async || {
            (versions().await > before).then_some(())
        });
        renewed.await?;
        Ok("secret-rotation renewed a refresh token".to_owned())
    }

    /// The timer subscribes, and Graph's question to the host is answered.
    async fn subscribed(&self) -> Finding {
        self.call("subscription-renewal").await?;
        let made = self.host.until("a subscription", SOON, async || {
            let all = self.platform.get("/local/graph/subscriptions").await;
            (!list(all, "subscriptions").is_empty()).then_some(())
        });
        made.await?;
        Ok("made, after Graph asked the host".to_owned())
    }

    /// Messages in a queue.
    async fn queued(&self, name: &str) -> u64 {
        let queues = list(self.platform.get("/local/queues").await, "queues");
        let queue = queues.iter().find(|queue| queue["name"] == name);
        queue.map_or(0, |queue| {
            ["active", "scheduled"]
                .map(|it| queue[it].as_u64().unwrap_or(0))
                .iter()
                .sum()
        })
    }

    /// What a customer writes comes to the queue, with its encrypted content, as Graph sends it.
    async fn notified(&self) -> Finding {
        let before = self.queued("inbound").await;
        Talk::new(self.platform, "Anna").writes("hello").await;
        let arrived = self.host.until("a message in the queue", SOON, async || {
            (self.queued("inbound").await > before).then_some(())
        });
        arrived.await?;
        Ok("it is in the queue".to_owned())
    }

    /// A forger gets Graph's 202, and nothing is queued.
    async fn forged_notification(&self) -> Finding {
        let dropped = async || {
            let health = self.host.json("/api/health").await?;
            health["counters"]["notifications_dropped"].as_u64()
        };
        let (queued, before) = (self.queued("inbound").await, dropped().await);
        let body = json!({ "value": [{
            "subscriptionId": Uuid::new_v4(),
            "changeType": "created",
            "clientState": format!("support.{}", Uuid::new_v4()),
            "tenantId": Uuid::nil(),
            "resource": "chats('19:forged@thread.v2')/messages('1')",
        }]});
        let answer = answered(self.host.post(NOTIFICATIONS).json(&body)).await?;
        let counted = before.is_some() && dropped().await == before.map(|it| it + 1);
        match (
            answer.status,
            self.queued("inbound").await == queued,
            counted,
        ) {
            (202, true, true) => Ok("dropped with 202".to_owned()),
            (status, kept, counted) => Err(format!(
                "{status}, nothing queued: {kept}, counted as dropped: {counted}"
            )),
        }
    }

    /// What an agent writes, signed with the secret of the vault. The body comes in chunks, which a host that does not pass the
    /// request on as it is would lose, and the signature with it.
    async fn webhook(&self) -> Finding {
        const SECRET: &str = "/local/key-vault/secrets/genesys-webhook-secret";
        let before = self.queued("outbound").await;
        let body = self.message().await;
        let secret = self.platform.get(SECRET).await;
        let key = hmac::Key::new(hmac::HMAC_SHA256, text(&secret, "value").as_bytes());
        let signature = hmac::sign(&key, body.as_bytes());
        let (first, second) = body.split_at(body.len() / 2);
        let pieces = [first, second].map(|it| Ok::<_, std::io::Error>(it.to_owned()));
        let pieces = Body::wrap_stream(futures::stream::iter(pieces));
        let signature = format!("sha256={}", STANDARD.encode(signature));
        let answer = answered(signed(self.host.post(WEBHOOK), &signature).body(pieces)).await?;
        if answer.status != 200 {
            return Err(format!("{} instead of 200: {}", answer.status, answer.body));
        }
        match self.queued("outbound").await - before {
            1 => Ok("it is in the queue".to_owned()),
            count => Err(format!("200, but {count} messages came to the queue")),
        }
    }

    /// The same with another's signature.
    async fn forged_webhook(&self) -> Finding {
        let before = self.queued("outbound").await;
        let body = self.message().await;
        let signature = format!("sha256={}", STANDARD.encode([0; 32]));
        let answer = answered(signed(self.host.post(WEBHOOK), &signature).body(body)).await?;
        match (answer.status, self.queued("outbound").await == before) {
            (401, true) => Ok("refused with 401".to_owned()),
            (status, kept) => Err(format!("{status} instead of 401, nothing queued: {kept}")),
        }
    }

    /// A webhook of Genesys with a message of an agent.
    async fn message(&self) -> String {
        let thread = Talk::new(self.platform, "Bert").thread;
        let now = self.platform.get("/local/timers").await["now"].take();
        let message = Uuid::new_v4();
        let body = json!({
            "id": message,
            "channel": {
                "platform": "Open",
                "type": "Private",
                "messageId": message,
                "to": { "id": thread, "idType": "Opaque" },
                "from": { "nickname": "Agent", "id": Uuid::nil(), "idType": "Opaque" },
                "time": now,
            },
            "type": "Text",
            "direction": "Outbound",
            "originatingEntity": "Human",
            "text": "hello",
        });
        body.to_string()
    }
}

fn signed(request: RequestBuilder, signature: &str) -> RequestBuilder {
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.header("x-hub-signature-256", signature)
}

/// An answer, read whole.
struct Answer {
    status: u16,
    /// The content type without its parameters.
    kind: String,
    body: String,
}

async fn answered(request: RequestBuilder) -> Result<Answer, String> {
    let told = |error: reqwest::Error| format!("no answer: {}", error.without_url());
    let answer = request.send().await.map_err(told)?;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()?.split(';').next());
    Ok(Answer {
        status: answer.status().as_u16(),
        kind: kind.unwrap_or_default().trim().to_owned(),
        body: answer.text().await.map_err(told)?,
    })
}
