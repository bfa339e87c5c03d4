//! Files that a customer sends.

use serde_json::json;
use services::error::Service;
use services::testing::Reply;

use super::scene::Scene;
use crate::testing::ANNA;

const OURS: &str = "https://contoso.sharepoint.com/sites/board/plan.txt";
const THEIRS: &str = "https://customer.sharepoint.com/sites/a/plan.txt";

impl Scene {
    /// Has the customer share a file, which Graph would deliver.
    async fn customer_shares(&self, id: &str, address: &str) {
        let file = Reply::new(200, "words").header("content-type", "text/plain");
        self.world.answer("GET", "/shares/", file);
        let mut message = self.message(id, ANNA, "see");
        message["attachments"] = json!([{
            "id": "1", "contentType": "reference", "name": "plan.txt", "contentUrl": address,
        }]);
        self.created(&message).await;
    }
}

#[tokio::test]
async fn a_file_of_our_own_tenant_is_not_fetched_for_an_outsider() {
    let scene = Scene::start(&[]).await;
    let asked = || {
        let seen = scene.world.seen(Service::Graph);
        seen.iter().any(|seen| seen.path().contains("/shares/"))
    };
    scene.customer_shares("1", OURS).await;
    let texts = scene.texts();
    assert_eq!(texts.len(), 2);
    assert!(texts[1].contains(OURS) && !asked(), "{texts:?}");
    scene.customer_shares("2", THEIRS).await;
    assert!(asked());
    let attachment = &scene.told()[3]["content"][0]["attachment"];
    assert_eq!(attachment["filename"], json!("plan.txt"));
}

#[tokio::test]
async fn a_file_that_genesys_refuses_goes_as_a_link() {
    let scene = Scene::start(&[]).await;
    scene.world.answer_with("POST", "/open/message", |seen| {
        let is_file = seen.json()["content"].is_array();
        is_file.then(|| Reply::json(400, &json!({"code": "bad.request"})))
    });
    scene.customer_shares("1", THEIRS).await;
    let texts = scene.texts();
    let last = texts.last().expect("a text");
    assert!(last.starts_with("[file] plan.txt\nhttps://"), "{texts:?}");
}

#[tokio::test]
async fn graphs_trouble_delays_a_picture_and_loses_nothing() {
    let scene = Scene::start(&[]).await;
    let mut failures = 2_i32;
    scene
        .world
        .answer_with("GET", "/hostedContents/", move |_| {
            let is_down = failures > 0;
            failures = (failures - 1).max(0);
            Some(match is_down {
                true => Reply::new(503, ""),
                false => Reply::new(200, &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]),
            })
        });
    scene.created(&scene.with_picture("1", "look")).await;
    let told = scene.told();
    let attachment = &told[1]["content"][0]["attachment"];
    assert_eq!(attachment["mime"], json!("image/png"), "{told:?}");
}
