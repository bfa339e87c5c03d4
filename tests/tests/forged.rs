//! What is not genuine reaches nobody, and what cannot be told yet is asked for again.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::{Chat, Customer, Platform, view};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

const NOTIFICATIONS: &str = "/api/graph/notifications";
const WEBHOOK: &str = "/api/genesys/webhook";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// A platform that keeps Graph's own notifications to itself, with one message that the handler has not heard of.
struct Silent {
    platform: Platform,
    anna: Customer,
    genuine: Value,
}

impl Silent {
    async fn start() -> Self {
        let platform = Platform::start(&[]).await;
        platform
            .faults(json!([{ "service": "graph-notification", "drop": "before" }]))
            .await;
        let anna = Customer::new("Anna");
        let chat = Chat::one_on_one(&anna);
        let message = platform.customer_writes(&chat, &anna, "genuine").await;
        let composed = platform
            .post(
                "/local/graph/notifications/compose",
                json!({ "chat": chat.id, "message": message }),
            )
            .await;
        Self {
            platform,
            anna,
            genuine: composed["body"].clone(),
        }
    }

    /// Sends a changed copy; the sender must not learn from the status that it was not taken.
    async fn send(&self, change: impl FnOnce(&mut Value)) {
        let mut forged = self.genuine.clone();
        change(&mut forged);
        let body = serde_json::to_vec(&forged).expect("JSON");
        let (status, _) = self.platform.send_raw(NOTIFICATIONS, JSON, body).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }

    async fn token(&self, claims: Value) -> Value {
        self.platform.post("/local/entra/tokens", claims).await["token"].clone()
    }

    async fn dropped(&self) -> u64 {
        let health = self.platform.get("/api/health").await;
        health["counters"]["notifications_dropped"]
            .as_u64()
            .expect("a counter")
    }

    /// Nothing of the forged items was bridged, and the genuine one still is.
    async fn only_the_genuine_one_arrives(&self, dropped: u64) {
        assert_eq!(self.dropped().await, dropped);
        self.platform.until_idle().await;
        let conversations = self.platform.conversations().await;
        assert_eq!(view::all_inbound(&conversations), Vec::<String>::new());
        self.send(|_| ()).await;
        self.platform
            .until_agent_sees(&self.platform.thread_of(&self.anna), &["genuine"])
            .await;
    }
}

#[tokio::test]
async fn a_wrong_client_state_is_dropped() {
    let silent = Silent::start().await;
    silent
        .send(|body| body["value"][0]["clientState"] = json!("support.not-the-secret"))
        .await;
    silent
        .send(|body| body["value"][0]["clientState"] = json!("support"))
        .await;
    silent
        .send(|body| body["value"][0]["clientState"] = Value::Null)
        .await;
    silent.only_the_genuine_one_arrives(3).await;
}

#[tokio::test]
async fn a_foreign_tenant_loses_no_message_of_our_subscription() {
    let silent = Silent::start().await;
    let stranger = Uuid::new_v4().to_string();
    silent
        .send(|body| body["value"][0]["tenantId"] = json!(stranger))
        .await;
    silent
        .platform
        .until_agent_sees(&silent.platform.thread_of(&silent.anna), &["genuine"])
        .await;
}

#[tokio::test]
async fn without_a_good_token_the_message_is_read_from_graph() {
    let silent = Silent::start().await;
    let forged = [
        silent.token(json!({ "aud": Uuid::new_v4() })).await,
        silent.token(json!({ "iss": format!("https://login.microsoftonline.com/{}/v2.0", Uuid::new_v4()) })).await,
        silent.token(json!({ "azp": Uuid::new_v4(), "appid": Uuid::new_v4() })).await,
        silent.token(json!({ "exp": 1_700_000_000 })).await,
        json!("not a token"),
    ];
    let genuine = silent.genuine["validationTokens"][0].clone();
    let batches = forged.iter().map(|token| json!([token]));
    let batches = batches.chain([json!([genuine, forged[0]]), json!([]), Value::Null]);
    for tokens in batches {
        silent
            .send(|body| {
                body["validationTokens"] = tokens.clone();
                // Believed, it would end in `failed`.
                body["value"][0]["encryptedContent"]["data"] = json!("Zm9yZ2Vk");
            })
            .await;
    }
    silent
        .platform
        .until_agent_sees(&silent.platform.thread_of(&silent.anna), &["genuine"])
        .await;
    silent.platform.until_idle().await;
    assert_eq!(silent.platform.failed().await, Vec::<Value>::new());
    assert_eq!(silent.dropped().await, 0);
    let logs = silent.platform.logs().await;
    let doubts = logs
        .iter()
        .filter(|line| line["event"] == "validation_token_doubtful");
    assert_eq!(doubts.count(), 8);
}

#[tokio::test]
async fn a_lifecycle_notification_calls_a_person() {
    let silent = Silent::start().await;
    silent
        .send(|body| {
            let item = &mut body["value"][0];
            item["lifecycleEvent"] = json!("subscriptionRemoved");
        })
        .await;
    let logs = silent.platform.logs().await;
    let told = logs
        .iter()
        .find(|line| line["event"] == "lifecycle_notification")
        .expect("a line");
    assert_eq!(
        (&told["level"], &told["lifecycle"]),
        (&json!("ERROR"), &json!("subscriptionRemoved"))
    );
    silent.only_the_genuine_one_arrives(1).await;
}

#[tokio::test]
async fn tampered_and_swapped_content_ends_in_failed() {
    let silent = Silent::start().await;
    silent
        .send(|body| {
            let content = &mut body["value"][0]["encryptedContent"]["data"];
            let mut bytes = STANDARD
                .decode(content.as_str().expect("base64"))
                .expect("base64");
            bytes[20] ^= 1;
            *content = json!(STANDARD.encode(bytes));
        })
        .await;
    let failed = silent
        .platform
        .until("a failed message", async || {
            silent.platform.failed().await.into_iter().next()
        })
        .await;
    assert_eq!(failed["body"]["kind"], "tampered");

    let other = Chat::one_on_one(&silent.anna);
    silent
        .send(|body| {
            let resource = format!("chats('{}')/messages('1700000000000')", other.id);
            body["value"][0]["resource"] = json!(resource);
        })
        .await;
    silent
        .platform
        .until("the second failed message", async || {
            let failed = silent.platform.failed().await;
            failed
                .iter()
                .any(|entry| entry["body"]["kind"] == "ids_differ")
                .then_some(())
        })
        .await;
    silent.platform.until_idle().await;
    assert_eq!(
        view::all_inbound(&silent.platform.conversations().await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_rotated_client_state_secret_is_learnt_from_the_vault() {
    let silent = Silent::start().await;
    // The handler holds the old secret; the vault moves on, and the sender with it.
    let path = "/local/key-vault/secrets/graph-client-state";
    let old = silent.platform.get(path).await["value"].clone();
    let put = async |path: &str, value: &Value| {
        let body = json!({ "value": value });
        let (status, answer) = silent
            .platform
            .request(Method::PUT, path, Some(&body))
            .await;
        assert!(status.is_success(), "{answer}");
    };
    put("/local/key-vault/secrets/graph-client-state-previous", &old).await;
    put(path, &json!("a-fresh-secret-of-some-length")).await;
    silent
        .send(|body| {
            body["value"][0]["clientState"] = json!("support.a-fresh-secret-of-some-length")
        })
        .await;
    silent
        .platform
        .until_agent_sees(&silent.platform.thread_of(&silent.anna), &["genuine"])
        .await;
}

fn signed(secret: &str, body: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body)
}

#[tokio::test]
async fn webhook_signatures_are_base64_over_the_raw_body() {
    let platform = Platform::start(&[]).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "hello").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["hello"])
        .await;

    let secret = platform
        .get("/local/key-vault/secrets/genesys-webhook-secret")
        .await;
    let secret = secret["value"].as_str().expect("a secret").to_owned();
    let now = time::OffsetDateTime::now_utc();
    let webhook = |text: &str, time: time::OffsetDateTime| {
        let time = time
            .format(&time::format_description::well_known::Rfc3339)
            .expect("a time");
        json!({
            "id": Uuid::new_v4().simple().to_string(),
            "channel": { "platform": "Open", "type": "Private", "time": time,
                         "to": { "id": platform.thread_of(&anna), "idType": "Opaque" } },
            "type": "Text", "text": text, "direction": "Outbound", "originatingEntity": "Human",
        })
        .to_string()
        .into_bytes()
    };
    let send = async |body: &[u8], signature: Option<String>| {
        let mut headers = vec![("content-type", "application/json")];
        if let Some(signature) = &signature {
            headers.push(("x-hub-signature-256", signature));
        }
        platform.send_raw(WEBHOOK, &headers, body.to_vec()).await.0
    };
    let base64 =
        |secret: &str, body: &[u8]| format!("sha256={}", STANDARD.encode(signed(secret, body)));

    let body = webhook("forged", now);
    let hex: String = signed(&secret, &body)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(send(&body, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        send(&body, Some(format!("sha256={hex}"))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        send(&body, Some(base64("another secret", &body))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        send(&body, Some(base64(&secret, b"another body"))).await,
        StatusCode::UNAUTHORIZED
    );
    // What Genesys signed is never refused: it ends in `failed`.
    let unusable = [
        webhook("replayed", now - time::Duration::hours(7)),
        b"no JSON".to_vec(),
        vec![0xff, 0xfe],
    ];
    for body in &unusable {
        assert_eq!(
            send(body, Some(base64(&secret, body))).await,
            StatusCode::OK
        );
    }
    let kinds = platform
        .until("the failed messages", async || {
            let failed = platform.failed().await;
            let kind = |entry: &Value| entry["body"]["kind"].as_str().map(str::to_owned);
            let mut kinds: Vec<String> = failed.iter().filter_map(kind).collect();
            kinds.sort();
            (kinds.len() == unusable.len()).then_some(kinds)
        })
        .await;
    assert_eq!(
        kinds,
        ["webhook_late", "webhook_malformed", "webhook_malformed"]
    );

    let good = webhook("genuine", now);
    assert_eq!(
        send(&good, Some(base64(&secret, &good))).await,
        StatusCode::OK
    );
    platform.until_customer_sees(&chat, &["genuine"]).await;
}
