use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

fn vault() -> Arc<KeyVault> {
    let world = World::for_tests();
    let entra = Entra::new(Arc::clone(&world));
    KeyVault::new(world, entra)
}

fn token(vault: &KeyVault) -> String {
    vault
        .entra
        .issue(json!({ "aud": "https://vault.azure.net" }))
}

async fn ask(
    router: Router,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.body(body).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

async fn call(vault: &Arc<KeyVault>, method: Method, path: &str, body: Option<Value>) -> Answer {
    let token = token(vault);
    ask(vault.router(), method, path, Some(&token), body).await
}

#[tokio::test]
async fn a_secret_is_stored_and_read_in_every_version() {
    let vault = vault();
    let path = "/secrets/graph-client-state?api-version=7.4";
    let first = call(&vault, Method::PUT, path, Some(json!({ "value": "one" }))).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.body["value"], "one");
    assert_eq!(first.body["attributes"]["enabled"], true);
    assert!(first.body["attributes"]["created"].is_i64());
    assert!(first.body["attributes"]["updated"].is_i64());
    assert!(first.headers.contains_key("x-ms-request-id"));
    call(&vault, Method::PUT, path, Some(json!({ "value": "two" }))).await;

    let newest = call(&vault, Method::GET, path, None).await;
    assert_eq!(newest.body["value"], "two");
    assert_ne!(newest.body["id"], first.body["id"]);
    assert_eq!(vault.get("Graph-Client-State").as_deref(), Some("two"));

    let base = format!("{}/", vault.world.endpoints.key_vault);
    let id = first.body["id"].as_str().expect("an id");
    let older = id.strip_prefix(&base).expect("in this vault");
    let older = format!("/{older}?api-version=7.4");
    let older = call(&vault, Method::GET, &older, None).await;
    assert_eq!(older.body["value"], "one");
}

#[tokio::test]
async fn an_unknown_secret_or_version_is_not_found() {
    let vault = vault();
    vault.set("known", "value");
    for name in ["unknown", "known/0123456789abcdef0123456789abcdef"] {
        let path = format!("/secrets/{name}?api-version=7.4");
        let answer = call(&vault, Method::GET, &path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body["error"]["code"], "SecretNotFound");
        assert!(answer.body["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn a_request_needs_a_token_for_the_vault() {
    let vault = vault();
    vault.set("name", "value");
    let for_storage = vault
        .entra
        .issue(json!({ "aud": "https://storage.azure.com" }));
    let path = "/secrets/name?api-version=7.4";
    for token in [None, Some("no token"), Some(for_storage.as_str())] {
        let answer = ask(vault.router(), Method::GET, path, token, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.body["error"]["code"], "Unauthorized");
        let challenge = answer.headers[header::WWW_AUTHENTICATE]
            .to_str()
            .expect("text");
        let tenant = &vault.world.config.tenant;
        assert_eq!(
            challenge,
            format!(
                "Bearer authorization=\"https://127.0.0.1:9/{tenant}\", resource=\"https://vault.azure.net\""
            )
        );
    }
}

#[tokio::test]
async fn requests_that_the_interface_does_not_know_are_refused() {
    let vault = vault();
    vault.set("name", "value");
    for path in [
        "/secrets/name",
        "/secrets/name?api-version=",
        "/secrets/name?api-version=1.0",
        "/secrets/a_b?api-version=7.4",
        "/secrets/..%2Fkeys?api-version=7.4",
    ] {
        let answer = call(&vault, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.body["error"]["code"], "BadParameter");
    }
    let path = "/secrets/name?api-version=7.4";
    for body in [
        None,
        Some(json!({})),
        Some(json!({ "value": "x".repeat(25 * 1024 + 1) })),
    ] {
        let answer = call(&vault, Method::PUT, path, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(vault.get("name").as_deref(), Some("value"));
}

#[tokio::test]
async fn control_needs_no_token() {
    let vault = vault();
    let path = "/local/key-vault/secrets/name";
    let missing = ask(vault.control(), Method::GET, path, None, None).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let body = Some(json!({ "value": "v" }));
    let written = ask(vault.control(), Method::PUT, path, None, body).await;
    assert_eq!(written.status, StatusCode::OK);
    let read = ask(vault.control(), Method::GET, path, None, None).await;
    assert_eq!(read.body, json!({ "value": "v" }));
}
