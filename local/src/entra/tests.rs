//! What Entra ID and the managed-identity endpoint refuse, by Microsoft's numbers.

mod agent;
mod authorize;

use std::sync::Arc;

use http::header;
use serde_json::{Value, json};

use super::state::EXCHANGE_AUDIENCE;
use super::*;
use crate::testing::{self, Answer, request};
use crate::world::Config;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn entra(mode: &str) -> Arc<Entra> {
    let config = Config {
        graph_client_authentication: mode.to_owned(),
        ..Config::default()
    };
    Entra::new(testing::world(config, "http://127.0.0.1:9"))
}

async fn redeem(entra: &Arc<Entra>, refresh_token: &str, more: &[(&str, &str)]) -> Answer {
    let client = &entra.world.config.graph_client_id;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", refresh_token),
    ];
    // What comes later under the same name counts.
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.iter().chain(more))
        .finish();
    let path = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    post(entra, &path, form).await
}

async fn post(entra: &Arc<Entra>, path: &str, form: String) -> Answer {
    let mut request = request("POST", path, "", &json!({}));
    let kind = header::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    *request.body_mut() = form.into();
    testing::send(router(entra), request).await
}

async fn identity(entra: &Arc<Entra>, query: &[(&str, &str)], secret: &str) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let mut request = request("GET", &format!("/msi/token?{query}"), "", &Value::Null);
    let secret = secret.parse().expect("a value");
    request.headers_mut().insert("X-IDENTITY-HEADER", secret);
    testing::send(identity_router(entra), request).await
}

async fn identity_token(entra: &Arc<Entra>, resource: &str) -> String {
    let client = &entra.world.config.managed_identity_client_id;
    let query = [
        ("api-version", "2019-08-01"),
        ("resource", resource),
        ("client_id", client.as_str()),
    ];
    identity(entra, &query, "identity-header")
        .await
        .text("access_token")
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str, number: u32) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["error"], error);
    assert_eq!(answer.body["error_codes"], json!([number]));
    let description = answer.text("error_description");
    assert!(description.starts_with(&format!("AADSTS{number}: ")));
}

#[tokio::test]
async fn an_assertion_must_be_the_managed_identitys_and_meant_for_the_exchange() {
    let entra = entra("federated");
    let refresh_token = entra.refresh_token_for("support");
    let right = identity_token(&entra, EXCHANGE_AUDIENCE).await;
    let other_audience = identity_token(&entra, "https://vault.azure.net").await;
    let somebody = entra.issue(json!({ "aud": EXCHANGE_AUDIENCE, "oid": "x", "sub": "x" }));
    let proof = |assertion| {
        [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ]
    };
    for (assertion, number) in [
        (other_audience.as_str(), 700_027),
        (somebody.as_str(), 700_213),
        ("no token", 700_027),
    ] {
        let answer = redeem(&entra, &refresh_token, &proof(assertion)).await;
        assert_refused(&answer, 401, "invalid_client", number);
    }
    let untyped = redeem(&entra, &refresh_token, &[("client_assertion", &right)]).await;
    assert_refused(&untyped, 400, "invalid_request", 50033);
    let first = redeem(&entra, &refresh_token, &proof(&right)).await;
    assert_ne!(first.text("refresh_token"), refresh_token);
    let again = redeem(&entra, &refresh_token, &proof(&right)).await;
    assert_eq!(again.status, 200, "the old one stays valid");
}

#[tokio::test]
async fn the_client_secret_counts_in_its_mode_alone() {
    for (mode, with_secret, with_assertion) in [("secret", 200, 401), ("federated", 401, 200)] {
        let entra = entra(mode);
        let refresh_token = entra.refresh_token_for("support");
        let secret = entra.graph_client_secret();
        let answer = redeem(&entra, &refresh_token, &[("client_secret", &secret)]).await;
        assert_eq!(answer.status, with_secret, "{mode}");
        let assertion = identity_token(&entra, EXCHANGE_AUDIENCE).await;
        let proof = [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &assertion),
        ];
        let answer = redeem(&entra, &refresh_token, &proof).await;
        assert_eq!(answer.status, with_assertion, "{mode}");
        let wrong = redeem(&entra, &refresh_token, &[("client_secret", "wrong")]).await;
        assert_refused(&wrong, 401, "invalid_client", 7_000_215);
        let none = redeem(&entra, &refresh_token, &[]).await;
        assert_refused(&none, 401, "invalid_client", 7_000_218);
    }
}

#[tokio::test]
async fn requests_for_others_and_without_a_sign_in_are_refused() {
    let entra = entra("secret");
    let secret = entra.graph_client_secret();
    let proof = [("client_secret", secret.as_str())];
    for token in ["gone".to_owned(), entra.refresh_token_for("nobody")] {
        let answer = redeem(&entra, &token, &proof).await;
        assert_refused(&answer, 400, "invalid_grant", 70008);
    }
    let other = redeem(&entra, "x", &[("client_id", "another")]).await;
    assert_refused(&other, 400, "unauthorized_client", 700_016);
    let ours = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    for (path, form, error, number) in [
        (
            "/contoso/oauth2/v2.0/token",
            "grant_type=refresh_token",
            "invalid_request",
            90002,
        ),
        (&ours, "", "invalid_request", 900_144),
        (
            &ours,
            "grant_type=password",
            "unsupported_grant_type",
            70003,
        ),
    ] {
        let answer = post(&entra, path, form.to_owned()).await;
        assert_refused(&answer, 400, error, number);
    }
}

#[tokio::test]
async fn the_managed_identity_endpoint_answers_as_app_service_does() {
    let entra = entra("federated");
    let client = entra.world.config.managed_identity_client_id.clone();
    let whole = [
        ("api-version", "2019-08-01"),
        ("resource", "https://storage.azure.com"),
        ("client_id", client.as_str()),
    ];
    let answer = identity(&entra, &whole, "identity-header").await;
    let token = answer.text("access_token");
    let claims = entra.verify(&token, &["https://storage.azure.com"]);
    let claims = claims.expect("a token for the resource");
    assert_eq!(answer.text("expires_on"), claims["exp"].to_string());
    assert_eq!(claims["oid"], entra.managed_identity_principal());
    assert_eq!(claims["appid"], client);
    assert_eq!(identity(&entra, &whole, "wrong").await.status, 401);
    for (name, wrong) in [
        ("api-version", "2017-09-01"),
        ("client_id", "another"),
        ("resource", "https://example.org"),
        ("resource", ""),
    ] {
        let query = whole.map(|(key, value)| (key, if key == name { wrong } else { value }));
        let answer = identity(&entra, &query, "identity-header").await;
        assert_eq!(answer.status, 400, "{name} {wrong}");
    }
}

#[tokio::test]
async fn the_bot_gets_tokens_for_the_connector_in_the_way_that_is_set_and_nobody_else() {
    const BOT: &str = "https://api.botframework.com";
    for mode in ["managed-identity", "secret", "federated"] {
        let config = Config {
            bot_authentication: mode.to_owned(),
            ..Config::default()
        };
        let entra = Entra::new(testing::world(config, "http://127.0.0.1:9"));
        let (config, header) = (&entra.world.config, &entra.world.endpoints.identity_header);
        for (client, resource, is_let) in [
            (&config.bot_app, BOT, mode == "managed-identity"),
            (&config.bot_app, "https://vault.azure.net", false),
            (&config.managed_identity_client_id, BOT, false),
        ] {
            let query = [
                ("api-version", "2019-08-01"),
                ("client_id", client),
                ("resource", resource),
            ];
            let answer = identity(&entra, &query, header).await;
            assert_eq!(answer.status == 200, is_let, "{mode} {client} {resource}");
            if is_let {
                let claims = entra
                    .verify(&answer.text("access_token"), &[BOT])
                    .expect("valid");
                assert_eq!(claims["appid"], config.bot_app.as_str());
            }
        }
        let (scope, other) = (
            format!("{BOT}/.default"),
            "https://graph.microsoft.com/.default".to_owned(),
        );
        let (secret, graphs) = (entra.bot_client_secret(), entra.graph_client_secret());
        let (assertion, _) = entra.managed_identity_token(EXCHANGE_AUDIENCE);
        let proof = [
            ("client_assertion", assertion.as_str()),
            ("client_assertion_type", JWT_BEARER),
        ];
        for (scope, proof, is_let) in [
            (
                &scope,
                &[("client_secret", secret.as_str())][..],
                mode == "secret",
            ),
            (&scope, &[("client_secret", graphs.as_str())][..], false),
            (&other, &[("client_secret", secret.as_str())][..], false),
            (&scope, &proof[..], mode == "federated"),
        ] {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", &config.bot_app),
                ("scope", scope),
            ];
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form.iter().chain(proof))
                .finish();
            let path = format!("/{}/oauth2/v2.0/token", config.tenant);
            let answer = post(&entra, &path, form).await;
            assert_eq!(
                answer.status == 200,
                is_let,
                "{mode} {scope} {}",
                answer.body
            );
            if is_let {
                let claims = entra
                    .verify(&answer.text("access_token"), &[BOT])
                    .expect("valid");
                assert_eq!(claims["appid"], config.bot_app.as_str());
            }
        }
    }
}
