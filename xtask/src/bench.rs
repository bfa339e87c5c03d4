//! `cargo xtask bench`: release builds, then the bench program's table.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::workspace::{Workspace, cargo};
use crate::{build, command, npm, package};

/// Builds what is measured and runs the measurements; returns the bench program's exit code.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let azurite = npm::AZURITE.install(workspace)?;
    let packaged = package::build_handler(workspace)?;
    let programs = build::build(workspace, &["handler", "local", "bench"], true)?;
    command::run(
        Command::new(cargo())
            .args([
                "build",
                "--release",
                "--package",
                "bridge",
                "--example",
                "unwrap",
            ])
            .current_dir(workspace.root()),
    )?;
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
            .arg(workspace.root()),
    )?;
    Ok(command::exit_code(status))
}
