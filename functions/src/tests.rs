//! The lists that must agree: folders under `functions/`, their `function.json`, and the routes of the router.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::ROUTES;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn binding(function: &str, kind: &str) -> Option<Value> {
    let description = read(&folder().join(function).join("function.json"));
    let mut bindings = description["bindings"].as_array()?.iter();
    bindings.find(|binding| binding["type"] == kind).cloned()
}

#[test]
fn each_folder_with_a_function_json_has_a_route_and_the_reverse() {
    let folders: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("readable")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("function.json").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let routes: BTreeSet<String> = ROUTES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(folders, routes);
}

#[test]
fn the_host_calls_each_function_where_the_router_listens() {
    let host = read(&folder().join("../host.json"));
    let prefix = host["extensions"]["http"]["routePrefix"]
        .as_str()
        .expect("a prefix");
    assert_eq!(host["customHandler"]["enableProxyingHttpRequest"], true);
    for (name, method, path) in ROUTES {
        match binding(name, "httpTrigger") {
            Some(trigger) => {
                let route = trigger["route"].as_str().expect("a route");
                assert_eq!(format!("/{prefix}/{route}"), *path, "{name}");
                let allowed = trigger["methods"][0].as_str().expect("a method");
                assert_eq!(allowed.to_uppercase(), *method, "{name}");
                // Webhooks carry their own proof; Genesys' data action cannot sign, so the host's key comes before ours.
                let level = match *name {
                    "conversation-ended" => "function",
                    _ => "anonymous",
                };
                assert_eq!(trigger["authLevel"], level, "{name}");
                assert!(
                    binding(name, "http").is_some(),
                    "{name} needs the http output for proxying"
                );
            }
            None => assert_eq!((format!("/{name}").as_str(), "POST"), (*path, *method)),
        }
    }
}

#[test]
fn queue_functions_get_the_exact_bytes_in_sessions() {
    let settings = &read(&folder().join("../local.settings.json"))["Values"];
    for (name, ..) in ROUTES {
        let Some(trigger) = binding(name, "serviceBusTrigger") else {
            continue;
        };
        assert_eq!(trigger["name"], "message", "{name}");
        assert_eq!(trigger["dataType"], "binary", "{name}");
        // What is typed has no order that matters.
        let in_sessions = trigger["isSessionsEnabled"] == true;
        assert_eq!(in_sessions, *name != "deliver-typing", "{name}");
        let text = |field: &str| trigger[field].as_str().expect("a text");
        let namespace = format!("{}__fullyQualifiedNamespace", text("connection"));
        for setting in [&namespace, text("queueName").trim_matches('%')] {
            assert!(
                settings[setting].is_string(),
                "{name}: no setting {setting}"
            );
        }
    }
}

#[test]
fn time_limits_fit_into_each_other() {
    let host = read(&folder().join("../host.json"));
    assert_eq!(host["functionTimeout"], "00:10:00");
    let bus = &host["extensions"]["serviceBus"];
    // Without end: it counts from the acceptance of a session, not of a message, so any other time would let a busy or waiting
    // lane be taken over while its work goes on (Azure.Messaging.ServiceBus, SessionReceiverManager).
    assert_eq!(bus["maxAutoLockRenewalDuration"], "-00:00:00.0010000");
    assert_eq!(bus["maxConcurrentCallsPerSession"], 1);
    assert_eq!(bus["sessionIdleTimeout"], "00:00:03");
}

#[test]
fn the_host_passes_on_what_we_log_and_of_its_own_only_what_went_wrong() {
    let host = read(&folder().join("../host.json"));
    let logging = &host["logging"];
    // What the handler prints is of this category (azure-functions-host, WorkerConstants); a failed execution is an error of
    // `Host.Results` and `Function.{name}`.
    let levels =
        serde_json::json!({ "default": "Warning", "Host.Function.Console": "Information" });
    assert_eq!(logging["logLevel"], levels);
    let telemetry = &logging["applicationInsights"];
    // Nothing is left out by chance.
    assert_eq!(telemetry["samplingSettings"]["isEnabled"], false);
    assert_eq!(telemetry["enableDependencyTracking"], false);
}
