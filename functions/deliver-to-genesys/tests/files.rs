//! Files that a customer sends.

use serde_json::{Value, json};
use services::error::Service;
use services::testing::Reply;

use super::scene::Scene;
use crate::testing::ANNA;

fn with_file(mut message: Value, address: &str) -> Value {
    message["attachments"] = json!([{
        "id": "1", "contentType": "reference", "name": "plan.txt", "contentUrl": address,
    }]);
    message
}

#[tokio::test]
async fn a_file_of_our_own_tenant_is_not_fetched_for_an_outsider() {
    let scene = Scene::start(&[]).await;
    let file = Reply::new(200, "words").header("content-type", "text/plain");
    scene.world.answer("GET", "/shares/", file);
    let ours = "https://contoso.sharepoint.com/sites/board/plan.txt";
    let message = scene.message("1", ANNA, "see");
    scene.created(&with_file(message, ours)).await;
    let texts = scene.texts();
    assert_eq!(texts.len(), 2);
    assert!(texts[1].contains(ours), "{texts:?}");
    let asked = |scene: &Scene| {
        let seen = scene.world.seen(Service::Graph);
        seen.iter().any(|seen| seen.path().contains("/shares/"))
    };
    assert!(!asked(&scene));
    let theirs = "https://customer.sharepoint.com/sites/a/plan.txt";
    let message = scene.message("2", ANNA, "see");
    scene.created(&with_file(message, theirs)).await;
    assert!(asked(&scene));
    let told = scene.told();
    let attachment = &told[3]["content"][0]["attachment"];
    assert_eq!(attachment["filename"], json!("plan.txt"));
}

#[tokio::test]
async fn a_file_that_genesys_refuses_goes_as_a_link() {
    let scene = Scene::start(&[]).await;
    let file = Reply::new(200, "words").header("content-type", "text/plain");
    scene.world.answer("GET", "/shares/", file);
    scene.world.answer_with("POST", "/open/message", |seen| {
        let is_file = seen.json()["content"].is_array();
        is_file.then(|| Reply::json(400, &json!({"code": "bad.request"})))
    });
    let message = scene.message("1", ANNA, "see");
    let theirs = "https://customer.sharepoint.com/sites/a/plan.txt";
    scene.created(&with_file(message, theirs)).await;
    let texts = scene.texts();
    assert!(
        texts
            .last()
            .is_some_and(|text| text.starts_with("[file] plan.txt\nhttps://")),
        "{texts:?}"
    );
}
