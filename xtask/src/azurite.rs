//! Installing Azurite, the Blob Storage emulator, for the local platform.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::workspace::Workspace;

const MANIFEST: &str = include_str!("../azurite/package.json");
const LOCK: &str = include_str!("../azurite/package-lock.json");

/// Oldest Node.js release that Azurite was seen to work with.
const NODE_MAJOR: u32 = 20;

/// Installs the locked Azurite once and returns the folder that holds its `node_modules`.
///
/// The lock file pins every package by its digest; a changed lock leads to a new installation.
pub fn install(workspace: &Workspace) -> Result<PathBuf> {
    check_node()?;
    let directory = workspace.tool("azurite");
    // Written last, so that an interrupted installation is seen as none.
    let installed = directory.join("installed.json");
    if fs::read_to_string(&installed).is_ok_and(|lock| lock == LOCK) {
        return Ok(directory);
    }
    eprintln!("Installing Azurite into {}", directory.display());
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    for (name, text) in [("package.json", MANIFEST), ("package-lock.json", LOCK)] {
        let file = directory.join(name);
        fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    command::run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--loglevel", "error"])
            .current_dir(&directory),
    )
    .context("Azurite could not be installed from the npm registry")?;
    fs::write(&installed, LOCK).with_context(|| installed.display().to_string())?;
    Ok(directory)
}

fn check_node() -> Result<()> {
    let version = command::output(Command::new("node").arg("--version"))
        .with_context(|| format!("Node.js {NODE_MAJOR} or newer, with npm, is needed"))?;
    match major(&version) {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        _ => bail!(
            "Node.js {NODE_MAJOR} or newer is needed, this is {}",
            version.trim()
        ),
    }
}

/// The major number of what `node --version` prints (`v20.20.2`).
fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn the_lock_holds_the_version_that_the_manifest_asks_for() {
        let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
        let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
        assert_eq!(
            manifest["dependencies"]["azurite"],
            lock["packages"]["node_modules/azurite"]["version"]
        );
    }
}
