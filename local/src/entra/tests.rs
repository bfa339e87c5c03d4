use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::hub::Hub;
use crate::shared::tls::CertificateAuthority;
use crate::world::{Config, Endpoints};

const GRAPH: &str = "https://graph.microsoft.com";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn entra(mode: &str) -> Arc<Entra> {
    let config = Config {
        graph_client_authentication: mode.to_owned(),
        ..Config::default()
    };
    Entra::new(Arc::new(World {
        config,
        endpoints: Endpoints::nowhere(),
        hub: Hub::new(),
        authority: CertificateAuthority::new().expect("an authority"),
    }))
}

async fn ask(router: Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

async fn redeem_as(
    entra: &Arc<Entra>,
    client: &str,
    refresh_token: &str,
    proof: &[(&str, &str)],
) -> (StatusCode, Value) {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", client)
        .append_pair("refresh_token", refresh_token)
        .extend_pairs(proof)
        .finish();
    let path = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a request");
    ask(entra.router(), request).await
}

async fn redeem(
    entra: &Arc<Entra>,
    refresh_token: &str,
    proof: &[(&str, &str)],
) -> (StatusCode, Value) {
    let client = entra.world.config.graph_client_id.clone();
    redeem_as(entra, &client, refresh_token, proof).await
}

async fn identity(
    entra: &Arc<Entra>,
    query: &[(&str, &str)],
    secret: Option<&str>,
) -> (StatusCode, Value) {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let mut request = Request::get(format!("/msi/token?{query}")).header("metadata", "true");
    if let Some(secret) = secret {
        request = request.header("X-IDENTITY-HEADER", secret);
    }
    let request = request.body(Body::empty()).expect("a request");
    ask(entra.identity_router(), request).await
}

async fn identity_token(entra: &Arc<Entra>, resource: &str) -> String {
    let client = &entra.world.config.managed_identity_client_id;
    let query = [
        ("api-version", "2019-08-01"),
        ("resource", resource),
        ("client_id", client.as_str()),
    ];
    let (status, body) = identity(entra, &query, Some("identity-header")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    text(&body["access_token"])
}

async fn control(entra: &Arc<Entra>, path: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .body(Body::from(body.to_owned()))
        .expect("a request");
    ask(entra.control(), request).await
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Checks a token as a service does that has nothing but the published keys.
fn claims_by_published(keys: &Value, token: &str, audience: &str) -> Option<Value> {
    let id = decode_header(token).expect("a header").kid;
    let key = keys["keys"]
        .as_array()?
        .iter()
        .find(|key| key["kid"].as_str() == id.as_deref())?;
    let key = DecodingKey::from_rsa_components(key["n"].as_str()?, key["e"].as_str()?).ok()?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    decode(token, &key, &validation)
        .ok()
        .map(|token| token.claims)
}

#[tokio::test]
async fn a_managed_identity_redeems_a_refresh_token() {
    let entra = entra("federated");
    let refresh_token = entra.refresh_token_for("support");
    let assertion = identity_token(&entra, EXCHANGE_AUDIENCE).await;
    let proof = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion.as_str()),
    ];
    let (status, body) = redeem(&entra, &refresh_token, &proof).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let claims = entra
        .verify(&text(&body["access_token"]), &[GRAPH])
        .expect("a token for Graph");
    let config = &entra.world.config;
    assert_eq!(claims["oid"], config.support_accounts[0].user);
    assert_eq!(claims["appid"], config.graph_client_id);
    assert_eq!(claims["tid"], config.tenant);
    assert_eq!(
        claims["scp"],
        "Chat.Read ChatMessage.Send Files.Read.All User.Read offline_access"
    );
    assert_eq!(body["expires_in"], 3599);

    let newer = text(&body["refresh_token"]);
    assert_ne!(newer, refresh_token);
    for token in [&refresh_token, &newer] {
        let (status, body) = redeem(&entra, token, &proof).await;
        assert_eq!(status, StatusCode::OK, "the old one stays valid: {body}");
    }
}

#[tokio::test]
async fn an_assertion_must_be_the_managed_identitys_and_meant_for_the_exchange() {
    let entra = entra("federated");
    let refresh_token = entra.refresh_token_for("support");
    let other_audience = identity_token(&entra, "https://vault.azure.net").await;
    let somebody = entra.issue(json!({ "aud": EXCHANGE_AUDIENCE, "oid": "x", "sub": "x" }));
    let assertions = [
        (other_audience.as_str(), 700_027),
        (somebody.as_str(), 700_213),
        ("no token", 700_027),
    ];
    for (assertion, number) in assertions {
        let proof = [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        let (status, body) = redeem(&entra, &refresh_token, &proof).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["error"], "invalid_client");
        assert_eq!(body["error_codes"], json!([number]));
    }
    let assertion = identity_token(&entra, EXCHANGE_AUDIENCE).await;
    let proof = [("client_assertion", assertion.as_str())];
    let (status, body) = redeem(&entra, &refresh_token, &proof).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "no assertion type: {body}");
}

#[tokio::test]
async fn the_client_secret_counts_in_its_mode_alone() {
    let with_secret = entra("secret");
    let refresh_token = with_secret.refresh_token_for("support");
    let secret = with_secret.graph_client_secret();
    let right = [("client_secret", secret.as_str())];
    let (status, _) = redeem(&with_secret, &refresh_token, &right).await;
    assert_eq!(status, StatusCode::OK);

    let wrong = [("client_secret", "wrong")];
    let (status, body) = redeem(&with_secret, &refresh_token, &wrong).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error"], "invalid_client");
    assert_eq!(body["error_codes"], json!([7_000_215]));

    let (status, body) = redeem(&with_secret, &refresh_token, &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error_codes"], json!([7_000_218]));

    let assertion = identity_token(&with_secret, EXCHANGE_AUDIENCE).await;
    let federated_proof = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion.as_str()),
    ];
    let (status, body) = redeem(&with_secret, &refresh_token, &federated_proof).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error_codes"], json!([700_213]));

    let federated = entra("federated");
    let refresh_token = federated.refresh_token_for("support");
    let secret = federated.graph_client_secret();
    let proof = [("client_secret", secret.as_str())];
    let (status, body) = redeem(&federated, &refresh_token, &proof).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error_codes"], json!([7_000_215]));
}

#[tokio::test]
async fn an_unknown_refresh_token_needs_a_sign_in() {
    let entra = entra("secret");
    let secret = entra.graph_client_secret();
    let proof = [("client_secret", secret.as_str())];
    for token in ["gone".to_owned(), entra.refresh_token_for("nobody")] {
        let (status, body) = redeem(&entra, &token, &proof).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["error"], "invalid_grant");
        assert_eq!(body["error_codes"], json!([70008]));
        assert!(text(&body["error_description"]).starts_with("AADSTS70008: "));
        assert_eq!(text(&body["timestamp"]).len(), 20);
        for id in ["trace_id", "correlation_id"] {
            assert!(Uuid::parse_str(&text(&body[id])).is_ok(), "{id}");
        }
    }
}

#[tokio::test]
async fn requests_for_others_are_refused() {
    let entra = entra("secret");
    let (status, body) = redeem_as(&entra, "another", "x", &[]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"], "unauthorized_client");

    let post = |path: &str, body: &'static str| {
        Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .expect("a request")
    };
    let path = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    for (path, body, error) in [
        (
            "/contoso/oauth2/v2.0/token",
            "grant_type=refresh_token",
            "invalid_request",
        ),
        (path.as_str(), "", "invalid_request"),
        (
            path.as_str(),
            "grant_type=password",
            "unsupported_grant_type",
        ),
    ] {
        let (status, answer) = ask(entra.router(), post(path, body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(answer["error"], error);
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
    let (status, body) = identity(&entra, &whole, Some("identity-header")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["resource"], "https://storage.azure.com");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["client_id"], client);
    let claims = entra
        .verify(&text(&body["access_token"]), &["https://storage.azure.com"])
        .expect("a token for the resource");
    assert_eq!(
        text(&body["expires_on"]).parse::<i64>().ok(),
        claims["exp"].as_i64()
    );
    assert_eq!(claims["oid"], entra.managed_identity_principal());
    assert_eq!(claims["appid"], client);
    assert_eq!(
        claims["iss"],
        format!("https://sts.windows.net/{}/", entra.world.config.tenant)
    );

    for secret in [None, Some("wrong")] {
        let (status, _) = identity(&entra, &whole, secret).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    for missing in 0..whole.len() {
        let mut query = whole.to_vec();
        query.remove(missing);
        let (status, _) = identity(&entra, &query, Some("identity-header")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "without {missing}");
    }
    for (name, wrong) in [
        ("client_id", "another"),
        ("resource", "https://example.org"),
    ] {
        let query = whole.map(|(key, value)| (key, if key == name { wrong } else { value }));
        let (status, _) = identity(&entra, &query, Some("identity-header")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "wrong {name}");
    }
}

#[tokio::test]
async fn everybody_can_find_and_use_the_keys() {
    let entra = entra("federated");
    let tenant = entra.world.config.tenant.clone();
    for (name, issuer) in [
        (
            "common",
            "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        ),
        (tenant.as_str(), entra.issuer_v2()),
    ] {
        let path = format!("/{name}/v2.0/.well-known/openid-configuration");
        let (status, document) = ask(entra.router(), get(&path)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(document["issuer"], issuer);
        let base = &entra.world.endpoints.entra;
        let keys_url = text(&document["jwks_uri"]);
        let keys_path = keys_url.strip_prefix(base).expect("on this host");
        let (_, keys) = ask(entra.router(), get(keys_path)).await;
        assert_eq!(keys["keys"][0]["issuer"], issuer);
        let (_, old_keys) = ask(entra.router(), get(&format!("/{name}/discovery/keys"))).await;
        assert_eq!(old_keys["keys"][0]["kid"], keys["keys"][0]["kid"]);
        let token = entra.issue(json!({ "aud": "a" }));
        assert!(claims_by_published(&keys, &token, "a").is_some());
    }
    let (status, _) = ask(entra.router(), get("/contoso/discovery/v2.0/keys")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_retired_key_is_known_to_our_services_alone() {
    let entra = entra("federated");
    let before = entra.issue(json!({ "aud": "a" }));
    let (status, body) = control(&entra, "/local/entra/rotate-keys", "").await;
    assert_eq!(status, StatusCode::OK);
    let after = entra.issue(json!({ "aud": "a" }));
    assert_eq!(
        decode_header(&after).expect("a header").kid,
        Some(text(&body["kid"]))
    );
    let (_, keys) = ask(entra.router(), get("/common/discovery/v2.0/keys")).await;
    assert!(claims_by_published(&keys, &before, "a").is_none());
    assert!(claims_by_published(&keys, &after, "a").is_some());
    assert!(entra.verify(&before, &["a"]).is_ok());
}

#[tokio::test]
async fn a_validation_token_is_genuine_unless_told_otherwise() {
    let entra = entra("federated");
    let app = entra.world.config.graph_client_id.clone();
    let (_, body) = control(&entra, "/local/entra/tokens", "").await;
    let claims = entra
        .verify(&text(&body["token"]), &[&app])
        .expect("genuine");
    assert_eq!(claims["azp"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
    assert_eq!(claims["iss"], entra.issuer_v2());
    assert_eq!(claims["ver"], "2.0");

    let changes = r#"{"aud":"another","azp":null,"iss":null}"#;
    let (_, body) = control(&entra, "/local/entra/tokens", changes).await;
    let claims = entra
        .verify(&text(&body["token"]), &["another"])
        .expect("signed all the same");
    assert!(claims.get("azp").is_none() && claims.get("iss").is_none());

    let (status, _) = control(&entra, "/local/entra/tokens", "[]").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_token_counts_while_it_is_current_and_for_its_audience() {
    let entra = entra("federated");
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let verify = |claims: Value| entra.verify(&entra.issue(claims), &["a", "b"]);
    assert!(verify(json!({ "aud": "b" })).is_ok());
    assert!(verify(json!({ "aud": "c" })).is_err());
    assert!(verify(json!({})).is_err());
    assert!(verify(json!({ "aud": "a", "exp": now - 1 })).is_err());
    assert!(verify(json!({ "aud": "a", "nbf": now + 60 })).is_err());
    let forged = Entra::new(World::for_tests()).issue(json!({ "aud": "a" }));
    assert!(entra.verify(&forged, &["a"]).is_err());
}
