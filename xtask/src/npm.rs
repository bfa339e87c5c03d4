//! Tools from the npm registry, each installed once, exactly as its lock file says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::workspace::Workspace;

/// Oldest Node.js release that the tools were seen to work with.
const NODE_MAJOR: u32 = 20;

/// Azurite, the Blob Storage emulator of the local platform, and the renderer of Adaptive Cards of its page.
pub const AZURITE: Tool = Tool {
    name: "azurite",
    manifest: include_str!("../azurite/package.json"),
    lock: include_str!("../azurite/package-lock.json"),
};

/// Microsoft's Kusto language service, which judges the queries of alerts and workbook.
pub const KUSTO: Tool = Tool {
    name: "kusto",
    manifest: include_str!("../kusto/package.json"),
    lock: include_str!("../kusto/package-lock.json"),
};

/// A package with its dependencies, pinned by a lock file.
pub struct Tool {
    /// Folder below the target directory's `tools`.
    name: &'static str,
    manifest: &'static str,
    lock: &'static str,
}

/// Microsoft's schemas of Teams manifests, which judge that of the bot's app, and a validator.
pub const TEAMS_APP: Tool = Tool {
    name: "teams-app",
    manifest: include_str!("../teams-app/package.json"),
    lock: include_str!("../teams-app/package-lock.json"),
};

impl Tool {
    /// Installs the tool unless it is there and returns the folder that holds its `node_modules`.
    ///
    /// The lock file pins every package by its digest; a changed lock leads to a new installation.
    pub fn install(&self, workspace: &Workspace) -> Result<PathBuf> {
        check_node()?;
        let directory = workspace.tool(self.name);
        // Written last, so that an interrupted installation is seen as none.
        let installed = directory.join("installed.json");
        if fs::read_to_string(&installed).is_ok_and(|lock| lock == self.lock) {
            return Ok(directory);
        }
        eprintln!("Installing {} into {}", self.name, directory.display());
        fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        for (name, text) in [
            ("package.json", self.manifest),
            ("package-lock.json", self.lock),
        ] {
            let file = directory.join(name);
            fs::write(&file, text).with_context(|| file.display().to_string())?;
        }
        command::run(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .args(["--loglevel", "error"])
                .current_dir(&directory),
        )
        .with_context(|| {
            let name = self.name;
            format!("{name} could not be installed from the npm registry")
        })?;
        fs::write(&installed, self.lock).with_context(|| installed.display().to_string())?;
        Ok(directory)
    }
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
    fn the_locks_hold_the_versions_that_the_manifests_ask_for() {
        for tool in [AZURITE, KUSTO, TEAMS_APP] {
            let manifest: serde_json::Value = serde_json::from_str(tool.manifest).unwrap();
            let lock: serde_json::Value = serde_json::from_str(tool.lock).unwrap();
            let dependencies = manifest["dependencies"].as_object().unwrap();
            assert!(!dependencies.is_empty());
            for (name, version) in dependencies {
                let place = format!("node_modules/{name}");
                assert_eq!(*version, lock["packages"][place.as_str()]["version"]);
            }
        }
    }
}
