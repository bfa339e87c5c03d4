//! Messages as Teams clients write them, and what an agent reads of them.

use super::*;

/// The text, and below it the pictures.
fn shown(html: &str, replies: ReplyContext) -> String {
    let rendered = render(html, replies);
    let mut shown = rendered.text;
    for image in rendered.images {
        shown.push_str(&format!(
            "\n~ {} {:?}",
            image.source,
            image.description.unwrap_or_default()
        ));
    }
    shown
}

#[test]
fn each_message_becomes_what_its_snapshot_shows() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/html");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of messages") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let html = std::fs::read_to_string(&path).expect("a message");
        insta::assert_snapshot!(name.expect("a name"), shown(&html, ReplyContext::Quote));
        compared += 1;
    }
    assert!(compared >= 20);
}

#[test]
fn an_answer_without_what_it_answers() {
    let html = include_str!("../../../../fixtures/html/reply.html");
    assert_eq!(
        shown(html, ReplyContext::Strip),
        "Yes, it is here. Thank you!"
    );
}
