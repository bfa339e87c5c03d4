//! The Azure crates on our client: their transport, and their errors in our words.

use std::error::Error;
use std::pin::Pin;

use azure_core::error::ErrorKind as AzureKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::response::PinnedStream;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, Transport};
use futures::TryStreamExt;
use futures::future::ready;
use futures::stream;
use reqwest::header::HeaderMap;

use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange::{self, ERROR_BODY_LIMIT};
use crate::http::CALL_TIMEOUT;

/// Our client as the transport of the Azure crates. Unlike the one that `azure_core` offers, it limits each request's
/// time and keeps addresses out of errors.
pub(crate) fn transport(client: reqwest::Client) -> Transport {
    Transport::new(std::sync::Arc::new(SharedClient(client)))
}

#[derive(Debug)]
struct SharedClient(reqwest::Client);

impl HttpClient for SharedClient {
    // The trait is declared with `async_trait`; this is the signature that it expands to.
    fn execute_request<'this, 'request, 'call>(
        &'this self,
        request: &'request Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'call>>
    where
        'this: 'call,
        'request: 'call,
        Self: 'call,
    {
        Box::pin(self.execute(request))
    }
}

impl SharedClient {
    async fn execute(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let method = reqwest::Method::from_bytes(request.method().as_ref().as_bytes())
            .map_err(|error| azure_core::Error::new(AzureKind::Other, error))?;
        let mut outgoing = self
            .0
            .request(method, request.url().clone())
            .timeout(CALL_TIMEOUT);
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        outgoing = match request.body().clone() {
            Body::Bytes(bytes) => outgoing.body(bytes),
            Body::SeekableStream(stream) => outgoing.body(reqwest::Body::wrap_stream(stream)),
        };
        let mut response = outgoing.send().await.map_err(io_error)?;
        let status = response.status();
        let headers = headers_of(response.headers());
        let body: PinnedStream = if status.is_success() {
            Box::pin(response.bytes_stream().map_err(io_error))
        } else {
            // The crates read an error to its end, whatever its size.
            let read = exchange::read(&mut response, ERROR_BODY_LIMIT).await;
            let (part, _) = read.map_err(io_error)?;
            Box::pin(stream::once(ready(Ok(part))))
        };
        Ok(AsyncRawResponse::new(status.as_u16().into(), headers, body))
    }
}

fn io_error(error: reqwest::Error) -> azure_core::Error {
    let kind = if error.is_connect() {
        AzureKind::Connection
    } else {
        AzureKind::Io
    };
    azure_core::Error::new(kind, error.without_url())
}

fn headers_of(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        if let Ok(value) = value.to_str() {
            headers.insert(
                HeaderName::from(name.as_str().to_owned()),
                HeaderValue::from(value.to_owned()),
            );
        }
    }
    headers
}

/// What an error of an Azure crate means. Its own text, which may quote an answer, is left behind.
pub(crate) fn failure(service: Service, error: azure_core::Error) -> ServiceError {
    if let AzureKind::HttpResponse {
        status,
        error_code,
        raw_response,
    } = error.kind()
    {
        let status = u16::from(*status);
        let mut failure = match raw_response {
            Some(raw) => {
                exchange::refusal_of(service, status, &map_of(raw.headers()), raw.body().as_ref())
            }
            None => exchange::refusal_of(service, status, &HeaderMap::new(), &[]),
        };
        let code = error_code.as_deref().and_then(exchange::identifier);
        failure.code = code.or(failure.code);
        return failure;
    }
    let kind = error.kind().clone();
    match error.into_inner() {
        Ok(inner) => cause(service, &kind, inner),
        Err(_) => by_kind(service, &kind),
    }
}

/// Finds the error of ours, or of the client, that the Azure crates wrapped.
fn cause(service: Service, kind: &AzureKind, inner: Box<dyn Error + Send + Sync>) -> ServiceError {
    let inner = match inner.downcast::<ServiceError>() {
        Ok(ours) => return *ours,
        Err(inner) => inner,
    };
    let inner = match inner.downcast::<reqwest::Error>() {
        Ok(transport) => return exchange::lost(service, *transport),
        Err(inner) => inner,
    };
    match inner.downcast::<azure_core::Error>() {
        Ok(nested) => failure(service, *nested),
        Err(_) => by_kind(service, kind),
    }
}

fn by_kind(service: Service, kind: &AzureKind) -> ServiceError {
    let (kind, sent) = match kind {
        AzureKind::Connection => (ErrorKind::Connection, Sent::No),
        AzureKind::Io => (ErrorKind::Connection, Sent::Maybe),
        AzureKind::Credential => (ErrorKind::Unauthorized, Sent::No),
        AzureKind::DataConversion => (ErrorKind::Malformed, Sent::Yes),
        _ => (ErrorKind::Configuration, Sent::No),
    };
    ServiceError::new(service, kind, sent)
}

fn map_of(headers: &Headers) -> HeaderMap {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            Some((name, value.as_str().parse().ok()?))
        })
        .collect()
}
