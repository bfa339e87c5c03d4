//! `handler rotate`: what the function `secret-rotation` does once a day, by hand. With whoever signs in to Genesys Cloud in the
//! environment, as for `handler setup genesys`, it may replace what the bridge's own client may not.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use functions::app::App;
use functions::secret_rotation::{Secret, trouble};
use functions::settings::Settings;
use functions::timer::Turn;
use services::error::{ErrorKind, ServiceError};
use services::http;
use services::resource_manager::AppSettings;

use crate::genesys::Connection;
use crate::installation::file::InstallationFile;
use crate::installation::{FILE, keys};
use crate::login::identity;
use crate::report::{Finding, Report};
use crate::setup::azure::{Installation, login};
use crate::setup::steps::Steps;
use crate::trusted;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub struct Order {
    /// Renew although nothing is due.
    #[arg(long)]
    now: bool,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Name of one secret, or `genesys` for those that are replaced at Genesys Cloud; all of them otherwise.
    name: Option<String>,
}

/// The name that stands for all secrets that are replaced at Genesys.
const GENESYS: &str = "genesys";

impl Order {
    fn is_about(&self, secret: &Secret) -> bool {
        self.name.as_ref().is_none_or(|name| {
            *name == secret.name() || (name == GENESYS && secret.is_of_genesys())
        })
    }
}

/// Prints one line for each secret; tells whether all is well with them.
///
/// # Errors
/// A setting is missing, no such secret is renewed here, or a client cannot be built.
pub async fn run(order: &Order) -> anyhow::Result<bool> {
    let own = |name: &str| std::env::var(name).ok();
    let found = found(&own).await?;
    let settings = crate::settings(|name| own(name).or_else(|| found.setting(name)))?;
    let all = Secret::all(&settings);
    let names: Vec<String> = all.iter().map(Secret::name).collect();
    let meant: Vec<Secret> = all.into_iter().filter(|it| order.is_about(it)).collect();
    if meant.is_empty() {
        bail!(
            "no such secret is renewed here: put {GENESYS} there, or one of {}",
            names.join(", ")
        );
    }
    let client = http::client()?;
    let mine = |name: &str| own(name).or_else(|| found.of_the_file(name));
    let identity = identity(&client, &mine)?;
    let app = App::build_with(settings, client, identity);
    let mut app = app.context("the clients cannot be built")?;
    if let Some(connection) = Connection::if_given(mine)? {
        app.genesys_operator = Some(connection.sign_in().await?);
    }
    let mut report = Report { good: true };
    for secret in meant {
        let finding = match order.dry_run {
            true => secret.planned(&app, order.now).await,
            false => renewed(&app, &secret, order.now).await,
        };
        report.note(secret.name(), finding);
    }
    Ok(report.good)
}

/// Where the app's settings are found besides the environment.
enum Found {
    /// Nowhere: the environment has all, or there is no file.
    Nowhere,
    /// At the app itself, and in the installation's file.
    Installed(AppSettings, Box<Installation>),
}

impl Found {
    /// A setting as the app has it. Addresses are those of the file or of its cloud, for tokens and secrets go there.
    fn setting(&self, name: &str) -> Option<String> {
        let Self::Installed(settings, installation) = self else {
            return None;
        };
        match name {
            "ENTRA_ENDPOINT" => Some(installation.entra_endpoint.clone()),
            "GRAPH_ENDPOINT" => Some(installation.graph_endpoint.clone()),
            "AZURE_CLIENT_ID" => {
                let id = installation.file.text(keys::MANAGED_IDENTITY_CLIENT_ID);
                id.map(str::to_owned)
            }
            _ if trusted::is_taken_from_the_app(name) => settings
                .0
                .get(name)
                .cloned()
                .or_else(|| self.of_the_file(name)),
            _ => self.of_the_file(name),
        }
    }

    fn of_the_file(&self, name: &str) -> Option<String> {
        match self {
            Self::Nowhere => None,
            Self::Installed(_, installation) => installation.file.setting(name),
        }
    }
}

/// Asks the app for its settings, unless the environment has them all.
async fn found(own: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Found> {
    let path = Path::new(FILE);
    if Settings::from_lookup(own).is_ok() || !path.exists() {
        return Ok(Found::Nowhere);
    }
    let file = InstallationFile::read(path)?;
    let installation = Installation::open(file, Steps::new(true), own)?;
    let settings = installation
        .settings()
        .await
        .map_err(|error| anyhow!("settings of the Function App: {} ({error})", advice(&error)))?;
    Ok(Found::Installed(settings, Box::new(installation)))
}

fn advice(error: &ServiceError) -> String {
    match error.kind {
        ErrorKind::Forbidden => {
            "they are not shown to you: whoever owns the app gives you the role Website Contributor on it".to_owned()
        }
        _ => login(error),
    }
}

async fn renewed(app: &App, secret: &Secret, is_asked: bool) -> Finding {
    let turn = secret.renew_alone(app, is_asked).await;
    match turn.map_err(|failure| trouble(&failure))? {
        Turn::Busy => Err("another run is at it: try again in ten minutes".to_owned()),
        Turn::Done(()) => {
            let now = app.now();
            let status = secret
                .status(app, now, false)
                .await
                .map_err(|it| trouble(&it))?;
            Ok(format!("{}; left to do: {}", status.dates(), status.next))
        }
    }
}
