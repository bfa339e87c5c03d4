//! What each incoming payload becomes on the other side.

use bridge::genesys::webhook::{Piece, Webhook, pieces};
use bridge::teams::convert::{SentFile, inbound};
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use bridge::teams::message::ChatMessage;
use bridge::teams::to_text::ReplyContext;

/// What the agent gets of a Teams message: the text, and a line for each file that is to be fetched.
fn for_the_agent(message: &[u8]) -> String {
    let message = ChatMessage::parse(message).expect("a chat message");
    let found = inbound(&message, ReplyContext::Quote, &|_| true);
    let files = found.files.iter().map(|file| match file {
        SentFile::Picture {
            source,
            description,
        } => format!("<picture {description:?} {source}>"),
        SentFile::Shared { address, name } => format!("<file {name} {address}>"),
        SentFile::Snippet { source, language } => format!("<snippet {language:?} {source}>"),
    });
    let lines: Vec<String> = [found.text].into_iter().chain(files).collect();
    lines.join("\n")
}

/// The HTML of each message that an agent's message becomes in the customer's chat, and the files between them.
fn for_the_customer(webhook: &[u8]) -> Vec<String> {
    let webhook = Webhook::parse(webhook, time::OffsetDateTime::UNIX_EPOCH).expect("a webhook");
    pieces(&webhook)
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Text(text) => split_for_teams(&text, TEAMS_BODY_LIMIT),
            Piece::File(file) => vec![format!("<{} {:?}>", file.media_type, file.filename)],
        })
        .collect()
}

#[test]
fn each_payload_becomes_what_its_snapshot_shows() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).expect("the payloads") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("a name");
        let payload = || std::fs::read(&path).expect("a payload");
        if name.starts_with("message_") {
            insta::assert_snapshot!(name, for_the_agent(&payload()));
        } else if name.starts_with("webhook_") {
            insta::assert_json_snapshot!(name, for_the_customer(&payload()));
        } else {
            continue;
        }
        compared += 1;
    }
    assert!(compared >= 13);
}
