//! What became of everything that was written in a storm.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::plan::{LOST, Plan, REFUSED};
use super::{Written, inbound, outbound};
use crate::files::sha256;
use crate::{Platform, view};

/// Calls a minute that Genesys takes from one OAuth client (Genesys Cloud limits, `client.credentials.token.rate.per.minute`).
const GENESYS_A_MINUTE: f64 = 300.0;

/// Posts a second that Graph takes from one user for long: 83 % of one (Microsoft Graph service-specific throttling limits).
const POSTS_A_SECOND: f64 = 0.83;

/// What is there after a storm.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Text and message id of what the agent has, by thread and in order.
    inbound: Vec<(String, String, String)>,
    /// Receipts of the agents' messages, by Genesys id.
    receipts: HashMap<String, Vec<String>>,
    /// Kinds of what lies in `failed`, by correlation.
    failed: HashMap<String, String>,
    pub(super) posts: Vec<Vec<String>>,
    pub(super) accepted: HashMap<String, f64>,
    pub(super) calls: Value,
    pub(super) finished: Duration,
}

/// A storm in figures.
#[derive(Debug)]
pub struct Report {
    seed: u64,
    inbound: Side,
    outbound: Side,
    looped: usize,
    missing_receipts: usize,
    further_receipts: usize,
    failed_by_kind: Vec<(String, usize)>,
    throttled: (u64, u64),
    finished: Duration,
    least: Duration,
    formula: String,
    memory: u64,
    calls_each: f64,
    kills: usize,
    /// Customers' messages that Genesys took and whose answers were lost.
    lost_answers: usize,
    /// Agents' messages that the bot repeated.
    app_repeated: usize,
    /// Posts that the bot's connector took and whose answers were lost.
    lost_app_answers: usize,
}

/// One direction.
#[derive(Debug, Default, Clone, Copy)]
struct Side {
    sent: usize,
    delivered: usize,
    failed: usize,
    lost: usize,
    repeated: usize,
    /// Of those, with another message id.
    renamed: usize,
    out_of_order: usize,
}

impl Found {
    pub(super) async fn look(platform: &Platform) -> Self {
        let mut found = Self::default();
        for conversation in platform.conversations().await {
            let thread = view::text(&conversation, "thread").to_owned();
            for message in view::list(conversation, "messages") {
                let text = |name| view::text(&message, name).to_owned();
                if message["direction"] == "inbound" {
                    let line = text("text");
                    found
                        .inbound
                        .push((thread.clone(), line, text("channel_message_id")));
                    continue;
                }
                let receipts = view::list(message.clone(), "receipts").into_iter();
                let receipts = receipts.map(|it| view::text(&it, "status").to_owned());
                found.receipts.insert(text("id"), receipts.collect());
            }
        }
        for entry in view::list(platform.get("/local/failed").await, "failed") {
            let body = &entry["body"];
            let correlation = view::text(body, "correlation").to_owned();
            found
                .failed
                .insert(correlation, view::text(body, "kind").to_owned());
        }
        found
    }

    /// Whether each message of these chats has arrived, or failed and was told of.
    pub(super) fn accounts_for(&self, written: &Written, chats: impl Fn(usize) -> bool) -> bool {
        let texts: HashSet<&str> = self.inbound.iter().map(|it| it.1.as_str()).collect();
        let mut customers = written.inbound.iter().filter(|it| chats(it.0));
        let mut agents = written.outbound.iter().filter(|it| chats(it.0));
        customers.all(|(chat, message, correlation)| {
            texts.contains(inbound(*chat, *message).as_str())
                || self.failed.contains_key(correlation)
        }) && agents.all(|(.., id, _)| {
            self.receipts
                .get(id)
                .is_some_and(|receipts| !receipts.is_empty())
        })
    }

    pub(super) fn report(self, plan: &Plan, written: &Written, memory: u64) -> Report {
        let mut failed: HashMap<&str, usize> = HashMap::new();
        for kind in self.failed.values() {
            *failed.entry(kind).or_default() += 1;
        }
        let mut failed_by_kind: Vec<(String, usize)> = failed
            .into_iter()
            .map(|(kind, count)| (kind.to_owned(), count))
            .collect();
        failed_by_kind.sort();
        let finals = written.outbound.iter().map(|(.., id, _)| {
            let mut receipts = self.receipts.get(id).cloned().unwrap_or_default();
            // The same told again, after a crash between the answer and the settlement, is no further one.
            receipts.dedup();
            receipts.len()
        });
        let finals: Vec<usize> = finals.collect();
        let (total, throttled) = self.calls();
        let (least, formula) = least(plan);
        let is_app = |chat: usize| plan.chats[chat].is_app;
        Report {
            seed: plan.seed,
            inbound: self.inbound(written),
            outbound: self.outbound(written, |_| true),
            app_repeated: self.outbound(written, is_app).repeated,
            looped: self
                .inbound
                .iter()
                .filter(|it| it.1.starts_with("out "))
                .count(),
            missing_receipts: finals.iter().filter(|it| **it == 0).count(),
            further_receipts: finals.iter().filter(|it| **it > 1).count(),
            failed_by_kind,
            throttled: (throttled, total),
            finished: self.finished,
            least,
            formula,
            memory,
            calls_each: total as f64
                / (written.inbound.len() + written.outbound.len()).max(1) as f64,
            kills: plan.kills(),
            lost_answers: self.lost_answers("genesys", &["message", "response"]),
            lost_app_answers: self.lost_answers("bot", &["post"]),
        }
    }

    fn inbound(&self, written: &Written) -> Side {
        let mut places: HashMap<&str, Vec<(usize, &str)>> = HashMap::new();
        for (place, (_, text, id)) in self.inbound.iter().enumerate() {
            places.entry(text).or_default().push((place, id));
        }
        let mut side = Side {
            sent: written.inbound.len(),
            ..Side::default()
        };
        let mut orders: HashMap<usize, Vec<(f64, usize)>> = HashMap::new();
        for (chat, message, correlation) in &written.inbound {
            let text = inbound(*chat, *message);
            match places.get(text.as_str()) {
                Some(shown) => {
                    side.delivered += 1;
                    // Once more with the same id is what a kill between Genesys' answer and our note of it costs.
                    let ids: HashSet<&str> = shown.iter().map(|it| it.1).collect();
                    side.repeated += shown.len() - 1;
                    side.renamed += ids.len() - 1;
                    if let Some(at) = self.accepted.get(correlation) {
                        orders.entry(*chat).or_default().push((*at, shown[0].0));
                    }
                }
                None if self.failed.contains_key(correlation) => side.failed += 1,
                None => side.lost += 1,
            }
        }
        side.out_of_order = orders.into_values().map(disorder).sum();
        side
    }

    fn outbound(&self, written: &Written, chats: impl Fn(usize) -> bool) -> Side {
        let written = written.outbound.iter().filter(|it| chats(it.0));
        let mut side = Side {
            sent: written.clone().count(),
            ..Side::default()
        };
        let mut orders: HashMap<usize, Vec<(f64, usize)>> = HashMap::new();
        for (chat, message, _, correlation) in written {
            let text = outbound(*chat, *message);
            let posts = self.posts[*chat].iter().enumerate();
            let shown: Vec<usize> = posts.filter(|it| *it.1 == text).map(|it| it.0).collect();
            if let Some(first) = shown.first() {
                side.delivered += 1;
                side.repeated += shown.len() - 1;
                if let Some(at) = self.accepted.get(correlation) {
                    orders.entry(*chat).or_default().push((*at, *first));
                }
            } else if self.failed.contains_key(correlation) {
                side.failed += 1;
            } else {
                side.lost += 1;
            }
        }
        side.out_of_order = orders.into_values().map(disorder).sum();
        side
    }

    fn lost_answers(&self, service: &str, kinds: &[&str]) -> usize {
        let lost = kinds
            .iter()
            .map(|kind| &self.calls[service][format!("lost {kind}")]);
        let lost = lost.filter_map(|count| count.as_u64()).sum::<u64>();
        usize::try_from(lost).unwrap_or(usize::MAX)
    }

    /// All calls to Graph, Genesys and the bot's connector, and how many of them were answered 429.
    fn calls(&self) -> (u64, u64) {
        let (mut total, mut throttled) = (0, 0);
        for service in ["graph", "genesys", "bot"] {
            let kinds = self.calls[service].as_object().into_iter().flatten();
            for (kind, count) in kinds {
                let count = count.as_u64().unwrap_or_default();
                match kind.as_str() {
                    "throttled" => throttled += count,
                    lost if lost.starts_with("lost ") => {}
                    _ => total += count,
                }
            }
        }
        (total, throttled)
    }
}

/// How many neighbours, in the order in which the queue took them, stand the other way round.
fn disorder(mut messages: Vec<(f64, usize)>) -> usize {
    messages.sort_by(|one, other| one.0.total_cmp(&other.0));
    messages
        .windows(2)
        .filter(|pair| pair[0].1 > pair[1].1)
        .count()
}

/// The least time that limits and outage allow, for the Support User with the most to post. The bot's chats do not wait for any.
pub(super) fn least_time(plan: &Plan) -> Duration {
    least(plan).0
}

fn least(plan: &Plan) -> (Duration, String) {
    let size = plan.size;
    let a_second = GENESYS_A_MINUTE / 60.0 * size.clients as f64;
    let calls = (size.messages + size.replies) as f64;
    // What is refused, and what is sent again because its answer was lost, counts at Genesys as well.
    let served = 1.0 - REFUSED - LOST;
    let genesys = calls / served / a_second + size.outage as f64;
    let mut replies = vec![0; size.accounts];
    for chat in plan.chats.iter().filter(|chat| !chat.is_app) {
        replies[chat.account] += chat.replies.len();
    }
    let replies = replies.into_iter().max().unwrap_or_default();
    let graph = replies as f64 / POSTS_A_SECOND;
    let least = genesys.max(graph).max(plan.calm().as_secs_f64());
    let formula = format!(
        "max(({} messages + {} receipts) / {served:.2} served / {a_second:.0} a second + {} s outage = {genesys:.0} s; {replies} replies of the busiest Support User / {POSTS_A_SECOND} = {graph:.0} s; weather {:.0} s)",
        size.messages,
        size.replies,
        size.outage,
        plan.calm().as_secs_f64()
    );
    (Duration::from_secs_f64(least), formula)
}

/// The documented correlation id: the first half of a SHA-256, written as a GUID.
pub(super) fn correlation(parts: &[&str]) -> String {
    let mut guid = sha256(parts.join("\n").as_bytes())[..32].to_owned();
    for place in [8, 13, 18, 23] {
        guid.insert(place, '-');
    }
    guid
}

impl Report {
    /// What must not be, in words; nothing when all is well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let none = [
            ("lost customers' messages", self.inbound.lost),
            ("lost agents' messages", self.outbound.lost),
            (
                "customers' messages out of order",
                self.inbound.out_of_order,
            ),
            ("agents' messages out of order", self.outbound.out_of_order),
            (
                "agents' messages repeated by Support Users",
                self.outbound.repeated - self.app_repeated,
            ),
            (
                "customers' messages repeated with another id",
                self.inbound.renamed,
            ),
            ("messages looped", self.looped),
            ("receipts missing", self.missing_receipts),
            ("receipts too many", self.further_receipts),
        ];
        let mut faults: Vec<String> = none
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        // Genesys offers no key by which it would know a message again, nor a way to ask for one by its id: after a kill between its
        // answer and our note, and after an answer that was lost, it gets the message once more, with the same id.
        if self.inbound.repeated > self.kills + self.lost_answers {
            faults.push(format!(
                "{} customers' messages repeated",
                self.inbound.repeated
            ));
        }
        // Nor does the bot's connector, which lists no messages either.
        if self.app_repeated > self.kills + self.lost_app_answers {
            faults.push(format!(
                "{} agents' messages repeated by the bot",
                self.app_repeated
            ));
        }
        faults
    }

    /// Whether the figures are within the bars that a busy machine can miss.
    #[must_use]
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        let share = self.throttled_percent();
        if share > 2.0 {
            misses.push(format!("{share:.1} % of calls answered 429, at most 2 %"));
        }
        let times = self.finished.as_secs_f64() / self.least.as_secs_f64();
        if times > 1.25 {
            misses.push(format!(
                "finished in {times:.2} times the least time, at most 1.25"
            ));
        }
        if self.memory > 80 {
            misses.push(format!("{} MB of memory, at most 80", self.memory));
        }
        misses
    }

    fn throttled_percent(&self) -> f64 {
        100.0 * self.throttled.0 as f64 / self.throttled.1.max(1) as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "storm {}", self.seed)?;
        writeln!(
            formatter,
            "{:<24}{:>12}{:>12}",
            "", "to Genesys", "to Teams"
        )?;
        for (what, figure) in [
            ("sent", (|side| side.sent) as fn(Side) -> usize),
            ("delivered", |side| side.delivered),
            ("in failed", |side| side.failed),
            ("lost", |side| side.lost),
            ("repeated", |side| side.repeated),
            ("out of order", |side| side.out_of_order),
        ] {
            let (one, other) = (figure(self.inbound), figure(self.outbound));
            writeln!(formatter, "{what:<24}{one:>12}{other:>12}")?;
        }
        writeln!(
            formatter,
            "  {} answers of Genesys lost, {} of the bot's connector, {} kills",
            self.lost_answers, self.lost_app_answers, self.kills
        )?;
        let seconds = |time: Duration| time.as_secs_f64();
        writeln!(formatter, "{:<24}{:>12}", "looped", self.looped)?;
        writeln!(
            formatter,
            "{:<24}{:>12}{:>12} too many",
            "receipts missing", self.missing_receipts, self.further_receipts
        )?;
        writeln!(
            formatter,
            "{:<24}{:>11.1}% {} of {} calls",
            "answered 429",
            self.throttled_percent(),
            self.throttled.0,
            self.throttled.1
        )?;
        writeln!(
            formatter,
            "{:<24}{:>11.1}s {:.2} times the least, {:.1} s",
            "finished",
            seconds(self.finished),
            seconds(self.finished) / seconds(self.least),
            seconds(self.least)
        )?;
        writeln!(formatter, "  {}", self.formula)?;
        writeln!(formatter, "{:<24}{:>10} MB", "largest handler", self.memory)?;
        writeln!(
            formatter,
            "{:<24}{:>12.2}",
            "outside calls each", self.calls_each
        )?;
        for (kind, count) in &self.failed_by_kind {
            writeln!(formatter, "failed: {kind:<16}{count:>12}")?;
        }
        Ok(())
    }
}
