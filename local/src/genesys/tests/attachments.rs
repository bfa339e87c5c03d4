use axum::routing::get;
use tokio::task::JoinHandle;

use super::*;
use crate::shared::content::Content;
use crate::shared::serve;

/// A place of ours that serves files over TLS.
struct Store {
    address: String,
    server: JoinHandle<()>,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// More than passes.
const TOO_LARGE: u64 = 25 * 1024 * 1024 + 1;

impl Store {
    fn start(genesys: &Genesys) -> Self {
        let listener = serve::bind(0).expect("a port");
        let address = format!("https://127.0.0.1:{}", serve::port(&listener).expect("one"));
        let certificate = genesys.world.authority.issue().expect("a certificate");
        let router = Router::new()
            .route(
                "/a.png",
                get(async |headers: http::HeaderMap| {
                    assert!(!headers.contains_key("authorization"));
                    let headers = [
                        ("content-type", "image/png"),
                        ("content-disposition", "inline; filename=a.png"),
                    ];
                    (headers, "abc")
                }),
            )
            .route("/large", get(async || Content::generated(TOO_LARGE).body()))
            .route("/broken", get(async || Content::generated(9).broken_body()));
        let config = certificate.server_config().expect("a configuration");
        Self {
            address,
            server: serve::serve_tls(listener, router, config).expect("a server"),
        }
    }

    fn file(&self, name: &str, mime: &str) -> Value {
        let mut message = message("see");
        message["content"] = json!([{ "attachment": {
            "mediaType": "Image", "mime": mime, "url": format!("{}/{name}", self.address),
            "filename": "a.png", "sha256": "told", "text": "a caption", "id": "f-1",
            "thumbnail": { "url": "https://x/y" },
        } }]);
        message
    }
}

async fn sent(genesys: &Arc<Genesys>, body: &Value) -> u16 {
    let token = token(genesys).await;
    send(genesys, &token, "message", body).await.status.as_u16()
}

#[tokio::test]
async fn a_customers_file_is_fetched_at_once_and_shown() {
    let genesys = organisation();
    let store = Store::start(&genesys);
    assert_eq!(sent(&genesys, &store.file("a.png", "image/png")).await, 200);
    let messages = view(&genesys).await;
    assert_eq!(
        messages[0]["attachment"],
        json!({
            "mediaType": "Image",
            "mime": "image/png",
            "filename": "a.png",
            "url": format!("{}/a.png", store.address),
            "text": "a caption",
            "sha256": "told",
            "fetched": {
                "status": 200,
                "content_type": "image/png",
                "content_disposition": "inline; filename=a.png",
                "size": 3,
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            },
            "dropped": false,
        })
    );
    let id = messages[0]["id"].as_str().expect("an id");
    let path = format!("/local/genesys/media/{id}");
    let (status, headers, bytes) = fetched(genesys.control(), &path, None).await;
    assert_eq!((status, bytes), (StatusCode::OK, "abc".into()));
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
}

#[tokio::test]
async fn an_address_that_does_not_serve_leaves_the_message() {
    let genesys = organisation();
    let store = Store::start(&genesys);
    assert_eq!(sent(&genesys, &store.file("gone", "image/png")).await, 200);
    assert_eq!(
        sent(&genesys, &store.file("broken", "image/png")).await,
        200
    );
    let mut nowhere = store.file("a.png", "image/png");
    nowhere["content"][0]["attachment"]["url"] = json!("https://127.0.0.1:9/a.png");
    assert_eq!(sent(&genesys, &nowhere).await, 200);
    let messages = view(&genesys).await;
    assert_eq!(messages[0]["attachment"]["fetched"]["status"], 404);
    assert_eq!(messages[1]["attachment"]["fetched"], Value::Null);
    assert_eq!(messages[2]["attachment"]["fetched"], Value::Null);
    for message in &messages {
        assert_eq!(message["text"], "see");
        assert_eq!(message["attachment"]["dropped"], false);
        let path = format!(
            "/local/genesys/media/{}",
            message["id"].as_str().expect("an id")
        );
        let (status, _, bytes) = fetched(genesys.control(), &path, None).await;
        if message == &messages[1] {
            assert!(bytes.is_empty(), "it breaks for the page as well");
        } else {
            assert_eq!(status, StatusCode::BAD_GATEWAY);
        }
    }
}

#[tokio::test]
async fn a_file_outside_the_profile_is_dropped_and_the_message_arrives() {
    let genesys = organisation();
    let store = Store::start(&genesys);
    let profile = json!({ "inbound": ["image/*"], "outbound": ["*/*"] });
    assert_eq!(set_profile(&genesys, &profile).await, StatusCode::OK);
    let mut archive = store.file("a.png", "application/zip");
    archive.as_object_mut().expect("an object").remove("text");
    assert_eq!(sent(&genesys, &archive).await, 200);
    assert_eq!(sent(&genesys, &store.file("a.png", "image/png")).await, 200);
    assert_eq!(sent(&genesys, &store.file("large", "image/png")).await, 200);
    let messages = view(&genesys).await;
    let dropped: Vec<&Value> = messages
        .iter()
        .map(|message| &message["attachment"]["dropped"])
        .collect();
    assert_eq!(dropped, [&json!(true), &json!(false), &json!(true)]);
    assert_eq!(messages[0]["attachment"]["fetched"], Value::Null);
    assert_eq!(messages[0]["text"], "");
    assert_eq!(messages[2]["attachment"]["fetched"]["size"], TOO_LARGE);
    let path = format!(
        "/local/genesys/media/{}",
        messages[0]["id"].as_str().expect("an id")
    );
    let (status, ..) = fetched(genesys.control(), &path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_single_file_is_refused() {
    let genesys = organisation();
    let url = "https://127.0.0.1:9/a";
    let good = json!({ "mediaType": "File", "mime": "a/b", "url": url });
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    for attachment in [
        with("mediaType", json!("image")),
        with("mediaType", Value::Null),
        with("mime", json!("image")),
        with("mime", Value::Null),
        with("url", Value::Null),
        with("url", json!("/a")),
        with("url", json!("http://127.0.0.1:9/a")),
        with("url", json!("https://me:secret@127.0.0.1:9/a")),
        with("id", json!(1)),
        with("text", json!(1)),
        with("sha256", json!(1)),
        with("filename", json!(1)),
        with("thumbnail", json!("https://x/y")),
        with("thumbnail", json!({ "url": 1 })),
    ] {
        let mut body = message("x");
        body["content"] = json!([{ "attachment": attachment }]);
        assert_eq!(sent(&genesys, &body).await, 400, "{attachment}");
    }
    let item = json!({ "attachment": good });
    let mut two = message("x");
    two["content"] = json!([item, item]);
    assert_eq!(sent(&genesys, &two).await, 400);
    let mut neither = message("");
    neither["content"] = json!([]);
    assert_eq!(sent(&genesys, &neither).await, 400);
    assert!(view(&genesys).await.is_empty());
}

#[tokio::test]
async fn a_profile_holds_media_types() {
    let genesys = organisation();
    let request = || {
        Request::get("/local/genesys/content-profile")
            .body(Body::empty())
            .expect("a request")
    };
    let open = json!({ "inbound": ["*/*"], "outbound": ["*/*"] });
    assert_eq!(control(&genesys, request()).await.body, open);
    let wrong = json!({ "inbound": ["image"], "outbound": [] });
    assert_eq!(set_profile(&genesys, &wrong).await, StatusCode::BAD_REQUEST);
    assert_eq!(control(&genesys, request()).await.body, open);
}
