//! Fetching customers' files from the addresses that inbound messages carry. What Genesys does with them is documented nowhere,
//! so an address must serve at once, without credentials, and later as well.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use http::{HeaderValue, header};
use tokio::time::timeout;

use super::conversations::Fetched;
use super::state::Genesys;
use crate::shared::content::hexadecimal;

/// A message waits at most this long for its file.
const PATIENCE: Duration = Duration::from_secs(10);

impl Genesys {
    /// Fetches a file and forgets its bytes; nothing when no whole answer came in time.
    pub(super) async fn fetch(&self, url: &str) -> Option<Fetched> {
        timeout(PATIENCE, self.fetch_all(url)).await.ok().flatten()
    }

    async fn fetch_all(&self, url: &str) -> Option<Fetched> {
        let answer = self.client.get(url).send().await.ok()?;
        let text = |name| {
            let value = answer.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let mut fetched = Fetched {
            status: answer.status().as_u16(),
            content_type: text(header::CONTENT_TYPE),
            content_disposition: text(header::CONTENT_DISPOSITION),
            size: 0,
            sha256: String::new(),
        };
        let mut digest = Context::new(&SHA256);
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.ok()?;
            digest.update(&piece);
            fetched.size += piece.len() as u64;
        }
        fetched.sha256 = hexadecimal(digest.finish().as_ref());
        Some(fetched)
    }

    /// Passes on what an address serves now; nothing when it serves no file.
    pub(super) async fn pass_on(&self, url: &str) -> Option<Response> {
        let answer = self.client.get(url).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let body = Body::from_stream(answer.bytes_stream());
        Some(([(header::CONTENT_TYPE, kind)], body).into_response())
    }
}
