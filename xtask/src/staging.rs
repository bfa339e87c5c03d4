//! Laying out what is published: the Functions host reads `function.json` one level below `host.json`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Name of the handler's program inside the package.
pub const HANDLER: &str = "handler";

/// A file of the package.
#[derive(Debug, PartialEq, Eq)]
pub struct StagedFile {
    /// Path below the package, with slashes.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// Fills `package` anew from the repository's root and the built handler; returns what it then holds, by name.
pub fn stage(root: &Path, handler: &Path, package: &Path) -> Result<Vec<StagedFile>> {
    check_executable_path(&root.join("host.json"))?;
    if package.exists() {
        fs::remove_dir_all(package).with_context(|| package.display().to_string())?;
    }
    fs::create_dir_all(package).with_context(|| package.display().to_string())?;

    let mut files = Vec::new();
    for name in ["host.json", "local.settings.json"] {
        files.push(copy(&root.join(name), package, name)?);
    }
    for (name, source) in functions(&root.join("functions"))? {
        fs::create_dir(package.join(&name)).with_context(|| name.clone())?;
        files.push(copy(&source, package, &format!("{name}/function.json"))?);
    }
    files.push(copy(handler, package, HANDLER)?);
    fs::set_permissions(package.join(HANDLER), fs::Permissions::from_mode(0o755))?;
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Publishing gives the executable bit only to the file whose path equals `defaultExecutablePath`.
fn check_executable_path(host: &Path) -> Result<()> {
    let text = fs::read_to_string(host).with_context(|| host.display().to_string())?;
    let host_json: Value = serde_json::from_str(&text).context("host.json")?;
    let path = &host_json["customHandler"]["description"]["defaultExecutablePath"];
    if path.as_str() != Some(HANDLER) {
        bail!(
            "host.json: customHandler.description.defaultExecutablePath must be {HANDLER:?}, it is {path}"
        );
    }
    Ok(())
}

/// Each function's name and its function.json, by name.
fn functions(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let entry = entry?;
        let binding = entry.path().join("function.json");
        if binding.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), binding));
        }
    }
    if found.is_empty() {
        bail!("{} holds no function", directory.display());
    }
    found.sort();
    Ok(found)
}

fn copy(source: &Path, package: &Path, name: &str) -> Result<StagedFile> {
    let bytes = fs::copy(source, package.join(name))
        .with_context(|| format!("{} into the package", source.display()))?;
    Ok(StagedFile {
        name: name.to_owned(),
        bytes,
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A directory of a test's own, removed when dropped.
    pub struct Scratch(pub PathBuf);

    impl Scratch {
        pub fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir_all(&directory).unwrap();
            Self(directory)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    pub fn repository() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// Publishing makes only the file executable whose path in the archive is `defaultExecutablePath`, letter for letter
    /// (azure-functions-core-tools, `ZipHelper.cs`), and the host starts what that setting names.
    #[test]
    fn the_package_holds_exactly_what_the_host_reads_and_starts() {
        let scratch = Scratch::new("staging");
        let handler = scratch.0.join("built");
        fs::write(&handler, b"program").unwrap();
        let package = scratch.0.join("package");
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("left-over"), b"from an earlier run").unwrap();

        let staged = stage(repository(), &handler, &package).unwrap();
        let names: Vec<&str> = staged.iter().map(|file| file.name.as_str()).collect();
        let functions = functions(&repository().join("functions")).unwrap();
        let functions = functions
            .iter()
            .map(|(name, _)| format!("{name}/function.json"));
        let mut expected: Vec<String> = functions.collect();
        expected.extend(["handler", "host.json", "local.settings.json"].map(str::to_owned));
        expected.sort();
        assert_eq!(names, expected);
        assert!(!package.join("left-over").exists());

        let text = fs::read_to_string(package.join("host.json")).unwrap();
        let host: Value = serde_json::from_str(&text).unwrap();
        let path = &host["customHandler"]["description"]["defaultExecutablePath"];
        let path = path.as_str().unwrap();
        assert_eq!(fs::read(package.join(path)).unwrap(), b"program");
        let mut executable = names;
        executable.retain(|name| {
            let metadata = fs::metadata(package.join(name)).unwrap();
            metadata.permissions().mode() & 0o111 == 0o111
        });
        assert_eq!(executable, [path]);
    }

    #[test]
    fn another_executable_path_is_refused() {
        let scratch = Scratch::new("executable-path");
        let host = scratch.0.join("host.json");
        let with_path = |path: &str| {
            format!(r#"{{"customHandler":{{"description":{{"defaultExecutablePath":"{path}"}}}}}}"#)
        };
        fs::write(&host, with_path("./handler")).unwrap();
        assert!(check_executable_path(&host).is_err());
        fs::write(&host, with_path("handler")).unwrap();
        assert!(check_executable_path(&host).is_ok());
    }
}
