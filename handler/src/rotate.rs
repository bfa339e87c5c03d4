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

use crate::genesys::Connection;
use crate::installation::FILE;
use crate::installation::file::InstallationFile;
use crate::login::identity;
use crate::report::{Finding, Report};
use crate::setup::azure::{Installation, login};
use crate::setup::steps::Steps;

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
    let lookup = of_the_app().await?;
    let settings = crate::settings(&lookup)?;
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
    let identity = identity(&client, &lookup)?;
    let app = App::build_with(settings, client, identity);
    let mut app = app.context("the clients cannot be built")?;
    if let Some(connection) = Connection::if_given(&lookup)? {
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

/// Where the app's settings are found: in the environment, else at the app itself, else in the installation's file.
async fn of_the_app() -> anyhow::Result<impl Fn(&str) -> Option<String>> {
    let own = |name: &str| std::env::var(name).ok();
    let path = Path::new(FILE);
    let found = match Settings::from_lookup(own) {
        Err(_) if path.exists() => {
            let file = InstallationFile::read(path)?;
            let installation = Installation::open(file, Steps::new(true), &own)?;
            let settings = installation.settings().await.map_err(|error| {
                anyhow!("settings of the Function App: {} ({error})", advice(&error))
            })?;
            Some((settings.0, installation.file))
        }
        _ => None,
    };
    Ok(move |name: &str| {
        let of_the_app = || found.as_ref()?.0.get(name).cloned();
        let of_the_file = || found.as_ref()?.1.setting(name);
        own(name).or_else(of_the_app).or_else(of_the_file)
    })
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
