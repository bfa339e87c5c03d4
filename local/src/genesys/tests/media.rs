use super::*;

/// Makes the agent send a file and returns the webhook's attachment, as the control interface shows it.
async fn sent(genesys: &Arc<Genesys>, change: Value) -> Value {
    let mut attachment =
        json!({ "name": "Größe 1.pdf", "content_type": "application/pdf", "generate": 1000 });
    for (name, value) in change.as_object().expect("an object") {
        attachment[name] = value.clone();
    }
    let answer = write(genesys, &json!({ "attachment": attachment })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let last = view(genesys).await.pop().expect("a message");
    assert_eq!(last["id"], answer.body["id"]);
    last["attachment"].clone()
}

fn path_of(attachment: &Value) -> String {
    let url = attachment["url"].as_str().expect("an address");
    let path = url.strip_prefix("https://127.0.0.1:9");
    path.expect("on Genesys").to_owned()
}

#[tokio::test]
async fn an_agents_file_lies_on_the_host_for_downloads() {
    let genesys = organisation();
    let attachment = sent(&genesys, json!({})).await;
    assert_eq!(attachment["mediaType"], "File");
    assert_eq!(attachment["mime"], "application/pdf");
    assert_eq!(attachment["filename"], "Größe 1.pdf");
    assert_eq!(attachment["contentSizeBytes"], 1000);
    let path = path_of(&attachment);
    let id = attachment["id"].as_str().expect("an id");
    assert_eq!(path, format!("/api/v2/downloads/{id}"));
    let (status, headers, bytes) = fetched(genesys.media_router(), &path, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "application/pdf");
    assert_eq!(headers["content-length"], "1000");
    assert_eq!(bytes.len(), 1000);

    let message = view(&genesys).await[0]["id"].clone();
    let media = format!("/local/genesys/media/{}", message.as_str().expect("an id"));
    assert_eq!(fetched(genesys.control(), &media, None).await.2, bytes);
    let unknown = fetched(genesys.control(), "/local/genesys/media/x", None).await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_closed_address_serves_those_whom_the_api_sends_on() {
    let genesys = organisation();
    let token = token(&genesys).await;
    for (access, status) in [("open", 200), ("unauthorized", 401), ("forbidden", 403)] {
        let path = path_of(&sent(&genesys, json!({ "access": access })).await);
        let answer = fetched(genesys.media_router(), &path, None).await;
        assert_eq!(answer.0, status);
        let carried = fetched(genesys.media_router(), &path, Some("Bearer x")).await;
        assert_ne!(carried.0, StatusCode::OK, "no token belongs there");

        assert_eq!(
            fetched(genesys.router(), &path, None).await.0,
            StatusCode::UNAUTHORIZED
        );
        let bearer = format!("Bearer {token}");
        let (status, headers, _) = fetched(genesys.router(), &path, Some(&bearer)).await;
        assert_eq!(status, StatusCode::FOUND);
        let target = headers["location"].to_str().expect("an address");
        let target = target
            .strip_prefix("https://127.0.0.1:9")
            .expect("on the host");
        let (status, _, bytes) = fetched(genesys.media_router(), target, None).await;
        assert_eq!((status, bytes.len()), (StatusCode::OK, 1000));
        let (status, ..) = fetched(genesys.media_router(), target, Some(&bearer)).await;
        assert_eq!(
            status,
            StatusCode::BAD_REQUEST,
            "a signed address takes no token"
        );
        let later = target.replace("Expires=", "Expires=9");
        for wrong in [target.split('?').next().unwrap_or_default(), &later] {
            let (status, ..) = fetched(genesys.media_router(), wrong, None).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{wrong}");
        }
    }
}

#[tokio::test]
async fn an_agents_file_misbehaves_as_ordered() {
    let genesys = organisation();
    let missing = path_of(&sent(&genesys, json!({ "behaviour": "missing" })).await);
    let (status, ..) = fetched(genesys.media_router(), &missing, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let elsewhere = json!({ "behaviour": "redirect", "redirect_to": "https://elsewhere.example/" });
    let elsewhere = path_of(&sent(&genesys, elsewhere).await);
    let (status, headers, _) = fetched(genesys.media_router(), &elsewhere, None).await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(headers["location"], "https://elsewhere.example/");
    let broken = path_of(&sent(&genesys, json!({ "behaviour": "stops_half_way" })).await);
    let request = Request::get(broken).body(Body::empty()).expect("a request");
    let answer = genesys.media_router().oneshot(request).await;
    let body = answer.expect("an answer").into_body();
    assert!(axum::body::to_bytes(body, usize::MAX).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_file_comes_after_a_minute() {
    let genesys = organisation();
    let file = json!({ "name": "a", "content_type": "a/b", "base64": "YWJj", "behaviour": "slow" });
    write(&genesys, &json!({ "attachment": file })).await;
    let attachment = view(&genesys).await[0]["attachment"].clone();
    let before = tokio::time::Instant::now();
    let (_, _, bytes) = fetched(genesys.media_router(), &path_of(&attachment), None).await;
    assert_eq!(bytes, "abc");
    assert_eq!(before.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn the_kind_of_media_follows_the_type_unless_it_is_told() {
    let genesys = organisation();
    for (content_type, kind) in [
        ("image/png", "Image"),
        ("video/mp4", "Video"),
        ("audio/ogg", "Audio"),
        ("text/plain", "File"),
    ] {
        let attachment = sent(&genesys, json!({ "content_type": content_type })).await;
        assert_eq!(attachment["mediaType"], kind);
    }
    let told = sent(&genesys, json!({ "media_type": "Image" })).await;
    assert_eq!(told["mediaType"], "Image");
}

#[tokio::test]
async fn what_an_agent_cannot_send_is_refused() {
    let genesys = organisation();
    let profile = json!({ "inbound": [], "outbound": ["image/png"] });
    set_profile(&genesys, &profile).await;
    let file = json!({ "name": "a", "content_type": "image/png", "generate": 1 });
    let with = |name: &str, value: Value| {
        let mut changed = file.clone();
        changed[name] = value;
        json!({ "attachment": changed })
    };
    let reply = json!({ "contentType": "QuickReply", "quickReply": { "text": "a" } });
    let raw = json!({ "contentType": "Attachment", "attachment": { "mime": "image/gif", "url": "https://x/" } });
    for body in [
        json!({}),
        with("content_type", json!("image/gif")),
        with("behaviour", json!("virus")),
        with("behaviour", json!("unavailable")),
        with("media_type", json!("Picture")),
        with("base64", json!("YQ==")),
        with("name", json!("")),
        json!({ "attachment": file, "structured": [reply] }),
        json!({ "structured": [{}] }),
        json!({ "content": [raw] }),
    ] {
        let answer = write(&genesys, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.body["error"].is_string());
    }
    assert!(view(&genesys).await.is_empty(), "nothing was sent");
    let answer = write(&genesys, &json!({ "attachment": file })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_request_may_hold_a_large_file() {
    let genesys = organisation();
    let base64 = STANDARD.encode(vec![7; 25 * 1024 * 1024]);
    let file = json!({ "name": "a", "content_type": "a/b", "base64": base64 });
    let answer = write(&genesys, &json!({ "attachment": file })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_file_can_lie_there_without_being_sent() {
    let genesys = organisation();
    let file = json!({ "name": "a.png", "content_type": "image/png", "base64": "YWJj" });
    let kept = control(&genesys, post("/local/genesys/media", "", file.to_string())).await;
    assert_eq!(kept.status, StatusCode::CREATED);
    let (_, _, bytes) = fetched(genesys.media_router(), &path_of(&kept.body), None).await;
    assert_eq!(bytes, "abc");
    assert!(view(&genesys).await.is_empty());
}
