//! Who may tell of an end; what follows is in the tests of `deliver-to-teams`.

use serde_json::{Value, json};
use services::testing::World;

use crate::testing::{ANNAS_THREAD, app_in, call};

async fn told(stored: Option<&str>, shown: Option<&str>) -> (u16, Value, usize) {
    let world = World::start().await;
    if let Some(secret) = stored {
        world.put_secret("genesys-ended-secret", secret);
    }
    let app = app_in(&world, &[]);
    let body = json!({"conversationId": "be9c1b6e-0000-4000-8000-c0ffee00000c", "sessionId": "s", "disconnectType": "PEER",
        "addressFrom": ANNAS_THREAD, "addressTo": ""});
    let headers: Vec<_> = shown.iter().map(|it| ("x-bridge-secret", *it)).collect();
    let (status, body) = call(&app, super::PATH, &headers, body.to_string()).await;
    let body = serde_json::from_slice(&body).expect("JSON");
    (status.as_u16(), body, world.sent().len())
}

#[tokio::test]
async fn only_who_knows_the_secret_is_believed() {
    assert_eq!(
        told(Some("right"), Some("right")).await,
        (200, json!({}), 1)
    );
    for shown in [None, Some(""), Some("wrong"), Some("rightly")] {
        let (status, _, sent) = told(Some("right"), shown).await;
        assert_eq!((status, sent), (401, 0), "{shown:?}");
    }
    // Without one of ours nobody can tell.
    let (status, _, sent) = told(None, Some("right")).await;
    assert_eq!((status, sent), (503, 0));
}
