//! Typing in the bot's conversations: how long it takes from Genesys' webhook to Teams while messages flow, and what a storm of it costs
//! them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Arguments;
use crate::platform::Platform;
use crate::table::Figure::{AtMost, Plain};
use crate::table::{Table, median, p99};

/// Conversations in which agents write, one message a second in each; and further ones in which they type.
const WRITTEN: usize = 20;
const TYPED: usize = 20;

/// How long each load lasts, in seconds.
const SECONDS: usize = 20;

/// Typing events a second: as people type, and as a storm.
const USUAL: usize = 4;
const STORM: usize = 100;

/// Longest median from an event to the activity, in ms.
const SHOWN_BAR: f64 = 300.0;

/// What a storm may add to the slowest message of a hundred, in ms.
const STORM_BAR: f64 = 100.0;

/// A conversation that both sides have written in.
struct Conversation(usize);

impl Conversation {
    fn user(&self) -> String {
        format!("0f0e0d0c-0000-4000-8000-{:012x}", 0x500 + self.0)
    }

    fn chat(&self) -> String {
        format!("/local/bot/chats/a%3Abench{}", self.0)
    }

    fn thread(&self, what: &str) -> String {
        format!(
            "/local/genesys/threads/teams%3Abot%3A{}/{what}",
            self.user()
        )
    }

    async fn begin(&self, platform: &Platform) -> Result<()> {
        let tenant = "be9c1b6e-0000-4000-8000-c0ffee000002";
        let from = json!({ "user": self.user(), "name": "Anna", "tenant": tenant, "upn": "anna@customer.example" });
        for what in [
            json!({ "do": "install", "from": from }),
            json!({ "do": "say", "text": "hello" }),
        ] {
            platform.call(Method::POST, &self.chat(), &what).await?;
        }
        let user = self.user();
        platform
            .until("the first message", async || {
                let view = platform.get("/local/genesys/conversations").await?;
                Ok(view.to_string().contains(&user).then_some(()))
            })
            .await
    }

    /// What the bot posted since: times in ms since 1970, of typing and of texts.
    async fn posted(&self, platform: &Platform) -> Result<Vec<(f64, Option<String>)>> {
        let view = platform.get(&self.chat()).await?;
        let posted = view["posted"].as_array().context("nothing posted")?;
        let one = |call: &Value| {
            let at = OffsetDateTime::parse(call["at"].as_str()?, &Rfc3339).ok()?;
            let activity = &call["activity"];
            let text = match activity["type"].as_str()? {
                "typing" => None,
                _ => Some(activity["text"].as_str()?.to_owned()),
            };
            Some((milliseconds(at), text))
        };
        Ok(posted.iter().filter_map(one).collect())
    }
}

/// What a load came to: delays in ms.
struct Delays {
    messages: Vec<f64>,
    typing: Vec<f64>,
}

/// Measures messages alone, with usual typing, and in a storm of it.
pub async fn measure(arguments: &Arguments) -> Result<Table> {
    let further = [
        "--instances",
        "4",
        "--genesys-rate-limit",
        "1000000",
        "--set",
        "GENESYS_CALLS_PER_MINUTE=30000",
        "--set",
        "BOT_GREETING=off",
    ];
    let platform = Platform::start(arguments, &further)?;
    let conversations: Vec<Conversation> = (0..WRITTEN + TYPED).map(Conversation).collect();
    for conversation in &conversations {
        conversation.begin(&platform).await?;
    }
    platform.until_idle().await?;
    let mut table = Table::new(
        "typing events a second",
        &["messages: median ms", "p99 ms", "typing: median ms"],
    );
    let mut alone = 0.0;
    for (name, events) in [("none", 0), ("4", USUAL), ("100", STORM)] {
        eprintln!("typing: {name} events a second …");
        let delays = load(&platform, &conversations, events).await?;
        let (middle, slowest) = (median(delays.messages.clone()), p99(delays.messages));
        alone = if events == 0 { slowest } else { alone };
        let slowest = match events {
            STORM => AtMost(slowest, (alone + STORM_BAR).ceil()),
            _ => Plain(slowest),
        };
        let typing = match events {
            0 => Plain(f64::NAN),
            USUAL => AtMost(median(delays.typing), SHOWN_BAR),
            _ => Plain(median(delays.typing)),
        };
        table.row(name, [Plain(middle), slowest, typing]);
        platform.until_idle().await?;
        // The conversations' limits fill up again.
        sleep(Duration::from_secs(20)).await;
    }
    table.note(format!(
        "From Genesys' webhook to the connector, {WRITTEN} messages a second over {WRITTEN} conversations of the bot's, typing in {TYPED} others; \
         in the storm each event that is not shown by one before it. Handlers, simulators and Azurite share this machine."
    ));
    Ok(table)
}

/// Writes one message a second in each of the first conversations, and types in the others.
async fn load(
    platform: &Platform,
    conversations: &[Conversation],
    events: usize,
) -> Result<Delays> {
    let (written, typed) = conversations.split_at(WRITTEN);
    let begun = Instant::now();
    let from = milliseconds(OffsetDateTime::now_utc());
    let at = |number: usize, per_second: usize| {
        begun + Duration::from_secs_f64(number as f64 / per_second as f64)
    };
    let messages = try_join_all((0..WRITTEN * SECONDS).map(async |number| {
        sleep_until(at(number, WRITTEN)).await;
        let text = format!("Answer {number} of {from}");
        let sent = milliseconds(OffsetDateTime::now_utc());
        let path = written[number % WRITTEN].thread("messages");
        platform
            .call(Method::POST, &path, &json!({ "text": text }))
            .await?;
        anyhow::Ok((text, sent))
    }));
    let typing = try_join_all((0..events * SECONDS).map(async |number| {
        sleep_until(at(number, events)).await;
        let (place, sent) = (number % TYPED, milliseconds(OffsetDateTime::now_utc()));
        let event = json!({ "duration": 1_000 });
        platform
            .call(Method::POST, &typed[place].thread("typing"), &event)
            .await?;
        anyhow::Ok((place, sent))
    }));
    let (sent, told) = tokio::try_join!(messages, typing)?;
    let sent: BTreeMap<String, f64> = sent.into_iter().collect();
    let arrived = platform
        .until("the messages", async || {
            let mut delays = Vec::new();
            for conversation in written {
                for (at, text) in conversation.posted(platform).await? {
                    delays.extend(text.and_then(|text| Some(at - sent.get(&text)?)));
                }
            }
            Ok((delays.len() >= sent.len()).then_some(delays))
        })
        .await?;
    let mut shown = Vec::new();
    for (place, conversation) in typed.iter().enumerate() {
        for (at, _) in conversation.posted(platform).await? {
            // The event that it shows is the latest before it.
            let events = told.iter().filter(|(of, _)| *of == place);
            let before = events
                .map(|(_, sent)| at - sent)
                .filter(|delay| *delay >= 0.0);
            shown.extend(before.min_by(f64::total_cmp).filter(|_| at >= from));
        }
    }
    Ok(Delays {
        messages: arrived,
        typing: shown,
    })
}

fn milliseconds(at: OffsetDateTime) -> f64 {
    at.unix_timestamp_nanos() as f64 / 1e6
}
