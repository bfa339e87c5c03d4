use secrecy::ExposeSecret;
use serde_json::json;

use super::tokens::{AUDIENCE, TENANT};
use crate::entra::{ClientAuthentication, DelegatedTokens};
use crate::error::{ErrorKind, Sent, Service};
use crate::testing::{Double, Reply, client, identity, no_secret, secret, vault};

struct Setting {
    entra: Double,
    vault: Double,
    tokens: DelegatedTokens,
}

async fn setting(
    authentication: ClientAuthentication,
    entra: Vec<Reply>,
    secrets: Vec<Reply>,
) -> Setting {
    let entra = Double::start(entra).await;
    let (vault, secrets) = vault(secrets).await;
    let tokens = DelegatedTokens::new(
        client(),
        &entra.base,
        TENANT,
        AUDIENCE,
        authentication,
        identity(),
        secrets,
    );
    Setting {
        entra,
        vault,
        tokens,
    }
}

fn grant(token: &str, refresh_token: &str) -> Reply {
    Reply::json(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token, "refresh_token": refresh_token}),
    )
}

fn refusal(error: &str, number: u32) -> Reply {
    let body = json!({"error": error, "error_description": format!("AADSTS{number}: …"),
                      "error_codes": [number], "trace_id": "t-1", "correlation_id": "k-1"});
    Reply::json(400, &body)
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_refresh_token_is_redeemed_with_an_assertion() {
    let Setting {
        entra,
        vault,
        tokens,
    } = setting(
        ClientAuthentication::Federated,
        vec![grant("a1", "r2")],
        vec![secret("r1"), secret("r2")],
    )
    .await;
    let all = futures::future::join_all((0..10).map(|_| tokens.token("support"))).await;
    assert!(
        all.iter()
            .all(|token| token.as_ref().expect("a token").expose_secret() == "a1")
    );
    let seen = entra.only();
    assert_eq!(seen.target, format!("/{TENANT}/oauth2/v2.0/token"));
    let form = seen.form();
    assert_eq!(field(&form, "grant_type"), Some("refresh_token"));
    assert_eq!(field(&form, "client_id"), Some(AUDIENCE));
    assert_eq!(field(&form, "refresh_token"), Some("r1"));
    assert_eq!(
        field(&form, "client_assertion"),
        Some("api://AzureADTokenExchange/.default#1")
    );
    assert_eq!(
        field(&form, "client_assertion_type"),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    assert_eq!(field(&form, "client_secret"), None);
    let seen = vault.seen();
    assert_eq!((seen.len(), seen[1].method.as_str()), (2, "PUT"));
    assert_eq!(
        seen[1].target,
        "/secrets/graph-refresh-token-support?api-version=7.4"
    );
    assert_eq!(seen[1].json(), json!({"value": "r2"}));
}

#[tokio::test]
async fn an_unchanged_refresh_token_is_not_stored() {
    let Setting { vault, tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![grant("a1", "r1")],
        vec![secret("r1")],
    )
    .await;
    tokens.token("support").await.expect("a token");
    assert_eq!(vault.only().method, "GET");
}

#[tokio::test]
async fn a_token_counts_though_its_refresh_token_cannot_be_stored() {
    let Setting { tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![grant("a1", "r2")],
        vec![secret("r1")],
    )
    .await;
    assert_eq!(
        tokens
            .token("support")
            .await
            .expect("a token")
            .expose_secret(),
        "a1"
    );
}

#[tokio::test]
async fn accounts_have_tokens_of_their_own() {
    let Setting { tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![grant("a1", "r1"), grant("a2", "r2")],
        vec![secret("r1"), secret("r2")],
    )
    .await;
    for _ in 0..2 {
        assert_eq!(
            tokens.token("one").await.expect("a token").expose_secret(),
            "a1"
        );
        assert_eq!(
            tokens.token("two").await.expect("a token").expose_secret(),
            "a2"
        );
    }
}

#[tokio::test]
async fn a_replaced_client_secret_is_found() {
    let Setting { entra, tokens, .. } = setting(
        ClientAuthentication::Secret,
        vec![refusal("invalid_client", 7_000_222), grant("a1", "r1")],
        vec![secret("r1"), secret("old"), secret("new")],
    )
    .await;
    assert_eq!(
        tokens
            .token("support")
            .await
            .expect("a token")
            .expose_secret(),
        "a1"
    );
    let forms: Vec<_> = entra.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!(field(&forms[0], "client_secret"), Some("old"));
    assert_eq!(field(&forms[1], "client_secret"), Some("new"));
    assert_eq!(field(&forms[1], "client_assertion"), None);
}

#[tokio::test]
async fn a_missing_refresh_token_needs_a_person() {
    let Setting { entra, tokens, .. } =
        setting(ClientAuthentication::Federated, vec![], vec![no_secret()]).await;
    let error = tokens.token("support").await.expect_err("no token");
    assert_eq!(
        (error.service, error.kind),
        (Service::Entra, ErrorKind::SignInNeeded)
    );
    assert!(entra.seen().is_empty());
}

#[tokio::test]
async fn a_vault_that_is_away_is_passed_on_and_nothing_was_sent() {
    let Setting { entra, tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![],
        vec![Reply::new(503, "")],
    )
    .await;
    let error = tokens.token("support").await.expect_err("no token");
    assert_eq!(
        (error.service, error.kind),
        (Service::KeyVault, ErrorKind::Unavailable)
    );
    assert_eq!(error.sent, Sent::No);
    assert!(entra.seen().is_empty());
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    use ErrorKind::*;
    let table = [
        ("invalid_grant", 700_082, SignInNeeded),
        ("invalid_grant", 50_173, SignInNeeded),
        ("interaction_required", 50_076, SignInNeeded),
        ("invalid_grant", 65_001, Configuration),
        ("unauthorized_client", 700_016, Configuration),
        ("invalid_client", 70_021, Configuration),
        ("invalid_request", 900_144, Configuration),
        ("invalid_grant", 50_196, Throttled),
        ("temporarily_unavailable", 90_033, Unavailable),
    ];
    for (error, number, kind) in table {
        let Setting { tokens, .. } = setting(
            ClientAuthentication::Federated,
            vec![refusal(error, number)],
            vec![secret("r1")],
        )
        .await;
        let error = tokens.token("support").await.expect_err("no token");
        assert_eq!((error.kind, error.sent), (kind, Sent::No), "{error}");
        assert!(error.request_ids.contains(&("trace_id", "t-1".to_owned())));
    }
}

#[tokio::test]
async fn a_refusal_that_only_a_person_mends_is_not_asked_for_in_a_loop() {
    let Setting { entra, tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![refusal("invalid_grant", 50_173)],
        vec![secret("r1")],
    )
    .await;
    for _ in 0..5 {
        tokens.token("support").await.expect_err("no token");
    }
    assert_eq!(entra.seen().len(), 1);
}

#[tokio::test]
async fn nothing_secret_shows() {
    let Setting { tokens, .. } = setting(
        ClientAuthentication::Federated,
        vec![grant("a1", "r1")],
        vec![secret("r1")],
    )
    .await;
    tokens.token("support").await.expect("a token");
    let shown = format!("{tokens:?}");
    assert!(!shown.contains("a1") && !shown.contains("r1"), "{shown}");
}
