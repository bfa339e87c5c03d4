use std::sync::Arc;
use std::time::{Duration, Instant};

use bridge::ids::{ChatId, Lane};
use bridge::queue::envelope::{Content, Envelope, NotificationEnvelope};
use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::secrets::names;
use services::testing::{Reply, Sent, World};
use tokio::task::JoinSet;

use super::PATH;
use crate::app::App;
use crate::testing::{app_in, local_setting, post, start};

const CHAT: &str = "19:a_b@unq.gbl.spaces";

/// An item that Graph could have sent, of one chat's message.
fn item(chat: &str, message: u64) -> Value {
    json!({
        "subscriptionId": "10493aa0-4d29-4df5-bc0c-ef742cc6cd7f",
        "changeType": "created",
        "clientState": format!("support.{}", World::CLIENT_STATE),
        "tenantId": tenant(),
        "resource": format!("chats('{chat}')/messages('{message}')"),
    })
}

fn rich(chat: &str, message: u64, bytes: usize) -> Value {
    let mut item = item(chat, message);
    item["encryptedContent"] = json!({
        "data": "A".repeat(bytes), "dataSignature": "AA==", "dataKey": "AA==",
        "encryptionCertificateId": "support-2024",
    });
    item
}

fn tenant() -> String {
    local_setting("TENANT_ID").expect("a tenant")
}

fn token(world: &World, changes: Value) -> String {
    let audience = local_setting("GRAPH_CLIENT_ID").expect("an application");
    world.validation_token(&tenant(), &audience, changes)
}

async fn notify(app: &Arc<App>, body: &Value) -> StatusCode {
    post(app, PATH, &[], body.to_string()).await
}

/// Posts a batch, which must be taken.
async fn accepted(app: &Arc<App>, body: &Value) {
    assert_eq!(notify(app, body).await, StatusCode::ACCEPTED, "{body}");
}

/// The messages of a queue with what is enclosed.
fn notifications(world: &World) -> Vec<NotificationEnvelope> {
    world.sent().iter().map(notification).collect()
}

fn notification(sent: &Sent) -> NotificationEnvelope {
    match Envelope::parse(&sent.body).expect("an envelope").content {
        Content::Notification(notification) => notification,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_with_an_odd_field_beside_it_is_read_from_graph() {
    let (world, app) = start().await;
    let odd = [
        ("encryptedContent", json!({})),
        ("encryptedContent", json!("AA==")),
        ("tenantId", json!(5)),
        ("subscriptionId", json!(5)),
    ];
    for ((field, value), message) in odd.into_iter().zip(1..) {
        let mut item = item(CHAT, message);
        item[field] = value;
        accepted(&app, &json!({ "value": [item] })).await;
    }
    // What proves nothing takes the content from what it comes with, not the message.
    for (tokens, message) in [json!("eyJ0"), json!({})].into_iter().zip(5..) {
        let rich = rich(CHAT, message, 4);
        accepted(
            &app,
            &json!({ "value": [rich], "validationTokens": tokens }),
        )
        .await;
    }
    let marked = format!("\u{feff}{}", json!({ "value": [item(CHAT, 7)] }));
    let answer = post(&app, PATH, &[], marked).await;
    assert_eq!(answer, StatusCode::ACCEPTED);
    let queued = notifications(&world);
    assert_eq!(queued.len(), 7);
    assert!(queued.iter().all(|queued| queued.encrypted.is_none()));
    // Nothing of it vouches for an item that does not know the secret.
    let forged = json!({ "tenantId": 5, "encryptedContent": {}, "clientState": "support.wrong" });
    let mut wrong = item(CHAT, 8);
    for (name, value) in forged.as_object().expect("fields") {
        wrong[name] = value.clone();
    }
    accepted(&app, &json!({ "value": [wrong] })).await;
    assert_eq!(world.sent().len(), 7);
}

#[tokio::test]
async fn a_message_lies_in_the_lane_of_its_chat_when_graph_has_its_answer() {
    let (world, app) = start().await;
    let body = json!({ "value": [item(CHAT, 1)] });
    accepted(&app, &body).await;
    accepted(&app, &body).await;
    let sent = world.sent();
    let chat: ChatId = CHAT.parse().expect("an id");
    assert_eq!(
        sent[0].session.as_deref(),
        Some(Lane::inbound(&chat).as_str())
    );
    assert_eq!(sent[0].queue, "inbound");
    assert_eq!(sent[0].message_id, sent[1].message_id, "known again");
    assert_eq!(notification(&sent[0]).message.as_str(), "1");
}

#[tokio::test]
async fn many_items_of_one_chat_need_few_requests() {
    let (world, app) = start().await;
    let items: Vec<Value> = (0..300).map(|message| item(CHAT, message)).collect();
    accepted(&app, &json!({ "value": items })).await;
    let sent = notifications(&world).into_iter();
    let order: Vec<String> = sent.map(|it| it.message.as_str().to_owned()).collect();
    let expected: Vec<String> = (0..300).map(|message| message.to_string()).collect();
    assert_eq!(order, expected);
    let requests = world.seen(Service::ServiceBus).len();
    assert!(requests <= 10, "{requests}");
}

#[tokio::test]
async fn one_chat_that_the_queue_refuses_makes_graph_come_again() {
    let (world, app) = start().await;
    world.answer_once("POST", "/inbound/messages", Reply::new(500, ""));
    let body = json!({ "value": [item(CHAT, 1), item("19:other@thread.v2", 1)] });
    assert_eq!(notify(&app, &body).await, StatusCode::SERVICE_UNAVAILABLE);
    accepted(&app, &body).await;
}

#[tokio::test]
async fn what_is_forged_or_not_ours_is_dropped_without_a_word() {
    let (world, app) = start().await;
    let with_state = |state: Value| {
        let mut item = item(CHAT, 1);
        item["clientState"] = state;
        item
    };
    let body = json!({ "value": [
        with_state(json!("support.not-the-secret")),
        with_state(json!("support")),
        with_state(Value::Null),
        with_state(json!(format!("nobody.{}", World::CLIENT_STATE))),
        "text", 7, [[]],
    ] });
    accepted(&app, &body).await;
    assert_eq!(world.sent(), []);
    assert_eq!(json!(app.counters)["notifications_dropped"], 7);
}

#[tokio::test]
async fn a_rotated_secret_counts_at_once() {
    let (world, app) = start().await;
    accepted(&app, &json!({ "value": [item(CHAT, 1)] })).await;
    world.put_secret(names::GRAPH_CLIENT_STATE, "the-next-secret");
    let mut rotated = item(CHAT, 2);
    rotated["clientState"] = json!("support.the-next-secret");
    accepted(&app, &json!({ "value": [rotated] })).await;
    assert_eq!(notifications(&world).len(), 2);
}

#[tokio::test]
async fn while_the_secret_cannot_be_had_graph_is_asked_to_come_again() {
    let world = World::start().await;
    world.remove_secret("graph-client-state");
    let app = app_in(&world, &[]);
    let body = json!({ "value": [item(CHAT, 1)] });
    assert_eq!(notify(&app, &body).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_foreign_tenant_loses_no_message_and_a_lifecycle_event_is_known_or_none() {
    for (name, value, messages) in [
        ("tenantId", "be9c1b6e-0000-4000-8000-c0ffee000001", 1),
        ("lifecycleEvent", "subscriptionRemoved", 1),
        ("lifecycleEvent", "somethingElse", 0),
    ] {
        let (world, app) = start().await;
        let mut item = item(CHAT, 1);
        item[name] = json!(value);
        accepted(&app, &json!({ "value": [item] })).await;
        assert_eq!(world.sent().len(), messages, "{name}");
    }
}

#[tokio::test]
async fn content_is_believed_with_a_good_token_only_and_nothing_is_lost_without() {
    let (world, app) = start().await;
    let good = token(&world, json!({}));
    let bad = [
        json!([token(&world, json!({ "aud": "somebody-else" }))]),
        json!([token(&world, json!({ "exp": 1_700_000_000 }))]),
        json!([good, "no token"]),
        json!(["no token"]),
        json!([]),
        Value::Null,
    ];
    let items = [rich(CHAT, 1, 100), item(CHAT, 2)];
    let batch = |tokens: &Value| json!({ "value": items, "validationTokens": tokens });
    accepted(&app, &batch(&json!([good]))).await;
    let enclosed = || -> Vec<bool> {
        let sent = notifications(&world).into_iter();
        sent.map(|it| it.encrypted.is_some()).collect()
    };
    assert_eq!(enclosed(), [true, false]);
    for (index, tokens) in bad.iter().enumerate() {
        accepted(&app, &batch(tokens)).await;
        assert_eq!(enclosed()[2 * (index + 1)..], [false, false], "{tokens}");
    }
}

#[tokio::test]
async fn signing_keys_that_cannot_be_had_lose_nothing() {
    let (world, app) = start().await;
    world.answer("GET", "/common/discovery", Reply::new(503, ""));
    let tokens = [token(&world, json!({}))];
    let body = json!({ "value": [rich(CHAT, 1, 100)], "validationTokens": tokens });
    accepted(&app, &body).await;
    assert!(notification(&world.sent()[0]).encrypted.is_none());
}

#[tokio::test]
async fn a_placeholder_in_the_settings_loses_no_message() {
    let world = World::start().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    let app = app_in(&world, &[("GENESYS_INTEGRATION_ID", nil)]);
    let body = json!({ "value": [item(CHAT, 1)] });
    assert_eq!(notify(&app, &body).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn what_is_no_collection_of_few_items_is_refused() {
    let (_world, app) = start().await;
    let zeros = format!(r#"{{"value":[{}0]}}"#, "0,".repeat(1_000_000));
    let deep = format!(r#"{{"value":{}"#, "[".repeat(1_000_000));
    let text = format!(r#"{{"value":"{}"}}"#, "x".repeat(3_000_000));
    for body in ["", "{", "[]", r#"{"value":{}}"#, &zeros, &deep, &text] {
        let shown = &body[..body.len().min(20)];
        let status = post(&app, PATH, &[], body.to_owned()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{shown}");
    }
    let large = " ".repeat(4 * 1024 * 1024 + 1);
    assert_eq!(
        post(&app, PATH, &[], large).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_keeps_nobody_waiting() {
    let (world, app) = start().await;
    let small = json!({ "value": [item(CHAT, 1)] });
    accepted(&app, &small).await;
    let genuine: Vec<Value> = (0..1000)
        .map(|message| rich(&format!("19:{message}@thread.v2"), 1, 3000))
        .collect();
    let large =
        json!({ "value": genuine, "validationTokens": [token(&world, json!({}))] }).to_string();
    let zeros = format!(r#"{{"value":[{}0]}}"#, "0,".repeat(2_000_000));
    let mut others = JoinSet::new();
    for body in [zeros.clone(), large, zeros] {
        let app = Arc::clone(&app);
        others.spawn(async move { post(&app, PATH, &[], body).await });
    }
    let mut longest = Duration::ZERO;
    while !others.is_empty() {
        let began = Instant::now();
        accepted(&app, &small).await;
        longest = longest.max(began.elapsed());
        while others.try_join_next().is_some() {}
    }
    // Unoptimised, and beside other tests: what it must not be is the time that all of that takes.
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}
