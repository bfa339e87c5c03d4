//! Trouble of every kind, with many chats writing: brown-outs, dead chats, refusals, a wrong configuration, a lapsed sign-in.
//! Nothing lands in `failed` that is not its own fault, nothing comes twice, and nobody waits for somebody else's trouble.
//!
//! A brown-out lasts 20 seconds here; `TROUBLE_SECONDS` and `TROUBLE_SHARE` (of the calls that fail) set others.

use std::time::Duration;

use end_to_end::{Account, Customer, Platform, Talk};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep_until};

/// Time after a brown-out in which all must have arrived.
const RECOVERY: Duration = Duration::from_secs(60);

fn number(variable: &str, default: f64) -> f64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

async fn with_two_accounts() -> Platform {
    Platform::start(&[&Account::argument(2)]).await
}

/// Customers whom the agent has met, half of them in chats with each of two Support Users.
async fn met(platform: &Platform, count: usize) -> Vec<Talk<'_>> {
    let talk = |number: usize| {
        let customer = Customer::new(&format!("Customer {number}"));
        Talk::at(platform, customer, Account::number(number % 2))
    };
    let talks: Vec<Talk> = (0..count).map(talk).collect();
    for talk in &talks {
        talk.writes("hello").await;
    }
    for talk in &talks {
        talk.agent_sees(&["hello"]).await;
    }
    talks
}

/// Has everybody write once in each round while calls of this service and path fail, and waits until all of it has arrived.
async fn brown_out<'a>(
    platform: &Platform,
    (service, path): (&str, &str),
    talks: &'a [Talk<'a>],
    rounds: u32,
    write: impl AsyncFn(&'a Talk<'a>, u32),
    arrived: impl AsyncFn(&'a Talk<'a>),
) {
    let end = Instant::now() + Duration::from_secs_f64(number("TROUBLE_SECONDS", 20.0));
    let share = number("TROUBLE_SHARE", 0.9);
    let failing = json!({ "service": service, "path": path, "share": share, "status": 503 });
    platform.faults(json!([failing])).await;
    let mut beat = interval((end - Instant::now()) / (rounds + 1));
    for round in 0..rounds {
        beat.tick().await;
        join_all(talks.iter().map(|talk| write(talk, round))).await;
    }
    // The brown-out lasts as long as it was said to: that is the event waited for.
    sleep_until(end).await;
    platform.faults(json!([])).await;
    for talk in talks {
        arrived(talk).await;
    }
    let took = end.elapsed();
    assert!(took <= RECOVERY, "{took:?}");
    eprintln!("{service}, {share} of the calls failing: all delivered {took:?} after the end");
    platform.until_idle().await;
    for talk in talks {
        // Nothing twice.
        arrived(talk).await;
    }
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_brown_out_of_genesys_loses_nothing_and_repeats_nothing() {
    let platform = with_two_accounts().await;
    let talks = met(&platform, 20).await;
    let write = async |talk: &Talk<'_>, round: u32| {
        talk.writes(&format!("round {round}")).await;
    };
    let texts: Vec<String> = (0..6).map(|round| format!("round {round}")).collect();
    let texts = Vec::from_iter(
        ["hello"]
            .into_iter()
            .chain(texts.iter().map(String::as_str)),
    );
    let arrived = async |talk: &Talk<'_>| talk.agent_sees(&texts).await;
    let calls = ("genesys", "/inbound/open/");
    brown_out(&platform, calls, &talks, 6, write, arrived).await;
}

#[tokio::test]
async fn a_brown_out_of_graph_loses_nothing_and_repeats_nothing() {
    let platform = with_two_accounts().await;
    let talks = met(&platform, 20).await;
    let write = async |talk: &Talk<'_>, round: u32| {
        talk.agent_writes(&format!("answer {round}")).await;
    };
    let arrived = async |talk: &Talk<'_>| talk.sees(&["answer 0", "answer 1"]).await;
    let calls = ("graph", "/chats/");
    brown_out(&platform, calls, &talks, 2, write, arrived).await;
}

#[tokio::test]
async fn dead_chats_delay_no_other_chat() {
    let platform = with_two_accounts().await;
    let talks = met(&platform, 30).await;
    let (dead, alive) = talks.split_at(20);
    // Ten of each account: some refuse, some fail, some never answer.
    let rules = dead.iter().enumerate().map(|(number, talk)| {
        let chat = &talk.chat;
        match number % 4 {
            0 | 1 => json!({ "service": "graph", "path": chat, "status": 403 }),
            2 => json!({ "service": "graph", "path": chat, "status": 500 }),
            _ => json!({ "service": "graph", "path": chat, "delay_ms": 15_000, "status": 504 }),
        }
    });
    platform.faults(rules.collect()).await;
    let mut refused = Vec::new();
    let mut kept = Vec::new();
    for (number, talk) in dead.iter().enumerate() {
        let message = talk.agent_writes("to nobody").await;
        match number % 4 {
            0 | 1 => refused.push((talk, message, Instant::now())),
            _ => kept.push(talk),
        }
    }
    // The dead ones' first posts have taken their turns: from here on they only try again.
    for (_, message, since) in &refused {
        let receipt = platform.until_receipt(message).await;
        assert_eq!(receipt, ["Failed:MessageNotAllowed"]);
        assert!(since.elapsed() <= Duration::from_secs(60));
    }
    for (number, talk) in alive.iter().enumerate() {
        let written = Instant::now();
        talk.agent_writes("to somebody").await;
        talk.sees(&["to somebody"]).await;
        let took = written.elapsed();
        eprintln!("chat {number} of the living: answered after {took:?}");
        // A turn comes about every second; those that try again may stand before it.
        assert!(took <= Duration::from_secs(8), "{took:?}");
    }
    let failed = platform.failed().await;
    assert_eq!(failed.len(), refused.len(), "{failed:#?}");
    for one in &failed {
        assert_eq!(one["body"]["kind"], "chat_not_accepted");
        assert_eq!(one["body"]["service"], "graph");
    }
    // What only fails is kept, and arrives once its chat is well; a refused chat works again too.
    platform.faults(json!([])).await;
    for talk in kept {
        talk.sees(&["to nobody"]).await;
    }
    let (talk, ..) = &refused[0];
    talk.agent_writes("works again").await;
    talk.sees(&["works again"]).await;
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
    let anna = Talk::new(&platform, "Anna");
    anna.writes("anybody there?").await;
    platform
        .until_logged("event", "integration_in_doubt", 3)
        .await;
    platform.assert_nothing_failed().await;
    platform.faults(json!([])).await;
    anna.agent_sees(&["anybody there?"]).await;
}

#[tokio::test]
async fn an_account_that_must_sign_in_again_waits_alone_and_loses_nothing() {
    let accounts = Account::argument(2);
    let platform = Platform::start(&[&accounts, "--set=RETRY_FLOOR_SECONDS=0"]).await;
    // One customer of two Support Users has two threads.
    let customer = Customer::new("Anna");
    let support = Talk::at(&platform, customer.clone(), Account::number(0));
    let desk = Talk::at(&platform, customer, Account::number(1));
    support.writes("it is broken").await;
    desk.writes("I want two").await;
    support.agent_sees(&["it is broken"]).await;
    desk.agent_sees(&["I want two"]).await;

    // The session of one account is revoked, and its token with it.
    let path = format!(
        "/local/key-vault/secrets/graph-refresh-token-{}",
        desk.account.name
    );
    let good = platform.get(&path).await["value"].take();
    let put = async |token: Value| {
        let body = json!({ "value": token });
        platform.call(Method::PUT, &path, Some(&body)).await;
    };
    put(json!("revoked")).await;
    platform.kill_handler().await;
    desk.agent_writes("waits").await;
    support.agent_writes("goes on").await;
    support.sees(&["goes on"]).await;
    platform.until_logged("kind", "sign_in_needed", 1).await;
    platform.assert_nothing_failed().await;
    put(good).await;
    desk.sees(&["waits"]).await;
}
