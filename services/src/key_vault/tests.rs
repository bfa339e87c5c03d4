use serde_json::json;

use super::*;
use crate::error::Sent;
use crate::testing::{Double, Reply, client, identity, no_secret, secret};

async fn vault(replies: impl IntoIterator<Item = Reply>) -> (Double, KeyVault) {
    let double = Double::start(replies).await;
    let vault = KeyVault::new(client(), &format!("{}/", double.base), identity());
    (double, vault)
}

#[tokio::test]
async fn a_secret_is_read_in_its_newest_version() {
    let (double, vault) = vault([secret("s3cret")]).await;
    let value = vault
        .get("graph-client-state")
        .await
        .expect("an answer")
        .expect("a secret");
    assert_eq!(value.expose_secret(), "s3cret");
    let seen = double.only();
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.target, "/secrets/graph-client-state?api-version=7.4");
    assert_eq!(
        seen.header("authorization"),
        "Bearer https://vault.azure.net/.default#1"
    );
}

#[tokio::test]
async fn a_missing_secret_is_no_error() {
    let (_, vault) = vault([no_secret()]).await;
    assert!(vault.get("absent").await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_refusal_is_an_error() {
    let body = json!({"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}});
    let (_, vault) = vault([Reply::json(403, &body).header("x-ms-request-id", "r-1")]).await;
    let error = vault.get("name").await.expect_err("a refusal");
    assert_eq!(
        (error.service, error.kind),
        (Service::KeyVault, ErrorKind::Forbidden)
    );
    assert_eq!(error.request_ids, [("x-ms-request-id", "r-1".to_owned())]);
}

#[tokio::test]
async fn a_secret_is_stored() {
    let (double, vault) = vault([secret("new")]).await;
    vault
        .set("graph-refresh-token-a", &SecretString::from("new\n"))
        .await
        .expect("stored");
    let seen = double.only();
    assert_eq!(seen.method, "PUT");
    assert_eq!(
        seen.target,
        "/secrets/graph-refresh-token-a?api-version=7.4"
    );
    assert_eq!(seen.json(), json!({"value": "new\n"}));
}

#[tokio::test]
async fn a_name_cannot_leave_its_place() {
    let (double, vault) = vault([no_secret()]).await;
    vault.get("../keys/a?b").await.expect("an answer");
    assert_eq!(
        double.only().target,
        "/secrets/..%2Fkeys%2Fa%3Fb?api-version=7.4"
    );
    let error = vault.get("..").await.expect_err("no name");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
}

#[test]
fn the_audience_is_that_of_the_cloud() {
    let scope = |url: &str| KeyVault::new(client(), url, identity()).scope;
    assert_eq!(
        scope("https://a.vault.azure.net/"),
        "https://vault.azure.net/.default"
    );
    assert_eq!(
        scope("https://a.vault.azure.cn"),
        "https://vault.azure.cn/.default"
    );
    let government = "https://a.vault.usgovcloudapi.net";
    assert_eq!(
        scope(government),
        "https://vault.usgovcloudapi.net/.default"
    );
    assert_eq!(
        scope("https://127.0.0.1:7445"),
        "https://vault.azure.net/.default"
    );
}
