use serde_json::json;

use super::*;
use crate::testing::{Double, Reply, client, secret, vault};

fn grant(token: &str) -> Reply {
    let body = json!({"access_token": token, "token_type": "bearer", "expires_in": 86399});
    Reply::json(200, &body)
}

fn posted() -> Reply {
    Reply::json(200, &json!({"id": "g-1", "type": "Text", "text": "hello"}))
}

struct Setting {
    api: Double,
    login: Double,
    vault: Double,
    genesys: Genesys,
}

async fn setting(api: Vec<Reply>, login: Vec<Reply>, secrets: Vec<Reply>) -> Setting {
    let (api, login) = (Double::start(api).await, Double::start(login).await);
    let (vault, secrets) = vault(secrets).await;
    let genesys = Genesys::new(client(), &api.base, &login.base, "i-1", "client", secrets);
    Setting {
        api,
        login,
        vault,
        genesys,
    }
}

#[tokio::test]
async fn a_message_is_posted_with_a_cached_token() {
    let Setting {
        api,
        login,
        genesys,
        ..
    } = setting(
        vec![posted(), posted()],
        vec![grant("t1")],
        vec![secret("hush")],
    )
    .await;
    for _ in 0..2 {
        let message = genesys
            .post_message(b"{\"text\":\"hello\"}".to_vec(), "c-1")
            .await
            .expect("posted");
        assert_eq!(message.id, "g-1");
    }
    let seen = login.only();
    assert_eq!(seen.target, "/oauth/token");
    assert_eq!(seen.header("authorization"), "Basic Y2xpZW50Omh1c2g=");
    assert_eq!(
        seen.form(),
        [("grant_type".to_owned(), "client_credentials".to_owned())]
    );
    let seen = &api.seen()[1];
    assert_eq!(
        seen.target,
        "/api/v2/conversations/messages/i-1/inbound/open/message"
    );
    assert_eq!(seen.header("authorization"), "Bearer t1");
    assert_eq!(seen.header("x-correlation-id"), "c-1");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.json(), json!({"text": "hello"}));
}

#[tokio::test]
async fn a_receipt_has_its_own_address() {
    let Setting { api, genesys, .. } = setting(
        vec![Reply::new(202, "")],
        vec![grant("t1")],
        vec![secret("hush")],
    )
    .await;
    genesys
        .post_receipt(Bytes::from_static(b"{}"), "c-1")
        .await
        .expect("posted");
    assert_eq!(
        api.only().target,
        "/api/v2/conversations/messages/i-1/inbound/open/receipt"
    );
}

#[tokio::test]
async fn an_accepted_message_is_posted_whatever_the_answer_says() {
    let replies = vec![Reply::new(202, ""), Reply::new(200, "{\"id\":7}")];
    let Setting { genesys, .. } = setting(replies, vec![grant("t1")], vec![secret("hush")]).await;
    for _ in 0..2 {
        assert_eq!(
            genesys.post_message("{}", "c-1").await.expect("posted").id,
            ""
        );
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let refused = || {
        Reply::json(
            401,
            &json!({"code": "authentication.required", "contextId": "x"}),
        )
    };
    let Setting {
        api,
        login,
        vault,
        genesys,
    } = setting(
        vec![refused(), refused()],
        vec![grant("t1"), grant("t2")],
        vec![secret("hush"), secret("hush")],
    )
    .await;
    let error = genesys
        .post_message("{}", "c-1")
        .await
        .expect_err("refused");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Unauthorized, Sent::No)
    );
    assert_eq!(api.seen().len(), 2);
    // The token is too new for another one to be any better.
    assert_eq!(login.seen().len(), 1);
    assert_eq!(vault.seen().len(), 2, "the secret is read again");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_of_some_age_is_forgotten() {
    let token = Renewal::new(Service::Genesys);
    let lease = |value: &str| {
        let value = SecretString::from(value);
        async {
            Ok(Lease {
                value,
                renew_after: Duration::from_secs(60),
                expires_after: Duration::from_secs(60),
            })
        }
    };
    token.get(|| lease("t1")).await.expect("a token");
    tokio::time::advance(LEAST_TOKEN_AGE).await;
    token.forget(LEAST_TOKEN_AGE);
    assert_eq!(
        token
            .get(|| lease("t2"))
            .await
            .expect("a token")
            .expose_secret(),
        "t2"
    );
}

#[tokio::test]
async fn a_replaced_client_secret_is_found() {
    let refused = Reply::json(
        400,
        &json!({"error": "invalid_client", "description": "no"}),
    );
    let Setting { login, genesys, .. } = setting(
        vec![posted()],
        vec![refused, grant("t1")],
        vec![secret("old"), secret("new")],
    )
    .await;
    genesys.post_message("{}", "c-1").await.expect("posted");
    let seen = login.seen();
    assert_eq!(seen[0].header("authorization"), "Basic Y2xpZW50Om9sZA==");
    assert_eq!(seen[1].header("authorization"), "Basic Y2xpZW50Om5ldw==");
}

#[tokio::test]
async fn an_unknown_client_is_a_matter_of_configuration() {
    let refused = || Reply::json(401, &json!({"error": "invalid_client"}));
    let Setting {
        api,
        login,
        genesys,
        ..
    } = setting(
        vec![],
        vec![refused(), refused()],
        vec![secret("old"), secret("old")],
    )
    .await;
    for _ in 0..3 {
        let error = genesys
            .post_message("{}", "c-1")
            .await
            .expect_err("no token");
        assert_eq!(
            (error.kind, error.sent),
            (ErrorKind::Configuration, Sent::No)
        );
        assert_eq!(error.code.as_deref(), Some("invalid_client"));
    }
    assert_eq!(login.seen().len(), 2, "not asked in a loop");
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn throttling_is_passed_on() {
    let body = json!({"code": "too.many.requests.retry.after", "status": 429, "contextId": "c"});
    let throttled = Reply::json(429, &body).header("retry-after", "12");
    let Setting { genesys, .. } =
        setting(vec![throttled], vec![grant("t1")], vec![secret("s")]).await;
    let error = genesys
        .post_message("{}", "c-1")
        .await
        .expect_err("throttled");
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::Throttled, Some(Duration::from_secs(12)))
    );
}

#[tokio::test]
async fn the_probe_reads_what_the_token_is() {
    let Setting { api, genesys, .. } = setting(
        vec![Reply::new(200, "{}")],
        vec![grant("t1")],
        vec![secret("s")],
    )
    .await;
    genesys.probe().await.expect("an answer");
    let seen = api.only();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/api/v2/tokens/me")
    );
}
