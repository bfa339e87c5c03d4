//! Checks of the infrastructure as code: the Bicep templates, the Terraform configuration, the Architect flow and the files
//! around them, without a cloud, a Bicep compiler or a Terraform provider.
//!
//! [`Tree`] holds the repository's files as text, [`check`] returns what is wrong with them. A rule is a function over the
//! tree in one module of [`rules`]; `tests/mutations.rs` proves of each that it finds the mistake it is there for.

#![warn(missing_docs)]

pub mod bicep;
mod kusto;
mod log_lines;
mod problem;
pub mod rules;
mod tables;
mod terraform;
mod tree;

pub use problem::Problem;
pub use tree::{ReplaceError, Tree};

/// Everything that is wrong with the tree, by file and line.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = rules::all(tree);
    problems.sort();
    problems.dedup();
    problems
}
