mod admin;
mod attachments;
mod login;
mod media;
mod messages;
mod outbound;
mod receipts;
mod structured;

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::hub::Hub;
use crate::shared::tls::CertificateAuthority;
use crate::world::{Config, Endpoints};

const THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Value,
}

fn world(greeting: Option<&str>, functions: &str) -> Arc<World> {
    let config = Config {
        genesys_greeting: greeting.map(str::to_owned),
        ..Config::default()
    };
    let endpoints = Endpoints {
        functions: functions.to_owned(),
        ..Endpoints::nowhere()
    };
    Arc::new(World {
        config,
        endpoints,
        hub: Hub::new(),
        authority: CertificateAuthority::new().expect("an authority"),
    })
}

fn organisation() -> Arc<Genesys> {
    Genesys::new(World::for_tests())
}

async fn read(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

async fn ask(genesys: &Arc<Genesys>, request: Request<Body>) -> Answer {
    read(genesys.router().oneshot(request).await.expect("an answer")).await
}

async fn control(genesys: &Arc<Genesys>, request: Request<Body>) -> Answer {
    read(genesys.control().oneshot(request).await.expect("an answer")).await
}

fn token_request(client: &str, secret: &str, form: &str) -> Request<Body> {
    let credentials = STANDARD.encode(format!("{client}:{secret}"));
    Request::post("/oauth/token")
        .header(header::AUTHORIZATION, format!("Basic {credentials}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .expect("a request")
}

async fn token(genesys: &Arc<Genesys>) -> String {
    let client = genesys.world.config.genesys_client_id.clone();
    let secret = genesys.client_secret();
    let form = "grant_type=client_credentials";
    let answer = ask(genesys, token_request(&client, &secret, form)).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

fn path(genesys: &Genesys, kind: &str) -> String {
    let integration = &genesys.world.config.genesys_integration_id;
    format!("/api/v2/conversations/messages/{integration}/inbound/open/{kind}")
}

fn post(path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-correlation-id", "c-1")
        .body(body.into())
        .expect("a request")
}

async fn send(genesys: &Arc<Genesys>, token: &str, kind: &str, body: &Value) -> Answer {
    let request = post(&path(genesys, kind), token, body.to_string());
    ask(genesys, request).await
}

fn message(text: &str) -> Value {
    json!({
        "channel": {
            "from": { "id": THREAD, "idType": "Opaque", "nickname": "Anna" },
            "time": "2026-01-02T03:04:05.678Z",
            "messageId": "m-1",
            "metadata": { "customAttributes": { "teamsUpn": "anna@contoso.example" } },
        },
        "text": text,
    })
}

/// Makes the agent write; the answer.
async fn write(genesys: &Arc<Genesys>, body: &Value) -> Answer {
    let path = format!("/local/genesys/threads/{THREAD}/messages");
    control(genesys, post(&path, "", body.to_string())).await
}

/// All messages of the first conversation, as the control interface shows them.
async fn view(genesys: &Arc<Genesys>) -> Vec<Value> {
    let request = Request::get("/local/genesys/conversations").body(Body::empty());
    let view = control(genesys, request.expect("a request")).await.body;
    let messages = view["conversations"][0]["messages"].as_array();
    messages.cloned().unwrap_or_default()
}

/// Bytes of an address below the root of a router.
async fn fetched(
    router: Router,
    path: &str,
    authorization: Option<&str>,
) -> (StatusCode, http::HeaderMap, bytes::Bytes) {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await;
    (parts.status, parts.headers, bytes.unwrap_or_default())
}

async fn set_profile(genesys: &Arc<Genesys>, profile: &Value) -> StatusCode {
    let request = Request::put("/local/genesys/content-profile")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(profile.to_string()))
        .expect("a request");
    control(genesys, request).await.status
}

fn hops(genesys: &Genesys, correlation: &str) -> Vec<String> {
    let view = genesys.world.hub.journeys_view();
    view["journeys"]
        .as_array()
        .expect("journeys")
        .iter()
        .filter(|journey| journey["correlation"] == correlation)
        .flat_map(|journey| journey["hops"].as_array().expect("hops"))
        .map(|hop| {
            let text = |name: &str| hop[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("hop"), hop["attempt"], text("outcome"))
        })
        .collect()
}

fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["code"], code);
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["details"], json!([]));
    assert_eq!(answer.body["errors"], json!([]));
    assert!(answer.body["message"].is_string());
    let context = answer.body["contextId"].as_str().expect("a context id");
    assert_eq!(answer.headers["inin-correlation-id"], context);
}
