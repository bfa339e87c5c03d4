//! Service Bus: no keys, and queues with exactly the properties that the program counts on.

use super::{View, difference};
use crate::Problem;
use crate::bicep::Value;

struct Queue {
    /// The app setting that names it.
    setting: &'static str,
    /// Rule, property, value.
    properties: &'static [(&'static str, &'static str, Expected)],
}

#[derive(Clone, Copy)]
enum Expected {
    Bool(bool),
    Text(&'static str),
    Number(i64),
    /// The property may also be missing, which means the same.
    FalseOrNothing,
}

/// A lane is a session; a message is given up by the program, not by the queue (README, "Deploying").
const LANE: &[(&str, &str, Expected)] = &[
    ("queue-sessions", "requiresSession", Expected::Bool(true)),
    (
        "queue-duplicates",
        "requiresDuplicateDetection",
        Expected::Bool(true),
    ),
    (
        "queue-duplicates",
        "duplicateDetectionHistoryTimeWindow",
        Expected::Text("PT6H"),
    ),
    ("queue-lock", "lockDuration", Expected::Text("PT1M")),
    (
        "queue-delivery",
        "maxDeliveryCount",
        Expected::Number(10_000),
    ),
    (
        "queue-life",
        "defaultMessageTimeToLive",
        Expected::Text("P14D"),
    ),
    (
        "queue-dead-letters",
        "deadLetteringOnMessageExpiration",
        Expected::Bool(true),
    ),
    (
        "queue-partitions",
        "enablePartitioning",
        Expected::FalseOrNothing,
    ),
];

const QUEUES: &[Queue] = &[
    Queue {
        setting: "INBOUND_QUEUE",
        properties: LANE,
    },
    Queue {
        setting: "OUTBOUND_QUEUE",
        properties: LANE,
    },
    Queue {
        setting: "TYPING_QUEUE",
        properties: &[
            (
                "queue-sessions",
                "requiresSession",
                Expected::FalseOrNothing,
            ),
            (
                "queue-duplicates",
                "requiresDuplicateDetection",
                Expected::FalseOrNothing,
            ),
            (
                "queue-life",
                "defaultMessageTimeToLive",
                Expected::Text("PT5S"),
            ),
            (
                "queue-dead-letters",
                "deadLetteringOnMessageExpiration",
                Expected::FalseOrNothing,
            ),
            (
                "queue-partitions",
                "enablePartitioning",
                Expected::FalseOrNothing,
            ),
        ],
    },
];

const NAMESPACE: &str = "Microsoft.ServiceBus/namespaces";
const QUEUE: &str = "Microsoft.ServiceBus/namespaces/queues";

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for namespace in view.made(NAMESPACE) {
        super::must_be(
            namespace,
            "local-auth",
            "properties.disableLocalAuth",
            &Value::Bool(true),
            &mut problems,
        );
        super::must_be(
            namespace,
            "tls",
            "properties.minimumTlsVersion",
            &Value::Text("1.2".to_owned()),
            &mut problems,
        );
        // Basic has neither sessions nor duplicate detection.
        super::must_be(
            namespace,
            "service-bus-sku",
            "sku.name",
            &Value::Text("Standard".to_owned()),
            &mut problems,
        );
    }
    if view.made(NAMESPACE).next().is_some() {
        names(view, &mut problems);
        queues(view, &mut problems);
    }
    problems
}

/// What a queue's setting says, or its default where the templates do not set it.
fn name_of(view: &View<'_>, setting: &str) -> Option<String> {
    match super::app_settings::value(view, setting) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    }
}

fn names(view: &View<'_>, problems: &mut Vec<Problem>) {
    let made: Vec<String> = view.made(QUEUE).map(|queue| queue.name()).collect();
    let file = view
        .made(QUEUE)
        .next()
        .map_or("infra/main.bicep", |queue| queue.file.as_str());
    let settings: Vec<String> = QUEUES
        .iter()
        .filter_map(|queue| name_of(view, queue.setting))
        .collect();
    let (missing, extra) = difference(
        settings.iter().map(String::as_str),
        made.iter().map(String::as_str),
    );
    for name in missing {
        problems.push(Problem::new(
            "queue-names",
            file,
            0,
            format!("the app settings name a queue {name} that no template makes"),
        ));
    }
    for name in extra {
        problems.push(Problem::new(
            "queue-names",
            file,
            0,
            format!("no app setting names the queue {name}"),
        ));
    }
}

fn queues(view: &View<'_>, problems: &mut Vec<Problem>) {
    for expected in QUEUES {
        let Some(name) = name_of(view, expected.setting) else {
            continue;
        };
        for queue in view.made(QUEUE).filter(|queue| queue.name() == name) {
            for (rule, property, right) in expected.properties {
                let path = format!("properties.{property}");
                let found = queue.at(&path).unwrap_or(&Value::Null);
                let (fits, wanted) = match right {
                    Expected::Bool(bool) => (*found == Value::Bool(*bool), bool.to_string()),
                    Expected::Text(text) => (found.text() == Some(text), format!("'{text}'")),
                    Expected::Number(number) => {
                        (*found == Value::Number(*number), number.to_string())
                    }
                    Expected::FalseOrNothing => (
                        matches!(found, Value::Bool(false) | Value::Null),
                        "false".to_owned(),
                    ),
                };
                if !fits {
                    problems.push(Problem::new(
                        rule,
                        &queue.file,
                        queue.line_of(&path),
                        format!(
                            "{property} of the queue {name} must be {wanted}, it is {}",
                            found.shown()
                        ),
                    ));
                }
            }
        }
    }
}
