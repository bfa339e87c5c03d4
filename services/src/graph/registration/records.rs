//! What Graph tells of registrations and grants, and takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An app registration ("application resource type"), as far as it concerns us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Application {
    /// Object id.
    #[serde(skip_serializing)]
    pub id: String,
    /// Application (client) id.
    #[serde(skip_serializing)]
    pub app_id: String,
    /// The key that its maker gave it.
    #[serde(skip_serializing)]
    pub unique_name: Option<String>,
    /// Name that people see.
    pub display_name: String,
    /// Who may sign in, e.g. `AzureADMyOrg`.
    pub sign_in_audience: String,
    /// Whether it may act without a credential.
    pub is_fallback_public_client: Option<bool>,
    /// Its addresses.
    pub web: Web,
    /// Those to which a page in a browser may ask for tokens, without a credential.
    #[serde(skip_serializing)]
    pub spa: Option<Addresses>,
    /// Those to which a program may, without a credential.
    #[serde(skip_serializing)]
    pub public_client: Option<Addresses>,
    /// The permissions that it asks for.
    pub required_resource_access: Vec<RequiredAccess>,
    /// Its client secrets, which only actions of their own change.
    #[serde(skip_serializing)]
    pub password_credentials: Vec<Key>,
    /// Its certificates.
    #[serde(skip_serializing)]
    pub key_credentials: Vec<Key>,
}

/// "spaApplication resource type", "publicClientApplication resource type".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addresses {
    /// Where a sign-in may lead.
    pub redirect_uris: Vec<String>,
}

/// A client secret or a certificate, by its id ("passwordCredential resource type", "keyCredential resource type").
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Key {
    /// Its id.
    pub key_id: String,
    /// Its name, which whoever added it chose.
    pub display_name: Option<String>,
}

/// An app's service principal ("servicePrincipal resource type"). It can hold credentials of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Its object id.
    pub id: String,
    /// Its client secrets.
    #[serde(default)]
    pub password_credentials: Vec<Key>,
    /// Its certificates.
    #[serde(default)]
    pub key_credentials: Vec<Key>,
}

/// Addresses of an app ("webApplication resource type").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Web {
    /// Where a sign-in may lead.
    pub redirect_uris: Vec<String>,
    /// Whether tokens are given out without a code.
    pub implicit_grant_settings: ImplicitGrants,
}

/// "implicitGrantSettings resource type".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImplicitGrants {
    /// For access tokens.
    pub enable_access_token_issuance: bool,
    /// For id tokens.
    pub enable_id_token_issuance: bool,
}

/// Permissions of one API ("requiredResourceAccess resource type").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequiredAccess {
    /// Application id of the API.
    pub resource_app_id: String,
    /// The permissions.
    pub resource_access: Vec<Access>,
}

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Access {
    /// Its id.
    pub id: String,
    /// `Scope` for a delegated one, `Role` for the app's own.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A federated credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedCredential {
    /// Its id.
    #[serde(skip_serializing, default)]
    pub id: String,
    /// Its name, which never changes.
    pub name: String,
    /// Who issues the tokens, to the letter.
    pub issuer: String,
    /// Whose tokens they are, to the letter.
    pub subject: String,
    /// For whom the tokens are.
    pub audiences: Vec<String>,
}

/// Delegated permissions that were granted to an app ("oAuth2PermissionGrant resource type").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Its id.
    #[serde(skip_serializing, default)]
    pub id: String,
    /// Object id of the app's service principal.
    pub client_id: String,
    /// `Principal` for one person, `AllPrincipals` for everybody.
    pub consent_type: String,
    /// Object id of the person.
    pub principal_id: Option<String>,
    /// Object id of the API's service principal.
    pub resource_id: String,
    /// The permissions, separated by blanks.
    pub scope: String,
}

/// A permission that a service principal holds itself ("appRoleAssignment resource type").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    /// Its id.
    #[serde(skip_serializing, default)]
    pub id: String,
    /// Object id of the holder.
    pub principal_id: String,
    /// Object id of the API's service principal.
    pub resource_id: String,
    /// Id of the permission.
    pub app_role_id: String,
}

/// An API's service principal with the ids of its permissions by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Api {
    /// Its object id.
    pub id: String,
    /// The delegated ones.
    pub scopes: BTreeMap<String, String>,
    /// Those of an app itself.
    pub roles: BTreeMap<String, String>,
}

/// A delegated permission of this id.
pub fn scope(id: &str) -> Access {
    access(id, "Scope")
}

/// A permission of an app's own of this id.
pub fn role(id: &str) -> Access {
    access(id, "Role")
}

fn access(id: &str, kind: &str) -> Access {
    Access {
        id: id.to_owned(),
        kind: kind.to_owned(),
    }
}
