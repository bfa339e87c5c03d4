//! The question whether an address takes notifications: it has to say a token back (Microsoft Learn, "Receive change notifications through
//! webhooks", "notificationUrl validation").

use std::time::Duration;

use http::header;
use reqwest::Client;
use url::Url;
use uuid::Uuid;

use super::Refusal;
use super::rules::is_loopback;
use crate::shared::serve::loopback_client;

/// The answer has to be there within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks an address. Nobody outside of this machine is asked: another's address does as if nobody listened there.
pub async fn validate(address: &str) -> Result<(), Refusal> {
    const UNREACHABLE: &str =
        "Subscription validation request failed. The notification endpoint cannot be reached.";
    const LATE: &str = "Subscription validation request timed out.";
    let unreachable = || Refusal::invalid(UNREACHABLE);
    let url = Url::parse(address).map_err(|_| unreachable())?;
    let client = loopback_client().build().map_err(|_| unreachable())?;
    if !is_loopback(&url) {
        return Err(unreachable());
    }
    // Until the whole answer is there: one that begins in time and never ends is late as well.
    let asked = tokio::time::timeout(PATIENCE, ask(&client, url)).await;
    asked.map_err(|_| Refusal::invalid(LATE))?
}

async fn ask(client: &Client, url: Url) -> Result<(), Refusal> {
    const STATUS: &str = "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.";
    const KIND: &str =
        "Subscription validation request failed. The response must be of the type text/plain.";
    const TOKEN: &str = "Subscription validation request failed. Response must exactly match validationToken query parameter.";
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {}",
        Uuid::new_v4()
    );
    let request = client
        .post(url)
        .query(&[("validationToken", &token)])
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
    let answer = request.send().await.map_err(|_| Refusal::invalid(STATUS))?;
    if answer.status() != 200 {
        return Err(Refusal::invalid(STATUS));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()?.split(';').next());
    if !kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain")) {
        return Err(Refusal::invalid(KIND));
    }
    let echo = answer.bytes().await;
    let same = echo.is_ok_and(|echo| echo == token.as_bytes());
    same.then_some(()).ok_or_else(|| Refusal::invalid(TOKEN))
}
