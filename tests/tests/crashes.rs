//! `kill -9` while messages are in flight, and several instances side by side.

use std::cell::RefCell;
use std::collections::HashMap;

use end_to_end::{Chat, Customer, Platform, view};
use serde_json::{Value, json};

const MESSAGES: usize = 6;

struct Traffic {
    platform: Platform,
    people: Vec<(Customer, Chat)>,
    /// Thread, id and text of what the agent wrote.
    written: RefCell<Vec<(String, String, String)>>,
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
        let traffic = Self {
            platform,
            people,
            written: RefCell::default(),
        };
        for (person, chat) in &traffic.people {
            traffic.platform.customer_writes(chat, person, "in 0").await;
        }
        for (person, _) in &traffic.people {
            traffic
                .platform
                .until_agent_sees(&traffic.platform.thread_of(person), &["in 0"])
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
                    let (thread, text) = (self.platform.thread_of(person), format!("out {round}"));
                    let id = self.platform.agent_writes(&thread, &text).await;
                    self.written.borrow_mut().push((thread, id, text));
                }
            }
            disturb(round).await;
        }
    }

    /// All arrived, in the order in which the queue accepted them: once for the customer; for the agent once, or again with
    /// the same id where a crash fell between Genesys' answer and our note of it.
    async fn all_arrived(&self) {
        let posts = self.written.borrow().clone();
        for (person, chat) in &self.people {
            let mine: Vec<(String, String)> = posts
                .iter()
                .filter(|(thread, ..)| *thread == self.platform.thread_of(person))
                .map(|(_, id, text)| (id.clone(), text.clone()))
                .collect();
            self.platform
                .until("all posts in the chat", async || {
                    let seen = self.platform.posts(chat).await;
                    (seen.len() >= mine.len()).then_some(())
                })
                .await;
            self.platform
                .until("all messages at Genesys", async || {
                    let seen = self.seen_by_agent(person).await;
                    (seen.len() > MESSAGES).then_some(())
                })
                .await;
        }
        self.platform.until_idle().await;
        assert_eq!(self.platform.failed().await, Vec::<Value>::new());

        let accepted = self.accepted().await;
        for (person, chat) in &self.people {
            let seen = self.seen_by_agent(person).await;
            let mut texts: Vec<&str> = seen.iter().map(|(_, text)| text.as_str()).collect();
            let order: Vec<&String> = seen
                .iter()
                .map(|(id, _)| &accepted[&correlation(&format!("teams\n{}\n{id}", chat.id))])
                .collect();
            assert!(
                order.is_sorted(),
                "the agent does not see the order of acceptance: {seen:?}"
            );
            texts.sort_unstable();
            let expected: Vec<String> = (0..=MESSAGES)
                .map(|number| format!("in {number}"))
                .collect();
            assert_eq!(texts, expected);

            let mut mine: Vec<(&String, &String)> = posts
                .iter()
                .filter(|(thread, ..)| *thread == self.platform.thread_of(person))
                .map(|(_, id, text)| (&accepted[&correlation(&format!("genesys\n{id}"))], text))
                .collect();
            mine.sort();
            let expected: Vec<&String> = mine.into_iter().map(|(_, text)| text).collect();
            let seen = self.platform.posts(chat).await;
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
        }
        // A receipt is idempotent, and told again by whoever takes over from an instance that died before it could settle it.
        for (_, id, _) in &posts {
            let mut receipts = self.platform.until_receipt(id).await;
            receipts.dedup();
            assert_eq!(receipts, ["Delivered"]);
        }
    }

    /// Message ids and texts as the agent sees them, a repetition with the same id counted once.
    async fn seen_by_agent(&self, person: &Customer) -> Vec<(String, String)> {
        let conversations = self.platform.conversations().await;
        let mut seen: Vec<(String, String)> = Vec::new();
        for message in view::of_thread(&conversations, &self.platform.thread_of(person))
            .into_iter()
            .flat_map(view::messages)
        {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            let is_new = seen.iter().all(|(id, _)| *id != text("channel_message_id"));
            if text("direction") == "inbound" && is_new {
                seen.push((text("channel_message_id"), text("text")));
            }
        }
        seen
    }

    /// When a queue accepted each message, by correlation id.
    async fn accepted(&self) -> HashMap<String, String> {
        let journeys = self.platform.get("/local/journeys").await;
        let mut accepted = HashMap::new();
        for journey in journeys["journeys"].as_array().into_iter().flatten() {
            let first = journey["hops"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|hop| {
                    hop["hop"]
                        .as_str()
                        .is_some_and(|name| name.starts_with("queue "))
                        && hop["outcome"] == "accepted"
                });
            if let (Some(correlation), Some(at)) = (
                journey["correlation"].as_str(),
                first.and_then(|hop| hop["at"].as_str()),
            ) {
                accepted.insert(correlation.to_owned(), at.to_owned());
            }
        }
        accepted
    }
}

/// The documented correlation id: the first half of a SHA-256, written as a GUID.
fn correlation(key: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Uuid::from_bytes(bytes).to_string()
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
