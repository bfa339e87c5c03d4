use super::*;
use crate::testing::{Double, Reply, client};

const INTEGRATION: &str = "/api/v2/conversations/messaging/integrations/open/i-1";
const RECIPIENT: &str = "/api/v2/routing/message/recipients/r-1";
const TIMELINE_PATH: &str = "/api/v2/conversations/messaging/threadingtimeline";

fn credentials() -> AdminCredentials {
    AdminCredentials::new("admin".to_owned(), "hush".to_owned())
}

/// A signed-in administrator, and the API with these answers.
async fn administrator(replies: Vec<Reply>) -> (Double, GenesysAdmin) {
    let api = Double::start(replies).await;
    let grant = json!({"access_token": "t1", "token_type": "bearer", "expires_in": 86399});
    let login = Double::start([Reply::json(200, &grant)]).await;
    let admin = GenesysAdmin::sign_in(client(), &api.base, &login.base, &credentials())
        .await
        .expect("a token");
    let seen = login.only();
    assert_eq!(seen.target, "/oauth/token");
    assert_eq!(seen.header("authorization"), "Basic YWRtaW46aHVzaA==");
    assert_eq!(
        seen.form(),
        [("grant_type".to_owned(), "client_credentials".to_owned())]
    );
    (api, admin)
}

fn integration(status: Option<&str>, recipient: Option<&str>) -> Reply {
    let mut body = json!({"id": "i-1", "name": "Teams", "status": "Active"});
    if let Some(status) = status {
        body["createStatus"] = json!(status);
    }
    if let Some(recipient) = recipient {
        body["recipient"] = json!({"id": recipient, "selfUri": "/api/v2/…"});
    }
    Reply::json(200, &body)
}

fn patience(deadline: Duration) -> Patience {
    Patience {
        interval: Duration::from_millis(1),
        deadline,
    }
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_status_that_is_new_is_waited_for() {
    let replies = vec![
        integration(Some("Validating"), None),
        integration(Some("Completed"), Some("r-1")),
    ];
    let (api, admin) = administrator(replies).await;
    let found = admin.completed_integration("i-1", patience(LONG)).await;
    assert!(found.expect("completed").recipient.is_some());
    assert_eq!(api.seen().len(), 2);
}

#[tokio::test]
async fn an_unknown_client_is_a_matter_of_configuration() {
    for (status, error) in [(400, "invalid_client"), (401, "invalid_client")] {
        let login = Double::start([Reply::json(status, &json!({"error": error}))]).await;
        let error = GenesysAdmin::sign_in(client(), &login.base, &login.base, &credentials())
            .await
            .expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert_eq!(error.code.as_deref(), Some("invalid_client"));
    }
}

#[tokio::test]
async fn secrets_and_tokens_are_not_shown() {
    let (_, admin) = administrator(Vec::new()).await;
    let shown = format!("{:?} {admin:?}", credentials());
    assert!(!shown.contains("hush") && !shown.contains("t1"), "{shown}");
}

#[tokio::test]
async fn an_integration_is_waited_for() {
    let (api, admin) = administrator(vec![
        integration(Some("Initiated"), None),
        integration(None, None),
        integration(Some("Completed"), Some("r-1")),
    ])
    .await;
    let integration = admin
        .completed_integration("i-1", patience(LONG))
        .await
        .expect("completed");
    assert_eq!(integration.recipient.expect("a recipient").id, "r-1");
    let seen = api.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("GET", INTEGRATION)
        );
        assert_eq!(request.header("authorization"), "Bearer t1");
    }
}

#[tokio::test]
async fn an_integration_without_a_status_is_there_when_it_has_a_recipient() {
    let (api, admin) = administrator(vec![integration(None, Some("r-1"))]).await;
    admin
        .completed_integration("i-1", patience(LONG))
        .await
        .expect("completed");
    assert_eq!(api.only().target, INTEGRATION);
}

#[tokio::test]
async fn waiting_ends() {
    let (_, admin) = administrator(vec![integration(Some("Error"), None)]).await;
    let error = admin
        .completed_integration("i-1", patience(LONG))
        .await
        .expect_err("failed");
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(error.code.as_deref(), Some(CREATE_FAILED));

    let (api, admin) = administrator(vec![integration(Some("Initiated"), None)]).await;
    let error = admin
        .completed_integration("i-1", patience(Duration::ZERO))
        .await
        .expect_err("too slow");
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert_eq!(error.code.as_deref(), Some(STILL_CREATING));
    assert_eq!(api.seen().len(), 1);
}

#[tokio::test]
async fn a_flow_is_read_and_bound() {
    let bound = json!({"id": "r-1", "messengerType": "open", "flow": {"id": "f-1", "name": "x"}});
    let free = json!({"id": "r-1", "messengerType": "open"});
    let (api, admin) = administrator(vec![
        Reply::json(200, &free),
        Reply::json(200, &bound),
        Reply::json(200, &bound),
    ])
    .await;
    assert_eq!(admin.recipient("r-1").await.expect("read").flow, None);
    admin.bind_flow("r-1", "f-1").await.expect("bound");
    let flow = admin.recipient("r-1").await.expect("read").flow;
    assert_eq!(flow.expect("a flow").id, "f-1");
    let seen = &api.seen()[1];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("PUT", RECIPIENT)
    );
    assert_eq!(seen.header("content-type"), "application/json");
    insta::assert_json_snapshot!("bind_flow", seen.json());
}

#[tokio::test]
async fn other_channels_keep_their_timeline() {
    let timeline = json!({
        "settings": [
            {"messengerType": "whatsapp", "timeoutInMinutes": 60, "later": true},
            {"messengerType": "open", "timeoutInMinutes": 4320},
            {"messengerType": "sms", "timeoutInMinutes": 0},
        ],
        "defaultTimeoutMinutes": 4320,
    });
    let (api, admin) = administrator(vec![
        Reply::json(200, &timeline),
        Reply::json(200, &json!({})),
    ])
    .await;
    let read = admin.threading_timeline().await.expect("read");
    assert_eq!(read.open_minutes(), Some(4320));
    let changed = read.with_open_minutes(1440);
    assert_eq!(changed.open_minutes(), Some(1440));
    admin
        .set_threading_timeline(&changed)
        .await
        .expect("written");
    let seen = &api.seen()[1];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("PUT", TIMELINE_PATH)
    );
    insta::assert_json_snapshot!("threading_timeline", seen.json());
}

#[tokio::test]
async fn a_timeline_without_open_messaging_gets_it() {
    let others = json!({"settings": [{"messengerType": "sms", "timeoutInMinutes": 5}]});
    for (before, channels) in [(json!({}), 1), (others, 2)] {
        let (_, admin) = administrator(vec![Reply::json(200, &before)]).await;
        let read = admin.threading_timeline().await.expect("read");
        assert_eq!(read.open_minutes(), None);
        let changed = json!(read.with_open_minutes(1440));
        let settings = changed["settings"].as_array().expect("settings");
        assert_eq!(settings.len(), channels);
        assert_eq!(
            settings[channels - 1],
            json!({"messengerType": "open", "timeoutInMinutes": 1440})
        );
    }
}

#[tokio::test]
async fn a_missing_permission_is_told() {
    let refusal = json!({
        "message": "You are not authorized to perform the requested action.",
        "code": "not.authorized",
        "status": 403,
        "contextId": "c-1",
    });
    let (_, admin) = administrator(vec![Reply::json(403, &refusal)]).await;
    let error = admin.bind_flow("r-1", "f-1").await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert_eq!(error.code.as_deref(), Some("not.authorized"));
    assert_eq!(error.request_ids, [("contextId", "c-1".to_owned())]);
}

#[tokio::test]
async fn an_id_that_would_climb_is_not_sent() {
    let (api, admin) = administrator(Vec::new()).await;
    let error = admin.recipient("..").await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(api.seen().is_empty());
}
