//! Reads the Functions app as the host does: host.json and the function.json of each direct child folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::schedule::Schedule;
use crate::service_bus::broker_properties::time_span;
use crate::settings::expand;

/// A Functions app.
#[derive(Debug)]
pub struct App {
    /// Directory of host.json; the handler's working directory.
    pub(super) root: PathBuf,
    pub(super) host: HostSettings,
    pub(super) functions: Vec<Function>,
}

/// The parts of host.json that the stand-in obeys, with the host's defaults.
#[derive(Debug)]
pub(super) struct HostSettings {
    /// `functionTimeout` (30 minutes outside Consumption).
    pub(super) function_timeout: Duration,
    /// `extensions.http.routePrefix` (`api`).
    pub(super) route_prefix: String,
    /// `extensions.serviceBus.maxConcurrentSessions` (8).
    pub(super) max_concurrent_sessions: usize,
    /// `extensions.serviceBus.maxConcurrentCalls` (16 for each core), for queues without sessions.
    pub(super) max_concurrent_calls: usize,
    /// `extensions.serviceBus.sessionIdleTimeout` (60 s).
    pub(super) session_idle_timeout: Duration,
    /// `extensions.serviceBus.maxAutoLockRenewalDuration` (5 minutes); none is without end.
    pub(super) lock_renewal: Option<Duration>,
    /// `customHandler.initializationTimeout` (30 s).
    pub(super) initialization_timeout: Duration,
    /// `customHandler.description.arguments`.
    pub(super) arguments: Vec<String>,
}

/// `Timeout.InfiniteTimeSpan` of .NET, minus one millisecond, as a time span is written.
const INFINITE: &str = "-00:00:00.0010000";

/// One function; its name is that of its folder.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) trigger: Trigger,
}

/// What calls a function.
#[derive(Debug)]
pub(super) enum Trigger {
    Http {
        /// Allowed methods in uppercase; none means all.
        methods: Vec<String>,
        /// Route below the prefix, with `{parameter}` segments.
        route: String,
    },
    ServiceBus(QueueBinding),
    Timer(TimerBinding),
}

/// How a function is bound to the clock.
#[derive(Debug, Clone)]
pub(super) struct TimerBinding {
    /// Name of the binding: the key in `Data`.
    pub(super) name: String,
    pub(super) schedule: Schedule,
}

/// How a function is bound to a queue.
#[derive(Debug, Clone)]
pub(super) struct QueueBinding {
    /// Name of the binding: the key in `Data`.
    pub(super) name: String,
    pub(super) queue: String,
    /// `isSessionsEnabled`.
    pub(super) sessions: bool,
}

impl App {
    /// The names of its functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(|function| &*function.name)
    }

    /// Reads the app. Where no direct child of `root` holds a function.json, the children of `root/functions` are
    /// taken: that is the layout of the sources, from which packaging makes the host's layout.
    ///
    /// # Errors
    /// A line that names the file and what the host (or this stand-in) would not accept in it.
    pub fn read(root: &Path, settings: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let found = root.canonicalize();
        let root = found.with_context(|| format!("cannot find {}", root.display()))?;
        let path = root.join("host.json");
        let host = host_settings(&read_json(&path)?).with_context(|| path.display().to_string())?;
        let mut functions = functions_in(&root, settings)?;
        if functions.is_empty() && root.join("functions").is_dir() {
            functions = functions_in(&root.join("functions"), settings)?;
        }
        let missing = format!("no function.json below {}", root.display());
        ensure!(!functions.is_empty(), missing);
        Ok(Self {
            root,
            host,
            functions,
        })
    }
}

fn read_json(path: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn host_settings(host: &Value) -> anyhow::Result<HostSettings> {
    let handler = &host["customHandler"];
    let description = &handler["description"];
    for (holds, problem) in [
        (host["version"] == "2.0", "version must be \"2.0\""),
        (
            host["extensionBundle"]["id"].is_string(),
            "extensionBundle is missing, without it there is no Service Bus trigger",
        ),
        (
            description["defaultExecutablePath"].is_string(),
            "customHandler.description.defaultExecutablePath is missing",
        ),
        (
            handler["enableProxyingHttpRequest"] == true,
            "this stand-in knows HTTP functions only with enableProxyingHttpRequest",
        ),
    ] {
        ensure!(holds, problem);
    }
    let service_bus = &host["extensions"]["serviceBus"];
    let span = |object: &Value, key: &str, default: u64| match object.get(key) {
        None => Ok(Duration::from_secs(default)),
        Some(value) => {
            let span = value.as_str().and_then(time_span);
            span.with_context(|| format!("{key} is no time span"))
        }
    };
    let count = |key: &str, default: usize| match service_bus.get(key) {
        None => Ok(default),
        Some(value) => {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            let count = count.filter(|count| *count > 0);
            count.with_context(|| format!("{key} is no positive number"))
        }
    };
    ensure!(
        count("maxConcurrentCallsPerSession", 1)? == 1,
        "maxConcurrentCallsPerSession must be 1, or order is lost"
    );
    const RENEWAL: &str = "maxAutoLockRenewalDuration";
    let prefix = host["extensions"]["http"]["routePrefix"].as_str();
    let arguments = description["arguments"].as_array();
    let arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(HostSettings {
        function_timeout: span(host, "functionTimeout", 1_800)?,
        route_prefix: prefix.unwrap_or("api").trim_matches('/').to_owned(),
        max_concurrent_sessions: count("maxConcurrentSessions", 8)?,
        max_concurrent_calls: count("maxConcurrentCalls", 16 * processors)?,
        session_idle_timeout: span(service_bus, "sessionIdleTimeout", 60)?,
        lock_renewal: if service_bus[RENEWAL] == INFINITE {
            None
        } else {
            Some(span(service_bus, RENEWAL, 300)?)
        },
        initialization_timeout: span(handler, "initializationTimeout", 30)?,
        arguments: arguments.map(str::to_owned).collect(),
    })
}

fn functions_in(
    directory: &Path,
    settings: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Function>> {
    let mut functions = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let file = entry.path().join("function.json");
        if file.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let function = function(name, &read_json(&file)?, settings);
            functions.push(function.with_context(|| file.display().to_string())?);
        }
    }
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(functions)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    #[serde(rename = "type")]
    kind: String,
    direction: String,
    name: String,
    #[serde(default)]
    methods: Vec<String>,
    route: Option<String>,
    queue_name: Option<String>,
    connection: Option<String>,
    #[serde(default)]
    is_sessions_enabled: bool,
    data_type: Option<String>,
    cardinality: Option<String>,
    auto_complete_messages: Option<bool>,
    schedule: Option<String>,
}

fn function(
    name: String,
    file: &Value,
    settings: &BTreeMap<String, String>,
) -> anyhow::Result<Function> {
    // The host's rule: ^[a-z][a-z0-9_-]{0,127}$, case-insensitive, and not "host".
    let well_named = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 128
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_-".contains(it))
        && !name.eq_ignore_ascii_case("host");
    ensure!(well_named, "the function's name is not allowed");
    let bindings = Vec::<Binding>::deserialize(&file["bindings"]).context("bindings")?;
    let (mut inputs, outputs): (Vec<_>, Vec<_>) =
        bindings.into_iter().partition(|it| it.direction == "in");
    let input = inputs.pop().filter(|_| inputs.is_empty());
    let input = input.context("there must be exactly one trigger")?;
    let trigger = match input.kind.to_ascii_lowercase().as_str() {
        "httptrigger" => {
            ensure!(
                matches!(outputs.as_slice(), [output] if output.kind == "http"),
                "an HTTP function needs exactly one output, http, or its requests are not proxied"
            );
            let methods = input.methods.iter();
            let route = input.route.as_deref().unwrap_or(&name);
            Trigger::Http {
                methods: methods.map(|it| it.to_ascii_uppercase()).collect(),
                route: route.trim_matches('/').to_owned(),
            }
        }
        "servicebustrigger" => Trigger::ServiceBus(service_bus(input, settings)?),
        "timertrigger" => {
            let schedule = input.schedule.context("the schedule is missing")?;
            Trigger::Timer(TimerBinding {
                name: input.name,
                schedule: Schedule::parse(&schedule)?,
            })
        }
        other => bail!("this stand-in does not know the trigger {other}"),
    };
    Ok(Function { name, trigger })
}

fn service_bus(
    binding: Binding,
    settings: &BTreeMap<String, String>,
) -> anyhow::Result<QueueBinding> {
    let queue = binding.queue_name.context("queueName is missing")?;
    let connection = binding.connection.context("connection is missing")?;
    let namespace = format!("{connection}__fullyQualifiedNamespace");
    ensure!(
        settings.contains_key(&namespace),
        "the connection {connection} has no setting {namespace}"
    );
    ensure!(
        binding.cardinality.as_deref() != Some("many"),
        "this stand-in delivers one message a call"
    );
    ensure!(
        binding.auto_complete_messages != Some(false),
        "with autoCompleteMessages false nobody would settle the messages"
    );
    ensure!(
        binding.data_type.as_deref() == Some("binary"),
        "dataType must be binary: as text, the members of a JSON body overwrite metadata of the same name"
    );
    Ok(QueueBinding {
        name: binding.name,
        queue: expand(&queue, settings)?,
        sessions: binding.is_sessions_enabled,
    })
}
