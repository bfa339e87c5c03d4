use std::time::Duration;

use super::*;

const GRANT: &str = "grant_type=client_credentials";

async fn refusal(client: &str, secret: &str, form: &str) -> (u16, String) {
    let genesys = organisation();
    let client = match client {
        "ours" => genesys.world.config.genesys_client_id.clone(),
        other => other.to_owned(),
    };
    let secret = match secret {
        "ours" => genesys.client_secret(),
        other => other.to_owned(),
    };
    let answer = ask(&genesys, token_request(&client, &secret, form)).await;
    let error = answer.body["error"].as_str().unwrap_or_default();
    (answer.status.as_u16(), error.to_owned())
}

#[tokio::test]
async fn only_our_client_with_its_secret_gets_a_token() {
    let genesys = organisation();
    let client = genesys.world.config.genesys_client_id.clone();
    let answer = ask(
        &genesys,
        token_request(&client, &genesys.client_secret(), GRANT),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["expires_in"], 86_400);
    assert_eq!(answer.body["token_type"], "bearer");

    let invalid = |status: u16| (status, "invalid_client".to_owned());
    assert_eq!(refusal("other", "ours", GRANT).await, invalid(400));
    assert_eq!(refusal("ours", "wrong", GRANT).await, invalid(401));
    let (status, error) = refusal("ours", "ours", "grant_type=password").await;
    assert_eq!((status, error.as_str()), (400, "unsupported_grant_type"));
    let (status, error) = refusal("ours", "ours", "").await;
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
}

#[tokio::test]
async fn credentials_in_the_form_are_not_taken() {
    let genesys = organisation();
    let request = Request::post("/oauth/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(GRANT))
        .expect("a request");
    assert_eq!(ask(&genesys, request).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_api_wants_a_token_that_has_not_expired() {
    let genesys = organisation();
    let probe = |authorization: Option<String>| {
        let request = Request::get("/api/v2/tokens/me");
        match authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        }
        .body(Body::empty())
        .expect("a request")
    };
    let absent = ask(&genesys, probe(None)).await;
    assert_refused(&absent, 401, "authentication.required");
    let unknown = ask(&genesys, probe(Some("Bearer x".to_owned()))).await;
    assert_refused(&unknown, 401, "bad.credentials");

    let ours = format!("Bearer {}", token(&genesys).await);
    let known = ask(&genesys, probe(Some(ours.clone()))).await;
    assert_eq!(known.status, StatusCode::OK);
    let client = &genesys.world.config.genesys_client_id;
    assert_eq!(known.body["OAuthClient"]["id"], client.as_str());
    assert!(known.headers.contains_key("inin-correlation-id"));

    tokio::time::advance(Duration::from_secs(86_400)).await;
    let expired = ask(&genesys, probe(Some(ours))).await;
    assert_refused(&expired, 401, "bad.credentials");
}

#[tokio::test]
async fn what_is_not_simulated_does_not_exist() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let answer = ask(&genesys, post("/api/v2/users", &token, "{}")).await;
    assert_refused(&answer, 404, "not.found");
    let answer = ask(&genesys, post("/api/v2/tokens/me", &token, "{}")).await;
    assert_refused(&answer, 405, "method.not.allowed");
    let answer = ask(&genesys, post("/elsewhere", &token, "{}")).await;
    assert_refused(&answer, 404, "not.found");
}

#[tokio::test(start_paused = true)]
async fn the_301st_request_of_a_minute_is_refused() {
    let genesys = organisation();
    let token = token(&genesys).await;
    for number in 0..300 {
        if number == 100 {
            tokio::time::advance(Duration::from_secs(20)).await;
        }
        let answer = send(&genesys, &token, "message", &message("hello")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let refused = send(&genesys, &token, "message", &message("hello")).await;
    assert_refused(&refused, 429, "too.many.requests.retry.after");
    assert_eq!(refused.headers["retry-after"], "40");

    tokio::time::advance(Duration::from_secs(40)).await;
    for _ in 0..100 {
        let answer = send(&genesys, &token, "message", &message("hello")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let refused = send(&genesys, &token, "message", &message("hello")).await;
    assert_eq!(refused.headers["retry-after"], "20");
}
