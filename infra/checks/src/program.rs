//! Templates and program name the same things: settings, queues, containers, secrets, routes.

use std::collections::BTreeSet;

use functions::settings::{SPECIFICATIONS, Settings};

use crate::inputs::{Inputs, difference, list, own_name};

/// App settings that the Functions host and Application Insights read; the program does not.
const OF_THE_PLATFORM: [&str; 9] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "ServiceBus__clientId",
    "ServiceBus__credential",
];

/// What Core Tools read from `local.settings.json` and Flex Consumption refuses.
const LOCAL_ONLY: [&str; 2] = ["AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"];

/// Containers of the data account that the program uses.
const CONTAINERS: [&str; 3] = ["attachments", "failed", "state"];

/// One more in that account, which the program has nothing to do with.
pub const TERRAFORM: &str = "terraform-state";

const QUEUE: &str = "Microsoft.ServiceBus/namespaces/queues";

/// Days that a claim is kept: a day longer than its message lives on the queue.
const CLAIM_DAYS: i64 = 15;

/// Days that failed messages are kept where nobody chose, and with test data.
const FAILED_DAYS: i64 = 90;
const FAILED_TEST_DAYS: i64 = 30;

/// Secrets that the program reads; what follows the last hyphen of the last one is a support account.
const SECRETS: [&str; 6] = [
    "genesys-client-secret",
    "genesys-webhook-secret",
    "graph-client-secret",
    "graph-client-state",
    "graph-notification-key",
    "graph-refresh-token-",
];

/// The route whose caller sends the function's key.
const KEYED_ROUTE: &str = "genesys/conversation-ended";

/// Settings that the profiles are given although the program has a default for them: the account that is an agent user needs it.
const ASKED_FOR: [&str; 2] = ["AGENT_BLUEPRINT_CLIENT_ID", "GENESYS_SPARE_CLIENT_ID"];

/// The same of a profile.
const ASKED_FOR_BY_TEST: &str = "CHAT_RETENTION_DAYS";

/// Where the two differ.
pub fn check(inputs: &Inputs) -> Vec<String> {
    [
        settings, triggers, ready, routes, containers, lifecycle, secrets,
    ]
    .iter()
    .flat_map(|check| check(inputs))
    .collect()
}

fn settings(inputs: &Inputs) -> Vec<String> {
    let read = || SPECIFICATIONS.iter().map(|it| it.name);
    let deployed = inputs.settings();
    let local = inputs.local["Values"].as_object();
    let local = local.cloned().unwrap_or_default();
    let expected = read().chain(OF_THE_PLATFORM);
    let mut problems = difference("app settings", expected, deployed.keys());
    let expected = read().chain(LOCAL_ONLY);
    problems.extend(difference("local.settings.json", expected, local.keys()));
    // What is only known once Azure made it stands as an expression; a local value is of the same kind.
    let known = |value: &str| !value.starts_with('[');
    for (name, value) in &deployed {
        let Some(text) = value.as_str() else {
            problems.push(format!("the app setting {name} must be a string"));
            continue;
        };
        let specified = SPECIFICATIONS.iter().find(|it| it.name == name);
        let asked = |name: &str| {
            ASKED_FOR.contains(&name) || (inputs.profile == "test" && name == ASKED_FOR_BY_TEST)
        };
        let default = specified.filter(|it| !asked(it.name));
        let default = default.and_then(|it| it.default);
        if known(text) && default.is_some_and(|default| default != text) {
            problems.push(format!("the app setting {name} is '{text}' without being asked, the program's default is not"));
        }
    }
    let value = |name: &str| {
        let deployed = deployed.get(name)?.as_str().filter(|text| known(text));
        let value = deployed.or_else(|| local.get(name)?.as_str());
        value.map(str::to_owned)
    };
    if let Err(errors) = Settings::from_lookup(value) {
        let errors = errors.iter();
        problems.extend(errors.map(|error| format!("the handler would not start: {error}")));
    }
    problems
}

fn triggers(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    let settings = inputs.settings();
    let triggers = inputs.bindings();
    for (function, binding) in triggers.filter(|(_, it)| it["type"] == "serviceBusTrigger") {
        let setting = binding["queueName"].as_str().unwrap_or_default();
        let name = setting
            .strip_prefix('%')
            .and_then(|it| it.strip_suffix('%'));
        let queue = name.and_then(|it| settings.get(it)?.as_str());
        match queue.and_then(|name| inputs.resource(QUEUE, name)) {
            None => problems.push(format!(
                "{function}: queueName {setting} is no setting that names a queue"
            )),
            Some(queue) => {
                // A binding that does not say takes no sessions.
                let takes = binding["isSessionsEnabled"].as_bool().unwrap_or(false);
                if queue["properties"]["requiresSession"] != takes {
                    let name = own_name(queue);
                    problems.push(format!(
                        "{function}: isSessionsEnabled must be requiresSession of {name}"
                    ));
                }
            }
        }
        let connection = binding["connection"].as_str().unwrap_or_default();
        if !settings.contains_key(&format!("{connection}__fullyQualifiedNamespace")) {
            problems.push(format!(
                "{function}: no app setting tells where {connection} is"
            ));
        }
    }
    let named = ["INBOUND_QUEUE", "OUTBOUND_QUEUE", "TYPING_QUEUE"].map(|it| inputs.setting(it));
    let made = inputs.made(QUEUE).map(own_name);
    problems.extend(difference("queues", named, made));
    problems
}

/// What always runs is a function, or the group of those with HTTP triggers: Azure takes any other name, and readies nothing.
fn ready(inputs: &Inputs) -> Vec<String> {
    let sites = inputs.made("Microsoft.Web/sites");
    let groups = sites.flat_map(|it| {
        let scale = &it["properties"]["functionAppConfig"]["scaleAndConcurrency"];
        list(&scale["alwaysReady"])
    });
    let names = groups.filter_map(|it| it["name"].as_str()?.strip_prefix("function:"));
    names
        .filter(|it| !inputs.functions.contains_key(*it))
        .map(|it| format!("always ready: there is no function {it}"))
        .collect()
}

/// Every `…/api/…` that the templates give out, or that Genesys calls, is the address of a function.
fn routes(inputs: &Inputs) -> Vec<String> {
    let known: Vec<&str> = inputs
        .bindings()
        .filter_map(|(_, it)| it["route"].as_str())
        .collect();
    let bots = inputs
        .made("Microsoft.BotService/botServices")
        .map(|it| &it["properties"]["endpoint"]);
    let asked = inputs
        .made("Microsoft.Insights/webtests")
        .map(|it| &it["properties"]["Request"]["RequestUrl"]);
    let outputs = inputs.snapshot["outputs"].as_object().into_iter();
    let given: Vec<&str> = outputs
        .flat_map(|it| it.values())
        .chain(bots)
        .chain(asked)
        .chain([&inputs.ended["config"]["request"]["requestUrlTemplate"]])
        .filter_map(|it| it.as_str()?.split_once("/api/")?.1.split('\'').next())
        .collect();
    let mut problems: Vec<String> = given
        .iter()
        .filter(|it| !known.contains(it))
        .map(|it| format!("no function has the route {it}"))
        .collect();
    if given.len() < 4 {
        problems.push(format!("only {} addresses are given out", given.len()));
    }
    problems.extend(keys(inputs));
    problems
}

/// The Functions host asks for a key of the one function whose caller sends one. All others check their callers themselves.
fn keys(inputs: &Inputs) -> Vec<String> {
    let header = &inputs.ended["config"]["request"]["headers"]["x-functions-key"];
    let mut problems = Vec::new();
    if header != "${credentials.functionKey}" {
        problems.push("the data action sends no function key".to_owned());
    }
    let triggers = inputs.bindings();
    for (function, binding) in triggers.filter(|(_, it)| it["type"] == "httpTrigger") {
        let expected = match binding["route"].as_str() {
            Some(KEYED_ROUTE) => "function",
            _ => "anonymous",
        };
        if binding["authLevel"] != expected {
            problems.push(format!("{function}: authLevel must be {expected}"));
        }
    }
    problems
}

fn containers(inputs: &Inputs) -> Vec<String> {
    let data = inputs
        .resource("Microsoft.Storage/storageAccounts", "stdata")
        .map_or("", own_name);
    let made = inputs.made("Microsoft.Storage/storageAccounts/blobServices/containers");
    let of_data = made.filter(|it| it["name"].as_str().is_some_and(|it| it.starts_with(data)));
    let expected = CONTAINERS.into_iter().chain([TERRAFORM]);
    let mut problems = difference("containers", expected, of_data.map(own_name));
    for name in CONTAINERS {
        if !inputs.sources.contains(&format!(": &str = \"{name}\";")) {
            problems.push(format!(
                "the program has no constant for the container {name}"
            ));
        }
    }
    problems
}

/// Files, chats, failed messages, claims and marks of what was erased go away in time, and nothing else does.
fn lifecycle(inputs: &Inputs) -> Vec<String> {
    let policies = inputs.made("Microsoft.Storage/storageAccounts/managementPolicies");
    let rules = policies.flat_map(|it| list(&it["properties"]["policy"]["rules"]));
    let enabled = rules.filter(|rule| rule["enabled"] == true);
    let found = enabled.map(|rule| {
        let definition = &rule["definition"];
        let deletion = &definition["actions"]["baseBlob"]["delete"];
        let days = &deletion["daysAfterModificationGreaterThan"];
        format!("{} after {days} days", definition["filters"]["prefixMatch"])
    });
    let files = inputs.setting("ATTACHMENT_RETENTION_DAYS");
    let chats = inputs.setting("CHAT_RETENTION_DAYS");
    let failed = match inputs.profile {
        "test" => FAILED_TEST_DAYS,
        _ => FAILED_DAYS,
    };
    let expected = [
        format!(r#"["attachments/"] after {files} days"#),
        format!(r#"["state/chats/","state/threads/"] after {chats} days"#),
        format!(r#"["failed/"] after {failed} days"#),
        format!(r#"["state/claims/","state/erased/","state/checks/"] after {CLAIM_DAYS} days"#),
    ];
    difference("deleted blobs", expected, found)
}

/// Each secret that the program reads has its place, and its neighbours in a rotation have theirs.
fn secrets(inputs: &Inputs) -> Vec<String> {
    let of_an_account = "graph-refresh-token-";
    let neighbours = ["-next", "-previous"];
    let listed = inputs.secret_names().map(|name| {
        let mut endings = neighbours.iter();
        let own = endings.find_map(|ending| name.strip_suffix(ending));
        match name.starts_with(of_an_account) {
            true => of_an_account,
            false => own.unwrap_or(name),
        }
    });
    let listed: BTreeSet<&str> = listed.collect();
    let with_client_secret = inputs.setting("GRAPH_CLIENT_AUTHENTICATION") == "secret";
    let expected = SECRETS
        .into_iter()
        .filter(|it| with_client_secret || *it != "graph-client-secret");
    let mut problems = difference("secretNames", expected, listed);
    for name in SECRETS {
        if !inputs.sources.contains(&format!("\"{name}")) {
            problems.push(format!("the program does not read the secret {name}"));
        }
    }
    problems
}
