//! The end of an app registration.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Registrations, segment};
use crate::error::{ErrorKind, Result, Service};

/// A registration that was deleted and not purged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// Object id.
    pub id: String,
    /// Application (client) id.
    pub app_id: String,
    /// The key that its maker gave it, which it keeps.
    #[serde(default)]
    pub unique_name: Option<String>,
    /// Name that people see.
    #[serde(default)]
    pub display_name: Option<String>,
}

const DELETED: &str = "directory/deletedItems/microsoft.graph.application";
const SHOWN: &str = "$select=id,appId,uniqueName,displayName";

impl Registrations {
    /// Deletes an app registration with all that it was granted; one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn delete_application(&self, id: &str) -> Result<()> {
        let id = segment(Service::Graph, id)?;
        self.remove(&format!("applications/{id}")).await
    }

    /// A deleted registration by its application id; `None` when there is none.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn deleted_application(&self, app_id: &str) -> Result<Option<Deleted>> {
        let app_id = segment(Service::Graph, app_id)?;
        let path = format!("{DELETED}?$filter=appId eq '{app_id}'&{SHOWN}");
        let found: Vec<Deleted> = self.list(&path).await?;
        Ok(found.into_iter().next())
    }

    /// All deleted registrations: no filter on the unique name is documented.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn deleted_applications(&self) -> Result<Vec<Deleted>> {
        self.list(&format!("{DELETED}?{SHOWN}")).await
    }

    /// Removes a client secret of a registration ("application: removePassword"); one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn remove_password(&self, id: &str, key_id: &str) -> Result<()> {
        let id = segment(Service::Graph, id)?;
        let path = format!("applications/{id}/removePassword");
        let body = json!({ "keyId": key_id });
        match self.write(Method::POST, &path, &body).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Deletes a deleted app registration for good: until then its unique name stays taken, for 30 days (Microsoft Graph,
    /// "Permanently delete an item").
    ///
    /// # Errors
    /// As [`Self::application`]; `NotFound` while the directory does not know everywhere yet that it was deleted.
    pub async fn purge_application(&self, id: &str) -> Result<()> {
        let id = segment(Service::Graph, id)?;
        let path = format!("directory/deletedItems/{id}");
        let request = self.request(Method::DELETE, &path).await?;
        self.done(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Double, Reply, client, identity};

    #[tokio::test]
    async fn a_registration_is_deleted_found_among_the_deleted_and_purged() {
        let shown = json!({ "value": [{ "id": "o-1", "appId": "a-1", "uniqueName": "u-1", "displayName": null }] });
        let double = Double::start([
            Reply::new(204, ""),
            Reply::json(200, &shown),
            Reply::json(200, &shown),
            Reply::new(404, ""),
            Reply::new(204, ""),
        ])
        .await;
        let directory = Registrations::new(client(), &double.base, identity());
        directory.delete_application("o-1").await.expect("deleted");
        let found = directory.deleted_application("a-1").await.expect("listed");
        let found = found.expect("one");
        assert_eq!(
            (found.id.as_str(), found.unique_name.as_deref()),
            ("o-1", Some("u-1"))
        );
        let all = directory.deleted_applications().await;
        assert_eq!(all.expect("listed"), [found]);
        let early = directory.purge_application("o-1").await;
        assert_eq!(early.map_err(|it| it.kind), Err(ErrorKind::NotFound));
        directory.purge_application("o-1").await.expect("purged");
        let seen = double.seen();
        let calls: Vec<_> = seen
            .iter()
            .map(|it| (it.method.as_str(), it.path()))
            .collect();
        assert_eq!(
            calls,
            [
                ("DELETE", "/v1.0/applications/o-1"),
                (
                    "GET",
                    "/v1.0/directory/deletedItems/microsoft.graph.application"
                ),
                (
                    "GET",
                    "/v1.0/directory/deletedItems/microsoft.graph.application"
                ),
                ("DELETE", "/v1.0/directory/deletedItems/o-1"),
                ("DELETE", "/v1.0/directory/deletedItems/o-1"),
            ]
        );
    }

    #[tokio::test]
    async fn a_client_secret_is_removed_or_gone() {
        let double = Double::start([Reply::new(204, ""), Reply::new(404, "")]).await;
        let directory = Registrations::new(client(), &double.base, identity());
        for _ in 0..2 {
            directory.remove_password("o-1", "k-1").await.expect("gone");
        }
        let seen = double.seen();
        assert_eq!(seen[0].path(), "/v1.0/applications/o-1/removePassword");
        assert_eq!(seen[0].json(), json!({ "keyId": "k-1" }));
    }
}
