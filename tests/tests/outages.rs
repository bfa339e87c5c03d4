//! Services that are down, slow or not ready: nothing is lost, order is kept, and what was given up stays so.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Customer, Platform, Talk};
use serde_json::{Value, json};

#[tokio::test]
async fn requests_before_key_vault_answered_are_asked_for_again() {
    let platform = Platform::start(&[]).await;
    let down = json!([{ "service": "key-vault", "status": 503 }]);
    platform.faults(down).await;
    // It comes back with an empty memory.
    platform.kill_handler().await;
    let anna = Talk::new(&platform, "Anna");
    anna.writes("early bird").await;
    platform
        .until("a request answered with 503", async || {
            let (_, _, health) = platform.fetch("/api/health").await;
            let health: Value = serde_json::from_slice(&health).ok()?;
            (health["counters"]["deferred"].as_u64()? > 0).then_some(())
        })
        .await;
    platform.faults(json!([])).await;
    anna.agent_sees(&["early bird"]).await;
    assert_eq!(platform.counter("notifications_dropped").await, 0);
}

#[tokio::test]
async fn a_batch_that_the_queue_half_refuses_is_taken_whole_on_the_retry() {
    let platform = Platform::start(&[]).await;
    let silence = json!({ "service": "graph-notification", "drop": "before" });
    platform.faults(json!([silence])).await;
    let talks = ["Anna", "Bert"].map(|name| Talk::new(&platform, name));
    let parts: Vec<String> = (1..=6).map(|number| format!("part {number}")).collect();
    let mut batch = Value::Null;
    let mut items = Vec::new();
    for part in &parts {
        for talk in &talks {
            let message = talk.writes(part).await;
            batch = talk.notification(&message, "created").await;
            items.push(batch["value"][0].take());
        }
    }
    batch["value"] = Value::Array(items);
    let refusing = json!({ "service": "service-bus", "share": 0.5, "status": 503 });
    platform.faults(json!([silence, refusing])).await;
    assert_eq!(platform.notify(&batch).await, 503);
    platform.faults(json!([silence])).await;
    assert_eq!(platform.notify(&batch).await, 202);
    let expected: Vec<&str> = parts.iter().map(String::as_str).collect();
    for talk in &talks {
        talk.agent_sees(&expected).await;
    }
    platform.until_idle().await;
    for talk in &talks {
        talk.agent_sees(&expected).await;
    }
}

#[tokio::test]
async fn a_message_given_up_is_not_delivered_after_all() {
    let platform = Platform::start(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    // The chat fails, and then the receipt that tells so cannot be enqueued: the message is delivered again and again.
    let no_receipts = json!({ "service": "service-bus", "match": "receipt-", "status": 503 });
    let refused = json!({ "service": "graph", "match": anna.chat, "status": 403 });
    platform.faults(json!([refused, no_receipts])).await;
    let lost = anna.agent_writes("given up").await;
    assert_eq!(platform.until_failed(1).await, ["chat_not_accepted"]);
    platform.faults(json!([no_receipts])).await;
    platform
        .until_logged("event", "receipt_not_enqueued", 3)
        .await;
    platform.faults(json!([])).await;
    let receipt = platform.until_receipt(&lost).await;
    assert_eq!(receipt, ["Failed:MessageNotAllowed"]);
    platform.until_idle().await;
    anna.sees(&[]).await;
    assert_eq!(platform.failed().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_genesys_refuses_ends_in_failed_and_the_customer_is_told() {
    let platform = Platform::start(&["--set=FAILURE_NOTICE=Sorry & try again"]).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let refused = json!([{ "service": "genesys", "match": "poison", "status": 400 }]);
    platform.faults(refused).await;
    anna.writes("poison").await;
    anna.sees(&["Sorry & try again"]).await;
    assert_eq!(platform.until_failed(1).await, ["refused"]);
    anna.writes("fine again").await;
    anna.agent_sees(&["hello", "fine again"]).await;
    anna.sees(&["Sorry & try again"]).await;
}

#[tokio::test]
async fn a_customer_whose_message_waits_is_told_once_in_an_outage() {
    let settings = [
        "--set=DELAY_NOTICE_MINUTES=1",
        "--set=DELAY_NOTICE=A moment, please",
    ];
    let platform = Platform::start(&[IMPATIENT, &settings].concat()).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let ben = Talk::begun(&platform, "Ben").await;
    let down = json!({ "service": "genesys", "path": "inbound/open/message", "body": anna.thread, "status": 503 });
    platform.faults(json!([down])).await;
    anna.writes("one").await;
    anna.writes("two").await;
    anna.sees(&["A moment, please"]).await;
    platform.faults(json!([])).await;
    anna.agent_sees(&["hello", "one", "two"]).await;
    platform.until_idle().await;
    anna.sees(&["A moment, please"]).await;
    ben.sees(&[]).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_tenant_that_may_not_write_is_told_once_and_never_reaches_the_agent() {
    let mut served = Customer::new("Anna");
    served.tenant = "be9c1b6e-0000-4000-8000-c0ffee000002".to_owned();
    let listed = format!("--set=CUSTOMER_TENANTS={}", served.tenant);
    let notice = "--set=TENANT_NOTICE=Sorry & goodbye";
    let platform = Platform::start(&[&listed, notice]).await;
    let stranger = Talk::new(&platform, "Mallory");
    stranger.writes("let me in").await;
    stranger.sees(&["Sorry & goodbye"]).await;
    let last = stranger.writes("please").await;
    stranger.edits(&last, json!({ "html": "please!" })).await;
    let anna = Talk::at(&platform, served, platform.account.clone());
    anna.writes("hello").await;
    anna.agent_sees(&["hello"]).await;
    platform
        .until_logged("event", "customer_turned_away", 3)
        .await;
    platform.until_idle().await;
    stranger.sees(&["Sorry & goodbye"]).await;
    assert!(stranger.inbound().await.is_empty());
    anna.agent_sees(&["hello"]).await;
    platform.assert_nothing_failed().await;
    let health = platform.get("/api/health").await;
    assert!(
        health["counters"]["turned_away"].as_u64() >= Some(3),
        "{health}"
    );
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    let throttled = json!({ "service": "genesys", "path": "inbound/open/message", "body": anna.thread,
        "share": 0.5, "status": 429, "retry_after": 1 });
    platform.faults(json!([throttled])).await;
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        anna.writes(text).await;
    }
    anna.agent_sees(&texts).await;
    platform.assert_nothing_failed().await;
}
