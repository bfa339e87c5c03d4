use super::*;
use crate::graph::changes::ChangeType;

impl Play {
    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/local/{path}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = self
            .graph
            .control()
            .oneshot(request)
            .await
            .expect("infallible");
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        serde_json::from_slice(&bytes.expect("a body")).unwrap_or_default()
    }

    fn open(&self, notification: &Value) -> Value {
        let item = &notification["value"][0];
        opened(
            &item["encryptedContent"],
            &self.graph.notification_key_pem(),
        )
    }
}

fn anna() -> Value {
    json!({ "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
        "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002" })
}

async fn subscribed() -> Play {
    let play = Play::new(Config::default(), Vec::new(), None);
    play.graph.subscribe().await.expect("the token was echoed");
    play
}

#[tokio::test]
async fn each_change_is_notified_as_what_it_is() {
    let mut play = subscribed().await;
    let id = play.customer_writes("<p>one</p>").await;
    let created = play.next().await;
    assert_eq!(created["value"][0]["changeType"], "created");
    let path = format!("teams/chats/{CHAT}/messages/{id}");

    play.control("PATCH", &path, json!({ "html": "<p>two</p>" }))
        .await;
    let edited = play.next().await;
    assert_eq!(edited["value"][0]["changeType"], "updated");
    let message = play.open(&edited);
    assert_eq!(message["body"]["content"], "<p>two</p>");
    assert_eq!(
        message["lastEditedDateTime"],
        message["lastModifiedDateTime"]
    );

    let reaction = json!({ "from": anna(), "reaction": "👍" });
    let reactions = format!("{path}/reactions");
    play.control("POST", &reactions, reaction.clone()).await;
    let reacted = play.next().await;
    assert_eq!(reacted["value"][0]["changeType"], "updated");
    assert_eq!(play.open(&reacted)["reactions"][0]["reactionType"], "👍");
    play.control("DELETE", &reactions, reaction).await;
    let (first, second) = (play.next().await, play.next().await);
    assert_eq!(play.open(&first), play.open(&second), "told twice");
    assert_eq!(play.open(&first)["reactions"], json!([]));

    play.control("DELETE", &path, Value::Null).await;
    let deleted = play.next().await;
    assert_eq!(deleted["value"][0]["changeType"], "deleted");
    let message = play.open(&deleted);
    assert_eq!(message["id"], id);
    assert_eq!(message["from"], Value::Null);
    assert_eq!(message["body"]["content"], "");
    assert!(message["deletedDateTime"].is_string());

    play.control("POST", &format!("{path}/restore"), Value::Null)
        .await;
    let restored = play.next().await;
    assert_eq!(restored["value"][0]["changeType"], "updated");
    assert_eq!(play.open(&restored)["body"]["content"], "<p>two</p>");
}

#[tokio::test]
async fn what_shall_not_be_notified_is_not() {
    let mut play = subscribed().await;
    let path = format!("teams/chats/{CHAT}/messages");
    let silent = json!({ "from": anna(), "html": "<p>1</p>", "notify": false });
    let id = play.control("POST", &path, silent).await["message"].clone();
    let path = format!("{path}/{}", id.as_str().expect("an id"));
    let edit = json!({ "html": "<p>2</p>", "notify": false });
    play.control("PATCH", &path, edit).await;
    let reaction = json!({ "from": anna(), "reaction": "👍", "notify": false });
    play.control("POST", &format!("{path}/reactions"), reaction)
        .await;
    play.control("DELETE", &format!("{path}?notify=false"), Value::Null)
        .await;
    // Notifications of a chat come in order, so anything before this one would be here first.
    let loud = play.customer_writes("<p>loud</p>").await;
    assert_eq!(play.next().await["value"][0]["resourceData"]["id"], loud);

    let wanted = json!({ "chat": "19:anna_support@unq.gbl.spaces", "message": id, "change_type": "deleted" });
    let composed = play
        .control("POST", "graph/notifications/compose", wanted)
        .await;
    assert_eq!(composed["body"]["value"][0]["changeType"], "deleted");
    assert_eq!(play.open(&composed["body"])["from"], Value::Null);
    let wanted = json!({ "chat": "19:anna_support@unq.gbl.spaces", "message": loud });
    let composed = play
        .control("POST", "graph/notifications/compose", wanted)
        .await;
    assert_eq!(composed["body"]["value"][0]["changeType"], "created");
}

#[tokio::test]
async fn a_subscription_tells_only_of_what_it_was_made_for() {
    let mut play = Play::new(Config::default(), Vec::new(), None);
    let account = &play.world.config.support_accounts[0];
    let url = play.graph.notification_url();
    let changes = [ChangeType::Created, ChangeType::Deleted];
    let made = play.graph.subscriptions.create(&url, account, &changes);
    made.await.expect("the token was echoed");
    let view = play.graph.subscriptions.view();
    assert_eq!(view["subscriptions"][0]["changeType"], "created,deleted");
    let id = play.customer_writes("<p>one</p>").await;
    play.next().await;
    let path = format!("teams/chats/{CHAT}/messages/{id}");
    play.control("PATCH", &path, json!({ "html": "<p>two</p>" }))
        .await;
    play.control("DELETE", &path, Value::Null).await;
    assert_eq!(play.next().await["value"][0]["changeType"], "deleted");
    let wanted = json!({ "chat": "19:anna_support@unq.gbl.spaces", "message": id, "change_type": "updated" });
    let refused = play
        .control("POST", "graph/notifications/compose", wanted)
        .await;
    assert!(refused["error"].is_string());
}
