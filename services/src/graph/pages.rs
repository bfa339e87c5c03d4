//! Lists that Graph gives page by page ("Paging Microsoft Graph data in your app").

use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{ANSWER_LIMIT, Graph};
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange;

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Graph {
    /// All items of a list, or those of its first `most` pages.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        first: RequestBuilder,
        token: SecretString,
        correlation: &str,
        most: usize,
    ) -> Result<Vec<T>, ServiceError> {
        let mut items = Vec::new();
        let mut request = first;
        for _ in 0..most {
            let page: Page<T> =
                exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await?;
            items.extend(page.value);
            let Some(next) = page.next else {
                return Ok(items);
            };
            if !self.is_ours(&next) {
                // The token goes to Graph and nowhere else.
                return Err(ServiceError::new(
                    Service::Graph,
                    ErrorKind::Malformed,
                    Sent::Yes,
                ));
            }
            request = self.get(next, &token, correlation);
        }
        tracing::warn!(
            event = "list_cut",
            pages = most,
            "Graph has more pages than are read"
        );
        Ok(items)
    }

    fn is_ours(&self, link: &str) -> bool {
        match (Url::parse(link), Url::parse(&self.base)) {
            (Ok(link), Ok(base)) => link.origin() == base.origin(),
            _ => false,
        }
    }
}
