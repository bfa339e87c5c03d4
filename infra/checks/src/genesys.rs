//! What lies in `infra/genesys`, judged by OpenTofu or Terraform with the provider's own schema.

use std::process::Command;

use crate::terraform::Staged;
use crate::tool::{self, left_out, printed};

/// No state that is shared: the folder has one of its own.
pub const LOCAL: (&str, &str) = (
    "local_override.tf",
    "terraform {\n  backend \"local\" {}\n}\n",
);

#[test]
fn the_configuration_is_well_formed() {
    let Some(program) = tool::find("TOFU", &["tofu", "terraform"], None) else {
        return left_out(
            "infra/genesys",
            "neither OpenTofu nor Terraform: set TOFU or the PATH",
        );
    };
    let arguments = [
        "-chdir=infra/genesys",
        "fmt",
        "-check",
        "-recursive",
        "-diff",
    ];
    let output = tool::run(Command::new(program).args(arguments));
    assert!(output.status.success(), "{}", printed(&output));
}

#[test]
fn the_configuration_is_valid_and_its_tests_pass() {
    let Some(staged) = Staged::new(&[LOCAL]) else {
        return;
    };
    staged.succeed(&["validate"], &[]);
    staged.succeed(&["test"], &[]);
}
