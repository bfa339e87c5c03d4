//! Secrets that renew themselves while messages are carried.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};
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

    let run = platform
        .post("/local/timers/secret-rotation", json!({}))
        .await;
    assert_eq!(run["outcome"], "200");
    let again = passwords(&platform).await;
    assert_eq!(again, all, "nothing more is due");
}
