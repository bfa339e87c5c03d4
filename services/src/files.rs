//! Fetching files that people sent, from wherever they lie: OneDrive and SharePoint of any tenant, Graph, Genesys' media.
//!
//! The address of such a file comes from outside, so it decides nothing by itself. It is opened only when it belongs to an
//! origin that the settings name, or to a host pattern that they allow; a pattern's host must resolve to public addresses, and
//! the connection goes to the very address that was checked. Each hop of a redirect is checked like the first, and a token is
//! sent with the first request only. Who asks with one, [`crate::graph`] and [`crate::genesys`], offers the opening of a file.

mod public;
mod rules;

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

pub use rules::{HostPattern, Origin, Rules};

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::{Client, client_resolving};
use rules::Way;

/// Redirects that are followed; OneDrive needs one, a sharing link two.
const MOST_REDIRECTS: usize = 5;

/// Longest time until a hop has answered with its headers.
const FIRST_ANSWER: Duration = Duration::from_secs(15);

/// Longest time between two pieces of a body.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// Fetches files by address.
#[derive(Debug)]
pub struct Files {
    trusted: Client,
    /// Made when it is needed: its certificates take memory.
    public: OnceLock<Client>,
    rules: Rules,
}

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// The first address.
    pub(crate) url: Url,
    /// The service that a failure of this first address is told of; later hops are [`Service::Files`].
    pub(crate) service: Service,
    /// Sent to the first address only.
    pub(crate) token: Option<SecretString>,
    /// Further headers for the first address only.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Longest time that a file's own host may take for the headers of an answer.
    pub(crate) host_limit: Duration,
}

/// Why a file was not fetched.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// Its address, or one it redirects to, is none that may be called.
    #[error("the address is not allowed")]
    NotAllowed {
        /// Its host, where it has one: what an operator would add to the settings.
        host: Option<String>,
    },
    /// It redirects without end, or to nowhere.
    #[error("the redirects do not end at a file")]
    Redirects,
    /// The host refused or could not be reached.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What was opened with a service's token, or the refusal of that token, which may be worth another try.
pub(crate) fn unless_unauthorized(
    opened: Result<Download, FetchError>,
) -> Result<Result<Download, FetchError>> {
    match opened {
        Err(FetchError::Service(error))
            if error.kind == ErrorKind::Unauthorized && error.service != Service::Files =>
        {
            Err(error)
        }
        other => Ok(other),
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Download {
    /// Its media type, as the host says.
    pub content_type: Option<String>,
    /// Its size in bytes, as the host says.
    pub length: Option<u64>,
    response: reqwest::Response,
    service: Service,
}

impl Files {
    /// Nothing is called yet.
    pub fn new(client: Client, rules: Rules) -> Self {
        Self {
            trusted: client,
            public: OnceLock::new(),
            rules,
        }
    }

    /// Opens a file: follows redirects and reads the last answer's headers.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub(crate) async fn open(&self, mut wanted: Wanted) -> Result<Download, FetchError> {
        for _ in 0..=MOST_REDIRECTS {
            let response = self.call(&wanted).await?;
            if !response.status().is_redirection() {
                return download(response, wanted.service).await;
            }
            // What comes after a redirect is no business of the service that redirects.
            wanted = Wanted {
                url: target(&wanted.url, response.headers()).ok_or(FetchError::Redirects)?,
                service: Service::Files,
                token: None,
                headers: Vec::new(),
                ..wanted
            };
        }
        Err(FetchError::Redirects)
    }

    fn public(&self) -> Result<&Client> {
        if let Some(client) = self.public.get() {
            return Ok(client);
        }
        let client = client_resolving(public::Resolver)?;
        Ok(self.public.get_or_init(|| client))
    }

    async fn call(&self, wanted: &Wanted) -> Result<reqwest::Response, FetchError> {
        let (url, service) = (&wanted.url, wanted.service);
        let not_allowed = || FetchError::NotAllowed {
            host: url.host_str().map(str::to_owned),
        };
        let way = Origin::of(url).and_then(|origin| self.rules.way_to(&origin));
        let client = match way.ok_or_else(not_allowed)? {
            // An address must not bring credentials of its own.
            _ if !url.username().is_empty() || url.password().is_some() => {
                return Err(not_allowed());
            }
            Way::Trusted => &self.trusted,
            Way::Public => self.public()?,
        };
        let mut request = client.get(url.clone());
        for (name, value) in &wanted.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &wanted.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let limit = match service {
            Service::Graph => FIRST_ANSWER,
            _ => FIRST_ANSWER.min(wanted.host_limit),
        };
        match timeout(limit, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if public::was_refused(&error) => Err(not_allowed()),
            Ok(Err(error)) => Err(exchange::lost(service, error).into()),
            Err(_) => Err(ServiceError::new(service, ErrorKind::TimedOut, Sent::Maybe).into()),
        }
    }
}

/// The address that a redirect names; it must be https, which the rules check with the rest.
fn target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

async fn download(response: reqwest::Response, service: Service) -> Result<Download, FetchError> {
    if !response.status().is_success() {
        return Err(exchange::refusal(service, response).await.into());
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    Ok(Download {
        content_type: content_type.map(str::to_owned),
        length: response.content_length(),
        response,
        service,
    })
}

impl Download {
    /// The file's bytes. A host that stops half way, or is silent for too long, ends the stream with an error.
    pub fn body(self) -> impl Stream<Item = Result<Bytes>> + Send {
        let service = self.service;
        let pieces = self
            .response
            .bytes_stream()
            .map_err(move |error| exchange::lost(service, error));
        futures::stream::unfold(Some(Box::pin(pieces)), move |pieces| async move {
            let mut pieces = pieces?;
            match timeout(LONGEST_SILENCE, pieces.try_next()).await {
                Ok(Ok(Some(piece))) => Some((Ok(piece), Some(pieces))),
                Ok(Ok(None)) => None,
                Ok(Err(error)) => Some((Err(error), None)),
                Err(_) => {
                    let late = ServiceError::new(service, ErrorKind::TimedOut, Sent::Yes);
                    Some((Err(late), None))
                }
            }
        })
        // Whoever reads the beginning apart may come to the end twice.
        .fuse()
    }
}

#[cfg(test)]
mod tests;
