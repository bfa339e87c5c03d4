//! Files that are not what they should be, or not to be had.

use end_to_end::files::{PDF, fetched, file, generated, image, png, sha256};
use end_to_end::platform::STRICT_FILES;
use end_to_end::{Platform, Talk, view, with};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Longer than a host takes to break off half way.
const PATIENT: &[&str] = &["--set=FILE_TIMEOUT_SECONDS=15"];

#[tokio::test]
async fn files_that_cannot_be_fetched_become_a_line_and_hold_up_nothing() {
    let platform = Platform::start(&[STRICT_FILES, PATIENT].concat()).await;
    let anna = Talk::new(&platform, "Anna");
    let pdf = |name: &str, more: Value| with(file(name, "application/pdf", PDF), more);
    let behaving = |name: &str, how: &str| pdf(name, json!({ "behaviour": how }));
    let redirected =
        |name: &str, to: &str| pdf(name, json!({ "behaviour": "redirect", "redirect_to": to }));
    let identity = "https://169.254.169.254/metadata/identity/oauth2/token";
    let files = [
        (
            pdf("theirs.pdf", json!({ "owner": "other_tenant" })),
            "not shared with our support",
        ),
        (behaving("gone.pdf", "missing"), "does not exist any more"),
        (behaving("infected.pdf", "virus"), "a web page instead"),
        (
            redirected("metadata.pdf", identity),
            "not taken from its address",
        ),
        (
            redirected("inside.pdf", "https://127.0.0.1:1/x"),
            "not taken from its address",
        ),
        (
            redirected("named.pdf", "https://localhost/x"),
            "not taken from its address",
        ),
        (
            generated("large.bin", 1024 * 1024 + 1),
            "larger than 1.0 MB",
        ),
        (file("empty.txt", "text/plain", b""), "empty (0 bytes)"),
        (
            behaving("half.pdf", "stops_half_way"),
            "did not answer properly",
        ),
    ];
    let sent = Vec::from_iter(files.iter().map(|(file, _)| file));
    anna.writes_with("<p>my files</p>", json!({ "files": sent }))
        .await;
    anna.writes("<p>still there?</p>").await;
    let messages = anna.until_inbound(11).await;
    let texts = view::texts(&messages);
    assert_eq!((texts[0], texts[10]), ("my files", "still there?"));
    for (text, (file, reason)) in texts[1..].iter().zip(&files) {
        let line = format!("[file] {} https://", view::text(file, "name"));
        assert!(
            text.starts_with(&line) && text.contains(reason),
            "{line}: {text}"
        );
    }
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn what_a_file_claims_to_be_does_not_matter() {
    let platform = Platform::shared_with(STRICT_FILES).await;
    let anna = Talk::new(&platform, "Anna");
    let program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".repeat(8);
    let long = format!("{}.txt", "n".repeat(300));
    let files = [
        file("holiday.jpg", "image/jpeg", &program),
        file(&long, "image/png", b"only words"),
        file("fine.txt", "text/plain; charset=utf-8", b"only words"),
    ];
    anna.writes_with("", json!({ "files": files })).await;
    let messages = anna.until_inbound(3).await;
    // A program is no picture, and outside the list of types: a link, and nothing that a browser would run.
    let text = view::text(&messages[0], "text");
    let link = text.strip_prefix("[file] holiday.jpg (128 bytes)\n");
    let link = link.and_then(|rest| rest.lines().next()).expect(text);
    let (status, headers, bytes) = platform.fetch(link).await;
    assert_eq!((status, bytes), (StatusCode::OK, program));
    let executable = "application/vnd.microsoft.portable-executable";
    assert_eq!(headers["content-type"], executable);
    let disposition = headers["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment;"));
    // Words under a picture's type are bytes of which nothing is known.
    let text = view::text(&messages[1], "text");
    let name = text.strip_prefix("[file] ").expect(text);
    let (name, _) = name.split_once(" (").expect(text);
    assert!(
        name.ends_with("….txt") && name.chars().count() == 120,
        "{name}"
    );
    assert_eq!(messages[2]["attachment"]["mime"], "text/plain");
    assert_eq!(fetched(&messages[2]), sha256(b"only words"));
}

#[tokio::test]
async fn a_picture_that_graph_keeps_refusing_is_given_up_and_its_message_is_not() {
    let hasty = [
        "--set=RETRY_FLOOR_SECONDS=0",
        "--set=FILE_TIMEOUT_SECONDS=5",
    ];
    let platform = Platform::start(&hasty).await;
    let anna = Talk::new(&platform, "Anna");
    let down = json!({ "service": "graph", "match": "hostedContents", "status": 503 });
    platform.faults(json!([down])).await;
    let picture = json!({ "images": [image(&png(50))] });
    anna.writes_with("<p>look</p>", picture).await;
    anna.writes("<p>and this</p>").await;
    let messages = anna.until_inbound(3).await;
    let texts = view::texts(&messages);
    assert_eq!((texts[0], texts[2]), ("look", "and this"));
    let given_up = texts[1].starts_with("[image] It could not be fetched");
    assert!(given_up, "{}", texts[1]);
    platform.assert_nothing_failed().await;
}
