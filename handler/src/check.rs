//! `handler check`: the state of every setting, and one harmless call to each outside service.

use std::process::ExitCode;
use std::sync::Arc;

use functions::app::App;
use functions::settings::{SPECIFICATIONS, SettingError, Settings};
use services::error::{ErrorKind, ServiceError};
use services::secrets::names;

/// Prints the report; fails when a setting is wrong or a service does not do its part.
pub fn run() -> ExitCode {
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = Settings::from_lookup(lookup);
    println!("Settings");
    let errors = settings
        .as_ref()
        .err()
        .map(Vec::as_slice)
        .unwrap_or_default();
    print_settings(lookup, errors);
    if let Some(setting) = settings.as_ref().ok().and_then(Settings::placeholder) {
        let (name, expects) = (setting.name, setting.expects);
        println!(
            "\nServices were not tried: {name} still holds a placeholder: put {expects} there."
        );
        return ExitCode::FAILURE;
    }
    let Ok(settings) = settings else {
        println!("\nServices were not tried: mend the settings first.");
        return ExitCode::FAILURE;
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("\nServices were not tried: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("\nServices");
    if runtime.block_on(try_services(settings)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
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
}

async fn try_services(settings: Settings) -> bool {
    let app = match App::build(settings) {
        Ok(app) => Arc::new(app),
        Err(error) => {
            println!("  clients cannot be built: {error}");
            return false;
        }
    };
    let mut report = Report { good: true };
    report.note(
        "managed identity, token for Service Bus",
        app.queues.warm_up().await.map(|()| "received"),
    );
    report.note(
        "Blob storage, container state",
        app.blobs.get("state", "check").await.map(|_| "readable"),
    );
    report.note(
        "Blob storage, links to files",
        match app.blobs.get("attachments", "check").await {
            Ok(_) => app
                .blobs
                .read_link("attachments", "check", app.settings.attachment_link_life)
                .await
                .map(|_| "can be made"),
            Err(error) => Err(error),
        },
    );
    for secret in [
        names::GRAPH_CLIENT_STATE,
        names::GRAPH_NOTIFICATION_KEY,
        names::GENESYS_WEBHOOK,
        names::GENESYS_CLIENT,
    ] {
        let state = app.secrets.get(secret).await;
        report.secret(secret, state.map(|secret| secret.is_some()));
    }
    report.note(
        "Entra ID, signing keys",
        app.validator.warm_up().await.map(|()| "received"),
    );
    for account in &app.settings.support_accounts {
        let what = format!("Graph as support account {}", account.name.as_str());
        let answer = app.graph.as_user(account.name.as_str()).probe().await;
        report.note(&what, answer.map(|()| "answers"));
    }
    report.note(
        "Genesys Cloud",
        app.genesys.probe().await.map(|()| "answers"),
    );
    report.note(
        "Genesys Cloud, GENESYS_INTEGRATION_ID",
        match app.genesys.integration().await {
            Ok(()) => Ok("exists"),
            // Only the right messaging:integration:view shows it; messages need another one.
            Err(error) if error.kind == ErrorKind::Forbidden => Ok("not shown to this client"),
            Err(error) => Err(error),
        },
    );
    report.good
}

struct Report {
    good: bool,
}

impl Report {
    fn note(&mut self, what: &str, result: Result<&'static str, ServiceError>) {
        match result {
            Ok(state) => println!("  ok      {what}: {state}"),
            Err(error) => {
                self.good = false;
                println!("  FAILED  {what}: {} ({error})", advice(&error));
            }
        }
    }

    fn secret(&mut self, name: &str, state: Result<bool, ServiceError>) {
        let what = format!("Key Vault, secret {name}");
        match state {
            Ok(true) => self.note(&what, Ok("present")),
            Ok(false) => {
                self.good = false;
                println!("  FAILED  {what}: put it into the vault");
            }
            Err(error) => self.note(&what, Err(error)),
        }
    }
}

/// What a person can do about an error.
fn advice(error: &ServiceError) -> &'static str {
    match error.kind {
        ErrorKind::Unauthorized => "the credential was refused: check ids, roles and secrets",
        ErrorKind::Forbidden => "a role or permission is missing",
        ErrorKind::NotFound => "nothing of that name is there: check the setting that names it",
        ErrorKind::SignInNeeded => "the support account must sign in again",
        ErrorKind::Configuration => "the registration at the service does not fit the settings",
        ErrorKind::TimedOut | ErrorKind::Connection => {
            "it could not be reached: check endpoint and network"
        }
        ErrorKind::Throttled | ErrorKind::Unavailable => "it is busy or down: try again later",
        _ => "it did not answer as documented",
    }
}
