//! `handler rotate`: what the function `secret-rotation` does once a day, by hand, with the app's settings in the environment. With
//! an administrator's OAuth client there too, as for `handler genesys`, it may replace what the bridge's own client may not.

use anyhow::{Context, bail};
use functions::app::App;
use functions::secret_rotation::{Secret, trouble};
use functions::settings::Settings;
use functions::timer::Turn;

use crate::genesys::operator;
use crate::report::{Finding, Report};

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
/// No such secret is renewed here, or a client cannot be built.
pub async fn run(settings: Settings, order: &Order) -> anyhow::Result<bool> {
    let all = Secret::all(&settings);
    let names: Vec<String> = all.iter().map(Secret::name).collect();
    let meant: Vec<Secret> = all.into_iter().filter(|it| order.is_about(it)).collect();
    if meant.is_empty() {
        bail!(
            "no such secret is renewed here: put {GENESYS} there, or one of {}",
            names.join(", ")
        );
    }
    let mut app = App::build(settings).context("the clients cannot be built")?;
    app.genesys_operator = operator(|name| std::env::var(name).ok())?;
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
