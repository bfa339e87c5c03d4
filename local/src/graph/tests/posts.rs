use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn hosted(name: &str, bytes: &[u8]) -> Value {
    json!({ "@microsoft.graph.temporaryId": name, "contentBytes": STANDARD.encode(bytes), "contentType": "image/png" })
}

fn post(html: &str, hosted: Vec<Value>) -> Value {
    json!({ "body": { "contentType": "html", "content": html }, "hostedContents": hosted })
}

fn image(name: &str) -> String {
    format!("<img src=\"../hostedContents/{name}/$value\">")
}

/// The status of one post, with nobody's throttling in the way.
async fn status(body: Value) -> u16 {
    let caller = Caller::new().await;
    let path = format!("{CHAT}/messages");
    caller.call("POST", &path, Some(body)).await.0.as_u16()
}

#[tokio::test]
async fn posted_images_become_hosted_contents() {
    let caller = Caller::new().await;
    let html = format!(
        "<p>a{}<img alt=\"plan\" style=\"width:3px\" src=\"../hostedContents/2/$value\"/></p>",
        image("1")
    );
    let body = post(&html, vec![hosted("1", b"one"), hosted("2", b"two")]);
    let path = format!("{CHAT}/messages");
    let (status, posted) = caller.call("POST", &path, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = posted["id"].as_str().expect("an id");
    let view = caller.view().await;
    let images = view[1]["images"].as_array().expect("images");
    let address = |image: &Value| {
        format!(
            "https://127.0.0.1:9/v1.0/chats/19:anna_support@unq.gbl.spaces/messages/{id}/hostedContents/{}/$value",
            image["id"].as_str().expect("an id")
        )
    };
    let item = |image: &Value| image["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        posted["body"]["content"],
        format!(
            "<p>a<img src=\"{}\" alt=\"image\" itemid=\"{}\"><img alt=\"plan\" style=\"width:3px\" src=\"{}\" itemid=\"{}\"></p>",
            address(&images[0]),
            item(&images[0]),
            address(&images[1]),
            item(&images[1])
        )
    );
    let path = format!(
        "{CHAT}/messages/{id}/hostedContents/{}/$value",
        item(&images[1])
    );
    let (_, headers, bytes) = caller.bytes(&path).await;
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(bytes, "two");
}

#[tokio::test]
async fn references_and_contents_belong_together() {
    assert_eq!(status(post(&image("1"), vec![])).await, 400);
    assert_eq!(status(post("<p>x</p>", vec![hosted("1", b"x")])).await, 400);
    assert_eq!(
        status(post(&image("2"), vec![hosted("1", b"x")])).await,
        400
    );
    let twice = vec![hosted("1", b"x"), hosted("1", b"y")];
    assert_eq!(status(post(&image("1"), twice)).await, 400);
    let shown_twice = image("1").repeat(2);
    assert_eq!(
        status(post(&shown_twice, vec![hosted("1", b"x")])).await,
        201
    );
    let mut as_text = post(&image("1"), vec![hosted("1", b"x")]);
    as_text["body"]["contentType"] = json!("text");
    assert_eq!(status(as_text).await, 400);
}

#[tokio::test]
async fn a_hosted_content_is_a_complete_image() {
    for (name, value) in [
        ("contentBytes", json!("*")),
        ("contentBytes", json!("")),
        ("contentBytes", Value::Null),
        ("contentType", json!("text/plain")),
        ("contentType", json!("image/")),
        ("contentType", Value::Null),
        ("@microsoft.graph.temporaryId", Value::Null),
    ] {
        let mut item = hosted("1", b"x");
        item[name] = value.clone();
        assert_eq!(
            status(post(&image("1"), vec![item])).await,
            400,
            "{name} {value}"
        );
    }
    let mut body = post(&image("1"), vec![]);
    body["hostedContents"] = json!("x");
    assert_eq!(status(body).await, 400);
}

#[tokio::test]
async fn sizes_are_limited() {
    const LARGEST: usize = 4 * 1024 * 1024;
    let both = format!("{}{}", image("1"), image("2"));
    let contents = vec![
        hosted("1", &vec![0; LARGEST]),
        hosted("2", &vec![0; LARGEST]),
    ];
    assert_eq!(status(post(&both, contents)).await, 201);
    let larger = vec![hosted("1", &vec![0; LARGEST + 1])];
    assert_eq!(status(post(&image("1"), larger)).await, 413);
    let html = format!("{}{}", image("1"), "x".repeat(28 * 1024));
    assert_eq!(status(post(&html, vec![hosted("1", b"x")])).await, 413);
    let broken = "x".repeat(29 * 1024);
    assert_eq!(
        super::super::posted::read(broken.as_bytes()).err(),
        Some(super::super::answers::Refusal::TooLarge)
    );
}

#[tokio::test]
async fn attachments_and_markers_belong_together() {
    let with = |html: &str, attachments: Value| {
        let mut body = post(html, vec![]);
        body["attachments"] = attachments;
        body
    };
    let marker = "<p>x</p><attachment id=\"1\"></attachment>";
    let card = json!({ "id": "1", "contentType": "application/vnd.microsoft.card.adaptive", "content": "{}" });
    assert_eq!(status(with(marker, json!([card]))).await, 201);
    assert_eq!(status(with(marker, json!([]))).await, 400);
    assert_eq!(status(with("<p>x</p>", json!([card]))).await, 400);
    assert_eq!(status(with(marker, json!([{ "id": "1" }]))).await, 400);
}
