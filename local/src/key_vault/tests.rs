//! What the vault refuses.

use http::header;
use serde_json::{Value, json};

use std::sync::Arc;

use super::*;
use crate::entra::Entra;
use crate::testing::ask;
use crate::world::World;

#[tokio::test]
async fn a_request_needs_a_token_for_the_vault_and_a_known_form() {
    let world = World::for_tests();
    let entra = Entra::new(Arc::clone(&world));
    let vault = KeyVault::new(world, entra);
    vault.set("name", "value");
    let token = |audience: &str| vault.entra.issue(json!({ "aud": audience }));
    let (ours, other) = (
        token("https://vault.azure.net"),
        token("https://storage.azure.com"),
    );
    let path = "/secrets/name?api-version=7.4";
    for token in ["", "no token", other.as_str()] {
        let answer = ask(router(&vault), "GET", path, token, Value::Null).await;
        assert_eq!(answer.body["error"]["code"], "Unauthorized");
        let tenant = &vault.world.config.tenant;
        let challenge = format!(
            "Bearer authorization=\"https://127.0.0.1:9/{tenant}\", resource=\"https://vault.azure.net\""
        );
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], challenge);
    }
    for (path, status, code) in [
        ("/secrets/unknown?api-version=7.4", 404, "SecretNotFound"),
        ("/secrets/name", 400, "BadParameter"),
        ("/secrets/name?api-version=1.0", 400, "BadParameter"),
        ("/secrets/a_b?api-version=7.4", 400, "BadParameter"),
        ("/secrets/..%2Fkeys?api-version=7.4", 400, "BadParameter"),
    ] {
        let answer = ask(router(&vault), "GET", path, &ours, Value::Null).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.body["error"]["code"], code, "{path}");
    }
    for body in [json!({}), json!({ "value": "x".repeat(25 * 1024 + 1) })] {
        let put = ask(router(&vault), "PUT", path, &ours, body).await;
        assert_eq!(put.status, 400);
    }
    let read = ask(router(&vault), "GET", path, &ours, Value::Null).await;
    assert_eq!(read.text("value"), "value");
    assert_eq!(read.body["tags"], json!({}));
    let tagged = json!({ "value": "new", "tags": { "key-id": "k-1" } });
    ask(router(&vault), "PUT", path, &ours, tagged).await;
    let read = ask(router(&vault), "GET", path, &ours, Value::Null).await;
    assert_eq!(read.body["tags"]["key-id"], "k-1");
    let long = json!({ "value": "new", "tags": { "key-id": "k".repeat(257) } });
    let put = ask(router(&vault), "PUT", path, &ours, long).await;
    assert_eq!(put.status, 400);
}
