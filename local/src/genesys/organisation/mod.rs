//! What an administrator makes in the organisation: roles, OAuth clients, messaging settings, integrations, queues, flows, data
//! actions and triggers, as the Terraform provider and `handler setup genesys` ask for them.
//!
//! Each call takes the permission that the Platform API's reference names for it; where it names several of which one is enough, the
//! first that the caller holds. What the reference leaves open is refused: a name that is taken, something that is in use and shall
//! go, a reference to what is not there, a role that its giver does not hold.

mod actions;
mod clients;
mod flows;
mod helpers;
mod integrations;
mod messaging;
mod people;
mod resources;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::state::Genesys;
use store::Kind;

pub use helpers::Helper;
pub use store::Things;

type Api = Router<Arc<Genesys>>;

/// Id of the home division, the only one.
const DIVISION: &str = "00000000-0000-4000-8000-0000000000d1";

/// What a role can hold here, by domain: what the bridge's role and the administrator's are made of.
pub const PERMISSIONS: [&str; 52] = [
    "architect:flow:add",
    "architect:flow:delete",
    "architect:flow:edit",
    "architect:flow:publish",
    "architect:flow:view",
    "architect:job:create",
    "architect:job:view",
    "authorization:grant:add",
    "authorization:grant:view",
    "authorization:role:add",
    "authorization:role:delete",
    "authorization:role:edit",
    "authorization:role:view",
    "bridge:actions:view",
    "conversation:communication:disconnect",
    "conversation:message:receive",
    "conversation:message:view",
    "conversation:threadingTimeline:edit",
    "conversation:threadingTimeline:view",
    "integrations:action:add",
    "integrations:action:delete",
    "integrations:action:edit",
    "integrations:action:view",
    "integrations:integration:add",
    "integrations:integration:delete",
    "integrations:integration:edit",
    "integrations:integration:view",
    "messaging:integration:add",
    "messaging:integration:delete",
    "messaging:integration:edit",
    "messaging:integration:view",
    "messaging:setting:add",
    "messaging:setting:delete",
    "messaging:setting:edit",
    "messaging:setting:view",
    "messaging:supportedContent:add",
    "messaging:supportedContent:delete",
    "messaging:supportedContent:edit",
    "messaging:supportedContent:view",
    "oauth:client:add",
    "oauth:client:delete",
    "oauth:client:edit",
    "oauth:client:view",
    "processautomation:trigger:add",
    "processautomation:trigger:delete",
    "processautomation:trigger:edit",
    "processautomation:trigger:view",
    "routing:message:manage",
    "routing:queue:add",
    "routing:queue:delete",
    "routing:queue:edit",
    "routing:queue:view",
];

/// The calls below `/api/v2` that need a token.
pub fn router() -> Api {
    Router::new()
        .merge(people::router())
        .merge(clients::router())
        .merge(resources::router())
        .merge(messaging::router())
        .merge(flows::router())
        .merge(integrations::router())
        .merge(actions::router())
}

/// Where a flow's file is put: without a token, for the address itself is the right.
pub fn uploads() -> Api {
    flows::uploads()
}

impl Genesys {
    /// Everything that a client or a person may do.
    pub(super) fn rights_of(&self, id: &str) -> BTreeSet<String> {
        let (rights, roles) = self.login.rights(id);
        let own = rights.into_iter().map(str::to_owned);
        let granted = roles
            .iter()
            .filter_map(|role| self.things.get(Kind::Role, role).ok())
            .flat_map(|role| permissions_of(&role));
        own.chain(granted).collect()
    }
}

/// The permissions that a role's policies add up to, each as `domain:entity:action`.
#[must_use]
pub fn permissions_of(role: &Value) -> Vec<String> {
    let texts = |value: &Value| {
        let all = value.as_array().cloned().unwrap_or_default();
        all.into_iter()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let policies = role["permissionPolicies"].as_array();
    let policies = policies.into_iter().flatten().flat_map(|policy| {
        let (domain, entity) = (policy["domain"].as_str(), policy["entityName"].as_str());
        let area = format!(
            "{}:{}",
            domain.unwrap_or_default(),
            entity.unwrap_or_default()
        );
        let actions = texts(&policy["actionSet"]).into_iter();
        actions.map(move |action| format!("{area}:{action}"))
    });
    policies.collect()
}

/// The division that everything is in.
fn division() -> Value {
    json!({ "id": DIVISION, "name": "Home", "description": "", "homeDivision": true })
}

/// One page that holds all there is.
fn listing(entities: Vec<Value>) -> Value {
    let total = entities.len();
    json!({
        "entities": entities,
        "pageSize": 100,
        "pageNumber": 1,
        "pageCount": 1,
        "total": total,
    })
}
