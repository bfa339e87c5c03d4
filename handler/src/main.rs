//! The custom handler of the Function App: settings, then clients, then the router; and the operator's commands.

mod check;
mod deep;
mod deployed;
mod failed;
mod forget;
mod genesys;
mod installation;
mod logging;
mod login;
mod report;
mod rotate;
mod serve;
mod setup;
mod sign_in;
mod status;
mod trusted;

use std::process::ExitCode;

use anyhow::Context;
use bridge::ids::{ChatId, CorrelationId, GenesysMessageId, SupportAccountName, TeamsMessageId};
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
    /// Print the state of every setting, without secrets, and try each outside service; or check a deployed app.
    Check(check::Order),
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
    /// Print the one-time link with which a Support User signs in.
    SignIn {
        /// Name of the account in `SUPPORT_ACCOUNTS`.
        account: SupportAccountName,
        /// Address of the deployed Function App.
        #[arg(long, value_name = "URL", value_parser = deployed::address)]
        app: Option<reqwest::Url>,
    },
    /// Forget a Support User's token; it must sign in again before its chats are read or written.
    SignOut {
        /// Name of the account in `SUPPORT_ACCOUNTS`.
        account: SupportAccountName,
    },
    /// Renew the secrets that the function secret-rotation renews once a day, or tell what it would do.
    Rotate(rotate::Order),
    /// Tell on one screen how the bridge is; ends with 1 when something needs a person.
    Status(status::Order),
    /// Look at the messages that were given up, have them tried once more, or remove them.
    Failed {
        #[command(subcommand)]
        command: failed::Command,
    },
    /// Erase a person from all that the bridge keeps, and tell what remains elsewhere.
    Forget(forget::Order),
    /// Set up what Azure's templates cannot, with the installation's file; every command may be repeated.
    Setup(setup::Order),
}

fn main() -> ExitCode {
    // The host does not restart a handler that exits with 0, so only a command that was asked for may end that way.
    let done = match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => settings(|name| std::env::var(name).ok())
            .and_then(serve::run)
            .map(|never| match never {}),
        Command::Check(order) => finish(check::run(order)),
        Command::Correlate {
            chat,
            message,
            genesys_message,
        } => {
            let of_teams = chat.zip(message);
            let of_teams = of_teams.map(|(chat, id)| CorrelationId::of_teams_message(&chat, &id));
            let of_genesys = |id| CorrelationId::of_genesys_message(&id);
            let correlation = of_teams.or_else(|| genesys_message.map(of_genesys));
            correlation.iter().for_each(|it| println!("{it}"));
            Ok(correlation.is_some())
        }
        Command::SignIn { account, app } => finish(async {
            let lookup = login::lookup()?;
            println!("{}", sign_in::link(&account, app.as_ref(), lookup).await?);
            Ok(true)
        }),
        Command::SignOut { account } => finish(async {
            let lookup = login::lookup()?;
            println!("{}", sign_in::out(&account, lookup).await?);
            Ok(true)
        }),
        Command::Rotate(order) => finish(rotate::run(&order)),
        Command::Status(order) => finish(async {
            let lookup = login::lookup()?;
            status::run(&order, lookup).await
        }),
        Command::Failed { command } => finish(async {
            let lookup = login::lookup()?;
            failed::run(&command, lookup).await
        }),
        Command::Forget(order) => finish(async {
            let lookup = login::lookup()?;
            forget::run(&order, lookup).await
        }),
        Command::Setup(order) => finish(async {
            let lookup = |name: &str| std::env::var(name).ok();
            setup::run(&order, lookup).await
        }),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command to its end, on one thread.
fn finish(command: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    runtime.block_on(command)
}

/// Reads the settings; the error holds one line for each that is missing or wrong.
fn settings(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Settings> {
    Settings::from_lookup(lookup).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(lines.join("\n"))
    })
}
