//! Pictures, files and snippets on their way from the customer to the agent.

use end_to_end::files::{file, image, pdf, png, sha256};
use end_to_end::{Platform, Scene, view};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_screenshot_and_a_document_reach_the_agent_whole() {
    let scene = Scene::new(Platform::shared().await);
    let (picture, document) = (png(5000), pdf());
    scene
        .writes(
            "<p>see here</p>{image 0}",
            json!({ "images": [image(&picture)], "files": [file("Angebot 🎉/für\u{202e}.pdf", "application/octet-stream", &document)] }),
        )
        .await;
    let messages = scene.inbound(3).await;
    assert_eq!(messages[0]["text"], "see here");
    let (size, hash, kind) = view::fetched(&messages[1]);
    assert_eq!(
        (size, hash.as_str(), kind.as_str()),
        (picture.len() as u64, sha256(&picture).as_str(), "image/png")
    );
    let attachment = &messages[1]["attachment"];
    assert_eq!(
        (
            attachment["mediaType"].as_str(),
            attachment["mime"].as_str()
        ),
        (Some("Image"), Some("image/png"))
    );
    assert_eq!(attachment["sha256"], sha256(&picture).as_str());
    let disposition = attachment["fetched"]["content_disposition"]
        .as_str()
        .unwrap_or_default();
    assert!(disposition.starts_with("inline;"), "{disposition}");

    let attachment = &messages[2]["attachment"];
    assert_eq!(attachment["mediaType"], "File");
    assert_eq!(attachment["mime"], "application/pdf");
    assert_eq!(attachment["filename"], "Angebot 🎉_für.pdf");
    assert_eq!(view::fetched(&messages[2]).1, sha256(&document));
    let disposition = attachment["fetched"]["content_disposition"]
        .as_str()
        .unwrap_or_default();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(
        disposition.ends_with("filename*=UTF-8''Angebot%20%F0%9F%8E%89_f%C3%BCr.pdf"),
        "{disposition}"
    );
    // Ids that are the same at each repetition, and different from each other.
    let ids: Vec<_> = messages
        .iter()
        .map(|message| message["channel_message_id"].clone())
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    for line in scene.platform.logs().await {
        let line = line.to_string();
        assert!(
            !line.contains("Angebot") && !line.contains("see here"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_link_opens_one_file_and_nothing_else() {
    let scene = Scene::new(Platform::shared().await);
    scene
        .writes("", json!({ "images": [image(&png(10)), image(&png(20))] }))
        .await;
    let messages = scene.inbound(2).await;
    let link = |message: &Value| {
        message["attachment"]["url"]
            .as_str()
            .expect("a link")
            .to_owned()
    };
    let (first, second) = (link(&messages[0]), link(&messages[1]));
    let (status, headers, bytes) = scene.platform.fetch(&first).await;
    assert_eq!((status, bytes), (StatusCode::OK, png(10)));
    assert_eq!(headers["content-type"], "image/png");
    let (path, query) = first.split_once('?').expect("a signature");
    let (other, _) = second.split_once('?').expect("a signature");
    assert!(
        query.contains("sp=r&") || query.ends_with("sp=r"),
        "read only: {query}"
    );
    assert!(
        query.contains("spr=https") && query.contains("sr=b"),
        "{query}"
    );
    let container = path
        .rsplit_once('/')
        .expect("a name")
        .0
        .rsplit_once('/')
        .expect("a container")
        .0;
    for refused in [
        path.to_owned(),
        format!("{other}?{query}"),
        format!("{container}?restype=container&comp=list&{query}"),
        first.replace("sig=", "sig=A"),
        // The end of the link is signed: nobody can put it off.
        first.replace("se=20", "se=21"),
    ] {
        let (status, _, body) = scene.platform.fetch(&refused).await;
        assert!(
            status.is_client_error(),
            "{status} {} for {refused}",
            String::from_utf8_lossy(&body)
        );
    }
    let ends = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("se="))
        .expect("an end");
    let ends = ends.replace("%3A", ":");
    let ends = time::OffsetDateTime::parse(&ends, &time::format_description::well_known::Rfc3339)
        .expect("a time");
    let left = ends - time::OffsetDateTime::now_utc();
    assert!(
        left <= time::Duration::hours(144) && left > time::Duration::hours(143),
        "{left}"
    );
}

#[tokio::test]
async fn ten_pictures_come_in_order() {
    let scene = Scene::new(Platform::shared().await);
    let pictures: Vec<Vec<u8>> = (0..10).map(|number| png(100 + number)).collect();
    let images: Vec<Value> = pictures.iter().map(|picture| image(picture)).collect();
    scene
        .writes("<p>ten</p>", json!({ "images": images }))
        .await;
    let messages = scene.inbound(11).await;
    assert_eq!(messages[0]["text"], "ten");
    let hashes: Vec<String> = messages[1..]
        .iter()
        .map(|message| view::fetched(message).1)
        .collect();
    let expected: Vec<String> = pictures.iter().map(|picture| sha256(picture)).collect();
    assert_eq!(hashes, expected);
}

#[tokio::test]
async fn pictures_go_on_where_a_killed_handler_stopped() {
    let scene = Scene::new(Platform::start(&[]).await);
    let pictures: Vec<Vec<u8>> = (0..4).map(|number| png(100 + number)).collect();
    let images: Vec<Value> = pictures.iter().map(|picture| image(picture)).collect();
    scene
        .writes("<p>four</p>", json!({ "images": images }))
        .await;
    scene.inbound(2).await;
    scene.platform.post("/local/handler/kill", json!({})).await;
    scene.inbound(5).await;
    scene.platform.until_idle().await;
    let messages = scene.platform.inbound(&scene.thread).await;
    let mut seen: Vec<(String, String)> = messages
        .iter()
        .map(|message| {
            let id = message["channel_message_id"].as_str().unwrap_or_default();
            (id.to_owned(), view::fetched(message).1)
        })
        .collect();
    // One crash may repeat the one message that it hit, and then under the same id.
    seen.dedup();
    let hashes: Vec<&str> = seen.iter().skip(1).map(|(_, hash)| hash.as_str()).collect();
    let expected: Vec<String> = pictures.iter().map(|picture| sha256(picture)).collect();
    assert_eq!(hashes, expected);
    assert!(messages.len() <= 6, "{messages:#?}");
}

#[tokio::test]
async fn a_file_of_25_megabytes_arrives_whole() {
    let scene = Scene::new(Platform::shared().await);
    let size = 25 * 1024 * 1024;
    scene
        .writes(
            "<p>the recording</p>",
            json!({ "files": [{ "name": "recording.bin", "content_type": "application/octet-stream", "generate": size }] }),
        )
        .await;
    let messages = scene.inbound(2).await;
    let view = scene.platform.chat(&scene.chat).await;
    let sent = view::messages(&view)
        .find_map(|message| {
            message["attachments"][0]["sha256"]
                .as_str()
                .map(str::to_owned)
        })
        .expect("the file in the chat");
    let (fetched_size, fetched_hash, _) = view::fetched(&messages[1]);
    assert_eq!((fetched_size, fetched_hash), (size, sent.clone()));
    assert_eq!(messages[1]["attachment"]["sha256"], sent.as_str());
}

#[tokio::test]
async fn a_code_snippet_is_read_out() {
    let scene = Scene::new(Platform::shared().await);
    scene
        .writes(
            "<p>this fails</p>",
            json!({ "snippet": { "language": "Rust", "code": "fn main() {\n    panic!(\"```\");\n}\n" } }),
        )
        .await;
    let messages = scene.inbound(2).await;
    assert_eq!(messages[0]["text"], "this fails");
    assert_eq!(
        messages[1]["text"],
        "````Rust\nfn main() {\n    panic!(\"```\");\n}\n````"
    );
}

/// A figure of a process's memory in KB.
#[cfg(target_os = "linux")]
fn memory(process: u64, figure: &str) -> u64 {
    std::fs::read_to_string(format!("/proc/{process}/status"))
        .expect("a living process")
        .lines()
        .find_map(|line| {
            line.strip_prefix(figure)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .expect("a figure")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_100_megabytes_needs_little_memory() {
    let scene = Scene::new(
        Platform::start(&[
            "--set",
            "ATTACHMENT_LIMIT_MB=256",
            "--set",
            "FILE_TIMEOUT_SECONDS=120",
        ])
        .await,
    );
    let size = 100 * 1024 * 1024;
    let generated = |name: &str, size: u64| json!({ "files": [{ "name": name, "content_type": "application/octet-stream", "generate": size }] });
    // Connections, tokens and keys come with the first file.
    scene.writes("", generated("small.bin", 1024)).await;
    scene.inbound(1).await;
    let instances = scene.platform.get("/local/instances").await;
    let handler = instances["instances"][0]["pid"]
        .as_u64()
        .expect("a process");
    let before = memory(handler, "VmRSS:");
    std::fs::write(format!("/proc/{handler}/clear_refs"), "5").expect("the peak starts anew");
    scene.writes("", generated("large.bin", size)).await;
    let messages = scene.inbound(2).await;
    let text = messages[1]["text"].as_str().expect("a line");
    assert!(
        text.starts_with("[file] large.bin (100 MB)\nhttps://"),
        "{text}"
    );
    let growth = memory(handler, "VmHWM:").saturating_sub(before);
    assert!(growth < 32 * 1024, "grew by {growth} KB");
    let (_, _, bytes) = scene
        .platform
        .fetch(text.lines().nth(1).expect("a link"))
        .await;
    let view = scene.platform.chat(&scene.chat).await;
    let sent = view::messages(&view)
        .filter_map(|message| message["attachments"][0]["sha256"].as_str())
        .last()
        .expect("the file in the chat");
    assert_eq!(sha256(&bytes), sent);
}
