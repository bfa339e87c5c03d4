//! Agents' messages to a customer of the bot's, in process, with all outside services in memory.

use serde_json::{Value, json};
use services::error::Service;
use services::testing::Reply;

use crate::testing::bot::{BotScene, CHAT, THREAD};
use crate::testing::{ANNAS_THREAD, deliver, post};

const CONVERSATION: &str = "be9c1b6e-0000-4000-8000-c0ffee00000c";

/// A scene in which the customer has written.
pub(super) async fn begun(changed: &[(&str, &str)]) -> BotScene {
    let scene = BotScene::start(changed).await;
    scene.customer_writes("1", "hello").await;
    scene
}

#[tokio::test]
async fn an_agents_message_comes_into_the_conversation_and_is_receipted() {
    let scene = begun(&[]).await;
    scene
        .agent_writes("g-1", json!({"text": "*welcome* & <hello>"}))
        .await;
    assert_eq!(
        scene.posted(),
        [json!({"type": "message", "text": "*welcome* & <hello>", "textFormat": "plain"})]
    );
    let call = &scene.by_bot("POST")[0];
    assert_eq!(
        call.target,
        "/amer/v3/conversations/a%3A17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU/activities"
    );
    assert_eq!(
        scene.receipts(),
        [("g-1".to_owned(), "Delivered".to_owned())]
    );
    // Its repetition is known.
    scene
        .agent_writes("g-1", json!({"text": "*welcome* & <hello>"}))
        .await;
    assert_eq!(scene.posted().len(), 1);
}

#[tokio::test]
async fn a_link_shows_its_name_or_where_it_leads() {
    for (name, url, shown) in [
        (None, "https://x.example/page", "📎 https://x.example/page"),
        (Some("Page"), "https://x.example/page", "📎 Page"),
        (Some("App"), "myapp://open", "📎 App: myapp://open"),
        (Some("Go"), "javascript:alert(1)", ""),
    ] {
        let scene = begun(&[]).await;
        let link = json!({"mediaType": "Link", "url": url, "filename": name});
        let content = json!([{"contentType": "Attachment", "attachment": link}]);
        let fields = json!({"type": "Structured", "text": "", "content": content});
        scene.agent_writes("g-1", fields).await;
        let posted: Vec<String> = scene.posted().iter().map(Value::to_string).collect();
        assert_eq!(posted.len(), usize::from(!shown.is_empty()), "{posted:?}");
        assert!(
            posted
                .iter()
                .all(|post| post.contains(&format!("\"{shown}\""))),
            "{posted:?}"
        );
        let opens = posted.iter().any(|post| post.contains("Action.OpenUrl"));
        assert_eq!(opens, url.starts_with("https"), "{posted:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_a_busy_conversation_is_not() {
    for (status, code, ends) in [
        (403, "BotNotInConversationRoster", true),
        (404, "ConversationNotFound", true),
        (412, "PreconditionFailed", false),
        (502, "ServiceError", false),
        (503, "ServiceUnavailable", false),
    ] {
        let scene = begun(&[]).await;
        let refusal = Reply::json(status, &json!({"error": {"code": code}}));
        match ends {
            true => scene.world.answer("POST", "/activities", refusal),
            false => scene.world.answer_once("POST", "/activities", refusal),
        }
        scene.agent_writes("g-1", json!({"text": "hi"})).await;
        let outcome = if ends { "Failed" } else { "Delivered" };
        assert_eq!(
            scene.receipts(),
            [("g-1".to_owned(), outcome.to_owned())],
            "{code}"
        );
        assert_eq!(scene.failed().len(), usize::from(ends), "{code}");
    }
}

#[tokio::test]
async fn while_the_connector_is_down_a_lost_post_is_not_made_again() {
    let scene = begun(&[("ATTEMPT_DEADLINE_SECONDS", "5")]).await;
    let down = || Reply::json(502, &json!({"error": {"code": "ServiceError"}}));
    scene.world.answer_once("POST", "/activities", down());
    scene.world.answer_with("GET", "/members/", {
        let mut times = 0;
        move |_| {
            times += 1;
            (times <= 2).then(down)
        }
    });
    scene.agent_writes("g-1", json!({"text": "hi"})).await;
    assert_eq!(
        scene.posted().len(),
        2,
        "once more, and not for each question"
    );
    assert_eq!(
        scene.receipts(),
        [("g-1".to_owned(), "Delivered".to_owned())]
    );
}

#[tokio::test]
async fn a_message_keeps_the_name_that_it_was_begun_with() {
    let scene = begun(&[("AGENT_NAME", "first")]).await;
    let url = format!("{}/files/a.bin", scene.world.base());
    scene
        .world
        .answer("GET", "/files/", Reply::new(200, vec![1, 2, 3, 4]));
    let asked = json!({"participants": [{"id": "a", "purpose": "agent", "state": "connected", "name": "Ada King"}]});
    scene
        .world
        .answer_once("GET", "/conversations/messages/", Reply::json(200, &asked));
    // The name is in the conversation, the file is refused once, and then nobody can be asked.
    let mut times = 0;
    scene.world.answer_with("POST", "/activities", move |_| {
        times += 1;
        (times == 2).then(|| Reply::json(503, &json!({"error": {"code": "ServiceUnavailable"}})))
    });
    let file = json!({"contentType": "Attachment", "attachment": {"mediaType": "File", "url": url, "filename": "a.bin"}});
    scene
        .webhook(
            "g-1",
            json!({"text": null, "content": [file], "conversationId": CONVERSATION}),
        )
        .await;
    let sent = scene.next().expect("an envelope");
    let first = deliver(&scene.app, &sent, 1).await;
    assert_eq!(first, http::StatusCode::OK);
    let texts: Vec<String> = scene
        .posted()
        .iter()
        .map(|it| it["text"].to_string())
        .collect();
    let files = scene
        .posted()
        .iter()
        .filter(|it| it["attachments"].is_array())
        .count();
    assert_eq!(
        (texts[0].as_str(), files),
        ("\"Ada:\"", 2),
        "the file once more: {texts:?}"
    );
    assert!(texts[1..].iter().all(|it| it == "null"), "{texts:?}");
}

#[tokio::test]
async fn a_wish_to_be_left_alone_is_kept() {
    let scene = begun(&[]).await;
    let wish =
        Reply::json(429, &json!({"error": {"code": "Throttled"}})).header("retry-after", "1");
    scene.world.answer_once("POST", "/activities", wish);
    let start = tokio::time::Instant::now();
    scene.agent_writes("g-1", json!({"text": "hi"})).await;
    assert!(start.elapsed().as_millis() >= 900, "{:?}", start.elapsed());
    assert_eq!(scene.posted().len(), 2);
}

#[tokio::test]
async fn speakers_are_named_when_they_change() {
    let scene = begun(&[("AGENT_NAME", "first"), ("VIRTUAL_AGENT_NAME", "Robot")]).await;
    let by = |first: &str, text: &str, entity: &str| {
        json!({"text": text, "originatingEntity": entity,
            "channel": {"time": "2099-01-01T00:00:00Z", "to": {"id": THREAD}, "from": {"firstName": first, "lastName": "X"}}})
    };
    for (id, first, text, entity) in [
        ("g-1", "", "one", "Bot"),
        ("g-2", "Ada", "two", "Human"),
        ("g-3", "Ada", "three", "Human"),
        ("g-4", "Bob", "four", "Human"),
        ("g-5", "Ada", "five", "Human"),
    ] {
        scene.agent_writes(id, by(first, text, entity)).await;
    }
    let texts: Vec<Value> = scene.posted().iter().map(|it| it["text"].clone()).collect();
    assert_eq!(
        texts,
        [
            "Robot:\none",
            "Ada:\ntwo",
            "three",
            "Bob:\nfour",
            "Ada:\nfive"
        ]
    );
}

#[tokio::test]
async fn a_nameless_speaker_is_looked_up_in_the_conversation() {
    let scene = begun(&[("AGENT_NAME", "full")]).await;
    let participants = json!({"participants": [
        {"id": "c", "purpose": "customer", "state": "connected", "name": "Anna"},
        {"id": "a", "purpose": "agent", "state": "disconnected", "name": "Bob Gone"},
        {"id": "b", "purpose": "agent", "state": "connected", "name": "Ada King"},
    ]});
    scene.world.answer(
        "GET",
        "/conversations/messages/",
        Reply::json(200, &participants),
    );
    scene
        .agent_writes("g-1", json!({"text": "hi", "conversationId": CONVERSATION}))
        .await;
    assert_eq!(scene.posted()[0]["text"], "Ada King:\nhi");
    // What cannot be told keeps nothing back.
    let alone = begun(&[("AGENT_NAME", "full")]).await;
    alone
        .world
        .answer("GET", "/conversations/messages/", Reply::new(403, "{}"));
    alone
        .agent_writes("g-1", json!({"text": "hi", "conversationId": CONVERSATION}))
        .await;
    assert_eq!(alone.posted()[0]["text"], "hi");
}

#[tokio::test]
async fn a_customer_ends_the_conversation_by_a_word_or_a_button() {
    let scene = begun(&[("END_WORDS", "end")]).await;
    scene
        .agent_writes("g-1", json!({"text": "hi", "conversationId": CONVERSATION}))
        .await;
    let participants = json!({"participants": [
        {"id": "c1", "purpose": "customer", "state": "disconnected"},
        {"id": "c2", "purpose": "customer", "state": "connected"},
        {"id": "a", "purpose": "agent", "state": "connected"},
    ]});
    scene.world.answer(
        "GET",
        "/conversations/messages/",
        Reply::json(200, &participants),
    );
    scene
        .world
        .answer("PATCH", "/participants/", Reply::new(202, "{}"));
    scene.customer_writes("2", "End.").await;
    let left = |scene: &BotScene| -> Vec<(String, Value)> {
        let seen = scene.world.seen(Service::Genesys).into_iter();
        seen.filter(|it| it.method == "PATCH")
            .map(|it| (it.target.clone(), it.json()))
            .collect()
    };
    let address = format!("/api/v2/conversations/messages/{CONVERSATION}/participants/c2");
    assert_eq!(left(&scene), [(address, json!({"state": "disconnected"}))]);
    assert_eq!(
        scene.texts().last().map(String::as_str),
        Some("End."),
        "the agent sees why"
    );
    let told = |scene: &BotScene| {
        let posted = scene.posted().into_iter();
        posted
            .filter(|it| it.to_string().contains("beendet"))
            .count()
    };
    assert_eq!(told(&scene), 1);
    scene
        .told(json!({"id": "3", "replyToId": "9", "value": {"bridge": {"end": true}}}))
        .await;
    assert_eq!(
        (left(&scene).len(), told(&scene)),
        (2, 1),
        "the customer knows"
    );
}

#[tokio::test]
async fn a_conversation_that_genesys_does_not_end_keeps_nothing_back() {
    let scene = begun(&[("END_WORDS", "end")]).await;
    let words = json!({"text": "hi", "conversationId": CONVERSATION});
    scene.agent_writes("g-1", words).await;
    let refusal = Reply::new(403, "{}");
    scene
        .world
        .answer("GET", "/conversations/messages/", refusal);
    scene.customer_writes("2", "end").await;
    scene.customer_writes("3", "still here").await;
    assert_eq!(scene.texts(), ["hello", "end", "still here"]);
    assert_eq!((scene.posted().len(), scene.failed().len()), (1, 0));
}

#[tokio::test]
async fn an_end_that_is_over_already_is_not_told_again_and_a_group_is_not_ended() {
    let scene = begun(&[("END_WORDS", "end")]).await;
    let words = json!({"text": "hi", "conversationId": CONVERSATION});
    scene.agent_writes("g-1", words).await;
    let gone =
        json!({"participants": [{"id": "c", "purpose": "customer", "state": "disconnected"}]});
    scene
        .world
        .answer("GET", "/conversations/messages/", Reply::json(200, &gone));
    scene.customer_writes("2", "end").await;
    assert_eq!(
        scene.posted().len(),
        1,
        "nobody says that what goes on has ended"
    );
    let group =
        json!({"conversationType": "groupChat", "isGroup": true, "id": "19:253b@thread.v2"});
    let press = json!({"id": "3", "conversation": group, "value": {"bridge": {"end": true}}});
    let asked = scene.world.seen(Service::Genesys).len();
    scene.told(press).await;
    assert_eq!(scene.world.seen(Service::Genesys).len(), asked);
}

#[tokio::test]
async fn a_late_end_of_an_earlier_conversation_is_not_told() {
    let scene = begun(&[]).await;
    scene.world.put_secret("genesys-ended-secret", "shared");
    let other = "be9c1b6e-0000-4000-8000-c0ffee00000d";
    for (id, conversation) in [("g-1", CONVERSATION), ("g-2", other)] {
        let words = json!({"text": "hi", "conversationId": conversation});
        scene.agent_writes(id, words).await;
    }
    let tell = async |conversation: &str| {
        let body = json!({"conversationId": conversation, "sessionId": "s", "disconnectType": "PEER", "addressTo": THREAD});
        let headers = [("x-bridge-secret", "shared")];
        let path = crate::conversation_ended::PATH;
        let status = post(&scene.app, path, &headers, body.to_string()).await;
        assert_eq!(status.as_u16(), 200);
        scene.settle().await;
    };
    tell(CONVERSATION).await;
    assert_eq!(scene.posted().len(), 2);
    tell(other).await;
    assert_eq!(scene.posted().len(), 3);
}

#[tokio::test]
async fn genesys_tells_of_an_end_and_of_a_transfer() {
    let scene = begun(&[("TRANSFER_NOTICE", "standard")]).await;
    scene.world.put_secret("genesys-ended-secret", "shared");
    let tell = async |secret: &str, session: &str, kind: &str, address: &str| {
        let body = json!({"conversationId": CONVERSATION, "sessionId": session, "disconnectType": kind,
            "addressFrom": "", "addressTo": address});
        let headers = [("x-bridge-secret", secret)];
        let path = crate::conversation_ended::PATH;
        let status = post(&scene.app, path, &headers, body.to_string()).await;
        scene.settle().await;
        status.as_u16()
    };
    assert_eq!(tell("another", "s", "PEER", THREAD).await, 401);
    assert!(scene.posted().is_empty());
    assert_eq!(tell("shared", "s", "TRANSFER", THREAD).await, 200);
    for _ in 0..2 {
        assert_eq!(tell("shared", "s", "PEER", THREAD).await, 200);
    }
    // Nobody of ours, and a thread that no chat is known for.
    assert_eq!(tell("shared", "s", "PEER", "whatsapp:+49").await, 200);
    assert_eq!(tell("shared", "s", "PEER", ANNAS_THREAD).await, 200);
    let texts: Vec<String> = scene.posted().iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("Kollegin") && texts[1].contains("beendet"),
        "{texts:?}"
    );
    // Written again, it can end again.
    scene.customer_writes("2", "me again").await;
    assert_eq!(tell("shared", "s-2", "PEER", THREAD).await, 200);
    assert_eq!(scene.posted().len(), 3);
    assert!(scene.failed().is_empty());
}

#[tokio::test]
async fn a_conversation_that_nobody_wrote_in_is_not_known() {
    let scene = BotScene::start(&[("UNKNOWN_THREAD_SECONDS", "1")]).await;
    scene.agent_writes("g-1", json!({"text": "hi"})).await;
    assert!(scene.posted().is_empty());
    assert_eq!(
        scene.receipts(),
        [("g-1".to_owned(), "Failed".to_owned())],
        "{CHAT}"
    );
}
