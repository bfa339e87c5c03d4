//! What lies in `infra/genesys`, judged by OpenTofu or Terraform with the provider's own schema.

use std::process::{Command, Output};

use crate::tool::{self, left_out, printed};

fn terraform(arguments: &[&str]) -> Option<Output> {
    let program = tool::find("TOFU", &["tofu", "terraform"], None)?;
    let mut command = Command::new(program);
    Some(tool::run(
        command
            .arg("-chdir=infra/genesys")
            .args(arguments)
            .arg("-no-color"),
    ))
}

fn no_terraform() {
    left_out(
        "infra/genesys",
        "neither OpenTofu nor Terraform: set TOFU or the PATH",
    );
}

/// Runs a command that needs the provider, which `init` may have to bring first.
fn assert_succeeds(arguments: &[&str]) {
    let Some(mut output) = terraform(arguments) else {
        return no_terraform();
    };
    let words = printed(&output);
    if words.contains("terraform init") || words.contains("tofu init") {
        let init = terraform(&["init", "-backend=false", "-input=false"]).expect("it was there");
        if !init.status.success() {
            return left_out("infra/genesys", "the provider cannot be brought");
        }
        output = terraform(arguments).expect("it was there");
    }
    assert!(
        output.status.success(),
        "{arguments:?}:\n{}",
        printed(&output)
    );
}

#[test]
fn the_configuration_is_well_formed() {
    let arguments = ["fmt", "-check", "-recursive", "-diff"];
    match terraform(&arguments) {
        None => no_terraform(),
        Some(output) => assert!(output.status.success(), "{}", printed(&output)),
    }
}

/// One after the other: both may have to fetch the provider into the same place.
#[test]
fn the_configuration_is_valid_and_its_tests_pass() {
    assert_succeeds(&["validate"]);
    assert_succeeds(&["test"]);
}
