use bridge::catch_up::Progress;
use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, World};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::*;
use crate::testing::{ANNA, app_in, local_setting, post};

const TICK: &str = include_str!("../../bridge/fixtures/host_timer_payload.json");
const STATE: &str = "catch-up/support.json";

async fn tick(app: &Arc<App>) -> StatusCode {
    post(app, PATH, &[], TICK).await
}

fn ago(minutes: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::minutes(minutes)
}

/// A world in which the list of chats was looked through ten minutes ago, and read two hours ago.
async fn begun(gap: Option<OffsetDateTime>) -> World {
    let world = World::start().await;
    let progress = Progress {
        began: ago(9_000),
        looked: ago(10),
        swept: ago(120),
        gap,
        uncovered: None,
    };
    let progress = serde_json::to_vec(&progress).expect("JSON");
    world.put_blob("state", STATE, progress);
    world
}

fn progress(world: &World) -> Progress {
    let state = world.blob("state", STATE).expect("a blob");
    serde_json::from_slice(&state).expect("JSON")
}

/// A chat whose newest message is this old.
fn chat(name: &str, user: &str, minutes: i64) -> Value {
    let created = ago(minutes).format(&Rfc3339).expect("a time");
    json!({
        "id": format!("19:{name}"),
        "lastMessagePreview": {
            "id": "1", "createdDateTime": created, "messageType": "message",
            "from": { "user": { "id": user } },
        },
    })
}

/// The chats that are to be read, and for which message.
fn readings(world: &World) -> Vec<(String, Option<String>)> {
    let sent = world.sent().into_iter().map(|sent| {
        let envelope = Envelope::parse(&sent.body).expect("an envelope");
        let Content::CatchUp(reading) = envelope.content else {
            panic!("{envelope:?}");
        };
        let message = reading.message.map(|message| message.as_str().to_owned());
        (reading.chat.as_str().to_owned(), message)
    });
    let mut readings: Vec<_> = sent.collect();
    readings.sort();
    readings
}

#[tokio::test]
async fn a_look_finds_the_chats_whose_newest_message_nobody_told_of() {
    let world = begun(None).await;
    let app = app_in(&world, &[]);
    let ours = local_setting("SUPPORT_ACCOUNTS").expect("accounts");
    let ours = ours.split_once('=').expect("an account").1.to_owned();
    let known: ChatId = "19:known".parse().expect("a chat");
    let mut state = InboundState::new(known.clone(), "support".parse().expect("a name"));
    state.complete(&"1".parse().expect("an id"), ago(5));
    let name = blobs::inbound_state(&known);
    let state = serde_json::to_vec(&state).expect("JSON");
    world.put_blob("state", &name, state);
    let chats = json!({ "value": [
        chat("young", ANNA, 0), chat("ours", &ours, 4), chat("untold", ANNA, 5), { "id": 1 },
        chat("known", ANNA, 6), { "id": "19:empty" }, chat("old", ANNA, 60), chat("never", ANNA, 3),
    ] });
    world.answer("GET", "/v1.0/me/chats", Reply::json(200, &chats));
    assert_eq!(tick(&app).await, StatusCode::OK);
    let expected = [("19:untold".to_owned(), Some("1".to_owned()))];
    assert_eq!(readings(&world), expected);
    let asked = world.seen(Service::Graph);
    let query = "%24expand=lastMessagePreview&%24orderby=lastMessagePreview%2FcreatedDateTime+desc&%24top=50";
    assert_eq!(asked[0].target, format!("/v1.0/me/chats?{query}"));
    // Nothing is due a moment later.
    let looked = progress(&world).looked;
    assert!(looked > ago(3) && progress(&world).swept < ago(100));
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(world.seen(Service::Graph).len(), asked.len());
}

#[tokio::test]
async fn after_a_gap_every_chat_that_moved_is_read_and_a_run_that_fails_is_repeated() {
    let world = begun(Some(ago(1))).await;
    let app = app_in(&world, &[("RETRY_FLOOR_SECONDS", "0")]);
    let next = format!("{}/v1.0/me/chats?%24skiptoken=2", world.base());
    let first = json!({
        "value": [chat("a", ANNA, 0), chat("b", ANNA, 60)], "@odata.nextLink": next,
    });
    let last = json!({ "value": [chat("c", ANNA, 600), chat("d", ANNA, 9_000)] });
    let is_last = |seen: &services::testing::Seen| seen.target.contains("skiptoken");
    world.answer_with("GET", "/v1.0/me/chats", move |seen| {
        let part = if is_last(seen) { &last } else { &first };
        Some(Reply::json(200, part))
    });
    let mut fails = true;
    world.answer_with("GET", "/v1.0/me/chats", move |seen| {
        let fails = is_last(seen) && std::mem::take(&mut fails);
        fails.then(|| Reply::new(503, ""))
    });
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(progress(&world).gap.is_some());
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert!(progress(&world).gap.is_none() && progress(&world).swept > ago(3));
    let sent = world.sent();
    let of = |chat: &str| {
        sent.iter()
            .filter(|it| it.session.as_deref() == Some(chat))
            .count()
    };
    let lanes = ["19:a", "19:b", "19:c"].map(|chat| {
        let chat: ChatId = chat.parse().expect("a chat");
        bridge::ids::Lane::inbound(&chat).as_str().to_owned()
    });
    assert_eq!(lanes.map(|lane| of(&lane)), [2, 2, 1]);
    // What the first run put there is the same to the queue.
    let ids: std::collections::BTreeSet<_> = sent.iter().map(|it| it.message_id.clone()).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn before_there_was_a_subscription_nothing_can_have_been_missed() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert!(world.seen(Service::Graph).is_empty());
    note_coverage(&app, &"support".parse().expect("a name"), true)
        .await
        .expect("begun");
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert!(world.seen(Service::Graph).is_empty() && progress(&world).gap.is_none());
}

#[tokio::test]
async fn a_sign_in_that_lapsed_is_waited_for() {
    let world = begun(None).await;
    let lapsed = json!({ "error": "invalid_grant", "error_codes": [700_082] });
    world.answer("POST", "/oauth2/v2.0/token", Reply::json(400, &lapsed));
    let app = app_in(&world, &[]);
    let before = progress(&world);
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(progress(&world), before);
}
