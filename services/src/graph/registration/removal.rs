//! The end of an app registration.

use reqwest::Method;
use serde::Deserialize;

use super::{Registrations, segment};
use crate::error::{Result, Service};

#[derive(Deserialize)]
struct Deleted {
    id: String,
}

impl Registrations {
    /// Deletes an app registration with all that it was granted; one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn delete_application(&self, id: &str) -> Result<()> {
        let id = segment(Service::Graph, id)?;
        self.remove(&format!("applications/{id}")).await
    }

    /// Object id of a deleted registration by its application id; `None` when there is none.
    ///
    /// # Errors
    /// As [`Self::application`].
    pub async fn deleted_application(&self, app_id: &str) -> Result<Option<String>> {
        let app_id = segment(Service::Graph, app_id)?;
        let path = format!(
            "directory/deletedItems/microsoft.graph.application?$filter=appId eq '{app_id}'&$select=id"
        );
        let found: Vec<Deleted> = self.list(&path).await?;
        Ok(found.into_iter().next().map(|it| it.id))
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
    use crate::error::ErrorKind;
    use crate::testing::{Double, Reply, client, identity};

    #[tokio::test]
    async fn a_registration_is_deleted_found_among_the_deleted_and_purged() {
        let double = Double::start([
            Reply::new(204, ""),
            Reply::new(200, r#"{"value":[{"id":"o-1"}]}"#),
            Reply::new(404, ""),
            Reply::new(204, ""),
        ])
        .await;
        let directory = Registrations::new(client(), &double.base, identity());
        directory.delete_application("o-1").await.expect("deleted");
        let found = directory.deleted_application("a-1").await.expect("listed");
        assert_eq!(found.as_deref(), Some("o-1"));
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
                ("DELETE", "/v1.0/directory/deletedItems/o-1"),
                ("DELETE", "/v1.0/directory/deletedItems/o-1"),
            ]
        );
    }
}
