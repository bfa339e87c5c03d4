//! What each kind of message costs outside: the calls that the simulators count, divided by the messages.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::Arguments;
use crate::platform::{Customer, Platform};
use crate::table::Figure::{AtMost, Plain};
use crate::table::Table;

/// Messages of each kind.
const MESSAGES: usize = 20;

const COLUMNS: [&str; 7] = [
    "Service Bus",
    "blob reads",
    "blob writes",
    "Graph",
    "Genesys",
    "downloads",
    "background",
];

/// Column of a call: the last one is for what comes by the clock and not by the message.
fn column(service: &str, kind: &str) -> usize {
    match (service, kind) {
        ("service-bus", _) => 0,
        ("blob", "read") => 1,
        ("blob", "write") => 2,
        ("graph", _) => 3,
        ("genesys", kind) if kind != "token" => 4,
        ("files" | "genesys-media", _) => 5,
        _ => 6,
    }
}

/// The last call for a message, by service and kind.
const ARRIVED: [&str; 2] = ["genesys", "message"];
const ANSWERED: [&str; 2] = ["genesys", "receipt"];
const ECHOED: [&str; 2] = ["service-bus", "send inbound"];

/// Sends messages of each kind by one customer, who is known, and the agent.
pub async fn measure(arguments: &Arguments) -> Result<Table> {
    let mut counter = Counter {
        platform: Platform::start(arguments, &[])?,
        table: Table::new("outside calls for each message", &COLUMNS),
    };
    let customer = Customer(0xb);
    let (chat, thread) = (customer.chat(), customer.thread());
    let (post, times) = (Method::POST, MESSAGES);
    let text = customer.message(json!({ "html": "<p>How can I change my address?</p>" }));
    let picture = customer.message(
        json!({ "html": "", "images": [{ "content_type": "image/png", "generate": 65_536 }] }),
    );
    let answer = json!({ "text": "In your profile, at the very top." });
    let file = json!({
        "text": "",
        "attachment": { "name": "form.bin", "content_type": "application/octet-stream", "generate": 65_536 },
    });
    let quiet = json!({ "rules": [{ "service": "graph-notification", "drop": "before" }] });
    let loud = json!({ "rules": [] });
    let faults = "/local/faults".to_owned();

    // Everybody is known afterwards, and every connection is there.
    for (path, message, last) in [
        (&chat, &text, ARRIVED),
        (&chat, &picture, ARRIVED),
        (&thread, &answer, ANSWERED),
        (&thread, &file, ANSWERED),
    ] {
        counter.make(&[(&post, path, message)], last, 1).await?;
    }

    let written = counter
        .make(&vec![(&post, &chat, &text); times], ARRIVED, times)
        .await?;
    counter.row("text in", &[1, 2, 2, 0, 1]).await?;
    counter
        .make(&vec![(&post, &chat, &picture); times], ARRIVED, times)
        .await?;
    counter.row("picture in", &[]).await?;
    let paths: Vec<String> = written
        .iter()
        .filter_map(|told| Some(format!("{chat}/{}", told["message"].as_str()?)))
        .collect();
    let edit = json!({ "html": "<p>How can I change my name?</p>" });
    let edits: Vec<_> = paths
        .iter()
        .map(|path| (&Method::PATCH, path, &edit))
        .collect();
    counter.make(&edits, ARRIVED, times).await?;
    counter.row("edit", &[]).await?;

    // Graph keeps the echoes to itself until the messages are counted, and repeats them then.
    let put = Method::PUT;
    counter
        .make(&[(&put, &faults, &quiet)], ANSWERED, 0)
        .await?;
    counter
        .make(&vec![(&post, &thread, &answer); times], ANSWERED, times)
        .await?;
    counter.row("text out", &[2, 2, 2, 1, 1]).await?;
    counter
        .make(&[(&put, &faults, &loud)], ECHOED, times)
        .await?;
    counter.row("our own echo", &[1, 0, 0, 0, 0]).await?;
    counter
        .make(&[(&put, &faults, &quiet)], ANSWERED, 0)
        .await?;
    counter
        .make(&vec![(&post, &thread, &file); times], ANSWERED, times)
        .await?;
    counter.row("file out", &[]).await?;

    let mut table = counter.table;
    table.note(format!(
        "Over {MESSAGES} messages of each kind after one of each. Two sends for an agent's message: itself and its receipt."
    ));
    table.note("Background: tokens, keys, secrets, and every 5 s a look for pauses that other instances were told of.");
    Ok(table)
}

struct Counter {
    platform: Platform,
    table: Table,
}

impl Counter {
    /// Asks the platform for these things, counting anew, and waits until this last call was made so often and all of it is saved;
    /// returns the platform's answers.
    async fn make(
        &self,
        requests: &[(&Method, &String, &Value)],
        [service, kind]: [&str; 2],
        times: usize,
    ) -> Result<Vec<Value>> {
        let platform = &self.platform;
        let nothing = Value::Null;
        platform
            .call(Method::DELETE, "/local/calls", &nothing)
            .await?;
        let mut answers = Vec::new();
        for (method, path, body) in requests {
            answers.push(platform.call((*method).clone(), path, body).await?);
        }
        platform
            .until(kind, async || {
                let view = platform.get("/local/calls").await?;
                let made = view["calls"][service][kind].as_u64().unwrap_or_default();
                Ok((made >= times as u64).then_some(()))
            })
            .await?;
        platform.until_idle().await?;
        Ok(answers)
    }

    /// Adds a row with the calls since they were counted anew; these limits are for the first columns, as far as they go.
    async fn row(&mut self, kind: &str, limits: &[u32]) -> Result<()> {
        let view = self.platform.get("/local/calls").await?;
        let mut figures = [Plain(0.0); COLUMNS.len()];
        let mut counts = [0.0; COLUMNS.len()];
        for (service, kinds) in view["calls"].as_object().context("no calls")? {
            for (kind, count) in kinds.as_object().into_iter().flatten() {
                counts[column(service, kind)] += count.as_f64().unwrap_or_default();
            }
        }
        for (column, count) in counts.into_iter().enumerate() {
            let each = count / MESSAGES as f64;
            figures[column] = match limits.get(column) {
                Some(limit) => AtMost(each, f64::from(*limit)),
                None => Plain(each),
            };
        }
        self.table.row(kind, figures);
        Ok(())
    }
}
