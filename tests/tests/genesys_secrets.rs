//! The secrets of Genesys are replaced while messages flow both ways, by an administrator's command, which is killed at each of its
//! steps.

use std::cell::Cell;

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};

const CLIENT: &str = "genesys-client-secret";
const WEBHOOK: &str = "genesys-webhook-secret";

/// A platform whose Genesys knows a new secret after three seconds.
async fn start() -> Platform {
    let arguments = [IMPATIENT, &["--genesys-rate-limit=3000"]].concat();
    let platform = Platform::start(&arguments).await;
    let slow = json!({ "propagation_seconds": 3 });
    let path = "/local/genesys/clients";
    platform.call(Method::PUT, path, Some(&slow)).await;
    platform
}

pub async fn secret(platform: &Platform, name: &str) -> String {
    let path = format!("/local/key-vault/secrets/{name}");
    view::text(&platform.get(&path).await, "value").to_owned()
}

/// `handler rotate {name} --now` as an administrator: its exit code, and what it printed.
pub async fn rotate(platform: &Platform, name: &str) -> Value {
    let clients = platform.get("/local/genesys/clients").await;
    let administrator = &clients["administrator"];
    let order = json!({
        "arguments": ["rotate", name, "--now"],
        "environment": {
            "GENESYS_ADMIN_CLIENT_ID": administrator["id"],
            "GENESYS_ADMIN_CLIENT_SECRET": administrator["secret"],
        },
    });
    platform.post("/local/handler/commands", order).await
}

/// Does this while messages go to and fro, and lets some more follow; returns how many went each way, and what came of it.
pub async fn amid_traffic<T>(talk: &Talk<'_>, work: impl Future<Output = T>) -> (usize, T) {
    let known = talk.inbound().await.len();
    let is_done = Cell::new(false);
    let traffic = async {
        let mut round = 0;
        let mut left = 5;
        while left > 0 {
            left -= usize::from(is_done.get());
            round += 1;
            talk.writes(&format!("in {round}")).await;
            talk.agent_writes(&format!("out {round}")).await;
            talk.until_inbound(known + round).await;
            talk.until_posts(round).await;
        }
        round
    };
    let work = async {
        let result = work.await;
        is_done.set(true);
        result
    };
    tokio::join!(traffic, work)
}

pub async fn assert_none_refused(platform: &Platform) {
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    let logs = platform.logs().await;
    let refused = logs.iter().filter(|it| it["event"] == "webhook_refused");
    assert_eq!(refused.count(), 0, "a webhook was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_them_loses_and_refuses_nothing() {
    let platform = start().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let known = talk.inbound().await.len();
    let old = [
        secret(&platform, CLIENT).await,
        secret(&platform, WEBHOOK).await,
    ];
    let integration = platform.get("/local/genesys/integration").await;

    let (rounds, ended) = amid_traffic(&talk, rotate(&platform, "genesys")).await;
    assert_eq!(ended["code"], 0, "{ended}");
    assert!(rounds > 5, "messages flowed meanwhile: {rounds}");
    let new = [
        secret(&platform, CLIENT).await,
        secret(&platform, WEBHOOK).await,
    ];
    assert!(old.iter().zip(&new).all(|(old, new)| old != new));
    assert_eq!(
        platform.get("/local/genesys/integration").await,
        integration
    );
    let expected: Vec<String> = (1..=rounds).map(|round| format!("out {round}")).collect();
    assert_eq!(talk.seen().await, expected);
    assert_none_refused(&platform).await;

    // A process that starts anew takes the client that the secret belongs to.
    platform.kill_handler().await;
    talk.writes("after").await;
    talk.until_inbound(known + rounds + 1).await;
    let printed = view::text(&ended, "stdout");
    let logs = platform.get("/local/logs").await.to_string();
    for secret in old.iter().chain(&new) {
        assert!(
            !logs.contains(secret) && !printed.contains(secret),
            "a secret is shown"
        );
    }
}

/// Starts the command and kills it while this call of it waits: what comes before has taken effect, and this has not.
pub async fn kill_at(
    platform: &Platform,
    talk: &Talk<'_>,
    name: &str,
    (service, method, path): (&str, &str, &str),
) {
    let hold = json!({ "service": service, "method": method, "path": path, "delay_ms": 600_000 });
    let fault = platform
        .post("/local/faults", json!({ "rules": [hold] }))
        .await;
    let fault = format!("/local/faults/{}", fault["id"]);
    let kill = async {
        // Each message is an event, after which it is looked again.
        loop {
            let count = talk.inbound().await.len();
            talk.writes("meanwhile").await;
            talk.until_inbound(count + 1).await;
            if platform.get(&fault).await["strikes"] != json!([0]) {
                break;
            }
        }
        platform
            .call(Method::DELETE, "/local/handler/commands", None)
            .await;
    };
    let (ended, ()) = tokio::join!(rotate(platform, name), kill);
    assert_eq!(ended, json!({ "code": null }), "{path}");
    platform.call(Method::DELETE, &fault, None).await;
    // The lease of who was killed runs out in ten minutes.
    let lease = "/local/blobs/state/timers/secret-rotation.json";
    platform.call(Method::DELETE, lease, None).await;
}

pub async fn assert_flows(talk: &Talk<'_>) {
    let (inbound, posts) = (talk.inbound().await.len(), talk.posts().await.len());
    talk.writes("in").await;
    talk.agent_writes("out").await;
    talk.until_inbound(inbound + 1).await;
    talk.until_posts(posts + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_at_any_step_is_taken_up_by_the_next() {
    let platform = start().await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = [
        secret(&platform, CLIENT).await,
        secret(&platform, WEBHOOK).await,
    ];
    let next = format!("/secrets/{CLIENT}-next");
    for (service, method, path) in [
        ("genesys", "POST", "/oauth/clients/"),
        ("key-vault", "PUT", next.as_str()),
    ] {
        kill_at(&platform, &talk, "genesys", (service, method, path)).await;
        assert_flows(&talk).await;
        // The other secret is nobody's yet, so it goes on; the claim of the client is kept for an hour.
        let ended = platform
            .post(
                "/local/handler/commands",
                json!({ "arguments": ["rotate", "--dry-run", CLIENT] }),
            )
            .await;
        let printed = view::text(&ended, "stdout");
        assert!(printed.contains("another run began"), "{ended}");
        let note = format!("/local/blobs/state/rotation/{CLIENT}.json");
        platform.call(Method::DELETE, &note, None).await;
    }
    let [current, previous, webhook_next, webhook] = [
        format!("/secrets/{CLIENT}?"),
        format!("/secrets/{WEBHOOK}-previous"),
        format!("/secrets/{WEBHOOK}-next"),
        format!("/secrets/{WEBHOOK}?"),
    ];
    for (service, method, path) in [
        ("key-vault", "PUT", current.as_str()),
        ("key-vault", "PUT", &webhook_next),
    ] {
        kill_at(&platform, &talk, "genesys", (service, method, path)).await;
        assert_flows(&talk).await;
    }
    // As when an hour has passed.
    let note = format!("/local/blobs/state/rotation/{WEBHOOK}.json");
    platform.call(Method::DELETE, &note, None).await;
    for (service, method, path) in [
        ("genesys", "PATCH", "/integrations/open/"),
        ("key-vault", "PUT", &previous),
        ("key-vault", "PUT", &webhook),
    ] {
        kill_at(&platform, &talk, "genesys", (service, method, path)).await;
        assert_flows(&talk).await;
    }
    let ended = rotate(&platform, "genesys").await;
    assert_eq!(ended["code"], 0, "{ended}");
    let new = [
        secret(&platform, CLIENT).await,
        secret(&platform, WEBHOOK).await,
    ];
    assert!(old.iter().zip(&new).all(|(old, new)| old != new));
    platform.kill_handler().await;
    assert_flows(&talk).await;
    assert_none_refused(&platform).await;
}
