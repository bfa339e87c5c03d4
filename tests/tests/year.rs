//! Time passes faster: the timers replace every secret again and again while messages flow both ways, and leave nothing behind. With
//! `YEAR_DAYS=365` for a whole year.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use end_to_end::platform::IMPATIENT;
use end_to_end::view::{list, text};
use end_to_end::{Platform, Talk};
use reqwest::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::genesys_secrets::{assert_flows, assert_none_refused};

/// Days that pass in a second. A subscription lives for three.
const DAYS_PER_SECOND: u32 = 2;

/// Time that passes from one look to the next at least.
const BETWEEN_LOOKS: Duration = Duration::hours(8);

const CLIENT: &str = "graph-client-secret";
const GENESYS: &str = "genesys-client-secret";
const STATE: &str = "graph-client-state";

/// What is replaced by the timer: its name, days from one replacement to the next, and how long the one before stays.
const SECRETS: [(&str, i64, Duration); 5] = [
    (CLIENT, 45, Duration::hours(48)),
    (GENESYS, 90, Duration::hours(48)),
    (STATE, 90, Duration::hours(48)),
    ("graph-notification-key", 90, Duration::days(60)),
    ("genesys-webhook-secret", 90, Duration::hours(48)),
];

/// Days by which a replacement may be late: a run of the timer takes some of them.
const LATE: i64 = 15;

/// Runs of the timer that may end before what nobody uses is gone: one was under way, one may find that the subscriptions are
/// still to follow, one does it.
const RUNS: u64 = 3;

/// Events that a renewal is never to log.
const UNWANTED: [&str; 6] = [
    "rotation_overdue",
    "rotation_refused",
    "rotation_not_allowed",
    "secret_not_taken_yet",
    "subscription_not_renewed",
    "timer_failed",
];

/// Days that are watched: until everything was replaced, and the key of the notifications that takes the longest was removed.
fn days() -> i64 {
    let days = std::env::var("YEAR_DAYS").ok();
    days.map_or(160, |days| days.parse().expect("a number of days"))
}

fn time(holder: &Value, member: &str) -> OffsetDateTime {
    let read = OffsetDateTime::parse(text(holder, member), &Rfc3339);
    read.unwrap_or_else(|_| panic!("no time in {holder}"))
}

fn key(version: &Value) -> &str {
    text(&version["tags"], "key-id")
}

/// The versions of a secret, the oldest first.
async fn versions(platform: &Platform, name: &str) -> Vec<Value> {
    let path = format!("/local/key-vault/secrets/{name}/versions");
    list(platform.get(&path).await, "versions")
}

/// A secret of the vault and what stands beside it.
struct Kept {
    all: Vec<Value>,
    previous: Value,
    next: Value,
}

impl Kept {
    async fn of(platform: &Platform, name: &str) -> Self {
        let newest = async |name: String| {
            let newest = versions(platform, &name).await.pop();
            newest
                .filter(|it| it["value"] != "none")
                .unwrap_or_default()
        };
        Self {
            next: newest(format!("{name}-next")).await,
            all: versions(platform, name).await,
            previous: newest(format!("{name}-previous")).await,
        }
    }

    fn current(&self) -> &Value {
        self.all.last().expect("never none")
    }
}

/// What works or is kept besides the current secret and the one that is about to follow it, by a name of it. The current one
/// works.
async fn beyond(platform: &Platform, name: &str, kept: &Kept) -> Vec<String> {
    let (current, next) = (kept.current(), &kept.next);
    let mut beyond = match name {
        CLIENT => {
            let all = list(platform.get("/local/entra/passwords").await, "passwords");
            // That a person made has no key id in the vault.
            let is = |one: &Value, version: &Value| match key(version) {
                "" => one["name"] == "by hand",
                key => one["key"] == key,
            };
            let now = now(platform).await;
            let mut working = all.iter().filter(|it| time(it, "ends") > now);
            assert!(working.any(|it| is(it, current)), "{current} in {all:#?}");
            let others = all
                .iter()
                .filter(|it| !is(it, current) && it["key"] != key(next));
            others.map(|it| text(it, "key").to_owned()).collect()
        }
        GENESYS => {
            let all = list(platform.get("/local/genesys/clients").await, "all");
            let is_taken = |version: &&Value| all.iter().any(|it| it["secret"] == version["value"]);
            assert!(is_taken(&current), "Genesys takes the current one");
            let others = kept.all.iter().filter(|it| it["value"] != current["value"]);
            let others = others
                .filter(is_taken)
                .map(|it| text(it, "created").to_owned());
            others.collect()
        }
        _ => Vec::from_iter(
            kept.previous
                .is_object()
                .then(|| key(&kept.previous).to_owned()),
        ),
    };
    // One that never followed. It is made before the one that it is to follow is replaced, never after it.
    let is_other = next.is_object() && next["value"] != current["value"];
    if is_other && time(next, "created") < time(current, "created") {
        beyond.push(format!("next {}", key(next)));
    }
    beyond
}

/// All kinds of changes are subscribed to with a secret that is accepted, by no more subscriptions than one has in the middle of its replacement.
async fn assert_subscribed(platform: &Platform) {
    let all = subscriptions(platform).await;
    assert!((1..=3).contains(&all.len()), "{all:#?}");
    let kinds = all.iter().flat_map(|it| text(it, "change_type").split(','));
    let kinds = BTreeSet::from_iter(kinds);
    assert_eq!(kinds, BTreeSet::from(["created", "deleted", "updated"]));
    let Kept {
        all: states,
        previous,
        next,
    } = Kept::of(platform, STATE).await;
    let accepted = [states.last().expect("never none"), &previous, &next];
    for one in &all {
        let state = text(one, "client_state");
        let state = state.split_once('.').map(|(_, secret)| secret);
        assert!(accepted.iter().any(|it| it["value"].as_str() == state));
    }
}

/// The subscriptions. Three days are a second and a half here, in which a busy machine may not come to the timer: it is asked then
/// whether its next runs subscribe.
async fn subscriptions(platform: &Platform) -> Vec<Value> {
    let begun = calls(platform, "subscription-renewal").await;
    loop {
        let runs = calls(platform, "subscription-renewal").await - begun;
        let shown = platform.get("/local/graph/subscriptions").await;
        let all = list(shown, "subscriptions");
        if !all.is_empty() || runs >= RUNS {
            return all;
        }
        platform
            .until("a further run", async || {
                let further = calls(platform, "subscription-renewal").await - begun;
                (further > runs).then_some(())
            })
            .await;
    }
}

async fn now(platform: &Platform) -> OffsetDateTime {
    time(&platform.get("/local/timers").await, "now")
}

/// Lines of the log that tell of a renewal that did not go as it should.
async fn unwanted(platform: &Platform) -> Vec<Value> {
    let mut lines = platform.logs().await;
    lines.retain(|line| UNWANTED.contains(&text(line, "event")));
    lines
}

/// The calls of a timer that have ended.
async fn calls(platform: &Platform, function: &str) -> u64 {
    let timers = list(platform.get("/local/timers").await, "timers");
    let timer = timers.iter().find(|it| it["function"] == function);
    let timer = timer.expect("a timer");
    if timer["failures"] != 0 {
        panic!("{timer}: {:#?}", unwanted(platform).await);
    }
    timer["calls"].as_u64().expect("a number")
}

/// What is seen from one look to the next.
struct Watch {
    last: OffsetDateTime,
    looks: usize,
    /// What should be gone, and after how many runs it was first seen.
    left: BTreeMap<(&'static str, String), u64>,
}

impl Watch {
    /// Looks at everything unless it did so a moment ago; returns the time.
    async fn look(&mut self, platform: &Platform) -> OffsetDateTime {
        let begun = now(platform).await;
        if begun < self.last + BETWEEN_LOOKS {
            return begun;
        }
        self.last = begun;
        self.looks += 1;
        assert_subscribed(platform).await;
        let mut left = BTreeMap::new();
        for (name, _, stays) in SECRETS {
            let runs = calls(platform, "secret-rotation").await;
            let kept = Kept::of(platform, name).await;
            let beyond = beyond(platform, name, &kept).await;
            assert!(
                beyond.len() <= 1,
                "{name}: {beyond:?} besides the current one"
            );
            let is_over = begun > time(kept.current(), "created") + stays;
            for one in beyond.into_iter().filter(|_| is_over) {
                let one = (name, one);
                let since = *self.left.get(&one).unwrap_or(&runs);
                assert!(runs - since <= RUNS, "{one:?} is left behind");
                left.insert(one, since);
            }
        }
        self.left = left;
        begun
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn months_of_replacements_leave_nothing_behind() {
    let speed = format!("--speed={}", 86_400 * DAYS_PER_SECOND);
    let further = [
        "--genesys-rate-limit=100000",
        "--set=GRAPH_CLIENT_AUTHENTICATION=secret",
        &speed,
    ];
    let platform = Platform::start(&[IMPATIENT, &further].concat()).await;
    let begun = now(&platform).await;
    let allowed = json!({ "let_bridge_rotate": true });
    platform
        .call(Method::PUT, "/local/genesys/clients", Some(&allowed))
        .await;
    let talk = Talk::begun(&platform, "Anna").await;

    let days = days();
    let is_over = Cell::new(false);
    let traffic = async {
        let mut rounds = 0;
        while !is_over.get() {
            assert_flows(&talk).await;
            rounds += 1;
        }
        rounds
    };
    let watch = async {
        let mut watch = Watch {
            last: begun,
            looks: 0,
            left: BTreeMap::new(),
        };
        let mut passed = 0;
        while passed < days {
            let until = (passed + 30).min(days);
            platform
                .until("another month", async || {
                    passed = (watch.look(&platform).await - begun).whole_days();
                    (passed >= until).then_some(())
                })
                .await;
        }
        is_over.set(true);
        (watch.looks, passed)
    };
    let (rounds, (looks, passed)) = tokio::join!(traffic, watch);

    for (name, every, _) in SECRETS {
        let replaced = versions(&platform, name).await.len() - 1;
        eprintln!("{name}: replaced {replaced} times");
        let least = passed / (every + LATE);
        assert!(
            replaced as i64 >= least,
            "{name}: only {replaced} times in {passed} days"
        );
    }
    for timer in ["secret-rotation", "subscription-renewal"] {
        eprintln!("{timer}: {} runs", calls(&platform, timer).await);
    }
    eprintln!("{passed} days, {rounds} messages each way, looked {looks} times");
    assert_eq!(unwanted(&platform).await, [Value::Null; 0]);
    assert_none_refused(&platform).await;
}
