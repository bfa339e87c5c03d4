//! Pictures, files and snippets on their way from the customer to the agent.

use end_to_end::files::{file, image, pdf, png, sha256};
use end_to_end::platform::thread_of;
use end_to_end::{Chat, Customer, Platform, view};
use reqwest::StatusCode;
use serde_json::{Value, json};

struct Scene {
    platform: Platform,
    anna: Customer,
    chat: Chat,
    thread: String,
}

impl Scene {
    async fn start(arguments: &[&str]) -> Self {
        let anna = Customer::new("Anna");
        Self {
            platform: Platform::start(arguments).await,
            chat: Chat::one_on_one(&anna),
            thread: thread_of(&anna),
            anna,
        }
    }

    async fn writes(&self, html: &str, more: Value) -> String {
        self.platform
            .customer_writes_with(&self.chat, &self.anna, html, more)
            .await
    }

    async fn inbound(&self, count: usize) -> Vec<Value> {
        self.platform.until_inbound(&self.thread, count).await
    }
}

/// What Genesys got when it fetched an attachment.
fn fetched(message: &Value) -> (u64, String, String) {
    let fetched = &message["attachment"]["fetched"];
    (
        fetched["size"].as_u64().unwrap_or_default(),
        fetched["sha256"].as_str().unwrap_or_default().to_owned(),
        fetched["content_type"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test]
async fn a_screenshot_and_a_document_reach_the_agent_whole() {
    let scene = Scene::start(&[]).await;
    let (picture, document) = (png(5000), pdf());
    scene
        .writes(
            "<p>see here</p>{image 0}",
            json!({ "images": [image(&picture)], "files": [file("Angebot 🎉/für\u{202e}.pdf", "application/octet-stream", &document)] }),
        )
        .await;
    let messages = scene.inbound(3).await;
    assert_eq!(messages[0]["text"], "see here");
    let (size, hash, kind) = fetched(&messages[1]);
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
    assert_eq!(fetched(&messages[2]).1, sha256(&document));
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
    let scene = Scene::start(&[]).await;
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
    let scene = Scene::start(&[]).await;
    let pictures: Vec<Vec<u8>> = (0..10).map(|number| png(100 + number)).collect();
    let images: Vec<Value> = pictures.iter().map(|picture| image(picture)).collect();
    scene
        .writes("<p>ten</p>", json!({ "images": images }))
        .await;
    let messages = scene.inbound(11).await;
    assert_eq!(messages[0]["text"], "ten");
    let hashes: Vec<String> = messages[1..]
        .iter()
        .map(|message| fetched(message).1)
        .collect();
    let expected: Vec<String> = pictures.iter().map(|picture| sha256(picture)).collect();
    assert_eq!(hashes, expected);
}

#[tokio::test]
async fn pictures_go_on_where_a_killed_handler_stopped() {
    let scene = Scene::start(&[]).await;
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
            (id.to_owned(), fetched(message).1)
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
async fn files_that_cannot_be_fetched_become_a_line_and_hold_up_nothing() {
    let scene = Scene::start(&[
        "--set",
        "FILE_TIMEOUT_SECONDS=15",
        "--set",
        "FILE_HOSTS=localhost,*.sharepoint.com",
        "--set",
        "ATTACHMENT_LIMIT_MB=1",
    ])
    .await;
    let with = |name: &str, more: Value| {
        let mut file = file(name, "application/pdf", &pdf());
        for (key, value) in more.as_object().into_iter().flatten() {
            file[key] = value.clone();
        }
        file
    };
    let files = json!([
        with("theirs.pdf", json!({ "owner": "other_tenant" })),
        with("gone.pdf", json!({ "behaviour": "missing" })),
        with("infected.pdf", json!({ "behaviour": "virus" })),
        with(
            "metadata.pdf",
            json!({ "behaviour": "redirect", "redirect_to": "https://169.254.169.254/metadata/identity/oauth2/token" })
        ),
        with(
            "inside.pdf",
            json!({ "behaviour": "redirect", "redirect_to": "https://127.0.0.1:1/x" })
        ),
        with(
            "named.pdf",
            json!({ "behaviour": "redirect", "redirect_to": "https://localhost/x" })
        ),
        json!({ "name": "large.bin", "content_type": "application/octet-stream", "generate": 1024 * 1024 + 1 }),
        file("empty.txt", "text/plain", b""),
        with("half.pdf", json!({ "behaviour": "stops_half_way" })),
    ]);
    scene
        .writes("<p>my files</p>", json!({ "files": files }))
        .await;
    scene.writes("<p>still there?</p>", json!({})).await;
    let messages = scene.inbound(11).await;
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert_eq!(texts[0], "my files");
    for (text, (name, reason)) in texts[1..10].iter().zip([
        ("theirs.pdf", "not shared with our support"),
        ("gone.pdf", "does not exist any more"),
        ("infected.pdf", "a web page instead"),
        ("metadata.pdf", "not taken from its address"),
        ("inside.pdf", "not taken from its address"),
        ("named.pdf", "not taken from its address"),
        ("large.bin", "larger than 1.0 MB"),
        ("empty.txt", "empty (0 bytes)"),
        ("half.pdf", "did not answer properly"),
    ]) {
        assert!(
            text.starts_with(&format!("[file] {name} https://")) && text.contains(reason),
            "{name}: {text}"
        );
    }
    assert_eq!(texts[10], "still there?");
    assert_eq!(scene.platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_a_file_claims_to_be_does_not_matter() {
    let scene = Scene::start(&["--set", "GENESYS_MEDIA_TYPES=image/*,text/*"]).await;
    let program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".repeat(8);
    let long = format!("{}.txt", "n".repeat(300));
    scene
        .writes(
            "",
            json!({ "files": [
                file("holiday.jpg", "image/jpeg", &program),
                file(&long, "image/png", b"only words"),
                file("fine.txt", "text/plain; charset=utf-8", b"only words"),
            ] }),
        )
        .await;
    let messages = scene.inbound(3).await;
    // A program is no picture, and outside the list of types: a link, and nothing that a browser would run.
    let text = messages[0]["text"].as_str().expect("a line");
    assert!(
        text.starts_with("[file] holiday.jpg (128 bytes)\nhttps://"),
        "{text}"
    );
    let (status, headers, bytes) = scene
        .platform
        .fetch(text.lines().nth(1).expect("a link"))
        .await;
    assert_eq!((status, bytes), (StatusCode::OK, program));
    assert_eq!(
        headers["content-type"],
        "application/vnd.microsoft.portable-executable"
    );
    assert!(
        headers["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("attachment;")
    );
    // Words under a picture's type are bytes of which nothing is known.
    let text = messages[1]["text"].as_str().expect("a line");
    let name = text
        .strip_prefix("[file] ")
        .and_then(|rest| rest.split(" (").next())
        .expect("a name");
    assert!(
        name.ends_with("….txt") && name.chars().count() == 120,
        "{name}"
    );
    assert_eq!(messages[2]["attachment"]["mime"], "text/plain");
    assert_eq!(fetched(&messages[2]).1, sha256(b"only words"));
}

#[tokio::test]
async fn a_file_of_25_megabytes_arrives_whole() {
    let scene = Scene::start(&[]).await;
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
    let (fetched_size, fetched_hash, _) = fetched(&messages[1]);
    assert_eq!((fetched_size, fetched_hash), (size, sent.clone()));
    assert_eq!(messages[1]["attachment"]["sha256"], sent.as_str());
}

#[tokio::test]
async fn a_code_snippet_is_read_out() {
    let scene = Scene::start(&[]).await;
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

#[tokio::test]
async fn graph_s_trouble_delays_a_picture_and_loses_nothing() {
    let scene = Scene::start(&["--set", "RETRY_FLOOR_SECONDS=0"]).await;
    scene
        .platform
        .faults(
            json!([{ "service": "graph", "match": "hostedContents", "status": 503, "times": 3 }]),
        )
        .await;
    let picture = png(50);
    scene
        .writes("<p>look</p>", json!({ "images": [image(&picture)] }))
        .await;
    let messages = scene.inbound(2).await;
    assert_eq!(messages[0]["text"], "look");
    assert_eq!(fetched(&messages[1]).1, sha256(&picture));
}

#[tokio::test]
async fn a_picture_that_graph_keeps_refusing_is_given_up_and_its_message_is_not() {
    let scene = Scene::start(&[
        "--set",
        "RETRY_FLOOR_SECONDS=0",
        "--set",
        "FAILING_MESSAGE_SECONDS=2",
    ])
    .await;
    scene
        .platform
        .faults(json!([{ "service": "graph", "match": "hostedContents", "status": 503 }]))
        .await;
    scene
        .writes("<p>look</p>", json!({ "images": [image(&png(50))] }))
        .await;
    scene.writes("<p>and this</p>", json!({})).await;
    let messages = scene.inbound(3).await;
    assert_eq!(messages[0]["text"], "look");
    let text = messages[1]["text"].as_str().expect("a line");
    assert!(
        text.starts_with("[image] It could not be fetched"),
        "{text}"
    );
    assert_eq!(messages[2]["text"], "and this");
    assert_eq!(scene.platform.failed().await, Vec::<Value>::new());
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
    let scene = Scene::start(&[
        "--set",
        "ATTACHMENT_LIMIT_MB=256",
        "--set",
        "FILE_TIMEOUT_SECONDS=120",
    ])
    .await;
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
