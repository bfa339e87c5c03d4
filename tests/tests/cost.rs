//! What a message costs outside: calls to the services around the handler, and bytes in the log.
//!
//! The counts are kept in `per-message.json`, from which the page about costs is computed; they may not grow unnoticed, and one that
//! got smaller must be written down (`UPDATE=1` does both).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use end_to_end::files::{generated, image, png};
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// Messages of each kind, one after the other.
const MESSAGES: usize = 8;

/// Functions that work for a message.
const FUNCTIONS: &[&str] = &[
    "inbound-graph",
    "deliver-to-genesys",
    "outbound-genesys",
    "deliver-to-teams",
];

/// Functions that run each minute.
const TIMERS: &[&str] = &["catch-up", "subscription-renewal", "spool-forwarding"];

/// Kinds of calls, and services, that are asked once in a while or for several messages together.
const IN_THE_BACKGROUND: [&str; 7] = [
    "book",
    "read bookings",
    "read pause",
    "token",
    "keys",
    "key-vault",
    "identity",
];

/// Lines of the log may be so much shorter than they were before it is worth a note: ids and times have not always as many digits.
const LINE_TOLERANCE: i64 = 12;

/// Counts what comes of the messages of one kind.
struct Counter<'a> {
    talk: &'a Talk<'a>,
    lines_before: usize,
}

impl<'a> Counter<'a> {
    async fn begin(talk: &'a Talk<'a>) -> Self {
        let platform = talk.platform;
        platform.until_idle().await;
        platform
            .call(reqwest::Method::DELETE, "/local/calls", None)
            .await;
        Self {
            talk,
            lines_before: lines(platform).await.len(),
        }
    }

    /// Calls for each message, or each run of the timers, by service and kind, and what these functions logged, by function and event.
    async fn end(self, functions: &[&str]) -> Value {
        let platform = self.talk.platform;
        platform.until_idle().await;
        let counted = platform.get("/local/calls").await;
        let mut calls = BTreeMap::new();
        for (service, kinds) in counted["calls"].as_object().expect("services") {
            for (kind, count) in kinds.as_object().expect("kinds") {
                // Containers and lists are looked at by the clock.
                let is_background = IN_THE_BACKGROUND.contains(&kind.as_str())
                    || IN_THE_BACKGROUND.contains(&service.as_str())
                    || (kind == "other" && functions == FUNCTIONS);
                // What a timer did meanwhile is far less than one call for each.
                let count = count.as_f64().expect("a count") / MESSAGES as f64;
                if !is_background && count.round() > 0.0 {
                    calls.insert(format!("{service} {kind}"), count.round());
                }
            }
        }
        let mut told = BTreeMap::<_, Vec<usize>>::new();
        for line in lines(platform).await.split_off(self.lines_before) {
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            let function = view::text(&entry, "function");
            if functions.contains(&function) {
                let key = format!("{function} {}", view::text(&entry, "event"));
                told.entry(key).or_default().push(line.len());
            }
        }
        let lines = told.into_iter().map(|(key, lengths)| {
            let each = lengths.iter().sum::<usize>().div_ceil(lengths.len());
            let often = lengths.len() as f64 / MESSAGES as f64;
            (key, json!({ "for_each": often.round(), "bytes": each }))
        });
        json!({ "calls": calls, "lines": BTreeMap::from_iter(lines) })
    }
}

/// What the handlers printed so far.
async fn lines(platform: &Platform) -> Vec<String> {
    let all = view::list(platform.get("/local/logs").await, "lines");
    all.iter()
        .filter(|line| line["stream"] == "stdout")
        .map(|line| view::text(line, "line").to_owned())
        .collect()
}

/// The agent writes these, one after the other, each until its receipt is there.
async fn answers(talk: &Talk<'_>, message: impl Fn() -> Value) {
    for _ in 0..MESSAGES {
        let sent = talk.agent_sends(message()).await;
        assert_eq!(talk.platform.until_receipt(&sent).await, ["Delivered"]);
    }
}

/// The customer writes these, one after the other, each until the agent has all of it.
async fn writes(talk: &Talk<'_>, html: &str, more: Value, parts: usize) {
    for _ in 0..MESSAGES {
        let before = talk.inbound().await.len();
        talk.writes_with(html, more.clone()).await;
        talk.until_inbound(before + parts).await;
    }
}

async fn measure() -> Value {
    // Many calls a minute, so that none waits for its turn; the log as it is by default.
    let platform = Platform::start(&[
        "--set=GENESYS_CALLS_PER_MINUTE=6000",
        "--genesys-rate-limit=6000",
    ])
    .await;
    let anna = Talk::begun(&platform, "Anna").await;
    let text = || json!({ "text": "In your profile, at the very top." });
    let file = || json!({ "attachment": generated("form.bin", 65_536) });
    let picture = json!({ "images": [image(&png(65_536))] });
    let question = "<p>How can I change my address?</p>";
    // Everybody is known afterwards.
    writes(&anna, question, picture.clone(), 2).await;
    answers(&anna, file).await;

    let mut kinds = BTreeMap::new();
    let counter = Counter::begin(&anna).await;
    writes(&anna, question, json!({}), 1).await;
    kinds.insert("text in", counter.end(FUNCTIONS).await);
    let counter = Counter::begin(&anna).await;
    writes(&anna, question, picture, 2).await;
    kinds.insert("text and file in", counter.end(FUNCTIONS).await);

    // Graph keeps the echoes to itself until the messages are counted, and repeats them then.
    let quiet = json!([{ "service": "graph-notification", "drop": "before" }]);
    platform.faults(quiet.clone()).await;
    let counter = Counter::begin(&anna).await;
    answers(&anna, text).await;
    kinds.insert("text out", counter.end(FUNCTIONS).await);
    // On Flex another instance takes the echo than the one that posted, and remembers nothing of it.
    platform.kill_handler().await;
    platform
        .until("the handler", async || {
            let health = platform.send("/api/health", "").await;
            (health.0 != 502).then_some(())
        })
        .await;
    let counter = Counter::begin(&anna).await;
    platform.faults(json!([])).await;
    platform
        .until("the echoes", async || {
            let calls = platform.get("/local/calls").await;
            let sent = calls["calls"]["service-bus"]["send inbound"].as_u64();
            (sent >= Some(MESSAGES as u64)).then_some(())
        })
        .await;
    kinds.insert("our own echo", counter.end(FUNCTIONS).await);
    platform.faults(quiet).await;
    let counter = Counter::begin(&anna).await;
    answers(&anna, file).await;
    kinds.insert("file out", counter.end(FUNCTIONS).await);
    let counter = Counter::begin(&anna).await;
    for _ in 0..MESSAGES {
        for timer in TIMERS {
            let path = format!("/local/timers/{timer}");
            platform.post(&path, json!({})).await;
        }
    }
    kinds.insert("each minute", counter.end(TIMERS).await);
    json!(kinds)
}

/// What differs between two measurements, as lines.
fn differences(before: &Value, now: &Value) -> Vec<String> {
    let kinds = |of: &Value| -> BTreeSet<String> {
        let kinds = of.as_object().into_iter().flatten();
        kinds.map(|(kind, _)| kind.clone()).collect()
    };
    let mut differences = Vec::new();
    for kind in kinds(before).union(&kinds(now)) {
        let (before, now) = (&before[kind], &now[kind]);
        for call in kinds(&before["calls"]).union(&kinds(&now["calls"])) {
            let (before, now) = (&before["calls"][call], &now["calls"][call]);
            if before != now {
                differences.push(format!("{kind}: {call} {before} before, {now} now"));
            }
        }
        for line in kinds(&before["lines"]).union(&kinds(&now["lines"])) {
            let (before, now) = (&before["lines"][line], &now["lines"][line]);
            let bytes = |of: &Value| of["bytes"].as_i64().unwrap_or_default();
            let moved = (bytes(now) - bytes(before)).abs() > LINE_TOLERANCE;
            if before["for_each"] != now["for_each"] || moved {
                differences.push(format!("{kind}: line {line} {before} before, {now} now"));
            }
        }
    }
    differences
}

#[tokio::test]
async fn a_message_costs_what_it_did() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("per-message.json");
    let now = measure().await;
    if std::env::var_os("UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&now).expect("JSON");
        std::fs::write(&file, text + "\n").expect("the file can be written");
    }
    let before = std::fs::read_to_string(&file).expect("per-message.json");
    let before: Value = serde_json::from_str(&before).expect("JSON");
    let differences = differences(&before, &now);
    assert!(
        differences.is_empty(),
        "UPDATE=1 writes down what is now:\n{}",
        differences.join("\n")
    );
}
