//! Snapshots that no test compares with any more.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Where the tests of one run write down which snapshots they compare with, one path a line.
pub struct Compared(PathBuf);

impl Compared {
    /// For a run that is about to begin.
    pub fn new(workspace: &Workspace) -> Result<Self> {
        let file = workspace.target().join("snapshots-compared.txt");
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| file.display().to_string())
            }
            _ => Ok(Self(file)),
        }
    }

    /// Tells the tests (the variable is insta's, by which `cargo insta` learns the same).
    pub fn ask(&self, tests: &mut Command) {
        tests.env("INSTA_SNAPSHOT_REFERENCES_FILE", &self.0);
    }

    /// After a run of all tests: a snapshot that none of them compared with is an error.
    pub fn check(&self, workspace: &Workspace) -> Result<()> {
        let compared = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.with_context(|| self.0.display().to_string())?,
        };
        let compared: BTreeSet<PathBuf> = compared
            .lines()
            .filter_map(|path| fs::canonicalize(path).ok())
            .collect();
        let mut snapshots = Vec::new();
        find(&fs::canonicalize(workspace.root())?, &mut snapshots)?;
        snapshots.retain(|snapshot| !compared.contains(snapshot));
        if let Some(first) = snapshots.first() {
            let (count, first) = (snapshots.len(), first.display());
            bail!("no test compares with {count} of the snapshots any more: {first}");
        }
        Ok(())
    }
}

/// All snapshots below the folder; hidden folders hold none, nor do packages of npm or what cargo built.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|it| it == "snap") {
            found.push(path);
        } else if path.is_dir()
            && !name.starts_with('.')
            && name != "node_modules"
            && !path.join("CACHEDIR.TAG").exists()
        {
            find(&path, found)?;
        }
    }
    found.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_found_where_sources_lie_and_nowhere_else() {
        let root = std::env::temp_dir().join(format!("xtask-snapshots-{}", std::process::id()));
        for (folder, file) in [
            ("a/src/snapshots", "one.snap"),
            ("a/src", "lib.rs"),
            ("a/target/debug", "built.snap"),
            (".git", "hidden.snap"),
            ("b", "two.snap"),
        ] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
            fs::write(root.join(folder).join(file), "").expect("written");
        }
        fs::write(root.join("a/target/CACHEDIR.TAG"), "").expect("written");
        let mut found = Vec::new();
        let outcome = find(&root, &mut found);
        fs::remove_dir_all(&root).expect("removed");
        outcome.expect("readable");
        let expected = ["a/src/snapshots/one.snap", "b/two.snap"].map(|path| root.join(path));
        assert_eq!(found, expected);
    }
}
