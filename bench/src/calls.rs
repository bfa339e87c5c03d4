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

/// Sends messages of each kind by one customer, who is known, and the agent.
pub async fn measure(arguments: &Arguments) -> Result<Table> {
    let mut counter = Counter {
        platform: Platform::start(arguments, &[])?,
        customer: Customer(0xb),
        table: Table::new("outside calls for each message", &COLUMNS),
        inbound: 0,
        outbound: 0,
    };
    counter.run().await?;
    let mut table = counter.table;
    table.note(format!(
        "Over {MESSAGES} messages of each kind after one of each. An answer to an agent's message is two sends, it and its receipt."
    ));
    table.note("Background: tokens, keys, secrets, and every 5 s a look for pauses that other instances were told of.");
    Ok(table)
}

struct Counter {
    platform: Platform,
    customer: Customer,
    table: Table,
    /// Messages that the agent has seen so far, and messages of the agent with their receipts.
    inbound: usize,
    outbound: usize,
}

impl Counter {
    async fn run(&mut self) -> Result<()> {
        let text = json!({ "html": "<p>How can I change my address?</p>" });
        let picture =
            json!({ "html": "", "images": [{ "content_type": "image/png", "generate": 65_536 }] });
        let answer = json!({ "text": "In your profile, at the very top." });
        let file = json!({
            "text": "",
            "attachment": { "name": "form.bin", "content_type": "application/octet-stream", "generate": 65_536 },
        });
        // Everybody is known afterwards, and every connection is there.
        for message in [&text, &picture] {
            self.customer_writes(message, 1).await?;
        }
        for message in [&answer, &file] {
            self.agent_writes(message, 1).await?;
        }

        self.reset().await?;
        let written = self.customer_writes(&text, MESSAGES).await?;
        self.row("text in", &[1, 2, 2, 0, 1]).await?;

        self.reset().await?;
        self.customer_writes(&picture, MESSAGES).await?;
        self.row("picture in", &[]).await?;

        self.reset().await?;
        for message in written {
            let path = format!("{}/{message}", self.customer.chat());
            let edited = json!({ "html": "<p>How can I change my name?</p>" });
            self.platform.call(Method::PATCH, &path, &edited).await?;
        }
        self.inbound += MESSAGES;
        self.settled().await?;
        self.row("edit", &[]).await?;

        // Graph keeps the echoes to itself until the messages are counted, and repeats them then.
        self.echoes(false).await?;
        self.reset().await?;
        self.agent_writes(&answer, MESSAGES).await?;
        self.row("text out", &[2, 2, 2, 1, 1]).await?;
        self.reset().await?;
        self.echoes(true).await?;
        self.row("our own echo", &[1, 0, 0, 0, 0]).await?;

        self.echoes(false).await?;
        self.reset().await?;
        self.agent_writes(&file, MESSAGES).await?;
        self.row("file out", &[]).await?;
        Ok(())
    }

    async fn customer_writes(&mut self, message: &Value, times: usize) -> Result<Vec<String>> {
        let mut written = Vec::new();
        for _ in 0..times {
            let id = self.platform.write(&self.customer, message.clone()).await?;
            written.push(id);
        }
        self.inbound += times;
        self.settled().await?;
        Ok(written)
    }

    async fn agent_writes(&mut self, message: &Value, times: usize) -> Result<()> {
        let path = self.customer.thread();
        for _ in 0..times {
            self.platform.call(Method::POST, &path, message).await?;
        }
        self.outbound += times;
        self.settled().await
    }

    /// Waits until all that was written is where it belongs, and saved.
    async fn settled(&self) -> Result<()> {
        let expected = (self.inbound, self.outbound);
        self.platform
            .until("the messages", async || {
                let view = self.platform.get("/local/genesys/conversations").await?;
                let (mut inbound, mut outbound) = (0, 0);
                for conversation in view["conversations"].as_array().into_iter().flatten() {
                    for message in conversation["messages"].as_array().into_iter().flatten() {
                        let answered = message["receipts"]
                            .as_array()
                            .is_some_and(|receipts| !receipts.is_empty());
                        match message["direction"] == "inbound" {
                            true => inbound += 1,
                            false => outbound += usize::from(answered),
                        }
                    }
                }
                Ok(((inbound, outbound) == expected).then_some(()))
            })
            .await?;
        self.platform.until_idle().await
    }

    /// Lets the echoes of the agent's messages through, and waits for them; or not.
    async fn echoes(&self, through: bool) -> Result<()> {
        let rules = match through {
            true => json!([]),
            false => json!([{ "service": "graph-notification", "drop": "before" }]),
        };
        let rules = json!({ "rules": rules });
        self.platform
            .call(Method::PUT, "/local/faults", &rules)
            .await?;
        if through {
            self.platform
                .until("the echoes", async || {
                    let sent = self.figures().await?[0];
                    Ok((sent >= MESSAGES as f64).then_some(()))
                })
                .await?;
            self.platform.until_idle().await?;
        }
        Ok(())
    }

    async fn reset(&self) -> Result<()> {
        let nothing = Value::Null;
        self.platform
            .call(Method::DELETE, "/local/calls", &nothing)
            .await?;
        Ok(())
    }

    /// The calls since the last reset, by column.
    async fn figures(&self) -> Result<[f64; COLUMNS.len()]> {
        let view = self.platform.get("/local/calls").await?;
        let mut figures = [0.0; COLUMNS.len()];
        for (service, kinds) in view["calls"].as_object().context("no calls")? {
            for (kind, count) in kinds.as_object().into_iter().flatten() {
                figures[column(service, kind)] += count.as_f64().unwrap_or_default();
            }
        }
        Ok(figures)
    }

    /// Adds a row with the calls since the last reset; these limits are for the first columns, as far as they go.
    async fn row(&mut self, kind: &str, limits: &[u32]) -> Result<()> {
        let limits = limits.iter().map(Some).chain(std::iter::repeat(None));
        let each = self.figures().await?.map(|count| count / MESSAGES as f64);
        let figures = each
            .into_iter()
            .zip(limits)
            .map(|(value, limit)| match limit {
                Some(limit) => AtMost(value, f64::from(*limit)),
                None => Plain(value),
            });
        self.table.row(kind, figures.collect::<Vec<_>>());
        Ok(())
    }
}
