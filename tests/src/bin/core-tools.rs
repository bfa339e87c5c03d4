//! `cargo xtask func`: the packaged handler under Azure Functions Core Tools, with a line for each check.

#![allow(clippy::print_stdout, reason = "the lines are what it is for")]

use std::path::PathBuf;
use std::process::ExitCode;

use end_to_end::core_tools::Trial;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(func), Some(package), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: core-tools FUNC PACKAGE");
        return ExitCode::FAILURE;
    };
    let trial = Trial { func, package };
    match trial.run(|line| println!("{line}")).await {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
