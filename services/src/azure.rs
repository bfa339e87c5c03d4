//! The Azure crates on our client: their transport, and their errors in our words.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind as AzureKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::response::PinnedStream;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use futures::TryStreamExt;
use futures::future::ready;
use futures::stream;
use reqwest::header::HeaderMap;

use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange::{self, ERROR_BODY_LIMIT};
use crate::http::CALL_TIMEOUT;

/// The Azure crates on our client, repeating nothing by themselves. Unlike the transport that `azure_core` offers, ours limits
/// each request's time and keeps addresses out of errors.
pub(crate) fn options(client: reqwest::Client) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(SharedClient(client)))),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    }
}

#[derive(Debug)]
struct SharedClient(reqwest::Client);

#[async_trait]
impl HttpClient for SharedClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
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
            let name = HeaderName::from(name.as_str().to_owned());
            headers.insert(name, HeaderValue::from(value.to_owned()));
        }
    }
    headers
}

/// What an error of an Azure crate means. Its own text, which may quote an answer, is left behind.
pub(crate) fn failure(service: Service, error: azure_core::Error) -> ServiceError {
    let kind = error.kind().clone();
    if let AzureKind::HttpResponse {
        status,
        error_code,
        raw_response,
    } = kind
    {
        let answer = raw_response.as_deref();
        let header = |name| {
            let name = HeaderName::from_static(name);
            answer?.headers().get_optional_str(&name)
        };
        let body: Option<&[u8]> = answer.map(|answer| answer.body().as_ref());
        let refusal =
            exchange::refusal_of(service, status.into(), header, body.unwrap_or_default());
        let code = error_code.as_deref().and_then(exchange::identifier);
        return ServiceError {
            code: code.or(refusal.code),
            ..refusal
        };
    }
    let Ok(inner) = error.into_inner() else {
        return by_kind(service, &kind);
    };
    // The error of ours, or of the client, that the Azure crates wrapped.
    inner
        .downcast::<ServiceError>()
        .map(|ours| *ours)
        .or_else(|inner| {
            let lost = inner.downcast::<reqwest::Error>();
            lost.map(|error| exchange::lost(service, *error))
        })
        .or_else(|inner| {
            let nested = inner.downcast::<azure_core::Error>();
            nested.map(|error| failure(service, *error))
        })
        .unwrap_or_else(|_| by_kind(service, &kind))
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
