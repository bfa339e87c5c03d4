//! App registrations, their service principals and what these were granted, for an administrator with a token of their own.
//!
//! Sources: Microsoft Graph v1.0 reference, "Upsert application", "Update application", "federatedIdentityCredential resource
//! type", "Create servicePrincipal", "oAuth2PermissionGrant resource type", "Grant an appRoleAssignment to a service principal",
//! "Add owner". What was just made can be unknown for minutes ("Designing for eventual consistency for Microsoft Entra"): whoever
//! calls repeats what [`is_not_yet_known`] says.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::own_app::scope_of;
use super::user::Page;
use crate::address::{base, segment};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::managed_identity::ManagedIdentity;

const US: Service = Service::Graph;

mod records;
mod removal;
pub use records::*;
pub use removal::Deleted;

/// Application id of Microsoft Graph itself, in every tenant.
pub const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// The directory writes to several places before it answers.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer: Graph's own service principal lists all permissions that there are.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// Most pages of a list.
const MOST_PAGES: usize = 100;

/// The directory's part of Graph, as one identity.
#[derive(Debug)]
pub struct Registrations {
    client: reqwest::Client,
    base: String,
    scope: String,
    identity: Arc<ManagedIdentity>,
}

/// How an app registration is named.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// By its application (client) id.
    AppId(&'a str),
    /// By the key that its maker gave it, and that never changes.
    UniqueName(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShownApi {
    id: String,
    oauth2_permission_scopes: Vec<Permission>,
    app_roles: Vec<Permission>,
}

#[derive(Deserialize)]
struct Permission {
    id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    id: String,
}

/// Whether a refusal may only mean that the directory does not know everywhere yet what was just made.
pub fn is_not_yet_known(error: &ServiceError) -> bool {
    // "Not a valid reference update." has no code of its own.
    let is_reference = error.kind == ErrorKind::Rejected
        && matches!(error.code.as_deref(), Some("Request_BadRequest"));
    is_reference || error.kind == ErrorKind::NotFound
}

/// Whether a refusal says that there is such an object already.
pub fn is_already_there(error: &ServiceError) -> bool {
    let codes = ["Request_MultipleObjectsWithSameKeyValue", "InvalidUpdate"];
    let code = error.code.as_deref().unwrap_or_default();
    // "Error due to concurrent requests being made to the tenant. Please wait briefly and retry." is a conflict as well.
    let is_busy = code == "Directory_ConcurrencyViolation";
    (error.kind == ErrorKind::Conflict && !is_busy) || codes.contains(&code)
}

impl Registrations {
    /// The directory at this Graph; nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        graph_endpoint: &str,
        identity: Arc<ManagedIdentity>,
    ) -> Self {
        let base = base(graph_endpoint);
        Self {
            client,
            scope: scope_of(&base),
            base,
            identity,
        }
    }

    /// An app registration; `None` when there is none, or none that is known yet.
    ///
    /// # Errors
    /// As all calls here: `Forbidden` without the right; otherwise Graph refused or could not be reached.
    pub async fn application(&self, named: Named<'_>) -> Result<Option<Application>> {
        let key = match named {
            Named::AppId(id) => format!("appId='{}'", segment(US, id)?),
            Named::UniqueName(name) => format!("uniqueName='{}'", segment(US, name)?),
        };
        let fields = "id,appId,uniqueName,displayName,signInAudience,isFallbackPublicClient,web,spa,publicClient,requiredResourceAccess,passwordCredentials,keyCredentials";
        self.find(&format!("applications({key})?$select={fields}"))
            .await
    }

    /// Makes an app registration under a unique name, or gives the one that has it these values; tells whether it was made now.
    ///
    /// # Errors
    /// As [`Self::application`]; [`is_already_there`] when a deleted one keeps the name.
    pub async fn upsert_application(
        &self,
        unique_name: &str,
        wanted: &Application,
    ) -> Result<bool> {
        let path = format!("applications(uniqueName='{}')", segment(US, unique_name)?);
        let request = self.request(Method::PATCH, &path).await?;
        // Without it there would only be an update.
        let request = request.header("Prefer", "create-if-missing").json(wanted);
        let answer = exchange::send(US, request, ANSWER_LIMIT).await?;
        Ok(answer.status == StatusCode::CREATED)
    }

    /// Gives an app registration these values.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn update_application(&self, id: &str, wanted: &Application) -> Result<()> {
        self.write(Method::PATCH, &format!("applications/{id}"), wanted)
            .await
    }

    /// The federated credentials of an app registration.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn credentials(&self, id: &str) -> Result<Vec<FederatedCredential>> {
        self.list(&format!("applications/{id}/federatedIdentityCredentials"))
            .await
    }

    /// Gives an app registration a federated credential.
    ///
    /// # Errors
    /// As [`Self::application`]; [`is_already_there`] when there is one of this name. A policy of the tenant shows in the code.
    pub async fn add_credential(&self, id: &str, wanted: &FederatedCredential) -> Result<()> {
        let path = format!("applications/{id}/federatedIdentityCredentials");
        self.write(Method::POST, &path, wanted).await
    }

    /// Changes a federated credential, all but its name.
    ///
    /// # Errors
    /// As [`Self::add_credential`].
    pub async fn update_credential(
        &self,
        id: &str,
        credential: &str,
        wanted: &FederatedCredential,
    ) -> Result<()> {
        let path = format!("applications/{id}/federatedIdentityCredentials/{credential}");
        let body = json!({ "issuer": wanted.issuer, "subject": wanted.subject, "audiences": wanted.audiences });
        self.write(Method::PATCH, &path, &body).await
    }

    /// Object ids of an app registration's owners.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn owners(&self, id: &str) -> Result<Vec<String>> {
        let all: Vec<Object> = self
            .list(&format!("applications/{id}/owners?$select=id"))
            .await?;
        Ok(all.into_iter().map(|it| it.id).collect())
    }

    /// Makes a person or a service principal an owner.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn add_owner(&self, id: &str, owner: &str) -> Result<()> {
        let reference = format!("{}/v1.0/directoryObjects/{owner}", self.base);
        let body = json!({ "@odata.id": reference });
        self.write(
            Method::POST,
            &format!("applications/{id}/owners/$ref"),
            &body,
        )
        .await
    }

    /// Takes the ownership away; whoever owns nothing is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn remove_owner(&self, id: &str, owner: &str) -> Result<()> {
        self.remove(&format!("applications/{id}/owners/{owner}/$ref"))
            .await
    }

    /// An app's service principal; `None` when there is none, or none that is known yet.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn principal(&self, app_id: &str) -> Result<Option<Principal>> {
        self.find(&format!(
            "servicePrincipals(appId='{}')?$select=id,passwordCredentials,keyCredentials",
            segment(US, app_id)?
        ))
        .await
    }

    /// Object ids of a service principal's owners.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn principal_owners(&self, id: &str) -> Result<Vec<String>> {
        let all: Vec<Object> = self
            .list(&format!("servicePrincipals/{id}/owners?$select=id"))
            .await?;
        Ok(all.into_iter().map(|it| it.id).collect())
    }

    /// Makes an app's service principal.
    ///
    /// # Errors
    /// As [`Self::application`]; [`is_already_there`] when it has one.
    pub async fn create_principal(&self, app_id: &str) -> Result<String> {
        let request = self.request(Method::POST, "servicePrincipals").await?;
        let request = request.json(&json!({ "appId": app_id }));
        let made: Object = exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
        Ok(made.id)
    }

    /// Microsoft Graph's own service principal and the ids of its permissions.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn microsoft_graph(&self) -> Result<Api> {
        let path = format!(
            "servicePrincipals(appId='{MICROSOFT_GRAPH}')?$select=id,oauth2PermissionScopes,appRoles"
        );
        let request = self.request(Method::GET, &path).await?;
        let shown: ShownApi = exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
        let by_name = |all: Vec<Permission>| {
            let named = all.into_iter().filter_map(|it| Some((it.value?, it.id)));
            named.collect()
        };
        Ok(Api {
            id: shown.id,
            scopes: by_name(shown.oauth2_permission_scopes),
            roles: by_name(shown.app_roles),
        })
    }

    /// The delegated permissions that a service principal was granted.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn grants(&self, principal: &str) -> Result<Vec<Grant>> {
        self.list(&format!(
            "servicePrincipals/{principal}/oauth2PermissionGrants"
        ))
        .await
    }

    /// Grants delegated permissions.
    ///
    /// # Errors
    /// As [`Self::application`]; [`is_already_there`] when the same person has a grant for the same API.
    pub async fn add_grant(&self, grant: &Grant) -> Result<()> {
        self.write(Method::POST, "oauth2PermissionGrants", grant)
            .await
    }

    /// Gives a grant other permissions.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn set_grant(&self, id: &str, scope: &str) -> Result<()> {
        let path = format!("oauth2PermissionGrants/{}", segment(US, id)?);
        self.write(Method::PATCH, &path, &json!({ "scope": scope }))
            .await
    }

    /// Takes a grant away; one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn remove_grant(&self, id: &str) -> Result<()> {
        self.remove(&format!("oauth2PermissionGrants/{}", segment(US, id)?))
            .await
    }

    /// The permissions that a service principal holds itself.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn roles(&self, principal: &str) -> Result<Vec<RoleAssignment>> {
        self.list(&format!("servicePrincipals/{principal}/appRoleAssignments"))
            .await
    }

    /// Gives a service principal a permission of its own.
    ///
    /// # Errors
    /// As [`Self::application`]; [`is_already_there`] when it holds it.
    pub async fn assign_role(&self, wanted: &RoleAssignment) -> Result<()> {
        let path = format!("servicePrincipals/{}/appRoleAssignedTo", wanted.resource_id);
        self.write(Method::POST, &path, wanted).await
    }

    /// Takes a permission away; one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn remove_role(&self, assignment: &RoleAssignment) -> Result<()> {
        let (resource, id) = (&assignment.resource_id, segment(US, &assignment.id)?);
        self.remove(&format!(
            "servicePrincipals/{resource}/appRoleAssignedTo/{id}"
        ))
        .await
    }

    /// Whether the directory has a user of this object id.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn has_user(&self, id: &str) -> Result<bool> {
        let path = format!("users/{}?$select=id", segment(US, id)?);
        let found: Option<Object> = self.find(&path).await?;
        Ok(found.is_some())
    }

    async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let request = self.request(Method::GET, path).await?;
        match exchange::send_for_json(US, request, ANSWER_LIMIT).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut path = path.to_owned();
        for _ in 0..MOST_PAGES {
            let request = self.request(Method::GET, &path).await?;
            let page: Page<T> = exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
            all.extend(page.value);
            let Some(next) = page.next else {
                return Ok(all);
            };
            // A token goes to no other place than it was got for.
            let rest = next.strip_prefix(&format!("{}/v1.0/", self.base));
            path = rest.map(str::to_owned).ok_or_else(malformed)?;
        }
        Err(malformed())
    }

    async fn write(&self, method: Method, path: &str, body: &impl Serialize) -> Result<()> {
        let request = self.request(method, path).await?.json(body);
        self.done(request).await
    }

    async fn remove(&self, path: &str) -> Result<()> {
        let request = self.request(Method::DELETE, path).await?;
        match self.done(request).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    async fn done(&self, request: RequestBuilder) -> Result<()> {
        exchange::send(US, request, ANSWER_LIMIT).await.map(drop)
    }

    async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let token = self.identity.token(&self.scope).await?;
        let request = self
            .client
            .request(method, format!("{}/v1.0/{path}", self.base));
        Ok(request
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT))
    }
}

fn malformed() -> ServiceError {
    ServiceError::new(US, ErrorKind::Malformed, Sent::Yes)
}

#[cfg(test)]
mod tests;
