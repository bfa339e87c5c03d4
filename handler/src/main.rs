//! The custom handler of the Function App: settings, then clients, then the router; and the operator's commands.

mod check;
mod deployed;
mod genesys;
mod logging;
mod serve;

use std::process::ExitCode;
use std::time::Duration;

use bridge::ids::{ChatId, CorrelationId, GenesysMessageId, TeamsMessageId};
use clap::{Parser, Subcommand};
use functions::settings::Settings;

/// Custom handler that carries messages between Microsoft Teams and Genesys Cloud.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the Functions host (the default).
    Serve,
    /// Print the state of every setting, without secrets, and try each outside service; or check a deployed app from outside.
    Check {
        /// Address of a deployed Function App: check it as Graph and Genesys meet it, without any credential or setting.
        #[arg(long, value_name = "URL", value_parser = deployed::address)]
        deployed: Option<reqwest::Url>,
        /// Seconds that a deployed handler may go on starting.
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = 30,
            requires = "deployed"
        )]
        wait: u16,
    },
    /// Print the correlation id that the logs use for a message.
    Correlate {
        /// Chat id of a Teams message.
        #[arg(long, requires = "message", conflicts_with = "genesys_message")]
        chat: Option<ChatId>,
        /// Message id of a Teams message.
        #[arg(long, requires = "chat")]
        message: Option<TeamsMessageId>,
        /// Id of an agent's message at Genesys.
        #[arg(long, required_unless_present = "chat")]
        genesys_message: Option<GenesysMessageId>,
    },
    /// Set up Genesys Cloud where no Terraform resource does, as an administrator.
    Genesys {
        #[command(subcommand)]
        command: genesys::Command,
    },
}

fn main() -> ExitCode {
    // The host does not restart a handler that exits with 0, so only a command that was asked for may end that way.
    match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => match settings().and_then(serve::run) {
            Ok(never) => match never {},
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        },
        Command::Check { deployed, wait } => match deployed {
            Some(app) => deployed::run(&app, Duration::from_secs(wait.into())),
            None => check::run(),
        },
        Command::Correlate {
            chat,
            message,
            genesys_message,
        } => {
            let correlation = match (chat, message, genesys_message) {
                (Some(chat), Some(message), _) => {
                    Some(CorrelationId::of_teams_message(&chat, &message))
                }
                (_, _, Some(message)) => Some(CorrelationId::of_genesys_message(&message)),
                _ => None,
            };
            match correlation {
                Some(correlation) => {
                    println!("{correlation}");
                    ExitCode::SUCCESS
                }
                None => ExitCode::FAILURE,
            }
        }
        Command::Genesys { command } => genesys::run(&command),
    }
}

/// Reads the settings from the environment; the error holds one line for each that is missing or wrong.
fn settings() -> anyhow::Result<Settings> {
    Settings::from_lookup(|name| std::env::var(name).ok()).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(lines.join("\n"))
    })
}
