//! `cargo xtask func`: the package under Azure Functions Core Tools, Microsoft's own host, with the simulated services around it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::workspace::{PROGRAMS, Workspace};
use crate::{command, npm, package, staging};

/// Where the version of Core Tools stands that the package is tried with.
const CORE_TOOLS: &str = ".github/core-tools";

/// What `cargo xtask func` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// The `func` of Core Tools; without it the one in .github/core-tools, or on the PATH.
    #[arg(long, value_name = "PATH")]
    func: Option<PathBuf>,
    /// Take the development build of the handler: quicker, and what runs on a machine that is no x86-64 Linux.
    #[arg(long)]
    development: bool,
}

/// Builds, stages and runs the checks; returns their program's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    // Before anything takes its time.
    let func = find(workspace.root(), options.func.as_deref())?;
    let azurite = npm::AZURITE.install(workspace)?;
    workspace.cargo(format!("{PROGRAMS} --bin core-tools").split(' '))?;
    let program = |name: &str| workspace.program(false, name);
    let staged = workspace.target().join("func");
    match options.development {
        true => drop(staging::stage(
            workspace.root(),
            &program("handler"),
            &staged,
        )?),
        false => drop(package::stage(workspace, &staged)?),
    }
    let status = command::status(
        Command::new(program("core-tools"))
            .arg(func)
            .arg(&staged)
            .env("HANDLER_BIN", program("handler"))
            .env("LOCAL_PLATFORM_BIN", program("local-platform"))
            .env("APP_ROOT", workspace.root())
            .env("AZURITE_DIR", azurite),
    )?;
    Ok(command::exit_code(status))
}

fn find(root: &Path, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        // It is started in another folder.
        return std::path::absolute(named).context("--func");
    }
    let pinned = root.join(CORE_TOOLS).join("node_modules/.bin/func");
    let found = match pinned.is_file() {
        true => Some(pinned),
        false => command::on_path(&["func"]),
    };
    found.with_context(|| {
        format!("Azure Functions Core Tools are needed: npm ci --prefix {CORE_TOOLS} (Node.js 22 or newer)")
    })
}
