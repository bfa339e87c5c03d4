//! What Graph tells of tenants and of our own directory: `findTenantInformationByTenantId` and `…ByDomainName`, and a user.
//! Nobody is there but the Support Users, an administrator and who was put there through the control interface; a tenant that was
//! not put there is unknown. Sources: Microsoft Learn, "tenantRelationship: findTenantInformationByTenantId", "Get a user", "List
//! users".

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::put;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answers::Refusal;
use super::state::Graph;
use crate::shared::locked::Locked;
use crate::shared::refused::Refused;
use crate::world::SupportAccount;

type Shared = State<Arc<Graph>>;
type Answer = Result<Json<Value>, Refusal>;

/// The only permission that lets a caller ask about tenants.
const ABOUT_TENANTS: [&str; 1] = ["CrossTenantInformation.ReadBasic.All"];

/// Permissions that let a caller read what is basic of anybody in the directory.
const ABOUT_USERS: [&str; 3] = ["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"];

/// Who administers our tenant.
const ADMINISTRATOR: &str = "00000000-0000-4000-8000-0000000000ad";

/// Most users of one page.
const LARGEST_PAGE: usize = 999;

/// All tenants, and the people of ours.
pub struct Directory {
    tenants: Locked<BTreeMap<String, Tenant>>,
    users: Locked<BTreeMap<String, User>>,
}

/// A tenant, as the control interface names it.
#[derive(Clone, Deserialize)]
struct Tenant {
    name: String,
    /// Its domains, the primary one first.
    domains: Vec<String>,
}

/// Somebody of our directory.
#[derive(Clone, Deserialize)]
struct User {
    upn: String,
    mail: Option<String>,
}

impl Directory {
    /// That of a tenant with these Support Users.
    pub fn of(support_accounts: &[SupportAccount]) -> Self {
        let accounts = support_accounts.iter();
        let accounts = accounts.map(|it| (it.user.as_str(), it.name.as_str()));
        let people = accounts.chain([(ADMINISTRATOR, "administrator")]);
        let people = people.map(|(id, name)| {
            let upn = format!("{name}@contoso.example");
            (id.to_owned(), User { upn, mail: None })
        });
        Self {
            tenants: Locked::default(),
            users: Locked::new(people.collect()),
        }
    }
}

impl Directory {
    /// Whether somebody of ours has this object id.
    pub fn has_user(&self, id: &str) -> bool {
        self.users.lock().contains_key(id)
    }
}

/// The control interface's routes about the directories.
pub fn control() -> Router<Arc<Graph>> {
    Router::new()
        .route("/local/graph/tenants/{tenant}", put(put_tenant))
        .route("/local/graph/users/{user}", put(put_user))
}

async fn put_tenant(
    State(graph): Shared,
    Path(tenant): Path<Uuid>,
    Json(mut named): Json<Tenant>,
) -> Result<StatusCode, Refused> {
    for domain in &mut named.domains {
        domain.make_ascii_lowercase();
    }
    if named.domains.is_empty() {
        return Err(Refused::bad_request("a tenant has a domain at least"));
    }
    let mut tenants = graph.directory.tenants.lock();
    let id = tenant.to_string();
    let is_taken = |(other, tenant): (&String, &Tenant)| {
        *other != id && tenant.domains.iter().any(|it| named.domains.contains(it))
    };
    if tenants.iter().any(is_taken) {
        return Err(Refused::bad_request("a domain belongs to one tenant"));
    }
    tenants.insert(id, named);
    Ok(StatusCode::NO_CONTENT)
}

async fn put_user(
    State(graph): Shared,
    Path(user): Path<Uuid>,
    Json(named): Json<User>,
) -> StatusCode {
    graph.directory.users.lock().insert(user.to_string(), named);
    StatusCode::NO_CONTENT
}

/// `GET /tenantRelationships/{function}`.
pub async fn tenant(
    State(graph): Shared,
    Path(function): Path<String>,
    headers: HeaderMap,
) -> Answer {
    graph.caller(&headers)?.may(&ABOUT_TENANTS)?;
    let argument = |name: &str| {
        let rest = function.strip_prefix(name)?;
        rest.strip_prefix("='")
            .or_else(|| rest.strip_prefix("=%27"))?
            .strip_suffix("')")
    };
    let tenants = graph.directory.tenants.lock();
    let found = if let Some(id) = argument("findTenantInformationByTenantId(tenantId") {
        let id = Uuid::parse_str(id).map_err(|_| Refusal::bad_request("Invalid tenant id."))?;
        tenants.get_key_value(&id.to_string())
    } else if let Some(domain) = argument("findTenantInformationByDomainName(domainName") {
        let domain = domain.to_ascii_lowercase();
        tenants
            .iter()
            .find(|(_, tenant)| tenant.domains.contains(&domain))
    } else {
        return Err(Refusal::bad_request("Resource not found for the segment."));
    };
    let (id, tenant) = found.ok_or(Refusal::NOT_FOUND)?;
    Ok(Json(json!({
        "tenantId": id,
        "federationBrandName": null,
        "displayName": tenant.name,
        "defaultDomainName": tenant.domains[0],
    })))
}

/// `GET /users?$select=id`, at most `$top` of them.
pub async fn users(
    State(graph): Shared,
    Query(options): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    graph.caller(&headers)?.may(&ABOUT_USERS)?;
    let known = ["$select", "$top"];
    let top = options.get("$top").and_then(|it| it.parse().ok());
    let top = top.filter(|it| (1..=LARGEST_PAGE).contains(it));
    let is_sound = options.keys().all(|it| known.contains(&it.as_str()))
        && options.get("$select").is_some_and(|it| it == "id");
    let (Some(top), true) = (top, is_sound) else {
        return Err(Refusal::bad_request("Invalid query option."));
    };
    let users = graph.directory.users.lock();
    let ids = users.keys().take(top).map(|id| json!({ "id": id }));
    Ok(Json(json!({ "value": ids.collect::<Vec<_>>() })))
}

/// `GET /users/{id}`: people of other tenants are in no directory of ours.
pub async fn user(
    State(graph): Shared,
    Path(user): Path<String>,
    Query(options): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    let caller = graph.caller(&headers)?;
    caller.may(&ABOUT_USERS)?;
    let users = graph.directory.users.lock();
    let found = users.get(&user).ok_or(Refusal::NOT_FOUND)?;
    if options.get("$select").is_some_and(|it| it == "id") {
        return Ok(Json(json!({ "id": user })));
    }
    Ok(Json(
        json!({ "userPrincipalName": found.upn, "mail": found.mail }),
    ))
}
