//! Building the programs that the other tasks start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::command;
use crate::workspace::{Workspace, cargo};

/// Programs of the workspace that were built.
pub struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Where cargo puts the programs of the release or the development profile.
    pub fn of(workspace: &Workspace, release: bool) -> Self {
        let profile = if release { "release" } else { "debug" };
        Self {
            directory: workspace.target().join(profile),
        }
    }

    /// The custom handler.
    pub fn handler(&self) -> PathBuf {
        self.directory.join("handler")
    }

    /// The local platform.
    pub fn local_platform(&self) -> PathBuf {
        self.directory.join("local-platform")
    }

    /// The directory that holds the programs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Builds these packages' programs, in the release profile when asked.
pub fn build(workspace: &Workspace, packages: &[&str], release: bool) -> Result<Programs> {
    let mut command = Command::new(cargo());
    command
        .args(["build", "--bins"])
        .current_dir(workspace.root());
    for package in packages {
        command.args(["--package", package]);
    }
    if release {
        command.arg("--release");
    }
    command::run(&mut command)?;
    Ok(Programs::of(workspace, release))
}
