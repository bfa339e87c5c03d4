//! Calls a function that is not an HTTP function, and reads its answer as the host does.
//!
//! Source: Azure/azure-functions-host, `Workers/Http/DefaultHttpWorkerService.cs`; aspnet/AspNetWebStack,
//! `HttpContentExtensions.cs` (an empty body reads as nothing, and nothing never completes the call).

use std::convert::Infallible;
use std::time::Duration;

use http::{StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::worker::{Target, Worker};

/// The version the stand-in claims to be.
pub(super) const HOST_VERSION: &str = "4.1043.0.0";

/// On Azure, giving a message back to the broker takes longer than noticing that a process has ended; without this
/// wait a dead handler would use up deliveries at a rate that no real one can. It ends as soon as the end is noticed.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function succeeded, with this status and these lines for the log.
    Success(StatusCode, Vec<String>),
    /// The function failed; a short word says how.
    Failure(String),
}

/// Why a call has no outcome.
enum Lost {
    /// The handler cannot be reached, or went away.
    Connection(&'static str),
    /// An empty answer: the host waits for a result that never comes.
    Result,
}

impl Worker {
    /// Calls the function once the handler is ready. When the time limit passes, the handler is killed.
    pub(super) async fn call(&self, function: &str, envelope: &Value) -> Outcome {
        let target = match self.ready().await {
            Ok(target) => target,
            Err(reason) => return Outcome::Failure(reason),
        };
        let generation = target.generation;
        let deadline = Instant::now() + self.around.app.host.function_timeout;
        let words = match timeout_at(deadline, self.post(target, function, envelope)).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(Lost::Connection(words))) => {
                // Either end will do: the failure is reported now.
                let _ = timeout(GIVING_BACK, self.gone(generation)).await;
                words
            }
            Ok(Err(Lost::Result)) => {
                if timeout_at(deadline, self.gone(generation)).await.is_err() {
                    self.kill(Some(generation), false).await;
                }
                "empty answer"
            }
            Err(_) => {
                self.kill(Some(generation), false).await;
                "timed out"
            }
        };
        Outcome::Failure(words.to_owned())
    }

    async fn post(
        &self,
        target: Target,
        function: &str,
        envelope: &Value,
    ) -> Result<Outcome, Lost> {
        let body = envelope.to_string();
        // As a stream, because the host sends it chunked.
        let body = futures::stream::once(async { Ok::<_, Infallible>(body) });
        let agent = format!("Azure-Functions-Host/{HOST_VERSION}");
        let answer = self
            .client
            .post(format!("http://127.0.0.1:{}/{function}", target.port))
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, agent)
            .header("x-azure-functions-hostversion", HOST_VERSION)
            .header("x-azure-functions-invocationid", Uuid::new_v4().to_string())
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await;
        let lost = |error: reqwest::Error| match error.is_connect() {
            true => Lost::Connection("no connection"),
            false => Lost::Connection("connection lost"),
        };
        let answer = answer.map_err(lost)?;
        let status = answer.status();
        if !status.is_success() {
            return Ok(Outcome::Failure(status.as_str().to_owned()));
        }
        let content_type = answer.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(is_json);
        read(status, is_json, &answer.bytes().await.map_err(lost)?)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.eq_ignore_ascii_case("text/json")
}

fn read(status: StatusCode, is_json: bool, body: &[u8]) -> Result<Outcome, Lost> {
    let failure = |words: &str| Ok(Outcome::Failure(words.to_owned()));
    match serde_json::from_slice(body) {
        _ if body.is_empty() => Err(Lost::Result),
        _ if !is_json => failure("answer is not JSON"),
        _ if body.iter().all(u8::is_ascii_whitespace) => Err(Lost::Result),
        Ok(Value::Null) => Err(Lost::Result),
        Ok(Value::Object(members)) => {
            let mut members = members.iter();
            let logs = members.find(|(name, _)| name.eq_ignore_ascii_case("logs"));
            let lines = logs.and_then(|(_, logs)| logs.as_array());
            let lines = lines.into_iter().flatten().filter_map(Value::as_str);
            let lines = lines.map(str::to_owned).collect();
            Ok(Outcome::Success(status, lines))
        }
        Ok(_) | Err(_) => failure("answer is no JSON object"),
    }
}
