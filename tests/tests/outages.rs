//! Services that are down, slow or not ready: nothing is lost, order is kept, and one bad chat does not hold up the others.

use end_to_end::{Chat, Customer, Platform, view};
use reqwest::StatusCode;
use serde_json::{Value, json};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

async fn counter(platform: &Platform, name: &str) -> u64 {
    platform.get("/api/health").await["counters"][name]
        .as_u64()
        .expect("a counter")
}

/// The handler dies and comes back with an empty memory.
async fn restart(platform: &Platform) {
    platform.post("/local/handler/kill", json!({})).await;
    platform
        .until("the handler's return", async || {
            let (status, health) = platform
                .request(reqwest::Method::GET, "/api/health", None)
                .await;
            (status == StatusCode::OK && health["counters"].is_object()).then_some(())
        })
        .await;
}

async fn until_deferred(platform: &Platform) {
    platform
        .until("a request answered with 503", async || {
            (counter(platform, "deferred").await > 0).then_some(())
        })
        .await;
}

#[tokio::test]
async fn requests_before_key_vault_answered_are_asked_for_again() {
    let platform = Platform::start(&[]).await;
    platform
        .faults(json!([{ "service": "key-vault", "status": 503 }]))
        .await;
    restart(&platform).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "early bird").await;
    until_deferred(&platform).await;
    assert_eq!(counter(&platform, "notifications_dropped").await, 0);
    platform.faults(json!([])).await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["early bird"])
        .await;
    assert_eq!(counter(&platform, "notifications_dropped").await, 0);
}

#[tokio::test]
async fn while_signing_keys_are_not_at_hand_messages_are_read_from_graph() {
    let platform = Platform::start(&[]).await;
    platform
        .faults(json!([{ "service": "entra", "match": "keys", "status": 503 }]))
        .await;
    restart(&platform).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "no keys yet").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["no keys yet"])
        .await;
    assert_eq!(counter(&platform, "notifications_dropped").await, 0);
    let logs = platform.logs().await;
    let doubts = |line: &&Value| line["event"] == "validation_token_doubtful";
    assert!(logs.iter().find(doubts).is_some(), "a person is called");
}

#[tokio::test]
async fn rotated_signing_keys_are_learnt() {
    let platform = Platform::start(&[]).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "before").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["before"])
        .await;
    platform.post("/local/entra/rotate-keys", json!({})).await;
    platform.customer_writes(&chat, &anna, "after").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["before", "after"])
        .await;
}

#[tokio::test]
async fn a_batch_that_the_queue_half_refuses_is_taken_whole_on_the_retry() {
    let platform = Platform::start(&[]).await;
    platform
        .faults(json!([{ "service": "graph-notification", "drop": "before" }]))
        .await;
    let people = [Customer::new("Anna"), Customer::new("Bert")];
    let mut batch = Value::Null;
    for number in 1..=6 {
        for person in &people {
            let chat = Chat {
                id: format!("19:{}_fixed@unq.gbl.spaces", person.user),
                kind: "oneOnOne",
            };
            let message = platform
                .customer_writes(&chat, person, &format!("part {number}"))
                .await;
            let request = json!({ "chat": chat.id, "message": message });
            let composed = platform
                .post("/local/graph/notifications/compose", request)
                .await;
            if batch.is_null() {
                batch = composed["body"].clone();
            } else {
                let item = composed["body"]["value"][0].clone();
                batch["value"].as_array_mut().expect("items").push(item);
            }
        }
    }
    let body = serde_json::to_vec(&batch).expect("JSON");
    platform
        .faults(json!([
            { "service": "graph-notification", "drop": "before" },
            { "service": "service-bus", "share": 0.5, "status": 503 },
        ]))
        .await;
    let (status, _) = platform
        .send_raw("/api/graph/notifications", JSON, body.clone())
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    platform
        .faults(json!([{ "service": "graph-notification", "drop": "before" }]))
        .await;
    let (status, _) = platform
        .send_raw("/api/graph/notifications", JSON, body)
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let expected: Vec<String> = (1..=6).map(|number| format!("part {number}")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    for person in &people {
        platform
            .until_agent_sees(&platform.thread_of(person), &expected)
            .await;
    }
    platform.until_idle().await;
    assert_eq!(view::all_inbound(&platform.conversations().await).len(), 12);
}

#[tokio::test]
async fn a_refusal_ends_in_failed_and_a_failing_chat_waits_alone() {
    let platform = Platform::start(&[]).await;
    let people = ["Anna", "Bert", "Cleo"].map(Customer::new);
    let chats = people.each_ref().map(Chat::one_on_one);
    for (chat, person) in chats.iter().zip(&people) {
        platform.customer_writes(chat, person, "hello").await;
        platform
            .until_agent_sees(&platform.thread_of(person), &["hello"])
            .await;
    }
    let [refused, failing, well] = &chats;
    platform
        .faults(json!([
            { "service": "graph", "path": refused.id, "status": 403 },
            { "service": "graph", "path": failing.id, "status": 500 },
        ]))
        .await;
    let threads = people.each_ref().map(|person| platform.thread_of(person));
    let lost = platform.agent_writes(&threads[0], "cannot arrive").await;
    let late = platform.agent_writes(&threads[1], "arrives late").await;
    let kept = platform.agent_writes(&threads[2], "arrives").await;
    platform.until_customer_sees(well, &["arrives"]).await;
    assert_eq!(platform.until_receipt(&kept).await, ["Delivered"]);
    assert_eq!(
        platform.until_receipt(&lost).await,
        ["Failed:MessageNotAllowed"]
    );
    let failed = platform.failed().await;
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0]["body"]["kind"], "refused");
    assert_eq!(failed[0]["body"]["service"], "graph");

    // The chats recover, and with them their messages.
    platform.faults(json!([])).await;
    let later = platform.agent_writes(&threads[0], "works again").await;
    assert_eq!(platform.until_receipt(&later).await, ["Delivered"]);
    platform
        .until_customer_sees(refused, &["works again"])
        .await;
    assert_eq!(platform.until_receipt(&late).await, ["Delivered"]);
    platform
        .until_customer_sees(failing, &["arrives late"])
        .await;
}

#[tokio::test]
async fn a_message_given_up_is_not_delivered_after_all() {
    let platform = Platform::start(&["--set", "RETRY_FLOOR_SECONDS=0"]).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "hello").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["hello"])
        .await;
    // The chat fails, and then the receipt that tells so cannot be enqueued: the message is delivered again and again.
    let no_receipts = json!({ "service": "service-bus", "match": "receipt-", "status": 503 });
    platform
        .faults(json!([{ "service": "graph", "match": chat.id, "status": 403 }, no_receipts]))
        .await;
    let lost = platform
        .agent_writes(&platform.thread_of(&anna), "given up")
        .await;
    platform
        .until("a failed message", async || {
            platform.failed().await.into_iter().next()
        })
        .await;
    platform.faults(json!([no_receipts])).await;
    platform
        .until("redeliveries", async || {
            let logs = platform.logs().await;
            let tries = logs
                .iter()
                .filter(|line| line["event"] == "receipt_not_enqueued")
                .count();
            (tries >= 3).then_some(())
        })
        .await;
    platform.faults(json!([])).await;
    assert_eq!(
        platform.until_receipt(&lost).await,
        ["Failed:MessageNotAllowed"]
    );
    platform.until_idle().await;
    platform.until_customer_sees(&chat, &[]).await;
    assert_eq!(platform.failed().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_genesys_refuses_ends_in_failed_and_the_customer_is_told() {
    let platform = Platform::start(&["--set", "FAILURE_NOTICE=Sorry & try again"]).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "fine").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["fine"])
        .await;
    platform
        .faults(json!([{ "service": "genesys", "match": "poison", "status": 400 }]))
        .await;
    platform.customer_writes(&chat, &anna, "poison").await;
    platform
        .until_customer_sees(&chat, &["Sorry & try again"])
        .await;
    let failed = platform.failed().await;
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0]["body"]["kind"], "refused");
    platform.customer_writes(&chat, &anna, "fine again").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["fine", "fine again"])
        .await;
    platform
        .until_customer_sees(&chat, &["Sorry & try again"])
        .await;
}

#[tokio::test]
async fn a_service_that_is_down_for_all_holds_the_lane_and_fails_nothing() {
    let platform = Platform::start(&["--set", "RETRY_FLOOR_SECONDS=0"]).await;
    platform
        .faults(json!([{ "service": "genesys", "status": 503 }]))
        .await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    for text in ["one", "two", "three"] {
        platform.customer_writes(&chat, &anna, text).await;
    }
    platform
        .until("many failed attempts", async || {
            let logs = platform.logs().await;
            (logs
                .iter()
                .filter(|line| line["event"] == "attempt_failed")
                .count()
                >= 6)
                .then_some(())
        })
        .await;
    platform.faults(json!([])).await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["one", "two", "three"])
        .await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let platform = Platform::start(&[]).await;
    platform
        .faults(json!([{ "service": "genesys", "match": "inbound/open/message", "share": 0.5, "status": 429, "retry_after": 1 }]))
        .await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    for text in ["one", "two", "three", "four"] {
        platform.customer_writes(&chat, &anna, text).await;
    }
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["one", "two", "three", "four"])
        .await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}
