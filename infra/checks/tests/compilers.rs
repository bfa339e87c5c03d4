//! Where the real tools are installed, they must be content too. Where one is not, its test has nothing to run and says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a tool in the repository; `None` when it is not on the PATH.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program)
        .args(arguments)
        .current_dir(repository())
        .output()
    {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("{program} is not on the PATH: nothing to run");
            None
        }
        Err(error) => panic!("{program} cannot be started: {error}"),
    }
}

fn assert_clean(what: &str, output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} fails:\n{errors}");
    // Warnings end with success, but nobody reads them later.
    let complaints: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains(": Warning ") || line.contains(": Error "))
        .collect();
    assert!(
        complaints.is_empty(),
        "{what} complains:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn bicep_builds_and_lints_every_entry_point() {
    if run("bicep", &["--version"]).is_none() {
        return;
    }
    for template in ["infra/main.bicep", "infra/graph/main.bicep"] {
        assert!(
            repository().join(template).is_file(),
            "there is no {template}"
        );
        for arguments in [
            ["build", template, "--stdout"].as_slice(),
            ["lint", template].as_slice(),
        ] {
            if let Some(output) = run("bicep", arguments) {
                assert_clean(&format!("bicep {}", arguments.join(" ")), &output);
            }
        }
    }
}

/// The parameter file reads its values from the environment; any value will do for the compiler.
#[test]
fn bicep_builds_the_parameter_file() {
    if run("bicep", &["--version"]).is_none() {
        return;
    }
    let file = "infra/main.bicepparam";
    let text = std::fs::read_to_string(repository().join(file)).expect("the parameter file");
    let needed = text
        .split("readEnvironmentVariable('")
        .skip(1)
        .filter_map(|rest| rest.split_once('\''))
        .filter(|(_, rest)| rest.starts_with(')'))
        .map(|(name, _)| (name, "support=00000000-0000-0000-0000-000000000004"));
    let output = Command::new("bicep")
        .args(["build-params", file, "--stdout"])
        .envs(needed)
        .current_dir(repository())
        .output()
        .expect("bicep starts");
    assert_clean("bicep build-params", &output);
}

#[test]
fn terraform_finds_nothing_to_format() {
    let Some(output) = run(
        "terraform",
        &[
            "-chdir=infra/genesys",
            "fmt",
            "-check",
            "-recursive",
            "-diff",
            "-no-color",
        ],
    ) else {
        return;
    };
    assert!(
        output.status.success(),
        "terraform fmt would change:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
