//! The alert rules: each is one that Azure takes, misses no line that comes late, and stands in the list that people read.

use serde_json::Value;

use crate::inputs::{Inputs, PROFILES, difference, list, own_name};
use crate::runbook;

/// Minutes after which a line can be found at the latest, with as much again in hand: Azure Monitor, "Log data ingestion time",
/// tells of two to five.
const DELAY: u64 = 10;

/// Minutes of the windows that Azure has for log alerts ("Scheduled Query Rules" of the REST reference).
const WINDOWS: [u64; 14] = [
    1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880,
];

/// Where they are not so.
pub fn check(inputs: &Inputs) -> Vec<String> {
    [windows, availability, listed]
        .iter()
        .flat_map(|check| check(inputs))
        .collect()
}

fn windows(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    for rule in inputs.made("Microsoft.Insights/scheduledQueryRules") {
        let name = own_name(rule);
        let minutes = |field: &str| minutes(&rule["properties"][field]);
        let (window, frequency) = (minutes("windowSize"), minutes("evaluationFrequency"));
        match (window, frequency) {
            (Some(window), Some(frequency)) if WINDOWS.contains(&window) => {
                if window < frequency + DELAY {
                    problems.push(format!(
                        "{name}: a line that comes {DELAY} minutes late is in no window"
                    ));
                }
            }
            _ => problems.push(format!("{name}: Azure has no such window or frequency")),
        }
    }
    problems
}

/// Minutes of a duration as the templates write it: `PT15M`, `PT1H`, `P2D`.
fn minutes(duration: &Value) -> Option<u64> {
    let duration = duration.as_str()?.strip_prefix('P')?;
    let (number, unit) = match duration.strip_prefix('T') {
        Some(time) => match time.strip_suffix('H') {
            Some(hours) => (hours, 60),
            None => (time.strip_suffix('M')?, 1),
        },
        None => (duration.strip_suffix('D')?, 24 * 60),
    };
    Some(number.parse::<u64>().ok()? * unit)
}

/// Who asks from outside looks for a word that the handler says, and needs more than one place to be heard.
fn availability(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    let mut tests = 0;
    for test in inputs.made("Microsoft.Insights/webtests") {
        tests += 1;
        let test = &test["properties"];
        let content = &test["ValidationRules"]["ContentValidation"];
        let word = content["ContentMatch"].as_str();
        let word = word.and_then(|it| it.strip_prefix(r#""status":""#)?.strip_suffix('"'));
        if !word.is_some_and(|it| inputs.sources.contains(&format!("=> \"{it}\""))) {
            problems.push("the availability test looks for no status of the handler".to_owned());
        }
        let places = list(&test["Locations"]).count() as u64;
        let rules = inputs.made("Microsoft.Insights/metricAlerts");
        let mut counts =
            rules.filter_map(|it| it["properties"]["criteria"]["failedLocationCount"].as_u64());
        let count = counts.next().unwrap_or_default();
        if counts.next().is_some() || !(2..places).contains(&count) {
            problems.push(format!("{count} of {places} places make an alert"));
        }
    }
    if inputs.profile == PROFILES[0] && tests != 1 {
        problems.push(format!("{tests} availability tests"));
    }
    problems
}

/// Production has every rule, so its rules are those that the page lists.
fn listed(inputs: &Inputs) -> Vec<String> {
    let (_, list) = inputs
        .readme
        .split_once("\n## Alerts\n")
        .unwrap_or_default();
    let list = list.split("\n## ").next().unwrap_or_default();
    let rows = list.lines().filter_map(|it| it.strip_prefix("| `"));
    let listed = rows.filter_map(|it| Some(it.split_once('`')?.0));
    if inputs.profile != PROFILES[0] {
        return Vec::new();
    }
    let made = runbook::alerts(inputs).map(runbook::rule);
    difference("the alerts of infra/README.md", made, listed)
}

#[test]
fn durations_are_read() {
    for (duration, expected) in [
        ("PT5M", Some(5)),
        ("PT6H", Some(360)),
        ("P2D", Some(2880)),
        ("PT", None),
        ("5M", None),
        ("P1W", None),
    ] {
        assert_eq!(minutes(&Value::from(duration)), expected, "{duration}");
    }
}
