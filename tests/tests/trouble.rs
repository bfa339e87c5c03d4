//! Trouble of every kind, with many chats writing: brown-outs, dead chats, refusals, a wrong configuration. Nothing lands in
//! `failed` that is not its own fault, nothing comes twice, and nobody waits for somebody else's trouble.
//!
//! A brown-out lasts 20 seconds here; `TROUBLE_SECONDS` and `TROUBLE_SHARE` (of the calls that fail) set others.

use std::time::Duration;

use end_to_end::{Account, Chat, Customer, Platform, view};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep_until};

/// Time after a brown-out in which all must have arrived.
const RECOVERY: Duration = Duration::from_secs(60);

const SALES_USER: &str = "00000000-0000-0000-0000-0000000000aa";

fn number(variable: &str, default: f64) -> f64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

/// A customer in a chat with one of two Support Users, whom the agent has met.
struct Pair {
    customer: Customer,
    chat: Chat,
    account: &'static str,
}

impl Pair {
    fn user(&self) -> String {
        match self.account {
            "sales" => SALES_USER.to_owned(),
            _ => Account::default().user,
        }
    }

    fn thread(&self) -> String {
        format!("teams:{}:{}", self.account, self.customer.user)
    }

    async fn writes(&self, platform: &Platform, text: &str) {
        let account = json!({ "support_account": self.account });
        platform
            .customer_writes_with(&self.chat, &self.customer, text, account)
            .await;
    }

    /// What the customer has seen of the agent.
    async fn seen(&self, platform: &Platform) -> Vec<String> {
        view::chat_texts(&platform.chat(&self.chat).await, &self.user())
    }
}

async fn with_two_accounts() -> Platform {
    let support = Account::default();
    let accounts = format!(
        "SUPPORT_ACCOUNTS={}={},sales={SALES_USER}",
        support.name, support.user
    );
    Platform::start(&["--set", &accounts]).await
}

/// Customers who have each written once, half of them to each Support User.
async fn met(platform: &Platform, count: usize) -> Vec<Pair> {
    let pairs: Vec<Pair> = (0..count)
        .map(|number| {
            let customer = Customer::new(&format!("Customer {number}"));
            Pair {
                chat: Chat::one_on_one(&customer),
                customer,
                account: if number % 2 == 0 { "support" } else { "sales" },
            }
        })
        .collect();
    for pair in &pairs {
        pair.writes(platform, "hello").await;
    }
    for pair in &pairs {
        platform.until_agent_sees(&pair.thread(), &["hello"]).await;
    }
    pairs
}

/// Has every pair write once in each round while the faults last; tells how many rounds there were.
async fn during<F>(
    platform: &Platform,
    faults: Value,
    pairs: &[Pair],
    rounds: u32,
    write: impl Fn(usize, u32) -> F,
) where
    F: Future<Output = ()>,
{
    let end = Instant::now() + Duration::from_secs_f64(number("TROUBLE_SECONDS", 20.0));
    platform.faults(faults).await;
    let mut beat = interval((end - Instant::now()) / (rounds + 1));
    for round in 0..rounds {
        beat.tick().await;
        join_all((0..pairs.len()).map(|index| write(index, round))).await;
    }
    // The brown-out lasts as long as it was said to: that is the event waited for.
    sleep_until(end).await;
    platform.faults(json!([])).await;
}

#[tokio::test]
async fn a_brown_out_of_genesys_loses_nothing_and_repeats_nothing() {
    let platform = with_two_accounts().await;
    let pairs = met(&platform, 20).await;
    let rounds = 6;
    let share = number("TROUBLE_SHARE", 0.9);
    let faults =
        json!([{ "service": "genesys", "path": "/inbound/open/", "share": share, "status": 503 }]);
    let write = |index: usize, round: u32| {
        let (pair, platform) = (&pairs[index], &platform);
        async move { pair.writes(platform, &format!("round {round}")).await }
    };
    during(&platform, faults, &pairs, rounds, write).await;
    let ended = Instant::now();
    let mut expected = vec!["hello".to_owned()];
    expected.extend((0..rounds).map(|round| format!("round {round}")));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    for pair in &pairs {
        platform.until_agent_sees(&pair.thread(), &expected).await;
    }
    let took = ended.elapsed();
    assert!(took <= RECOVERY, "{took:?}");
    eprintln!("genesys, {share} of the calls failing: all delivered {took:?} after the end");
    platform.until_idle().await;
    let delivered = view::all_inbound(&platform.conversations().await).len();
    assert_eq!(delivered, pairs.len() * expected.len(), "nothing twice");
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_brown_out_of_graph_loses_nothing_and_repeats_nothing() {
    let platform = with_two_accounts().await;
    let pairs = met(&platform, 20).await;
    let share = number("TROUBLE_SHARE", 0.9);
    let faults = json!([{ "service": "graph", "path": "/chats/", "share": share, "status": 503 }]);
    let write = |index: usize, round: u32| {
        let (pair, platform) = (&pairs[index], &platform);
        async move {
            let text = format!("answer {round}");
            platform.agent_writes(&pair.thread(), &text).await;
        }
    };
    during(&platform, faults, &pairs, 2, write).await;
    let ended = Instant::now();
    for pair in &pairs {
        platform
            .until("the answers in the chat", async || {
                let seen = pair.seen(&platform).await;
                (seen == ["answer 0", "answer 1"]).then_some(())
            })
            .await;
    }
    let took = ended.elapsed();
    assert!(took <= RECOVERY, "{took:?}");
    eprintln!("graph, {share} of the calls failing: all delivered {took:?} after the end");
    platform.until_idle().await;
    for pair in &pairs {
        assert_eq!(pair.seen(&platform).await, ["answer 0", "answer 1"]);
    }
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn dead_chats_delay_no_other_chat() {
    let platform = with_two_accounts().await;
    let pairs = met(&platform, 30).await;
    let (dead, alive) = pairs.split_at(20);
    // Ten of each account: some refuse, some fail, some never answer.
    let rules: Vec<Value> = dead
        .iter()
        .enumerate()
        .map(|(number, pair)| {
            let chat = &pair.chat.id;
            match number % 4 {
                0 | 1 => json!({ "service": "graph", "path": chat, "status": 403 }),
                2 => json!({ "service": "graph", "path": chat, "status": 500 }),
                _ => json!({ "service": "graph", "path": chat, "delay_ms": 15_000, "status": 504 }),
            }
        })
        .collect();
    platform.faults(json!(rules)).await;
    let mut refused = Vec::new();
    for (number, pair) in dead.iter().enumerate() {
        let message = platform.agent_writes(&pair.thread(), "to nobody").await;
        if number % 4 < 2 {
            refused.push((message, Instant::now()));
        }
    }
    // The dead ones' first posts have taken their turns: from here on they only try again.
    for (message, since) in &refused {
        assert_eq!(
            platform.until_receipt(message).await,
            ["Failed:MessageNotAllowed"]
        );
        assert!(since.elapsed() <= Duration::from_secs(60));
    }
    for (number, pair) in alive.iter().enumerate() {
        let written = Instant::now();
        platform.agent_writes(&pair.thread(), "to somebody").await;
        platform
            .until("the answer in the chat", async || {
                let seen = pair.seen(&platform).await;
                (seen == ["to somebody"]).then_some(())
            })
            .await;
        let took = written.elapsed();
        eprintln!("chat {number} of the living: answered after {took:?}");
        // A turn comes about every second; those that try again may stand before it.
        assert!(took <= Duration::from_secs(8), "{took:?}");
    }
    let failed = platform.failed().await;
    assert_eq!(failed.len(), refused.len(), "{failed:#?}");
    assert!(failed.iter().all(|one| one["body"]["kind"] == "refused"));
    // What only fails is kept, and arrives once its chat is well.
    platform.faults(json!([])).await;
    for (number, pair) in dead.iter().enumerate() {
        if number % 4 >= 2 {
            platform
                .until("the kept answer", async || {
                    (pair.seen(&platform).await == ["to nobody"]).then_some(())
                })
                .await;
        }
    }
}

#[tokio::test]
async fn a_wrong_integration_id_gives_up_nothing_and_says_what_is_wrong() {
    let platform = Platform::start(&[]).await;
    // As Genesys answers for an integration that does not exist.
    let unknown = |path: &str| json!({ "service": "genesys", "path": path, "status": 404 });
    platform
        .faults(json!([
            unknown("/conversations/messages/"),
            unknown("/messaging/integrations/open/"),
        ]))
        .await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform
        .customer_writes(&chat, &anna, "anybody there?")
        .await;
    platform
        .until("the log to name the integration", async || {
            let logs = platform.logs().await;
            let told = |line: &Value| line["event"] == "integration_in_doubt";
            (logs.iter().filter(|line| told(line)).count() >= 3).then_some(())
        })
        .await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());
    platform.faults(json!([])).await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["anybody there?"])
        .await;
}
