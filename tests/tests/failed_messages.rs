//! Failed messages, and what an operator's commands do about them.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view, with};
use reqwest::Method;
use serde_json::{Value, json};

/// The lines of a listing that tell of failed messages, each as its words.
fn listed(printed: &str) -> Vec<Vec<&str>> {
    let lines = printed.lines().filter(|line| line.ends_with(".json"));
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// The name of a line's blob.
fn blob<'a>(line: &[&'a str]) -> &'a str {
    line.last().expect("a name")
}

/// Runs a command that does not do all that was asked for; what it printed.
async fn fails(platform: &Platform, arguments: &[&str]) -> String {
    let order = json!({ "arguments": arguments });
    let ended = platform.post("/local/handler/commands", order).await;
    assert_eq!(ended["code"], 1, "{ended}");
    format!(
        "{}{}",
        view::text(&ended, "stdout"),
        view::text(&ended, "stderr")
    )
}

/// The receipts of an agent's message, once there are so many.
async fn until_receipts(platform: &Platform, message: &str, count: usize) -> Vec<String> {
    platform
        .until("all receipts", async || {
            let receipts = platform.until_receipt(message).await;
            (receipts.len() >= count).then_some(receipts)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_messages_are_listed_shown_and_replayed_in_their_order() {
    let platform = Platform::start(IMPATIENT).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let refuses = json!({ "service": "graph", "method": "POST", "path": talk.chat, "status": 403 });
    platform.faults(json!([refuses])).await;
    let messages = [
        talk.agent_writes("first words").await,
        talk.agent_writes("second words").await,
    ];
    platform.until_failed(2).await;
    for message in &messages {
        let receipts = platform.until_receipt(message).await;
        assert_eq!(receipts, ["Failed:MessageNotAllowed"]);
    }
    let printed = platform.run(&["failed", "list", "--since", "1h"]).await;
    let lines = listed(&printed);
    let digest = view::digest("chat", &talk.chat);
    for line in &lines {
        let [direction, kind, service, chat, attempts] = line[1..6] else {
            panic!("{printed}");
        };
        assert_eq!(
            (direction, kind, service),
            ("outbound", "chat_not_accepted", "graph/403")
        );
        assert_eq!((chat, attempts), (digest.as_str(), "2"));
    }
    assert!(
        printed.ends_with("2 failed messages: 2 outbound chat_not_accepted\n"),
        "{printed}"
    );
    let nobody = ["failed", "list", "--chat", "19:nobody@unq.gbl.spaces"];
    assert_eq!(platform.run(&nobody).await, "0 failed messages\n");

    let name = blob(&lines[0]);
    let shown = platform.run(&["failed", "show", name]).await;
    let told: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(told["envelope"]["webhook"]["id"], messages[0].as_str());
    assert!(!shown.contains("words") && !printed.contains("words"));
    let shown = platform
        .run(&["failed", "show", name, "--with-content"])
        .await;
    assert!(shown.contains("first words"));
    let missing = fails(&platform, &["failed", "show", "a/b.json"]).await;
    assert!(missing.contains("there is no failed message"), "{missing}");

    platform.faults(json!([])).await;
    let dry = ["failed", "replay", "--chat", &talk.chat, "--dry-run"];
    let dry = platform.run(&dry).await;
    assert!(dry.ends_with("2 of 2 would be replayed\n"), "{dry}");
    assert_eq!(platform.failed().await.len(), 2);
    let replayed = platform
        .run(&["failed", "replay", "--kind", "chat_not_accepted"])
        .await;
    assert!(replayed.ends_with("2 of 2 replayed\n"), "{replayed}");
    talk.sees(&["first words", "second words"]).await;
    for message in &messages {
        let receipts = until_receipts(&platform, message, 2).await;
        assert_eq!(receipts, ["Failed:MessageNotAllowed", "Delivered"]);
    }
    platform.until_idle().await;
    assert_eq!(talk.posts().await.len(), 2);
    platform.assert_nothing_failed().await;
    let nothing = platform.run(&["failed", "replay"]).await;
    assert_eq!(nothing, "0 of 0 replayed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_messages_are_replayed_although_they_were_given_up_or_discarded() {
    let platform = Platform::start(IMPATIENT).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let refuses = json!({ "service": "genesys", "path": "/inbound/open/message", "status": 400 });
    platform.faults(json!([refuses])).await;
    for text in ["one", "two", "three"] {
        talk.writes(text).await;
    }
    assert_eq!(platform.until_failed(3).await, ["refused"; 3]);
    platform.until_idle().await;
    platform.faults(json!([])).await;

    // Three are meant, and nobody said yes.
    let all = ["failed", "discard", "--direction", "inbound"];
    let refused = fails(&platform, &all).await;
    assert!(refused.contains("3 failed messages are meant"), "{refused}");
    let printed = platform
        .run(&["failed", "list", "--direction", "inbound"])
        .await;
    let lines = listed(&printed);
    for line in &lines {
        let shown = platform.run(&["failed", "show", blob(line)]).await;
        assert!(!shown.contains("Anna"), "{shown}");
    }
    // They failed one after the other.
    let middle = blob(&lines[1]);
    let discarded = platform.run(&["failed", "discard", middle]).await;
    assert!(discarded.ends_with("1 of 1 discarded\n"), "{discarded}");
    let again = fails(&platform, &["failed", "discard", middle]).await;
    assert!(again.contains("not there"), "{again}");

    let replayed = platform.run(&["failed", "replay"]).await;
    assert!(replayed.ends_with("2 of 2 replayed\n"), "{replayed}");
    talk.agent_sees(&["hello", "one", "three"]).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    talk.writes("four").await;
    talk.agent_sees(&["hello", "one", "three", "four"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_loses_nothing_and_repeats_nothing() {
    let platform = Platform::start(IMPATIENT).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let refuses = json!({ "service": "graph", "method": "POST", "path": talk.chat, "status": 403 });
    platform.faults(json!([refuses])).await;
    talk.agent_writes("once").await;
    platform.until_failed(1).await;
    platform.until_idle().await;

    platform.faults(json!([])).await;

    // It is killed before the queue has the message.
    let send = json!({ "service": "service-bus", "method": "POST", "path": "/outbound/messages" });
    let held = with(send.clone(), json!({ "delay_ms": 600_000 }));
    let fault = platform
        .post("/local/faults", json!({ "rules": [held] }))
        .await;
    let fault = format!("/local/faults/{}", fault["id"]);
    let kill = async {
        platform
            .until("the message on its way", async || {
                let has_struck = platform.get(&fault).await["strikes"] != json!([0]);
                has_struck.then_some(())
            })
            .await;
        platform
            .call(Method::DELETE, "/local/handler/commands", None)
            .await;
    };
    let order = json!({ "arguments": ["failed", "replay"] });
    let (ended, ()) = tokio::join!(platform.post("/local/handler/commands", order), kill);
    assert_ne!(ended["code"], 0, "{ended}");
    platform.call(Method::DELETE, &fault, None).await;
    assert_eq!(platform.failed().await.len(), 1);
    assert!(talk.posts().await.is_empty());

    // The queue has it, and the answer is lost.
    platform
        .faults(json!([with(send, json!({ "drop": "after" }))]))
        .await;
    let lost = fails(&platform, &["failed", "replay"]).await;
    assert!(lost.contains("FAILED"), "{lost}");
    talk.sees(&["once"]).await;
    assert_eq!(platform.failed().await.len(), 1);
    platform.faults(json!([])).await;
    let replayed = platform.run(&["failed", "replay"]).await;
    assert!(replayed.ends_with("1 of 1 replayed\n"), "{replayed}");
    platform.until_idle().await;
    assert_eq!(talk.seen().await, ["once"]);
    platform.assert_nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_drained_told_and_replayed() {
    let platform = Platform::start(IMPATIENT).await;
    let talk = Talk::begun(&platform, "Anna").await;
    // One is under way for long, and two outlive their time behind it.
    let down = json!({ "service": "graph", "method": "POST", "path": talk.chat, "status": 503 });
    platform.faults(json!([down])).await;
    talk.agent_writes("first").await;
    platform.until_logged("event", "attempt_failed", 1).await;
    let behind = [
        talk.agent_writes("second").await,
        talk.agent_writes("third").await,
    ];
    let lane = platform
        .until("both to wait", async || {
            let queues = view::list(platform.get("/local/queues").await, "queues");
            let queue = queues.iter().find(|it| it["name"] == "outbound")?;
            (queue["active"] == 3).then(|| queue["lanes"][0].clone())
        })
        .await;
    let lane = lane.as_str().expect("a lane");
    let outlive = format!("/local/queues/outbound/lanes/{lane}/outlive");
    assert_eq!(platform.post(&outlive, json!({})).await["outlived"], 2);
    platform.faults(json!([])).await;
    talk.sees(&["first"]).await;

    let dry = platform.run(&["failed", "drain", "--dry-run"]).await;
    assert!(dry.ends_with("2 dead letters would be drained\n"), "{dry}");
    platform.assert_nothing_failed().await;
    let drained = platform.run(&["failed", "drain"]).await;
    assert!(drained.ends_with("2 dead letters drained\n"), "{drained}");
    assert_eq!(platform.until_failed(2).await, ["dead_letter_expired"; 2]);
    for message in &behind {
        let receipts = platform.until_receipt(message).await;
        assert_eq!(receipts, ["Failed:MessageExpired"]);
    }
    let nothing = platform.run(&["failed", "drain"]).await;
    assert_eq!(nothing, "0 dead letters drained\n");

    platform.run(&["failed", "replay"]).await;
    talk.sees(&["first", "second", "third"]).await;
    for message in &behind {
        let receipts = until_receipts(&platform, message, 2).await;
        assert_eq!(receipts, ["Failed:MessageExpired", "Delivered"]);
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}
