//! Whoever is at the keyboard, logged in to the Azure CLI: the person's tokens, and the roles that they hold in the directory.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::state::Entra;
use crate::shared::correlation;

/// The Azure CLI's own application.
const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// What the Azure CLI may do at Graph for whoever is logged in, as far as a set-up needs it. What the person may do besides is
/// decided by their roles.
const GRAPH_SCOPES: &str = "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All Directory.AccessAsUser.All User.Read.All";

/// Where the CLI gets tokens for: the host of a scope, and whether the audience ends with a slash.
pub const RESOURCES: [&str; 5] = [
    "graph.microsoft.com",
    "management.azure.com",
    "storage.azure.com",
    "vault.azure.net",
    "servicebus.azure.net",
];

/// A login lasts longer than any run of the platform that somebody watches.
const LIFE: i64 = 7 * 24 * 3600;

/// The directory's roles that matter here ("Microsoft Entra built-in roles").
pub const ROLES: [&str; 5] = [
    "Application Administrator",
    "Cloud Application Administrator",
    "Application Developer",
    "Privileged Role Administrator",
    "Global Administrator",
];

/// The roles at the start: whoever sets an installation up.
pub(super) fn roles() -> BTreeSet<String> {
    let held = ["Application Administrator", "Privileged Role Administrator"];
    held.map(str::to_owned).into()
}

impl Entra {
    /// Object id of the person.
    #[must_use]
    pub fn operator(&self) -> String {
        correlation::of_text(&format!("operator\n{}", self.world.config.tenant))
    }

    /// Whether the person holds one of these roles.
    #[must_use]
    pub fn operator_is(&self, any_of: &[&str]) -> bool {
        let held = self.operator_roles.lock();
        any_of.iter().any(|role| held.contains(*role))
    }

    /// What `az account get-access-token` prints for the resource at this host.
    #[must_use]
    pub fn operator_login(&self, host: &str) -> Value {
        let ends = OffsetDateTime::now_utc().unix_timestamp() + LIFE;
        let scopes = match host {
            "graph.microsoft.com" => GRAPH_SCOPES,
            _ => "user_impersonation",
        };
        let who = self.operator();
        let token = self.issue(json!({
            "ver": "1.0", "aud": format!("https://{host}"), "exp": ends, "oid": who, "sub": who, "appid": AZURE_CLI,
            "idtyp": "user", "scp": scopes, "uti": Uuid::new_v4().simple().to_string(),
        }));
        json!({
            "accessToken": token, "expires_on": ends, "tokenType": "Bearer", "tenant": self.world.config.tenant,
        })
    }
}
