use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// Shares one file and returns its attachment.
async fn shared(caller: &Caller, change: Value) -> Value {
    let mut file =
        json!({ "name": "Größe 1.pdf", "content_type": "application/pdf", "generate": 1000 });
    for (name, value) in change.as_object().expect("an object") {
        file[name] = value.clone();
    }
    let id = caller
        .writes(json!({ "html": "<p>x</p>", "files": [file] }))
        .await;
    caller.shown(&id)["attachments"][0].clone()
}

fn share(url: &str) -> String {
    format!(
        "/v1.0/shares/u!{}/driveItem/content",
        URL_SAFE_NO_PAD.encode(url)
    )
}

fn share_of(attachment: &Value) -> String {
    share(attachment["contentUrl"].as_str().expect("an address"))
}

/// Path and query of the pre-authenticated address of a file.
async fn target(caller: &Caller, attachment: &Value) -> String {
    let (status, headers, _) = caller.bytes(&share_of(attachment)).await;
    assert_eq!(status, StatusCode::FOUND);
    let target = headers["location"].to_str().expect("text");
    let path = target.strip_prefix("https://127.0.0.1:9");
    path.expect("on the files host").to_owned()
}

#[tokio::test]
async fn a_file_is_reached_over_its_share() {
    let caller = Caller::new().await;
    let attachment = shared(&caller, json!({})).await;
    assert_eq!(attachment["contentType"], "reference");
    assert_eq!(attachment["name"], "Größe 1.pdf");
    let url = attachment["contentUrl"].as_str().expect("an address");
    assert!(url.starts_with("https://"), "{url}");
    assert!(
        url.ends_with("-my.sharepoint.com/personal/anna_customer_example/Documents/Microsoft%20Teams%20Chat%20Files/Gr%C3%B6%C3%9Fe%201.pdf"),
        "{url}"
    );
    let id = attachment["id"].as_str().expect("an id");
    let view = caller.view().await;
    assert_eq!(
        view[1]["html"],
        format!("<p>x</p><attachment id=\"{id}\"></attachment>")
    );
    let target = target(&caller, &attachment).await;
    let (status, headers, bytes) = fetch(caller.graph.files_router(), &target, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "application/pdf");
    assert_eq!(bytes.len(), 1000);
    let shown = &view[1]["attachments"][0];
    assert_eq!(shown["path"], format!("/local/teams/files/{id}"));
    let path = shown["path"].as_str().expect("a path");
    let (_, _, same) = fetch(caller.graph.control(), path, None).await;
    assert_eq!(same, bytes);
}

#[tokio::test]
async fn two_files_of_one_name_have_two_addresses() {
    let caller = Caller::new().await;
    let first = shared(&caller, json!({})).await;
    let second = shared(&caller, json!({ "generate": 5 })).await;
    assert_ne!(first["contentUrl"], second["contentUrl"]);
    assert_eq!(first["name"], second["name"]);
    let target = target(&caller, &second).await;
    let bytes = fetch(caller.graph.files_router(), &target, None).await.2;
    assert_eq!(bytes.len(), 5);
}

#[tokio::test]
async fn a_share_needs_a_scope_and_a_member_of_the_chat() {
    let caller = Caller::new().await;
    let path = share_of(&shared(&caller, json!({})).await);
    let entra = &caller.graph.entra;
    let support = &caller.graph.world.config.support_accounts[0].user;
    let status = |token: String| {
        let (graph, path) = (&caller.graph, &path);
        async move {
            let bearer = format!("Bearer {token}");
            fetch(graph.router(), path, Some(&bearer)).await.0.as_u16()
        }
    };
    for scope in [
        "Files.Read",
        "Files.Read.All",
        "Files.ReadWrite",
        "Files.ReadWrite.All",
    ] {
        assert_eq!(status(token(entra, support, scope)).await, 302);
    }
    assert_eq!(status(token(entra, support, "Chat.Read")).await, 403);
    let stranger = "0f0e0d0c-0000-4000-8000-0000000000ff";
    assert_eq!(status(token(entra, stranger, "Files.Read.All")).await, 403);
    assert_eq!(status("nonsense".to_owned()).await, 401);
}

#[tokio::test]
async fn a_share_of_nothing_is_refused() {
    let caller = Caller::new().await;
    let url = shared(&caller, json!({})).await["contentUrl"].clone();
    let url = url.as_str().expect("an address");
    let (status, answer) = caller.call("GET", &share(&format!("{url}x")), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(answer["error"]["code"], "itemNotFound");
    for wrong in ["u!***", "x!aaaa", "u!YQ=="] {
        let path = format!("/v1.0/shares/{wrong}/driveItem/content");
        let (status, answer) = caller.call("GET", &path, None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer["error"]["code"], "invalidRequest");
    }
}

#[tokio::test]
async fn files_misbehave_as_ordered_before_the_redirect() {
    let caller = Caller::new().await;
    for (change, status, code) in [
        (json!({ "behaviour": "missing" }), 404, "itemNotFound"),
        (
            json!({ "behaviour": "unavailable" }),
            503,
            "serviceNotAvailable",
        ),
        (json!({ "owner": "other_tenant" }), 403, "accessDenied"),
    ] {
        let path = share_of(&shared(&caller, change).await);
        let (found, headers, body) = caller.bytes(&path).await;
        assert_eq!(found, status);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["error"]["code"], code);
        assert_eq!(headers.contains_key("retry-after"), status == 503);
    }
    let elsewhere =
        json!({ "behaviour": "redirect", "redirect_to": "https://elsewhere.example/a" });
    let path = share_of(&shared(&caller, elsewhere).await);
    let (status, headers, _) = caller.bytes(&path).await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(headers["location"], "https://elsewhere.example/a");
}

#[tokio::test]
async fn files_misbehave_as_ordered_in_the_download() {
    let caller = Caller::new().await;
    let infected = shared(&caller, json!({ "behaviour": "virus" })).await;
    let target_of_infected = target(&caller, &infected).await;
    let router = caller.graph.files_router();
    let (status, headers, bytes) = fetch(router, &target_of_infected, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(bytes.starts_with(b"<!DOCTYPE html>"));

    let broken = shared(&caller, json!({ "behaviour": "stops_half_way" })).await;
    let target_of_broken = target(&caller, &broken).await;
    let request = Request::get(target_of_broken).body(Body::empty());
    let answer = caller.graph.files_router().oneshot(request.expect("valid"));
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.headers()["content-length"], "1000");
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    assert!(body.is_err(), "the connection breaks");
}

#[tokio::test]
async fn a_download_takes_no_token_and_no_foreign_proof() {
    let caller = Caller::new().await;
    let first = shared(&caller, json!({})).await;
    let second = shared(&caller, json!({})).await;
    let target = target(&caller, &first).await;
    let id = |attachment: &Value| attachment["id"].as_str().expect("an id").to_owned();
    let status = async |path: &str, authorization: Option<&str>| {
        let router = caller.graph.files_router();
        fetch(router, path, authorization).await.0.as_u16()
    };
    assert_eq!(status(&target, None).await, 200);
    let bearer = format!("Bearer {}", caller.token);
    assert_eq!(status(&target, Some(&bearer)).await, 401);
    let other = target.replace(&id(&first), &id(&second));
    assert_eq!(status(&other, None).await, 403);
    let (bare, _) = target.split_once("&tempauth").expect("a proof");
    assert_eq!(status(bare, None).await, 403);
    let folder = target.replace("anna_customer_example", "somebody_else");
    assert_eq!(status(&folder, None).await, 404);
}
