//! Secrets that renew themselves while messages are carried.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::genesys_secrets::{assert_flows, assert_none_refused, secret};

const CLIENT: &str = "graph-client-secret";
const GENESYS: &str = "genesys-client-secret";
const STATE: &str = "graph-client-state";
const WEBHOOK: &str = "genesys-webhook-secret";
const REFRESH_TOKEN: &str = "graph-refresh-token-support";

/// What the timer replaces in these tests.
const REPLACED: [&str; 3] = [CLIENT, GENESYS, STATE];

/// A platform whose Graph app has a client secret.
async fn start() -> Platform {
    let arguments = [IMPATIENT, &["--set=GRAPH_CLIENT_AUTHENTICATION=secret"]].concat();
    Platform::start(&arguments).await
}

async fn secrets<const N: usize>(platform: &Platform, names: [&str; N]) -> Vec<String> {
    join_all(names.map(|name| secret(platform, name))).await
}

async fn passwords(platform: &Platform) -> Vec<Value> {
    view::list(platform.get("/local/entra/passwords").await, "passwords")
}

/// What the timer's run came to.
async fn run(platform: &Platform) -> String {
    let timer = "/local/timers/secret-rotation";
    let run = platform.post(timer, json!({})).await;
    view::text(&run, "outcome").to_owned()
}

/// The client secret that a person made ends in so many days, at midnight.
async fn end_in(platform: &Platform, days: i64) {
    let by_hand = passwords(platform).await;
    let path = format!("/local/entra/passwords/{}", view::text(&by_hand[0], "key"));
    let day = (OffsetDateTime::now_utc() + Duration::days(days)).date();
    let change = json!({ "ends": format!("{day}T00:00:00Z") });
    platform.call(Method::PUT, &path, Some(&change)).await;
}

async fn pass(platform: &Platform, hours: u32) {
    let time = json!({ "hours": hours });
    platform.post("/local/time", time).await;
}

/// All but the webhook's secret is due, and the timer may replace it: the end of that one takes a minute and a half, which is
/// played elsewhere.
async fn start_when_due() -> Platform {
    let platform = start().await;
    let clients = "/local/genesys/clients";
    let allowed = json!({ "let_bridge_rotate": true });
    platform.call(Method::PUT, clients, Some(&allowed)).await;
    end_in(&platform, 100).await;
    pass(&platform, 91 * 24).await;
    let path = format!("/local/key-vault/secrets/{WEBHOOK}");
    let webhook = json!({ "value": secret(&platform, WEBHOOK).await });
    platform.call(Method::PUT, &path, Some(&webhook)).await;
    platform
}

/// How often a step was taken, by its name and the secret's.
async fn steps(platform: &Platform, step: &str, secret: &str) -> usize {
    let logs = platform.logs().await;
    let taken = logs.iter().filter(|it| {
        it["event"] == "rotation_step" && it["step"] == step && it["secret"] == secret
    });
    taken.count()
}

/// Nobody noticed that the client secret ended, for a token lives for an hour; then the handler starts anew and gets none.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_that_ended_before_a_cold_start_is_replaced_and_nothing_is_lost() {
    let platform = start().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let names = [CLIENT, REFRESH_TOKEN];
    let old = secrets(&platform, names).await;
    end_in(&platform, -1).await;
    platform.kill_handler().await;
    talk.agent_writes("good morning").await;
    platform.until_logged("kind", "configuration", 1).await;

    assert_eq!(run(&platform).await, "200");
    talk.until_posts(1).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    let all = passwords(&platform).await;
    assert_eq!(all.len(), 2, "the one before stays for a while: {all:?}");
    assert_eq!(all[1]["name"], "Graph-to-Open secret-rotation");
    let new = secrets(&platform, names).await;
    let logs = platform.get("/local/logs").await.to_string();
    for (new, old) in new.iter().zip(&old) {
        assert_ne!(new, old);
        assert!(
            !logs.contains(new) && !logs.contains(old),
            "a secret in the log"
        );
    }

    assert_each_is_told_of(&platform).await;

    assert_eq!(run(&platform).await, "200");
    let again = passwords(&platform).await;
    assert_eq!(again, all, "nothing more is due");
}

/// After a run one line for each secret, from which the workbook makes its table.
async fn assert_each_is_told_of(platform: &Platform) {
    let lines = platform.until_logged("event", "secret_standing", 6).await;
    let mut told: Vec<_> = lines
        .iter()
        .map(|line| {
            let at = |name| OffsetDateTime::parse(view::text(line, name), &Rfc3339);
            let life = at("due").expect("a time") - at("since").expect("a time");
            (
                view::text(line, "secret"),
                view::text(line, "outcome"),
                life.whole_days(),
            )
        })
        .collect();
    told.sort_unstable();
    let expected = [
        ("genesys-client-secret", "done", 90),
        ("genesys-webhook-secret", "done", 90),
        ("graph-client-secret", "done", 45),
        ("graph-client-state", "done", 90),
        ("graph-notification-key", "done", 90),
        ("graph-refresh-token-support", "done", 1),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_alone_replaces_what_is_due_and_ends_the_grace_period() {
    let platform = start_when_due().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = secrets(&platform, REPLACED).await;
    assert_eq!(run(&platform).await, "200");
    let new = secrets(&platform, REPLACED).await;
    assert!(old.iter().zip(&new).all(|(old, new)| old != new));
    let previous = format!("{STATE}-previous");
    assert_eq!(secret(&platform, &previous).await, old[2]);
    assert_eq!(passwords(&platform).await.len(), 2);
    assert_flows(&talk).await;

    // Nothing ends before its time.
    pass(&platform, 47).await;
    assert_eq!(run(&platform).await, "200");
    assert_eq!(passwords(&platform).await.len(), 2);
    assert_eq!(secret(&platform, &previous).await, old[2]);
    assert_eq!(steps(&platform, "discard", GENESYS).await, 0);

    pass(&platform, 2).await;
    assert_eq!(run(&platform).await, "200");
    let left = passwords(&platform).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["name"], "Graph-to-Open secret-rotation");
    assert_eq!(secret(&platform, &previous).await, "none");
    assert_eq!(steps(&platform, "discard", GENESYS).await, 1);
    let now = secrets(&platform, REPLACED).await;
    assert_eq!(now, new, "what is in use stays");
    // A process that starts anew gets by with what is left.
    platform.kill_handler().await;
    assert_flows(&talk).await;
    assert_none_refused(&platform).await;

    pass(&platform, 24).await;
    assert_eq!(run(&platform).await, "200");
    assert_eq!(passwords(&platform).await.len(), 1);
    let now = secrets(&platform, REPLACED).await;
    assert_eq!(now, new, "nothing more is due");
}

/// The run meets this trouble, ends, and leaves everything at work.
async fn run_amid(platform: &Platform, talk: &Talk<'_>, faults: Value) {
    platform.faults(faults.clone()).await;
    assert_ne!(run(platform).await, "200", "{faults}");
    platform.faults(json!([])).await;
    assert_flows(talk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_throttled_or_down_ends_a_run_and_the_next_goes_on() {
    let platform = start_when_due().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = secrets(&platform, REPLACED).await;
    let throttled = |path: &str| json!({ "service": "key-vault", "method": "PUT", "path": path, "status": 429, "retry_after": 1 });
    let down = |path: &str| json!({ "service": "key-vault", "method": "PUT", "path": path, "status": 503 });

    // What certainly was not stored is taken back at once.
    let faults = json!([
        throttled("/secrets/graph-client-secret-next"),
        down("/secrets/genesys-client-secret-next"),
    ]);
    run_amid(&platform, &talk, faults).await;
    assert_eq!(passwords(&platform).await.len(), 1);
    assert_ne!(secret(&platform, STATE).await, old[2], "the others go on");
    // What may have been stored stays for now, and the claim of a run that may be at it counts for an hour.
    let faults = json!([down("/secrets/graph-client-secret-next")]);
    run_amid(&platform, &talk, faults).await;
    assert_eq!(passwords(&platform).await.len(), 2);
    assert_eq!(steps(&platform, "renew", GENESYS).await, 1);
    pass(&platform, 2).await;
    let faults = json!([
        throttled("/secrets/graph-client-secret?"),
        throttled("/secrets/genesys-client-secret?"),
    ]);
    run_amid(&platform, &talk, faults).await;
    assert_eq!(secret(&platform, CLIENT).await, old[0]);
    assert_eq!(secret(&platform, GENESYS).await, old[1]);
    // Nothing can be read at all, which is told of each.
    let told = platform.until_logged("event", "rotation_refused", 4).await;
    let faults = json!([{ "service": "key-vault", "status": 503 }]);
    run_amid(&platform, &talk, faults).await;
    let all = told.len() + 5;
    platform
        .until_logged("event", "rotation_refused", all)
        .await;
    assert_eq!(run(&platform).await, "200");
    let new = secrets(&platform, REPLACED).await;
    assert!(old.iter().zip(&new).all(|(old, new)| old != new));
    assert_eq!(
        passwords(&platform).await.len(),
        3,
        "no further one is added"
    );

    pass(&platform, 49).await;
    assert_eq!(run(&platform).await, "200");
    let left = passwords(&platform).await;
    assert_eq!(left.len(), 1, "no orphan stays: {left:?}");
    platform.kill_handler().await;
    assert_flows(&talk).await;
    assert_none_refused(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_forbids_client_secrets_is_told_in_words() {
    let platform = start().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = secret(&platform, CLIENT).await;
    let of_policy = |status: u16, code: &str| json!([{ "service": "graph", "method": "POST", "path": "/addPassword", "status": status, "code": code }]);
    let order = json!({ "arguments": ["rotate", "--now", CLIENT] });
    for (status, code) in [
        (400, "CredentialInvalidLifetimeAsPerAppPolicy"),
        (403, "CredentialTypeNotAllowedAsPerAppPolicy"),
    ] {
        platform.faults(of_policy(status, code)).await;
        let ended = platform
            .post("/local/handler/commands", order.clone())
            .await;
        assert_eq!(ended["code"], 1, "{ended}");
        let printed = view::text(&ended, "stdout");
        for words in [code, "a policy of the tenant forbids client secrets"] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    }
    // The timer tells whoever reads the log.
    pass(&platform, 40 * 24).await;
    assert_ne!(run(&platform).await, "200");
    let refusals = platform.until_logged("event", "rotation_refused", 1).await;
    let [refusal] = &refusals[..] else {
        panic!("it is said once: {refusals:?}");
    };
    assert_eq!(refusal["code"], "CredentialTypeNotAllowedAsPerAppPolicy");
    assert!(view::text(refusal, "message").contains("app management policies"));
    assert_eq!(secret(&platform, CLIENT).await, old);
    assert_eq!(passwords(&platform).await.len(), 1);
    assert_flows(&talk).await;
    // An administrator has exempted the app.
    platform.faults(json!([])).await;
    assert_eq!(run(&platform).await, "200");
    assert_ne!(secret(&platform, CLIENT).await, old);
    assert_flows(&talk).await;
    assert_none_refused(&platform).await;
}
