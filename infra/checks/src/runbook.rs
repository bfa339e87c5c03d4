//! The runbook has an entry for everything that calls a person, and each alert leads to its own.
//!
//! An entry is a heading that is one name: an event of the log, or an alert rule.

use std::collections::BTreeSet;

use functions::events;
use serde_json::Value;

use crate::inputs::{Inputs, list, own_name};
use crate::queries::asked_events;

/// What an alert's description ends with, before the entry's name.
const PLACE: &str = " RUNBOOK.md#";

/// Alerts without an entry, and entries without an alert.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let entries: Vec<&str> = entries(&inputs.runbook).collect();
    let mut problems = Vec::new();
    let mut rules = BTreeSet::new();
    for alert in alerts(inputs) {
        let rule = rule(alert);
        rules.insert(rule);
        let asked = asked(alert);
        for event in asked.iter().filter(|it| !entries.contains(it)) {
            problems.push(format!("{rule}: RUNBOOK.md has no entry for {event}"));
        }
        let description = alert["properties"]["description"].as_str();
        let entry = description.and_then(|it| Some(it.rsplit_once(PLACE)?.1));
        match entry {
            None => problems.push(format!(
                "{rule}: the description names no place in RUNBOOK.md"
            )),
            Some(entry) if !entries.contains(&entry) => {
                problems.push(format!("{rule}: RUNBOOK.md has no entry {entry}"));
            }
            Some(entry) if entry != rule && !asked.contains(entry) => {
                problems.push(format!("{rule}: the entry {entry} is about something else"));
            }
            Some(_) => {}
        }
    }
    let mut seen = BTreeSet::new();
    for entry in entries {
        if !events::names().any(|it| it == entry) && !rules.contains(entry) {
            problems.push(format!("RUNBOOK.md: {entry} is no event and no alert"));
        }
        if !seen.insert(entry) {
            problems.push(format!("RUNBOOK.md: there are two entries {entry}"));
        }
    }
    problems
}

/// The names that have an entry, which are the anchors of its headings.
fn entries(runbook: &str) -> impl Iterator<Item = &str> {
    let headings = runbook.lines().filter_map(|it| it.strip_prefix("### `"));
    headings.filter_map(|it| it.strip_suffix('`'))
}

/// All alert rules of a profile.
fn alerts(inputs: &Inputs) -> impl Iterator<Item = &Value> {
    let logs = inputs.made("Microsoft.Insights/scheduledQueryRules");
    logs.chain(inputs.made("Microsoft.Insights/metricAlerts"))
}

/// A rule's name without what begins the names of an installation: `ar-{token}-`.
fn rule(alert: &Value) -> &str {
    own_name(alert).splitn(3, '-').nth(2).unwrap_or_default()
}

/// The events that an alert asks for.
fn asked(alert: &Value) -> BTreeSet<&str> {
    let criteria = list(&alert["properties"]["criteria"]["allOf"]);
    let queries = criteria.filter_map(|it| it["query"].as_str());
    queries.flat_map(asked_events).collect()
}
