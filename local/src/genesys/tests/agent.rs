//! What an agent sends: webhooks and files.

use super::*;

#[tokio::test]
async fn a_webhook_has_the_type_of_its_content_or_the_ordered_one() {
    let mut ours = OurSide::start(Vec::new(), |token| ("", token));
    let genesys = Genesys::new(testing::world(Config::default(), &ours.address));
    let file = json!({ "name": "a", "content_type": "a/b", "generate": 1 });
    let card = json!({ "contentType": "Card", "card": {} });
    for (written, kind) in [
        (json!({ "text": "a" }), "Text"),
        (json!({ "attachment": file }), "Text"),
        (json!({ "text": "a", "structured": [card] }), "Structured"),
        (json!({ "text": "a", "type": "Message" }), "Message"),
    ] {
        assert_eq!(write(&genesys, written).await.status, 201);
        assert_eq!(ours.next().await["type"], kind);
    }
}

#[tokio::test]
async fn a_refusal_for_now_is_repeated_and_another_is_not() {
    let mut ours = OurSide::start(vec![503, 401], |token| ("", token));
    let genesys = Genesys::new(testing::world(Config::default(), &ours.address));
    for text in ["first", "second"] {
        genesys.agent_writes(THREAD, &Outgoing::text(text));
        if text == "first" {
            let first = ours.next().await;
            assert_eq!(ours.next().await, first, "the same body");
        }
    }
    let third = ours.next().await;
    assert_eq!(third["text"], "second", "no third attempt before it");
}

#[tokio::test(start_paused = true)]
async fn genesys_gives_up_after_five_repetitions() {
    let genesys = organisation();
    let rules = json!({ "rules": [{ "service": "genesys-webhook", "drop": "before" }] });
    let faults = &genesys.world.hub.faults;
    let rules = serde_json::from_value(rules).expect("rules");
    let own = faults.add(rules).expect("rules");
    genesys.agent_writes(THREAD, &Outgoing::text("good day"));
    // Time is paused: whatever is to come is here after that.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(faults.strikes(own), [6]);
}

/// Makes the agent send a file; the attachment in its webhook.
async fn sent(genesys: &Arc<Genesys>, access: &str) -> Value {
    let file = json!({ "name": "a.pdf", "content_type": "application/pdf", "generate": 1000,
        "access": access });
    write(genesys, json!({ "attachment": file })).await;
    view(genesys).pop().expect("a message")["attachment"].take()
}

fn path_of(url: &str) -> &str {
    url.strip_prefix("https://127.0.0.1:9")
        .expect("on the host")
}

#[tokio::test]
async fn a_closed_address_serves_those_whom_the_api_sends_on() {
    let genesys = organisation();
    let bearer = token(&genesys).await;
    let fetch = async |path: &str, token: &str| {
        ask(downloads(&genesys), "GET", path, token, Value::Null).await
    };
    for (access, status) in [("open", 200), ("unauthorized", 401), ("forbidden", 403)] {
        let file = sent(&genesys, access).await;
        assert_eq!(file["contentSizeBytes"], 1000);
        let path = path_of(file["url"].as_str().expect("an address"));
        assert_eq!(fetch(path, "").await.status, status);
        assert_ne!(fetch(path, "x").await.status, 200, "no token belongs there");

        let closed = api(&genesys, "GET", path, "", Value::Null).await;
        assert_refused(&closed, 401, "authentication.required");
        let sent_on = api(&genesys, "GET", path, &bearer, Value::Null).await;
        assert_eq!(sent_on.status, 302);
        let target = path_of(sent_on.headers["location"].to_str().expect("an address"));
        let answer = fetch(target, "").await;
        assert_eq!((answer.status, answer.bytes.len()), (200, 1000));
        assert_eq!(fetch(target, &bearer).await.status, 400, "signed is enough");
        let later = target.replace("Expires=", "Expires=9");
        for wrong in [target.split('?').next().unwrap_or_default(), &later] {
            assert_eq!(fetch(wrong, "").await.status, 403, "{wrong}");
        }
    }
}

#[tokio::test]
async fn a_file_can_lie_there_without_being_sent() {
    let genesys = organisation();
    let file = json!({ "name": "a.png", "content_type": "image/png", "base64": "YWJj" });
    let url = control(&genesys, "POST", "media", file).await.text("url");
    let answer = ask(downloads(&genesys), "GET", path_of(&url), "", Value::Null).await;
    assert_eq!(answer.bytes, "abc");
    assert!(view(&genesys).is_empty());
}

#[tokio::test]
async fn what_an_agent_cannot_send_is_refused() {
    let genesys = organisation();
    let file = json!({ "attachment": { "name": "a", "content_type": "image/png", "generate": 1 } });
    let reply = json!({ "contentType": "QuickReply", "quickReply": { "text": "a" } });
    let raw = json!({ "contentType": "Attachment", "attachment": { "mime": "image/gif" } });
    for body in [
        json!({}),
        with(file.clone(), "/attachment/behaviour", json!("virus")),
        with(file.clone(), "/attachment/base64", json!("YQ==")),
        with(file.clone(), "/attachment/name", json!("")),
        with(file.clone(), "/structured", json!([reply])),
        json!({ "structured": [{}] }),
        json!({ "content": [raw, raw] }),
    ] {
        assert_eq!(write(&genesys, body.clone()).await.status, 400, "{body}");
    }
    assert!(view(&genesys).is_empty(), "nothing was sent");
    assert_eq!(write(&genesys, file).await.status, 201);
}
