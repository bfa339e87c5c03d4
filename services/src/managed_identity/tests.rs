use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::testing::{Credential, Double, Reply, client};

const SCOPE: &str = "https://servicebus.azure.net/.default";

fn identity(life: Duration) -> (Arc<Credential>, ManagedIdentity) {
    let credential = Arc::new(Credential {
        calls: AtomicUsize::new(0),
        life,
    });
    (
        Arc::clone(&credential),
        ManagedIdentity::from_credential(credential),
    )
}

#[tokio::test]
async fn each_scope_has_one_token() {
    let (credential, identity) = identity(Duration::from_secs(3600));
    for _ in 0..3 {
        let all = futures::future::join_all((0..10).map(|_| identity.token("a"))).await;
        assert!(
            all.iter()
                .all(|token| token.as_ref().expect("a token").expose_secret() == "a#1")
        );
        assert_eq!(
            identity.token("b").await.expect("a token").expose_secret(),
            "b#2"
        );
    }
    assert_eq!(credential.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_about_to_end_is_not_given_out() {
    let (credential, identity) = identity(UNUSED_BEFORE_END);
    for _ in 0..3 {
        identity.token("a").await.expect("a token");
    }
    assert_eq!(credential.calls.load(Ordering::SeqCst), 3);
}

/// Set in the process that plays the Function App; it says what is expected of the endpoint.
const EXPECTED: &str = "IDENTITY_TEST_EXPECTS";

/// `azure_identity` reads the environment, which a test must not change under the others: the test runs itself again as a
/// process with the environment of App Service.
#[tokio::test]
async fn the_endpoint_of_app_service_is_asked() {
    if let Ok(expected) = std::env::var(EXPECTED) {
        as_function_app(&expected).await;
        return;
    }
    let ends = OffsetDateTime::now_utc().unix_timestamp() + 3600;
    let token = json!({"access_token": "from-endpoint", "expires_on": ends.to_string(),
                       "resource": "https://servicebus.azure.net", "token_type": "Bearer"});
    let endpoint = Double::start([Reply::json(200, &token)]).await;
    run_as_function_app(&endpoint, "token").await;
    let seen = endpoint.only();
    assert_eq!(
        seen.target,
        "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fservicebus.azure.net&client_id=client-1"
    );
    assert_eq!(seen.header("x-identity-header"), "header-1");

    let body = json!({"statusCode": 400, "message": "the identity of anna"});
    let endpoint = Double::start([Reply::json(400, &body)]).await;
    run_as_function_app(&endpoint, "rejected").await;
    assert_eq!(endpoint.seen().len(), 1, "no attempts of the crate's own");

    let endpoint = Double::start([Reply::new(503, "").header("retry-after", "2")]).await;
    run_as_function_app(&endpoint, "unavailable").await;
    assert_eq!(endpoint.seen().len(), 1);
}

async fn run_as_function_app(endpoint: &Double, expected: &str) {
    let test = std::env::current_exe().expect("this program");
    let output = tokio::process::Command::new(test)
        .args([
            "--exact",
            "managed_identity::tests::the_endpoint_of_app_service_is_asked",
        ])
        .env("IDENTITY_ENDPOINT", format!("{}/msi/token", endpoint.base))
        .env("IDENTITY_HEADER", "header-1")
        .env(EXPECTED, expected)
        .output()
        .await
        .expect("a process");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

async fn as_function_app(expected: &str) {
    let identity = ManagedIdentity::new(client(), "client-1").expect("an identity");
    let result = identity.token(SCOPE).await;
    if expected == "token" {
        assert_eq!(result.expect("a token").expose_secret(), "from-endpoint");
        return;
    }
    let error = result.expect_err("a refusal");
    assert_eq!(error.service, Service::ManagedIdentity);
    assert_eq!((error.kind.label(), error.sent), (expected, Sent::No));
    assert!(!format!("{error} {error:?}").contains("anna"));
    if expected == "unavailable" {
        assert_eq!(error.retry_after, Some(Duration::from_secs(2)));
    }
}
