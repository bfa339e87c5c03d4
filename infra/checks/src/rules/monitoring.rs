//! Telemetry by identity only, and alerts that can fire.

use super::{View, difference};
use crate::Problem;
use crate::bicep::{Deployed, Value};

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for component in view.made("Microsoft.Insights/components") {
        super::must_be(
            component,
            "local-auth",
            "properties.DisableLocalAuth",
            &Value::Bool(true),
            &mut problems,
        );
    }
    for bot in view.made("Microsoft.BotService/botServices") {
        super::must_be(
            bot,
            "local-auth",
            "properties.disableLocalAuth",
            &Value::Bool(true),
            &mut problems,
        );
    }
    metric_alerts(view, &mut problems);
    for alert in view.made("Microsoft.Insights/scheduledQueryRules") {
        let groups = alert.at("properties.actions.actionGroups");
        if groups.is_none_or(|groups| *groups == Value::Array(Vec::new())) {
            problems.push(Problem::new(
                "alert-action",
                &alert.file,
                alert.line,
                format!("the alert {} tells nobody", alert.symbol),
            ));
        }
    }
    problems
}

fn metric_alerts(view: &View<'_>, problems: &mut Vec<Problem>) {
    let mut watched: Vec<String> = Vec::new();
    let mut file = None;
    for alert in view.made("Microsoft.Insights/metricAlerts") {
        if alert
            .at("properties.actions")
            .is_none_or(|actions| actions.items().is_empty())
        {
            problems.push(Problem::new(
                "alert-action",
                &alert.file,
                alert.line,
                format!("the alert {} tells nobody", alert.symbol),
            ));
        }
        let criteria = alert
            .at("properties.criteria.allOf")
            .map_or(&[][..], Value::items);
        for criterion in criteria {
            let metric = criterion.at("metricName").and_then(Value::text);
            if !matches!(metric, Some("DeadletteredMessages" | "ActiveMessages")) {
                continue;
            }
            // A gauge summed over a window says nothing.
            let aggregation = criterion.at("timeAggregation").and_then(Value::text);
            if !matches!(aggregation, Some("Maximum" | "Average" | "Minimum")) {
                problems.push(Problem::new(
                    "alert-aggregation",
                    &alert.file,
                    alert.line_of("properties.criteria"),
                    format!(
                        "{} is a gauge: aggregate by Maximum",
                        metric.unwrap_or_default()
                    ),
                ));
            }
            if metric == Some("DeadletteredMessages") {
                file = Some(alert.file.clone());
                let names = criterion
                    .at("dimensions")
                    .map_or(&[][..], Value::items)
                    .iter()
                    .filter(|dimension| {
                        dimension.at("name").and_then(Value::text) == Some("EntityName")
                    })
                    .flat_map(|dimension| dimension.at("values").map_or(&[][..], Value::items))
                    .filter_map(|value| value.text().map(str::to_owned));
                watched.extend(names);
            }
        }
    }
    if view
        .made("Microsoft.ServiceBus/namespaces")
        .next()
        .is_none()
    {
        return;
    }
    let Some(file) = file else {
        problems.push(Problem::new(
            "dead-letter-alert",
            "infra/main.bicep",
            0,
            "no metric alert watches DeadletteredMessages",
        ));
        return;
    };
    let queues: Vec<String> = view
        .made("Microsoft.ServiceBus/namespaces/queues")
        .filter(|queue| {
            queue.at("properties.deadLetteringOnMessageExpiration") == Some(&Value::Bool(true))
        })
        .map(Deployed::name)
        .collect();
    let (missing, _) = difference(
        queues.iter().map(String::as_str),
        watched.iter().map(String::as_str),
    );
    if !missing.is_empty() && watched.iter().all(|name| name != "*") {
        problems.push(Problem::new(
            "dead-letter-alert",
            &file,
            0,
            format!(
                "no alert watches the dead letters of {}",
                missing.join(", ")
            ),
        ));
    }
}
