//! What the platform itself does with Blob Storage: make the containers, show what failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use http::{Method, StatusCode};
use jsonwebtoken::{EncodingKey, Header, encode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::hub::OWN;
use crate::world::World;

/// The containers that the infrastructure would make.
const CONTAINERS: [&str; 3] = ["state", "failed", "attachments"];
const FAILED: &str = "failed";
/// A line of the access log comes at most this long after its answer.
const ACCESS_LOG: Duration = Duration::from_secs(10);
/// A version of the REST interface that Azurite knows.
const VERSION: &str = "2021-12-02";

/// A client of the Azurite of this world.
#[derive(Debug)]
pub(crate) struct Blobs {
    client: reqwest::Client,
    endpoint: String,
    world: Arc<World>,
    requests: AtomicU64,
}

impl Blobs {
    pub(crate) fn new(world: &Arc<World>, endpoint: &str) -> reqwest::Result<Self> {
        Ok(Self {
            client: world.authority.client()?,
            endpoint: endpoint.to_owned(),
            world: Arc::clone(world),
            requests: AtomicU64::new(0),
        })
    }

    /// Azurite checks a token's claims and not its signature.
    fn token(&self) -> anyhow::Result<String> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let tenant = &self.world.config.tenant;
        let claims = json!({
            "aud": "https://storage.azure.com",
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "tid": tenant,
            "oid": tenant,
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3_600,
        });
        let key = EncodingKey::from_secret(b"local-platform");
        Ok(encode(&Header::default(), &claims, &key)?)
    }

    /// Sends a request that is marked as ours by this number.
    async fn call(&self, method: Method, path: &str) -> anyhow::Result<(StatusCode, Vec<u8>, u64)> {
        self.call_with(method, path, Vec::new()).await
    }

    async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<(StatusCode, Vec<u8>, u64)> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = self
            .client
            .request(method, format!("{}/{path}", self.endpoint))
            .query(&[(OWN, number)])
            .bearer_auth(self.token()?)
            .header("x-ms-version", VERSION)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-length", body.len())
            .body(body)
            .send()
            .await
            .context("Azurite does not answer")?;
        let status = answer.status();
        Ok((status, answer.bytes().await?.to_vec(), number))
    }

    /// Reads what is at this path.
    async fn get(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let (status, body, _) = self.call(Method::GET, path).await?;
        ensure!(status == StatusCode::OK, "Azurite answered {status}");
        Ok(body)
    }

    /// Deletes what is at this path, if anything.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        let (status, ..) = self.call(Method::DELETE, path).await?;
        let is_gone = [StatusCode::ACCEPTED, StatusCode::NOT_FOUND].contains(&status);
        ensure!(is_gone, "Azurite answered {status}");
        Ok(())
    }

    /// Makes the containers.
    pub(crate) async fn create_containers(&self) -> anyhow::Result<()> {
        let create = async |container: &str| {
            let path = format!("{container}?restype=container");
            let (status, body, _) = self.call(Method::PUT, &path).await?;
            ensure!(
                status == StatusCode::CREATED,
                "Azurite answered {status} for the container {container}: {}",
                String::from_utf8_lossy(&body)
            );
            Ok(())
        };
        try_join_all(CONTAINERS.map(create)).await.map(drop)
    }

    /// Waits until every request that Azurite has answered is counted.
    pub(crate) async fn all_counted(&self) -> anyhow::Result<()> {
        let (.., number) = self
            .call(Method::GET, "?restype=account&comp=properties")
            .await?;
        let told = self.world.hub.calls.told(number);
        let in_time = tokio::time::timeout(ACCESS_LOG, told).await;
        in_time.context("Azurite's access log does not tell of its requests")
    }

    /// Names of the blobs that tell of failed messages, in order.
    pub(crate) async fn failed_names(&self) -> anyhow::Result<Vec<String>> {
        self.names(FAILED, "").await
    }

    /// Names of a container's blobs that begin so, in order.
    pub(crate) async fn names(&self, container: &str, begin: &str) -> anyhow::Result<Vec<String>> {
        let path = format!("{container}?restype=container&comp=list&prefix={begin}");
        Ok(names(&String::from_utf8_lossy(&self.get(&path).await?)))
    }

    /// The JSON in a blob; what is none, as text.
    pub(crate) async fn read(&self, container: &str, name: &str) -> anyhow::Result<Value> {
        let body = self.get(&path_of(container, name)).await?;
        let text = |_| Value::from(String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body).unwrap_or_else(text))
    }

    /// Replaces what is in a blob.
    pub(crate) async fn write(
        &self,
        container: &str,
        name: &str,
        body: &Value,
    ) -> anyhow::Result<()> {
        let (path, body) = (path_of(container, name), body.to_string().into_bytes());
        let (status, ..) = self.call_with(Method::PUT, &path, body).await?;
        ensure!(status == StatusCode::CREATED, "Azurite answered {status}");
        Ok(())
    }

    /// All blobs with what is in them, as text, for `GET /local/blobs`.
    pub(crate) async fn all(&self) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        for container in CONTAINERS {
            for name in self.names(container, "").await? {
                let body = self.get(&path_of(container, &name)).await?;
                let text = String::from_utf8_lossy(&body);
                all.push(json!({ "container": container, "name": name, "text": text }));
            }
        }
        Ok(all)
    }

    /// The failed messages, for `GET /local/failed`.
    pub(crate) async fn failed(&self) -> anyhow::Result<Vec<Value>> {
        let mut failed = Vec::new();
        for name in self.failed_names().await? {
            let body = self.read(FAILED, &name).await?;
            failed.push(json!({ "name": name, "body": body }));
        }
        Ok(failed)
    }
}

fn path_of(container: &str, name: &str) -> String {
    format!(
        "{container}/{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    )
}

/// The names in a listing. Ours hold no character that XML would escape.
fn names(listing: &str) -> Vec<String> {
    let blobs = listing.split("<Name>").skip(1);
    let names = blobs.filter_map(|blob| blob.split_once("</Name>"));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_read_from_a_listing() {
        let listing = "<EnumerationResults><Blobs><Blob><Name>a/1.json</Name><Properties/></Blob>\
                       <Blob><Name>b/2.json</Name></Blob></Blobs></EnumerationResults>";
        assert_eq!(super::names(listing), ["a/1.json", "b/2.json"]);
    }
}
