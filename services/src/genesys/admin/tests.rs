use super::*;
use crate::testing::{Double, Reply, client};

const RECIPIENT: &str = "/api/v2/routing/message/recipients/r-1";

fn credentials() -> AdminCredentials {
    AdminCredentials::new("admin".to_owned(), "hush".to_owned())
}

/// A signed-in administrator, and the API with these answers.
pub(super) async fn administrator(replies: &[Value]) -> (Double, GenesysAdmin) {
    let api = Double::start(replies.iter().map(|body| Reply::json(200, body))).await;
    let grant = json!({"access_token": "t1", "token_type": "bearer", "expires_in": 86399});
    let login = Double::start([Reply::json(200, &grant)]).await;
    let admin = GenesysAdmin::sign_in(client(), &api.base, &login.base, &credentials()).await;
    let seen = login.only();
    assert_eq!(seen.target, "/oauth/token");
    assert_eq!(seen.header("authorization"), "Basic YWRtaW46aHVzaA==");
    assert_eq!(&seen.body[..], b"grant_type=client_credentials");
    (api, admin.expect("a token"))
}

#[tokio::test]
async fn an_unknown_client_is_a_matter_of_configuration() {
    for status in [400, 401] {
        let refusal = Reply::json(status, &json!({"error": "invalid_client"}));
        let login = Double::start([refusal]).await;
        let (base, credentials) = (&login.base, credentials());
        let refused = GenesysAdmin::sign_in(client(), base, base, &credentials).await;
        let error = refused.expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert_eq!(error.code.as_deref(), Some("invalid_client"));
    }
}

#[tokio::test]
async fn secrets_and_tokens_are_not_shown() {
    let (_, admin) = administrator(&[]).await;
    let shown = format!("{:?} {admin:?}", credentials());
    assert!(!shown.contains("hush") && !shown.contains("t1"), "{shown}");
}

#[tokio::test]
async fn an_integration_is_waited_for_but_not_for_ever() {
    const LONG: Duration = Duration::from_secs(600);
    let failed = (ErrorKind::Conflict, CREATE_FAILED);
    let slow = (ErrorKind::TimedOut, STILL_CREATING);
    let made = json!({"id": "i-1", "createStatus": "Completed", "recipient": {"id": "r-1"}});
    let nothing = json!({"id": "i-1"});
    // Where Genesys tells no status.
    let routed = json!({"id": "i-1", "recipient": {"id": "r-1", "selfUri": "/api/v2/…"}});
    let status = |word: &str| json!({"id": "i-1", "createStatus": word});
    for (answers, patience, expected) in [
        (vec![status("Initiated"), nothing, made.clone()], LONG, None),
        (vec![status("Validating"), made], LONG, None),
        (vec![routed], LONG, None),
        (vec![status("Error")], LONG, Some(failed)),
        (vec![status("Initiated")], Duration::ZERO, Some(slow)),
    ] {
        let (api, admin) = administrator(&answers).await;
        let interval = Duration::from_millis(1);
        let completed = admin.completed_integration("i-1", interval, patience);
        match completed.await {
            Ok(found) => assert_eq!(found.expect("a recipient").id, "r-1"),
            Err(error) => {
                let told = (error.kind, error.code.as_deref().unwrap_or_default());
                assert_eq!(Some(told), expected);
            }
        }
        let seen = api.seen();
        assert_eq!(seen.len(), answers.len());
        let path = "/api/v2/conversations/messaging/integrations/open/i-1";
        for seen in seen {
            assert_eq!((&*seen.method, &*seen.target), ("GET", path));
            assert_eq!(seen.header("authorization"), "Bearer t1");
        }
    }
}

#[tokio::test]
async fn a_flow_is_read_and_bound() {
    let bound = json!({"id": "r-1", "messengerType": "open", "flow": {"id": "f-1", "name": "x"}});
    let free = json!({"id": "r-1", "messengerType": "open"});
    let (api, admin) = administrator(&[free, bound.clone(), bound]).await;
    assert_eq!(admin.recipient("r-1").await.expect("read").flow, None);
    admin.bind_flow("r-1", "f-1").await.expect("bound");
    let flow = admin.recipient("r-1").await.expect("read").flow;
    assert_eq!(flow.expect("a flow").id, "f-1");
    let seen = &api.seen()[1];
    assert_eq!((&*seen.method, &*seen.target), ("PUT", RECIPIENT));
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
    let (api, admin) = administrator(&[timeline, json!({})]).await;
    let read = admin.threading_timeline().await.expect("read");
    assert_eq!(read.open_minutes(), Some(4320));
    let changed = read.with_open_minutes(1440);
    assert_eq!(changed.open_minutes(), Some(1440));
    let written = admin.set_threading_timeline(&changed).await;
    written.expect("written");
    let seen = &api.seen()[1];
    let path = "/api/v2/conversations/messaging/threadingtimeline";
    assert_eq!((&*seen.method, &*seen.target), ("PUT", path));
    insta::assert_json_snapshot!("threading_timeline", seen.json());
}

#[tokio::test]
async fn a_timeline_without_open_messaging_gets_it() {
    let others = json!({"settings": [{"messengerType": "sms", "timeoutInMinutes": 5}]});
    for (before, channels) in [(json!({}), 1), (others, 2)] {
        let (_, admin) = administrator(&[before]).await;
        let read = admin.threading_timeline().await.expect("read");
        assert_eq!(read.open_minutes(), None);
        let changed = json!(read.with_open_minutes(1440));
        let settings = changed["settings"].as_array().expect("settings");
        assert_eq!(settings.len(), channels);
        let open = json!({"messengerType": "open", "timeoutInMinutes": 1440});
        assert_eq!(settings.last(), Some(&open));
    }
}

#[tokio::test]
async fn a_missing_permission_is_told_and_an_id_that_would_climb_is_not_sent() {
    let (api, admin) = administrator(&[]).await;
    let error = admin.recipient("..").await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(api.seen().is_empty());
    let refusal = json!({"message": "You are not authorized.", "code": "not.authorized"});
    api.push(Reply::json(403, &refusal));
    let error = admin.bind_flow("r-1", "f-1").await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert_eq!(error.code.as_deref(), Some("not.authorized"));
}

#[tokio::test]
async fn the_members_of_a_queue_are_told_with_who_takes_conversations() {
    let listed =
        json!({"entities": [{"id": "u-1", "joined": true}, {"id": "u-2"}], "pageSize": 100});
    let (api, admin) = administrator(&[listed, json!({"entities": []})]).await;
    let members = admin.members("q-1").await.expect("members");
    assert_eq!(
        members.iter().map(|it| it.joined).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(admin.members("q-1").await.expect("members"), []);
    let seen = api.seen();
    assert_eq!(
        seen[0].target,
        "/api/v2/routing/queues/q-1/members?pageSize=100&pageNumber=1"
    );
}

#[tokio::test]
async fn all_pages_of_a_queues_members_are_read_and_no_more() {
    let full = vec![json!({"joined": false}); 100];
    let last = json!([{"joined": true}]);
    let page =
        |entities: &Value, count: Option<u32>| json!({"entities": entities, "pageCount": count});
    let full = json!(full);
    for pages in [
        [
            page(&full, Some(3)),
            page(&full, Some(3)),
            page(&last, Some(3)),
        ],
        // Where Genesys does not tell how many there are.
        [page(&full, None), page(&full, None), page(&last, None)],
    ] {
        let (api, admin) = administrator(&pages).await;
        let members = admin.members("q-1").await.expect("members");
        assert_eq!(members.len(), 201);
        assert!(members.iter().any(|it| it.joined));
        let seen = api.seen();
        let numbers = seen.iter().map(|it| it.target.rsplit('=').next());
        assert_eq!(Vec::from_iter(numbers), [Some("1"), Some("2"), Some("3")]);
    }
    let (api, admin) = administrator(&[page(&full, Some(1)), page(&last, Some(1))]).await;
    assert_eq!(admin.members("q-1").await.expect("members").len(), 100);
    assert_eq!(api.seen().len(), 1);
}
