//! `cargo xtask storm`: release builds, then one storm after the other.

use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::workspace::Workspace;
use crate::{command, npm};

/// Options of `cargo xtask storm`.
#[derive(Args)]
pub struct Options {
    /// What the storms are made from; may be repeated. The same seed makes the same storm.
    #[arg(long = "seed", value_name = "N", default_value = "1")]
    seeds: Vec<u64>,

    /// Storms as small as the one among the tests.
    #[arg(long)]
    small: bool,
}

/// Builds and runs; returns the storm program's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let azurite = npm::AZURITE.install(workspace)?;
    let programs = "build --release --bins --package handler --package local --package end-to-end";
    workspace.cargo(programs.split(' '))?;
    let program = |name: &str| workspace.program(true, name);
    let seeds = options.seeds.iter().map(u64::to_string);
    let status = command::status(
        Command::new(program("storm"))
            .args(options.small.then_some("--small"))
            .args(seeds)
            .env("HANDLER_BIN", program("handler"))
            .env("LOCAL_PLATFORM_BIN", program("local-platform"))
            .env("APP_ROOT", workspace.root())
            .env("AZURITE_DIR", azurite),
    )?;
    Ok(command::exit_code(status))
}
