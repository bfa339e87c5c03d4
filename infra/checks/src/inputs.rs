//! What the checks look at: a profile's snapshot, the files beside it, and the program's sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

/// Profiles by the names of their parameter files; the first is production.
pub const PROFILES: [&str; 5] = ["main", "test", "dev", "private", "installation"];

/// Where the program's sources lie.
const SOURCES: [&str; 4] = ["bridge/src", "functions", "services/src", "handler/src"];

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository.
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A JSON file of the repository.
pub fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything that one profile is checked with; a copy with a change is a seeded mistake.
#[derive(Clone)]
pub struct Inputs {
    /// The profile's name.
    pub profile: &'static str,
    /// What would be deployed (`bicep snapshot`).
    pub snapshot: Value,
    /// `host.json`.
    pub host: Value,
    /// `local.settings.json`.
    pub local: Value,
    /// Each `function.json` by its function.
    pub functions: BTreeMap<String, Value>,
    /// Architect's flows by their paths.
    pub flows: BTreeMap<String, String>,
    /// The data action that tells of a conversation's end.
    pub ended: Value,
    /// `RUNBOOK.md`.
    pub runbook: String,
    /// `infra/README.md`.
    pub readme: String,
    /// The program's sources as one text.
    pub sources: String,
    /// The words of the sources.
    pub words: Arc<BTreeSet<String>>,
}

impl Inputs {
    /// Reads a profile.
    pub fn read(profile: &'static str) -> Self {
        let mut sources = String::new();
        let mut functions = BTreeMap::new();
        for folder in SOURCES {
            for file in below(folder) {
                if file.ends_with(".rs") {
                    sources += &text(&file);
                } else if let Some(folder) = file.strip_suffix("/function.json") {
                    let name = folder.rsplit('/').next().unwrap_or_default();
                    functions.insert(name.to_owned(), json(&file));
                }
            }
        }
        let flows = below("infra/genesys/flows");
        Self {
            profile,
            snapshot: json(&format!("infra/{profile}.snapshot.json")),
            host: json("host.json"),
            local: json("local.settings.json"),
            functions,
            flows: flows
                .into_iter()
                .map(|it| (it.clone(), text(&it)))
                .collect(),
            ended: json("infra/genesys/data-actions/conversation-ended.custom.json"),
            runbook: text("RUNBOOK.md"),
            readme: text("infra/README.md"),
            words: Arc::new(words(&sources).map(str::to_owned).collect()),
            sources,
        }
    }

    /// The resources of a type that would be made.
    pub fn made<'a>(&'a self, of: &str) -> impl Iterator<Item = &'a Value> {
        list(&self.snapshot["predictedResources"]).filter(move |it| it["type"] == of)
    }

    /// The resource of a type whose own name begins so.
    pub fn resource<'a>(&'a self, of: &str, name: &str) -> Option<&'a Value> {
        self.made(of).find(|it| own_name(it).starts_with(name))
    }

    /// The app settings.
    pub fn settings(&self) -> Map<String, Value> {
        self.resource("Microsoft.Web/sites/config", "appsettings")
            .and_then(|config| config["properties"].as_object().cloned())
            .unwrap_or_default()
    }

    /// The value of an app setting; empty where there is none.
    pub fn setting(&self, name: &str) -> &str {
        self.resource("Microsoft.Web/sites/config", "appsettings")
            .and_then(|config| config["properties"][name].as_str())
            .unwrap_or_default()
    }

    /// The bindings of all functions, each with its function's name.
    pub fn bindings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.functions.iter().flat_map(|(name, function)| {
            list(&function["bindings"]).map(move |binding| (name.as_str(), binding))
        })
    }

    /// The queues that functions wait for.
    pub fn awaited_queues(&self) -> BTreeSet<&str> {
        self.bindings()
            .filter_map(|(_, binding)| binding["queueName"].as_str())
            .map(|setting| self.setting(setting.trim_matches('%')))
            .collect()
    }

    /// The secrets that the templates make a place for.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        list(&self.snapshot["outputs"]["secretNames"]).filter_map(Value::as_str)
    }
}

/// The items of a list; none where there is no list.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A resource's name without those of its parents.
pub fn own_name(resource: &Value) -> &str {
    let name = resource["name"].as_str().unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default()
}

/// The identifiers in a text.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !it.is_alphanumeric() && it != '_')
}

/// The files below a folder of the repository, by name; build output is left out.
fn below(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|it| panic!("{folder}: {it}"));
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if !entry.path().is_dir() {
            files.push(path);
        } else if entry.file_name() != "target" {
            files.extend(below(&path));
        }
    }
    files.sort();
    files
}

/// What is only in the first and what only in the second of two lists, as lines.
pub fn difference(
    what: &str,
    expected: impl IntoIterator<Item = impl Into<String>>,
    found: impl IntoIterator<Item = impl Into<String>>,
) -> Vec<String> {
    let expected = BTreeSet::<String>::from_iter(expected.into_iter().map(Into::into));
    let found = BTreeSet::<String>::from_iter(found.into_iter().map(Into::into));
    let missing = expected.difference(&found);
    let extra = found.difference(&expected);
    missing
        .map(|it| format!("{what}: {it} is missing"))
        .chain(extra.map(|it| format!("{what}: {it} is too much")))
        .collect()
}
