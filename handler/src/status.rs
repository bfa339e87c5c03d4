//! `handler status`: one screen that tells how the bridge is.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use bridge::status::{Part, Screen, State, screen};
use clap::Args;
use functions::settings::read_support_accounts;
use functions::status::{Outlook, now};
use services::http;
use services::key_vault::KeyVault;

use crate::failed::desk;
use crate::login::{Setting, VAULT, given, identity, required};

const ACCOUNTS: Setting = (
    "SUPPORT_ACCOUNTS",
    "`name=object id` of each Support User, as in the app's settings",
);

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// How the screen is wanted.
#[derive(Debug, Args)]
pub struct Order {
    /// As JSON, for machines: one line for each look.
    #[arg(long)]
    json: bool,
    /// Look again every few seconds, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// Prints the screen; tells whether all is well.
///
/// # Errors
/// A setting is missing, or nothing can be printed.
pub async fn run(order: &Order, lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<bool> {
    let outlook = outlook(&lookup)?;
    let mut ended = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let now = now(&lookup);
        let screen = tokio::select! {
            facts = outlook.look(now) => screen(&facts, now),
            _ = &mut ended => return Ok(true),
        };
        print(order, &screen)?;
        if !order.watch {
            return Ok(screen.well);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = &mut ended => return Ok(screen.well),
        }
    }
}

fn outlook(lookup: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Outlook> {
    let desk = desk(lookup)?;
    let (vault, accounts) = (required(lookup, VAULT)?, required(lookup, ACCOUNTS)?);
    let client = http::client()?;
    let clients = given(lookup, "GENESYS_CLIENT_ID").unwrap_or_default();
    let clients = clients.split(',').map(|id| id.trim().to_owned());
    let clients = clients.filter(|id| !id.is_empty());
    let calls = given(lookup, "GENESYS_CALLS_PER_MINUTE").map(|it| it.parse());
    Ok(Outlook {
        desk,
        vault: KeyVault::new(client.clone(), &vault, identity(&client, lookup)?),
        accounts: read_support_accounts(&accounts)?,
        genesys_clients: clients.collect(),
        genesys_calls_per_minute: calls
            .transpose()
            .context("GENESYS_CALLS_PER_MINUTE is no number")?
            .unwrap_or(300),
    })
}

/// Writes all at once, so that a screen that is watched does not flicker.
fn print(order: &Order, screen: &Screen) -> anyhow::Result<()> {
    let text = match order.json {
        true => serde_json::to_string(screen)? + "\n",
        false => shown(screen),
    };
    let mut out = std::io::stdout().lock();
    if order.watch && !order.json && out.is_terminal() {
        // Home, and everything behind it away (ECMA-48, CUP and ED).
        out.write_all(b"\x1b[H\x1b[J")?;
    }
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn shown(screen: &Screen) -> String {
    let mut text = String::new();
    for line in &screen.lines {
        let state = match line.state {
            State::NeedsPerson => "ACT",
            State::Unreadable => "UNREAD",
            State::Waits => "waits",
            State::Well => "ok",
        };
        let (part, subject, told) = (name(line.part), &line.subject, &line.told);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{state:<6} {part:<12} {subject:<28} {told}");
    }
    let count = |state| screen.lines.iter().filter(|it| it.state == state).count();
    let (act, unread) = (count(State::NeedsPerson), count(State::Unreadable));
    let _ = match screen.well {
        true => writeln!(text, "all is well"),
        false => writeln!(text, "{act} need a person, {unread} could not be read"),
    };
    text
}

const fn name(part: Part) -> &'static str {
    match part {
        Part::Subscription => "subscription",
        Part::SignIn => "sign-in",
        Part::Secret => "secret",
        Part::Timer => "timer",
        Part::CatchUp => "catch-up",
        Part::Queue => "queue",
        Part::Spool => "spool",
        Part::Pace => "pace",
        Part::Failed => "failed",
        Part::Messages => "messages",
    }
}
