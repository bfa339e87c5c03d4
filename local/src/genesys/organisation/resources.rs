//! What is made, read, changed and taken away in the same way, each with the permissions of its own.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::{MethodRouter, get, patch, post, put};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{Kind, in_use};
use super::{Api, DIVISION, PERMISSIONS, listing, permissions_of};
use crate::genesys::access::Caller;
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Answer = Result<Json<Value>, Refusal>;

/// How the API changes a thing.
#[derive(Clone, Copy)]
enum Change {
    Put,
    Patch,
}

/// A kind of thing that the API treats like the others.
struct Resource {
    kind: Kind,
    path: &'static str,
    /// What `:view` and the like are added to.
    permission: &'static str,
    change: Change,
    /// What a new value must be.
    check: fn(&Genesys, &Value) -> Result<(), Refusal>,
    /// What is shown of a value.
    shown: fn(&Genesys, Value) -> Value,
    /// Who needs the thing of this id.
    used_by: fn(&Genesys, &str) -> Option<&'static str>,
}

static RESOURCES: [Resource; 7] = [
    Resource {
        kind: Kind::Role,
        path: "/authorization/roles",
        permission: "authorization:role",
        change: Change::Put,
        check: role,
        shown: as_it_is,
        used_by: |genesys, id| {
            let holds = |client: &Value| {
                let roles = client["roleDivisions"].as_array();
                roles.into_iter().flatten().any(|it| it["roleId"] == id)
            };
            let is_held = genesys.things.any(Kind::Client, holds);
            is_held.then_some("an OAuth client")
        },
    },
    Resource {
        kind: Kind::Setting,
        path: "/conversations/messaging/settings",
        permission: "messaging:setting",
        change: Change::Patch,
        check: |_, value| named(value),
        shown: as_it_is,
        used_by: |genesys, id| of_integration(genesys, "messagingSetting", id),
    },
    Resource {
        kind: Kind::SupportedContent,
        path: "/conversations/messaging/supportedcontent",
        permission: "messaging:supportedContent",
        change: Change::Patch,
        check: supported_content,
        shown: as_it_is,
        used_by: |genesys, id| of_integration(genesys, "supportedContent", id),
    },
    Resource {
        kind: Kind::Queue,
        path: "/routing/queues",
        permission: "routing:queue",
        change: Change::Put,
        check: queue,
        shown: |_, mut queue| {
            queue["division"] = super::division();
            queue
        },
        // It is taken away by force.
        used_by: |_, _| None,
    },
    Resource {
        kind: Kind::Credential,
        path: "/integrations/credentials",
        permission: "integrations:integration",
        change: Change::Put,
        check: credential,
        shown: |_, mut credential| {
            if let Some(all) = credential.as_object_mut() {
                all.remove("credentialFields");
            }
            credential
        },
        used_by: |genesys, id| {
            let uses = |integration: &Value| {
                let credentials = integration["config"]["credentials"].as_object();
                credentials.is_some_and(|all| all.values().any(|it| it["id"] == id))
            };
            let is_used = genesys.things.any(Kind::Integration, uses);
            is_used.then_some("an integration")
        },
    },
    Resource {
        kind: Kind::Trigger,
        path: "/processAutomation/triggers",
        permission: "processautomation:trigger",
        change: Change::Put,
        check: trigger,
        shown: as_it_is,
        used_by: |_, _| None,
    },
    Resource {
        kind: Kind::Flow,
        path: "/flows",
        permission: "architect:flow",
        change: Change::Put,
        check: |_, _| Err(Refusal::bad_request("A flow is made by a job.")),
        shown: as_it_is,
        used_by: |genesys, id| {
            let things = &genesys.things;
            let is_target = things.any(Kind::Trigger, |it| it["target"]["id"] == id);
            let is_bound = things.any(Kind::Recipient, |it| it["flow"]["id"] == id);
            is_target
                .then_some("a trigger")
                .or_else(|| is_bound.then_some("a recipient"))
        },
    },
];

fn as_it_is(_: &Genesys, value: Value) -> Value {
    value
}

pub fn router() -> Api {
    let mut router = Router::new()
        .route(
            "/conversations/messaging/settings/default",
            get(default_setting),
        )
        .route("/routing/queues/{id}/wrapupcodes", get(wrapup_codes))
        .route("/routing/queues/{id}/members", get(members));
    for resource in &RESOURCES {
        router = router
            .route(resource.path, all(resource))
            .route(&format!("{}/{{id}}", resource.path), one(resource));
    }
    router
}

/// `GET` of all, `POST` of a new one.
fn all(resource: &'static Resource) -> MethodRouter<Arc<Genesys>> {
    let list = async move |State(genesys): State<Arc<Genesys>>,
                           Extension(caller): Extension<Caller>|
                -> Answer {
        caller.needs_any(&genesys, &resource.views())?;
        let all = genesys.things.all(resource.kind).into_iter();
        let all = all.map(|it| (resource.shown)(&genesys, it));
        Ok(Json(listing(all.collect())))
    };
    let add = async move |State(genesys): State<Arc<Genesys>>,
                          Extension(caller): Extension<Caller>,
                          Json(body): Json<Value>|
                -> Answer {
        caller.needs(&genesys, &resource.right("add"))?;
        (resource.check)(&genesys, &body)?;
        let added = genesys.things.add(resource.kind, None, &body)?;
        Ok(Json((resource.shown)(&genesys, added)))
    };
    get(list).merge(post(add))
}

/// `GET`, the change and `DELETE` of one.
fn one(resource: &'static Resource) -> MethodRouter<Arc<Genesys>> {
    let show = async move |State(genesys): State<Arc<Genesys>>,
                           Extension(caller): Extension<Caller>,
                           Path(id): Path<String>|
                -> Answer {
        caller.needs_any(&genesys, &resource.views())?;
        let found = genesys.things.get(resource.kind, &id)?;
        Ok(Json((resource.shown)(&genesys, found)))
    };
    let change = async move |State(genesys): State<Arc<Genesys>>,
                             Extension(caller): Extension<Caller>,
                             Path(id): Path<String>,
                             Json(body): Json<Value>|
                -> Answer {
        caller.needs(&genesys, &resource.right("edit"))?;
        genesys.things.get(resource.kind, &id)?;
        (resource.check)(&genesys, &body)?;
        let changed = genesys.things.replace(resource.kind, &id, &body)?;
        Ok(Json((resource.shown)(&genesys, changed)))
    };
    let remove = async move |State(genesys): State<Arc<Genesys>>,
                             Extension(caller): Extension<Caller>,
                             Path(id): Path<String>|
                -> Result<StatusCode, Refusal> {
        caller.needs(&genesys, &resource.right("delete"))?;
        if let Some(user) = (resource.used_by)(&genesys, &id) {
            return Err(in_use(user));
        }
        genesys.things.remove(resource.kind, &id)?;
        Ok(StatusCode::NO_CONTENT)
    };
    let change = match resource.change {
        Change::Put => put(change),
        Change::Patch => patch(change),
    };
    get(show).merge(change).delete(remove)
}

impl Resource {
    fn right(&self, action: &str) -> String {
        format!("{}:{action}", self.permission)
    }

    /// What lets a caller see it.
    fn views(&self) -> [&'static str; 1] {
        [match self.kind {
            Kind::Role => "authorization:role:view",
            Kind::Setting => "messaging:setting:view",
            Kind::SupportedContent => "messaging:supportedContent:view",
            Kind::Queue => "routing:queue:view",
            Kind::Credential => "integrations:integration:view",
            Kind::Trigger => "processautomation:trigger:view",
            _ => "architect:flow:view",
        }]
    }
}

/// What the organisation's integrations have that name no setting.
async fn default_setting(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
) -> Answer {
    caller.needs(&genesys, "messaging:setting:view")?;
    Ok(Json(serde_json::json!({
        "id": "00000000-0000-4000-8000-0000000000de",
        "name": "Default",
        "event": { "typing": { "on": { "inbound": "Disabled", "outbound": "Disabled" } } },
    })))
}

async fn wrapup_codes(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "routing:queue:view")?;
    genesys.things.get(Kind::Queue, &id)?;
    Ok(Json(listing(Vec::new())))
}

/// The agent of the local platform is in every queue.
async fn members(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    caller.needs(&genesys, "routing:queue:view")?;
    genesys.things.get(Kind::Queue, &id)?;
    let agent = json!({ "id": uuid::Uuid::from_u128(1), "joined": true });
    let number = page.number.unwrap_or(1);
    let mut listing = listing(match number {
        1 => vec![agent],
        _ => Vec::new(),
    });
    listing["pageNumber"] = json!(number);
    listing["total"] = json!(1);
    Ok(Json(listing))
}

/// Which page of a listing is wanted.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "pageNumber")]
    number: Option<u32>,
}

pub fn named(value: &Value) -> Result<(), Refusal> {
    let name = value["name"].as_str().unwrap_or_default().trim();
    match name.is_empty() {
        true => Err(Refusal::bad_request("The name is missing.")),
        false => Ok(()),
    }
}

fn of_integration(genesys: &Genesys, name: &str, id: &str) -> Option<&'static str> {
    let uses = |integration: &Value| integration[name]["id"] == id;
    let is_used = genesys.things.any(Kind::OpenIntegration, uses);
    is_used.then_some("an integration")
}

fn role(_: &Genesys, value: &Value) -> Result<(), Refusal> {
    named(value)?;
    let unknown = permissions_of(value)
        .into_iter()
        .find(|it| !PERMISSIONS.contains(&it.as_str()));
    match unknown {
        Some(unknown) => Err(Refusal::bad_request(format!(
            "There is no permission {unknown}."
        ))),
        None => Ok(()),
    }
}

fn supported_content(_: &Genesys, value: &Value) -> Result<(), Refusal> {
    named(value)?;
    for direction in ["inbound", "outbound"] {
        let types = value["mediaTypes"]["allow"][direction].as_array();
        for item in types.into_iter().flatten() {
            let parts = item["type"].as_str().and_then(|it| it.split_once('/'));
            if !parts.is_some_and(|(kind, of)| !kind.is_empty() && !of.is_empty()) {
                return Err(Refusal::bad_request("An entry is no media type."));
            }
        }
    }
    Ok(())
}

fn queue(_: &Genesys, value: &Value) -> Result<(), Refusal> {
    named(value)?;
    let division = value["division"]["id"].as_str();
    if division.is_some_and(|it| it != DIVISION) {
        return Err(Refusal::bad_request("There is no such division."));
    }
    let rings = value["mediaSettings"]["message"]["alertingTimeoutSeconds"].as_u64();
    match rings.is_some_and(|it| it < 7) {
        true => Err(Refusal::bad_request("The alerting time-out is too short.")),
        false => Ok(()),
    }
}

fn credential(_: &Genesys, value: &Value) -> Result<(), Refusal> {
    named(value)?;
    let kind = value["type"]["name"].as_str().unwrap_or_default();
    if !["userDefined", "userDefinedOAuth", "basicAuth"].contains(&kind) {
        return Err(Refusal::bad_request("There is no such type of credential."));
    }
    let fields = value["credentialFields"].as_object();
    let is_filled = fields.is_some_and(|all| {
        let mut all = all.values();
        all.len() > 0 && all.all(|it| it.as_str().is_some_and(|it| !it.is_empty()))
    });
    match is_filled {
        true => Ok(()),
        false => Err(Refusal::bad_request("A field of the credential is empty.")),
    }
}

fn trigger(genesys: &Genesys, value: &Value) -> Result<(), Refusal> {
    named(value)?;
    let target = value["target"]["id"].as_str().unwrap_or_default();
    let flow = genesys.things.get(Kind::Flow, target);
    let is_workflow = flow.is_ok_and(|flow| flow["type"] == "WORKFLOW");
    let is_right = is_workflow
        && value["target"]["type"] == "Workflow"
        && value["topicName"]
            .as_str()
            .is_some_and(|it| it.starts_with("v2."))
        && value["matchCriteria"].is_array()
        && value["eventTTLSeconds"].as_u64().is_none_or(|it| it >= 10);
    match is_right {
        true => Ok(()),
        false => Err(Refusal::bad_request(
            "The trigger needs a published workflow, a topic, criteria and at least 10 seconds.",
        )),
    }
}
