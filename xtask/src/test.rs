//! `cargo xtask test`: all tests of the workspace, with everything the end-to-end tests need.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::workspace::{Workspace, cargo};
use crate::{browser, build, command, npm};

/// What `cargo xtask test` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Passed on to `cargo test`, which runs all packages unless `--package` names some.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

/// Installs what is missing, builds the programs under test, runs the tests; returns cargo's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let azurite = npm::AZURITE.install(workspace)?;
    let kusto = npm::KUSTO.install(workspace)?;
    let browser = browser::find_or_install(workspace)?;
    let programs = build::build(workspace, &["handler", "local"], false)?;
    let mut tests = Command::new(cargo());
    tests
        .arg("test")
        .args((!names_packages(&options.cargo)).then_some("--workspace"))
        .args(&options.cargo)
        .current_dir(workspace.root())
        .env("HANDLER_BIN", programs.handler())
        .env("LOCAL_PLATFORM_BIN", programs.local_platform())
        .env("APP_ROOT", workspace.root())
        .env("AZURITE_DIR", azurite)
        .env("KUSTO_DIR", kusto)
        .env("CHROMIUM", browser.chromium)
        .env("CHROMEDRIVER", browser.driver);
    if let Some(path) = browser.library_path {
        tests.env("LD_LIBRARY_PATH", path);
    }
    Ok(command::exit_code(command::status(&mut tests)?))
}

/// Whether cargo's own arguments, those before `--`, name packages: `--workspace` would overrule them.
fn names_packages(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
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
