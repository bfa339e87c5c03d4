//! Pictures, files and snippets on their way from the customer to the agent.

use end_to_end::files::{PDF, fetched, file, generated, image, png, sha256};
use end_to_end::{Platform, Talk, view};
use reqwest::StatusCode;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

#[tokio::test]
async fn a_screenshot_and_a_document_reach_the_agent_whole() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let picture = png(5000);
    let document = file(
        "Angebot 🎉/für\u{202e}.pdf",
        "application/octet-stream",
        PDF,
    );
    let both = json!({ "images": [image(&picture)], "files": [document] });
    anna.writes_with("<p>see here</p>{image 0}", both).await;
    let messages = anna.until_inbound(3).await;
    assert_eq!(messages[0]["text"], "see here");

    let attachment = &messages[1]["attachment"];
    let disposition = |attachment: &Value| {
        let disposition = attachment["fetched"]["content_disposition"].as_str();
        disposition.expect("a disposition").to_owned()
    };
    assert_eq!(attachment["mediaType"], "Image");
    assert_eq!(attachment["mime"], "image/png");
    assert_eq!(attachment["fetched"]["content_type"], "image/png");
    assert_eq!(attachment["sha256"], sha256(&picture).as_str());
    assert_eq!(fetched(&messages[1]), sha256(&picture));
    assert!(disposition(attachment).starts_with("inline;"));

    let attachment = &messages[2]["attachment"];
    assert_eq!(attachment["mediaType"], "File");
    assert_eq!(attachment["mime"], "application/pdf");
    assert_eq!(attachment["filename"], "Angebot 🎉_für.pdf");
    assert_eq!(fetched(&messages[2]), sha256(PDF));
    let disposition = disposition(attachment);
    let name = "filename*=UTF-8''Angebot%20%F0%9F%8E%89_f%C3%BCr.pdf";
    assert!(
        disposition.starts_with("attachment;") && disposition.ends_with(name),
        "{disposition}"
    );
    // Ids that are the same at each repetition, and different from each other.
    let id = |index: usize| &messages[index]["channel_message_id"];
    assert!(id(0) != id(1) && id(1) != id(2));
    for line in platform.logs().await {
        let line = line.to_string();
        let silent = !line.contains("Angebot") && !line.contains("see here");
        assert!(silent, "{line}");
    }
}

#[tokio::test]
async fn a_link_opens_one_file_and_nothing_else() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let two = json!({ "images": [image(&png(10)), image(&png(20))] });
    anna.writes_with("", two).await;
    let messages = anna.until_inbound(2).await;
    let link = |index: usize| view::text(&messages[index]["attachment"], "url");
    let (first, second) = (link(0), link(1));
    let (status, headers, bytes) = platform.fetch(first).await;
    assert_eq!((status, bytes), (StatusCode::OK, png(10)));
    assert_eq!(headers["content-type"], "image/png");
    let (path, query) = first.split_once('?').expect("a signature");
    let (other, _) = second.split_once('?').expect("a signature");
    let terms: Vec<&str> = query.split('&').collect();
    for term in ["sp=r", "spr=https", "sr=b"] {
        assert!(terms.contains(&term), "{term} in {query}");
    }
    let container = path.rsplitn(3, '/').last().expect("a container");
    for refused in [
        path.to_owned(),
        format!("{other}?{query}"),
        format!("{container}?restype=container&comp=list&{query}"),
        first.replace("sig=", "sig=A"),
        // The end of the link is signed: nobody can put it off.
        first.replace("se=20", "se=21"),
    ] {
        let (status, _, _) = platform.fetch(&refused).await;
        assert!(status.is_client_error(), "{status} for {refused}");
    }
    let ends = terms.iter().find_map(|term| term.strip_prefix("se="));
    let ends = ends.expect("an end").replace("%3A", ":");
    let ends = OffsetDateTime::parse(&ends, &Rfc3339).expect("a time");
    let left = ends - OffsetDateTime::now_utc();
    let (least, most) = (Duration::hours(143), Duration::hours(144));
    assert!(left > least && left <= most, "{left}");
}

#[tokio::test]
async fn pictures_go_on_in_order_where_a_killed_handler_stopped() {
    let platform = Platform::start(&[]).await;
    let anna = Talk::new(&platform, "Anna");
    let pictures: Vec<Vec<u8>> = (0..10).map(|number| png(100 + number)).collect();
    let images: Vec<Value> = pictures.iter().map(|picture| image(picture)).collect();
    anna.writes_with("<p>ten</p>", json!({ "images": images }))
        .await;
    anna.until_inbound(3).await;
    platform.kill_handler().await;
    anna.until_inbound(11).await;
    platform.until_idle().await;
    let messages = anna.inbound().await;
    let id = |message: &Value| view::text(message, "channel_message_id").to_owned();
    let mut seen: Vec<_> = messages.iter().map(|it| (id(it), fetched(it))).collect();
    // One crash may repeat the one message that it hit, and then under the same id.
    seen.dedup();
    let hashes: Vec<&str> = seen.iter().skip(1).map(|(_, hash)| *hash).collect();
    let expected: Vec<String> = pictures.iter().map(|picture| sha256(picture)).collect();
    assert_eq!(hashes, expected);
    assert!(messages.len() <= 12, "{messages:#?}");
}

/// The digest of the last file in the chat, as its customer sent it.
async fn last_sent(talk: &Talk<'_>) -> String {
    let shown = talk.shown().await;
    let files = shown.iter().map(|message| &message["attachments"][0]);
    let mut digests = files.filter_map(|file| file["sha256"].as_str());
    digests.next_back().expect("a file in the chat").to_owned()
}

#[tokio::test]
async fn a_file_of_25_megabytes_arrives_whole() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let size = 25 * 1024 * 1024;
    let recording = json!({ "files": [generated("recording.bin", size)] });
    anna.writes_with("<p>the recording</p>", recording).await;
    let messages = anna.until_inbound(2).await;
    let attachment = &messages[1]["attachment"];
    let sent = last_sent(&anna).await;
    assert_eq!(attachment["fetched"]["size"], size);
    assert_eq!(fetched(&messages[1]), sent);
    assert_eq!(attachment["sha256"], sent.as_str());
}

#[tokio::test]
async fn code_snippets_are_read_out_even_one_that_begins_like_a_page() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let snippet =
        |language: &str, code: &str| json!({ "snippet": { "language": language, "code": code } });
    let code = "fn main() {\n    panic!(\"```\");\n}\n";
    anna.writes_with("<p>this fails</p>", snippet("Rust", code))
        .await;
    let page = "<!DOCTYPE html>\n<html></html>";
    anna.writes_with("", snippet("HTML", page)).await;
    anna.agent_sees(&[
        "this fails",
        "````Rust\nfn main() {\n    panic!(\"```\");\n}\n````",
        "```HTML\n<!DOCTYPE html>\n<html></html>\n```",
    ])
    .await;
}

/// A figure of a process's memory in KB.
#[cfg(target_os = "linux")]
fn memory(process: u64, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.expect("a living process");
    let mut figures = status.lines().filter_map(|line| line.strip_prefix(figure));
    let figure = figures.next().expect("a figure").trim();
    figure.trim_end_matches(" kB").parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_100_megabytes_needs_little_memory() {
    let patient = [
        "--set=ATTACHMENT_LIMIT_MB=256",
        "--set=FILE_TIMEOUT_SECONDS=120",
    ];
    let platform = Platform::start(&patient).await;
    let anna = Talk::new(&platform, "Anna");
    let sends = async |file: Value| anna.writes_with("", json!({ "files": [file] })).await;
    // Connections, tokens and keys come with the first file.
    sends(generated("small.bin", 1024)).await;
    anna.until_inbound(1).await;
    let instances = platform.get("/local/instances").await;
    let handler = instances["instances"][0]["pid"].as_u64();
    let handler = handler.expect("a process");
    let before = memory(handler, "VmRSS:");
    std::fs::write(format!("/proc/{handler}/clear_refs"), "5").expect("the peak starts anew");
    sends(generated("large.bin", 100 * 1024 * 1024)).await;
    let messages = anna.until_inbound(2).await;
    let text = view::text(&messages[1], "text");
    let link = text
        .strip_prefix("[file] large.bin (100 MB)\n")
        .expect(text);
    let growth = memory(handler, "VmHWM:").saturating_sub(before);
    assert!(growth < 32 * 1024, "grew by {growth} KB");
    let link = link.lines().next().expect("a link");
    let (_, _, bytes) = platform.fetch(link).await;
    assert_eq!(sha256(&bytes), last_sent(&anna).await);
}
