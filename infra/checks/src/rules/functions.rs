//! `host.json` and each `function.json` against the templates: queues, sessions, connections, addresses.

use serde_json::Value as Json;

use super::View;
use crate::Problem;
use crate::bicep::{Part, Shape, Value};

/// Name of the program in the package (`xtask/src/staging.rs`).
const PROGRAM: &str = "handler";

/// Addresses that the templates may give out although no function has them yet: the bot is off by default, and the redirect
/// address of the sign-in is registered ahead of it.
const PLANNED_ROUTES: &[&str] = &["bot/messages", "sign-in"];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    host(view, &mut problems);
    for (file, text) in view.tree.below("functions", "json") {
        if file.ends_with("/function.json")
            && let Ok(json) = serde_json::from_str::<Json>(text)
        {
            triggers(view, file, &json, &mut problems);
        }
    }
    addresses(view, &mut problems);
    problems
}

fn host(view: &View<'_>, problems: &mut Vec<Problem>) {
    const FILE: &str = "host.json";
    let Some(text) = view.tree.text(FILE) else {
        return;
    };
    let json: Json = serde_json::from_str(text).unwrap_or_default();
    let handler = &json["customHandler"];
    let expected = [
        ("/version", Json::from("2.0"), "version"),
        (
            "/customHandler/description/defaultExecutablePath",
            // Publishing makes the entry of exactly this name executable.
            Json::from(PROGRAM),
            "defaultExecutablePath",
        ),
        (
            "/customHandler/enableProxyingHttpRequest",
            Json::from(true),
            "enableProxyingHttpRequest",
        ),
        (
            "/extensions/http/routePrefix",
            Json::from("api"),
            "routePrefix",
        ),
        (
            "/extensions/serviceBus/maxConcurrentCallsPerSession",
            Json::from(1),
            "maxConcurrentCallsPerSession",
        ),
        (
            "/extensions/serviceBus/autoCompleteMessages",
            Json::from(true),
            "autoCompleteMessages",
        ),
    ];
    for (pointer, right, key) in expected {
        let found = json.pointer(pointer).unwrap_or(&Json::Null);
        if *found != right {
            problems.push(Problem::new(
                "host-json",
                FILE,
                view.tree.line_of(FILE, key),
                format!("{pointer} must be {right}, it is {found}"),
            ));
        }
    }
    if handler["description"].get("arguments").is_some() {
        problems.push(Problem::new(
            "host-json",
            FILE,
            view.tree.line_of(FILE, "arguments"),
            "the program takes no arguments from the host",
        ));
    }
}

fn triggers(view: &View<'_>, file: &str, json: &Json, problems: &mut Vec<Problem>) {
    let bindings = json["bindings"].as_array().map_or(&[][..], Vec::as_slice);
    for binding in bindings.iter().filter(|b| b["type"] == "serviceBusTrigger") {
        let mut report = |key: &str, what: String| {
            problems.push(Problem::new(
                "function-json",
                file,
                view.tree.line_of(file, key),
                what,
            ));
        };
        let queue = binding["queueName"].as_str().unwrap_or_default();
        let setting = queue
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        let Some(name) = setting.and_then(|setting| super::app_settings::value(view, setting))
        else {
            report(
                "queueName",
                format!("queueName must be the name of a setting between %, it is {queue:?}"),
            );
            continue;
        };
        let connection = binding["connection"].as_str().unwrap_or_default();
        let namespace = format!("{connection}__fullyQualifiedNamespace");
        if super::app_settings::value(view, &namespace).is_none()
            && !functions::settings::SPECIFICATIONS
                .iter()
                .any(|specification| specification.name == namespace)
        {
            report("connection", format!("there is no setting {namespace}"));
        }
        let sessions = binding["isSessionsEnabled"].as_bool().unwrap_or(false);
        let queues = view.made("Microsoft.ServiceBus/namespaces/queues");
        for made in queues.filter(|made| Some(made.name().as_str()) == name.text()) {
            let required = made.at("properties.requiresSession") == Some(&Value::Bool(true));
            if required != sessions {
                report(
                    "isSessionsEnabled",
                    format!(
                        "isSessionsEnabled is {sessions}, requiresSession of the queue {} is {required}",
                        made.name()
                    ),
                );
            }
        }
    }
}

/// The queues that functions wait for.
pub(super) fn awaited_queues(view: &View<'_>) -> Vec<String> {
    let mut queues = Vec::new();
    for (_, text) in view.tree.below("functions", "json") {
        let json: Json = serde_json::from_str(text).unwrap_or_default();
        let bindings = json["bindings"].as_array().map_or(&[][..], Vec::as_slice);
        for binding in bindings {
            let setting = binding["queueName"].as_str().unwrap_or_default();
            if let Some(Value::Text(name)) =
                super::app_settings::value(view, setting.trim_matches('%'))
            {
                queues.push(name);
            }
        }
    }
    queues
}

/// Every `…/api/…` in the templates is the address of a function.
fn addresses(view: &View<'_>, problems: &mut Vec<Problem>) {
    let mut routes: Vec<String> = PLANNED_ROUTES
        .iter()
        .map(|route| (*route).to_owned())
        .collect();
    for (_, text) in view.tree.below("functions", "json") {
        let json: Json = serde_json::from_str(text).unwrap_or_default();
        let bindings = json["bindings"].as_array().map_or(&[][..], Vec::as_slice);
        routes.extend(
            bindings
                .iter()
                .filter_map(|b| Some(b["route"].as_str()?.to_owned())),
        );
    }
    for (file, template) in view.templates() {
        template.visit(&mut |expression| {
            let Shape::Text(parts) = &expression.shape else {
                return;
            };
            for part in parts {
                let Part::Literal(text) = part else { continue };
                let Some((before, route)) = text.split_once("/api/") else {
                    continue;
                };
                // Only what continues a host name; queries and descriptions speak of other things.
                if before.is_empty() && !routes.iter().any(|known| known == route) {
                    problems.push(Problem::new(
                        "address",
                        file,
                        expression.line,
                        format!("no function has the route {route}"),
                    ));
                }
            }
        });
    }
}
