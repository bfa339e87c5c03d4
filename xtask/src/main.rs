//! The workspace's tasks: `cargo xtask run | test | package | func | teams-app | bench | storm | fuzz`.

mod bench;
mod browser;
mod command;
mod func;
mod fuzz;
mod npm;
mod package;
mod program;
mod run;
mod snapshots;
mod staging;
mod storm;
mod teams_app;
mod test;
mod workspace;
mod zip;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Tasks of the Graph-to-Open workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and start the local platform with its console page.
    Run(run::Options),
    /// Run all tests, and install what they need first.
    Test(test::Options),
    /// Stage target/package/, ready to be published to a Function App.
    Package(package::Options),
    /// Try the package under Azure Functions Core Tools, with the simulated services around it.
    Func(func::Options),
    /// Make target/teams-app.zip, the app with which people find the bot in Teams.
    TeamsApp(teams_app::Options),
    /// Measure the release build and compare it with the bars.
    Bench(bench::Options),
    /// Raise storms against four instances of the handler and count what became of each message.
    Storm(storm::Options),
    /// Give the conversions inputs that libFuzzer makes of the cases.
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    let outcome = Workspace::find().and_then(|workspace| match task {
        Task::Run(options) => run::run(&workspace, &options),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Package(options) => package::run(&workspace, &options),
        Task::Func(options) => func::run(&workspace, &options),
        Task::TeamsApp(options) => teams_app::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Storm(options) => storm::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
