//! Pictures and files on their way from the agent to the customer.

use end_to_end::files::{file, pdf, png, sha256};
use end_to_end::platform::{SHORT_POSTS, STRICT_FILES};
use end_to_end::{Platform, Scene};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn html(post: &Value) -> &str {
    post["html"].as_str().unwrap_or_default()
}

/// The address of the only link.
fn link(post: &Value) -> String {
    let html = html(post);
    let (_, rest) = html.split_once("href=\"").expect("a link");
    let (address, _) = rest.split_once('"').expect("an address");
    address.replace("&amp;", "&")
}

#[tokio::test]
async fn a_picture_is_shown_and_a_document_is_linked() {
    let scene = Scene::begun(Platform::shared().await).await;
    let picture = png(3000);
    let sent = scene
        .agent_sends(
            json!({ "text": "This way", "attachment": file("way.png", "image/png", &picture) }),
        )
        .await;
    let posts = scene.posts(2).await;
    assert!(html(&posts[0]).contains("This way"));
    assert_eq!(posts[1]["images"][0]["sha256"], sha256(&picture).as_str());
    assert_eq!(scene.platform.until_receipt(&sent).await, ["Delivered"]);

    let sent = scene
        .agent_sends(
            json!({ "attachment": file("Angebot <1> für\u{202e}.pdf", "application/pdf", &pdf()) }),
        )
        .await;
    let posts = scene.posts(3).await;
    let shown = html(&posts[2]);
    assert!(
        shown.contains("Angebot _1_ für.pdf</a>") && shown.contains(" bytes, until "),
        "{shown}"
    );
    let (status, headers, bytes) = scene.platform.fetch(&link(&posts[2])).await;
    assert_eq!((status, bytes), (StatusCode::OK, pdf()));
    assert_eq!(headers["content-type"], "application/pdf");
    assert!(
        headers["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("attachment;")
    );
    assert_eq!(scene.platform.until_receipt(&sent).await, ["Delivered"]);
    scene.platform.until_idle().await;
    // Neither came back to the agent.
    assert_eq!(scene.platform.inbound(&scene.thread).await.len(), 1);
}

#[tokio::test]
async fn large_pictures_and_files_are_linked_whole() {
    let scene = Scene::begun(Platform::shared().await).await;
    let picture = png(5 * 1024 * 1024);
    scene
        .agent_sends(json!({ "attachment": file("large.png", "image/png", &picture) }))
        .await;
    let posts = scene.posts(1).await;
    assert!(
        html(&posts[0]).contains("large.png</a> (5.0 MB, until "),
        "{}",
        html(&posts[0])
    );
    let (_, _, bytes) = scene.platform.fetch(&link(&posts[0])).await;
    assert_eq!(sha256(&bytes), sha256(&picture));

    let size = 25 * 1024 * 1024;
    let large =
        json!({ "name": "log.bin", "content_type": "application/octet-stream", "generate": size });
    let sent = scene.agent_sends(json!({ "attachment": large })).await;
    let posts = scene.posts(2).await;
    let (_, _, bytes) = scene.platform.fetch(&link(&posts[1])).await;
    assert_eq!(bytes.len(), size);
    let (status, _, original) = scene
        .platform
        .fetch(&format!("/local/genesys/media/{sent}"))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(sha256(&bytes), sha256(&original));
}

#[tokio::test]
async fn a_file_that_the_customer_cannot_get_fails_with_its_code() {
    let scene = Scene::begun(Platform::shared_with(STRICT_FILES).await).await;
    let with = |more: Value| {
        let mut file = file("a.pdf", "application/pdf", &pdf());
        for (name, value) in more.as_object().into_iter().flatten() {
            file[name] = value.clone();
        }
        json!({ "text": "here", "attachment": file })
    };
    let large = json!({ "name": "a.bin", "content_type": "application/octet-stream", "generate": 1024 * 1024 + 1 });
    for (message, code) in [
        (
            with(json!({ "behaviour": "missing" })),
            "Failed:GeneralError",
        ),
        (
            with(json!({ "behaviour": "redirect", "redirect_to": "https://169.254.169.254/" })),
            "Failed:GeneralError",
        ),
        (
            with(json!({ "behaviour": "redirect", "redirect_to": "https://localhost/" })),
            "Failed:GeneralError",
        ),
        (
            json!({ "attachment": large }),
            "Failed:InvalidMediaContentLength",
        ),
        (
            json!({ "attachment": file("empty.txt", "text/plain", b"") }),
            "Failed:InvalidMediaContentLength",
        ),
        (
            json!({ "attachment": file("a.pdf", "application/pdf", b"<!DOCTYPE html><html><body>sign in</body></html>") }),
            "Failed:MediaTypeNotAllowed",
        ),
    ] {
        let sent = scene.agent_sends(message).await;
        assert_eq!(scene.platform.until_receipt(&sent).await, [code]);
    }
    // Nothing of them is in the chat, and what comes next is not held up.
    scene.agent_sends(json!({ "text": "sorry" })).await;
    let posts = scene.posts(1).await;
    assert_eq!(posts.len(), 1);
    assert!(html(&posts[0]).contains("sorry"));
    assert_eq!(scene.platform.failed().await.len(), 6);
}

#[tokio::test]
async fn a_late_file_goes_as_its_own_link() {
    let scene = Scene::begun(Platform::shared_with(STRICT_FILES).await).await;
    for behaviour in ["slow", "stops_half_way"] {
        let mut late = file("a.pdf", "application/pdf", &pdf());
        late["behaviour"] = json!(behaviour);
        let sent = scene.agent_sends(json!({ "attachment": late })).await;
        assert_eq!(scene.platform.until_receipt(&sent).await, ["Delivered"]);
    }
    let posts = scene.posts(2).await;
    for post in &posts {
        assert!(link(post).contains("/api/v2/downloads/"), "{}", html(post));
    }
}

#[tokio::test]
async fn a_picture_whose_answer_was_lost_is_posted_once() {
    let scene = Scene::begun(Platform::shared_with(SHORT_POSTS).await).await;
    scene
        .platform
        .faults(
            json!([{ "service": "graph", "path": scene.chat.id, "body": "hostedContents", "drop": "after", "times": 1 }]),
        )
        .await;
    let sent = scene
        .agent_sends(json!({ "attachment": file("way.png", "image/png", &png(100)) }))
        .await;
    assert_eq!(scene.platform.until_receipt(&sent).await, ["Delivered"]);
    scene.platform.until_idle().await;
    let posts = scene.posts(1).await;
    assert_eq!(posts.len(), 1, "{posts:#?}");
}

#[tokio::test]
async fn words_lists_and_code_look_as_written() {
    let scene = Scene::begun(Platform::shared().await).await;
    scene
        .agent_sends(json!({ "text": "Do this:\n- open it\n- close it\n```sh\nls <dir> && echo \"https://x.example\"\n```\nor see https://help.example/a?b=1&c=2" }))
        .await;
    let posts = scene.posts(1).await;
    let shown = html(&posts[0]);
    for expected in [
        "<ul><li>open it</li><li>close it</li></ul>",
        "<codeblock class=\"sh\"><code>ls&nbsp;&lt;dir&gt;",
        "href=\"https://help.example/a?b=1&amp;c=2\"",
    ] {
        assert!(
            shown
                .replace("&nbsp;", " ")
                .contains(&expected.replace("&nbsp;", " ")),
            "{expected} in {shown}"
        );
    }
    assert!(
        !shown.contains("href=\"https://x.example"),
        "no links in code: {shown}"
    );
}
