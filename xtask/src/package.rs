//! `cargo xtask package`: a release build for older Linux images, staged for publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::staging::StagedFile;
use crate::workspace::{Workspace, cargo};
use crate::{command, program, staging, zip};

/// What the handler is built for. The images that run Functions reach back to Debian 11 (glibc 2.31);
/// 2.28 leaves room, and keeps glibc's allocator, which musl's cannot match under threads.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const GLIBC_MINOR: u32 = 28;

/// Versions of the cross-compiling tools, from the Python package index.
const TOOLS: [&str; 2] = ["cargo-zigbuild==0.24.0", "ziglang==0.17.1"];

/// What only Core Tools read, to know the runtime, and do not publish either.
const LOCAL: &str = "local.settings.json";

/// Name of the released archive, below the target directory. Its checksum has the same name with `.sha256` behind it.
const ARCHIVE: &str = "graph-to-open-linux-x64.zip";

/// What `cargo xtask package` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Make target/graph-to-open-linux-x64.zip of it too, which `az functionapp deployment source config-zip` publishes, with its
    /// checksum beside it.
    #[arg(long)]
    zip: bool,
}

/// Builds the handler, stages the package, makes the archive where it is wanted, and prints the sizes.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let package = workspace.target().join("package");
    let (files, needed) = stage(workspace, &package)?;
    println!("{}", package.display());
    let mut total = 0;
    for file in &files {
        println!("{:>12}  {}", file.bytes, file.name);
        total += file.bytes;
    }
    println!("{total:>12}  bytes in {} files", files.len());
    match needed {
        Some(minor) => println!("the handler needs x86-64 Linux with glibc 2.{minor} or newer"),
        None => println!("the handler needs x86-64 Linux"),
    }
    if options.zip {
        let archive = workspace.target().join(ARCHIVE);
        archive_of(&package, &files, &archive)?;
        println!("{}", archive.display());
        print!("{}", write_checksum(&archive)?);
        println!(
            "publish with: az functionapp deployment source config-zip --resource-group <its group> --name <the Function App> --src {}",
            archive.display()
        );
    } else {
        println!(
            "publish with: cd {} && func azure functionapp publish <name of the Function App> --custom",
            package.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the handler and stages it in `package`; the files there, and the newest glibc 2.x that the handler asks for.
pub fn stage(workspace: &Workspace, package: &Path) -> Result<(Vec<StagedFile>, Option<u32>)> {
    let handler = build_handler(workspace)?;
    let needed = program::check(&handler, GLIBC_MINOR)?;
    let files = staging::stage(workspace.root(), &handler, package)?;
    Ok((files, needed))
}

/// Writes the archive of a staged package: what Core Tools would upload, the same permissions included.
fn archive_of(package: &Path, files: &[StagedFile], archive: &Path) -> Result<()> {
    let published = files.iter().filter(|file| file.name != LOCAL);
    let read = |file: &StagedFile| {
        let path = package.join(&file.name);
        let content = fs::read(&path).with_context(|| path.display().to_string())?;
        Ok((file.name.clone(), content))
    };
    let contents = published.map(read).collect::<Result<Vec<_>>>()?;
    let entries = contents.iter();
    let entries: Vec<zip::Entry<'_>> = entries.map(|(name, it)| (&**name, &**it)).collect();
    let bytes = zip::archive(&entries, Some(staging::HANDLER));
    fs::write(archive, bytes).with_context(|| archive.display().to_string())
}

/// Writes the checksum beside the archive, as `sha256sum --check` reads it, and returns the line.
fn write_checksum(archive: &Path) -> Result<String> {
    let (Some(folder), Some(name)) = (archive.parent(), archive.file_name()) else {
        bail!("{} is no file", archive.display());
    };
    let program = command::on_path(&["sha256sum", "shasum"]);
    let program = program.context("neither sha256sum nor shasum is on the PATH")?;
    let mut sum = Command::new(&program);
    if program.ends_with("shasum") {
        sum.args(["--algorithm", "256"]);
    }
    let line = command::output(sum.arg(name).current_dir(folder))?;
    let file = archive.with_extension("zip.sha256");
    fs::write(&file, &line).with_context(|| file.display().to_string())?;
    Ok(line)
}

/// Builds the handler for `TARGET` with glibc 2.`GLIBC_MINOR` and returns the program's path.
pub fn build_handler(workspace: &Workspace) -> Result<PathBuf> {
    let tools = install_tools(workspace)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [tools.join("bin")]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )?;
    command::run(
        Command::new(tools.join("bin/cargo-zigbuild"))
            .args(["zigbuild", "--release", "--package", "handler"])
            .args(["--target", &format!("{TARGET}.2.{GLIBC_MINOR}")])
            .current_dir(workspace.root())
            .env("PATH", path)
            .env("CARGO", cargo())
            .env("CARGO_TARGET_DIR", workspace.target()),
    )
    .with_context(|| {
        format!("the handler was not built; is the standard library for {TARGET} installed (rustup target add {TARGET})?")
    })?;
    Ok(workspace.target().join(TARGET).join("release/handler"))
}

/// Installs the tools into a Python environment of their own, once per set of versions.
fn install_tools(workspace: &Workspace) -> Result<PathBuf> {
    let directory = workspace.tool("zig");
    let installed = directory.join("installed.txt");
    let wanted = TOOLS.join("\n");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(directory);
    }
    eprintln!(
        "Installing {} into {}",
        TOOLS.join(" and "),
        directory.display()
    );
    make_environment(&directory)?;
    command::run(
        Command::new(directory.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(TOOLS),
    )
    .context("cargo-zigbuild and ziglang could not be installed from the Python package index")?;
    fs::write(&installed, wanted).with_context(|| installed.display().to_string())?;
    Ok(directory)
}

fn make_environment(directory: &Path) -> Result<()> {
    command::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(directory),
    )
    .context("Python 3 with venv and pip is needed (on Debian: python3 and python3-venv)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::tests::{Scratch, repository};
    use crate::zip::tests::read_with_modes;

    #[test]
    fn the_archive_holds_what_is_published_and_a_program_that_may_run() {
        let scratch = Scratch::new("archive");
        let [handler, package, archive, again] =
            ["built", "package", "a.zip", "b.zip"].map(|name| scratch.0.join(name));
        fs::write(&handler, b"program").unwrap();
        let files = staging::stage(repository(), &handler, &package).unwrap();
        archive_of(&package, &files, &archive).unwrap();
        let found = read_with_modes(&fs::read(&archive).unwrap());
        let mut expected: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        expected.retain(|name| *name != "local.settings.json");
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, expected);
        for (name, mode, content) in &found {
            let is_program = name == "handler";
            assert_eq!(
                *mode,
                if is_program { 0o100_755 } else { 0o100_644 },
                "{name}"
            );
            assert_eq!(content == b"program", is_program, "{name}");
        }

        // Another time, other permissions of the files: the same bytes.
        fs::write(&handler, b"program").unwrap();
        let files = staging::stage(repository(), &handler, &package).unwrap();
        archive_of(&package, &files, &again).unwrap();
        assert_eq!(fs::read(&archive).unwrap(), fs::read(&again).unwrap());

        let line = write_checksum(&archive).unwrap();
        assert_eq!(
            fs::read_to_string(scratch.0.join("a.zip.sha256")).unwrap(),
            line
        );
        let (sum, name) = line.trim_end().split_once("  ").unwrap();
        assert_eq!((sum.len(), name), (64, "a.zip"));
    }
}
