//! The command line.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{ArgAction, Parser};

use crate::crm::Kind;

/// Runs the handler against a simulated outside world on this machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "local-platform", version)]
pub struct Options {
    /// The handler's executable.
    #[arg(long, value_name = "PATH")]
    pub handler: PathBuf,

    /// Directory of host.json, local.settings.json and the functions' folders (directly in it, or under `functions/`).
    #[arg(long, value_name = "DIR")]
    pub app_root: PathBuf,

    /// Directory in which Azurite, and the renderer of the page's cards, were installed with npm.
    #[arg(long, value_name = "DIR")]
    pub azurite: PathBuf,

    /// Port of the function routes, the console page and the control interface; 0 picks a free one.
    #[arg(long, default_value_t = 7071)]
    pub port: u16,

    /// Host instances, each with a handler process of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub instances: u16,

    /// Where another host runs the functions, `http://127.0.0.1:7072` for example. Then no handler is started here; what that host
    /// must give its own is told by `GET /local/settings`.
    #[arg(long, value_name = "URL")]
    pub functions: Option<String>,

    /// Overrides a setting of local.settings.json; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,

    /// Graph's notifications carry no encrypted content.
    #[arg(long)]
    pub basic_notifications: bool,

    /// Whether the app subscribes to the messages of each Support User at the start. With false its timer does, within minutes.
    #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set)]
    pub subscribe: bool,

    /// A secret of the vault that is `none` at the start, as a deployment leaves what the app is to make; may be repeated.
    #[arg(long = "no-secret", value_name = "NAME")]
    pub no_secrets: Vec<String>,

    /// Seconds for which a dead host instance keeps its message locks.
    #[arg(long, default_value_t = 60)]
    pub lock_seconds: u64,

    /// What the message flow answers at once to the first message of a conversation.
    #[arg(long, value_name = "TEXT")]
    pub genesys_greeting: Option<String>,

    /// The CRM behind Genesys.
    #[arg(long, value_enum, default_value_t)]
    pub crm: Kind,

    /// Requests that Genesys takes from each of the bridge's clients in any minute.
    #[arg(long, value_name = "REQUESTS", default_value_t = 300)]
    pub genesys_rate_limit: usize,

    /// Faults can be ordered for Blob Storage too, whose every call then takes a little longer.
    #[arg(long)]
    pub blob_faults: bool,

    /// How many times as fast as usual time passes for timers, secrets and subscriptions: at 86400, a day in a second.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub speed: u32,

    /// Stop when standard input ends: for a parent that may die without stopping us.
    #[arg(long)]
    pub until_stdin_closes: bool,

    /// The executable that cleans up should this process be killed; none means nobody does. `main` sets it to
    /// itself.
    #[arg(skip)]
    pub watchdog: Option<PathBuf>,
}

impl Options {
    /// Refuses options that make no sense together.
    ///
    /// # Errors
    /// A line that says which.
    pub fn check(&self) -> anyhow::Result<()> {
        let needed = ["graph-client-state", "graph-notification-key"];
        let mut missing = self.no_secrets.iter();
        ensure!(
            !self.subscribe || !missing.any(|name| needed.contains(&name.as_str())),
            "the platform's own subscriptions need the secrets {}: add --subscribe false",
            needed.join(" and ")
        );
        ensure!(
            !self.subscribe || self.functions.is_none(),
            "the functions of another host subscribe by their own timer: add --subscribe false"
        );
        Ok(())
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_subscriptions_need_their_secrets() {
        let required = [
            "local-platform",
            "--handler=h",
            "--app-root=a",
            "--azurite=z",
        ];
        for (further, fits) in [
            (&[][..], true),
            (
                &["--subscribe=false", "--no-secret=graph-client-state"],
                true,
            ),
            (&["--no-secret=genesys-webhook-secret"], true),
            (&["--functions=http://127.0.0.1:9"], false),
            (
                &["--functions=http://127.0.0.1:9", "--subscribe=false"],
                true,
            ),
            (&["--no-secret=graph-client-state"], false),
            (
                &["--no-secret=x", "--no-secret=graph-notification-key"],
                false,
            ),
        ] {
            let options = Options::try_parse_from(required.iter().chain(further));
            let options = options.expect("options");
            assert_eq!(options.check().is_ok(), fits, "{further:?}");
        }
    }

    #[test]
    fn a_setting_may_hold_equal_signs_and_be_empty() {
        assert_eq!(setting("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert_eq!(setting("A="), Ok(("A".to_owned(), String::new())));
        assert!(setting("A").is_err());
        assert!(setting("=b").is_err());
    }
}
