//! Reading a chat in which changes went untold.

use std::collections::BTreeMap;

use bridge::queue::envelope::{CatchUpEnvelope, Content, Envelope};
use bridge::queue::selection::Selection;
use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, Sent};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::scene::{Scene, chat_digest, time_text};
use crate::testing::{ANNA, ANNAS_CHAT, deliver, desk};

impl Scene {
    /// Graph has these messages, each written a second after the one before, and lists them newest first.
    pub(super) fn has(&self, messages: &[Value]) {
        let mut listed: Vec<Value> = messages.to_vec();
        listed.reverse();
        let known = messages.to_vec();
        self.world.answer_with("GET", "/messages", move |seen| {
            let last = seen
                .path()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            if last == "messages" {
                return Some(Reply::json(200, &json!({ "value": listed })));
            }
            let found = known.iter().find(|it| it["id"] == last);
            found.map(|found| Reply::json(200, found))
        });
    }

    pub(super) async fn reads(&self, message: Option<&str>) -> StatusCode {
        let reading = CatchUpEnvelope {
            chat: ANNAS_CHAT.parse().expect("a chat"),
            account: "support".parse().expect("a name"),
            since: OffsetDateTime::now_utc() - Duration::hours(1),
            gap: None,
            message: message.map(|message| message.parse().expect("an id")),
            part: None,
        };
        let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::CatchUp(reading));
        let sent = Sent {
            queue: "inbound".to_owned(),
            body: envelope.to_json().into(),
            session: Some("chat".to_owned()),
            message_id: None,
            correlation: None,
            request: 0,
        };
        deliver(&self.app, &sent, 1).await
    }

    pub(super) fn written(&self, id: &str, minutes_ago: i64) -> Value {
        let mut message = self.message(id, ANNA, &format!("message {id}"));
        let created = OffsetDateTime::now_utc() - Duration::minutes(minutes_ago);
        message["createdDateTime"] = json!(time_text(created));
        message
    }

    fn has_gap(&self) -> bool {
        let state = self.world.blob("state", "catch-up/support.json");
        let state = state.map(|state| serde_json::from_slice::<Value>(&state).expect("JSON"));
        state.is_some_and(|state| !state["gap"].is_null())
    }
}

#[tokio::test]
async fn what_went_untold_is_told_in_its_order_and_with_its_time() {
    let scene = Scene::start(&[]).await;
    let mut two = scene.written("2", 30);
    scene.created(&two).await;
    let (one, three) = (scene.written("1", 40), scene.written("3", 20));
    two["lastEditedDateTime"] = json!(time_text(OffsetDateTime::now_utc()));
    two["body"]["content"] = json!("changed");
    let before = scene.written("0", 90);
    let mut gone = scene.written("4", 10);
    gone["deletedDateTime"] = json!(time_text(OffsetDateTime::now_utc()));
    crate::catch_up::note_coverage(&scene.app, &"support".parse().expect("a name"), true)
        .await
        .expect("begun");
    scene.has(&[before, one, two, three.clone(), gone]);
    assert_eq!(scene.reads(Some("3")).await, StatusCode::OK);
    let told = scene.texts();
    assert_eq!(told[..3], ["message 2", "message 1", "message 3"]);
    assert!(told[3].contains("changed") && told.len() == 4, "{told:?}");
    let time = |value: &Value| value.as_str().expect("a time")[..23].to_owned();
    let shown = time(&scene.told()[2]["channel"]["time"]);
    assert_eq!(shown, time(&three["createdDateTime"]));
    // The list said it all: reading messages one by one is a second each.
    let seen = scene.world.seen(Service::Graph);
    let of_one = |number| format!("/messages/{number}");
    assert!(
        [1, 2, 3]
            .iter()
            .all(|number| { seen.iter().all(|it| !it.path().ends_with(&of_one(number))) })
    );
    // Graph told nothing of them: nobody knows of what else.
    assert!(scene.has_gap());
    // Once more, and nothing is new.
    let asked = scene.world.seen(Service::Graph).len();
    assert_eq!(scene.reads(None).await, StatusCode::OK);
    assert_eq!(scene.texts().len(), 4);
    assert_eq!(scene.world.seen(Service::Graph).len(), asked + 1);
}

#[tokio::test]
async fn a_chat_with_too_many_changes_for_one_reading_is_read_in_parts_oldest_first() {
    let scene = Scene::start(&[("ATTEMPT_DEADLINE_SECONDS", "5")]).await;
    scene.customer_writes("1000", "hello").await;
    // All but the oldest and the newest are deleted, and nobody has seen them.
    let messages: Vec<Value> = (1..=120)
        .map(|number| {
            let mut message = scene.written(&number.to_string(), 50);
            let now = OffsetDateTime::now_utc().truncate_to_second();
            let changed = now - Duration::seconds(2_000 - number);
            message["lastModifiedDateTime"] = json!(time_text(changed));
            if (2..120).contains(&number) {
                message["deletedDateTime"] = message["lastModifiedDateTime"].clone();
            }
            message
        })
        .collect();
    let by_id = [messages[0].clone(), messages[119].clone()];
    scene.has(&by_id);
    let base = scene.world.base().to_owned();
    scene.world.answer_with("GET", "/messages?", move |seen| {
        let url = url::Url::parse(&format!("{base}{}", seen.target)).expect("a URL");
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let filter = query.get("$filter").map_or("", String::as_str);
        let time = |text: &str| OffsetDateTime::parse(text, &Rfc3339).expect("a time");
        let bound = |word: &str| {
            let behind = filter.split_once(word)?.1;
            behind.split(' ').next().map(time)
        };
        let (after, before) = (bound(" gt ")?, bound(" lt "));
        let is_in = |message: &&Value| {
            let at = time(message["lastModifiedDateTime"].as_str().expect("a time"));
            at > after && before.is_none_or(|before| at < before)
        };
        let found = messages.iter().rev().filter(is_in);
        let skip = query
            .get("$skiptoken")
            .map_or(0, |it| it.parse().expect("a number"));
        let page: Vec<&Value> = found.clone().skip(skip).take(50).collect();
        let mut answer = json!({ "value": page });
        if found.count() > skip + 50 {
            let mut next = url::Url::parse(&format!("{base}{}", seen.path())).expect("a URL");
            next.query_pairs_mut()
                .append_pair("$filter", filter)
                .append_pair("$skiptoken", &(skip + 50).to_string());
            answer["@odata.nextLink"] = json!(next.as_str());
        }
        Some(Reply::json(200, &answer))
    });
    let further = |known: usize| {
        let sent = scene.world.sent();
        assert_eq!(sent.len(), known + 1, "one more part");
        sent[known].clone()
    };
    assert_eq!(scene.reads(None).await, StatusCode::OK);
    assert_eq!(scene.texts(), ["hello"]);
    let older = further(0);
    assert_eq!(deliver(&scene.app, &older, 1).await, StatusCode::OK);
    assert_eq!(scene.texts(), ["hello", "message 1"]);
    let newer = further(1);
    assert_eq!(deliver(&scene.app, &newer, 1).await, StatusCode::OK);
    assert_eq!(scene.texts(), ["hello", "message 1", "message 120"]);
    assert_eq!(scene.world.sent().len(), 2, "that was all");
    assert_ne!(older.message_id, newer.message_id);
}

#[tokio::test]
async fn what_cannot_be_told_is_set_apart_once_and_keeps_nobody() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    scene.world.answer_with("POST", "/open/message", |seen| {
        let refused = ["2", "4"].contains(&seen.json()["channel"]["messageId"].as_str()?);
        refused.then(|| Reply::json(400, &json!({ "code": "bad.request" })))
    });
    scene.has(&[
        scene.written("2", 20),
        scene.written("3", 10),
        scene.written("4", 5),
    ]);
    let known = scene.world.sent().len();
    assert_eq!(scene.reads(None).await, StatusCode::OK);
    assert!(scene.texts().contains(&"message 3".to_owned()));
    let sent = scene.world.sent();
    let apart: Vec<_> = sent[known..]
        .iter()
        .filter(|it| it.queue == "inbound")
        .collect();
    assert_eq!(apart.len(), 2);
    // Alone each is given up, and stays so whoever reads the chat.
    for one in apart {
        assert_eq!(deliver(&scene.app, one, 1).await, StatusCode::OK);
    }
    assert_eq!(scene.world.blobs("failed").len(), 2);
    let blob = format!("chats/{}/inbound.json", chat_digest());
    let state = scene.world.blob("state", &blob).expect("a state");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    assert_eq!(state["messages"]["2"]["given_up"], true);
    let told = scene.told().len();
    assert_eq!(scene.reads(None).await, StatusCode::OK);
    assert_eq!(scene.told().len(), told);
    // Only whoever replays it brings it, and it is given up no longer.
    scene.world.answer_with("POST", "/open/message", |_| {
        Some(Reply::json(200, &json!({ "id": "late" })))
    });
    let known = scene.world.sent().len();
    let desk = desk(&scene.world);
    let found = desk.find(&Selection::default()).await.expect("readable");
    desk.replay(&found, false, |_, _| {}).await;
    assert!(scene.world.blobs("failed").is_empty());
    let replayed = scene.world.sent()[known].clone();
    assert_eq!(deliver(&scene.app, &replayed, 2).await, StatusCode::OK);
    assert_eq!(scene.texts().last().map(String::as_str), Some("message 2"));
    let state = scene.world.blob("state", &blob).expect("a state");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    assert_eq!(state["messages"]["2"]["complete"], true);
    assert_eq!(state["messages"]["2"]["given_up"], Value::Null);
}
