//! `handler check`: the state of every setting, and one harmless call to each outside service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use functions::app::App;
use functions::self_check::look;
use functions::settings::{SPECIFICATIONS, SettingError, Settings};

use crate::installation::FILE;
use crate::report::Report;
use crate::{deep, deployed};

/// What is to be checked.
#[derive(Debug, Args)]
pub struct Order {
    /// Address of a deployed Function App: check it as Graph and Genesys meet it, without any credential or setting.
    #[arg(long, value_name = "URL", value_parser = deployed::address, conflicts_with = "deep")]
    deployed: Option<reqwest::Url>,
    /// Seconds that a deployed handler may go on starting.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        requires = "deployed"
    )]
    wait: u16,
    /// The whole installation, as whoever is logged in by `az login`: what the file knows, the app's settings, the app from outside
    /// and from inside, and what it has done so far.
    #[arg(long)]
    deep: bool,
    /// And follow a message that you write in Teams to the agent and back.
    #[arg(long, requires = "deep")]
    send: bool,
    /// The installation's file.
    #[arg(long, value_name = "PATH", default_value = FILE, requires = "deep")]
    file: PathBuf,
}

/// Makes the check; tells whether all is well.
///
/// # Errors
/// It could not be begun.
pub async fn run(order: Order) -> anyhow::Result<bool> {
    let lookup = |name: &str| std::env::var(name).ok();
    match order.deployed {
        _ if order.deep => deep::run(&order.file, order.send, lookup).await,
        Some(app) => Ok(deployed::run(&app, Duration::from_secs(order.wait.into())).await),
        None => Ok(here().await),
    }
}

/// Prints the report; tells whether every setting is right and every service does its part.
async fn here() -> bool {
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
    report.take(&look(&app).await);
    report.good
}
