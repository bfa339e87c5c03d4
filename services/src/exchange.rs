//! Sending a request and telling what its answer, or the lack of one, means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// Largest part of an error's body that is read.
pub(crate) const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// Headers with the ids that the services' support asks for.
const REQUEST_ID_HEADERS: &[&str] = &[
    "request-id",
    "client-request-id",
    "x-ms-request-id",
    "inin-correlation-id",
];

/// Fields of error bodies with such ids: Genesys' first, then Entra's.
const REQUEST_ID_FIELDS: &[&str] = &["contextId", "trace_id", "correlation_id"];

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, or why it could not be read although the service said yes.
    pub(crate) body: Result<Bytes>,
}

/// Sends the request and reads an answer of at most `limit` bytes.
pub(crate) async fn send(
    service: Service,
    request: RequestBuilder,
    limit: usize,
) -> Result<Answer> {
    let mut response = request.send().await.map_err(|error| lost(service, error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(refusal(service, response).await);
    }
    let mut error = match read(&mut response, limit).await {
        Ok((body, true)) => {
            let headers = std::mem::take(response.headers_mut());
            let body = Ok(body);
            return Ok(Answer {
                status,
                headers,
                body,
            });
        }
        Ok((_, false)) => ServiceError::new(service, ErrorKind::Malformed, Sent::Yes),
        Err(error) => lost(service, error),
    };
    error.sent = Sent::Yes;
    error.status = Some(status.as_u16());
    error.request_ids = header_ids(text_of(response.headers()));
    let headers = std::mem::take(response.headers_mut());
    let body = Err(error);
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// Sends the request and parses the JSON of its answer. Of an answer in a form that the service does not document the error
/// tells where serde stopped, not what it saw there.
pub(crate) async fn send_for_json<T: DeserializeOwned>(
    service: Service,
    request: RequestBuilder,
    limit: usize,
) -> Result<T> {
    let answer = send(service, request, limit).await?;
    serde_json::from_slice(&answer.body?).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let place = format!("unexpected JSON in line {line}, column {column}");
        ServiceError {
            status: Some(answer.status.as_u16()),
            ..ServiceError::new(service, ErrorKind::Malformed, Sent::Yes)
        }
        .because(std::io::Error::other(place))
    })
}

/// What a request that got no answer means.
pub(crate) fn lost(service: Service, error: reqwest::Error) -> ServiceError {
    let (kind, sent) = match (error.is_connect(), error.is_timeout()) {
        _ if error.is_builder() => (ErrorKind::Configuration, Sent::No),
        (true, true) => (ErrorKind::TimedOut, Sent::No),
        (true, false) => (ErrorKind::Connection, Sent::No),
        (false, true) => (ErrorKind::TimedOut, Sent::Maybe),
        (false, false) => (ErrorKind::Connection, Sent::Maybe),
    };
    // The address may hold a person's id.
    ServiceError::new(service, kind, sent).because(error.without_url())
}

/// Reads at most `limit` bytes; the flag says whether that was all.
pub(crate) async fn read(
    response: &mut Response,
    limit: usize,
) -> Result<(Bytes, bool), reqwest::Error> {
    // What is announced now; later it would be what is left.
    let announced = response.content_length();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if announced == Some(chunk.len() as u64) && chunk.len() <= limit {
            return Ok((chunk, true));
        }
        let space = limit - body.len();
        if chunk.len() > space {
            body.extend_from_slice(&chunk[..space]);
            return Ok((body.freeze(), false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), true))
}

/// What an answer other than a success means, its body read.
pub(crate) async fn refusal(service: Service, mut response: Response) -> ServiceError {
    // A refusal whose body breaks off is still a refusal.
    let body = read(&mut response, ERROR_BODY_LIMIT).await;
    let (body, _) = body.unwrap_or_default();
    let status = response.status().as_u16();
    refusal_of(service, status, text_of(response.headers()), &body)
}

/// Looks a header up as text.
fn text_of<'a>(headers: &'a HeaderMap) -> impl Fn(&'static str) -> Option<&'a str> {
    |name| headers.get(name)?.to_str().ok()
}

/// What an answer other than a success means.
pub(crate) fn refusal_of<'a>(
    service: Service,
    status: u16,
    header: impl Fn(&'static str) -> Option<&'a str>,
    body: &[u8],
) -> ServiceError {
    let (kind, sent) = meaning(status);
    let mut error = ServiceError::new(service, kind, sent);
    error.status = Some(status);
    let wish = header(RETRY_AFTER.as_str());
    error.retry_after = wish.and_then(|wish| retry_after(wish, OffsetDateTime::now_utc()));
    error.request_ids = header_ids(header);
    if let Ok(body) = serde_json::from_slice::<Value>(body) {
        error.code = code_of(service, &body);
        for name in REQUEST_ID_FIELDS {
            if let Some(id) = body.get(name).and_then(Value::as_str).and_then(identifier) {
                error.request_ids.push((name, id));
            }
        }
    } else if service == Service::ServiceBus {
        error.code = broker_code(body);
    }
    let text = || String::from_utf8_lossy(body).to_ascii_lowercase();
    if service == Service::ServiceBus && kind == ErrorKind::Forbidden && text().contains("quota") {
        // A full queue empties itself; Service Bus answers 403 for that too (REST API, "Send Message").
        error.kind = ErrorKind::Unavailable;
        error.code = Some("quota".to_owned());
    }
    error
}

pub(crate) fn meaning(status: u16) -> (ErrorKind, Sent) {
    let kind = match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => return (ErrorKind::TimedOut, Sent::Maybe),
        409 => ErrorKind::Conflict,
        412 => ErrorKind::Precondition,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Rejected,
        500..=599 => return (ErrorKind::Unavailable, Sent::Maybe),
        _ => return (ErrorKind::Malformed, Sent::Maybe),
    };
    (kind, Sent::No)
}

fn code_of(service: Service, body: &Value) -> Option<String> {
    let code = match service {
        Service::Genesys => body.get("code").or_else(|| body.get("error")),
        Service::Entra => {
            let error = identifier(body.get("error")?.as_str()?)?;
            return Some(
                match body.pointer("/error_codes/0").and_then(Value::as_u64) {
                    Some(number) => format!("{error}:{number}"),
                    None => error,
                },
            );
        }
        _ => body.pointer("/error/code").or_else(|| body.get("error")),
    };
    // An older form of the Bot Framework's refusals has a number alone.
    let number = || Some(body.get("errorCode")?.as_u64()?.to_string());
    code.and_then(Value::as_str)
        .and_then(identifier)
        .or_else(number)
}

/// Service Bus answers `<Error><Code>401</Code><Detail>SubCode=40103: …</Detail></Error>`; the sub-code says more.
fn broker_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let rest = text.split_once("SubCode=")?.1;
    let digits = rest
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(rest.len());
    identifier(&rest[..digits])
}

fn header_ids<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Vec<(&'static str, String)> {
    let id = |name: &'static str| Some((name, identifier(header(name)?)?));
    REQUEST_ID_HEADERS.iter().copied().filter_map(id).collect()
}

/// Text that is certainly an identifier and no sentence: only that may appear in logs.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(allowed);
    fits.then(|| text.to_owned())
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(value: &str, now: OffsetDateTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
