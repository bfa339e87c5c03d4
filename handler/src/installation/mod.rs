//! What an installation is, as its file says: `graph-to-open.toml`, which the templates and Terraform read too.

pub mod file;
pub mod keys;

/// Where the installation's file is, unless a command is told otherwise.
pub const FILE: &str = "graph-to-open.toml";
