//! Pictures and files through the bot, each way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::app_talk::{QUIET, buttons, card_of, said};
use end_to_end::files::{PDF, fetched, file, image, png, sha256};
use end_to_end::{Platform, Talk, view};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A square of two by two pixels.
const SMALL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mNwCNgARAwQCgAhTgUBguOScwAAAABJRU5ErkJggg==";

/// What the only link of a card opens.
fn link(post: &Value) -> String {
    let card = card_of(post).expect("a card").to_string();
    let (_, rest) = card.split_once("\"url\":\"").expect("a link");
    let (address, _) = rest.split_once('"').expect("an address");
    address.to_owned()
}

#[tokio::test]
async fn a_small_picture_is_shown_and_a_large_one_and_a_document_are_linked() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let small = STANDARD.decode(SMALL).expect("base64");
    let way = file("way.png", "image/png", &small);
    let sent = anna
        .agent_sends(json!({ "text": "This way", "attachment": way }))
        .await;
    let posts = anna.until_posts(2).await;
    assert_eq!(said(&posts[0]), "This way");
    let picture = &posts[1]["activity"]["attachments"][0];
    assert_eq!(picture["contentType"], "image/png");
    let address = format!("data:image/png;base64,{SMALL}");
    assert_eq!(picture["contentUrl"], address);
    assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);

    // More pixels to a side than Teams shows.
    let large = png(3_000);
    for (name, kind, bytes) in [
        ("map.png", "image/png", large.as_slice()),
        ("offer.pdf", "application/pdf", PDF),
    ] {
        let attached = file(name, kind, bytes);
        let sent = anna.agent_sends(json!({ "attachment": attached })).await;
        assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);
        let post = anna.until_card().await;
        assert!(said(&post).contains(name), "{post}");
        assert_eq!(buttons(&post, "Action.OpenUrl"), ["Open"]);
        let (status, headers, body) = platform.fetch(&link(&post)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["content-type"], kind);
        assert_eq!(sha256(&body), sha256(bytes));
    }
    assert_eq!(anna.posts().await.len(), 4);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_customers_file_and_picture_reach_the_agent_whole() {
    let platform = Platform::start(QUIET).await;
    let anna = Talk::app(&platform, "Anna").await;
    let picture = png(5_000);
    let document = file("Offer/für.pdf", "application/octet-stream", PDF);
    anna.says(
        "see here",
        json!({ "pictures": [image(&picture)], "files": [document] }),
    )
    .await;
    let messages = anna.until_inbound(3).await;
    assert_eq!(messages[0]["text"], "see here");
    let of = |kind: &str| {
        let mut all = messages.iter();
        let found = all.find(|it| it["attachment"]["mediaType"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {messages:#?}"))
    };
    assert_eq!(of("Image")["attachment"]["mime"], "image/png");
    assert_eq!(fetched(of("Image")), sha256(&picture));
    assert_eq!(of("File")["attachment"]["mime"], "application/pdf");
    assert_eq!(of("File")["attachment"]["filename"], "Offer_für.pdf");
    assert_eq!(fetched(of("File")), sha256(PDF));
    // The picture was asked of the connector, which wants the bot's token; the file of the address that Teams signed.
    let calls = platform.get("/local/calls").await;
    assert_eq!(calls["calls"]["files"]["download"], 1, "{calls}");
    assert!(calls["calls"]["bot"]["read"].as_u64() >= Some(1), "{calls}");
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_picture_that_the_connector_does_not_give_is_told_as_words() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let gone = json!({ "contentType": "image/*",
        "contentUrl": format!("{}amer/none/v3/attachments/none/views/original", connector(&anna).await) });
    let activity = json!({ "id": "1767323045678", "text": "look", "attachments": [gone] });
    assert_eq!(anna.delivers(activity, "good").await, 200);
    let messages = anna.until_inbound(5).await;
    assert_eq!(messages[3]["text"], "look");
    let text = view::text(&messages[4], "text");
    assert!(text.contains("could not"), "{text}");
    // Somebody else's address gets no token, and is no address that a file may come from.
    let elsewhere = json!({ "contentType": "image/*",
        "contentUrl": "https://127.0.0.1:1/v3/attachments/none/views/original" });
    let activity = json!({ "id": "1767323045679", "text": "and here", "attachments": [elsewhere] });
    assert_eq!(anna.delivers(activity, "good").await, 200);
    let messages = anna.until_inbound(7).await;
    assert_eq!(messages[5]["text"], "and here");
}

/// The connector's origin with a slash, as the pictures of its chats show it.
async fn connector(talk: &Talk<'_>) -> String {
    let picture = json!({ "pictures": [image(&png(10))] });
    talk.says("see", picture).await;
    let shown = talk.shown().await.pop().expect("a message");
    let address = view::text(&shown["activity"]["attachments"][0], "contentUrl").to_owned();
    let (origin, _) = address.split_once("amer/").expect("an address");
    origin.to_owned()
}
