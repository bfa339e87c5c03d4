//! Replies, edits, deletions and reactions.

use end_to_end::platform::OTHER_POLICIES;
use end_to_end::{Platform, Scene};
use reqwest::Method;
use serde_json::{Value, json};

/// What a customer does to a message that is there.
struct Story(Scene);

impl std::ops::Deref for Story {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.0
    }
}

impl Story {
    async fn start() -> Self {
        Self(Scene::new(Platform::shared().await))
    }

    async fn edits(&self, message: &str, html: &str, more: Value) {
        let mut body = json!({ "html": html });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.platform
            .change(Method::PATCH, &self.chat, message, "", Some(body))
            .await;
    }

    async fn deletes(&self, message: &str) {
        self.platform
            .change(Method::DELETE, &self.chat, message, "", None)
            .await;
    }

    async fn reacts(&self, message: &str, reaction: &str) {
        let body = json!({ "from": self.anna.to_json(), "reaction": reaction });
        self.platform
            .change(Method::POST, &self.chat, message, "/reactions", Some(body))
            .await;
    }

    async fn agent_sees(&self, texts: &[&str]) {
        self.platform.until_agent_sees(&self.thread, texts).await;
    }

    /// A notification of this message, as Graph would send it now.
    async fn notify(&self, message: &str, change: &str) {
        let composed = self.composed(message, change).await;
        self.send(composed).await;
    }

    async fn composed(&self, message: &str, change: &str) -> Value {
        let wanted = json!({ "chat": self.chat.id, "message": message, "change_type": change });
        let composed = self
            .platform
            .post("/local/graph/notifications/compose", wanted)
            .await;
        composed["body"].clone()
    }

    async fn send(&self, notification: Value) {
        let body = notification.to_string().into_bytes();
        let headers = [("content-type", "application/json")];
        let (status, text) = self
            .platform
            .send_raw("/api/graph/notifications", &headers, body)
            .await;
        assert_eq!(status.as_u16(), 202, "{text}");
    }

    /// Something that comes after all that went before: what is not there when it arrives will never be.
    async fn ends(&self, before: &[&str]) {
        self.writes("<p>the end</p>", json!({})).await;
        let mut texts = before.to_vec();
        texts.push("the end");
        self.agent_sees(&texts).await;
        self.platform.until_idle().await;
        self.agent_sees(&texts).await;
        assert_eq!(self.platform.failed().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_reply_shows_what_it_answers() {
    let scene = Story::start().await;
    let question = scene.writes("<p>Where is\nmy order?</p>", json!({})).await;
    scene.agent_sees(&["Where is my order?"]).await;
    scene
        .platform
        .agent_writes(&scene.thread, "Which one?")
        .await;
    scene
        .platform
        .until_customer_sees(&scene.chat, &["Which one?"])
        .await;
    let answer = scene.platform.until_posts(&scene.chat, 1).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    scene
        .writes("<p>4711</p>", json!({ "reply_to": [question, answer] }))
        .await;
    scene
        .agent_sees(&[
            "Where is my order?",
            "> Anna: Where is my order?\n> Support: Which one?\n4711",
        ])
        .await;
}

#[tokio::test]
async fn replies_can_be_stripped() {
    let scene = Story(Scene::new(Platform::shared_with(OTHER_POLICIES).await));
    let first = scene.writes("<p>one</p>", json!({})).await;
    scene
        .writes("<p>two</p>", json!({ "reply_to": [first] }))
        .await;
    scene.agent_sees(&["one", "two"]).await;
}

#[tokio::test]
async fn an_edit_is_told_once_with_its_new_text() {
    let scene = Story::start().await;
    let message = scene.writes("<p>at ten</p>", json!({})).await;
    scene.agent_sees(&["at ten"]).await;
    scene
        .edits(&message, "<p>at <b>eleven</b></p>", json!({}))
        .await;
    scene.agent_sees(&["at ten", "[edited] at eleven"]).await;
    // Told again by Graph, and an edit that nobody sees.
    scene.notify(&message, "updated").await;
    scene
        .edits(&message, "<p>at <i>eleven</i></p>", json!({}))
        .await;
    scene.edits(&message, "<p>at noon</p>", json!({})).await;
    scene
        .ends(&["at ten", "[edited] at eleven", "[edited] at noon"])
        .await;
}

#[tokio::test]
async fn an_edited_reply_does_not_quote_again() {
    let scene = Story::start().await;
    let first = scene.writes("<p>one</p>", json!({})).await;
    let reply = scene
        .writes("<p>two</p>", json!({ "reply_to": [first] }))
        .await;
    scene.agent_sees(&["one", "> Anna: one\ntwo"]).await;
    scene.edits(&reply, "<p>three</p>", json!({})).await;
    scene
        .ends(&["one", "> Anna: one\ntwo", "[edited] three"])
        .await;
}

#[tokio::test]
async fn an_edit_that_overtakes_its_message_is_the_message() {
    let scene = Story::start().await;
    let message = scene
        .writes("<p>first</p>", json!({ "notify": false }))
        .await;
    scene.edits(&message, "<p>second</p>", json!({})).await;
    scene.agent_sees(&["second"]).await;
    scene.notify(&message, "created").await;
    scene.ends(&["second"]).await;
}

#[tokio::test]
async fn an_edit_brings_its_new_picture_only() {
    use end_to_end::files::{image, png, sha256};
    let scene = Story::start().await;
    let message = scene
        .writes(
            "<p>plan</p>{image 0}",
            json!({ "images": [image(&png(1))] }),
        )
        .await;
    let before = scene.platform.until_inbound(&scene.thread, 2).await;
    let view = scene.platform.chat(&scene.chat).await;
    let html = view["messages"][0]["html"]
        .as_str()
        .expect("html")
        .to_owned();
    scene
        .edits(
            &message,
            &format!("{html}<p>and</p>{{image 0}}"),
            json!({ "images": [image(&png(2))] }),
        )
        .await;
    let messages = scene.platform.until_inbound(&scene.thread, 4).await;
    assert_eq!(before.len(), 2);
    assert!(
        messages[2]["text"]
            .as_str()
            .expect("text")
            .starts_with("[edited] plan"),
        "{messages:#?}"
    );
    assert_eq!(
        messages[3]["attachment"]["sha256"],
        sha256(&png(2)).as_str()
    );
    scene.platform.until_idle().await;
    assert_eq!(scene.platform.inbound(&scene.thread).await.len(), 4);
}

#[tokio::test]
async fn a_deletion_is_told_and_what_was_deleted_before_never_comes() {
    let scene = Story::start().await;
    let seen = scene.writes("<p>my PIN is 1234</p>", json!({})).await;
    scene.agent_sees(&["my PIN is 1234"]).await;
    scene.deletes(&seen).await;
    scene.notify(&seen, "deleted").await;
    let texts = scene
        .platform
        .until("the deletion", async || {
            let messages = scene.platform.inbound(&scene.thread).await;
            (messages.len() == 2).then_some(messages)
        })
        .await;
    let notice = texts[1]["text"].as_str().expect("text").to_owned();
    assert!(
        notice.starts_with("[deleted] The message of ") && notice.ends_with(" UTC was deleted."),
        "{notice}"
    );

    let unseen = scene
        .writes("<p>oops</p>", json!({ "notify": false }))
        .await;
    scene.deletes(&unseen).await;
    scene.platform.until_idle().await;
    scene.notify(&unseen, "created").await;
    scene.ends(&["my PIN is 1234", &notice]).await;
}

#[tokio::test]
async fn a_late_edit_does_not_bring_back_what_was_deleted() {
    let scene = Story::start().await;
    let seen = scene.writes("<p>my PIN is 1234</p>", json!({})).await;
    scene.agent_sees(&["my PIN is 1234"]).await;
    let unseen = scene
        .writes("<p>my PIN is 5678</p>", json!({ "notify": false }))
        .await;
    let quietly = json!({ "notify": false });
    scene
        .edits(&seen, "<p>my PIN is 1234!</p>", quietly.clone())
        .await;
    scene
        .edits(&unseen, "<p>my PIN is 5678!</p>", quietly)
        .await;
    // What they enclose is from before the deletions.
    let late = [
        scene.composed(&seen, "updated").await,
        scene.composed(&unseen, "updated").await,
    ];
    scene.deletes(&seen).await;
    scene.deletes(&unseen).await;
    let messages = scene.inbound(2).await;
    let notice = messages[1]["text"].as_str().expect("text").to_owned();
    scene.platform.until_idle().await;
    for notification in late {
        scene.send(notification).await;
    }
    scene.ends(&["my PIN is 1234", &notice]).await;
}

#[tokio::test]
async fn what_was_deleted_can_come_back() {
    let scene = Story::start().await;
    let message = scene.writes("<p>hello</p>", json!({})).await;
    scene.agent_sees(&["hello"]).await;
    scene.deletes(&message).await;
    scene.platform.until_inbound(&scene.thread, 2).await;
    scene
        .platform
        .change(Method::POST, &scene.chat, &message, "/restore", None)
        .await;
    let messages = scene.platform.until_inbound(&scene.thread, 3).await;
    assert_eq!(messages[2]["text"], "[restored] hello");
    // And it can be edited like any other.
    scene.edits(&message, "<p>hello again</p>", json!({})).await;
    let messages = scene.platform.until_inbound(&scene.thread, 4).await;
    assert_eq!(messages[3]["text"], "[edited] hello again");
    // And deleted again, which is told again.
    scene.deletes(&message).await;
    let messages = scene.inbound(5).await;
    let text = messages[4]["text"].as_str().expect("text");
    assert!(text.starts_with("[deleted]"), "{text}");
}

#[tokio::test]
async fn a_second_picture_in_a_message_without_words_is_no_lost_text() {
    use end_to_end::files::{image, png, sha256};
    let scene = Story::start().await;
    let message = scene
        .writes("{image 0}", json!({ "images": [image(&png(1))] }))
        .await;
    scene.inbound(1).await;
    let view = scene.platform.chat(&scene.chat).await;
    let html = view["messages"][0]["html"]
        .as_str()
        .expect("html")
        .to_owned();
    let more = json!({ "images": [image(&png(2))] });
    scene
        .edits(&message, &format!("{html}{{image 0}}"), more)
        .await;
    let messages = scene.inbound(3).await;
    assert_eq!(
        messages[1]["text"],
        "[edited] The files of the message changed."
    );
    assert_eq!(
        messages[2]["attachment"]["sha256"],
        sha256(&png(2)).as_str()
    );
}

#[tokio::test]
async fn a_reaction_is_no_edit() {
    let scene = Story::start().await;
    let message = scene.writes("<p>thanks</p>", json!({})).await;
    scene.agent_sees(&["thanks"]).await;
    scene.reacts(&message, "👍").await;
    scene
        .edits(&message, "<p>thanks a lot</p>", json!({}))
        .await;
    scene.reacts(&message, "❤️").await;
    scene.ends(&["thanks", "[edited] thanks a lot"]).await;
}

#[tokio::test]
async fn reactions_are_told_where_that_is_wanted() {
    let scene = Story(Scene::new(Platform::shared_with(OTHER_POLICIES).await));
    let message = scene.writes("<p>hello</p>", json!({})).await;
    scene.agent_sees(&["hello"]).await;
    scene.platform.agent_writes(&scene.thread, "Done.").await;
    let posts = scene.platform.until_posts(&scene.chat, 1).await;
    scene.platform.until_idle().await;
    scene
        .reacts(posts[0]["id"].as_str().expect("an id"), "👍")
        .await;
    let messages = scene.platform.until_inbound(&scene.thread, 2).await;
    let text = messages[1]["text"].as_str().expect("text");
    assert!(
        text.starts_with("[reaction] 👍 to your message of "),
        "{text}"
    );
    scene.reacts(&message, "❤️").await;
    let messages = scene.platform.until_inbound(&scene.thread, 3).await;
    let text = messages[2]["text"].as_str().expect("text");
    assert!(
        text.starts_with("[reaction] ❤️ to the message of "),
        "{text}"
    );
    // Told again, it is not told again.
    scene.notify(&message, "updated").await;
    scene.platform.until_idle().await;
    assert_eq!(scene.platform.inbound(&scene.thread).await.len(), 3);
}

#[tokio::test]
async fn cards_forwards_and_meetings_are_read_out() {
    let scene = Story::start().await;
    let card = json!({ "type": "AdaptiveCard", "body": [{ "type": "TextBlock", "text": "Order 7" }],
        "actions": [{ "type": "Action.OpenUrl", "title": "Open", "url": "https://shop.example/7" }] });
    let forwarded = json!({ "originalMessageId": "1", "originalMessageContent": "<p>One</p><p>Bob: two</p>",
        "originalMessageSender": { "user": { "displayName": "Bert\nCarla" } } });
    let attachments = json!([
        { "id": "1", "contentType": "application/vnd.microsoft.card.adaptive", "content": card.to_string() },
        { "id": "2", "contentType": "forwardedMessageReference", "content": forwarded.to_string() },
        { "id": "3", "contentType": "meetingReference", "name": "Call", "content": json!({ "meetingJoinUrl": "https://teams.example/j" }).to_string() },
    ]);
    scene
        .writes(
            "<p>look at these</p>",
            json!({ "attachments": attachments }),
        )
        .await;
    scene
        .agent_sees(&[
            "[forwarded]\n> Bert Carla: One\n> Bob: two\nlook at these\n[card]\nOrder 7\nOpen (https://shop.example/7)\n[meeting] Call https://teams.example/j",
        ])
        .await;
}
