//! A customer whose traces were erased while the processes went on.

use bridge::forget::Person;
use bridge::ids::ThreadId;
use bridge::state::blobs;
use http::StatusCode;
use serde_json::json;

use super::scene::{Scene, TENANT, chat_digest};
use crate::forget::Tally;
use crate::testing::{ANNA, ANNAS_CHAT, ANNAS_THREAD, desk};

impl Scene {
    async fn forgets(&self) {
        let (tenant, user) = (
            TENANT.parse().expect("a tenant"),
            ANNA.parse().expect("a user"),
        );
        let person = Person::in_entra(tenant, user).expect("a person");
        let (desk, mut erased) = (desk(&self.world), Tally::new());
        let left = desk.forget(&person, std::time::Duration::ZERO, &mut erased);
        assert!(left.await.expect("erased").traces.is_empty());
        assert!(!erased.is_empty());
        let marks = [format!("erased/{}.json", chat_digest())];
        let kept = self.world.blobs("state").into_iter();
        let kept = kept.filter(|it| !it.starts_with("bookings/") && !it.starts_with("catch-up/"));
        assert_eq!(kept.collect::<Vec<_>>(), marks);
    }
}

#[tokio::test]
async fn no_catch_up_brings_back_what_was_written_before() {
    let scene = Scene::start(&[]).await;
    let (first, second) = (scene.written("1", 30), scene.written("2", 20));
    scene.created(&first).await;
    scene.created(&second).await;
    scene.forgets().await;
    let after = scene.written("3", -1);
    scene.has(&[first, second, after]);
    assert_eq!(scene.reads(None).await, StatusCode::OK);
    assert_eq!(scene.texts(), ["message 1", "message 2", "message 3"]);
}

#[tokio::test]
async fn who_writes_again_is_a_new_customer_and_gets_answers_from_every_process() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    scene.agent_writes("good day").await;
    scene.forgets().await;
    scene.customer_writes("2", "again").await;
    assert_eq!(scene.texts(), ["hello", "again"]);
    // This process knew the thread; another finds it in Blob only.
    let thread: ThreadId = ANNAS_THREAD.parse().expect("a thread");
    assert!(scene.world.blob("state", &blobs::thread(&thread)).is_some());
    let other = scene.another_process();
    let posted = other.agent_sends(json!({ "text": "welcome back" })).await;
    assert_eq!(posted, StatusCode::OK);
    assert!(scene.world.blobs("failed").is_empty());
    let chat = ANNAS_CHAT.parse().expect("a chat");
    assert!(
        scene
            .world
            .blob("state", &blobs::outbound_state(&chat))
            .is_some()
    );
}
