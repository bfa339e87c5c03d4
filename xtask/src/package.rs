//! `cargo xtask package`: a release build for older Linux images, staged for publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::workspace::{Workspace, cargo};
use crate::{command, program, staging};

/// What the handler is built for. The images that run Functions reach back to Debian 11 (glibc 2.31);
/// 2.28 leaves room, and keeps glibc's allocator, which musl's cannot match under threads.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const GLIBC_MINOR: u32 = 28;

/// Versions of the cross-compiling tools, from the Python package index.
const TOOLS: [&str; 2] = ["cargo-zigbuild==0.24.0", "ziglang==0.17.1"];

/// Builds the handler, stages the package and prints its sizes.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let handler = build_handler(workspace)?;
    let needed = program::check(&handler, GLIBC_MINOR)?;
    let package = workspace.target().join("package");
    let files = staging::stage(workspace.root(), &handler, &package)?;
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
    println!(
        "publish with: cd {} && func azure functionapp publish <name of the Function App>",
        package.display()
    );
    Ok(ExitCode::SUCCESS)
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
