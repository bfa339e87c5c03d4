//! `handler setup …`: the steps of an installation that no template does, from what `graph-to-open.toml` says.
//!
//! A command looks at what is there, changes what differs and writes what it learnt into the file. It may be repeated at any time,
//! also after one that was killed: what is as wanted is left alone.

pub(crate) mod azure;
mod genesys;
mod graph;
mod registration;
mod remove;
pub(crate) mod settings;
pub(crate) mod steps;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::installation::FILE;
use crate::installation::file::InstallationFile;
use azure::Installation;
use steps::Steps;

/// What is to be set up, and with which file.
#[derive(Args)]
pub struct Order {
    #[command(subcommand)]
    what: What,
    /// The installation's file.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = FILE
    )]
    file: PathBuf,
    /// Only tell what would be changed.
    #[arg(long, global = true)]
    plan: bool,
}

/// The steps.
#[derive(Subcommand, Clone)]
enum What {
    /// Make or mend the app registration in Entra ID and what it is permitted, as an administrator of Entra ID.
    Graph {
        /// Seconds that Entra ID may take to know what was just made.
        #[arg(long, value_name = "SECONDS", default_value_t = 300)]
        wait: u16,
        /// Delete the registration for good instead, before the installation goes.
        #[arg(long)]
        remove: bool,
    },
    /// Make or mend what is at Genesys Cloud, with Terraform and without, as an administrator of Genesys Cloud.
    Genesys(genesys::How),
    /// Put the ids that the file knows into the Function App's settings.
    Settings,
    /// Take the whole installation away again: Genesys Cloud's side, the app registration, and the resource group.
    Remove {
        /// Really do it; otherwise what would go is only told.
        #[arg(long)]
        yes: bool,
        /// Seconds that Entra ID may take to know what was just deleted.
        #[arg(long, value_name = "SECONDS", default_value_t = 300)]
        wait: u16,
    },
}

/// Runs a step; tells whether it is done.
///
/// # Errors
/// What to do, a line for each thing.
pub async fn run(order: &Order, lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<bool> {
    let file = InstallationFile::read(&order.file)?;
    let is_refused = matches!(order.what, What::Remove { yes: false, .. });
    let steps = Steps::new(order.plan || is_refused);
    let mut installation = Installation::open(file, steps, &lookup)?;
    installation.note_unread_keys();
    if let What::Remove { wait, .. } = order.what {
        // What the file has learnt is enough; the deployment may be gone already.
        let wait = Duration::from_secs(wait.into());
        remove::run(&mut installation, wait, &lookup).await?;
        let is_done = installation.finish()?;
        if is_refused && !order.plan {
            bail!("nothing is removed: look at this, then say --yes");
        }
        return Ok(is_done);
    }
    installation.learn_from_azure().await?;
    match &order.what {
        What::Graph { wait, remove } => {
            let wait = Duration::from_secs((*wait).into());
            if *remove {
                graph::remove(&mut installation, wait).await?;
                return installation.finish();
            }
            if !graph::run(&mut installation, wait).await? {
                return installation.finish();
            }
        }
        What::Genesys(how) => {
            genesys::run(&mut installation, how, &lookup).await?;
            if how.remove {
                return installation.finish();
            }
        }
        What::Settings | What::Remove { .. } => {}
    }
    installation.put_settings().await?;
    installation.finish()
}
