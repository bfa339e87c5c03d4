//! Pictures and files on their way from the agent to the customer.

use end_to_end::files::{PDF, file, generated, png, sha256};
use end_to_end::platform::{IMPATIENT, STRICT_FILES};
use end_to_end::{Platform, Talk, view, with};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn html(post: &Value) -> &str {
    view::text(post, "html")
}

/// The address of the only link.
fn link(post: &Value) -> String {
    let (_, rest) = html(post).split_once("href=\"").expect("a link");
    let (address, _) = rest.split_once('"').expect("an address");
    address.replace("&amp;", "&")
}

#[tokio::test]
async fn a_picture_is_shown_and_a_document_is_linked() {
    let platform = Platform::shared().await;
    let anna = Talk::begun(&platform, "Anna").await;
    let picture = png(3000);
    let way = file("way.png", "image/png", &picture);
    let way = json!({ "text": "This way", "attachment": way });
    let sent = anna.agent_sends(way).await;
    let posts = anna.until_posts(2).await;
    assert!(html(&posts[0]).contains("This way"));
    assert_eq!(posts[1]["images"][0]["sha256"], sha256(&picture).as_str());
    assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);

    let offer = file("Angebot <1> für\u{202e}.pdf", "application/pdf", PDF);
    let sent = anna.agent_sends(json!({ "attachment": offer })).await;
    let posts = anna.until_posts(3).await;
    let shown = html(&posts[2]);
    assert!(
        shown.contains("Angebot _1_ für.pdf</a>") && shown.contains(" bytes, until "),
        "{shown}"
    );
    let (status, headers, bytes) = platform.fetch(&link(&posts[2])).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PDF));
    assert_eq!(headers["content-type"], "application/pdf");
    let disposition = headers["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment;"));
    assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);
    platform.until_idle().await;
    // Neither came back to the agent.
    anna.agent_sees(&["hello"]).await;
}

#[tokio::test]
async fn large_pictures_and_files_are_linked_whole() {
    let platform = Platform::shared().await;
    let anna = Talk::begun(&platform, "Anna").await;
    let picture = png(5 * 1024 * 1024);
    let large = file("large.png", "image/png", &picture);
    anna.agent_sends(json!({ "attachment": large })).await;
    let posts = anna.until_posts(1).await;
    let shown = html(&posts[0]);
    assert!(shown.contains("large.png</a> (5.0 MB, until "), "{shown}");
    let (_, _, bytes) = platform.fetch(&link(&posts[0])).await;
    assert_eq!(sha256(&bytes), sha256(&picture));

    let size = 25 * 1024 * 1024;
    let log = json!({ "attachment": generated("log.bin", size as u64) });
    let sent = anna.agent_sends(log).await;
    let posts = anna.until_posts(2).await;
    let (_, _, bytes) = platform.fetch(&link(&posts[1])).await;
    assert_eq!(bytes.len(), size);
    let original = format!("/local/genesys/media/{sent}");
    let (status, _, original) = platform.fetch(&original).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(sha256(&bytes), sha256(&original));
}

#[tokio::test]
async fn a_file_that_the_customer_cannot_get_fails_with_its_code() {
    let platform = Platform::shared_with(STRICT_FILES).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let document = |behaviour: Value| with(file("a.pdf", "application/pdf", PDF), behaviour);
    let redirect = |to: &str| document(json!({ "behaviour": "redirect", "redirect_to": to }));
    let page = b"<!DOCTYPE html><html><body>sign in</body></html>";
    let cases = [
        (document(json!({ "behaviour": "missing" })), "GeneralError"),
        (redirect("https://169.254.169.254/"), "GeneralError"),
        (redirect("https://localhost/"), "GeneralError"),
        (
            generated("a.bin", 1024 * 1024 + 1),
            "InvalidMediaContentLength",
        ),
        (
            file("empty.txt", "text/plain", b""),
            "InvalidMediaContentLength",
        ),
        (
            file("a.pdf", "application/pdf", page),
            "MediaTypeNotAllowed",
        ),
    ];
    for (attachment, code) in &cases {
        let message = json!({ "text": "here", "attachment": attachment });
        let sent = anna.agent_sends(message).await;
        let receipt = platform.until_receipt(&sent).await;
        assert_eq!(receipt, [format!("Failed:{code}")]);
    }
    // Nothing of them is in the chat, and what comes next is not held up.
    anna.agent_writes("sorry").await;
    anna.sees(&["sorry"]).await;
    assert_eq!(platform.failed().await.len(), cases.len());
}

#[tokio::test]
async fn a_late_file_goes_as_its_own_link() {
    let platform = Platform::shared_with(STRICT_FILES).await;
    let anna = Talk::begun(&platform, "Anna").await;
    for behaviour in ["slow", "stops_half_way"] {
        let late = file("a.pdf", "application/pdf", PDF);
        let late = with(late, json!({ "behaviour": behaviour }));
        let sent = anna.agent_sends(json!({ "attachment": late })).await;
        assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);
    }
    for post in &anna.until_posts(2).await {
        assert!(link(post).contains("/api/v2/downloads/"), "{post}");
    }
}

#[tokio::test]
async fn a_picture_whose_answer_was_lost_is_posted_once() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let lost = json!({ "service": "graph", "path": anna.chat, "body": "hostedContents", "drop": "after", "times": 1 });
    platform.faults(json!([lost])).await;
    let way = file("way.png", "image/png", &png(100));
    let sent = anna.agent_sends(json!({ "attachment": way })).await;
    assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);
    platform.until_idle().await;
    assert_eq!(anna.posts().await.len(), 1);
}
