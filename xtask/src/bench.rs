//! `cargo xtask bench`: release builds, then the bench program's tables.

use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::workspace::Workspace;
use crate::{command, npm, package};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// What to measure: bars, bodies, file, calls, way, tokens, typing; all without any.
    parts: Vec<String>,
}

/// Builds what is measured and runs the measurements; returns the bench program's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let azurite = npm::AZURITE.install(workspace)?;
    let programs = "build --release --bins --package handler --package local --package bench";
    workspace.cargo(programs.split(' '))?;
    workspace.cargo("build --release --package bridge --example unwrap".split(' '))?;
    let program = |name: &str| workspace.program(true, name);
    let needs_package = |part: &String| part == "bars";
    let packaged = match options.parts.is_empty() || options.parts.iter().any(needs_package) {
        true => package::build_handler(workspace)?,
        false => program("handler"),
    };
    let status = command::status(
        Command::new(program("bench"))
            .arg("--handler")
            .arg(program("handler"))
            .arg("--packaged-handler")
            .arg(packaged)
            .arg("--unwrap")
            .arg(program("examples/unwrap"))
            .arg("--local-platform")
            .arg(program("local-platform"))
            .arg("--azurite")
            .arg(azurite)
            .arg("--app-root")
            .arg(workspace.root())
            .args(&options.parts),
    )?;
    Ok(command::exit_code(status))
}
