//! `cargo xtask bench`: release builds, then the bench program's tables.

use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::workspace::{Workspace, cargo};
use crate::{build, command, npm, package};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// What to measure: bars, bodies, file, calls, way; all without any.
    parts: Vec<String>,
}

/// Builds what is measured and runs the measurements; returns the bench program's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let azurite = npm::AZURITE.install(workspace)?;
    let programs = build::build(workspace, &["handler", "local", "bench"], true)?;
    command::run(
        Command::new(cargo())
            .args(["build", "--release", "--package", "bridge"])
            .args(["--example", "unwrap"])
            .current_dir(workspace.root()),
    )?;
    let needs_package = |part: &String| part == "bars";
    let packaged = match options.parts.is_empty() || options.parts.iter().any(needs_package) {
        true => package::build_handler(workspace)?,
        false => programs.handler(),
    };
    let status = command::status(
        Command::new(programs.directory().join("bench"))
            .arg("--handler")
            .arg(programs.handler())
            .arg("--packaged-handler")
            .arg(packaged)
            .arg("--unwrap")
            .arg(programs.directory().join("examples/unwrap"))
            .arg("--local-platform")
            .arg(programs.local_platform())
            .arg("--azurite")
            .arg(azurite)
            .arg("--app-root")
            .arg(workspace.root())
            .args(&options.parts),
    )?;
    Ok(command::exit_code(status))
}
