//! What arrives at the notification address.

mod changes;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tower::ServiceExt;

use super::Graph;
use crate::entra::Entra;
use crate::shared::serve;
use crate::shared::tls::CertificateAuthority;
use crate::world::{Config, Endpoints, World};

const CHAT: &str = "19%3Aanna_support%40unq.gbl.spaces";
const PATIENCE: Duration = Duration::from_secs(20);

/// A notification address: what it got, and what it shall answer next (202 when nothing is ordered).
struct Address {
    got: mpsc::UnboundedSender<Value>,
    answers: Mutex<Vec<StatusCode>>,
    /// What the handshake answers; the token itself when `None`.
    echo: Option<(&'static str, &'static str)>,
}

async fn notified(
    State(address): State<Arc<Address>>,
    Query(query): Query<Vec<(String, String)>>,
    body: Bytes,
) -> Response {
    if let Some((_, token)) = query
        .into_iter()
        .find(|(name, _)| name == "validationToken")
    {
        let (kind, text) = match address.echo {
            Some((kind, text)) => (kind, text.to_owned()),
            None => ("text/plain", token),
        };
        return ([(header::CONTENT_TYPE, kind)], text).into_response();
    }
    let answer = address.answers.lock().expect("no panic").pop();
    let _ = address
        .got
        .send(serde_json::from_slice(&body).expect("JSON"));
    answer.unwrap_or(StatusCode::ACCEPTED).into_response()
}

struct Play {
    graph: Arc<Graph>,
    entra: Arc<Entra>,
    world: Arc<World>,
    got: mpsc::UnboundedReceiver<Value>,
}

impl Play {
    fn new(
        config: Config,
        answers: Vec<StatusCode>,
        echo: Option<(&'static str, &'static str)>,
    ) -> Self {
        let (sender, got) = mpsc::unbounded_channel();
        let address = Arc::new(Address {
            got: sender,
            answers: Mutex::new(answers),
            echo,
        });
        let listener = serve::bind(0).expect("a port");
        let mut endpoints = Endpoints::nowhere();
        let port = serve::port(&listener).expect("a port");
        endpoints.functions = format!("http://127.0.0.1:{port}");
        let router = Router::new()
            .route("/api/graph/notifications", post(notified))
            .with_state(address);
        serve::serve_plain(listener, router).expect("served");
        let authority = CertificateAuthority::new().expect("an authority");
        let world = World::new(config, endpoints, authority);
        let entra = Entra::new(Arc::clone(&world));
        let graph = Graph::new(Arc::clone(&world), Arc::clone(&entra));
        Self {
            graph,
            entra,
            world,
            got,
        }
    }

    async fn next(&mut self) -> Value {
        let next = timeout(PATIENCE, self.got.recv()).await;
        next.expect("a notification in time")
            .expect("an open channel")
    }

    async fn call(&self, router: Router, path: &str, body: Value) -> Value {
        let user = &self.world.config.support_accounts[0].user;
        let token = self.entra.issue(json!({
            "aud": "https://graph.microsoft.com", "oid": user, "scp": "Chat.Read ChatMessage.Send",
        }));
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        serde_json::from_slice(&bytes.expect("a body")).expect("JSON")
    }

    async fn customer_writes(&self, html: &str) -> String {
        let body = json!({ "html": html, "from": {
            "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
            "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002" } });
        let path = format!("/local/teams/chats/{CHAT}/messages");
        let answer = self.call(self.graph.control(), &path, body).await;
        answer["message"].as_str().expect("an id").to_owned()
    }

    async fn support_posts(&self, html: &str) -> String {
        let body = json!({ "body": { "contentType": "html", "content": html } });
        let path = format!("/v1.0/chats/{CHAT}/messages");
        let answer = self.call(self.graph.router(), &path, body).await;
        answer["id"].as_str().expect("an id").to_owned()
    }
}

/// Opens encrypted content the way the documentation tells a receiver to.
fn opened(content: &Value, pem: &str) -> Value {
    let bytes = |name: &str| {
        let text = content[name].as_str().expect("text");
        STANDARD.decode(text).expect("base64")
    };
    let mut blocks = pem.split("-----BEGIN ").skip(1).map(|block| {
        let body: String = block
            .lines()
            .skip(1)
            .take_while(|line| !line.starts_with('-'))
            .collect();
        STANDARD.decode(body).expect("base64")
    });
    let key = blocks.next().expect("a private key");
    let certificate = blocks.next().expect("a certificate");
    let id: String = digest(&SHA256, &certificate)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(content["encryptionCertificateId"], id);
    let thumbprint = content["encryptionCertificateThumbprint"]
        .as_str()
        .expect("text");
    assert_eq!(thumbprint.len(), 40);
    let private = PrivateDecryptingKey::from_pkcs8(&key).expect("a key");
    let private = OaepPrivateDecryptingKey::new(private).expect("a key");
    let mut wrapped = vec![0; private.min_output_size()];
    let key = private
        .decrypt(&OAEP_SHA1_MGF1SHA1, &bytes("dataKey"), &mut wrapped, None)
        .expect("a symmetric key");
    let mut data = bytes("data");
    let signer = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&signer, &data, &bytes("dataSignature")).expect("a right signature");
    let start: [u8; 16] = key[..16].try_into().expect("16 bytes");
    let cipher = UnboundCipherKey::new(&AES_256, key).expect("32 bytes");
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).expect("a cipher");
    let start = DecryptionContext::Iv128(FixedLength::from(start));
    serde_json::from_slice(cipher.decrypt(&mut data, start).expect("padding")).expect("JSON")
}

#[tokio::test]
async fn a_rich_notification_can_be_opened_and_its_tokens_verify() {
    let mut play = Play::new(Config::default(), Vec::new(), None);
    play.graph.subscribe().await.expect("the token was echoed");
    let mut versions = Vec::new();
    let mut keys = Vec::new();
    for number in 0..8 {
        let id = play.customer_writes(&format!("<p>{number}</p>")).await;
        let body = play.next().await;
        let item = &body["value"][0];
        let state = format!("support.{}", play.graph.client_state_secret());
        assert_eq!(item["clientState"], state);
        assert_eq!(
            item["resource"],
            format!("chats('19:anna_support@unq.gbl.spaces')/messages('{id}')")
        );
        let message = opened(
            &item["encryptedContent"],
            &play.graph.notification_key_pem(),
        );
        assert_eq!(message["id"], id);
        assert_eq!(message["body"]["content"], format!("<p>{number}</p>"));
        assert_eq!(
            message["from"]["user"]["tenantId"],
            "be9c1b6e-0000-4000-8000-c0ffee000002"
        );
        keys.push(item["encryptedContent"]["dataKey"].clone());
        let token = body["validationTokens"][0].as_str().expect("a token");
        let claims = play
            .entra
            .verify(token, &[&play.world.config.graph_client_id])
            .expect("a genuine token");
        let publisher = if claims["ver"] == "1.0" {
            "appid"
        } else {
            "azp"
        };
        assert_eq!(claims[publisher], "0bf30f3b-4a52-48df-9a82-234910c4a086");
        versions.push(claims["ver"].clone());
    }
    assert_eq!(versions[..2], ["1.0", "2.0"]);
    keys.dedup();
    assert_eq!(keys.len(), 8, "each item has a key of its own");
}

#[tokio::test]
async fn basic_notifications_carry_neither_content_nor_tokens() {
    let config = Config {
        basic_notifications: true,
        ..Config::default()
    };
    let mut play = Play::new(config, Vec::new(), None);
    play.graph.subscribe().await.expect("the token was echoed");
    play.customer_writes("hello").await;
    let body = play.next().await;
    assert!(body.get("validationTokens").is_none());
    assert!(body["value"][0].get("encryptedContent").is_none());
}

#[tokio::test]
async fn a_refused_notification_comes_again_and_the_next_ones_do_not_wait() {
    let mut play = Play::new(
        Config::default(),
        vec![StatusCode::SERVICE_UNAVAILABLE],
        None,
    );
    play.graph.subscribe().await.expect("the token was echoed");
    let first = play.customer_writes("1").await;
    let second = play.customer_writes("2").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let body = play.next().await;
        ids.push(
            body["value"][0]["resourceData"]["id"]
                .as_str()
                .expect("an id")
                .to_owned(),
        );
    }
    assert_eq!(ids, [first.clone(), second, first]);
}

#[tokio::test]
async fn ordered_duplicates_and_lost_answers_repeat_a_notification() {
    let mut play = Play::new(Config::default(), Vec::new(), None);
    play.graph.subscribe().await.expect("the token was echoed");
    let rules = json!({ "rules": [
        { "service": "graph-notification", "times": 1, "duplicate": 1, "drop": "after" }] });
    play.world
        .hub
        .faults()
        .replace(serde_json::from_value(rules).expect("rules"));
    let id = play.customer_writes("1").await;
    for _ in 0..3 {
        assert_eq!(play.next().await["value"][0]["resourceData"]["id"], id);
    }
}

#[tokio::test]
async fn every_second_post_is_notified_before_it_is_answered() {
    let mut play = Play::new(Config::default(), Vec::new(), None);
    play.graph.subscribe().await.expect("the token was echoed");
    play.customer_writes("hello").await;
    play.next().await;
    for early in [true, false] {
        let id = play.support_posts("<p>hi</p>").await;
        if early {
            let body = play
                .got
                .try_recv()
                .expect("the notification is there already");
            assert_eq!(body["value"][0]["resourceData"]["id"], id);
        } else {
            assert_eq!(play.next().await["value"][0]["resourceData"]["id"], id);
        }
    }
}

#[tokio::test]
async fn an_address_that_does_not_echo_the_token_gets_no_subscription() {
    for echo in [("text/plain", "something else"), ("text/html", "")] {
        let play = Play::new(Config::default(), Vec::new(), Some(echo));
        assert!(play.graph.subscribe().await.is_err());
        assert!(play.graph.subscriptions.of("support").is_none());
    }
}
