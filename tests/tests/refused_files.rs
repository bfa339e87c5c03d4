//! Files that are not what they should be, or not to be had.

use end_to_end::files::{file, image, pdf, png, sha256};
use end_to_end::platform::STRICT_FILES;
use end_to_end::{Platform, Scene, view};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Longer than a host takes to break off half way.
const PATIENT: &[&str] = &["--set", "FILE_TIMEOUT_SECONDS=15"];

#[tokio::test]
async fn files_that_cannot_be_fetched_become_a_line_and_hold_up_nothing() {
    let scene = Scene::new(Platform::start(&[STRICT_FILES, PATIENT].concat()).await);
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
    let scene = Scene::new(Platform::shared_with(STRICT_FILES).await);
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
    assert_eq!(view::fetched(&messages[2]).1, sha256(b"only words"));
}

#[tokio::test]
async fn graph_s_trouble_delays_a_picture_and_loses_nothing() {
    let scene = Scene::new(Platform::shared().await);
    scene
        .platform
        .faults(
            json!([{ "service": "graph", "path": "hostedContents", "match": scene.chat.id, "status": 503, "times": 3 }]),
        )
        .await;
    let picture = png(50);
    scene
        .writes("<p>look</p>", json!({ "images": [image(&picture)] }))
        .await;
    let messages = scene.inbound(2).await;
    assert_eq!(messages[0]["text"], "look");
    assert_eq!(view::fetched(&messages[1]).1, sha256(&picture));
}

#[tokio::test]
async fn a_picture_that_graph_keeps_refusing_is_given_up_and_its_message_is_not() {
    let scene = Scene::new(
        Platform::start(&[
            "--set",
            "RETRY_FLOOR_SECONDS=0",
            "--set",
            "FILE_TIMEOUT_SECONDS=5",
        ])
        .await,
    );
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

#[tokio::test]
async fn a_file_that_graph_refuses_like_a_bad_token_holds_up_nothing() {
    let scene = Scene::new(Platform::start(&[]).await);
    scene
        .platform
        .faults(json!([{ "service": "graph", "match": "/shares/", "status": 401 }]))
        .await;
    scene
        .writes(
            "<p>see</p>",
            json!({ "files": [file("theirs.pdf", "application/pdf", &pdf())] }),
        )
        .await;
    scene.writes("<p>and this</p>", json!({})).await;
    let messages = scene.inbound(3).await;
    let text = messages[1]["text"].as_str().expect("a line");
    assert!(text.contains("not shared with our support"), "{text}");
    assert_eq!(messages[2]["text"], "and this");
}

#[tokio::test]
async fn code_that_begins_like_a_page_is_code() {
    let scene = Scene::new(Platform::shared().await);
    let snippet =
        json!({ "snippet": { "language": "HTML", "code": "<!DOCTYPE html>\n<html></html>" } });
    scene.writes("", snippet).await;
    let messages = scene.inbound(1).await;
    assert_eq!(
        messages[0]["text"],
        "```HTML\n<!DOCTYPE html>\n<html></html>\n```"
    );
}

#[tokio::test]
async fn a_file_that_genesys_refuses_goes_as_a_link() {
    let scene = Scene::new(Platform::shared().await);
    scene
        .platform
        .faults(json!([{ "service": "genesys", "match": scene.thread, "body": "mediaType", "status": 400 }]))
        .await;
    scene
        .writes(
            "<p>see</p>",
            json!({ "files": [file("a.pdf", "application/pdf", &pdf())] }),
        )
        .await;
    let messages = scene.inbound(2).await;
    let text = messages[1]["text"].as_str().expect("a line");
    assert!(text.starts_with("[file] a.pdf\nhttps://"), "{text}");
    let link = text.lines().nth(1).expect("a link");
    assert_eq!(scene.platform.fetch(link).await.2, pdf());
    assert_eq!(scene.platform.failed().await, Vec::<Value>::new());
}
