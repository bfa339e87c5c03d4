//! What there is, by kind and id.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::genesys::answers::Refusal;
use crate::shared::locked::Locked;

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Role,
    Client,
    Setting,
    SupportedContent,
    OpenIntegration,
    Recipient,
    Queue,
    Credential,
    Integration,
    Action,
    Flow,
    Job,
    Trigger,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Client => "OAuth client",
            Self::Setting => "messaging setting",
            Self::SupportedContent => "supported content profile",
            Self::OpenIntegration => "integration",
            Self::Recipient => "recipient",
            Self::Queue => "queue",
            Self::Credential => "credential",
            Self::Integration => "integration",
            Self::Action => "action",
            Self::Flow => "flow",
            Self::Job => "job",
            Self::Trigger => "trigger",
        }
    }
}

struct Thing {
    value: Value,
    since: Instant,
}

/// All of them, and the threading timeline, of which there is one.
#[derive(Default)]
pub struct Things {
    all: Locked<BTreeMap<(Kind, String), Thing>>,
    pub(super) timeline: Locked<Value>,
}

impl Things {
    /// What this thing is.
    pub fn get(&self, kind: Kind, id: &str) -> Result<Value, Refusal> {
        let all = self.all.lock();
        let found = all.get(&(kind, id.to_owned()));
        found
            .map(|it| it.value.clone())
            .ok_or_else(|| missing(kind))
    }

    /// Whether this thing has been there for so long.
    pub fn is_older(&self, kind: Kind, id: &str, age: std::time::Duration) -> bool {
        let all = self.all.lock();
        let found = all.get(&(kind, id.to_owned()));
        found.is_some_and(|it| it.since.elapsed() >= age)
    }

    /// All of a kind, in no order that means anything.
    pub fn all(&self, kind: Kind) -> Vec<Value> {
        let all = self.all.lock();
        let of_kind = all.iter().filter(|((it, _), _)| *it == kind);
        of_kind.map(|(_, thing)| thing.value.clone()).collect()
    }

    /// Kind and name of each, sorted; jobs and recipients belong to something else.
    pub fn names(&self) -> Vec<String> {
        let all = self.all.lock();
        let all = all.iter();
        let own = all.filter(|((kind, _), _)| !matches!(kind, Kind::Job | Kind::Recipient));
        let mut names: Vec<String> = own
            .map(|((kind, _), thing)| {
                let name = [&thing.value["name"], &thing.value["config"]["name"]];
                let name = name.iter().find_map(|it| it.as_str());
                format!("{kind:?}: {}", name.unwrap_or_default())
            })
            .collect();
        names.sort();
        names
    }

    /// Whether one of a kind is so.
    pub fn any(&self, kind: Kind, is_so: impl Fn(&Value) -> bool) -> bool {
        self.all(kind).iter().any(is_so)
    }

    /// Adds a thing with this id, or a new one; its name must be nobody else's.
    pub fn add(&self, kind: Kind, id: Option<String>, value: &Value) -> Result<Value, Refusal> {
        let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut value = without_nulls(value);
        value["id"] = json!(id);
        self.put(kind, &id, value, Instant::now())
    }

    /// Puts another value in the place of a thing's own.
    pub fn replace(&self, kind: Kind, id: &str, value: &Value) -> Result<Value, Refusal> {
        let since = {
            let all = self.all.lock();
            let before = all.get(&(kind, id.to_owned()));
            before.ok_or_else(|| missing(kind))?.since
        };
        let mut value = without_nulls(value);
        value["id"] = json!(id);
        self.put(kind, id, value, since)
    }

    fn put(&self, kind: Kind, id: &str, value: Value, since: Instant) -> Result<Value, Refusal> {
        // What Genesys makes by itself has a name of its own and is renamed later; an action's counts within its category.
        let names = |value: &Value| {
            let name = value["name"].as_str()?;
            Some((name.to_lowercase(), value["category"].clone()))
        };
        let mut all = self.all.lock();
        let name = names(&value);
        let is_taken = name.is_some()
            && all.iter().any(|((of, other), thing)| {
                *of == kind && other != id && names(&thing.value) == name
            });
        if is_taken {
            let why = format!("There is a {} of this name already.", kind.word());
            return Err(Refusal::new(StatusCode::CONFLICT, "general.conflict", why));
        }
        let shown = value.clone();
        all.insert((kind, id.to_owned()), Thing { value, since });
        Ok(shown)
    }

    /// Takes a thing away.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<Value, Refusal> {
        let removed = self.all.lock().remove(&(kind, id.to_owned()));
        removed.map(|it| it.value).ok_or_else(|| missing(kind))
    }
}

fn missing(kind: Kind) -> Refusal {
    Refusal::not_found(format!("There is no such {}.", kind.word()))
}

/// 409: it is needed elsewhere.
pub fn in_use(by: &str) -> Refusal {
    let why = format!("It is in use by {by}.");
    Refusal::new(StatusCode::CONFLICT, "general.conflict", why)
}

/// What is null is as good as absent.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(all) => {
            let kept = all.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(all) => all.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
