//! A storm: customers and agents write to each other in hundreds of chats while everything around the bridge fails, and at the
//! end it is counted what became of each message.

mod account;
mod plan;
mod weather;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

pub use account::Report;
pub use plan::{Plan, Size};

use self::account::Found;
use self::plan::{Chat, Doom};
use crate::files::{file, png};
use crate::{Account, Customer, Platform, Talk, view};

/// Time between two looks at how far everything is.
const LOOK: Duration = Duration::from_secs(1);

/// Time after the weather within which a storm must have been worked off, beside the least time that the limits allow.
const PATIENCE: Duration = Duration::from_secs(8 * 60);

/// What was written, by who wrote it.
#[derive(Debug, Default)]
struct Written {
    /// Customers' messages: chat, number, correlation.
    inbound: Vec<(usize, usize, String)>,
    /// Agents' replies: chat, number, Genesys id, correlation.
    outbound: Vec<(usize, usize, String, String)>,
}

/// Runs a storm on a platform of its own, and counts.
///
/// # Panics
/// The platform does not start or breaks.
pub async fn run(plan: &Plan) -> Report {
    let platform = start(plan).await;
    let talks: Vec<Talk<'_>> = (0..plan.chats.len())
        .map(|number| talk(&platform, plan, number))
        .collect();
    let doomed: Vec<Value> = plan
        .chats
        .iter()
        .zip(&talks)
        .filter_map(|(chat, talk)| Some(rule(chat.doom?, talk)))
        .collect();
    let begun = Instant::now();
    let (known, threads) = watch::channel(HashSet::new());
    let writers = plan.chats.iter().zip(&talks).enumerate();
    let writers = writers.map(|(number, (chat, talk))| {
        let threads = threads.clone();
        async move {
            let customer = customer_writes(number, chat, talk, begun);
            let agent = agent_writes(number, chat, talk, begun, threads);
            tokio::join!(customer, agent)
        }
    });
    let mut most_memory = 0;
    let watching = async {
        loop {
            sleep(LOOK).await;
            most_memory = most_memory.max(memory(&platform).await);
            let threads = platform.conversations().await.into_iter();
            let threads = threads.map(|it| view::text(&it, "thread").to_owned());
            known.send_replace(threads.collect());
        }
    };
    let storm = async {
        let rage = weather::rage(&platform, plan, &doomed, begun);
        let (all, ()) = tokio::join!(join_all(writers), rage);
        let mut written = Written::default();
        for (inbound, outbound) in all {
            written.inbound.extend(inbound);
            written.outbound.extend(outbound);
        }
        written
    };
    let written = tokio::select! {
        written = storm => written,
        () = watching => unreachable!("watching has no end"),
    };
    if plan.size.timers {
        for timer in ["subscription-renewal", "catch-up"] {
            let path = format!("/local/timers/{timer}");
            platform.post(&path, json!({})).await;
        }
    }
    let found = until_settled(&platform, plan, &talks, &written, begun, &mut most_memory).await;
    found.report(plan, &written, most_memory)
}

async fn start(plan: &Plan) -> Platform {
    let size = plan.size;
    let accounts = Account::argument(size.accounts);
    let mut arguments = vec![
        accounts,
        format!("--instances={}", size.instances),
        format!("--lock-seconds={}", size.lock),
        "--blob-faults".to_owned(),
        "--set=LOG_LEVEL=warn".to_owned(),
    ];
    if size.clients > 1 {
        let clients =
            (1..=size.clients).map(|number| format!("00000000-0000-4000-8000-c{number:011}"));
        let clients = Vec::from_iter(clients).join(",");
        arguments.push(format!("--set=GENESYS_CLIENT_ID={clients}"));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Platform::start(&arguments).await
}

fn talk<'a>(platform: &'a Platform, plan: &Plan, number: usize) -> Talk<'a> {
    let chat = &plan.chats[number];
    let customer = Customer::new(&format!("Customer{number}"));
    match chat.is_app {
        true => Talk::app_of(platform, customer),
        false => Talk::at(platform, customer, Account::number(chat.account)),
    }
}

/// The fault that holds for a doomed chat throughout.
fn rule(doom: Doom, talk: &Talk<'_>) -> Value {
    match (doom, talk.is_app()) {
        (Doom::AtGenesys, _) => json!({
            "service": "genesys", "body": talk.customer.user, "path": "/open/message", "status": 400,
        }),
        (Doom::InTeams, is_app) => json!({
            "service": if is_app { "bot" } else { "graph" }, "method": "POST", "path": talk.chat, "status": 403,
        }),
        (Doom::OfFile, false) => json!({
            "service": "graph", "path": "/hostedContents/", "status": 404,
        }),
        (Doom::OfFile, true) => json!({
            "service": "bot", "path": "/v3/attachments/", "status": 404,
        }),
    }
}

async fn customer_writes(
    number: usize,
    chat: &Chat,
    talk: &Talk<'_>,
    begun: Instant,
) -> Vec<(usize, usize, String)> {
    let mut written = Vec::new();
    for (message, at) in chat.writes.iter().enumerate() {
        sleep_until(begun + *at).await;
        let with_image = message == 0 && chat.doom == Some(Doom::OfFile);
        let images = Vec::from_iter(with_image.then(image));
        let text = inbound(number, message);
        let id = if chat.is_app {
            if message == 0 {
                talk.installs().await;
            }
            talk.says(&text, json!({ "pictures": images })).await
        } else {
            talk.writes_with(&text, json!({ "images": images })).await
        };
        let correlation = account::correlation(&["teams", &talk.chat, &id]);
        written.push((number, message, correlation));
    }
    written
}

fn image() -> Value {
    let bytes = png(10);
    let mut image = file("picture.png", "image/png", &bytes);
    if let Some(image) = image.as_object_mut() {
        image.remove("name");
    }
    image
}

async fn agent_writes(
    number: usize,
    chat: &Chat,
    talk: &Talk<'_>,
    begun: Instant,
    mut threads: watch::Receiver<HashSet<String>>,
) -> Vec<(usize, usize, String, String)> {
    let mut written = Vec::new();
    for (message, at) in chat.replies.iter().enumerate() {
        sleep_until(begun + *at).await;
        // An agent replies to what is there.
        let is_there = |threads: &HashSet<String>| threads.contains(&talk.thread);
        let _ = threads.wait_for(is_there).await;
        let id = talk.agent_writes(&outbound(number, message)).await;
        let correlation = account::correlation(&["genesys", &id]);
        written.push((number, message, id, correlation));
    }
    written
}

fn inbound(chat: usize, message: usize) -> String {
    format!("in {chat} {message}")
}

fn outbound(chat: usize, message: usize) -> String {
    format!("out {chat} {message}")
}

/// Largest resident memory of a handler at present, in MB.
async fn memory(platform: &Platform) -> u64 {
    let shown = platform.get("/local/instances").await;
    let resident = |instance: &Value| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", instance["pid"])).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    };
    let instances = view::list(shown, "instances");
    instances
        .iter()
        .filter_map(resident)
        .max()
        .unwrap_or_default()
        / 1_024
}

/// Waits until every message has come to its end and every queue is empty, or patience does.
async fn until_settled(
    platform: &Platform,
    plan: &Plan,
    talks: &[Talk<'_>],
    written: &Written,
    begun: Instant,
    most_memory: &mut u64,
) -> Found {
    let mut finished = None;
    let deadline = begun + plan.calm() + account::least_time(plan) + PATIENCE;
    loop {
        *most_memory = (*most_memory).max(memory(platform).await);
        let mut found = Found::look(platform).await;
        // What fails for ever takes its time, and nobody else's.
        let is_doomed = |chat: usize| plan.chats[chat].doom.is_some();
        if finished.is_none() && found.accounts_for(written, |chat| !is_doomed(chat)) {
            finished = Some(begun.elapsed());
        }
        let is_over = found.accounts_for(written, |_| true) && is_idle(platform).await;
        if is_over || Instant::now() >= deadline {
            found.finished = finished.unwrap_or_else(|| begun.elapsed());
            found.posts = posts(talks).await;
            found.accepted = accepted(platform).await;
            found.calls = platform.get("/local/calls").await["calls"].take();
            return found;
        }
        sleep(LOOK).await;
    }
}

async fn is_idle(platform: &Platform) -> bool {
    let queues = view::list(platform.get("/local/queues").await, "queues");
    let mut lanes = queues
        .into_iter()
        .flat_map(|queue| view::list(queue, "lanes"));
    lanes.next().is_none()
}

/// The texts that the Support User or the bot posted in each chat, in order.
async fn posts(talks: &[Talk<'_>]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for talk in talks {
        all.push(talk.seen().await);
    }
    all
}

/// When a queue took each message first, by correlation.
async fn accepted(platform: &Platform) -> HashMap<String, f64> {
    let journeys = view::list(platform.get("/local/journeys/times").await, "journeys");
    let times = journeys.iter().filter_map(|journey| {
        let queue = format!("queue {}", view::text(journey, "direction"));
        let at = journey["first"][&queue].as_f64()?;
        Some((view::text(journey, "correlation").to_owned(), at))
    });
    times.collect()
}
