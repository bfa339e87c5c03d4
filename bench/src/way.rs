//! The time from Teams' POST to Genesys' POST.

use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::Arguments;
use crate::platform::{Customer, Platform};
use crate::table::Figure::Plain;
use crate::table::{Table, median, p99};

/// Messages a second, and for how many seconds.
const LOADS: [(u32, u32); 3] = [(1, 20), (20, 10), (100, 3)];

/// Chats that the messages are spread over.
const CHATS: u32 = 50;

/// Handlers. Each keeps the pace that Genesys allows, 4 calls a second and 40 after a quiet time, so that one alone would be measured
/// waiting; these together may make more calls at once than the largest load has messages.
const INSTANCES: &str = "8";

/// After this time without a call the pace allows all of them at once.
const QUIET: Duration = Duration::from_secs(11);

/// Measures each load after everybody is known.
pub async fn measure(arguments: &Arguments) -> Result<Table> {
    let further = ["--instances", INSTANCES, "--genesys-rate-limit", "1000000"];
    let platform = Platform::start(arguments, &further)?;
    let customers: Vec<Customer> = (0..CHATS).map(|number| Customer(0x100 + number)).collect();
    // One after another, because Graph is asked about each of them and allows few questions.
    for stranger in customers.chunks(1) {
        run(&platform, stranger, 1, 1).await?;
    }
    let mut table = Table::new(
        "messages a second",
        &[
            "to the queue: median ms",
            "p99 ms",
            "to Genesys: median ms",
            "p99 ms",
        ],
    );
    for (rate, seconds) in LOADS {
        eprintln!("way: {rate} messages a second …");
        sleep(QUIET).await;
        let journeys = run(&platform, &customers, rate, rate * seconds).await?;
        let to = |hop: &str| -> Vec<f64> {
            let times = journeys.iter().map(|journey| &journey["first"]);
            let from = "notification";
            times
                .filter_map(|first| Some(first[hop].as_f64()? - first[from].as_f64()?))
                .collect()
        };
        let (queue, genesys) = (to("queue inbound"), to("genesys"));
        let figures = [
            median(queue.clone()),
            p99(queue),
            median(genesys.clone()),
            p99(genesys),
        ];
        table.row(format!("{rate}, for {seconds} s"), figures.map(Plain));
    }
    table.note(format!(
        "From Teams' POST, over {CHATS} chats of known customers and {INSTANCES} instances, because each keeps a pace of 4 calls a second to \
         Genesys with a burst of 40. With fewer, what is above that pace waits for it. Handlers, simulators and Azurite share this machine."
    ));
    Ok(table)
}

/// Sends messages at fixed times and waits for the last of them; returns their journeys.
async fn run(
    platform: &Platform,
    customers: &[Customer],
    per_second: u32,
    messages: u32,
) -> Result<Vec<Value>> {
    platform
        .call(Method::DELETE, "/local/journeys", &Value::Null)
        .await?;
    let begun = Instant::now();
    let numbers = (0..messages).zip(customers.iter().cycle());
    try_join_all(numbers.map(async |(number, customer)| {
        sleep_until(begun + Duration::from_secs(1) * number / per_second).await;
        let message = customer.message(json!({ "html": format!("<p>Question {number}</p>") }));
        platform
            .call(Method::POST, &customer.chat(), &message)
            .await
    }))
    .await?;
    let all = platform
        .until("the messages", async || {
            let view = platform.get("/local/journeys/times").await?;
            let mut journeys = view["journeys"].as_array().cloned().unwrap_or_default();
            journeys.retain(|journey| journey["first"]["genesys"].is_number());
            Ok((journeys.len() >= messages as usize).then_some(journeys))
        })
        .await?;
    platform.until_idle().await?;
    Ok(all)
}
