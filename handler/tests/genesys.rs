//! `handler genesys …` as an administrator runs it, against an organisation with one integration and one recipient of its
//! messages.

use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, World};

use crate::program::{Outcome, authority, handler};

const INTEGRATION: &str = "00000000-0000-4000-8000-000000000001";
const FLOW: &str = "00000000-0000-4000-8000-0000000000f1";
const OTHER_FLOW: &str = "00000000-0000-4000-8000-0000000000f2";
const CLIENT_SECRET: &str = "hush-hush";

/// `administrator:hush-hush`, as Basic authorization has it.
const BASIC: &str = "Basic YWRtaW5pc3RyYXRvcjpodXNoLWh1c2g=";

/// Places of the API.
const THE_INTEGRATION: &str =
    "/api/v2/conversations/messaging/integrations/open/00000000-0000-4000-8000-000000000001";
const RECIPIENT: &str = "/api/v2/routing/message/recipients/r-1";
const TIMELINE: &str = "/api/v2/conversations/messaging/threadingtimeline";

const BIND: &[&str] = &["bind-flow", "--flow", FLOW];
const SET: &[&str] = &["threading-timeline", "--minutes", "1440"];

fn yes(body: &Value) -> Reply {
    Reply::json(200, body)
}

/// An organisation that takes everything from its administrator.
async fn organisation() -> World {
    let world = World::start().await;
    world.answer_with("POST", "/oauth/token", |seen| {
        let is_administrator = seen.header("authorization") == BASIC;
        let refusal = json!({"error": "invalid_client", "description": "authentication failed"});
        (!is_administrator).then(|| Reply::json(401, &refusal))
    });
    let completed = json!({"createStatus": "Completed", "recipient": {"id": "r-1"}});
    world.answer("GET", THE_INTEGRATION, yes(&completed));
    world.answer("GET", RECIPIENT, yes(&json!({"id": "r-1"})));
    world.answer("GET", TIMELINE, yes(&timeline(4320)));
    world.answer("PUT", "/api/v2/", yes(&json!({})));
    world
}

fn bound_to(flow: &str) -> Value {
    json!({ "flow": { "id": flow } })
}

fn timeline(open: u32) -> Value {
    json!({
        "settings": [
            {"messengerType": "whatsapp", "timeoutInMinutes": 60},
            {"messengerType": "open", "timeoutInMinutes": open},
        ],
        "defaultTimeoutMinutes": 4320,
    })
}

/// Path and body of every PUT.
fn written(world: &World) -> Vec<(String, Value)> {
    let seen = world.seen(Service::Genesys);
    let puts = seen.iter().filter(|seen| seen.method == "PUT");
    puts.map(|seen| (seen.target.clone(), seen.json()))
        .collect()
}

async fn run(world: &World, arguments: &[&str]) -> Outcome {
    run_with(world, arguments, ("GENESYS_DOMAIN", "mypurecloud.de")).await
}

/// Runs a command with this variable as well; an empty one counts as absent.
async fn run_with(world: &World, arguments: &[&str], further: (&str, &str)) -> Outcome {
    let variables = [
        ("SSL_CERT_FILE", authority().await),
        ("GENESYS_DOMAIN", "mypurecloud.de"),
        ("GENESYS_API_ENDPOINT", world.base()),
        ("GENESYS_LOGIN_ENDPOINT", world.base()),
        ("GENESYS_INTEGRATION_ID", INTEGRATION),
        ("GENESYS_ADMIN_CLIENT_ID", "administrator"),
        ("GENESYS_ADMIN_CLIENT_SECRET", CLIENT_SECRET),
        further,
    ];
    handler(&[&["genesys"], arguments].concat(), &variables).await
}

/// Asserts that it succeeded with one line like this.
fn succeeded(outcome: &Outcome, begins: &str, says: &[&str]) {
    assert!(outcome.is_good(), "{}", outcome.err);
    assert_eq!((outcome.out.lines().count(), outcome.err.as_str()), (1, ""));
    assert!(outcome.out.starts_with(begins), "{}", outcome.out);
    for part in says {
        assert!(outcome.out.contains(part), "{part}: {}", outcome.out);
    }
}

/// Asserts that it failed with one line that says all of this and gives no secret away.
fn failed(outcome: &Outcome, says: &[&str]) {
    assert!(
        !outcome.is_good() && outcome.out.is_empty(),
        "{}",
        outcome.out
    );
    assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
    assert!(!outcome.err.contains(CLIENT_SECRET), "{}", outcome.err);
    for part in says {
        assert!(outcome.err.contains(part), "{part}: {}", outcome.err);
    }
}

#[tokio::test]
async fn a_flow_is_bound_once() {
    let world = organisation().await;
    succeeded(&run(&world, BIND).await, "bound: ", &[FLOW, INTEGRATION]);
    let once = [(RECIPIENT.to_owned(), bound_to(FLOW))];
    assert_eq!(written(&world), once);
    world.answer("GET", RECIPIENT, yes(&bound_to(FLOW)));
    succeeded(&run(&world, BIND).await, "bound already: ", &[FLOW]);
    assert_eq!(written(&world), once);
    let other = run(&world, &["bind-flow", "--flow", OTHER_FLOW]).await;
    let replaced = format!(", in the place of flow {FLOW}\n");
    succeeded(&other, "bound: ", &[OTHER_FLOW, &replaced]);
    assert_eq!(written(&world)[1].1, bound_to(OTHER_FLOW));
}

#[tokio::test]
async fn an_integration_that_is_being_made_is_waited_for() {
    let world = organisation().await;
    let status = |status: &str| yes(&json!({ "createStatus": status }));
    for _ in 0..2 {
        world.answer_once("GET", THE_INTEGRATION, status("Initiated"));
    }
    succeeded(&run(&world, BIND).await, "bound: ", &[]);
    world.answer("GET", THE_INTEGRATION, status("Initiated"));
    let impatient = run(&world, &[BIND, &["--wait", "0"]].concat()).await;
    failed(&impatient, &["still making the integration", "--wait"]);
    world.answer("GET", THE_INTEGRATION, status("Error"));
    failed(
        &run(&world, BIND).await,
        &["could not make the integration"],
    );
}

#[tokio::test]
async fn what_cannot_be_bound_is_named() {
    let world = organisation().await;
    let unknown = "00000000-0000-4000-8000-0000000000ff";
    world.answer(
        "GET",
        unknown,
        Reply::json(404, &json!({"code": "not.found"})),
    );
    let elsewhere = run(&world, &[BIND, &["--integration", unknown]].concat()).await;
    failed(&elsewhere, &[unknown, "no open messaging integration"]);
    let nobody = run_with(&world, BIND, ("GENESYS_INTEGRATION_ID", "")).await;
    failed(&nobody, &["--integration", "GENESYS_INTEGRATION_ID"]);
    assert_eq!(written(&world), []);
    world.answer(
        "PUT",
        RECIPIENT,
        Reply::json(400, &json!({"code": "bad.request"})),
    );
    failed(
        &run(&world, BIND).await,
        &[FLOW, "published inbound message flow"],
    );
}

#[tokio::test]
async fn the_timeline_of_open_messaging_is_set_once() {
    let world = organisation().await;
    succeeded(&run(&world, SET).await, "set: ", &["1440", "4320"]);
    let once = [(TIMELINE.to_owned(), timeline(1440))];
    assert_eq!(written(&world), once);
    world.answer("GET", TIMELINE, yes(&timeline(1440)));
    succeeded(&run(&world, SET).await, "set already: ", &["1440"]);
    assert_eq!(written(&world), once);
    let too_long = run(&world, &["threading-timeline", "--minutes", "4321"]).await;
    assert!(
        !too_long.is_good() && too_long.err.contains("4320"),
        "{}",
        too_long.err
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for (command, method, place, permission) in [
        (BIND, "GET", THE_INTEGRATION, "messaging:integration:view"),
        (BIND, "GET", RECIPIENT, "routing:message:manage"),
        (BIND, "PUT", RECIPIENT, "routing:message:manage"),
        (SET, "GET", TIMELINE, "conversation:threadingTimeline:view"),
        (SET, "PUT", TIMELINE, "conversation:threadingTimeline:edit"),
    ] {
        let world = organisation().await;
        let forbidden = json!({"code": "missing.any.permissions", "contextId": "c-403"});
        world.answer(method, place, Reply::json(403, &forbidden));
        failed(&run(&world, command).await, &[permission, "c-403"]);
        assert_eq!(written(&world).len(), usize::from(method == "PUT"));
    }
}

#[tokio::test]
async fn who_cannot_sign_in_learns_why() {
    let world = organisation().await;
    for (variable, says) in [
        (
            ("GENESYS_ADMIN_CLIENT_ID", "somebody"),
            ["GENESYS_ADMIN_CLIENT_ID", "GENESYS_ADMIN_CLIENT_SECRET"],
        ),
        (
            ("GENESYS_ADMIN_CLIENT_SECRET", ""),
            ["GENESYS_ADMIN_CLIENT_SECRET is missing", "put "],
        ),
        (
            ("GENESYS_LOGIN_ENDPOINT", "https://127.0.0.1:1"),
            ["could not be reached", "GENESYS_DOMAIN"],
        ),
    ] {
        failed(&run_with(&world, SET, variable).await, &says);
    }
}
