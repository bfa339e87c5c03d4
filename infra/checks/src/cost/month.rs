//! The sums of a month, and what is assumed for them.

use serde_json::Value;

use super::prices as price;
use super::{Counts, bookings};
use crate::inputs::{Inputs, list};

/// Hours and seconds of a month.
pub const HOURS: f64 = 730.0;
const SECONDS: f64 = HOURS * 3_600.0;
const MINUTES: f64 = HOURS * 60.0;

/// Part of the messages that carry a file, its size in GB, and the days for which it is stored, soft delete included.
const WITH_FILE: f64 = 0.1;
const FILE_GB: f64 = 0.000_5;
const FILE_DAYS: f64 = 14.0;

/// Calls of the host for each queue message beside its sending: a session is accepted, the message is received, the session is waited for
/// in vain, the message is completed.
const BUS_OPERATIONS: f64 = 4.0;

/// Session requests a minute of an instance with nothing to do: 64, each for a minute.
const SESSION_REQUESTS: f64 = 64.0;

/// HTTP executions of an agent's message beside its own webhook: that of its echo, and typing.
const FURTHER_WEBHOOKS: f64 = 2.0;

/// Seconds that one execution on demand keeps an instance to itself, where they seldom meet: the least that is billed is one.
const EXECUTION_SECONDS: f64 = 1.5;

/// Instances of queue functions that are busy around the clock once they meet all the time, at least and at most. Busy instances are
/// those that a load keeps at work together: see `fewest`.
const BUSY: Range = Range {
    low: 3.0,
    high: 6.0,
};

/// Timer functions that run each minute, for a second each.
const TIMERS: f64 = 3.0;

/// Support Users that ten million messages need, and instances that share the limits of Genesys.
const SUPPORT_USERS: f64 = 10.0;
const SHARING: usize = 3;

/// Calls that a month's load may make a minute at Genesys, which has raised its limit by then.
const GENESYS_A_MINUTE: u32 = 3_000;

/// Starts of instances a month for each that is busy, secrets that each reads, and the host's own calls to storage each minute: the
/// leases and status blobs of its timers.
const STARTS: f64 = 300.0;
const SECRETS: f64 = 10.0;
const HOST_WRITES_A_MINUTE: f64 = 8.0;

/// Bytes that the log of the storage account has for a file that is deleted.
const DELETION_BYTES: f64 = 1_300.0;

/// Between what and what an amount is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// As certain as all else.
    const fn of(amount: f64) -> Self {
        Self {
            low: amount,
            high: amount,
        }
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            low: change(self.low),
            high: change(self.high),
        }
    }
}

/// What a month costs.
pub struct Month {
    /// What is billed, and how much.
    pub rows: Vec<(&'static str, Range)>,
    /// Bytes of the log for each message, those of files left out.
    pub log_of_a_message: f64,
    /// What it was computed from, for the list of assumptions.
    facts: Facts,
}

/// Figures for one message.
#[derive(Clone, Copy)]
struct Facts {
    queue_messages: f64,
    webhooks: f64,
    reads: f64,
    writes: f64,
    booked_at_genesys: f64,
    booked_at_graph: f64,
    log_gb: f64,
}

/// Half of the messages go each way, and some carry a file.
fn mean(of: impl Fn(&str) -> f64) -> f64 {
    let one_way = |text: &str, file: &str| (1.0 - WITH_FILE) * of(text) + WITH_FILE * of(file);
    let inbound = one_way("text in", "text and file in");
    let outbound = one_way("text out", "file out") + of("our own echo");
    f64::midpoint(inbound, outbound)
}

impl Month {
    /// So many messages, on instances with so many MB.
    pub fn of(counts: &Counts, inputs: &Inputs, messages: f64, memory: f64) -> Self {
        let gb = memory / 1_024.0;
        let queue_messages = mean(|kind| counts.calls(kind, "service-bus send"));
        let webhooks = 1.0 + FURTHER_WEBHOOKS / 2.0;
        let executions = messages * queue_messages;
        // What meets runs on one instance at the same time.
        let apart = executions * EXECUTION_SECONDS;
        let busy = BUSY.map(|most| (apart / SECONDS).min(most));
        let timers = TIMERS * MINUTES;
        let on_demand = busy.map(|busy| {
            let seconds = busy * SECONDS + timers;
            (seconds * gb - price::FREE_GB_SECONDS).max(0.0) * price::ON_DEMAND_GB_SECOND
        });
        let ready_busy = (messages * webhooks).min(SECONDS);
        let ready = gb
            * ((SECONDS - ready_busy) * price::READY_GB_SECOND
                + ready_busy * price::READY_BUSY_GB_SECOND);
        let counted = (executions + timers - price::FREE_EXECUTIONS).max(0.0);
        let executed = (counted + messages * webhooks) * price::EXECUTION;

        let bus = busy.map(|busy| {
            let operations = messages * queue_messages * (1.0 + BUS_OPERATIONS)
                + busy * MINUTES * SESSION_REQUESTS;
            HOURS * price::BUS_HOUR + bus_operations(operations)
        });

        let a_second = messages / SECONDS;
        let genesys = bridge::pace::limits::genesys(GENESYS_A_MINUTE);
        // A message in, or the receipt of one out.
        let booked_at_genesys = bookings::written_for_each_call(&genesys, SHARING, a_second);
        let posts = a_second / 2.0 / SUPPORT_USERS;
        let graph = bridge::pace::limits::GRAPH_POSTS;
        let booked_at_graph = bookings::written_for_each_call(&graph, 1, posts) / 2.0;
        let reads = mean(|kind| counts.calls(kind, "blob read"));
        let writes = mean(|kind| counts.calls(kind, "blob write"));
        let tick = "each minute";
        let of_ticks = counts.calls(tick, "blob write") + counts.calls(tick, "blob other");
        let all_writes = messages * (writes + booked_at_genesys + booked_at_graph)
            + MINUTES * (of_ticks + HOST_WRITES_A_MINUTE);
        let all_reads = messages * reads + MINUTES * counts.calls(tick, "blob read");
        let operations = all_writes * price::BLOB_WRITE + all_reads * price::BLOB_READ;

        let files_gb = messages * WITH_FILE * FILE_GB;
        let stored = files_gb * FILE_DAYS / (HOURS / 24.0) * price::BLOB_GB;
        let left = (files_gb - price::FREE_TRAFFIC_GB).max(0.0) * price::TRAFFIC_GB;

        let log_of_a_message = mean(|kind| counts.log(kind));
        let log_gb = (messages * (log_of_a_message + WITH_FILE * DELETION_BYTES)
            + MINUTES * counts.log(tick))
            / 1e9;
        let logs = (log_gb - price::FREE_LOG_GB).max(0.0) * price::LOG_GB;
        let secrets = busy.map(|busy| busy.max(0.1) * STARTS * SECRETS * price::SECRET_READ);

        Self {
            rows: vec![
                ("one HTTP instance always ready", Range::of(ready)),
                ("executions", Range::of(executed)),
                ("execution time", on_demand),
                ("Service Bus Standard", bus),
                ("Blob Storage: operations", Range::of(operations)),
                (
                    "Blob Storage: files, outbound traffic",
                    Range::of(stored + left),
                ),
                ("Log Analytics", Range::of(logs)),
                ("Key Vault", secrets),
                ("alerts", Range::of(alerts(inputs))),
            ],
            log_of_a_message,
            facts: Facts {
                queue_messages,
                webhooks,
                reads,
                writes,
                booked_at_genesys,
                booked_at_graph,
                log_gb,
            },
        }
    }

    /// All of it.
    pub fn sum(&self) -> Range {
        let all = |of: fn(&Range) -> f64| self.rows.iter().map(|(_, it)| of(it)).sum();
        Range {
            low: all(|it| it.low),
            high: all(|it| it.high),
        }
    }

    /// A row's amount.
    pub fn row(&self, name: &str) -> Range {
        let row = self.rows.iter().find(|(what, _)| *what == name);
        row.unwrap_or_else(|| panic!("no row {name}")).1
    }
}

/// What Service Bus Standard takes for so many operations beside its base.
pub fn bus_operations(operations: f64) -> f64 {
    let first = (operations.min(price::BUS_STEP) - price::BUS_INCLUDED).max(0.0);
    let beyond = (operations - price::BUS_STEP).max(0.0);
    first * price::BUS_OPERATION + beyond * price::BUS_OPERATION_BEYOND
}

/// What the alert rules and the availability test cost that the template makes.
fn alerts(inputs: &Inputs) -> f64 {
    let mut sum = 0.0;
    for rule in inputs.made("Microsoft.Insights/scheduledQueryRules") {
        let often = rule["properties"]["evaluationFrequency"].as_str();
        let known = price::LOG_ALERT.iter().find(|(it, _)| Some(*it) == often);
        // Seldom is no cheaper than every 15 minutes.
        sum += known.map_or(price::LOG_ALERT[2].1, |(_, price)| *price);
    }
    for rule in inputs.made("Microsoft.Insights/metricAlerts") {
        for criterion in list(&rule["properties"]["criteria"]["allOf"]) {
            let dimensions = list(&criterion["dimensions"]);
            let series: usize = dimensions.map(|it| list(&it["values"]).count()).product();
            sum += series.max(1) as f64 * price::METRIC_SERIES;
        }
    }
    for test in inputs.made("Microsoft.Insights/webtests") {
        let properties = &test["properties"];
        let every = properties["Frequency"].as_f64().unwrap_or(300.0);
        let places = list(&properties["Locations"]).count() as f64;
        sum += places * HOURS * 3_600.0 / every * price::WEB_TEST;
    }
    sum
}

/// The assumptions as a list of Markdown, with the figures for ten million messages.
pub fn assumptions(months: &[Month]) -> String {
    let Facts {
        queue_messages,
        webhooks,
        reads,
        writes,
        booked_at_genesys,
        booked_at_graph,
        log_gb,
    } = months.last().expect("a month").facts;
    let (low, high) = (BUSY.low, BUSY.high);
    let per_message = months.last().expect("a month").log_of_a_message;
    [
        format!(
            "One message in {:.0} carries a file of {} MB, stored for {FILE_DAYS} days (a week, and a week of soft delete), and sent to the far side once.",
            1.0 / WITH_FILE,
            FILE_GB * 1_000.0
        ),
        format!(
            "{queue_messages} executions on demand a message (a delivery; for an agent's message its receipt and its echo as well) and {webhooks} on the instance that is always ready (its webhook; for an agent's message the echo's, and one for typing). The first keep an instance for {EXECUTION_SECONDS} seconds, the others for 1, which is the least that is billed."
        ),
        format!(
            "Executions on one instance at the same time share its memory. Up to 100,000 messages a month they seldom meet. At 10 million, {low} to {high} instances are busy around the clock. **This is the least certain number.**"
        ),
        format!(
            "Of Service Bus, {} operations for each of the {queue_messages} queue messages: it is sent, its session is accepted, it is received and completed, and once the session is waited for in vain; and {SESSION_REQUESTS} session requests a minute for each instance that is busy.",
            1.0 + BUS_OPERATIONS
        ),
        format!(
            "{writes:.1} writes and {reads:.1} reads of blobs a message, as counted, and at 10 million {:.2} writes for the limits that instances share ({booked_at_genesys:.2} for Genesys, computed by the rule by which calls are booked ahead, where {SHARING} instances share them; {booked_at_graph:.2} for {SUPPORT_USERS} Support Users). Whatever the load, the timers and the host write each minute, most of what is left at 1,000 messages.",
            booked_at_genesys + booked_at_graph
        ),
        format!(
            "{per_message:.0} bytes of log a message: the handler's lines, as counted, each twice over and with the columns of a trace (`infra/checks/src/cost/log.rs` says which); of the host only failures. With the timers, and {DELETION_BYTES} bytes for each file that is deleted, {log_gb:.0} GB at 10 million."
        ),
        format!(
            "{STARTS} starts a month of each busy instance, at which {SECRETS} secrets are read."
        ),
    ]
    .map(|line| format!("- {line}\n"))
    .concat()
}

#[test]
fn operations_cost_nothing_up_to_what_is_included_and_less_beyond() {
    for (millions, dollars) in [
        (0.0, 0.0),
        (13.0, 0.0),
        (14.0, 0.8),
        (100.0, 69.6),
        (110.0, 74.6),
    ] {
        let found = bus_operations(millions * 1e6);
        assert!((found - dollars).abs() < 1e-6, "{millions}: {found}");
    }
}

#[test]
fn each_rule_of_an_alert_costs_by_how_often_it_runs() {
    let mut inputs = Inputs::read("main");
    let before = alerts(&inputs);
    let rules = inputs.snapshot["predictedResources"].as_array_mut();
    let rules = rules.expect("resources").iter_mut();
    let mut rules = rules.filter(|it| {
        it["type"] == "Microsoft.Insights/scheduledQueryRules"
            && it["properties"]["evaluationFrequency"] == "PT15M"
    });
    let rule = rules.next().expect("a rule that runs every 15 minutes");
    rule["properties"]["evaluationFrequency"] = Value::from("PT5M");
    assert!((alerts(&inputs) - before - 1.0).abs() < 1e-9);
}
