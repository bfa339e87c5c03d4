//! The runbook has an entry for everything that calls a person, and each alert leads to its own.
//!
//! An entry is a heading that is one name: an event of the log, or an alert rule. Each says what it means and what to do.

use std::collections::{BTreeMap, BTreeSet};

use functions::events;
use serde_json::Value;

use crate::inputs::{Inputs, PROFILES, list, own_name};
use crate::queries::asked_events;

/// What an alert's description ends with, before the entry's name.
const PLACE: &str = " RUNBOOK.md#";

/// Alerts without an entry, and entries without an alert.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    let mut entries = BTreeMap::new();
    for (name, text) in read(&inputs.runbook) {
        if entries.insert(name, text).is_some() {
            problems.push(format!("RUNBOOK.md: there are two entries {name}"));
        }
    }
    let mut rules = BTreeSet::new();
    for alert in alerts(inputs) {
        let rule = rule(alert);
        rules.insert(rule);
        let asked = asked(alert);
        let description = alert["properties"]["description"].as_str();
        let place = description.and_then(|it| Some(it.rsplit_once(PLACE)?.1));
        let text = place.and_then(|it| entries.get(it));
        match place {
            None => problems.push(format!(
                "{rule}: the description names no place in RUNBOOK.md"
            )),
            Some(place) if text.is_none() => {
                problems.push(format!("{rule}: RUNBOOK.md has no entry {place}"));
            }
            Some(place) if place != rule && !asked.contains(place) => {
                problems.push(format!("{rule}: the entry {place} is about something else"));
            }
            Some(_) => {}
        }
        // What is only counted beside others has its word in the rule's own entry.
        let is_said = |event: &str| text.is_some_and(|it| it.contains(&format!("`{event}`")));
        let missing = asked.iter().filter(|it| !entries.contains_key(*it));
        for event in missing.filter(|it| !is_said(it)) {
            problems.push(format!("{rule}: RUNBOOK.md has no entry for {event}"));
        }
        for say in ["**Means**", "**Do**"] {
            if text.is_some_and(|it| !it.contains(say)) {
                problems.push(format!("{rule}: its entry in RUNBOOK.md lacks {say}"));
            }
        }
    }
    // Other profiles lack some rules.
    let entries = entries.keys().filter(|_| inputs.profile == PROFILES[0]);
    for entry in entries {
        if !events::names().any(|it| it == *entry) && !rules.contains(entry) {
            problems.push(format!("RUNBOOK.md: {entry} is no event and no alert"));
        }
    }
    problems
}

/// The names that have an entry, which are the anchors of its headings, each with what follows it.
fn read(runbook: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = runbook.split("\n### `").skip(1);
    entries.filter_map(|it| {
        let (name, text) = it.split_once("`\n")?;
        Some((name, text.split("\n## ").next().unwrap_or_default()))
    })
}

/// All alert rules of a profile.
pub fn alerts(inputs: &Inputs) -> impl Iterator<Item = &Value> {
    let logs = inputs.made("Microsoft.Insights/scheduledQueryRules");
    logs.chain(inputs.made("Microsoft.Insights/metricAlerts"))
}

/// A rule's name without what begins the names of an installation: `ar-{token}-`.
pub fn rule(alert: &Value) -> &str {
    own_name(alert).splitn(3, '-').nth(2).unwrap_or_default()
}

/// The events that an alert asks for.
fn asked(alert: &Value) -> BTreeSet<&str> {
    let criteria = list(&alert["properties"]["criteria"]["allOf"]);
    let queries = criteria.filter_map(|it| it["query"].as_str());
    queries.flat_map(asked_events).collect()
}
