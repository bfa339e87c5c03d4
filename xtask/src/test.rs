//! `cargo xtask test`: all tests of the workspace, with everything the end-to-end tests need.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::Result;

use crate::browser::{self, Browser};
use crate::snapshots::Compared;
use crate::workspace::{PROGRAMS, Workspace, cargo};
use crate::{command, npm};

/// What `cargo xtask test` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Passed on to `cargo test`, which runs all packages unless `--package` names some.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

/// Tests that run at the same time for each processor: the end-to-end tests, which take the longest, wait more than they
/// compute.
const TESTS_A_PROCESSOR: usize = 3;

/// What the tests need from elsewhere.
struct Tools {
    azurite: PathBuf,
    kusto: PathBuf,
    teams_app: PathBuf,
    browser: Browser,
}

impl Tools {
    fn install(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            azurite: npm::AZURITE.install(workspace)?,
            kusto: npm::KUSTO.install(workspace)?,
            teams_app: npm::TEAMS_APP.install(workspace)?,
            browser: browser::find_or_install(workspace)?,
        })
    }
}

/// Installs what is missing, builds the programs under test, runs the tests; returns cargo's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    // The network and the compiler are waited for at the same time.
    let (tools, built) = thread::scope(|scope| {
        let tools = scope.spawn(|| Tools::install(workspace));
        let built = workspace.cargo(building(&options.cargo).split(' '));
        (tools.join(), built)
    });
    built?;
    let tools = tools.unwrap_or_else(|panic| resume_unwind(panic))?;
    let program = |name: &str| workspace.program(false, name);
    let mut tests = Command::new(cargo());
    tests
        .arg("test")
        .args((!names_packages(&options.cargo)).then_some("--workspace"))
        .args(&options.cargo)
        .current_dir(workspace.root())
        .env("HANDLER_BIN", program("handler"))
        .env("LOCAL_PLATFORM_BIN", program("local-platform"))
        .env("APP_ROOT", workspace.root())
        .env("AZURITE_DIR", tools.azurite)
        .env("KUSTO_DIR", tools.kusto)
        .env("TEAMS_APP_DIR", tools.teams_app)
        .env("CHROMIUM", tools.browser.chromium)
        .env("CHROMEDRIVER", tools.browser.driver);
    if let Some(path) = tools.browser.library_path {
        tests.env("LD_LIBRARY_PATH", path);
    }
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = TESTS_A_PROCESSOR * processors;
        tests.env("RUST_TEST_THREADS", threads.to_string());
    }
    let compared = Compared::new(workspace)?;
    compared.ask(&mut tests);
    let status = command::status(&mut tests)?;
    if status.success() && options.cargo.is_empty() {
        compared.check(workspace)?;
    }
    Ok(command::exit_code(status))
}

/// Cargo's words to build the programs under test, and whatever else the tests will need anyway.
fn building(arguments: &[String]) -> &'static str {
    match own(arguments).any(|argument| argument.starts_with('-')) {
        true => PROGRAMS,
        false => "test --workspace --no-run",
    }
}

/// Cargo's own arguments: those before `--`.
fn own(arguments: &[String]) -> impl Iterator<Item = &String> {
    arguments.iter().take_while(|argument| *argument != "--")
}

/// Whether cargo's own arguments name packages: `--workspace` would overrule them.
fn names_packages(arguments: &[String]) -> bool {
    own(arguments).any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::names_packages;

    #[test]
    fn packages_are_recognised_before_the_double_dash_only() {
        let named = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
            names_packages(&arguments)
        };
        assert!(named(&["-p", "bridge"]));
        assert!(named(&["--package=bridge", "split"]));
        assert!(!named(&["--", "-p"]));
        assert!(!named(&[]));
    }
}
