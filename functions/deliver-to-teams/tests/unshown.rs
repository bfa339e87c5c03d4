//! What Teams cannot show of an agent's message: never called delivered, with all outside services in memory.

use serde_json::json;
use time::OffsetDateTime;

use super::Scene;
use crate::testing::{agents_message, posts};

#[tokio::test]
async fn a_message_of_which_a_part_cannot_be_shown_is_never_called_delivered() {
    let scene = Scene::start().await;
    let content = json!([
        { "contentType": "Card", "card": { "title": "Your booking" } },
        { "contentType": "Hologram", "hologram": { "shape": 7 } },
    ]);
    let fields = json!({ "type": "Structured", "content": content });
    let message = agents_message("g-1", OffsetDateTime::now_utc(), fields);
    scene.agent_writes(message.to_string().as_bytes()).await;
    let posts = posts(&scene.world);
    let shown = posts[0].as_str().expect("a text");
    assert!(
        shown.starts_with("hello<br>Your booking") && shown.contains("[Hologram]"),
        "{shown}"
    );
    let receipts = scene.receipts();
    assert_eq!(receipts[0]["code"], "UnsupportedMessage", "{receipts:?}");
}

#[tokio::test]
async fn a_link_shows_its_name_or_where_it_leads() {
    for (name, url, shown) in [
        (
            None,
            "https://x.example/my page",
            r#"📎 <a href="https://x.example/my%20page">https://x.example/my%20page</a>"#,
        ),
        (
            Some("Page"),
            "https://x.example/page",
            r#"📎 <a href="https://x.example/page">Page</a>"#,
        ),
        (None, "myapp://open?id=1", "📎 myapp://open?id=1"),
        (Some("Call us"), "tel:+49 30 1", "📎 Call us: +49 30 1"),
        (Some("Go"), "javascript:alert(1)", ""),
    ] {
        let scene = Scene::start().await;
        let link = json!({ "mediaType": "Link", "url": url, "filename": name });
        let content = json!([{ "contentType": "Attachment", "attachment": link }]);
        let fields = json!({ "type": "Structured", "text": "", "content": content });
        let message = agents_message("g-1", OffsetDateTime::now_utc(), fields);
        scene.agent_writes(message.to_string().as_bytes()).await;
        let posts = posts(&scene.world);
        let is_shown = !shown.is_empty();
        assert_eq!(posts.len(), usize::from(is_shown), "{url}: {posts:?}");
        assert!(posts.iter().all(|post| post == shown), "{posts:?}");
        // What cannot be shown is never called delivered.
        assert_eq!(scene.receipts()[0]["code"].is_null(), is_shown, "{url}");
    }
}
