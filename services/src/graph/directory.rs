//! What Graph tells of tenants and of the people in our own directory (delegated permissions
//! `CrossTenantInformation.ReadBasic.All` and `User.ReadBasic.All`; neither needs a role).

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::UserGraph;
use super::user::Page;
use crate::address;
use crate::error::{ErrorKind, Result, Service};

/// What any tenant shows of itself ("tenantInformation resource type"). `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantRecord {
    /// Its id.
    pub tenant_id: Option<String>,
    /// Name of the organization, which it chooses itself.
    pub display_name: Option<String>,
    /// Its primary domain, which it has proven to own.
    pub default_domain_name: Option<String>,
}

impl fmt::Debug for TenantRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRecord").finish_non_exhaustive()
    }
}

/// Of a user's record what tells it from others'.
#[derive(Deserialize)]
struct UserId {
    id: String,
}

/// A person or guest in our own directory ("user resource type"). `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserRecord {
    /// Sign-in name; that of a guest contains `#EXT#`.
    pub user_principal_name: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord").finish_non_exhaustive()
    }
}

impl UserGraph<'_> {
    /// A tenant by its id ("tenantRelationship: findTenantInformationByTenantId"); `None` where there is none.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn tenant(&self, correlation: &str, tenant: &str) -> Result<Option<TenantRecord>> {
        let function = "findTenantInformationByTenantId(tenantId=";
        self.tenant_by(correlation, function, tenant).await
    }

    /// The tenant that has proven to own a domain ("tenantRelationship: findTenantInformationByDomainName"); `None` where none
    /// has.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn tenant_of_domain(
        &self,
        correlation: &str,
        domain: &str,
    ) -> Result<Option<TenantRecord>> {
        let function = "findTenantInformationByDomainName(domainName=";
        self.tenant_by(correlation, function, domain).await
    }

    /// Somebody of our own directory ("Get a user"); `None` where the id is nobody's there, as those of other tenants are.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn user(&self, correlation: &str, user: &str) -> Result<Option<UserRecord>> {
        let user = address::segment(Service::Graph, user)?;
        let url = format!("{}/users/{user}", self.graph.base);
        let query = [("$select", "userPrincipalName,mail")];
        self.find(correlation, &url, &query).await
    }

    /// Whether somebody else of our own directory is shown than this user, who calls ("List users"): anybody may be shown
    /// oneself.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn sees_others(&self, correlation: &str, own: &str) -> Result<bool> {
        let url = format!("{}/users", self.graph.base);
        let query = [("$select", "id"), ("$top", "2")];
        let page: Page<UserId> = self.read(correlation, &url, &query).await?;
        let mut users = page.value.iter();
        Ok(users.any(|user| !user.id.eq_ignore_ascii_case(own)))
    }

    async fn tenant_by(
        &self,
        correlation: &str,
        function: &str,
        value: &str,
    ) -> Result<Option<TenantRecord>> {
        let value = address::segment(Service::Graph, value)?;
        let url = format!(
            "{}/tenantRelationships/{function}'{value}')",
            self.graph.base
        );
        self.find(correlation, &url, &[]).await
    }

    async fn find<T: DeserializeOwned>(
        &self,
        correlation: &str,
        url: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>> {
        match self.read(correlation, url, query).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }
}
