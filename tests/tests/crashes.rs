//! `kill -9` while messages are in flight, and several instances side by side.

use end_to_end::platform::{SUPPORT_USER, thread_of};
use end_to_end::{Chat, Customer, Platform, view};
use serde_json::{Value, json};

const MESSAGES: usize = 6;

struct Traffic {
    platform: Platform,
    people: Vec<(Customer, Chat)>,
}

impl Traffic {
    async fn start(arguments: &[&str], people: usize) -> Self {
        let mut all = vec![
            "--set",
            "GRAPH_POST_TIMEOUT_SECONDS=1",
            "--set",
            "RETRY_FLOOR_SECONDS=0",
        ];
        all.extend_from_slice(arguments);
        let platform = Platform::start(&all).await;
        let people = (0..people)
            .map(|number| {
                let person = Customer::new(&format!("Person{number}"));
                let chat = Chat::one_on_one(&person);
                (person, chat)
            })
            .collect();
        let traffic = Self { platform, people };
        for (person, chat) in &traffic.people {
            traffic.platform.customer_writes(chat, person, "in 0").await;
        }
        for (person, _) in &traffic.people {
            traffic
                .platform
                .until_agent_sees(&thread_of(person), &["in 0"])
                .await;
        }
        traffic
    }

    /// Writes from both sides while `disturb` runs between the rounds.
    async fn run(&self, mut disturb: impl AsyncFnMut(usize)) {
        for round in 1..=MESSAGES {
            for (person, chat) in &self.people {
                self.platform
                    .customer_writes(chat, person, &format!("in {round}"))
                    .await;
                if round <= 2 {
                    self.platform
                        .agent_writes(&thread_of(person), &format!("out {round}"))
                        .await;
                }
            }
            disturb(round).await;
        }
    }

    /// All arrived: in order on both sides, once for the customer; for the agent once, or again with the same id where a
    /// crash fell between Genesys' answer and our note of it.
    async fn all_arrived(&self) {
        let inbound: Vec<String> = (0..=MESSAGES)
            .map(|number| format!("in {number}"))
            .collect();
        for (person, chat) in &self.people {
            self.platform
                .until_customer_sees(chat, &["out 1", "out 2"])
                .await;
            let thread = thread_of(person);
            self.platform
                .until("all messages at Genesys", async || {
                    let conversations = self.platform.conversations().await;
                    let mut seen: Vec<(Value, String)> = Vec::new();
                    for message in view::of_thread(&conversations, &thread)
                        .into_iter()
                        .flat_map(view::messages)
                    {
                        if message["direction"] != "inbound" {
                            continue;
                        }
                        let id = message["channel_message_id"].clone();
                        if seen.iter().all(|(other, _)| *other != id) {
                            seen.push((id, message["text"].as_str()?.to_owned()));
                        }
                    }
                    let texts: Vec<&String> = seen.iter().map(|(_, text)| text).collect();
                    (texts == inbound.iter().collect::<Vec<_>>()).then_some(())
                })
                .await;
        }
        self.platform.until_idle().await;
        for (_, chat) in &self.people {
            let posts = view::chat_texts(&self.platform.chat(chat).await, SUPPORT_USER);
            assert_eq!(posts, ["out 1", "out 2"]);
        }
        assert_eq!(self.platform.failed().await, Vec::<Value>::new());
        let conversations = self.platform.conversations().await;
        let outbound = view::messages_of_all(&conversations)
            .filter(|message| message["direction"] == "outbound");
        for message in outbound {
            let id = message["id"].as_str().expect("an id");
            let receipts = view::receipts(&conversations, id);
            assert!(
                receipts.iter().all(|receipt| receipt == "Delivered") && !receipts.is_empty(),
                "{receipts:?}"
            );
        }
    }
}

#[tokio::test]
async fn killing_the_handler_loses_and_repeats_nothing() {
    let traffic = Traffic::start(&[], 3).await;
    traffic
        .run(async |round| {
            if round % 2 == 0 {
                traffic
                    .platform
                    .post("/local/handler/kill", json!({}))
                    .await;
            }
        })
        .await;
    traffic.all_arrived().await;
}

#[tokio::test]
async fn two_instances_share_the_lanes() {
    let traffic = Traffic::start(&["--instances", "2"], 4).await;
    traffic.run(async |_| ()).await;
    traffic.all_arrived().await;
}

#[tokio::test]
async fn lanes_of_a_dead_instance_move_to_the_other() {
    let traffic = Traffic::start(&["--instances", "2", "--lock-seconds", "2"], 4).await;
    traffic
        .run(async |round| {
            if round == 3 {
                let body = json!({ "instance": 0, "whole": true });
                traffic.platform.post("/local/handler/kill", body).await;
            }
        })
        .await;
    traffic.all_arrived().await;
}
