//! What the vault refuses.

use http::header;
use serde_json::{Value, json};

use std::sync::Arc;

use super::*;
use crate::entra::Entra;
use crate::front::with_faults;
use crate::hub::FaultService;
use crate::testing::{Answer, ask};
use crate::world::World;

fn vault() -> Arc<KeyVault> {
    let world = World::for_tests();
    let entra = Entra::new(Arc::clone(&world));
    KeyVault::new(world, entra)
}

/// A call of the managed identity; the rest of the path may hold a query.
async fn call(vault: &Arc<KeyVault>, method: &str, path: &str, body: Value) -> Answer {
    let token = vault
        .entra
        .managed_identity_token("https://vault.azure.net");
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{mark}api-version=7.4");
    ask(router(vault), method, &path, &token.0, body).await
}

async fn order(vault: &Arc<KeyVault>, method: &str, path: &str, body: Value) -> u16 {
    let path = format!("/local/key-vault/{path}");
    ask(control(vault), method, &path, "", body).await.status
}

#[tokio::test]
async fn a_request_needs_a_token_for_the_vault_and_a_known_form() {
    let vault = vault();
    vault.place("name", "value").expect("nothing deleted");
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

#[tokio::test]
async fn versions_are_kept_listed_and_read() {
    let vault = vault();
    let mut ids = Vec::new();
    for number in 0..27 {
        let body = json!({ "value": number.to_string(), "tags": { "key-id": "k" } });
        let set = call(&vault, "PUT", "/secrets/name", body).await;
        let id = set.text("id").rsplit('/').next().map(str::to_owned);
        ids.push(id.expect("a version"));
    }
    let newest = call(&vault, "GET", "/secrets/NAME", Value::Null).await;
    assert_eq!(newest.text("value"), "26");
    let path = format!("/secrets/name/{}", ids[3]);
    let third = call(&vault, "GET", &path, Value::Null).await;
    assert_eq!(third.text("value"), "3");
    let unknown = call(&vault, "GET", "/secrets/name/0123", Value::Null).await;
    assert_eq!(
        (unknown.status, &unknown.body["error"]["code"]),
        (404, &json!("SecretNotFound"))
    );
    for (path, pages) in [
        ("/secrets/name/versions", vec![25, 2]),
        ("/secrets/name/versions?maxresults=20", vec![20, 7]),
    ] {
        let (mut listed, mut path) = (Vec::new(), path.to_owned());
        for page in pages {
            let answer = call(&vault, "GET", &path, Value::Null).await;
            let items = answer.body["value"].as_array().expect("a list");
            assert_eq!(items.len(), page);
            assert!(items.iter().all(|it| it.get("value").is_none()));
            let id = |it: &Value| {
                it["id"]
                    .as_str()
                    .and_then(|it| it.rsplit('/').next().map(str::to_owned))
            };
            listed.extend(items.iter().filter_map(id));
            let next = answer.text("nextLink");
            let next = next.replace(&vault.world.endpoints.key_vault, "");
            path = next.replace("api-version=7.4&", "");
        }
        assert_eq!((listed, path.as_str()), (ids.clone(), ""));
    }
    for wrong in ["0", "26", "x"] {
        let path = format!("/secrets/name/versions?maxresults={wrong}");
        assert_eq!(
            call(&vault, "GET", &path, Value::Null).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_deleted_secret_is_gone_and_its_name_taken_until_it_is_recovered() {
    let vault = vault();
    let body = json!({ "value": "first" });
    call(&vault, "PUT", "/secrets/name", body.clone()).await;
    let deleted = call(&vault, "DELETE", "/secrets/name", Value::Null).await;
    assert_eq!((deleted.status, deleted.body.get("value")), (200, None));
    assert!(deleted.text("recoveryId").ends_with("/deletedsecrets/name"));
    let days = |name: &str| deleted.body[name].as_i64().expect("a time") / 86400;
    assert_eq!(days("scheduledPurgeDate") - days("deletedDate"), 90);
    for (method, path, status, inner) in [
        ("GET", "/secrets/name", 404, Value::Null),
        ("GET", "/secrets/name/versions", 200, Value::Null),
        ("DELETE", "/secrets/name", 404, Value::Null),
        (
            "PUT",
            "/secrets/name",
            409,
            json!("ObjectIsDeletedButRecoverable"),
        ),
        ("GET", "/deletedsecrets/name", 403, json!("ForbiddenByRbac")),
        (
            "DELETE",
            "/deletedsecrets/name",
            403,
            json!("ForbiddenByRbac"),
        ),
        (
            "POST",
            "/deletedsecrets/name/recover",
            403,
            json!("ForbiddenByRbac"),
        ),
    ] {
        let answer = call(&vault, method, path, body.clone()).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.body["error"]["innererror"]["code"], inner,
            "{method} {path}"
        );
    }
    assert_eq!(
        order(&vault, "PUT", "secrets/name", body.clone()).await,
        409
    );
    assert_eq!(order(&vault, "POST", "secrets/name", body).await, 409);
    for status in [204, 404] {
        assert_eq!(
            order(&vault, "POST", "secrets/name/recover", Value::Null).await,
            status
        );
    }
    let recovered = call(&vault, "GET", "/secrets/name", Value::Null).await;
    assert_eq!(recovered.text("value"), "first");
    for status in [204, 404] {
        assert_eq!(
            order(&vault, "DELETE", "secrets/name", Value::Null).await,
            status
        );
    }
}

#[tokio::test]
async fn the_identity_writes_what_it_has_a_role_on_and_reads_all() {
    let vault = vault();
    let body = json!({ "value": "x" });
    for name in ["mine", "theirs"] {
        vault.place(name, "first").expect("nothing deleted");
    }
    let unknown = json!({ "secrets": ["mine", "unknown"] });
    assert_eq!(order(&vault, "PUT", "writable", unknown).await, 404);
    let roles = json!({ "secrets": ["Mine"] });
    assert_eq!(order(&vault, "PUT", "writable", roles).await, 204);
    for (method, name, status) in [
        ("PUT", "mine", 200),
        ("PUT", "theirs", 403),
        ("DELETE", "theirs", 403),
        ("PUT", "unknown", 403),
        ("GET", "theirs", 200),
    ] {
        let path = format!("/secrets/{name}");
        let answer = call(&vault, method, &path, body.clone()).await;
        assert_eq!(answer.status, status, "{method} {name}");
        if status == 403 {
            assert_eq!(answer.body["error"]["code"], "Forbidden");
            assert_eq!(
                answer.body["error"]["innererror"]["code"],
                "ForbiddenByRbac"
            );
        }
    }
    assert_eq!(
        vault.get("theirs").map(|it| it.value).as_deref(),
        Some("first")
    );
    let all = json!({ "secrets": null });
    assert_eq!(order(&vault, "PUT", "writable", all).await, 204);
    let answer = call(&vault, "PUT", "/secrets/theirs", body).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_deployment_places_what_is_not_there_and_nothing_else() {
    let vault = vault();
    let none = json!({ "value": "none" });
    assert_eq!(
        order(&vault, "POST", "secrets/name", none.clone()).await,
        201
    );
    call(&vault, "PUT", "/secrets/name", json!({ "value": "made" })).await;
    assert_eq!(order(&vault, "POST", "secrets/name", none).await, 200);
    assert_eq!(vault.versions("name").len(), 2);
    assert_eq!(
        vault.get("name").map(|it| it.value).as_deref(),
        Some("made")
    );
}

#[tokio::test]
async fn throttling_and_failures_can_be_ordered() {
    let vault = vault();
    vault.place("name", "value").expect("nothing deleted");
    let throttled = json!({ "service": "key-vault", "times": 1, "status": 429, "retry_after": 7, "code": "Throttled" });
    let down = json!({ "service": "key-vault", "times": 1, "status": 503, "method": "PUT" });
    let faults = &vault.world.hub.faults;
    let rules = json!({ "rules": [throttled, down] });
    let rules = serde_json::from_value(rules).expect("rules");
    faults.replace(rules).expect("good rules");
    let router = with_faults(router(&vault), &vault.world, FaultService::KeyVault);
    let token = vault
        .entra
        .managed_identity_token("https://vault.azure.net");
    let path = "/secrets/name?api-version=7.4";
    let mut seen = Vec::new();
    for method in ["GET", "PUT", "GET", "PUT"] {
        let body = json!({ "value": "new" });
        let answer = ask(router.clone(), method, path, &token.0, body).await;
        if answer.status == 429 {
            assert_eq!(answer.headers[header::RETRY_AFTER], "7");
            assert_eq!(answer.body["error"]["code"], "Throttled");
        }
        seen.push(answer.status);
    }
    assert_eq!(seen, [429, 503, 200, 200]);
    assert_eq!(
        vault.versions("name").len(),
        2,
        "what was refused had no effect"
    );
}
