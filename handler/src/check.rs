//! `handler check`: the state of every setting, and one harmless call to each outside service.

use functions::app::App;
use functions::secret_rotation::Secret;
use functions::settings::{AccountKind, SPECIFICATIONS, SettingError, Settings, SupportAccount};
use services::entra::Remedy;
use services::error::{ErrorKind, ServiceError};
use services::genesys::Genesys;
use services::secrets::names;
use uuid::Uuid;

use crate::report::Report;
use crate::rotate;

/// Prints the report; tells whether every setting is right and every service does its part.
pub async fn run() -> bool {
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = Settings::from_lookup(lookup);
    println!("Settings");
    print_settings(lookup, settings.as_ref().err().map_or(&[], Vec::as_slice));
    let Ok(settings) = settings else {
        println!("\nServices were not tried: mend the settings first.");
        return false;
    };
    if !settings.is_set_up() {
        println!("\nServices were not tried, because ids are not set yet.");
        for setting in &settings.unset {
            println!("  {}: {}", setting.name, setting.remedy());
        }
        return false;
    }
    println!("\nServices");
    try_services(settings).await
}

fn print_settings(lookup: impl Fn(&str) -> Option<String>, errors: &[SettingError]) {
    for specification in SPECIFICATIONS {
        let name = specification.name;
        let error = errors.iter().find(|error| error.name == name);
        let given = lookup(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty());
        // No setting holds a secret (those live in Key Vault), so values may be shown.
        let state = match (error, given, specification.default) {
            (Some(error), _, _) => {
                format!("WRONG    {}: put {} there", error.problem, error.expects)
            }
            (None, Some(value), _) => format!("set      {value}"),
            (None, None, Some("")) => "default  (derived)".to_owned(),
            (None, None, Some(default)) => format!("default  {default}"),
            (None, None, None) => "missing".to_owned(),
        };
        println!("  {name:<36} {state}");
    }
    let is_listed = |it: &&SettingError| SPECIFICATIONS.iter().any(|one| one.name == it.name);
    for error in errors.iter().filter(|it| !is_listed(it)) {
        let (name, problem, expects) = (error.name, &error.problem, error.expects);
        println!("  {name:<36} WRONG    {problem}: put {expects} there");
    }
}

async fn try_services(settings: Settings) -> bool {
    let app = match App::build(settings) {
        Ok(app) => app,
        Err(error) => {
            println!("  clients cannot be built: {error}");
            return false;
        }
    };
    let mut report = Report { good: true };
    let mut note = |what: &str, result| report.note(what, advised(result));
    let token = app.bus.warm_up().await.map(|()| "received");
    note("managed identity, token for Service Bus", token);
    let state = app.blobs.get("state", "check").await.map(|_| "readable");
    note("Blob storage, container state", state);
    let link = match app.blobs.get("attachments", "check").await {
        Ok(_) => {
            let life = app.settings.attachment_link_life;
            app.blobs.read_link("attachments", "check", life).await
        }
        Err(error) => Err(error),
    };
    note("Blob storage, links to files", link.map(|_| "can be made"));
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
                report.note(what, Err::<&str, _>(missing));
            }
            Ok(None) => report.note(what, Err::<&str, _>("put it into the vault")),
            read => report.note(what, advised(read.map(|_| "present"))),
        }
    }
    for secret in Secret::all(&app.settings) {
        let what = format!("renewal of {}", secret.name());
        report.note(what, rotate::planned(&app, &secret, false).await);
    }
    let keys = app.validator.warm_up().await.map(|()| "received");
    report.note("Entra ID, signing keys", advised(keys));
    for account in &app.settings.support_accounts {
        let (name, kind) = (account.name.as_str(), kind_of(account));
        let user = app.graph.as_user(name);
        let token = user.token().await.map(|()| "received");
        let has_token = token.is_ok();
        report.note(
            format!("Entra ID, token of support account {name}, {kind}"),
            advised(token),
        );
        if has_token {
            let answer = user.probe().await.map(|()| "answers");
            report.note(format!("Graph as support account {name}"), advised(answer));
            try_permissions(&app, account, &mut report).await;
        }
    }
    if let (Some(bot), Some(tokens)) = (&app.bot, &app.connector_tokens) {
        let token = bot.token().await.map(|()| "received");
        report.note("token of the bot", advised(token));
        let keys = tokens.warm_up().await.map(|()| "received");
        report.note("Bot Framework, signing keys", advised(keys));
    }
    for (number, id) in clients.iter().enumerate() {
        let service = match clients.len() {
            1 => "Genesys Cloud".to_owned(),
            _ => format!("Genesys Cloud as client {id}"),
        };
        try_genesys(app.genesys_by(number), &service, &mut report).await;
    }
    report.good
}

/// Tries one of our OAuth clients.
async fn try_genesys(genesys: &Genesys, service: &str, report: &mut Report) {
    let answer = genesys.probe().await.map(|()| "answers");
    let answers = answer.is_ok();
    report.note(service.to_owned(), advised(answer));
    if !answers {
        return;
    }
    let integration = match genesys.integration().await {
        // Only the right messaging:integration:view shows it; messages need another one.
        Err(error) if error.kind == ErrorKind::Forbidden => Ok("not shown to this client"),
        read => read.map(|()| "exists"),
    };
    report.note(
        format!("{service}, GENESYS_INTEGRATION_ID"),
        advised(integration),
    );
}

/// Tries the permissions without which messages go on and less is known of customers: their lack is no failure, but whatever else
/// goes wrong with them is.
async fn try_permissions(app: &App, account: &SupportAccount, report: &mut Report) {
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
            Ok(true) => report.note(what, Ok::<_, String>("granted")),
            Ok(false) => {
                Report::note_missing(what, format!("not granted (DEPLOY.md, step 4), so {cost}"))
            }
            Err(error) => report.note(what, advised(Err(error))),
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

/// What a person can do about an error.
fn advice(error: &ServiceError) -> &'static str {
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
