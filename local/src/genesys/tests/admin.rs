use super::*;

const TIMELINE: &str = "/api/v2/conversations/messaging/threadingtimeline";

/// What the control interface tells an operator.
async fn client(genesys: &Arc<Genesys>) -> Value {
    let request = Request::get("/local/genesys/admin-client").body(Body::empty());
    let answer = control(genesys, request.expect("a request")).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

async fn administrator(genesys: &Arc<Genesys>) -> String {
    let client = client(genesys).await;
    let text = |name: &str| client[name].as_str().expect("text").to_owned();
    let form = "grant_type=client_credentials";
    let request = token_request(&text("clientId"), &text("clientSecret"), form);
    let answer = ask(genesys, request).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

async fn get(genesys: &Arc<Genesys>, token: &str, path: &str) -> Answer {
    let request = Request::get(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request");
    ask(genesys, request).await
}

async fn put(genesys: &Arc<Genesys>, token: &str, path: &str, body: &Value) -> Answer {
    let mut request = post(path, token, body.to_string());
    *request.method_mut() = http::Method::PUT;
    ask(genesys, request).await
}

/// The address of the integration's recipient.
async fn recipient(genesys: &Arc<Genesys>, token: &str) -> String {
    let integration = &genesys.world.config.genesys_integration_id;
    let path = format!("/api/v2/conversations/messaging/integrations/open/{integration}");
    let answer = get(genesys, token, &path).await;
    assert_eq!(answer.body["createStatus"], "Completed");
    let id = answer.body["recipient"]["id"].as_str().expect("an id");
    format!("/api/v2/routing/message/recipients/{id}")
}

#[tokio::test]
async fn an_administrator_binds_another_flow() {
    let genesys = organisation();
    let token = administrator(&genesys).await;
    let path = recipient(&genesys, &token).await;
    let flows = client(&genesys).await["flows"].clone();
    let before = get(&genesys, &token, &path).await;
    assert_eq!(before.body["flow"]["id"], flows[0]);
    assert_eq!(before.body["messengerType"], "open");

    let bound = put(&genesys, &token, &path, &json!({"flow": {"id": flows[1]}})).await;
    assert_eq!(bound.status, StatusCode::OK);
    assert_eq!(bound.body["flow"]["id"], flows[1]);
    let after = get(&genesys, &token, &path).await;
    assert_eq!(after.body["flow"]["id"], flows[1]);
}

#[tokio::test]
async fn what_does_not_exist_is_refused() {
    let genesys = organisation();
    let token = administrator(&genesys).await;
    let path = recipient(&genesys, &token).await;
    for body in [
        json!({"flow": {"id": "f-1"}}),
        json!({"flow": {}}),
        json!([]),
    ] {
        let answer = put(&genesys, &token, &path, &body).await;
        assert_refused(&answer, 400, "bad.request");
    }
    for path in [
        "/api/v2/routing/message/recipients/r-1",
        "/api/v2/conversations/messaging/integrations/open/i-1",
    ] {
        assert_refused(&get(&genesys, &token, path).await, 404, "not.found");
    }
}

#[tokio::test]
async fn the_threading_timeline_is_replaced_as_a_whole() {
    let genesys = organisation();
    let token = administrator(&genesys).await;
    let mut timeline = get(&genesys, &token, TIMELINE).await.body;
    let settings = timeline["settings"].as_array().expect("settings");
    let open = settings
        .iter()
        .position(|setting| setting["messengerType"] == "open")
        .expect("open messaging");
    assert_eq!(settings[open]["timeoutInMinutes"], 4320);
    timeline["settings"][open]["timeoutInMinutes"] = json!(1440);
    let answer = put(&genesys, &token, TIMELINE, &timeline).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(get(&genesys, &token, TIMELINE).await.body, timeline);

    let setting =
        |kind: &str, minutes: i64| json!({"messengerType": kind, "timeoutInMinutes": minutes});
    let one = |setting: Value| json!({"settings": [setting], "defaultTimeoutMinutes": 4320});
    for wrong in [
        one(setting("open", 4321)),
        one(setting("open", -1)),
        one(setting("pigeon", 5)),
        json!({"settings": [setting("open", 5), setting("open", 6)], "defaultTimeoutMinutes": 5}),
        json!({"settings": [setting("open", 5)]}),
        json!({"defaultTimeoutMinutes": 5}),
    ] {
        let answer = put(&genesys, &token, TIMELINE, &wrong).await;
        assert_refused(&answer, 400, "bad.request");
    }
    assert_eq!(get(&genesys, &token, TIMELINE).await.body, timeline);
}

#[tokio::test]
async fn each_client_has_its_own_permissions() {
    let genesys = organisation();
    let bridge = token(&genesys).await;
    let admin = administrator(&genesys).await;
    let path = recipient(&genesys, &admin).await;
    for path in [path.as_str(), TIMELINE] {
        let read = get(&genesys, &bridge, path).await;
        assert_refused(&read, 403, "missing.any.permissions");
        let written = put(&genesys, &bridge, path, &json!({})).await;
        assert_refused(&written, 403, "missing.any.permissions");
    }
    for kind in ["message", "receipt", "event", "structured/response"] {
        let answer = send(&genesys, &admin, kind, &message("hello")).await;
        assert_refused(&answer, 403, "missing.any.permissions");
    }
    assert!(view(&genesys).await.is_empty());
    let who = get(&genesys, &admin, "/api/v2/tokens/me").await;
    assert_eq!(who.body["OAuthClient"]["name"], "Administrator");
}
