use secrecy::ExposeSecret;
use serde_json::json;

use crate::entra::{ClientAuthentication, DelegatedTokens};
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::testing::{Double, Reply, TENANT, delegated, no_secret, secret, vault};

/// Support accounts' tokens between an Entra ID and a vault that give these answers.
pub(super) struct Setting {
    pub(super) entra: Double,
    pub(super) vault: Double,
    pub(super) tokens: DelegatedTokens,
}

impl Setting {
    pub(super) async fn with(
        authentication: ClientAuthentication,
        entra: impl IntoIterator<Item = Reply>,
        secrets: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let entra = Double::start(entra).await;
        let (vault, secrets) = vault(secrets).await;
        let tokens = delegated(&entra, authentication, secrets);
        Self {
            entra,
            vault,
            tokens,
        }
    }

    /// With a federated credential.
    pub(super) async fn start(
        entra: impl IntoIterator<Item = Reply>,
        secrets: impl IntoIterator<Item = Reply>,
    ) -> Self {
        Self::with(ClientAuthentication::Federated, entra, secrets).await
    }

    pub(super) async fn token(&self, account: &str) -> String {
        let token = self.tokens.of(account).get().await.expect("a token");
        token.expose_secret().to_owned()
    }

    pub(super) async fn error(&self, account: &str) -> ServiceError {
        self.tokens.of(account).get().await.expect_err("no token")
    }
}

fn grant(token: &str, refresh_token: &str) -> Reply {
    Reply::json(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token, "refresh_token": refresh_token}),
    )
}

pub(super) fn refusal(error: &str, number: u32) -> Reply {
    let body = json!({"error": error, "error_description": format!("AADSTS{number}: …"),
                      "error_codes": [number], "trace_id": "t-1", "correlation_id": "k-1"});
    let is_about_client = error == "invalid_client";
    Reply::json(if is_about_client { 401 } else { 400 }, &body)
}

#[tokio::test]
async fn a_refresh_token_is_redeemed_with_an_assertion() {
    let setting = Setting::start([grant("a1", "r2")], [secret("r1")]).await;
    let all = futures::future::join_all((0..10).map(|_| setting.token("support"))).await;
    assert!(all.iter().all(|token| token == "a1"));
    let seen = setting.entra.only();
    assert_eq!(seen.target, format!("/{TENANT}/oauth2/v2.0/token"));
    let assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = [
        ("client_id", "client"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "r1"),
        ("client_assertion_type", assertion_type),
        ("client_assertion", "api://AzureADTokenExchange/.default#1"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(seen.form(), form);
    let read = setting.vault.only();
    let target = "/secrets/graph-refresh-token-support?api-version=7.4";
    assert_eq!(
        (read.method.as_str(), read.target.as_str()),
        ("GET", target)
    );
    let shown = format!("{:?}", setting.tokens);
    assert!(!shown.contains("a1") && !shown.contains("r1"), "{shown}");
}

/// The values that were stored in a renewal with this refresh token granted and these values in the vault.
async fn stored(granted: &str, secrets: &[&str]) -> Vec<String> {
    let secrets = secrets.iter().map(|value| secret(value));
    let setting = Setting::start([grant("a1", granted)], secrets).await;
    let renewed = setting.tokens.renew_refresh_token("support").await;
    renewed.expect("renewed");
    let puts = setting.vault.seen().into_iter();
    let puts = puts.filter(|seen| seen.method == "PUT");
    puts.map(|seen| seen.json()["value"].to_string()).collect()
}

#[tokio::test]
async fn a_renewal_stores_a_newer_refresh_token_unless_somebody_signed_in_meanwhile() {
    assert_eq!(stored("r2", &["r1", "r1", "r2"]).await, ["\"r2\""]);
    assert!(stored("r2", &["r1", "of a sign-in"]).await.is_empty());
    assert!(stored("r1", &["r1"]).await.is_empty(), "it is the same");
}

#[tokio::test]
async fn a_renewal_that_cannot_be_stored_or_granted_says_so() {
    let setting = Setting::start([grant("a1", "r2")], [secret("r1"), secret("r1")]).await;
    let error = setting.tokens.renew_refresh_token("support").await;
    let error = error.expect_err("the script is over");
    assert_eq!(error.service, Service::KeyVault);
    let setting = Setting::start([refusal("invalid_grant", 700_082)], [secret("r1")]).await;
    let error = setting.tokens.renew_refresh_token("support").await;
    assert_eq!(error.expect_err("ended").kind, ErrorKind::SignInNeeded);
}

#[tokio::test]
async fn accounts_have_tokens_of_their_own() {
    let grants = [grant("a1", "r1"), grant("a2", "r2")];
    let setting = Setting::start(grants, [secret("r1"), secret("r2")]).await;
    for _ in 0..2 {
        assert_eq!(setting.token("one").await, "a1");
        assert_eq!(setting.token("two").await, "a2");
    }
}

#[tokio::test]
async fn a_replaced_client_secret_is_found() {
    let answers = [refusal("invalid_client", 7_000_222), grant("a1", "r1")];
    let secrets = [secret("r1"), secret("old"), secret("new")];
    let setting = Setting::with(ClientAuthentication::Secret, answers, secrets).await;
    assert_eq!(setting.token("support").await, "a1");
    for (seen, value) in setting.entra.seen().iter().zip(["old", "new"]) {
        let form = seen.form();
        let proof = ("client_secret".to_owned(), value.to_owned());
        assert_eq!(form.last(), Some(&proof));
        assert_eq!(form.len(), 4, "no assertion");
    }
}

#[tokio::test]
async fn without_a_refresh_token_nothing_is_sent() {
    use ErrorKind::{SignInNeeded, Unavailable};
    for (reply, service, kind) in [
        (no_secret(), Service::Entra, SignInNeeded),
        (secret("none"), Service::Entra, SignInNeeded),
        (Reply::new(503, ""), Service::KeyVault, Unavailable),
    ] {
        let setting = Setting::start([], [reply]).await;
        let error = setting.error("support").await;
        assert_eq!((error.service, error.kind), (service, kind));
        assert_eq!(error.sent, Sent::No);
        assert!(setting.entra.seen().is_empty());
    }
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    use ErrorKind::{Configuration, SignInNeeded, Throttled, Unavailable};
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
        let setting = Setting::start([refusal(error, number)], [secret("r1")]).await;
        let error = setting.error("support").await;
        assert_eq!((error.kind, error.sent), (kind, Sent::No), "{error}");
        assert!(error.request_ids.contains(&("trace_id", "t-1".to_owned())));
    }
}

#[tokio::test]
async fn a_refusal_that_only_a_person_mends_is_not_asked_for_in_a_loop() {
    let setting = Setting::start([refusal("invalid_grant", 50_173)], [secret("r1")]).await;
    for _ in 0..5 {
        setting.error("support").await;
    }
    assert_eq!(setting.entra.seen().len(), 1);
}
