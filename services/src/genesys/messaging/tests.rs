use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use futures::TryStreamExt;
use http::StatusCode;
use serde_json::json;

use super::*;
use crate::files::Rules;
use crate::testing::{
    Double, Reply, brought, client, client_of, redirect, secret, serve_tls, vault,
};

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
    genesys: Genesys,
}

async fn setting(api: Vec<Reply>, login: Vec<Reply>, secrets: Vec<Reply>) -> Setting {
    let (api, login) = (Double::start(api).await, Double::start(login).await);
    let (_, secrets) = vault(secrets).await;
    let genesys = Genesys::new(client(), &api.base, &login.base, "i-1", "client", secrets);
    Setting {
        api,
        login,
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

fn refused() -> Reply {
    let body = json!({"code": "authentication.required", "contextId": "x"});
    Reply::json(401, &body)
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let Setting {
        api,
        login,
        genesys,
        ..
    } = setting(
        vec![refused(), posted(), refused()],
        vec![grant("t1"), grant("t2"), grant("t3")],
        vec![secret("hush")],
    )
    .await;
    genesys.post_message("{}", "c-1").await.expect("posted");
    assert_eq!(api.seen()[1].header("authorization"), "Bearer t2");
    let error = genesys.post_message("{}", "c-1").await.expect_err("again");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Unauthorized, Sent::No)
    );
    assert_eq!((api.seen().len(), login.seen().len()), (3, 2));
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

#[tokio::test]
async fn the_integration_is_asked_for_by_its_id() {
    let replies = [200, 404, 403].map(|status| Reply::new(status, "{}"));
    let Setting { api, genesys, .. } =
        setting(replies.into(), vec![grant("t1")], vec![secret("s")]).await;
    genesys.integration().await.expect("it exists");
    for kind in [ErrorKind::NotFound, ErrorKind::Forbidden] {
        let error = genesys.integration().await.expect_err("a refusal");
        assert_eq!(error.kind, kind);
    }
    assert_eq!(
        api.seen()[0].target,
        "/api/v2/conversations/messaging/integrations/open/i-1"
    );
}

/// The API and a host for downloads over TLS, which answer what each request brought along, and Genesys' client.
struct Downloads {
    api: Url,
    host: Url,
    files: Files,
    genesys: Genesys,
    login: Double,
}

impl Downloads {
    async fn start() -> Self {
        let host = Router::new()
            .route("/api/v2/downloads/open", get(brought))
            .route(
                "/api/v2/downloads/closed",
                get(async || StatusCode::FORBIDDEN),
            )
            .route("/elsewhere/closed", get(async || StatusCode::FORBIDDEN))
            .route("/signed", get(brought));
        let (host, authority) = serve_tls(host).await;
        let signed = format!("{host}/signed");
        let api = Router::new()
            .route("/api/v2/downloads/direct", get(brought))
            .route(
                "/api/v2/downloads/closed",
                get(async move |request: axum::extract::Request| {
                    if request.headers().contains_key("authorization") {
                        redirect(&signed)
                    } else {
                        StatusCode::UNAUTHORIZED.into_response()
                    }
                }),
            )
            .route(
                "/api/v2/downloads/never",
                get(async || StatusCode::UNAUTHORIZED),
            );
        let (api, _) = serve_tls(api).await;
        let client = client_of(&authority);
        let origins = [&api, &host].map(|base| base.parse().expect("an origin"));
        let rules = Rules {
            origins: origins.into(),
            hosts: Vec::new(),
        };
        let login = Double::start([grant("t1"), grant("t2"), grant("t3")]).await;
        let (_, secrets) = vault([secret("s")]).await;
        let http = crate::testing::client();
        let genesys = Genesys::new(http, &api, &login.base, "i-1", "client", secrets);
        Self {
            api: Url::parse(&api).expect("a URL"),
            host: Url::parse(&host).expect("a URL"),
            files: Files::new(client, rules),
            genesys,
            login,
        }
    }

    async fn open(&self, base: &Url, path: &str) -> Result<String, FetchError> {
        let url = base.join(path).expect("a URL");
        let limit = Duration::from_secs(10);
        let download = self.genesys.download(&self.files, &url, limit).await?;
        let pieces: Vec<Bytes> = download.body().try_collect().await?;
        Ok(String::from_utf8(pieces.concat()).expect("text"))
    }
}

#[tokio::test]
async fn an_agents_file_is_asked_for_without_the_token_first() {
    let downloads = Downloads::start().await;
    let open = downloads
        .open(&downloads.host, "/api/v2/downloads/open")
        .await;
    assert_eq!(open.expect("a file"), "none none none");
    assert!(downloads.login.seen().is_empty());
    let direct = downloads
        .open(&downloads.api, "/api/v2/downloads/direct")
        .await;
    assert_eq!(direct.expect("a file"), "Bearer t1 none none");
}

#[tokio::test]
async fn a_closed_download_is_opened_through_the_api_and_its_signed_address_gets_no_token() {
    let downloads = Downloads::start().await;
    let closed = downloads
        .open(&downloads.host, "/api/v2/downloads/closed?Expires=1")
        .await;
    assert_eq!(closed.expect("a file"), "none none none");
    assert_eq!(downloads.login.seen().len(), 1);
    let error = downloads.open(&downloads.host, "/elsewhere/closed").await;
    assert!(matches!(error, Err(FetchError::Service(error)) if error.kind == ErrorKind::Forbidden));
    assert_eq!(downloads.login.seen().len(), 1, "no download of the API's");
}

#[tokio::test]
async fn a_download_that_is_always_refused_renews_the_token_once() {
    let downloads = Downloads::start().await;
    for _ in 0..3 {
        let refused = downloads
            .open(&downloads.api, "/api/v2/downloads/never")
            .await;
        assert!(
            matches!(refused, Err(FetchError::Service(error)) if error.kind == ErrorKind::Unauthorized)
        );
    }
    assert_eq!(downloads.login.seen().len(), 2);
}
