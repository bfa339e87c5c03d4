//! Payloads as they are, which the control interface takes for whoever wants to see what the bridge makes of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::files::{fetched, png, sha256};
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

#[tokio::test]
async fn a_given_message_is_delivered_as_it_is_changed_and_deleted() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let (id, created) = ("1767323045678", "2026-01-02T03:04:05.678Z");
    let chat = &anna.chat;
    let address = format!(
        "https://graph.microsoft.com/v1.0/chats/{chat}/messages/{id}/hostedContents/aWQ9MQ/$value"
    );
    let picture = json!({ "id": "aWQ9MQ", "contentType": "image/png", "contentBytes": STANDARD.encode(png(1)) });
    let message = |html: &str, edited: Value, deleted: Value| {
        json!({ "id": id, "createdDateTime": created,
        "lastEditedDateTime": edited, "deletedDateTime": deleted, "importance": "high", "odd": [5],
        "body": { "contentType": "html", "content": format!("{html}<img src=\"{address}\">") },
        "hostedContents": [picture] })
    };
    let first = message("<p>My <em>own</em> payload</p>", Value::Null, Value::Null);
    // The chat does not exist yet.
    assert_eq!(anna.gives(first, json!({})).await, id);
    let messages = anna.until_inbound(2).await;
    assert_eq!(messages[0]["text"], "[important] My own payload");
    assert_eq!(messages[0]["channel_message_id"], id);
    assert_eq!(messages[0]["time"], created);
    assert_eq!(fetched(&messages[1]), sha256(&png(1)));

    let edited = message("<p>Another</p>", json!("2026-01-02T04:00:00Z"), Value::Null);
    anna.gives(edited, json!({ "change": "updated" })).await;
    let messages = anna.until_inbound(3).await;
    assert_eq!(messages[2]["text"], "[edited] [important] Another");
    let deleted = message("", Value::Null, json!("2026-01-02T05:00:00Z"));
    anna.gives(deleted, json!({ "change": "deleted" })).await;
    let messages = anna.until_inbound(4).await;
    let notice = view::text(&messages[3], "text");
    assert!(notice.starts_with("[deleted] "), "{notice}");
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_given_webhook_is_signed_delivered_and_receipted() {
    let platform = Platform::shared().await;
    let anna = Talk::begun(&platform, "Anna").await;
    let webhook = json!({ "type": "Structured", "text": "Your parcel", "conversationId": 5,
        "content": [{ "contentType": "Unheard", "unheard": [] }], "channel": { "platform": "Open" } });
    let id = anna.genesys_sends(webhook).await;
    assert!(
        anna.until_posts(1).await[0]["html"]
            .as_str()
            .is_some_and(|html| html.contains("Your parcel"))
    );
    assert_eq!(platform.until_receipt(&id).await.len(), 1);

    // Refused for now, it comes again like an agent's message.
    let refused = json!({ "service": "genesys-webhook", "body": anna.thread, "drop": "before" });
    platform.faults(json!([refused])).await;
    let webhook = json!({ "id": "given-1", "text": "Look here" });
    assert_eq!(anna.genesys_sends(webhook.clone()).await, "given-1");
    platform.faults(json!([])).await;
    assert_eq!(platform.until_receipt("given-1").await, ["Delivered"]);
    // The same id once more is the same message.
    anna.genesys_sends(webhook).await;
    platform.until_idle().await;
    anna.agent_writes("Bye").await;
    let posts = anna.until_posts(3).await;
    let last: Vec<String> = posts[1..]
        .iter()
        .map(|post| view::plain(view::text(post, "html")))
        .collect();
    assert_eq!(last, ["Look here", "Bye"]);
}
