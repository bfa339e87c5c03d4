use super::*;

/// The message with one thing changed, and the status Genesys answers.
async fn changed(change: impl FnOnce(&mut Value)) -> u16 {
    let genesys = organisation();
    let token = token(&genesys).await;
    let mut body = message("hello");
    change(&mut body);
    let answer = send(&genesys, &token, "message", &body).await;
    if answer.status == 400 {
        assert_refused(&answer, 400, "bad.request");
    }
    answer.status.as_u16()
}

fn without(body: &mut Value, parent: &str, name: &str) {
    let holder = body.pointer_mut(parent).and_then(Value::as_object_mut);
    holder.expect("an object").remove(name);
}

#[tokio::test]
async fn a_message_joins_its_threads_conversation() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let query = format!("{}?prefetchConversationId=true", path(&genesys, "message"));
    let first = ask(&genesys, post(&query, &token, message("one").to_string())).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.body["type"], "Text");
    assert_eq!(first.body["text"], "one");
    assert_eq!(first.body["channel"]["platform"], "Open");
    assert_eq!(first.body["channel"]["from"]["id"], THREAD);
    let mut second = message("two");
    second["channel"]["metadata"]["customAttributes"] = json!({ "teamsUpn": "b", "new": "n" });
    let answer = send(&genesys, &token, "message", &second).await;
    assert_eq!(answer.body.get("conversationId"), None, "only when asked");
    let mut other = message("three");
    other["channel"]["from"]["id"] = json!("other");
    send(&genesys, &token, "message", &other).await;

    let request = Request::get("/local/genesys/conversations")
        .body(Body::empty())
        .expect("a request");
    let view = control(&genesys, request).await.body;
    let all = view["conversations"].as_array().expect("conversations");
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["id"], first.body["conversationId"]);
    assert_eq!(all[0]["thread"], THREAD);
    assert_eq!(
        all[0]["attributes"],
        json!({ "teamsUpn": "b", "new": "n" }),
        "later ones win"
    );
    assert_eq!(
        all[0]["messages"][0],
        json!({
            "id": first.body["id"],
            "direction": "inbound",
            "text": "one",
            "time": "2026-01-02T03:04:05.678Z",
            "channel_message_id": "m-1",
            "receipts": [],
        })
    );
    assert_eq!(all[0]["messages"][1]["text"], "two");
    assert_eq!(
        hops(&genesys, "c-1"),
        ["genesys 1 200", "genesys 2 200", "genesys 3 200"]
    );
}

#[test]
fn a_conversation_is_over_after_72_hours_of_silence() {
    let mut conversations = Conversations::default();
    let start = OffsetDateTime::UNIX_EPOCH;
    let arrival = super::super::checks::message(&message("hello")).expect("a message");
    let mut at = |hours: i64| {
        let now = start + time::Duration::hours(hours);
        conversations.arrive(arrival.clone(), now).conversation
    };
    let first = at(0);
    assert_eq!(at(72), first);
    assert_eq!(at(144), first, "counted from the last activity");
    assert_ne!(at(217), first);
}

#[tokio::test]
async fn a_repeated_message_is_shown_twice() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let first = send(&genesys, &token, "message", &message("again")).await;
    let second = send(&genesys, &token, "message", &message("again")).await;
    assert_ne!(first.body["id"], second.body["id"]);
    let view = genesys.conversations().view("");
    let messages = &view["conversations"][0]["messages"];
    assert_eq!(messages.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn what_genesys_tolerates_passes() {
    assert_eq!(
        changed(|body| body["direction"] = json!("Inbound")).await,
        200
    );
    assert_eq!(changed(|body| body["type"] = json!("Text")).await, 200);
    assert_eq!(
        changed(|body| body["channel"]["to"] = json!({ "id": "x" })).await,
        200
    );
    assert_eq!(
        changed(|body| body["metadata"] = json!({ "a": "b" })).await,
        200
    );
    assert_eq!(
        changed(|body| without(body, "/channel", "messageId")).await,
        200
    );
    assert_eq!(
        changed(|body| without(body, "/channel", "metadata")).await,
        200
    );
    assert_eq!(
        changed(|body| {
            without(body, "", "text");
            body["content"] = json!([{ "contentType": "Attachment", "attachment": {
                "mediaType": "Image", "mime": "image/png", "url": "https://127.0.0.1:9/a.png",
            }}]);
        })
        .await,
        200
    );
    assert_eq!(
        changed(|body| body["text"] = json!("ä".repeat(10_000))).await,
        200
    );
}

#[tokio::test]
async fn what_genesys_does_not_know_is_refused() {
    for field in ["id", "idType"] {
        assert_eq!(
            changed(|body| without(body, "/channel/from", field)).await,
            400
        );
    }
    for field in ["from", "time"] {
        assert_eq!(changed(|body| without(body, "/channel", field)).await, 400);
    }
    for field in ["channel", "text"] {
        assert_eq!(changed(|body| without(body, "", field)).await, 400);
    }
    let refused: [(&str, Value); 9] = [
        ("/channel/from/idType", json!("opaque")),
        ("/channel/from/id", json!("")),
        ("/channel/from/nickname", json!(7)),
        ("/channel/time", json!("yesterday")),
        ("/channel/messageId", json!(1)),
        ("/channel/metadata/customAttributes", json!({ "a": 1 })),
        (
            "/channel/metadata/customAttributes",
            json!({ "a": "x".repeat(1_993) }),
        ),
        ("/text", json!("")),
        ("/text", json!("x".repeat(10_001))),
    ];
    for (pointer, value) in refused {
        let status = changed(|body| *body.pointer_mut(pointer).expect("a field") = value).await;
        assert_eq!(status, 400, "{pointer}");
    }
    let nested = json!({ "customAttributes": { "a": "b" } });
    assert_eq!(changed(|body| body["metadata"] = nested).await, 400);
    let item = json!([{ "attachment": { "contentType": "Attachment", "url": "https://x" } }]);
    assert_eq!(changed(|body| body["content"] = item).await, 400);
}

#[tokio::test]
async fn two_thousand_bytes_of_attributes_are_the_limit() {
    let status = changed(|body| {
        // Eight bytes are braces, quotes, colon and the name.
        body["channel"]["metadata"]["customAttributes"] = json!({ "a": "x".repeat(1_992) });
    })
    .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_request_for_nobody_or_too_large_is_refused() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let elsewhere = path(&genesys, "message").replace(
        &genesys.world.config.genesys_integration_id,
        "0f0e0d0c-0000-4000-8000-0000000000ff",
    );
    let answer = ask(&genesys, post(&elsewhere, &token, message("x").to_string())).await;
    assert_refused(&answer, 404, "not.found");

    let here = path(&genesys, "message");
    let mut padded = message("x").to_string();
    padded.push_str(&" ".repeat(512_000 - padded.len()));
    let answer = ask(&genesys, post(&here, &token, padded.clone())).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = ask(&genesys, post(&here, &token, format!("{padded} "))).await;
    assert_refused(&answer, 413, "request.entity.too.large");

    let answer = ask(&genesys, post(&here, &token, "{")).await;
    assert_refused(&answer, 400, "bad.request");
    let mut untyped = post(&here, &token, message("x").to_string());
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    let answer = ask(&genesys, untyped).await;
    assert_refused(&answer, 415, "unsupported.media.type");
    assert_eq!(
        hops(&genesys, "c-1"),
        [
            "genesys 1 404",
            "genesys 2 200",
            "genesys 3 413",
            "genesys 4 400",
            "genesys 5 415"
        ]
    );
}
