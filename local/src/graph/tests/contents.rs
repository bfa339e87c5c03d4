use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// The start of a PNG of 3 by 5 pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x05";

fn path_of(url: &str) -> String {
    let path = url.strip_prefix("https://127.0.0.1:9").expect("on Graph");
    path.to_owned()
}

#[tokio::test]
async fn an_image_stands_in_the_body_and_can_be_fetched() {
    let caller = Caller::new().await;
    let id = caller
        .writes(json!({ "html": "<p>see {image 1}</p>", "images": [
            { "content_type": "image/gif", "generate": 70_000 },
            { "content_type": "image/png", "base64": STANDARD.encode(PNG), "alt": "a \"plan\"" },
        ] }))
        .await;
    let view = caller.view().await;
    let images = view[1]["images"].as_array().expect("images");
    let (drawn, plan) = (&images[0], &images[1]);
    let address = |image: &Value| {
        let image = image["id"].as_str().expect("an id");
        format!(
            "https://127.0.0.1:9/v1.0/chats/19:anna_support@unq.gbl.spaces/messages/{id}/hostedContents/{image}/$value"
        )
    };
    let tag = |image: &Value, alt: &str, width: u32, height: u32| {
        format!(
            "<img alt=\"{alt}\" src=\"{}\" itemid=\"{}\" width=\"{width}\" height=\"{height}\">",
            address(image),
            image["id"].as_str().expect("an id")
        )
    };
    assert_eq!(
        caller.shown(&id)["body"]["content"],
        format!(
            "<p>see {}</p><p>{}</p>",
            tag(plan, "a &quot;plan&quot;", 3, 5),
            tag(drawn, "image", 250, 250)
        )
    );
    let (status, headers, bytes) = caller.bytes(&path_of(&address(plan))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "image/png");
    assert!(headers.contains_key("request-id"));
    assert_eq!(bytes, PNG);
    let (_, headers, bytes) = caller.bytes(&path_of(&address(drawn))).await;
    assert_eq!(headers["content-length"], "70000");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let digest = crate::shared::content::hexadecimal(digest.as_ref());
    assert_eq!(
        (&drawn["sha256"], &drawn["size"]),
        (&json!(digest), &json!(70_000))
    );
    assert_eq!(drawn["content_type"], "image/gif");
    let path = drawn["path"].as_str().expect("a path");
    let (status, headers, same) = fetch(caller.graph.control(), path, None).await;
    assert_eq!((status, same), (StatusCode::OK, bytes));
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
}

#[tokio::test]
async fn hosted_contents_are_only_for_those_who_may_read_the_chat() {
    let caller = Caller::new().await;
    let id = caller
        .writes(json!({ "html": "", "images": [{ "content_type": "image/png", "generate": 1 }] }))
        .await;
    let image = caller.view().await[1]["images"][0]["id"].clone();
    let image = image.as_str().expect("an id");
    let path = format!("{CHAT}/messages/{id}/hostedContents/{image}/$value");
    let stranger = token(
        &caller.graph.entra,
        "0f0e0d0c-0000-4000-8000-0000000000ff",
        "Chat.Read",
    );
    let sender = token(
        &caller.graph.entra,
        &caller.graph.world.config.support_accounts[0].user,
        "ChatMessage.Send Files.Read.All",
    );
    for (token, status) in [("nonsense", 401), (&stranger, 403), (&sender, 403)] {
        assert_eq!(caller.call_as(token, "GET", &path, None).await.0, status);
    }
    let unknown = format!("{CHAT}/messages/{id}/hostedContents/x/$value");
    assert_eq!(caller.bytes(&unknown).await.0, StatusCode::NOT_FOUND);
    let elsewhere = format!("{CHAT}/messages/1/hostedContents/{image}/$value");
    assert_eq!(caller.bytes(&elsewhere).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn hosted_contents_are_throttled_for_each_chat() {
    let caller = Caller::new().await;
    let path = format!("{CHAT}/messages/1/hostedContents/x/$value");
    let mut last = HeaderMap::new();
    for _ in 0..5 {
        last = caller.bytes(&path).await.1;
    }
    assert_eq!(last["retry-after"], "1");
}

#[tokio::test]
async fn a_snippets_code_is_a_hosted_content() {
    let caller = Caller::new().await;
    let id = caller
        .writes(json!({ "html": "<p>look</p>", "snippet": { "language": "Rust", "code": "fn a() {}" } }))
        .await;
    let message = caller.shown(&id);
    let snippet = &message["attachments"][0];
    assert_eq!(
        snippet["contentType"],
        "application/vnd.microsoft.card.codesnippet"
    );
    let marker = snippet["id"].as_str().expect("an id");
    assert_eq!(
        message["body"]["content"],
        format!("<p>look</p><attachment id=\"{marker}\"></attachment>")
    );
    let content: Value =
        serde_json::from_str(snippet["content"].as_str().expect("text")).expect("JSON");
    assert_eq!(content["language"], "Rust");
    let url = content["codeSnippetUrl"].as_str().expect("an address");
    let (status, headers, bytes) = caller.bytes(&path_of(url)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/plain");
    assert_eq!(bytes, "fn a() {}");
    let view = caller.view().await;
    assert_eq!(view[1]["images"], json!([]), "code is no image");
    let path = view[1]["attachments"][0]["path"].as_str().expect("a path");
    assert_eq!(
        fetch(caller.graph.control(), path, None).await.2,
        "fn a() {}"
    );
}

#[tokio::test]
async fn an_answer_quotes_messages_in_front() {
    let caller = Caller::new().await;
    let first = caller.view().await[0]["id"].clone();
    let long = format!("<p>{} &amp; more</p>", "x".repeat(200));
    let second = caller.writes(json!({ "html": long })).await;
    let first = first.as_str().expect("an id");
    let id = caller
        .writes(json!({ "html": "<p>yes</p>", "reply_to": [first, second] }))
        .await;
    let message = caller.shown(&id);
    assert_eq!(
        message["body"]["content"],
        format!(
            "<attachment id=\"{first}\"></attachment><attachment id=\"{second}\"></attachment><p>yes</p>"
        )
    );
    assert_eq!(message["replyToId"], Value::Null);
    let quotations = message["attachments"].as_array().expect("attachments");
    let contents: Vec<Value> = quotations
        .iter()
        .map(|it| serde_json::from_str(it["content"].as_str().expect("text")).expect("JSON"))
        .collect();
    assert_eq!(quotations[0]["contentType"], "messageReference");
    assert_eq!(quotations[0]["id"], first);
    assert_eq!(contents[0]["messageId"], first);
    assert_eq!(contents[0]["messagePreview"], "hello");
    assert_eq!(contents[0]["messageSender"]["user"]["displayName"], "Anna");
    assert_eq!(contents[1]["messagePreview"], "x".repeat(100));
}

#[tokio::test]
async fn other_attachments_are_shown_as_they_are() {
    let caller = Caller::new().await;
    let card = json!({ "id": "c-1", "contentType": "application/vnd.microsoft.card.adaptive",
        "content": "{\"type\":\"AdaptiveCard\"}" });
    let meeting = json!({ "contentType": "meetingReference", "content": "{}" });
    let id = caller
        .writes(json!({ "html": "<p>x</p>", "attachments": [card, meeting] }))
        .await;
    let message = caller.shown(&id);
    assert_eq!(message["attachments"][0]["content"], card["content"]);
    assert_eq!(message["attachments"][0]["contentUrl"], Value::Null);
    let given = message["attachments"][1]["id"].as_str().expect("an id");
    assert_eq!(
        message["body"]["content"],
        format!(
            "<p>x</p><attachment id=\"c-1\"></attachment><attachment id=\"{given}\"></attachment>"
        )
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_refused() {
    let caller = Caller::new().await;
    for extra in [
        json!({ "images": [{ "content_type": "image/png" }] }),
        json!({ "images": [{ "content_type": "image/png", "base64": "*" }] }),
        json!({ "images": [{ "content_type": "png", "generate": 1 }] }),
        json!({ "files": [{ "name": "", "content_type": "a/b", "generate": 1 }] }),
        json!({ "files": [{ "name": "a", "content_type": "a/b", "generate": 1, "behaviour": "redirect" }] }),
        json!({ "reply_to": ["1"] }),
        json!({ "attachments": ["x"] }),
    ] {
        let mut message = extra.clone();
        message["html"] = json!("<p>x</p>");
        message["from"] = anna();
        let (status, answer) = caller.control("POST", WRITE, Some(message)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{extra}");
        assert!(answer["error"].is_string());
    }
    assert_eq!(caller.view().await.len(), 1, "nothing was written");
}

#[tokio::test]
async fn a_request_may_hold_a_large_file() {
    let caller = Caller::new().await;
    let bytes = vec![7; 25 * 1024 * 1024];
    let base64 = STANDARD.encode(&bytes);
    caller
        .writes(json!({ "html": "", "files": [
            { "name": "a.bin", "content_type": "application/octet-stream", "base64": base64 }] }))
        .await;
    let view = caller.view().await;
    assert_eq!(view[1]["attachments"][0]["size"], bytes.len());
}
