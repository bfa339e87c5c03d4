//! `inbound-bot`: what the Bot Framework's connector tells of the bot's conversations. Verify, enqueue, answer.
//!
//! Rules: Microsoft Learn, "Messages in bot conversations" and "Authenticate requests from the Bot Connector service to your bot". The
//! connector gives up on a call after 15 s and makes it again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use bridge::bot::activity::{Activity, What};
use bridge::conversation::admission::CustomerTenants;
use bridge::queue::envelope::{ActivityEnvelope, Content, Envelope};
use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;
use url::Url;

use crate::app::App;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::of_the_connector;
use crate::webhook::{Function, Taken, accept, accept_typing, run};

/// Name of the function.
pub const NAME: &str = "inbound-bot";

/// Path at which the host calls it.
pub const PATH: &str = "/api/messages";

const FUNCTION: Function = Function {
    name: NAME,
    // Well below the connector's 15 s.
    deadline: Duration::from_secs(8),
    // Four times what is reported of the connector's own limit.
    body_limit: 1024 * 1024,
    thanks: StatusCode::OK,
    tally: |counters| [&counters.activities_enqueued, &counters.activities_dropped],
};

/// Takes one activity.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |headers, body| take(&app, headers, body);
    run(&app, &FUNCTION, request, work).await
}

/// Whoever asks only whether somebody is there.
pub async fn look() -> StatusCode {
    StatusCode::OK
}

async fn take(app: &App, headers: HeaderMap, body: Bytes) -> Result<Taken, Refusal> {
    let (Some(bot), Some(tokens)) = (&app.bot, &app.connector_tokens) else {
        return Err(Refusal {
            status: StatusCode::NOT_FOUND,
            reason: "there is no bot",
        });
    };
    let now = OffsetDateTime::now_utc();
    let activity = of_the_connector(tokens, &headers, &body, now).await?;
    let told = activity.get();
    if !bot.may_call(&told.reference.service_url) {
        let url = Url::parse(&told.reference.service_url).ok();
        let host = url.as_ref().and_then(Url::host_str);
        tracing::error!(
            event = "bot_host_not_allowed",
            host,
            "BOT_CONNECTOR_ORIGINS does not name the connector that calls"
        );
        return Err(Refusal {
            status: StatusCode::FORBIDDEN,
            reason: "the connector's address is not known",
        });
    }
    let mut taken = Taken::default();
    match told.what {
        What::Other if told.is_invoke() => {
            // It waits for an answer of its own, which only what is known here could give.
            return Err(Refusal {
                status: StatusCode::NOT_IMPLEMENTED,
                reason: "no such operation",
            });
        }
        What::Other => taken.drop("of no interest"),
        What::Removed => taken.drop("removed"),
        // Who may not write is told so, once a day; nothing else of theirs is of interest.
        what if (what != What::Written || told.press.is_some()) && !may_write(app, told) => {
            taken.drop("tenant");
        }
        what => {
            let chat = told.chat.digest();
            let envelope = activity.map(|it| Envelope::new(now, content(app, it, &body)));
            match what {
                What::Typing => taken = accept_typing(app, chat, envelope).await,
                _ => taken.enqueued = accept(app, vec![envelope]).await?,
            }
        }
    }
    Ok(taken)
}

fn content(app: &App, activity: Activity, body: &Bytes) -> Content {
    Content::Activity(ActivityEnvelope {
        what: activity.what,
        chat: activity.chat,
        message: activity.message,
        account: app.settings.bot_account.clone(),
        // It was read as JSON, so it is UTF-8.
        activity: String::from_utf8_lossy(body).into_owned(),
    })
}

fn may_write(app: &App, activity: &Activity) -> bool {
    let settings = &app.settings;
    match &settings.customer_tenants {
        CustomerTenants::All => true,
        CustomerTenants::Listed(listed) => activity
            .tenant()
            .is_some_and(|tenant| *tenant == settings.tenant || listed.contains(tenant)),
    }
}

#[cfg(test)]
mod tests;
