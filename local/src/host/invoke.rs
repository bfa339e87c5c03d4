//! Calls a function that is not an HTTP function, and reads its answer as the host does.
//!
//! Source: Azure/azure-functions-host, `Workers/Http/DefaultHttpWorkerService.cs`; aspnet/AspNetWebStack,
//! `HttpContentExtensions.cs` (an empty body reads as nothing, and nothing never completes the call).

use std::time::Duration;

use axum::body::Bytes;
use http::{StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::worker::{Target, Worker};
use crate::shared::serve::loopback_client;

/// The version the stand-in claims to be.
pub const HOST_VERSION: &str = "4.1043.0.0";

/// On Azure, giving a message back to the broker takes longer than noticing that a process has ended; without this
/// wait a dead handler would use up deliveries at a rate that no real one can. It ends as soon as the end is noticed.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function succeeded, with this status.
    Success(StatusCode, Vec<String>),
    /// The function failed; a short word says how.
    Failure(String),
}

enum Answer {
    Finished(Outcome),
    /// The handler cannot be reached, or went away.
    NoConnection(&'static str),
    /// An empty answer: the host waits for a result that never comes.
    Nothing,
}

/// Calls functions of one handler after another.
#[derive(Debug, Clone)]
pub struct Invoker {
    client: reqwest::Client,
    function_timeout: Duration,
}

impl Invoker {
    /// With this `functionTimeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(function_timeout: Duration) -> reqwest::Result<Self> {
        Ok(Self {
            client: loopback_client().build()?,
            function_timeout,
        })
    }

    /// Calls the function once the worker is ready. When the time limit passes, the handler is killed.
    pub async fn call(&self, worker: &Worker, function: &str, envelope: &Value) -> Outcome {
        let target = match worker.ready().await {
            Ok(target) => target,
            Err(reason) => return Outcome::Failure(reason),
        };
        let deadline = Instant::now() + self.function_timeout;
        match tokio::time::timeout_at(deadline, self.post(target, function, envelope)).await {
            Ok(Answer::Finished(outcome)) => outcome,
            Ok(Answer::NoConnection(words)) => {
                let gone = worker.gone(target.generation);
                // Either end will do: the failure is reported now.
                let _ = tokio::time::timeout(GIVING_BACK, gone).await;
                Outcome::Failure(words.to_owned())
            }
            Ok(Answer::Nothing) => {
                let gone = worker.gone(target.generation);
                if tokio::time::timeout_at(deadline, gone).await.is_err() {
                    worker.kill(Some(target.generation)).await;
                }
                Outcome::Failure("empty answer".to_owned())
            }
            Err(_) => {
                worker.kill(Some(target.generation)).await;
                Outcome::Failure("timed out".to_owned())
            }
        }
    }

    async fn post(&self, target: Target, function: &str, envelope: &Value) -> Answer {
        let failure = |words: &str| Answer::Finished(Outcome::Failure(words.to_owned()));
        let body = Bytes::from(envelope.to_string());
        // As a stream, because the host sends it chunked.
        let body = futures::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
        let answer = self
            .client
            .post(format!("http://127.0.0.1:{}/{function}", target.port))
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(
                header::USER_AGENT,
                format!("Azure-Functions-Host/{HOST_VERSION}"),
            )
            .header("x-azure-functions-hostversion", HOST_VERSION)
            .header("x-azure-functions-invocationid", Uuid::new_v4().to_string())
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Answer::NoConnection("no connection"),
            Err(_) => return Answer::NoConnection("connection lost"),
        };
        let status = answer.status();
        if !status.is_success() {
            return failure(status.as_str());
        }
        let is_json = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(is_json);
        match answer.bytes().await {
            Ok(body) => read(status, is_json, &body),
            Err(_) => Answer::NoConnection("connection lost"),
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.eq_ignore_ascii_case("text/json")
}

fn read(status: StatusCode, is_json: bool, body: &[u8]) -> Answer {
    if body.is_empty() {
        return Answer::Nothing;
    }
    if !is_json {
        return Answer::Finished(Outcome::Failure("answer is not JSON".to_owned()));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Answer::Nothing;
    }
    match serde_json::from_slice(body) {
        Ok(Value::Null) => Answer::Nothing,
        Ok(Value::Object(members)) => {
            let logs = members
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("logs"))
                .and_then(|(_, logs)| logs.as_array())
                .into_iter()
                .flatten()
                .filter_map(|line| line.as_str().map(str::to_owned))
                .collect();
            Answer::Finished(Outcome::Success(status, logs))
        }
        Ok(_) | Err(_) => Answer::Finished(Outcome::Failure("answer is no JSON object".to_owned())),
    }
}
