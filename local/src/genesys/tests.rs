//! What Genesys is documented to refuse and to do, where the end-to-end tests do not come by.

mod access;
mod agent;
mod crm;
mod organisation;
mod participants;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

use super::conversations::{Conversations, Outgoing};
use super::{Genesys, downloads, router};
use crate::crm::ScreenPop;
use crate::testing::{self, Answer, OurSide, ask, request};
use crate::world::Config;
use crate::world::World;

const THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
const TIME: &str = "2026-01-02T03:04:05.678Z";

fn organisation() -> Arc<Genesys> {
    Genesys::new(World::for_tests())
}

async fn log_in(genesys: &Arc<Genesys>, client: &str, secret: &str, form: &str) -> Answer {
    let mut request = request("POST", "/oauth/token", "", &Value::Null);
    let credentials = STANDARD.encode(format!("{client}:{secret}"));
    let headers = request.headers_mut();
    let basic = format!("Basic {credentials}").parse().expect("a value");
    headers.insert(header::AUTHORIZATION, basic);
    let kind = header::HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, kind);
    *request.body_mut() = form.to_owned().into();
    testing::send(router(genesys), request).await
}

const GRANT: &str = "grant_type=client_credentials";

async fn token(genesys: &Arc<Genesys>) -> String {
    let client = &genesys.world.config.genesys_client_ids[0];
    let answer = log_in(genesys, client, &genesys.client_secret(), GRANT).await;
    answer.text("access_token")
}

fn inbound(genesys: &Genesys, kind: &str) -> String {
    let integration = &genesys.world.config.genesys_integration_id;
    format!("/api/v2/conversations/messages/{integration}/inbound/open/{kind}")
}

async fn api(genesys: &Arc<Genesys>, method: &str, path: &str, token: &str, body: Value) -> Answer {
    ask(router(genesys), method, path, token, body).await
}

/// Sends to one of the inbound endpoints as the bridge.
async fn send(genesys: &Arc<Genesys>, kind: &str, body: Value) -> Answer {
    let token = token(genesys).await;
    api(genesys, "POST", &inbound(genesys, kind), &token, body).await
}

async fn control(genesys: &Arc<Genesys>, method: &str, what: &str, body: Value) -> Answer {
    let path = format!("/local/genesys/{what}");
    ask(super::control(genesys), method, &path, "", body).await
}

/// Makes the agent write.
async fn write(genesys: &Arc<Genesys>, body: Value) -> Answer {
    control(genesys, "POST", &format!("threads/{THREAD}/messages"), body).await
}

/// All messages of the first conversation, as the control interface shows them.
fn view(genesys: &Genesys) -> Vec<Value> {
    let view = genesys.conversations.lock().view("");
    let messages = view["conversations"][0]["messages"].as_array();
    messages.cloned().unwrap_or_default()
}

fn message(text: &str) -> Value {
    json!({ "text": text, "channel": { "time": TIME, "messageId": "m-1",
        "from": { "id": THREAD, "idType": "Opaque", "nickname": "Anna" },
        "metadata": { "customAttributes": { "teamsUpn": "anna@contoso.example" } } } })
}

/// The value with one field replaced, or taken away when the new value is null.
fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let holder = value.pointer_mut(parent).and_then(Value::as_object_mut);
    let holder = holder.expect("an object");
    if new.is_null() {
        holder.remove(name).expect("a field");
    } else {
        holder.insert(name.to_owned(), new);
    }
    value
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["code"], code);
    assert_eq!(answer.body["status"], status);
    assert_eq!(
        answer.headers["inin-correlation-id"],
        answer.text("contextId")
    );
}

#[tokio::test]
async fn a_message_is_what_the_model_says() {
    let genesys = organisation();
    let file = json!([{ "contentType": "Attachment", "attachment": {
        "mediaType": "Image", "mime": "image/png", "url": "https://127.0.0.1:9/a.png" } }]);
    let attributes = "/channel/metadata/customAttributes";
    let with_file = with(message("x"), "/content", file);
    for tolerated in [
        with(message("x"), "/direction", json!("Inbound")),
        with(message("x"), "/type", json!("Text")),
        with(message("x"), "/channel/to", json!({ "id": "x" })),
        with(message("x"), "/metadata", json!({ "a": "b" })),
        with(message("x"), "/channel/messageId", Value::Null),
        with(message("x"), "/channel/metadata", Value::Null),
        // Eight bytes are braces, quotes, colon and the name.
        with(message("x"), attributes, json!({ "a": "x".repeat(1_992) })),
        with(with_file, "/text", Value::Null),
        message(&"ä".repeat(10_000)),
    ] {
        assert_eq!(send(&genesys, "message", tolerated).await.status, 200);
    }
    for (pointer, value) in [
        ("/channel/from/id", Value::Null),
        ("/channel/from/idType", Value::Null),
        ("/channel/from", Value::Null),
        ("/channel/time", Value::Null),
        ("/channel", Value::Null),
        ("/text", Value::Null),
        ("/channel/from/idType", json!("opaque")),
        ("/channel/from/id", json!("")),
        ("/channel/from/nickname", json!(7)),
        ("/channel/time", json!("yesterday")),
        ("/channel/messageId", json!(1)),
        (attributes, json!({ "a": 1 })),
        (attributes, json!({ "a": "x".repeat(1_993) })),
        ("/text", json!("")),
        ("/text", json!("x".repeat(10_001))),
        ("/metadata", json!({ "customAttributes": { "a": "b" } })),
    ] {
        let answer = send(&genesys, "message", with(message("hello"), pointer, value)).await;
        assert_refused(&answer, 400, "bad.request");
    }
}

#[tokio::test]
async fn a_message_has_one_file_that_anybody_can_fetch() {
    let genesys = organisation();
    let good = json!({ "mediaType": "File", "mime": "a/b", "url": "https://127.0.0.1:9/a" });
    let content = |items: Value| with(message("x"), "/content", items);
    for (name, value) in [
        ("mediaType", json!("image")),
        ("mediaType", Value::Null),
        ("mime", json!("image")),
        ("mime", Value::Null),
        ("url", Value::Null),
        ("url", json!("/a")),
        ("url", json!("http://127.0.0.1:9/a")),
        ("url", json!("https://me:secret@127.0.0.1:9/a")),
        ("id", json!(1)),
        ("sha256", json!(1)),
        ("filename", json!(1)),
        ("thumbnail", json!({ "url": 1 })),
        ("thumbnail", json!("https://127.0.0.1:9/a")),
    ] {
        let attachment = with(good.clone(), &format!("/{name}"), value);
        let wrong = content(json!([{ "attachment": attachment }]));
        let answer = send(&genesys, "message", wrong).await;
        assert_eq!(answer.status, 400, "{attachment}");
    }
    let item = json!({ "attachment": good });
    let two = content(json!([item, item]));
    assert_eq!(send(&genesys, "message", two).await.status, 400);
    assert!(view(&genesys).is_empty());
}

async fn set_profile(genesys: &Arc<Genesys>, inbound: Value, outbound: Value) -> u16 {
    let profile = json!({ "inbound": inbound, "outbound": outbound });
    let answer = control(genesys, "PUT", "content-profile", profile).await;
    answer.status
}

#[tokio::test]
async fn the_content_profile_decides_what_passes_each_way() {
    let genesys = organisation();
    let deployed = control(&genesys, "GET", "content-profile", Value::Null).await;
    let installation = include_str!("../../../infra/genesys/installation.tf");
    let variables = include_str!("../../../infra/genesys/variables.tf");
    let outbound = "variable \"outbound_media_types\" {";
    for (terraform, place, before, list) in [
        (
            installation,
            "media_types ",
            "\"genesys_media_types\", ",
            "inbound",
        ),
        (variables, outbound, "default     = ", "outbound"),
    ] {
        let (_, after) = terraform.split_once(place).expect("the place");
        let (_, default) = after.split_once(before).expect("a default");
        assert!(default.starts_with(&deployed.body[list].to_string()));
    }
    for (kind, listed, passes) in [
        ("image/png", json!(["image/jpeg", "image/png"]), true),
        ("IMAGE/PNG", json!(["image/*"]), true),
        ("text/html; charset=x", json!(["text/html"]), true),
        ("a/b", json!(["*/*"]), true),
        ("application/zip", json!(["application/pdf"]), false),
        ("imagery/png", json!(["image/*"]), false),
        ("image/png", json!([]), false),
    ] {
        assert_eq!(set_profile(&genesys, listed.clone(), listed).await, 204);
        let file = json!({ "mediaType": "File", "mime": kind, "url": "https://127.0.0.1:9/a" });
        let content = json!([{ "attachment": file }]);
        let arrived = send(&genesys, "message", with(message("x"), "/content", content)).await;
        assert_eq!(arrived.status, 200, "dropped or not");
        let shown = view(&genesys).pop().expect("a message");
        assert_eq!(shown["attachment"]["dropped"], !passes, "{kind}");
        let file = json!({ "name": "a", "content_type": kind, "generate": 1 });
        let raw = json!({ "contentType": "Attachment", "attachment": { "mime": kind } });
        let status = if passes { 201 } else { 400 };
        for message in [json!({ "attachment": file }), json!({ "content": [raw] })] {
            assert_eq!(write(&genesys, message).await.status, status, "{kind}");
        }
    }
    let wrong = set_profile(&genesys, json!(["image"]), json!([])).await;
    assert_eq!(wrong, 400);
}

#[tokio::test]
async fn a_request_for_nobody_or_too_large_is_refused() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let here = inbound(&genesys, "message");
    let integration = &genesys.world.config.genesys_integration_id;
    let elsewhere = here.replace(integration, "0f0e0d0c-0000-4000-8000-0000000000ff");
    let answer = api(&genesys, "POST", &elsewhere, &token, message("x")).await;
    assert_refused(&answer, 404, "not.found");
    let raw = async |body: String| {
        let mut request = request("POST", &here, &token, &json!({}));
        *request.body_mut() = body.into();
        testing::send(router(&genesys), request).await
    };
    let mut padded = message("x").to_string();
    padded.push_str(&" ".repeat(512_000 - padded.len()));
    assert_eq!(raw(padded.clone()).await.status, 200);
    let too_large = raw(format!("{padded} ")).await;
    assert_refused(&too_large, 413, "request.entity.too.large");
    assert_refused(&raw("{".to_owned()).await, 400, "bad.request");
    let untyped = api(&genesys, "POST", &here, &token, Value::Null).await;
    assert_refused(&untyped, 415, "unsupported.media.type");
}

#[tokio::test]
async fn a_repeated_message_is_shown_twice() {
    let genesys = organisation();
    for _ in 0..2 {
        send(&genesys, "message", message("again")).await;
    }
    assert_eq!(view(&genesys).len(), 2);
}

#[test]
fn a_conversation_is_over_after_72_hours_of_silence() {
    let mut conversations = Conversations::default();
    let arrival = super::checks::message(&message("hello")).expect("a message");
    let mut at = |hours: i64| {
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::hours(hours);
        let look_up = |_: &_| ScreenPop::default();
        let placed = conversations.arrive(arrival.clone(), now, look_up);
        placed.conversation
    };
    let first = at(0);
    assert_eq!(at(72), first);
    assert_eq!(at(144), first, "counted from the last activity");
    assert_ne!(at(217), first);
}

#[tokio::test]
async fn what_a_receipt_cannot_say_is_refused() {
    let genesys = organisation();
    let id = genesys.agent_writes(THREAD, &Outgoing::text("hello"));
    let receipt = |id: &str, status: &str| {
        json!({ "id": id, "status": status, "isFinalReceipt": true, "reasons": [],
            "channel": { "to": { "id": THREAD, "idType": "Opaque" }, "time": TIME } })
    };
    let good = || receipt(&id, "Delivered");
    let failed = |reasons: Value| with(receipt(&id, "Failed"), "/reasons", reasons);
    let reason = json!({ "code": "GeneralError", "message": "m" });
    for body in [
        receipt(&id, "Read"),
        receipt(&id, "delivered"),
        with(good(), "/reasons", json!([reason])),
        failed(json!([{ "code": "Error", "message": "m" }])),
        failed(json!([{ "code": "GeneralError" }])),
        failed(reason),
        with(good(), "/channel/to/id", json!("other")),
        with(good(), "/channel/time", Value::Null),
        with(good(), "/isFinalReceipt", json!("yes")),
    ] {
        assert_refused(&send(&genesys, "receipt", body).await, 400, "bad.request");
    }
    let customers = send(&genesys, "message", message("hello")).await.text("id");
    for other in ["b71f5f0c0000400080000000000000aa", &customers] {
        let answer = send(&genesys, "receipt", receipt(other, "Delivered")).await;
        assert_refused(&answer, 404, "not.found");
    }
    assert_eq!(view(&genesys)[0]["receipts"], json!([]));
}

#[tokio::test]
async fn only_what_a_structured_message_of_the_thread_offers_can_be_answered() {
    let genesys = organisation();
    let reply = |text: &str, payload: &str| {
        json!({ "contentType": "QuickReply",
            "quickReply": { "text": text, "payload": payload, "action": "Message" } })
    };
    let question = json!({ "text": "Sure?", "structured": [reply("Yes", "y"), reply("No", "n")] });
    let question = write(&genesys, question).await.text("id");
    let text = write(&genesys, json!({ "text": "hello" })).await.text("id");
    let pressed = with(message(""), "/originatingMessageId", json!(question));
    let button = json!({ "type": "QuickReply", "text": "Yes", "payload": "y" });
    let pressed = with(pressed, "/buttonResponse", button);
    for (pointer, value, status) in [
        ("/buttonResponse/payload", json!("n"), 400),
        ("/buttonResponse/text", json!("Maybe"), 400),
        ("/buttonResponse/type", json!("Button"), 400),
        ("/buttonResponse/type", json!("Card"), 400),
        ("/buttonResponse/text", Value::Null, 400),
        ("/buttonResponse/payload", json!(""), 400),
        ("/buttonResponse", Value::Null, 400),
        ("/originatingMessageId", Value::Null, 400),
        ("/channel/time", Value::Null, 400),
        ("/originatingMessageId", json!("unknown"), 404),
        ("/originatingMessageId", json!(text), 404),
        ("/channel/from/id", json!("somebody else"), 404),
    ] {
        let wrong = with(pressed.clone(), pointer, value);
        let answer = send(&genesys, "structured/response", wrong).await;
        assert_eq!(answer.status, status, "{pointer}");
    }
    let answered = send(&genesys, "structured/response", pressed).await;
    assert_eq!(answered.status, 200);
    assert_eq!(view(&genesys)[2]["button"]["payload"], "y");
}

#[tokio::test]
async fn typing_passes_both_ways_where_it_is_switched_on() {
    let mut ours = OurSide::start(Vec::new(), |token| ("", token));
    let genesys = Genesys::new(testing::world(Config::default(), &ours.address));
    let event = |more: Value| {
        let mut event = json!({ "channel": { "from": { "id": THREAD, "idType": "Opaque", "nickname": "Ada" },
            "time": TIME }, "events": [{ "eventType": "Typing" }] });
        for (name, value) in more.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        event
    };
    for wrong in [
        json!({ "events": [] }),
        json!({ "events": [{ "eventType": "Presence" }] }),
        json!({ "events": [{ "eventType": "Typing", "typing": { "type": "On" } }] }),
        json!({ "direction": "Inbound" }),
        json!({ "channel": { "from": { "id": THREAD, "idType": "Opaque" }, "time": TIME, "messageId": "1" } }),
        json!({ "channel": { "from": { "id": THREAD, "idType": "Opaque" } } }),
    ] {
        let refused = send(&genesys, "event", event(wrong.clone())).await;
        assert_refused(&refused, 400, "bad.request");
    }
    let control = async |method: &str, path: &str, body: Value| {
        ask(super::control(&genesys), method, path, "", body).await
    };
    let agent = format!("/local/genesys/threads/{THREAD}/typing");
    assert_eq!(control("POST", &agent, json!({})).await.status, 404);
    assert_eq!(
        genesys.conversations.lock().view("")["conversations"],
        json!([])
    );

    // A keystroke alone opens a case.
    assert_eq!(send(&genesys, "event", event(json!({}))).await.status, 202);
    let view = genesys.conversations.lock().view("");
    let conversation = &view["conversations"][0];
    assert_eq!(
        (&conversation["typed"], &conversation["messages"]),
        (&json!(TIME), &json!([]))
    );

    let typing = control("POST", &agent, json!({})).await;
    assert_eq!(typing.status, 201, "{}", typing.body);
    let webhook = ours.next().await;
    assert_eq!(
        (&webhook["type"], &webhook["id"]),
        (&json!("Event"), &typing.body["id"])
    );
    assert_eq!(
        webhook["events"],
        json!([{ "eventType": "Typing", "typing": { "type": "On", "duration": 5000 } }])
    );
    assert_eq!(
        (&webhook["channel"]["to"]["id"], &webhook["text"]),
        (&json!(THREAD), &Value::Null)
    );
    assert_eq!(conversation["id"], webhook["conversationId"]);

    let off = json!({ "inbound": false, "outbound": false });
    assert_eq!(
        control("PUT", "/local/genesys/typing", off).await.status,
        204
    );
    assert_refused(
        &send(&genesys, "event", event(json!({}))).await,
        400,
        "bad.request",
    );
    assert_eq!(control("POST", &agent, json!({})).await.status, 409);
}
