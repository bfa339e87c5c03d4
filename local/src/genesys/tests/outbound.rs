use std::time::Duration;

use aws_lc_rs::hmac;
use axum::extract::State;
use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;
use crate::shared::serve;

type Received = (HeaderMap, Bytes);

/// Our own side: answers each webhook with the next status, then 200, and passes on what came.
struct Receiver {
    address: String,
    received: mpsc::UnboundedReceiver<Received>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    statuses: Arc<Mutex<Vec<u16>>>,
    sender: mpsc::UnboundedSender<Received>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    fn start(mut statuses: Vec<u16>) -> Self {
        statuses.reverse();
        let (sender, received) = mpsc::unbounded_channel();
        let desk = Desk {
            statuses: Arc::new(Mutex::new(statuses)),
            sender,
        };
        let listener = serve::bind(0).expect("a port");
        let address = format!("http://127.0.0.1:{}", serve::port(&listener).expect("one"));
        let router = Router::new()
            .route("/api/genesys/webhook", axum::routing::post(take))
            .with_state(desk);
        Self {
            address,
            received,
            server: serve::serve_plain(listener, router).expect("a server"),
        }
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        tokio::time::timeout(Duration::from_secs(10), self.received.recv())
            .await
            .expect("in time")
            .expect("a webhook")
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = desk.statuses.lock().expect("a lock").pop().unwrap_or(200);
    desk.sender.send((headers, body)).expect("a listener");
    StatusCode::from_u16(status).expect("a status")
}

/// Waits until the journey has this many hops.
async fn journey(genesys: &Genesys, id: &str, length: usize) -> Vec<String> {
    let correlation = correlation::of_genesys_message(id);
    let mut events = genesys.world.hub.events().subscribe();
    let complete = async {
        loop {
            let hops = hops(genesys, &correlation);
            if hops.len() >= length {
                return hops;
            }
            events.recv().await.expect("an event");
        }
    };
    tokio::time::timeout(Duration::from_secs(10), complete)
        .await
        .expect("in time")
}

#[tokio::test]
async fn the_agents_message_comes_signed() {
    let mut receiver = Receiver::start(vec![]);
    let genesys = Genesys::new(world(None, &receiver.address));
    let path = format!("/local/genesys/threads/{THREAD}/messages");
    let request = post(&path, "", json!({ "text": "good day" }).to_string());
    let answer = control(&genesys, request).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let id = answer.body["id"].as_str().expect("an id");

    let (headers, body) = receiver.next().await;
    let secret = genesys.webhook_secret();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = format!("sha256={}", STANDARD.encode(hmac::sign(&key, &body)));
    assert_eq!(headers["x-hub-signature-256"], signature);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["id"], id);
    assert_eq!(body["channel"]["messageId"], id);
    assert_eq!(
        body["channel"]["to"],
        json!({ "id": THREAD, "idType": "Opaque" })
    );
    assert_eq!(body["type"], "Text");
    assert_eq!(body["text"], "good day");
    assert_eq!(body["direction"], "Outbound");
    assert_eq!(body["originatingEntity"], "Human");
    let view = genesys.conversations().view("");
    assert_eq!(body["conversationId"], view["conversations"][0]["id"]);
    assert_eq!(
        body["channel"]["time"],
        view["conversations"][0]["messages"][0]["time"]
    );
    assert_eq!(
        journey(&genesys, id, 2).await,
        ["genesys 1 written", "webhook 1 200"]
    );
}

#[tokio::test]
async fn a_refusal_for_now_is_repeated_and_another_is_not() {
    let mut receiver = Receiver::start(vec![503, 401]);
    let genesys = Genesys::new(world(None, &receiver.address));
    let id = genesys.agent_writes(THREAD, &Outgoing::text("good day"));
    let (_, first) = receiver.next().await;
    let (_, second) = receiver.next().await;
    assert_eq!(first, second, "the same body");
    assert_eq!(
        journey(&genesys, &id, 3).await,
        ["genesys 1 written", "webhook 1 503", "webhook 2 401"]
    );
}

#[tokio::test]
async fn ordered_duplicates_and_lost_answers_repeat_the_webhook() {
    let mut receiver = Receiver::start(vec![]);
    let genesys = Genesys::new(world(None, &receiver.address));
    let rules = json!({ "rules": [
        { "service": "genesys-webhook", "match": "twice", "duplicate": 1 },
        { "service": "genesys-webhook", "match": "lost", "drop": "after", "times": 1 },
    ]});
    let rules = serde_json::from_value(rules).expect("rules");
    genesys.world.hub.faults().replace(rules);
    let twice = genesys.agent_writes(THREAD, &Outgoing::text("twice"));
    assert_eq!(receiver.next().await.1, receiver.next().await.1);
    assert_eq!(
        journey(&genesys, &twice, 3).await,
        ["genesys 1 written", "webhook 1 200", "webhook 1 200"]
    );
    let lost = genesys.agent_writes(THREAD, &Outgoing::text("lost"));
    assert_eq!(receiver.next().await.1, receiver.next().await.1);
    assert_eq!(
        journey(&genesys, &lost, 3).await,
        ["genesys 1 written", "webhook 1 200", "webhook 2 200"]
    );
}

#[tokio::test(start_paused = true)]
async fn genesys_gives_up_after_five_repetitions() {
    let genesys = organisation();
    let rules = json!({ "rules": [{ "service": "genesys-webhook", "drop": "before" }] });
    let rules = serde_json::from_value(rules).expect("rules");
    genesys.world.hub.faults().replace(rules);
    let id = genesys.agent_writes(THREAD, &Outgoing::text("good day"));
    journey(&genesys, &id, 7).await;
    // Time is paused: were there more to come, it would be here at once.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let hops = hops(&genesys, &correlation::of_genesys_message(&id));
    assert_eq!(hops.len(), 7);
    assert_eq!(hops[6], "webhook 6 lost");
}

#[tokio::test]
async fn messages_of_a_thread_are_first_sent_in_order() {
    let mut receiver = Receiver::start(vec![]);
    let genesys = Genesys::new(world(None, &receiver.address));
    let texts: Vec<String> = (1..=20).map(|number| format!("text {number}")).collect();
    for text in &texts {
        genesys.agent_writes(THREAD, &Outgoing::text(text));
    }
    for text in &texts {
        let (_, body) = receiver.next().await;
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["text"], text.as_str());
    }
}

#[tokio::test]
async fn the_greeting_comes_before_the_first_messages_answer() {
    let mut receiver = Receiver::start(vec![]);
    let genesys = Genesys::new(world(Some("Welcome!"), &receiver.address));
    let token = token(&genesys).await;
    for text in ["one", "two"] {
        let answer = send(&genesys, &token, "message", &message(text)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let (_, body) = receiver
        .received
        .try_recv()
        .expect("sent before the answer");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["text"], "Welcome!");
    assert_eq!(body["originatingEntity"], "Bot");
    assert!(receiver.received.try_recv().is_err(), "only one greeting");
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_of_the_greeting_holds_the_answer_for_a_second() {
    let genesys = Genesys::new(world(Some("Welcome!"), "http://127.0.0.1:9"));
    let rules = json!({ "rules": [{ "service": "genesys-webhook", "delay_ms": 60_000 }] });
    let rules = serde_json::from_value(rules).expect("rules");
    genesys.world.hub.faults().replace(rules);
    let token = token(&genesys).await;
    let before = tokio::time::Instant::now();
    let answer = send(&genesys, &token, "message", &message("one")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(before.elapsed().as_secs(), 1);
}

#[tokio::test]
async fn an_agent_must_write_something() {
    let genesys = organisation();
    let path = format!("/local/genesys/threads/{THREAD}/messages");
    let answer = control(&genesys, post(&path, "", json!({ "text": "" }).to_string())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_replaced_secret_signs_from_then_on() {
    let mut receiver = Receiver::start(Vec::new());
    let genesys = Genesys::new(world(None, &receiver.address));
    let replace = |value: &str| {
        Request::put("/local/genesys/webhook-secret")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(
                serde_json::json!({ "value": value }).to_string(),
            ))
            .expect("a request")
    };
    let short = control(&genesys, replace("too short")).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    let secret = "longer than fifteen characters";
    let replaced = control(&genesys, replace(secret)).await;
    assert_eq!(replaced.status, StatusCode::NO_CONTENT);
    genesys.agent_writes(THREAD, &Outgoing::text("hello"));
    let (headers, body) = receiver.next().await;
    let presented = headers["x-hub-signature-256"].to_str().expect("text");
    let tag = STANDARD
        .decode(presented.strip_prefix("sha256=").expect("the prefix"))
        .expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, &body, &tag).expect("signed with the new secret");
}
