//! Where things lie: the workspace's root and its target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// Cargo's words to build the handler and the local platform in the development profile.
///
/// Which features of a dependency are on depends on the packages that are built together, and on whether tests are among
/// them: the programs are built as they come with the tests of the whole workspace, so that nothing is compiled twice,
/// whichever task comes first.
pub const PROGRAMS: &str = "build --workspace --bin handler --bin local-platform --test end-to-end";

/// Directories of the workspace.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Asks cargo, so that a target directory set by environment or configuration is honoured.
    pub fn find() -> Result<Self> {
        let metadata = command::output(
            Command::new(cargo())
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .current_dir(manifest_directory()),
        )?;
        let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
        let path = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata names no {key}"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        })
    }

    /// The folder that holds the workspace's `Cargo.toml` and `host.json`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target directory.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Runs cargo in the workspace with these words.
    pub fn cargo<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let mut cargo = Command::new(cargo());
        command::run(cargo.args(words).current_dir(&self.root))
    }

    /// A program that cargo built in the release or the development profile.
    pub fn program(&self, release: bool, name: &str) -> PathBuf {
        let profile = if release { "release" } else { "debug" };
        self.target.join(profile).join(name)
    }

    /// Where a tool that a task installs for itself lives; removed by `cargo clean`.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.target.join("tools").join(name)
    }
}

/// This package's folder: as `cargo run` tells it, because a copy of the workspace may share its target directory.
fn manifest_directory() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// The cargo that started this program.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
