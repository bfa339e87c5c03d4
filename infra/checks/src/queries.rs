//! The queries of alerts, workbook and runbook ask for events and fields that the program logs.

use functions::events;
use serde_json::{Value, json};

use crate::inputs::{Inputs, list, own_name, words};

/// Fields that a line has of the invocation that it belongs to, whatever its event is.
const OF_THE_INVOCATION: [&str; 4] = ["event", "function", "invocation", "correlation"];

/// A query to a table of logs.
pub struct Query {
    /// What asks it.
    pub name: String,
    /// Whether it is asked of the Application Insights component or of the workspace, which name tables differently.
    pub world: &'static str,
    /// The query itself, the workbook's parameters filled in.
    pub text: String,
    /// Whether nobody looks at what it finds unless it finds something.
    is_alert: bool,
}

impl Query {
    fn new(name: &str, asked: &Value, text: &str) -> Self {
        let asked = asked.as_str().unwrap_or_default().to_lowercase();
        let world = match asked.contains("microsoft.insights/components") {
            true => "component",
            false => "workspace",
        };
        let text = text
            .replace("{TimeRange:grain}", "1h")
            .replace("{Correlation}", "");
        Self {
            name: name.to_owned(),
            world,
            text,
            is_alert: false,
        }
    }

    /// As the script takes it.
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "world": self.world, "text": self.text })
    }
}

/// The queries of a profile.
pub fn all(inputs: &Inputs) -> Vec<Query> {
    let mut queries = Vec::new();
    for alert in inputs.made("Microsoft.Insights/scheduledQueryRules") {
        let properties = &alert["properties"];
        for criterion in list(&properties["criteria"]["allOf"]) {
            let text = criterion["query"].as_str().unwrap_or_default();
            let query = Query::new(own_name(alert), &properties["scopes"][0], text);
            queries.push(Query {
                is_alert: true,
                ..query
            });
        }
    }
    for workbook in inputs.made("Microsoft.Insights/workbooks") {
        let text = workbook["properties"]["serializedData"].as_str();
        let content = serde_json::from_str(text.unwrap_or_default());
        let content: Value = content.expect("the workbook's JSON");
        for item in list(&content["items"]) {
            // Metrics and parameters have languages of their own.
            if let Some(text) = item["content"]["query"].as_str() {
                let name = item["name"].as_str().unwrap_or_default();
                queries.push(Query::new(name, &item["content"]["resourceType"], text));
            }
        }
    }
    let runbook = inputs.runbook.split("```kusto\n").skip(1);
    for text in runbook.filter_map(|it| it.split("```").next()) {
        let asked = json!("microsoft.insights/components");
        queries.push(Query::new("RUNBOOK.md", &asked, text));
    }
    queries
}

/// Events and fields that no line of the log has.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    let queries = all(inputs);
    for query in &queries {
        for event in asked_events(&query.text) {
            if !events::names().any(|name| name == event) {
                problems.push(format!("{}: the program logs no event {event}", query.name));
            }
        }
        for field in asked_fields(&query.text) {
            if !inputs.words.contains(field) {
                problems.push(format!("{}: the program logs no field {field}", query.name));
            }
        }
        // A condition on a field that no line of these events has would never hold.
        let asked = asked_events(&query.text).into_iter();
        let told: Vec<&str> = asked.filter_map(events::meaning).flat_map(words).collect();
        let of_events = asked_fields(&query.text).into_iter();
        let of_events = of_events.filter(|it| query.is_alert && !OF_THE_INVOCATION.contains(it));
        for field in of_events.filter(|it| !told.contains(it)) {
            problems.push(format!(
                "{}: EVENTS.md gives none of its events a field {field}",
                query.name
            ));
        }
    }
    if queries.iter().flat_map(|it| asked_events(&it.text)).count() < 20 {
        problems.push("the queries ask for hardly any event: are they read rightly?".to_owned());
    }
    problems
}

/// The names that `event` is compared with: `event == "…"`, `event != "…"`, `event in ("…", "…")`.
pub fn asked_events(query: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (index, word) in query.match_indices("event ") {
        let before = query[..index].chars().next_back();
        if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == '.') {
            continue;
        }
        let rest = &query[index + word.len()..];
        let compared = match rest.strip_prefix("in (") {
            Some(list) => list.split(')').next(),
            None => rest
                .strip_prefix("== ")
                .or_else(|| rest.strip_prefix("!= "))
                .and_then(|it| it.split_inclusive('"').nth(1)),
        };
        let pieces = compared.unwrap_or_default().split('"');
        names.extend(pieces.filter(|it| !it.trim_matches([',', ' ']).is_empty()));
    }
    names
}

/// The fields of the line: `entry.…` and `entry["…"]`.
fn asked_fields(query: &str) -> Vec<&str> {
    let members = query.split("entry.").skip(1);
    members
        .chain(query.split("entry[\"").skip(1))
        .filter_map(|rest| words(rest).next())
        .collect()
}

#[test]
fn events_and_fields_are_found_in_a_query() {
    let query = r#"where event in ("a_b", "c") or my_event == "x" | extend event = tostring(entry.event) | where event != "d" and tolong(entry["age_s"]) > countif(event == "e")"#;
    assert_eq!(asked_events(query), ["a_b", "c", "d", "e"]);
    assert_eq!(asked_fields(query), ["event", "age_s"]);
}
