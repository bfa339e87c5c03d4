//! Secrets that renew themselves while messages are carried.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

const CURRENT: &str = "/local/key-vault/secrets/graph-client-secret";
const REFRESH_TOKEN: &str = "/local/key-vault/secrets/graph-refresh-token-support";

async fn value(platform: &Platform, path: &str) -> String {
    view::text(&platform.get(path).await, "value").to_owned()
}

async fn passwords(platform: &Platform) -> Vec<Value> {
    view::list(platform.get("/local/entra/passwords").await, "passwords")
}

/// Nobody noticed that the client secret ended, for a token lives for an hour; then the handler starts anew and gets none.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_that_ended_before_a_cold_start_is_replaced_and_nothing_is_lost() {
    let arguments = [IMPATIENT, &["--set=GRAPH_CLIENT_AUTHENTICATION=secret"]].concat();
    let platform = Platform::start(&arguments).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = [CURRENT, REFRESH_TOKEN].map(|path| value(&platform, path));
    let old = futures::future::join_all(old).await;
    let by_hand = passwords(&platform).await;
    let path = format!("/local/entra/passwords/{}", view::text(&by_hand[0], "key"));
    let yesterday = (OffsetDateTime::now_utc() - Duration::DAY).date();
    let change = json!({ "ends": format!("{yesterday}T00:00:00Z") });
    platform
        .call(reqwest::Method::PUT, &path, Some(&change))
        .await;
    platform.kill_handler().await;
    talk.agent_writes("good morning").await;
    platform.until_logged("kind", "configuration", 1).await;

    let run = platform
        .post("/local/timers/secret-rotation", json!({}))
        .await;
    assert_eq!(run["outcome"], "200");
    talk.until_posts(1).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    let all = passwords(&platform).await;
    assert_eq!(all.len(), 2, "the one before stays for a while: {all:?}");
    assert_eq!(all[1]["name"], "Graph-to-Open secret-rotation");
    let new = [CURRENT, REFRESH_TOKEN].map(|path| value(&platform, path));
    let new = futures::future::join_all(new).await;
    let logs = platform.get("/local/logs").await.to_string();
    for (new, old) in new.iter().zip(&old) {
        assert_ne!(new, old);
        assert!(
            !logs.contains(new) && !logs.contains(old),
            "a secret in the log"
        );
    }

    assert_each_is_told_of(&platform).await;

    let run = platform
        .post("/local/timers/secret-rotation", json!({}))
        .await;
    assert_eq!(run["outcome"], "200");
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
