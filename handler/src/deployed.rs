//! `handler check --deployed URL`: what Graph and Genesys will meet at a deployed Function App, asked from outside and
//! without any credential. Nothing that is sent here is ever queued.

mod probe;

use std::time::Duration;

use reqwest::Url;

use crate::report::{Finding, Report, shown};
pub use probe::whole;
use probe::{Answer, Probe};

/// Path of the function that takes Graph's notifications.
const NOTIFICATIONS: &str = "/api/graph/notifications";

/// Path of the function that takes Genesys' webhooks.
const WEBHOOK: &str = "/api/genesys/webhook";

/// Path of the function that takes what the bot's connector tells.
const BOT: &str = "/api/messages";

/// Path of the function that tells how the handler is.
const HEALTH: &str = "/api/health";

/// Graph counts an answer that takes longer as slow (Microsoft Learn, "Receive change notifications through webhooks").
const GRAPH_LIMIT: Duration = Duration::from_secs(3);

/// Pause between two looks at a handler that is still starting.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// A signature of the right form that no secret makes: `sha256=` and the base64 of 32 zero bytes.
const FOREIGN_SIGNATURE: &str = "sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What the handler says while a check cannot be made (`functions`, `Refusal`).
const STATUS_CANNOT_TELL: u16 = 503;

/// Reads the address of a Function App: `https`, a host, nothing behind it.
///
/// # Errors
/// What is wrong with the text, for the person who typed it.
pub fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("{error}: put the whole address there, e.g. https://my-app.azurewebsites.net")
    })?;
    if url.scheme() != "https" {
        return Err("the address must begin with https://, as Graph and Genesys demand".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address must not hold a user name or password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("give the address of the Function App alone, without a path".to_owned());
    }
    Ok(url)
}

/// Makes every check and prints one line for each; tells whether all are good. A handler that is starting gets `patience` to
/// finish.
pub async fn run(app: &Url, patience: Duration) -> bool {
    Report::title(app);
    let probe = match Probe::new(app) {
        Ok(probe) => probe,
        Err(error) => {
            Report::say("FAILED", "https client", error);
            return false;
        }
    };
    let mut report = Report { good: true };
    // First, while the app may still be cold: only the first call can show how long that takes.
    report.note("Graph handshake", handshake(&probe).await);
    report.note("health", health(&probe, patience).await);
    report.note("forged notification", forged_notification(&probe).await);
    report.note("Genesys webhook, unsigned", webhook(&probe, None).await);
    report.note(
        "Genesys webhook, wrong signature",
        webhook(&probe, Some(FOREIGN_SIGNATURE)).await,
    );
    report.note("the bot, without a token", bot(&probe).await);
    report.good
}

/// Two validation handshakes as Graph makes them: the decoded token comes back, alone, as plain text, in time.
async fn handshake(probe: &Probe) -> Finding {
    let cold = validated(probe).await?;
    let warm = validated(probe).await?;
    in_time(cold, warm)
}

/// Whether Graph would have waited for both answers.
fn in_time(cold: Duration, warm: Duration) -> Finding {
    let times = format!(
        "first answer after {}, second after {}",
        seconds(cold),
        seconds(warm)
    );
    let limit = seconds(GRAPH_LIMIT);
    if warm >= GRAPH_LIMIT {
        return Err(format!(
            "{times}; Graph allows {limit}: is the app overloaded, or the way from this machine slow? Try from elsewhere"
        ));
    }
    if cold >= GRAPH_LIMIT {
        return Err(format!(
            "{times}; Graph allows {limit}: keep an HTTP instance ready (always_ready_http_instances in graph-to-open.toml), then check again"
        ));
    }
    Ok(times)
}

/// One handshake; how long the answer took, with the connection's set-up where there was none.
async fn validated(probe: &Probe) -> Result<Duration, String> {
    // Characters that a URL cannot hold as they are, and a `+` that must not become a space.
    let token = format!(
        "Validation: {} a+b&c=d%20é/?#",
        uuid::Uuid::new_v4().simple()
    );
    let answer = probe.handshake(NOTIFICATIONS, &token).await?;
    if answer.status != 200 {
        return Err(unexpected(&answer, "200"));
    }
    if answer.media_type != "text/plain" {
        return Err(format!(
            "the answer is {} instead of text/plain: {CHANGED_ON_THE_WAY}",
            shown(&answer.media_type)
        ));
    }
    if answer.body != token.as_bytes() {
        return Err(format!(
            "the answer is not the decoded token: {CHANGED_ON_THE_WAY}"
        ));
    }
    Ok(answer.took)
}

/// Whether the handler says that it can do its work; waits while it says that it is starting.
async fn health(probe: &Probe, patience: Duration) -> Finding {
    let begun = tokio::time::Instant::now();
    loop {
        let answer = probe.get(HEALTH).await?;
        if answer.status != 200 {
            return Err(unexpected(&answer, "200"));
        }
        let health: Health = serde_json::from_slice(&answer.body).map_err(|_| {
            "the answer is not this handler's: does another app answer at this address?".to_owned()
        })?;
        let reasons = shown(&health.reasons.join("; "));
        match health.status.as_str() {
            "ok" => return Ok(format!("ok, version {}", shown(&health.version))),
            "starting" if begun.elapsed() + NEXT_LOOK <= patience => {
                tokio::time::sleep(NEXT_LOOK).await;
            }
            "starting" => {
                return Err(format!(
                    "still starting: {reasons}: the app makes it when it may, so see that the managed identity may read \
                     the Key Vault (role Key Vault Secrets User) and write this secret (Secrets Officer on it), and that KEY_VAULT_URL and AZURE_CLIENT_ID are right"
                ));
            }
            "degraded" => {
                return Err(format!(
                    "degraded: {reasons}: mend that first; the workbook and the log tell more"
                ));
            }
            other => {
                return Err(format!(
                    "the handler says {}: is this program as new as the deployed one?",
                    shown(other)
                ));
            }
        }
    }
}

/// A notification whose `clientState` is not ours must get Graph's 202 and nothing that tells a forger more.
async fn forged_notification(probe: &Probe) -> Finding {
    let body = serde_json::json!({ "value": [{
        "subscriptionId": uuid::Uuid::new_v4(),
        "changeType": "created",
        "clientState": format!("check.{}", uuid::Uuid::new_v4()),
        "tenantId": uuid::Uuid::nil(),
        "resource": "chats('19:handler-check@thread.v2')/messages('1')",
    }]});
    let answer = probe.post(NOTIFICATIONS, &body, None).await?;
    match answer.status {
        202 if answer.body.is_empty() => {
            Ok("dropped with 202, as a forger should see it".to_owned())
        }
        202 => Err(
            "202 with a body, which tells a forger something: is another app in between?"
                .to_owned(),
        ),
        STATUS_CANNOT_TELL if answer.is_refusal() => {
            Err(cannot_tell(&answer, "graph-client-state"))
        }
        _ => Err(unexpected(&answer, "202")),
    }
}

/// A webhook that Genesys did not sign must be refused.
async fn webhook(probe: &Probe, signature: Option<&str>) -> Finding {
    let answer = probe
        .post(WEBHOOK, &serde_json::json!({}), signature)
        .await?;
    match answer.status {
        401 if answer.is_refusal() => Ok("refused with 401".to_owned()),
        STATUS_CANNOT_TELL if answer.is_refusal() => {
            Err(cannot_tell(&answer, "genesys-webhook-secret"))
        }
        200..=299 => Err(
            "it was taken, though nobody signed it: take the app off the network (az functionapp stop) and see which \
             program answers there"
                .to_owned(),
        ),
        _ => Err(unexpected(&answer, "401")),
    }
}

/// A call that the connector did not make. An app without a bot says so.
async fn bot(probe: &Probe) -> Finding {
    let answer = probe.post(BOT, &serde_json::json!({}), None).await?;
    match answer.status {
        401 if answer.is_refusal() => Ok("refused with 401".to_owned()),
        404 if answer.is_refusal() => Ok("there is none (BOT_APP_ID)".to_owned()),
        STATUS_CANNOT_TELL if answer.is_refusal() => Err(cannot_tell(&answer, "bot-client-secret")),
        200..=299 => Err(
            "it was taken, though nobody vouched for it: take the app off the network (az functionapp stop) and see which \
             program answers there"
                .to_owned(),
        ),
        _ => Err(unexpected(&answer, "401")),
    }
}

/// Why an answer that a signed-in function would not give was given all the same.
const CHANGED_ON_THE_WAY: &str = "does the Functions host honour enableProxyingHttpRequest in host.json, and does nothing \
                                  stand between it and the caller?";

/// Why the handler does not check yet: an id that is not set yet, otherwise this secret.
fn cannot_tell(answer: &Answer, secret: &str) -> String {
    let refusal = answer.refusal().unwrap_or_default();
    if refusal.contains("not set up") {
        return format!(
            "503: {}: do what health names, then check again",
            shown(&refusal)
        );
    }
    format!(
        "503: the secret {secret} is not loaded: set it in Key Vault and see that the managed identity may read it (role Key \
         Vault Secrets User); it is read within a few seconds then"
    )
}

/// What to do about a status that the handler does not give here.
fn unexpected(answer: &Answer, expected: &str) -> String {
    let status = answer.status;
    let advice = match status {
        300..=399 => {
            "something redirects: give the address at which the app answers itself (…azurewebsites.net)"
        }
        401 | 403 => {
            "something refuses callers before the handler does: the app must allow anonymous calls from the internet (App \
             Service authentication off, no access restrictions, authLevel anonymous in function.json)"
        }
        404 => {
            "there is no such function: publish the package from target/package, and check that the address is that of the \
             Function App"
        }
        429 => {
            "the app has no instance left: raise maximum_instance_count in graph-to-open.toml, or try again later"
        }
        STATUS_CANNOT_TELL if answer.is_refusal() => {
            "the handler cannot tell yet: try again in a few seconds"
        }
        500..=599 => {
            "the Functions host or the handler is not up: look into the log stream for `setting … is missing` or an \
             exception, then try again"
        }
        _ => "another app seems to answer at this address",
    };
    format!("{status} instead of {expected}: {advice}")
}

/// What `health` answers.
#[derive(serde::Deserialize)]
struct Health {
    status: String,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    version: String,
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_those_of_the_functions() {
        for (function, method, path) in [
            ("inbound-graph", "POST", NOTIFICATIONS),
            ("outbound-genesys", "POST", WEBHOOK),
            ("health", "GET", HEALTH),
        ] {
            assert!(
                functions::ROUTES.contains(&(function, method, path)),
                "{function} is not at {path}"
            );
        }
    }

    #[test]
    fn an_answer_that_graph_would_not_wait_for_fails() {
        let second = Duration::from_secs(1);
        let times = in_time(second, Duration::from_millis(40)).expect("in time");
        assert_eq!(times, "first answer after 1.00 s, second after 0.04 s");
        let cold = in_time(3 * second, second).expect_err("too late");
        assert!(cold.contains("always_ready_http_instances"), "{cold}");
        let warm = in_time(second, 4 * second).expect_err("too late");
        assert!(warm.contains("overloaded"), "{warm}");
    }

    #[test]
    fn only_the_bare_https_address_of_an_app_is_taken() {
        let address = |text| super::address(text).is_ok();
        assert!(
            "https://app.example https://app.example/ https://app.example:8443"
                .split(' ')
                .all(address)
        );
        for wrong in "app.example http://app.example https:// https://me@app.example https://:word@app.example \
            https://app.example/api/health https://app.example?code=1 https://app.example/#x ftp://app.example"
            .split_whitespace()
        {
            assert!(!address(wrong), "{wrong}");
        }
    }
}
