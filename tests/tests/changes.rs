//! Replies, edits and deletions.

use end_to_end::files::{image, png, sha256};
use end_to_end::platform::OTHER_POLICIES;
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// Graph notifies of a message once more.
async fn notify(talk: &Talk<'_>, message: &str, change: &str) {
    let notification = talk.notification(message, change).await;
    assert_eq!(talk.platform.notify(&notification).await, 202);
}

/// Something that comes after all that went before: what is not there when it arrives will never be.
async fn ends(talk: &Talk<'_>, before: &[&str]) {
    talk.writes("<p>the end</p>").await;
    let texts = [before, &["the end"]].concat();
    talk.agent_sees(&texts).await;
    talk.platform.until_idle().await;
    talk.agent_sees(&texts).await;
    talk.platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_and_its_edit_does_not_again() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let question = anna.writes("<p>Where is\nmy order?</p>").await;
    anna.agent_sees(&["Where is my order?"]).await;
    let answer = anna.agent_writes("Which one?").await;
    platform.until_receipt(&answer).await;
    let posts = anna.posts().await;
    let replies_to = json!({ "reply_to": [question, posts[0]["id"]] });
    let reply = anna.writes_with("<p>4711</p>", replies_to).await;
    let quoting = "> Anna: Where is my order?\n> Support: Which one?\n4711";
    anna.agent_sees(&["Where is my order?", quoting]).await;
    anna.edits(&reply, json!({ "html": "<p>4712</p>" })).await;
    ends(&anna, &["Where is my order?", quoting, "[edited] 4712"]).await;
}

#[tokio::test]
async fn an_edit_is_told_once_with_its_new_text() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let message = anna.writes("<p>at ten</p>").await;
    anna.agent_sees(&["at ten"]).await;
    let edits = async |html: &str| anna.edits(&message, json!({ "html": html })).await;
    edits("<p>at <b>eleven</b></p>").await;
    anna.agent_sees(&["at ten", "[edited] at eleven"]).await;
    // Told again by Graph, and an edit that nobody sees.
    notify(&anna, &message, "updated").await;
    edits("<p>at <i>eleven</i></p>").await;
    edits("<p>at noon</p>").await;
    let edited = ["at ten", "[edited] at eleven", "[edited] at noon"];
    ends(&anna, &edited).await;
}

#[tokio::test]
async fn an_edit_brings_its_new_picture_only() {
    let platform = Platform::shared().await;
    for (words, more, edited) in [
        ("<p>plan</p>", "<p>and</p>", "[edited] plan"),
        ("", "", "[edited] The files of the message changed."),
    ] {
        let anna = Talk::new(&platform, "Anna");
        let pictures = |more: usize| json!({ "images": [image(&png(more))] });
        let html = format!("{words}{{image 0}}");
        let message = anna.writes_with(&html, pictures(1)).await;
        let before = anna
            .until_inbound(if words.is_empty() { 1 } else { 2 })
            .await;
        let html = anna.shown().await[0]["html"].take();
        let html = format!("{}{more}{{image 0}}", html.as_str().expect("HTML"));
        let edit = end_to_end::with(json!({ "html": html }), pictures(2));
        anna.edits(&message, edit).await;
        let after = anna.until_inbound(before.len() + 2).await;
        let [text, picture] = &after[before.len()..] else {
            panic!("{after:#?}");
        };
        assert!(view::text(text, "text").starts_with(edited), "{text}");
        let hash = &picture["attachment"]["sha256"];
        assert_eq!(*hash, sha256(&png(2)).as_str());
        platform.until_idle().await;
        assert_eq!(anna.inbound().await.len(), after.len());
    }
}

#[tokio::test]
async fn replies_are_stripped_and_reactions_told_where_that_is_the_policy() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let anna = Talk::new(&platform, "Anna");
    let first = anna.writes("<p>one</p>").await;
    anna.writes_with("<p>two</p>", json!({ "reply_to": [first] }))
        .await;
    anna.agent_sees(&["one", "two"]).await;
    anna.agent_writes("Done.").await;
    let posts = anna.until_posts(1).await;
    platform.until_idle().await;
    for (message, reaction, told) in [
        (view::text(&posts[0], "id"), "👍", "to your message of "),
        (&first, "❤️", "to the message of "),
    ] {
        let before = anna.inbound().await.len();
        anna.reacts(message, reaction).await;
        let messages = anna.until_inbound(before + 1).await;
        let text = view::text(&messages[before], "text");
        let told = format!("[reaction] {reaction} {told}");
        assert!(text.starts_with(&told), "{text}");
    }
    // Told again by Graph, it is not told again.
    notify(&anna, &first, "updated").await;
    platform.until_idle().await;
    assert_eq!(anna.inbound().await.len(), 4);
}

#[tokio::test]
async fn a_deletion_is_told_and_what_was_deleted_before_never_comes() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let seen = anna.writes("<p>my PIN is 1234</p>").await;
    anna.agent_sees(&["my PIN is 1234"]).await;
    anna.deletes(&seen).await;
    notify(&anna, &seen, "deleted").await;
    let messages = anna.until_inbound(2).await;
    let notice = view::text(&messages[1], "text");
    assert!(
        notice.starts_with("[deleted] The message of ") && notice.ends_with(" UTC was deleted."),
        "{notice}"
    );

    let quietly = json!({ "notify": false });
    let unseen = anna.writes_with("<p>oops</p>", quietly).await;
    anna.deletes(&unseen).await;
    platform.until_idle().await;
    notify(&anna, &unseen, "created").await;
    ends(&anna, &["my PIN is 1234", notice]).await;
}

#[tokio::test]
async fn a_late_edit_does_not_bring_back_what_was_deleted() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let seen = anna.writes("<p>my PIN is 1234</p>").await;
    anna.agent_sees(&["my PIN is 1234"]).await;
    let quietly = json!({ "notify": false });
    let unseen = anna.writes_with("<p>my PIN is 5678</p>", quietly).await;
    let mut late: Vec<Value> = Vec::new();
    for message in [&seen, &unseen] {
        let edit = json!({ "html": "<p>my PIN is another</p>", "notify": false });
        anna.edits(message, edit).await;
        // What it encloses is from before the deletion.
        late.push(anna.notification(message, "updated").await);
        anna.deletes(message).await;
    }
    let messages = anna.until_inbound(2).await;
    platform.until_idle().await;
    for notification in &late {
        assert_eq!(platform.notify(notification).await, 202);
    }
    ends(&anna, &view::texts(&messages)).await;
}
