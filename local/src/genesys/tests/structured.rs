use super::*;

fn reply(text: &str, payload: &str) -> Value {
    json!({ "contentType": "QuickReply",
        "quickReply": { "text": text, "payload": payload, "action": "Message" } })
}

/// A question with two answers; its id.
async fn asked(genesys: &Arc<Genesys>) -> String {
    let body = json!({ "text": "Sure?", "structured": [reply("Yes", "y"), reply("No", "n")] });
    let answer = write(genesys, &body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    answer.body["id"].as_str().expect("an id").to_owned()
}

fn pressed(question: &str, text: &str, payload: &str) -> Value {
    let mut body = message("");
    body.as_object_mut().expect("an object").remove("text");
    body["originatingMessageId"] = json!(question);
    body["buttonResponse"] = json!({ "type": "QuickReply", "text": text, "payload": payload });
    body
}

async fn answered(genesys: &Arc<Genesys>, body: &Value) -> Answer {
    let token = token(genesys).await;
    send(genesys, &token, "structured/response", body).await
}

#[tokio::test]
async fn a_choice_arrives_as_what_it_is() {
    let genesys = organisation();
    let question = asked(&genesys).await;
    let answer = answered(&genesys, &pressed(&question, "Yes", "y")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.body["type"], "Structured");
    assert_eq!(answer.body["direction"], "Inbound");
    let content = &answer.body["content"][0];
    assert_eq!(content["contentType"], "ButtonResponse");
    assert_eq!(content["buttonResponse"]["payload"], "y");
    let messages = view(&genesys).await;
    assert_eq!(
        messages[0]["structured"],
        json!([reply("Yes", "y"), reply("No", "n")])
    );
    assert_eq!(messages[0]["text"], "Sure?");
    assert_eq!(messages[1]["id"], answer.body["id"]);
    assert_eq!(messages[1]["text"], "Yes");
    assert_eq!(
        messages[1]["button"],
        json!({ "type": "QuickReply", "text": "Yes", "payload": "y", "originating": question })
    );
    assert_eq!(messages[1]["channel_message_id"], "m-1");
    assert_eq!(hops(&genesys, "c-1"), ["genesys 1 200"]);
}

#[tokio::test]
async fn what_was_not_offered_is_refused() {
    let genesys = organisation();
    let question = asked(&genesys).await;
    for (text, payload) in [("Yes", "n"), ("Maybe", "y"), ("Maybe", "m")] {
        let answer = answered(&genesys, &pressed(&question, text, payload)).await;
        assert_refused(&answer, 400, "bad.request");
    }
    for (pointer, value) in [
        ("/buttonResponse/type", json!("Button")),
        ("/buttonResponse/type", json!("Card")),
        ("/buttonResponse/type", Value::Null),
        ("/buttonResponse/text", Value::Null),
        ("/buttonResponse/payload", json!("")),
        ("/buttonResponse", Value::Null),
        ("/originatingMessageId", Value::Null),
        ("/channel/from/idType", json!("opaque")),
        ("/channel/time", Value::Null),
    ] {
        let mut body = pressed(&question, "Yes", "y");
        *body.pointer_mut(pointer).expect("a field") = value;
        let answer = answered(&genesys, &body).await;
        assert_refused(&answer, 400, "bad.request");
    }
    assert_eq!(view(&genesys).await.len(), 1);
}

#[tokio::test]
async fn only_a_structured_message_of_the_thread_can_be_answered() {
    let genesys = organisation();
    let question = asked(&genesys).await;
    let text = write(&genesys, &json!({ "text": "hello" })).await.body["id"].clone();
    for other in ["unknown", text.as_str().expect("an id")] {
        let answer = answered(&genesys, &pressed(other, "Yes", "y")).await;
        assert_refused(&answer, 404, "not.found");
    }
    let mut stranger = pressed(&question, "Yes", "y");
    stranger["channel"]["from"]["id"] = json!("somebody else");
    let answer = answered(&genesys, &stranger).await;
    assert_refused(&answer, 404, "not.found");
}

#[test]
fn a_webhook_has_the_type_of_its_content() {
    let placed = super::super::conversations::Placed {
        message: "m".to_owned(),
        conversation: "c".to_owned(),
        first_inbound: false,
    };
    let body = |text: &str, content: Vec<Value>| {
        let outgoing = Outgoing {
            text: text.to_owned(),
            content,
            media: None,
            ..Outgoing::default()
        };
        webhook::body("i", THREAD, &placed, &outgoing, "t", "Bot")
    };
    let structured = body("Sure?", vec![reply("Yes", "y")]);
    assert_eq!(structured["type"], "Structured");
    assert_eq!(structured["text"], "Sure?");
    assert_eq!(structured["content"], json!([reply("Yes", "y")]));
    let file = json!({ "contentType": "Attachment", "attachment": {} });
    let file = body("", vec![file]);
    assert_eq!(file["type"], "Text");
    assert_eq!(file.get("text"), None);
    let text = body("hello", vec![]);
    assert_eq!((&text["type"], text.get("content")), (&json!("Text"), None));
}
