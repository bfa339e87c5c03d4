//! App registrations, service principals and what these were granted, for whoever is logged in to the Azure CLI.
//!
//! What is new can be unknown for some calls, as Entra ID's places learn of each other late. Where a role decides, it is the
//! least one that the reference names. Sources: Microsoft Graph v1.0 reference, "Upsert application", "Update application",
//! "Create federatedIdentityCredential", "Create servicePrincipal", "Create oAuth2PermissionGrant", "Grant an appRoleAssignment
//! to a service principal", "application: removePassword"; "Microsoft Entra built-in roles".

mod apps;
mod control;
mod principals;
mod removal;
#[cfg(test)]
mod tests;

use axum::Router;
use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answers::Refusal;
use super::state::Graph;
use crate::entra::{Entra, Passwords};
use crate::shared::correlation;
use crate::shared::locked::Locked;
use crate::world::World;

pub use control::router as control;

/// Application id of Microsoft Graph.
const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Its delegated permissions, as far as anybody here asks for them.
const SCOPES: [&str; 10] = [
    "Chat.Read",
    "Chat.ReadWrite",
    "ChatMessage.Send",
    "Files.Read.All",
    "offline_access",
    "openid",
    "profile",
    "CrossTenantInformation.ReadBasic.All",
    "User.Read",
    "User.ReadBasic.All",
];

/// Its permissions of apps themselves.
const ROLES: [&str; 3] = [
    "Chat.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Mail.Read",
];

/// Who may change any registration.
const APPLICATION_ROLES: [&str; 3] = [
    "Application Administrator",
    "Cloud Application Administrator",
    "Global Administrator",
];

/// Who may make one.
const MAKER_ROLES: [&str; 4] = [
    "Application Administrator",
    "Cloud Application Administrator",
    "Application Developer",
    "Global Administrator",
];

/// Who may grant delegated permissions.
const GRANT_ROLES: [&str; 4] = [
    "Application Administrator",
    "Cloud Application Administrator",
    "Privileged Role Administrator",
    "Global Administrator",
];

/// Who may give an app a permission of Microsoft Graph of its own.
const ROLE_ROLES: [&str; 2] = ["Privileged Role Administrator", "Global Administrator"];

/// All that is registered.
#[derive(Default)]
pub struct Registrations {
    state: Locked<Registered>,
}

#[derive(Default)]
struct Registered {
    apps: Vec<App>,
    /// Those that were deleted and not purged.
    deleted: Vec<App>,
    principals: Vec<Principal>,
    grants: Vec<Value>,
    assignments: Vec<Value>,
    /// For how many calls that need it something new is unknown.
    lag: u32,
    /// Whether a policy of the tenant forbids client secrets.
    no_passwords: bool,
    /// Calls that changed something.
    writes: usize,
}

struct App {
    id: String,
    app_id: String,
    unique_name: Option<String>,
    fields: Map<String, Value>,
    credentials: Vec<Value>,
    /// Its certificates.
    certificates: Vec<Value>,
    owners: Vec<String>,
    /// The client secrets of an app other than the one that the platform's handler is.
    passwords: Passwords,
    unknown_for: u32,
}

#[derive(Default)]
struct Principal {
    id: String,
    app_id: String,
    /// Client secrets of its own.
    passwords: Vec<Value>,
    owners: Vec<String>,
    unknown_for: u32,
}

/// An id that is always the same for the same words.
fn id_of(what: &str, name: &str) -> String {
    correlation::of_text(&format!("{what}\n{name}"))
}

fn graph_principal() -> String {
    id_of("service principal", MICROSOFT_GRAPH)
}

impl Registrations {
    /// With the registration of the app that the platform's handler is, as its administrator left it.
    pub fn of(world: &World, entra: &Entra) -> Self {
        let config = &world.config;
        let identity = entra.managed_identity_principal();
        let (_, host) = world
            .endpoints
            .secure_functions
            .split_once("://")
            .unwrap_or_default();
        let principal = id_of("service principal", &config.graph_client_id);
        let asked = [
            "Chat.ReadWrite",
            "ChatMessage.Send",
            "Files.Read.All",
            "offline_access",
            "CrossTenantInformation.ReadBasic.All",
            "User.ReadBasic.All",
        ];
        let access = asked.map(|name| json!({ "id": id_of("scope", name), "type": "Scope" }));
        let mut access = access.to_vec();
        access.push(json!({ "id": id_of("role", "Chat.Read.All"), "type": "Role" }));
        let fields = json!({
            "displayName": "Graph-to-Open (local)", "signInAudience": "AzureADMyOrg", "isFallbackPublicClient": null,
            "web": {
                "redirectUris": [format!("https://{host}/api/sign-in")],
                "implicitGrantSettings": { "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false },
            },
            "requiredResourceAccess": [{ "resourceAppId": MICROSOFT_GRAPH, "resourceAccess": access }],
        });
        let has_secret = config.graph_client_authentication == "secret";
        let credential = json!({
            "id": id_of("credential", &config.graph_client_id), "name": "managed-identity",
            "issuer": format!("https://login.microsoftonline.com/{}/v2.0", config.tenant), "subject": identity,
            "audiences": ["api://AzureADTokenExchange"],
        });
        let app = App {
            id: id_of("application", &config.graph_client_id),
            app_id: config.graph_client_id.clone(),
            unique_name: Some("graph-to-open-before".to_owned()),
            fields: fields.as_object().cloned().unwrap_or_default(),
            credentials: if has_secret { vec![] } else { vec![credential] },
            certificates: Vec::new(),
            owners: if has_secret {
                vec![identity.clone()]
            } else {
                vec![]
            },
            passwords: Passwords::none(world.clock),
            unknown_for: 0,
        };
        let known = |app_id: &str, id: String| Principal {
            id,
            app_id: app_id.to_owned(),
            ..Principal::default()
        };
        let users = config.support_accounts.iter();
        let users = users.filter(|it| it.agent_identity.is_none());
        let grants = users.map(|it| {
            json!({
                "id": id_of("grant", &it.user), "clientId": principal, "consentType": "Principal", "principalId": it.user,
                "resourceId": graph_principal(), "scope": format!("openid profile {}", asked.join(" ")),
            })
        });
        let holds = |holder: &str, role: &str| {
            json!({
                "id": id_of(holder, role), "principalId": holder, "resourceId": graph_principal(),
                "appRoleId": id_of("role", role),
            })
        };
        let mut assignments = vec![holds(&principal, "Chat.Read.All")];
        if has_secret {
            assignments.push(holds(&identity, "Application.ReadWrite.OwnedBy"));
        }
        let state = Registered {
            apps: vec![app],
            grants: grants.collect(),
            assignments,
            principals: vec![
                known(MICROSOFT_GRAPH, graph_principal()),
                known(&config.graph_client_id, principal),
                known(&config.managed_identity_client_id, identity),
            ],
            ..Registered::default()
        };
        Self {
            state: Locked::new(state),
        }
    }
}

impl Registered {
    /// The app of this object id, if the call's place knows it.
    fn app(&mut self, id: &str) -> Result<&mut App, Refusal> {
        let app = self
            .apps
            .iter_mut()
            .find(|it| it.id.eq_ignore_ascii_case(id));
        let app = app.ok_or(Refusal::NO_RESOURCE)?;
        match is_known(&mut app.unknown_for) {
            true => Ok(app),
            false => Err(Refusal::NO_RESOURCE),
        }
    }

    /// The app that is named by `applications(appId='…')` or `applications(uniqueName='…')`.
    fn named_app(&mut self, segment: &str) -> Result<&mut App, Refusal> {
        let id = match key_of(segment, "applications")? {
            ("appId", id) => {
                let mut apps = self.apps.iter();
                apps.find(|it| it.app_id.eq_ignore_ascii_case(id))
            }
            ("uniqueName", name) => {
                let mut apps = self.apps.iter();
                apps.find(|it| it.unique_name.as_deref() == Some(name))
            }
            _ => return Err(Refusal::bad_request("Resource not found for the segment.")),
        };
        let id = id.map(|it| it.id.clone()).ok_or(Refusal::NO_RESOURCE)?;
        self.app(&id)
    }

    /// Whether the call's place knows a service principal of this object id.
    fn knows_principal(&mut self, id: &str) -> bool {
        let mut all = self.principals.iter_mut();
        let found = all.find(|it| it.id.eq_ignore_ascii_case(id));
        found.is_some_and(|it| is_known(&mut it.unknown_for))
    }
}

/// Counts a call down for which something new is unknown.
fn is_known(unknown_for: &mut u32) -> bool {
    let is_known = *unknown_for == 0;
    *unknown_for = unknown_for.saturating_sub(1);
    is_known
}

/// Name and value of the key in `{set}(name='value')`.
fn key_of<'a>(segment: &'a str, set: &str) -> Result<(&'a str, &'a str), Refusal> {
    let inner = segment
        .strip_prefix(set)
        .and_then(|it| it.strip_prefix('('));
    let key = inner.and_then(|it| it.strip_suffix("')")?.split_once("='"));
    key.ok_or(Refusal::bad_request("Resource not found for the segment."))
}

/// Only the fields that `$select` names, if it names any.
fn selected(shown: Value, query: &std::collections::HashMap<String, String>) -> Value {
    let Some(fields) = query.get("$select") else {
        return shown;
    };
    let mut shown = shown;
    if let Some(all) = shown.as_object_mut() {
        all.retain(|name, _| fields.split(',').any(|it| it == name));
    }
    shown
}

/// An object of the request's body.
fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    const MALFORMED: Refusal = Refusal::bad_request("Unable to read JSON request payload.");
    serde_json::from_slice(body).map_err(|_| MALFORMED)
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

impl Graph {
    /// Lets whoever is logged in to the Azure CLI read.
    fn check_reader(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let claims = self.claims(headers)?;
        let scopes = claims["scp"].as_str().unwrap_or_default();
        let is_there = claims["oid"] == self.entra.operator()
            && scopes
                .split(' ')
                .any(|it| it == "Application.ReadWrite.All");
        is_there.then_some(()).ok_or(Refusal::DENIED)
    }

    /// Lets them change something with one of these roles.
    fn check_role(&self, headers: &HeaderMap, any_of: &[&str]) -> Result<(), Refusal> {
        self.check_reader(headers)?;
        let may = self.entra.operator_is(any_of);
        may.then_some(()).ok_or(Refusal::DENIED)
    }

    /// Lets them change an app that they own, too.
    fn check_administrator(&self, headers: &HeaderMap, app: &str) -> Result<(), Refusal> {
        self.check_reader(headers)?;
        let who = self.entra.operator();
        let state = self.registrations.state.lock();
        let mut owned = state.apps.iter().filter(|it| it.owners.contains(&who));
        if owned.any(|it| it.id.eq_ignore_ascii_case(app)) {
            return Ok(());
        }
        drop(state);
        self.check_role(headers, &APPLICATION_ROLES)
    }
}

/// Routes below `/v1.0`.
pub fn router() -> Router<Arc<Graph>> {
    apps::router()
        .merge(principals::router())
        .merge(removal::router())
}
