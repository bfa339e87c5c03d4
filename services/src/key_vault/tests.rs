use super::*;
use crate::error::Sent;
use crate::testing::{Double, Reply, client, identity, no_secret, secret};

async fn vault(replies: impl IntoIterator<Item = Reply>) -> (Double, KeyVault) {
    let double = Double::start(replies).await;
    let vault = KeyVault::new(client(), &format!("{}/", double.base), identity());
    (double, vault)
}

#[tokio::test]
async fn a_secret_is_read_in_its_newest_version_and_stored() {
    let (double, vault) = vault([secret("s3cret"), secret("new")]).await;
    let name = "graph-refresh-token-a";
    let value = vault.get(name).await.expect("an answer").expect("a secret");
    assert_eq!(value.expose_secret(), "s3cret");
    let stored = vault.set(name, &SecretString::from("new\n")).await;
    stored.expect("stored");
    let seen = double.seen();
    for (seen, method) in seen.iter().zip(["GET", "PUT"]) {
        let target = "/secrets/graph-refresh-token-a?api-version=7.4";
        assert_eq!((&*seen.method, &*seen.target), (method, target));
        let token = "Bearer https://vault.azure.net/.default#1";
        assert_eq!(seen.header("authorization"), token);
    }
    assert_eq!(seen[1].json(), json!({"value": "new\n"}));
}

#[tokio::test]
async fn a_version_is_stored_with_its_key_and_read_with_its_time() {
    let bundle = json!({"value": "s3cret", "id": "https://vault/secrets/name/version", "tags": {"key-id": "k-1"},
                        "attributes": {"enabled": true, "created": 1_796_000_000, "updated": 1_796_000_000}});
    let (double, vault) = vault([Reply::json(200, &bundle), secret("untagged")]).await;
    let value = SecretString::from("s3cret");
    vault.store("name", &value, "k-1").await.expect("stored");
    let stored = json!({"value": "s3cret", "tags": {"key-id": "k-1"}});
    assert_eq!(double.only().json(), stored);
    // A version without its time is not what the service documents.
    let undated = vault.newest("name").await.expect_err("no time");
    assert_eq!(undated.kind, ErrorKind::Malformed);
    double.push(Reply::json(200, &bundle));
    let version = vault.newest("name").await.expect("an answer").expect("one");
    assert_eq!(version.value.expose_secret(), "s3cret");
    assert_eq!(version.key.as_deref(), Some("k-1"));
    assert_eq!(version.stored.unix_timestamp(), 1_796_000_000);
    double.push(no_secret());
    assert!(vault.newest("name").await.expect("an answer").is_none());
}

#[tokio::test]
async fn the_place_of_a_secret_is_none_and_is_what_clearing_leaves() {
    let (double, vault) = vault([secret("none"), secret("none\n"), secret("none")]).await;
    assert!(vault.get("name").await.expect("an answer").is_none());
    assert!(vault.newest("name").await.expect("an answer").is_none());
    vault.clear("name").await.expect("cleared");
    assert_eq!(double.seen()[2].json(), json!({ "value": PLACE }));
}

#[tokio::test]
async fn the_value_counts_whatever_form_the_rest_has() {
    for (attributes, tags) in [
        (json!(null), json!(null)),
        (json!({ "created": "today" }), json!({ "key-id": 7 })),
        (json!([]), json!("none")),
    ] {
        let bundle = json!({ "value": "s3cret", "attributes": attributes, "tags": tags });
        let (_, vault) = vault([Reply::json(200, &bundle)]).await;
        let value = vault.get("name").await.expect("an answer").expect("one");
        assert_eq!(value.expose_secret(), "s3cret");
    }
}

#[tokio::test]
async fn the_place_of_a_secret_is_none() {
    let place = || {
        Reply::json(
            200,
            &json!({ "value": PLACE, "attributes": { "created": 1 } }),
        )
    };
    let (double, vault) = vault([place(), place()]).await;
    assert!(vault.get("name").await.expect("an answer").is_none());
    assert!(vault.newest("name").await.expect("an answer").is_none());
    double.push(place());
    vault.clear("name").await.expect("cleared");
    assert_eq!(double.seen()[2].json(), json!({ "value": PLACE }));
}

#[tokio::test]
async fn a_missing_secret_is_no_error_but_a_refusal_is() {
    let body = json!({"error": {"code": "Forbidden", "innererror": {"code": "ForbiddenByRbac"}}});
    let refusal = Reply::json(403, &body).header("x-ms-request-id", "r-1");
    let (_, vault) = vault([no_secret(), refusal]).await;
    assert!(vault.get("absent").await.expect("an answer").is_none());
    let error = vault.get("name").await.expect_err("a refusal");
    let text = "key-vault: forbidden, status 403, code Forbidden, x-ms-request-id r-1";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_name_cannot_leave_its_place() {
    let (double, vault) = vault([no_secret()]).await;
    vault.get("../keys/a?b").await.expect("an answer");
    let target = "/secrets/..%2Fkeys%2Fa%3Fb?api-version=7.4";
    assert_eq!(double.only().target, target);
    let error = vault.get("..").await.expect_err("no name");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
}

#[test]
fn the_audience_is_that_of_the_cloud() {
    for (url, suffix) in [
        ("https://a.vault.azure.net/", "vault.azure.net"),
        ("https://a.vault.azure.cn", "vault.azure.cn"),
        (
            "https://a.vault.usgovcloudapi.net",
            "vault.usgovcloudapi.net",
        ),
        ("https://127.0.0.1:7445", "vault.azure.net"),
    ] {
        let vault = KeyVault::new(client(), url, identity());
        assert_eq!(vault.scope, format!("https://{suffix}/.default"));
    }
}
