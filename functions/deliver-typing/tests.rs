//! Typing both ways, in process, with all outside services in memory.

use serde_json::{Value, json};
use services::testing::Reply;
use tokio::time::Instant;

use crate::testing::bot::{BotScene, THREAD};
use crate::testing::deliver;

const CONVERSATION: &str = "be9c1b6e-0000-4000-8000-c0ffee00000c";

/// A scene in which customer and agent have written.
async fn begun(changed: &[(&str, &str)]) -> BotScene {
    let scene = BotScene::start(changed).await;
    scene.customer_writes("1", "hello").await;
    let words = json!({"text": "hi", "conversationId": CONVERSATION});
    scene.agent_writes("g-1", words).await;
    scene
}

fn typing(milliseconds: u64) -> Value {
    json!({"type": "Event", "text": null,
        "events": [{"eventType": "Typing", "typing": {"type": "On", "duration": milliseconds}}]})
}

fn shown(scene: &BotScene) -> usize {
    let posted = scene.posted();
    posted.iter().filter(|it| it["type"] == "typing").count()
}

#[tokio::test]
async fn an_agent_is_shown_typing_until_it_is_over() {
    let scene = begun(&[]).await;
    let start = Instant::now();
    scene.agent_writes("t-1", typing(5_000)).await;
    assert_eq!(shown(&scene), 2, "once more while it lasts");
    let took = start.elapsed().as_secs_f64();
    assert!((2.4..4.5).contains(&took), "{took}");
    let first = scene.posted().into_iter().find(|it| it["type"] == "typing");
    assert_eq!(first, Some(json!({"type": "typing"})));
    assert!(scene.receipts().iter().all(|(id, _)| id != "t-1"));
}

#[tokio::test]
async fn short_typing_is_shown_once_and_a_storm_of_it_as_well() {
    let scene = begun(&[]).await;
    for number in 0..20 {
        scene.webhook(&format!("t-{number}"), typing(1_000)).await;
    }
    scene.settle().await;
    assert_eq!(shown(&scene), 1);
}

#[tokio::test]
async fn late_typing_is_dropped() {
    let scene = begun(&[]).await;
    scene.webhook("t-1", typing(1_000)).await;
    let mut sent = scene.next().expect("an envelope");
    let mut envelope: Value = serde_json::from_slice(&sent.body).expect("JSON");
    envelope["accepted_at"] = json!("2026-01-02T03:04:05Z");
    sent.body = envelope.to_string().into();
    assert_eq!(deliver(&scene.app, &sent, 1).await.as_u16(), 200);
    assert_eq!(shown(&scene), 0);
}

#[tokio::test]
async fn typing_that_the_connector_refuses_is_not_tried_again() {
    let scene = begun(&[]).await;
    scene
        .world
        .answer("POST", "/activities", Reply::new(503, ""));
    scene.agent_writes("t-1", typing(5_000)).await;
    assert_eq!(shown(&scene), 1);
}

#[tokio::test]
async fn a_customer_who_types_is_told_of_once_in_a_while() {
    let scene = begun(&[]).await;
    for _ in 0..3 {
        scene.told(json!({"type": "typing"})).await;
    }
    let told = scene.at_genesys();
    let events: Vec<&Value> = told
        .iter()
        .filter_map(|(kind, body)| (kind == "event").then_some(body))
        .collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["events"], json!([{"eventType": "Typing"}]));
    assert_eq!(
        events[0]["channel"]["from"],
        json!({"id": THREAD, "idType": "Opaque"})
    );
    assert!(events[0]["channel"]["messageId"].is_null());
}

#[tokio::test]
async fn after_the_end_nobody_is_told_who_types() {
    let scene = begun(&[("ENDED_NOTICE", "off")]).await;
    scene.world.put_secret("genesys-ended-secret", "shared");
    let body = json!({"conversationId": CONVERSATION, "sessionId": "s", "disconnectType": "PEER", "addressTo": THREAD});
    let headers = [("x-bridge-secret", "shared")];
    let path = crate::conversation_ended::PATH;
    let status = crate::testing::post(&scene.app, path, &headers, body.to_string()).await;
    assert_eq!(status.as_u16(), 200);
    scene.settle().await;
    scene.told(json!({"type": "typing"})).await;
    let told = scene.at_genesys();
    assert!(told.iter().all(|(kind, _)| kind != "event"));
}

#[tokio::test]
async fn without_an_agent_nobody_is_told_who_types() {
    let alone = BotScene::start(&[]).await;
    alone.customer_writes("1", "hello").await;
    alone.told(json!({"type": "typing"})).await;
    let off = begun(&[("TYPING_MINUTES", "0")]).await;
    off.told(json!({"type": "typing"})).await;
    for scene in [alone, off] {
        let told = scene.at_genesys();
        assert!(told.iter().all(|(kind, _)| kind != "event"));
    }
}
