//! Measures the handler beside its references and compares it with the bars; exits 1 when a bar is missed.
//!
//! Started by `cargo xtask bench`, which builds everything in the release profile first.

mod bars;
mod calls;
mod cryptography;
mod hostile;
mod html;
mod http_client;
mod load;
mod notifications;
mod outside;
mod platform;
mod process;
mod server;
mod streaming;
mod table;
mod tokens;
mod typing;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use serde_json::Value;

use crate::notifications::Notifications;
use crate::outside::Outside;
use crate::server::Contender;
use crate::table::Table;

/// Where the programs lie, and what is measured.
#[derive(Parser)]
struct Arguments {
    /// The handler, built natively.
    #[arg(long)]
    handler: PathBuf,
    /// The handler as it is packaged for publishing.
    #[arg(long)]
    packaged_handler: PathBuf,
    /// The example of the bridge that prints `unwraps_per_second N`.
    #[arg(long)]
    unwrap: PathBuf,
    /// The local platform.
    #[arg(long)]
    local_platform: PathBuf,
    /// The folder in which Azurite is installed.
    #[arg(long)]
    azurite: PathBuf,
    /// The folder that holds `local.settings.json`.
    #[arg(long)]
    app_root: PathBuf,
    /// What to measure; all without any.
    parts: Vec<Part>,
}

/// What can be measured on its own.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// The program beside its references.
    Bars,
    /// Bodies that anybody could send.
    Bodies,
    /// A large file.
    File,
    /// Outside calls for each message.
    Calls,
    /// The time from Teams to Genesys.
    Way,
    /// The look-up of a token that each call to Graph needs, and the check of one of the bot's connector.
    Tokens,
    /// Typing in the bot's conversations, beside messages.
    Typing,
}

/// The handler with the least that it needs around it, and the reference with the same.
struct Stage {
    outside: Outside,
    ours: Contender,
    reference: Contender,
    notifications: Notifications,
}

impl Stage {
    fn set(arguments: &Arguments) -> Result<Self> {
        let file = arguments.app_root.join("local.settings.json");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let settings: Value = serde_json::from_str(&text).context("local.settings.json")?;
        let settings = serde_json::from_value(settings["Values"].clone())?;
        let outside = Outside::start()?;
        Ok(Self {
            notifications: Notifications::for_settings(&settings)?,
            ours: Contender::handler(&arguments.handler, settings, &outside),
            reference: Contender::bare(&neighbour("bare-handler")?, &outside),
            outside,
        })
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.parts.is_empty() {
        arguments.parts = Part::value_variants().to_vec();
    }
    let mut met = true;
    for part in &arguments.parts {
        // One thread: the load takes one core at most.
        let measured = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the runtime")
            .and_then(|runtime| runtime.block_on(measure(*part, &arguments)));
        match measured {
            Ok(table) => {
                println!("{table}");
                met &= table.all_met();
            }
            Err(error) => {
                eprintln!("bench: {error:#}");
                met = false;
            }
        }
    }
    ExitCode::from(u8::from(!met))
}

async fn measure(part: Part, arguments: &Arguments) -> Result<Table> {
    match part {
        Part::Bars => bars::measure(arguments, &Stage::set(arguments)?).await,
        Part::Bodies => hostile::measure(&Stage::set(arguments)?).await,
        Part::File => streaming::measure(arguments).await,
        Part::Calls => calls::measure(arguments).await,
        Part::Way => way::measure(arguments).await,
        Part::Tokens => tokens::measure().await,
        Part::Typing => typing::measure(arguments).await,
    }
}

/// A program built beside this one.
fn neighbour(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
