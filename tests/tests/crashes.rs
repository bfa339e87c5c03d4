//! `kill -9` while messages are in flight, and several instances side by side.

use std::cell::RefCell;
use std::collections::HashMap;

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use serde_json::json;

const MESSAGES: usize = 6;

struct Traffic<'a> {
    platform: &'a Platform,
    talks: Vec<Talk<'a>>,
    /// Thread, id and text of what the agent wrote.
    written: RefCell<Vec<(String, String, String)>>,
}

impl<'a> Traffic<'a> {
    async fn start(platform: &'a Platform, people: usize) -> Self {
        let names = (0..people).map(|number| format!("Person{number}"));
        let traffic = Self {
            platform,
            talks: names.map(|name| Talk::new(platform, &name)).collect(),
            written: RefCell::default(),
        };
        for talk in &traffic.talks {
            talk.writes("in 0").await;
        }
        for talk in &traffic.talks {
            talk.agent_sees(&["in 0"]).await;
        }
        traffic
    }

    /// Writes from both sides while `disturb` runs between the rounds, which tells whether it killed something.
    async fn run(&self, mut disturb: impl AsyncFnMut(usize) -> bool) {
        let mut is_killed = false;
        for round in 1..=MESSAGES {
            for talk in &self.talks {
                talk.writes(&format!("in {round}")).await;
                if round <= 2 {
                    let text = format!("out {round}");
                    let id = talk.agent_writes(&text).await;
                    let written = (talk.thread.clone(), id, text);
                    self.written.borrow_mut().push(written);
                }
            }
            is_killed |= disturb(round).await;
        }
        self.all_arrived(is_killed).await;
    }

    /// All arrived, in the order in which the queue accepted them: once for the customer; for the agent once, or again with
    /// the same id where a crash fell between Genesys' answer and our note of it.
    async fn all_arrived(&self, is_killed: bool) {
        let written = self.written.borrow().clone();
        for talk in &self.talks {
            talk.until_posts(2).await;
            self.platform
                .until("all messages at Genesys", async || {
                    (seen_by_agent(talk).await.len() > MESSAGES).then_some(())
                })
                .await;
        }
        self.platform.until_idle().await;
        self.platform.assert_nothing_failed().await;

        let accepted = self.accepted().await;
        let accepted = |key: String| &accepted[&correlation(&key)];
        for talk in &self.talks {
            let seen = seen_by_agent(talk).await;
            let order = seen
                .iter()
                .map(|(id, _)| accepted(format!("teams\n{}\n{id}", talk.chat)));
            assert!(
                order.is_sorted(),
                "the agent does not see the order of acceptance: {seen:?}"
            );
            let mut texts: Vec<&str> = seen.iter().map(|(_, text)| text.as_str()).collect();
            texts.sort_unstable();
            let expected = (0..=MESSAGES).map(|number| format!("in {number}"));
            assert_eq!(texts, Vec::from_iter(expected));

            let mine = written.iter().filter(|(of, ..)| *of == talk.thread);
            let mut mine: Vec<_> = mine
                .map(|(_, id, text)| (accepted(format!("genesys\n{id}")), text))
                .collect();
            mine.sort();
            let expected: Vec<&String> = mine.into_iter().map(|(_, text)| text).collect();
            assert_eq!(talk.seen().await.iter().collect::<Vec<_>>(), expected);
        }
        // A receipt is idempotent, and told again by whoever takes over from an instance that died before it could settle it.
        for (_, id, _) in &written {
            let mut receipts = self.platform.until_receipt(id).await;
            if is_killed {
                receipts.dedup();
            }
            assert_eq!(receipts, ["Delivered"]);
        }
    }

    /// When a queue accepted each message, by correlation id.
    async fn accepted(&self) -> HashMap<String, String> {
        let journeys = self.platform.get("/local/journeys").await;
        let journeys = view::list(journeys, "journeys").into_iter();
        journeys
            .filter_map(|journey| {
                let correlation = view::text(&journey, "correlation").to_owned();
                let hops = view::list(journey, "hops");
                let accepted = hops.iter().find(|hop| {
                    view::text(hop, "hop").starts_with("queue ") && hop["outcome"] == "accepted"
                });
                Some((correlation, accepted?["at"].as_str()?.to_owned()))
            })
            .collect()
    }
}

/// Message ids and texts as the agent sees them, a repetition with the same id counted once.
async fn seen_by_agent(talk: &Talk<'_>) -> Vec<(String, String)> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for message in talk.inbound().await {
        let text = |name: &str| view::text(&message, name).to_owned();
        let id = text("channel_message_id");
        if seen.iter().all(|(other, _)| *other != id) {
            seen.push((id, text("text")));
        }
    }
    seen
}

/// The documented correlation id: the first half of a SHA-256, written as a GUID.
fn correlation(key: &str) -> String {
    let hash = end_to_end::files::sha256(key.as_bytes());
    let id: uuid::Uuid = hash[..32].parse().expect("digits");
    id.to_string()
}

#[tokio::test]
async fn killing_the_handler_loses_and_repeats_nothing() {
    let platform = Platform::start(IMPATIENT).await;
    let kill = async |round| {
        if round % 2 == 0 {
            platform.kill_handler().await;
        }
        round % 2 == 0
    };
    Traffic::start(&platform, 3).await.run(kill).await;
}

#[tokio::test]
async fn two_instances_share_the_lanes() {
    let platform = Platform::start(&[IMPATIENT, &["--instances", "2"]].concat()).await;
    Traffic::start(&platform, 4)
        .await
        .run(async |_| false)
        .await;
}

#[tokio::test]
async fn lanes_of_a_dead_instance_move_to_the_other() {
    let two = ["--instances", "2", "--lock-seconds", "2"];
    let platform = Platform::start(&[IMPATIENT, &two].concat()).await;
    let kill = async |round| {
        if round == 3 {
            let body = json!({ "instance": 0, "whole": true });
            platform.post("/local/handler/kill", body).await;
        }
        round == 3
    };
    Traffic::start(&platform, 4).await.run(kill).await;
}
