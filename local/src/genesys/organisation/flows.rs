//! Flows, which are made by jobs: a job gives an address, to which the flow's file is put, and then publishes it as Architect does.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use axum::{Extension, Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::store::Kind;
use super::{Api, division};
use crate::genesys::access::Caller;
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

/// What the job tells to send along with the file, and what for.
const HEADER: (&str, &str) = ("x-amz-server-side-encryption", "AES256");

pub fn router() -> Api {
    Router::new()
        .route("/flows/jobs", post(begin))
        .route("/flows/jobs/{id}", get(show))
}

/// The address of a job's file is a right of its own.
pub fn uploads() -> Api {
    Router::new().route("/uploads/{id}", put(upload))
}

async fn begin(State(genesys): Shared, Extension(caller): Extension<Caller>) -> Answer {
    caller.needs(&genesys, "architect:job:create")?;
    let job = genesys
        .things
        .add(Kind::Job, None, &json!({ "status": "Started" }))?;
    let id = job["id"].as_str().unwrap_or_default();
    let (name, value) = HEADER;
    Ok(Json(json!({
        "id": id,
        "presignedUrl": format!("{}/uploads/{id}", genesys.world.endpoints.genesys),
        "headers": { name: value },
    })))
}

async fn upload(
    State(genesys): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    file: String,
) -> Result<StatusCode, Refusal> {
    let (name, value) = HEADER;
    if headers.get(name).is_none_or(|it| it != value) {
        return Err(Refusal::forbidden("the headers that the job named"));
    }
    let job = genesys.things.get(Kind::Job, &id)?;
    if job["status"] != "Started" {
        return Err(Refusal::bad_request("The file is there already."));
    }
    let uploaded = json!({ "status": "Uploaded", "file": file });
    genesys.things.replace(Kind::Job, &id, &uploaded)?;
    Ok(StatusCode::OK)
}

/// The first to ask sees the flow published, or why it is not.
async fn show(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "architect:job:view")?;
    let job = genesys.things.get(Kind::Job, &id)?;
    if job["status"] != "Uploaded" {
        return Ok(Json(job));
    }
    let file = job["file"].as_str().unwrap_or_default();
    let done = match genesys.publish(&caller, file) {
        Ok(flow) => json!({ "status": "Success", "flow": { "id": flow["id"] } }),
        Err(why) => json!({ "status": "Failure", "messages": [{ "type": "Error", "text": why }] }),
    };
    genesys.things.replace(Kind::Job, &id, &done).map(Json)
}

/// What can be told of a flow's file without knowing Architect's language.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub kind: String,
    pub name: String,
    pub division: String,
    pub queues: Vec<String>,
    /// Category and name of each data action.
    pub actions: Vec<(String, String)>,
}

impl Told {
    pub fn of(file: &str) -> Self {
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        let value = |line: &str, key: &str| {
            let rest = line.trim().strip_prefix(key)?.strip_prefix(':')?;
            Some(unquoted(rest))
        };
        let key = |line: &str| unquoted(line.trim().trim_end_matches(':'));
        let lines = file.lines().filter(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let lines: Vec<&str> = lines.collect();
        let top = lines.iter().find(|line| !line.starts_with(' '));
        let own = |name: &str| {
            let mut all = lines
                .iter()
                .filter(|it| it.starts_with("  ") && !it.starts_with("   "));
            all.find_map(|line| value(line, name)).unwrap_or_default()
        };
        let mut told = Self {
            kind: top.map(|line| key(line)).unwrap_or_default(),
            name: own("name"),
            division: own("division"),
            ..Self::default()
        };
        for (at, line) in lines.iter().enumerate() {
            match line.trim() {
                "targetQueue:" => {
                    let name = lines.get(at + 2).and_then(|line| value(line, "name"));
                    told.queues.extend(name);
                }
                "dataAction:" if at > 0 => {
                    let action = lines.get(at + 1).map(|line| key(line));
                    let category = key(lines[at - 1]);
                    told.actions.extend(action.map(|action| (category, action)));
                }
                _ => {}
            }
        }
        told
    }
}

impl Genesys {
    /// Publishes a flow with the rights of whoever began the job; one of the same name and kind becomes this one.
    fn publish(&self, caller: &Caller, file: &str) -> Result<Value, String> {
        let told = Told::of(file);
        let kind = match told.kind.as_str() {
            "inboundShortMessage" => "INBOUNDSHORTMESSAGE",
            "workflow" => "WORKFLOW",
            other => return Err(format!("{other:?} is no kind of flow")),
        };
        if file.contains("{{") {
            return Err("a place-holder is not filled in".to_owned());
        }
        if division()["name"] != told.division.as_str() {
            return Err(format!("there is no division {}", told.division));
        }
        let all = self.things.all(Kind::Queue);
        if let Some(queue) = told
            .queues
            .iter()
            .find(|name| !all.iter().any(|it| it["name"] == name.as_str()))
        {
            return Err(format!("there is no queue {queue}"));
        }
        let all = self.things.all(Kind::Action);
        for (category, action) in &told.actions {
            let is_it =
                |it: &Value| it["name"] == action.as_str() && it["category"] == category.as_str();
            if !all.iter().any(is_it) {
                return Err(format!("there is no data action {action} in {category}"));
            }
        }
        let flow = json!({ "name": told.name, "type": kind, "division": division() });
        let is_it = |it: &&Value| it["name"] == told.name.as_str() && it["type"] == kind;
        let before = self.things.all(Kind::Flow);
        let before = before.iter().find(is_it).and_then(|it| it["id"].as_str());
        let right = match before {
            Some(_) => "architect:flow:edit",
            None => "architect:flow:add",
        };
        // Which rights a job takes of its caller is not documented; these are Architect's own.
        for right in [right, "architect:flow:publish"] {
            caller
                .needs(self, right)
                .map_err(|refusal| refusal.message)?;
        }
        let made = match before {
            Some(id) => self.things.replace(Kind::Flow, id, &flow),
            None => self.things.add(Kind::Flow, None, &flow),
        };
        made.map_err(|refusal| refusal.message)
    }
}
