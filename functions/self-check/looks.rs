//! The looks themselves: one harmless call to each outside service. `handler check` prints what they find.

use std::fmt::Display;
use std::time::Duration;

use services::entra::Remedy;
use services::error::{ErrorKind, ServiceError};
use services::genesys::Genesys;
use services::secrets::names;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Line, Verdict};
use crate::app::App;
use crate::secret_rotation::Secret;
use crate::settings::{AccountKind, SupportAccount};

/// What was found so far.
#[derive(Default)]
struct Looked {
    lines: Vec<Line>,
}

impl Looked {
    fn push(&mut self, verdict: Verdict, what: impl Display, told: impl Display) {
        let (what, told) = (what.to_string(), told.to_string());
        self.lines.push(Line {
            verdict,
            what,
            told,
        });
    }

    fn note(&mut self, what: impl Display, found: Result<impl Display, impl Display>) {
        match found {
            Ok(found) => self.push(Verdict::Ok, what, found),
            Err(advice) => self.push(Verdict::Failed, what, advice),
        }
    }

    fn note_missing(&mut self, what: impl Display, cost: impl Display) {
        self.push(Verdict::Missing, what, cost);
    }
}

/// Looks at everything that the app needs outside. Where an id is still to come, that is all that is told.
pub async fn look(app: &App) -> Vec<Line> {
    let mut looked = Looked::default();
    look_at_all(app, &mut looked).await;
    looked.lines
}

/// The same for this long at most; tells as well whether that was enough. What was found till then is not lost.
pub(super) async fn look_for(app: &App, limit: Duration) -> (Vec<Line>, bool) {
    let mut looked = Looked::default();
    let is_whole = timeout(limit, Box::pin(look_at_all(app, &mut looked)))
        .await
        .is_ok();
    if !is_whole {
        let told = format!(
            "after {} s the rest was not looked at: what comes after the line before this one does not answer, or slowly; check endpoint and network",
            limit.as_secs()
        );
        looked.note("not finished", Err::<&str, _>(told));
    }
    (looked.lines, is_whole)
}

async fn look_at_all(app: &App, looked: &mut Looked) {
    for setting in &app.settings.unset {
        let (what, advice) = (format!("setting {}", setting.name), setting.remedy());
        looked.note(what, Err::<&str, _>(format!("not set yet: {advice}")));
    }
    if !app.settings.is_set_up() {
        return;
    }
    let token = app.bus.warm_up().await.map(|()| "received");
    looked.note("managed identity, token for Service Bus", advised(token));
    let state = app.blobs.get("state", "check").await.map(|_| "readable");
    looked.note("Blob storage, container state", advised(state));
    let link = match app.blobs.get("attachments", "check").await {
        Ok(_) => {
            let life = app.settings.attachment_link_life;
            app.blobs.read_link("attachments", "check", life).await
        }
        Err(error) => Err(error),
    };
    looked.note(
        "Blob storage, links to files",
        advised(link.map(|_| "can be made")),
    );
    let clients = &app.settings.genesys_clients;
    let further = clients.iter().skip(1);
    let further: Vec<String> = further
        .map(|id| names::further_genesys_client(id))
        .collect();
    let always = [
        names::GRAPH_CLIENT_STATE,
        names::GRAPH_NOTIFICATION_KEY,
        names::GENESYS_WEBHOOK,
        names::GENESYS_CLIENT,
    ];
    for name in always.into_iter().chain(further.iter().map(String::as_str)) {
        let what = format!("Key Vault, secret {name}");
        match app.secrets.get(name).await {
            Ok(None) if names::MADE.contains(&name) => {
                let missing = "the Function App makes it when it runs: its identity must be allowed to write it";
                looked.note(what, Err::<&str, _>(missing));
            }
            Ok(None) => looked.note(what, Err::<&str, _>("put it into the vault")),
            read => looked.note(what, advised(read.map(|_| "present"))),
        }
    }
    for secret in Secret::all(&app.settings) {
        let what = format!("renewal of {}", secret.name());
        looked.note(what, secret.planned(app, false).await);
    }
    let keys = app.validator.warm_up().await.map(|()| "received");
    looked.note("Entra ID, signing keys", advised(keys));
    for account in &app.settings.support_accounts {
        let (name, kind) = (account.name.as_str(), kind_of(account));
        let user = app.graph.as_user(name);
        let token = user.token().await.map(|()| "received");
        let has_token = token.is_ok();
        looked.note(
            format!("Entra ID, token of support account {name}, {kind}"),
            advised(token),
        );
        if has_token {
            let answer = user.probe().await.map(|()| "answers");
            looked.note(format!("Graph as support account {name}"), advised(answer));
            try_permissions(app, account, looked).await;
        }
    }
    if let (Some(bot), Some(tokens)) = (&app.bot, &app.connector_tokens) {
        let token = bot.token().await.map(|()| "received");
        looked.note("token of the bot", advised(token));
        let keys = tokens.warm_up().await.map(|()| "received");
        looked.note("Bot Framework, signing keys", advised(keys));
    }
    for (number, id) in clients.iter().enumerate() {
        let service = match clients.len() {
            1 => "Genesys Cloud".to_owned(),
            _ => format!("Genesys Cloud as client {id}"),
        };
        try_genesys(app.genesys_by(number), &service, looked).await;
    }
}

/// Tries one of our OAuth clients.
async fn try_genesys(genesys: &Genesys, service: &str, looked: &mut Looked) {
    let answer = genesys.probe().await.map(|()| "answers");
    let answers = answer.is_ok();
    looked.note(service.to_owned(), advised(answer));
    if !answers {
        return;
    }
    let integration = match genesys.integration().await {
        // Only the right messaging:integration:view shows it; messages need another one.
        Err(error) if error.kind == ErrorKind::Forbidden => Ok("not shown to this client"),
        read => read.map(|()| "exists"),
    };
    looked.note(
        format!("{service}, GENESYS_INTEGRATION_ID"),
        advised(integration),
    );
}

/// Tries the permissions without which messages go on and less is known of customers: their lack is no failure, but whatever else
/// goes wrong with them is.
async fn try_permissions(app: &App, account: &SupportAccount, looked: &mut Looked) {
    let name = account.name.as_str();
    let user = app.graph.as_user(name);
    let correlation = Uuid::new_v4().to_string();
    let tenant = app.settings.tenant.as_str();
    let tenants = user.tenant(&correlation, tenant).await;
    let others = user.sees_others(&correlation, account.user.as_str()).await;
    for (permission, cost, tried) in [
        (
            "CrossTenantInformation.ReadBasic.All",
            "no customer's company or domain is known and no address counts as verified; a CRM finds them by their ids alone",
            tenants.map(|_| true),
        ),
        (
            "User.ReadBasic.All",
            "guests of your own directory have no address where the chat shows none",
            others,
        ),
    ] {
        let what = format!("Graph as support account {name}, {permission}");
        match is_granted(tried) {
            Ok(true) => looked.note(what, Ok::<_, String>("granted")),
            Ok(false) => looked.note_missing(
                what,
                format!("not granted (handler setup graph), so {cost}"),
            ),
            Err(error) => looked.note(what, advised(Err(error))),
        }
    }
}

/// Whether Graph does what a permission is for; refusing it is an answer too.
fn is_granted(tried: Result<bool, ServiceError>) -> Result<bool, ServiceError> {
    match tried {
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(false),
        tried => tried,
    }
}

/// Where an account's tokens come from, in words.
const fn kind_of(account: &SupportAccount) -> &'static str {
    match account.kind {
        AccountKind::SignedIn => "which signs in",
        AccountKind::AgentUser(_) => "an agent user, which needs no sign-in",
    }
}

/// How a call went, or what to do about it.
fn advised(result: Result<&'static str, ServiceError>) -> Result<&'static str, String> {
    result.map_err(|error| match Remedy::of(&error) {
        Some(remedy) => format!("{remedy} ({error})"),
        None => format!("{} ({error})", advice(&error)),
    })
}

/// What a person can do about an error of a service.
#[must_use]
pub fn advice(error: &ServiceError) -> &'static str {
    match error.kind {
        ErrorKind::Unauthorized => "the credential was refused: check ids, roles and secrets",
        ErrorKind::Forbidden => "a role or permission is missing",
        ErrorKind::NotFound => "nothing of that name is there: check the setting that names it",
        ErrorKind::SignInNeeded => "the Support User must sign in: handler sign-in ACCOUNT",
        ErrorKind::Configuration => "the registration at the service does not fit the settings",
        ErrorKind::TimedOut | ErrorKind::Connection => {
            "it could not be reached: check endpoint and network"
        }
        ErrorKind::Throttled | ErrorKind::Unavailable => "it is busy or down: try again later",
        _ => "it did not answer as documented",
    }
}

#[cfg(test)]
mod tests {
    use services::error::{Sent, Service};

    use super::*;

    #[test]
    fn only_a_refusal_says_that_a_permission_is_missing() {
        assert!(matches!(is_granted(Ok(true)), Ok(true)));
        assert!(matches!(is_granted(Ok(false)), Ok(false)));
        for (kind, expected) in [
            (ErrorKind::Forbidden, Some(false)),
            (ErrorKind::Throttled, None),
            (ErrorKind::Unauthorized, None),
            (ErrorKind::NotFound, None),
        ] {
            let error = ServiceError::new(Service::Graph, kind, Sent::Yes);
            assert_eq!(is_granted(Err(error)).ok(), expected, "{kind:?}");
        }
    }
}
