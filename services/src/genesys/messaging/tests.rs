use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::error::{Result, Sent};
use crate::testing::{
    Double, Reply, brought, client, files_at, redirect, secret, serve_tls, text_of, vault,
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

impl Setting {
    async fn with(
        api: impl IntoIterator<Item = Reply>,
        login: impl IntoIterator<Item = Reply>,
        secrets: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let (api, login) = (Double::start(api).await, Double::start(login).await);
        let (_, secrets) = vault(secrets).await;
        let genesys = Genesys::new(client(), &api.base, &login.base, "i-1", "client", secrets);
        Self {
            api,
            login,
            genesys,
        }
    }

    /// With a login that gives the tokens `t1`, `t2` and `t3`.
    async fn start(api: impl IntoIterator<Item = Reply>) -> Self {
        let grants = ["t1", "t2", "t3"].map(grant);
        Self::with(api, grants, [secret("hush")]).await
    }

    async fn post(&self) -> Result<PostedMessage> {
        let json = r#"{"text":"hello"}"#;
        self.genesys.post_message(json, "c-1").await
    }
}

#[tokio::test]
async fn messages_and_receipts_are_posted_with_a_cached_token() {
    let setting = Setting::start([posted(), posted(), Reply::new(202, "")]).await;
    let genesys = &setting.genesys;
    assert_eq!(setting.post().await.expect("posted").id, "g-1");
    let choice = genesys.post_structured_response("{}", "c-1").await;
    assert_eq!(choice.expect("posted").id, "g-1");
    let receipt = genesys.post_receipt("{}", "c-1").await;
    receipt.expect("posted");
    let seen = setting.login.only();
    assert_eq!(seen.target, "/oauth/token");
    assert_eq!(seen.header("authorization"), "Basic Y2xpZW50Omh1c2g=");
    assert_eq!(&seen.body[..], b"grant_type=client_credentials");
    let seen = setting.api.seen();
    assert_eq!(seen[0].json(), json!({"text": "hello"}));
    for (seen, kind) in seen
        .iter()
        .zip(["message", "structured/response", "receipt"])
    {
        let target = format!("/api/v2/conversations/messages/i-1/inbound/open/{kind}");
        assert_eq!((&*seen.method, seen.target.clone()), ("POST", target));
        assert_eq!(seen.header("authorization"), "Bearer t1");
        assert_eq!(seen.header("x-correlation-id"), "c-1");
        assert_eq!(seen.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn an_accepted_message_is_posted_whatever_the_answer_says() {
    let setting = Setting::start([Reply::new(202, ""), Reply::new(200, "{\"id\":7}")]).await;
    for _ in 0..2 {
        assert_eq!(setting.post().await.expect("posted").id, "");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let refused = || Reply::json(401, &json!({"code": "authentication.required"}));
    let setting = Setting::start([refused(), posted(), refused()]).await;
    setting.post().await.expect("posted");
    let second = &setting.api.seen()[1];
    assert_eq!(second.header("authorization"), "Bearer t2");
    let error = setting.post().await.expect_err("again");
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(error.sent, Sent::No);
    let calls = (setting.api.seen().len(), setting.login.seen().len());
    assert_eq!(calls, (3, 2));
}

#[tokio::test]
async fn a_replaced_client_secret_is_found() {
    let refused = Reply::json(400, &json!({"error": "invalid_client"}));
    let secrets = [secret("old"), secret("new")];
    let setting = Setting::with([posted()], [refused, grant("t1")], secrets).await;
    setting.post().await.expect("posted");
    let seen = setting.login.seen();
    let told: Vec<_> = seen.iter().map(|it| it.header("authorization")).collect();
    let basic = ["Basic Y2xpZW50Om9sZA==", "Basic Y2xpZW50Om5ldw=="];
    assert_eq!(told, basic);
}

#[tokio::test]
async fn an_unknown_client_is_a_matter_of_configuration() {
    let refused = || Reply::json(401, &json!({"error": "invalid_client"}));
    let secrets = [secret("old"), secret("old")];
    let setting = Setting::with([], [refused(), refused()], secrets).await;
    for _ in 0..3 {
        let error = setting.post().await.expect_err("no token");
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert_eq!(error.code.as_deref(), Some("invalid_client"));
        assert_eq!(error.sent, Sent::No);
    }
    assert_eq!(setting.login.seen().len(), 2, "not asked in a loop");
    assert!(setting.api.seen().is_empty());
}

#[tokio::test]
async fn a_further_client_has_a_secret_and_a_token_of_its_own() {
    let api = Double::start([posted(), posted(), posted()]).await;
    let login = Double::start([grant("first's"), grant("second's")]).await;
    let (vault, secrets) = vault([secret("hush"), secret("hush-hush")]).await;
    let first = Genesys::new(client(), &api.base, &login.base, "i-1", "one", secrets);
    let second = first.by_client("two");
    for genesys in [&first, &second, &first] {
        genesys.post_message("{}", "c-1").await.expect("posted");
    }
    let read: Vec<String> = vault.seen().into_iter().map(|seen| seen.target).collect();
    assert!(
        read[0].starts_with("/secrets/genesys-client-secret?"),
        "{read:?}"
    );
    assert!(
        read[1].starts_with("/secrets/genesys-client-secret-two?"),
        "{read:?}"
    );
    let seen = |double: &Double| -> Vec<String> {
        let seen = double.seen().into_iter();
        seen.map(|seen| seen.header("authorization").to_owned())
            .collect()
    };
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(seen(&login), [basic("one:hush"), basic("two:hush-hush")]);
    let tokens = ["Bearer first's", "Bearer second's", "Bearer first's"];
    assert_eq!(seen(&api), tokens);
}

#[tokio::test]
async fn the_token_and_the_integration_are_asked_for() {
    let replies = [200, 200, 404, 403].map(|status| Reply::new(status, "{}"));
    let setting = Setting::start(replies).await;
    setting.genesys.probe().await.expect("an answer");
    setting.genesys.integration().await.expect("it exists");
    for kind in [ErrorKind::NotFound, ErrorKind::Forbidden] {
        let error = setting.genesys.integration().await;
        assert_eq!(error.expect_err("a refusal").kind, kind);
    }
    let seen = setting.api.seen();
    let integration = "/api/v2/conversations/messaging/integrations/open/i-1";
    for (seen, path) in seen.iter().zip(["/api/v2/tokens/me", integration]) {
        assert_eq!((&*seen.method, &*seen.target), ("GET", path));
    }
}

/// The API and a host for downloads over TLS, which answer what each request brought along, and Genesys' client.
struct Downloads {
    api: String,
    host: String,
    files: Files,
    genesys: Genesys,
    login: Double,
}

impl Downloads {
    async fn start() -> Self {
        let forbidden = async || StatusCode::FORBIDDEN;
        let host = Router::new()
            .route("/api/v2/downloads/open", get(brought))
            .route("/api/v2/downloads/closed", get(forbidden))
            .route("/elsewhere/closed", get(forbidden))
            .route("/signed", get(brought));
        let (host, authority) = serve_tls(host).await;
        let signed = format!("{host}/signed");
        let unauthorized = async || StatusCode::UNAUTHORIZED;
        let closed = async move |request: axum::extract::Request| {
            if request.headers().contains_key("authorization") {
                redirect(&signed)
            } else {
                StatusCode::UNAUTHORIZED.into_response()
            }
        };
        let api = Router::new()
            .route("/api/v2/downloads/direct", get(brought))
            .route("/api/v2/downloads/closed", get(closed))
            .route("/api/v2/downloads/never", get(unauthorized));
        let (api, _) = serve_tls(api).await;
        let login = Double::start(["t1", "t2", "t3"].map(grant)).await;
        let (_, secrets) = vault([secret("s")]).await;
        let genesys = Genesys::new(client(), &api, &login.base, "i-1", "client", secrets);
        Self {
            files: files_at(&[&api, &host], &authority),
            api,
            host,
            genesys,
            login,
        }
    }

    async fn open(&self, base: &str, path: &str) -> Result<String, FetchError> {
        let url = Url::parse(&format!("{base}{path}")).expect("a URL");
        let limit = Duration::from_secs(10);
        let download = self.genesys.download(&self.files, &url, limit).await?;
        Ok(text_of(download).await)
    }
}

#[tokio::test]
async fn an_agents_file_is_asked_for_without_the_token_first() {
    let downloads = Downloads::start().await;
    let Downloads {
        api, host, login, ..
    } = &downloads;
    let open = downloads.open(host, "/api/v2/downloads/open").await;
    assert_eq!(open.expect("a file"), "none none none");
    assert!(login.seen().is_empty());
    let direct = downloads.open(api, "/api/v2/downloads/direct").await;
    assert_eq!(direct.expect("a file"), "Bearer t1 none none");
}

#[tokio::test]
async fn a_closed_download_is_opened_through_the_api_and_its_signed_address_gets_no_token() {
    let downloads = Downloads::start().await;
    let Downloads { host, login, .. } = &downloads;
    let closed = "/api/v2/downloads/closed?Expires=1";
    let closed = downloads.open(host, closed).await;
    assert_eq!(closed.expect("a file"), "none none none");
    assert_eq!(login.seen().len(), 1);
    let error = downloads.open(host, "/elsewhere/closed").await;
    assert!(matches!(error, Err(FetchError::Service(error)) if error.kind == ErrorKind::Forbidden));
    assert_eq!(login.seen().len(), 1, "no download of the API's");
}

#[tokio::test]
async fn a_download_that_is_always_refused_renews_the_token_once() {
    use ErrorKind::Unauthorized;
    let downloads = Downloads::start().await;
    for _ in 0..3 {
        let never = "/api/v2/downloads/never";
        let refused = downloads.open(&downloads.api, never).await;
        assert!(matches!(refused, Err(FetchError::Service(error)) if error.kind == Unauthorized));
    }
    assert_eq!(downloads.login.seen().len(), 2);
}

/// What the vault answers for a secret of this client.
fn secret_of(client: &str, value: &str) -> Reply {
    Reply::json(200, &json!({"value": value, "tags": {"key-id": client}}))
}

#[tokio::test]
async fn a_refused_secret_leads_to_the_newest_one_and_the_client_that_it_belongs_to() {
    let refused = || Reply::json(401, &json!({"error": "invalid_client"}));
    let vault = [secret_of("a", "old"), secret_of("b", "new")];
    let setting = Setting::with([posted()], [refused(), grant("t1")], vault).await;
    assert_eq!(setting.post().await.expect("posted").id, "g-1");
    let seen = setting.login.seen();
    let seen: Vec<_> = seen
        .iter()
        .map(|it| it.header("authorization").to_owned())
        .collect();
    // a:old, b:new
    assert_eq!(seen, ["Basic YTpvbGQ=", "Basic YjpuZXc="]);
}

#[tokio::test]
async fn our_own_client_and_whoever_has_credentials_may_try_to_change_something() {
    let unauthorized = Reply::new(401, "");
    let answers = [
        unauthorized,
        Reply::json(200, &json!({})),
        Reply::json(200, &json!({"secret": "made"})),
        Reply::json(200, &json!({"secret": "made"})),
    ];
    let setting = Setting::start(answers).await;
    let own = setting.genesys.administrator().await.expect("a token");
    own.renew_client_secret("c-1").await.expect("made");
    let credentials = AdminCredentials::new("admin".to_owned(), "hush".to_owned());
    let admin = setting.genesys.sign_in_as(&credentials).await;
    let made = admin.expect("a token").renew_client_secret("c-1").await;
    made.expect("made");
    let seen = setting.api.seen();
    let seen: Vec<_> = seen.iter().map(|it| it.header("authorization")).collect();
    assert_eq!(seen, ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"]);
}
