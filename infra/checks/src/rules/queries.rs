//! The queries of alerts and workbooks ask only for tables, events, fields and values that there are.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::View;
use crate::Problem;
use crate::bicep::Value;
use crate::kusto::Query;
use crate::log_lines::LogLines;

/// Tables of Application Insights as the component shows them, with the column of the line's text and that of the time.
const OF_THE_COMPONENT: &[&str] = &[
    "availabilityResults",
    "customEvents",
    "customMetrics",
    "dependencies",
    "exceptions",
    "performanceCounters",
    "requests",
    "traces",
];

/// The same tables and others as the workspace shows them.
const OF_THE_WORKSPACE: &[&str] = &[
    "AppDependencies",
    "AppExceptions",
    "AppMetrics",
    "AppPerformanceCounters",
    "AppRequests",
    "AppTraces",
    "AZKVAuditLogs",
    "AZMSOperationalLogs",
    "AZMSDiagnosticErrorLogs",
    "AzureActivity",
    "AzureDiagnostics",
    "AzureMetrics",
    "FunctionAppLogs",
    "Operation",
    "StorageBlobLogs",
    "Usage",
    "_LogOperation",
];

/// Columns that exist only in one of the two worlds; the language distinguishes small and capital letters.
const ONLY_COMPONENT: &[&str] = &[
    "message",
    "timestamp",
    "customDimensions",
    "operation_Name",
    "cloud_RoleName",
];
const ONLY_WORKSPACE: &[&str] = &["Message", "TimeGenerated", "Properties", "OperationName"];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let context = Context {
        lines: LogLines::read(view.tree),
        literals: literals(view),
    };
    let mut problems = Vec::new();
    for alert in view.made("Microsoft.Insights/scheduledQueryRules") {
        let criteria = alert
            .at("properties.criteria.allOf")
            .map_or(&[][..], Value::items);
        for criterion in criteria {
            let text = match criterion.at("query") {
                Some(Value::Text(text)) => text.clone(),
                Some(Value::Unknown(text)) => without_interpolations(text),
                _ => continue,
            };
            context.query(&alert.file, alert.line, &alert.name(), &text, &mut problems);
        }
    }
    for (file, text) in view.tree.below("infra/workbooks", "json") {
        if let Ok(json) = serde_json::from_str::<Json>(text) {
            let mut queries = Vec::new();
            workbook(&json, &mut queries);
            if queries.is_empty() {
                problems.push(Problem::new(
                    "workbook",
                    file,
                    0,
                    "the workbook asks nothing",
                ));
            }
            for (name, query) in queries {
                let first = serde_json::to_string(&query).unwrap_or_default();
                let first: String = first.chars().skip(1).take(40).collect();
                let line = view.tree.line_of(file, &first);
                context.query(file, line, &name, &query, &mut problems);
            }
        }
    }
    problems
}

/// String literals of the program's sources, tests and all: what a field can be compared with.
fn literals(view: &View<'_>) -> String {
    ["bridge/src", "functions", "handler/src", "services/src"]
        .iter()
        .flat_map(|folder| view.tree.below(folder, "rs"))
        .map(|(_, text)| text)
        .collect()
}

/// A text whose value is not known, with a number in place of each interpolation.
fn without_interpolations(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push('0');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

/// The queries to a workspace or component, with the name of their item. Queries of other kinds (metrics, Resource Graph) have
/// other languages.
fn workbook(json: &Json, queries: &mut Vec<(String, String)>) {
    match json {
        Json::Object(members) => {
            let kind = members.get("queryType").and_then(Json::as_i64).unwrap_or(0);
            if let Some(query) = members.get("query").and_then(Json::as_str)
                && kind == 0
            {
                let name = members.get("title").or_else(|| members.get("name"));
                let name = name.and_then(Json::as_str).unwrap_or("a query");
                queries.push((name.to_owned(), query.to_owned()));
            }
            for member in members.values() {
                workbook(member, queries);
            }
        }
        Json::Array(items) => {
            for item in items {
                workbook(item, queries);
            }
        }
        _ => {}
    }
}

struct Context {
    lines: LogLines,
    literals: String,
}

impl Context {
    fn query(&self, file: &str, line: usize, name: &str, text: &str, problems: &mut Vec<Problem>) {
        let query = Query::read(text);
        let mut report = |rule, what: String| {
            problems.push(Problem::new(rule, file, line, format!("{name}: {what}")));
        };
        for fault in &query.faults {
            report("query-form", fault.clone());
        }
        for table in &query.tables {
            let table = table.as_str();
            let other_world: &[&str] = if OF_THE_COMPONENT.contains(&table) {
                ONLY_WORKSPACE
            } else if OF_THE_WORKSPACE.contains(&table) {
                ONLY_COMPONENT
            } else {
                report("query-table", format!("there is no table {table}"));
                continue;
            };
            for column in other_world {
                if query.names.contains(*column) {
                    report("query-column", format!("{table} has no column {column}"));
                }
            }
        }
        let none = BTreeSet::new();
        let events = query.compared.get("event").unwrap_or(&none);
        for event in events {
            if !self.lines.has_event(event) {
                report("query-event", format!("the program logs no event {event}"));
            }
        }
        for field in &query.fields {
            let known = if events.is_empty() {
                self.lines.has_field(None, field)
            } else {
                events
                    .iter()
                    .any(|event| self.lines.has_field(Some(event), field))
            };
            if !known {
                report("query-field", format!("these events have no field {field}"));
            }
        }
        for (field, values) in &query.compared {
            if matches!(field.as_str(), "event" | "level") {
                continue;
            }
            for value in values {
                // `{Name}` is a parameter of a workbook.
                let parameter = value.starts_with('{') && value.ends_with('}');
                if !value.is_empty()
                    && !parameter
                    && !self.literals.contains(&format!("\"{value}\""))
                {
                    report(
                        "query-value",
                        format!("the program has no value {value:?} for {field}"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolations_are_taken_out() {
        assert_eq!(
            without_interpolations("a > ${b * 60} and 'c' ${d}"),
            "a > 0 and 'c' 0"
        );
    }

    #[test]
    fn queries_of_a_workbook_are_found_at_any_depth() {
        let json = serde_json::json!({"items": [
            {"type": 3, "content": {"query": "traces", "queryType": 0, "title": "one"}},
            {"type": 12, "content": {"items": [{"content": {"query": "requests", "name": "two"}}]}},
            {"content": {"query": "{\"version\":\"1\"}", "queryType": 12}},
        ]});
        let mut queries = Vec::new();
        workbook(&json, &mut queries);
        queries.sort();
        assert_eq!(
            queries,
            [
                ("one".to_owned(), "traces".to_owned()),
                ("two".to_owned(), "requests".to_owned())
            ]
        );
    }
}
