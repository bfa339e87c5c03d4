//! Agents' messages outlast a Service Bus that takes none, for longer than Genesys repeats a webhook.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk};
use serde_json::{Value, json};

async fn forward(platform: &Platform) -> Value {
    let run = platform.post("/local/timers/spool-forwarding", json!({}));
    run.await["outcome"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_service_bus_costs_no_agent_s_message_and_no_order() {
    let platform = Platform::start(IMPATIENT).await;
    let (anna, ben) = (
        Talk::begun(&platform, "Anna").await,
        Talk::begun(&platform, "Ben").await,
    );
    // It answers nothing at all at first, and then refuses: no time that Genesys has would be long enough.
    let outbound = "/outbound/messages";
    let hangs =
        json!({ "service": "service-bus", "path": outbound, "times": 1, "delay_ms": 60_000 });
    let refuses = json!({ "service": "service-bus", "path": outbound, "status": 503 });
    platform.faults(json!([hangs, refuses])).await;
    let mut ids = vec![anna.agent_writes("one").await];
    platform.until_logged("event", "spooled", 1).await;
    ids.push(anna.agent_writes("two").await);
    ids.push(ben.agent_writes("eins").await);
    platform.until_logged("event", "spooled", 3).await;
    assert_eq!(forward(&platform).await, "500");
    platform.until_logged("event", "spool_waits", 1).await;
    // Another process, which has put nothing there, and a queue that takes everything again.
    platform.kill_handler().await;
    platform.faults(json!([])).await;
    ids.push(anna.agent_writes("three").await);
    platform.until_logged("event", "spooled", 4).await;
    assert_eq!(forward(&platform).await, "200");
    anna.sees(&["one", "two", "three"]).await;
    ben.sees(&["eins"]).await;
    ids.push(anna.agent_writes("four").await);
    anna.sees(&["one", "two", "three", "four"]).await;
    for id in &ids {
        assert_eq!(platform.until_receipt(id).await, ["Delivered"]);
    }
    assert_eq!(forward(&platform).await, "200");
    platform.until_idle().await;
    anna.sees(&["one", "two", "three", "four"]).await;
    platform.assert_nothing_failed().await;
    platform.assert_logs_are_discreet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_neither_the_queue_nor_the_store_takes_a_message_genesys_is_asked_to_come_again() {
    let platform = Platform::start(&[IMPATIENT, &["--blob-faults"]].concat()).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let queue = json!({ "service": "service-bus", "path": "/outbound/messages", "status": 503 });
    let store = json!({ "service": "blob", "path": "/state/spool", "status": 503 });
    platform.faults(json!([queue, store])).await;
    let one = anna.agent_writes("one").await;
    let refused = platform.until_logged("event", "webhook_refused", 2).await;
    for line in &refused {
        assert_eq!(line["function"], "outbound-genesys");
        assert_eq!(line["status"], 503);
    }
    // The store is there again before the queue, and the message came once only.
    platform.faults(json!([queue])).await;
    platform.until_logged("event", "spooled", 1).await;
    platform.faults(json!([])).await;
    assert_eq!(forward(&platform).await, "200");
    assert_eq!(platform.until_receipt(&one).await, ["Delivered"]);
    platform.until_idle().await;
    anna.sees(&["one"]).await;
    platform.assert_nothing_failed().await;
    platform.assert_logs_are_discreet().await;
}
