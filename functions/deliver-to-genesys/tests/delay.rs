//! Customers are told when a message of theirs waits.

use std::time::Duration;

use bridge::notices::{Language, NoticeKind};
use bridge::queue::envelope::{Content, Envelope, NoticeEnvelope};
use http::StatusCode;
use serde_json::json;
use services::error::Service;
use services::testing::{Reply, Sent};

use super::scene::Scene;
use crate::testing::deliver;

const LONG: Duration = Duration::from_secs(11 * 60);
const IMPATIENT: (&str, &str) = ("ATTEMPT_DEADLINE_SECONDS", "5");

/// A scene in which Genesys does not take messages.
async fn failing(changed: &[(&'static str, &'static str)]) -> Scene {
    let scene = Scene::start(&[&[IMPATIENT], changed].concat()).await;
    scene
        .world
        .answer("POST", "/inbound/open/message", Reply::new(503, ""));
    scene
}

fn notices(scene: &Scene) -> Vec<(Sent, NoticeEnvelope)> {
    let sent = scene.world.sent().into_iter();
    let sent = sent.filter_map(|sent| match Envelope::parse(&sent.body).ok()?.content {
        Content::Notice(notice) => Some((sent, notice)),
        _ => None,
    });
    sent.collect()
}

async fn waits(scene: &Scene, id: &str, waited: Duration, replay: Option<&str>) {
    let status = scene.waited(id, waited, replay, "de-DE").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_chat_is_told_once_and_in_its_language() {
    let scene = failing(&[]).await;
    waits(&scene, "1", LONG, None).await;
    waits(&scene.another_process(), "1", LONG, None).await;
    let told = notices(&scene);
    assert_eq!(told.len(), 1);
    let (sent, notice) = &told[0];
    assert_eq!(notice.says, NoticeKind::Delayed);
    assert_eq!(notice.message.as_str(), "1");
    assert_eq!(deliver(&scene.app, sent, 1).await, StatusCode::OK);
    let seen = scene.world.seen(Service::Graph);
    let post = seen.iter().find(|it| it.method == "POST").expect("a post");
    let text = Language::of_tag("de").map(|german| german.text(NoticeKind::Delayed));
    assert_eq!(post.json()["body"]["content"], json!(text));
}

#[tokio::test]
async fn nobody_is_told_of_what_is_young_late_anyway_or_to_be_kept_quiet() {
    for (waited, replay, setting) in [
        (
            Duration::from_secs(9 * 60),
            None,
            ("DELAY_NOTICE", "standard"),
        ),
        (LONG, Some("catch-up"), ("DELAY_NOTICE", "standard")),
        (LONG, None, ("DELAY_NOTICE", "off")),
        (LONG, None, ("DELAY_NOTICE_MINUTES", "0")),
    ] {
        let scene = failing(&[setting]).await;
        waits(&scene, "1", waited, replay).await;
        assert_eq!(
            notices(&scene).len(),
            0,
            "{waited:?} {replay:?} {setting:?}"
        );
    }
}

#[tokio::test]
async fn a_delivered_message_ends_the_episode_and_takes_back_what_is_on_its_way() {
    let scene = Scene::start(&[IMPATIENT]).await;
    let mut answers = 0;
    scene
        .world
        .answer_with("POST", "/inbound/open/message", move |_| {
            answers += 1;
            // More than the attempts of five seconds.
            (answers <= 1 || answers == 3).then(|| Reply::new(503, ""))
        });
    // Each fails once when it is due, and arrives at its next attempt.
    for id in ["1", "2"] {
        assert_eq!(scene.waited(id, LONG, None, "en-us").await, StatusCode::OK);
    }
    let told = notices(&scene);
    let about: Vec<&str> = told.iter().map(|(_, it)| it.message.as_str()).collect();
    assert_eq!(about, ["1", "2"]);
    for (sent, _) in &told {
        assert_eq!(deliver(&scene.app, sent, 1).await, StatusCode::OK);
    }
    let seen = scene.world.seen(Service::Graph);
    assert!(seen.iter().all(|it| it.method != "POST"), "both arrived");
}
