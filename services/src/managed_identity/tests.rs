use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::renewal::TOKEN_UNUSED_BEFORE_END;
use crate::testing::{Credential, Double, Reply, client, run_again};

const SCOPE: &str = "https://servicebus.azure.net/.default";

fn identity(life: Duration) -> (Arc<Credential>, ManagedIdentity) {
    let credential = Arc::new(Credential {
        calls: AtomicUsize::new(0),
        life,
    });
    let identity = ManagedIdentity::from_credential(credential.clone());
    (credential, identity)
}

#[tokio::test]
async fn each_scope_has_one_token_until_it_is_about_to_end() {
    let (credential, lasting) = identity(Duration::from_secs(3600));
    for (scope, expected) in [("a", "a#1"), ("b", "b#2"), ("a", "a#1")] {
        for token in join_all((0..10).map(|_| lasting.token(scope))).await {
            assert_eq!(token.expect("a token").expose_secret(), expected);
        }
    }
    assert_eq!(credential.calls.load(Ordering::SeqCst), 2);
    let (credential, ending) = identity(TOKEN_UNUSED_BEFORE_END);
    for _ in 0..3 {
        ending.token("a").await.expect("a token");
    }
    assert_eq!(credential.calls.load(Ordering::SeqCst), 3);
}

/// Set in the process that plays the Function App; it says what is expected of the endpoint.
const EXPECTED: &str = "IDENTITY_TEST_EXPECTS";

const TEST: &str = "managed_identity::tests::the_endpoint_of_app_service_is_asked";

/// `azure_identity` reads the environment, so the test runs itself again as a process with that of App Service.
#[tokio::test]
async fn the_endpoint_of_app_service_is_asked() {
    if let Ok(expected) = std::env::var(EXPECTED) {
        as_function_app(&expected).await;
        return;
    }
    let ends = OffsetDateTime::now_utc().unix_timestamp() + 3600;
    let token = json!({"access_token": "from-endpoint", "expires_on": ends.to_string(),
                       "resource": "https://servicebus.azure.net", "token_type": "Bearer"});
    let body = json!({"statusCode": 400, "message": "the identity of anna"});
    let away = Reply::new(503, "").header("retry-after", "2");
    for (reply, expected) in [
        (Reply::json(200, &token), "token"),
        (Reply::json(400, &body), "rejected"),
        (away, "unavailable"),
    ] {
        let endpoint = Double::start([reply]).await;
        let address = format!("{}/msi/token", endpoint.base);
        let variables = [
            ("IDENTITY_ENDPOINT", &*address),
            ("IDENTITY_HEADER", "header-1"),
            (EXPECTED, expected),
        ];
        run_again(TEST, &variables).await;
        // No attempts of the crate's own.
        let seen = endpoint.only();
        let query =
            "api-version=2019-08-01&resource=https%3A%2F%2Fservicebus.azure.net&client_id=client-1";
        assert_eq!(seen.target, format!("/msi/token?{query}"));
        assert_eq!(seen.header("x-identity-header"), "header-1");
    }
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
