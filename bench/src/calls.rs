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

    let texts = vec![(&post, &chat, &text); times];
    let written = counter.row("text in", &texts, ARRIVED, &[1, 2, 2, 0, 1]);
    let written = written.await?;
    let pictures = vec![(&post, &chat, &picture); times];
    counter.row("picture in", &pictures, ARRIVED, &[]).await?;
    let written = written.iter().filter_map(|told| told["message"].as_str());
    let paths: Vec<String> = written.map(|id| format!("{chat}/{id}")).collect();
    let edit = json!({ "html": "<p>How can I change my name?</p>" });
    let edits = paths.iter().map(|path| (&Method::PATCH, path, &edit));
    let edits: Vec<_> = edits.collect();
    counter.row("edit", &edits, ARRIVED, &[]).await?;

    // Graph keeps the echoes to itself until the messages are counted, and repeats them then.
    let put = Method::PUT;
    let (quiet, loud) = ([(&put, &faults, &quiet)], [(&put, &faults, &loud)]);
    counter.make(&quiet, ANSWERED, 0).await?;
    let answers = vec![(&post, &thread, &answer); times];
    counter
        .row("text out", &answers, ANSWERED, &[2, 2, 2, 1, 1])
        .await?;
    counter
        .row("our own echo", &loud, ECHOED, &[1, 0, 0, 0, 0])
        .await?;
    counter.make(&quiet, ANSWERED, 0).await?;
    let files = vec![(&post, &thread, &file); times];
    counter.row("file out", &files, ANSWERED, &[]).await?;

    let mut table = counter.table;
    table.note(format!(
        "Over {MESSAGES} messages of each kind after one of each. Two sends for an agent's message: itself and its receipt."
    ));
    table.note("Background: tokens, keys, secrets, every 5 s a look for pauses that other instances were told of, and what is booked of the limits that instances share.");
    Ok(table)
}

/// Method, path and body of what the platform is asked for.
type Request<'a> = (&'a Method, &'a String, &'a Value);

struct Counter {
    platform: Platform,
    table: Table,
}

impl Counter {
    /// Asks the platform for these things, counting anew, and waits until this last call was made so often and all of it is saved;
    /// returns the platform's answers.
    async fn make(
        &self,
        requests: &[Request<'_>],
        [service, kind]: [&str; 2],
        times: usize,
    ) -> Result<Vec<Value>> {
        let platform = &self.platform;
        let path = "/local/calls";
        platform.call(Method::DELETE, path, &Value::Null).await?;
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

    /// Makes these requests and adds a row with the outside calls that came of them, for each message; these limits are for the first
    /// columns, as far as they go. Returns the platform's answers.
    async fn row(
        &mut self,
        kind: &str,
        requests: &[Request<'_>],
        last: [&str; 2],
        limits: &[u32],
    ) -> Result<Vec<Value>> {
        let answers = self.make(requests, last, MESSAGES).await?;
        let view = self.platform.get("/local/calls").await?;
        let mut counts = [0.0; COLUMNS.len()];
        for (service, kinds) in view["calls"].as_object().context("no calls")? {
            for (kind, count) in kinds.as_object().into_iter().flatten() {
                counts[column(service, kind)] += count.as_f64().unwrap_or_default();
            }
        }
        let figures = counts.iter().enumerate().map(|(column, count)| {
            let each = count / MESSAGES as f64;
            match limits.get(column) {
                Some(limit) => AtMost(each, f64::from(*limit)),
                None => Plain(each),
            }
        });
        self.table.row(kind, Vec::from_iter(figures));
        Ok(answers)
    }
}
