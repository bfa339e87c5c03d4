//! What `handler setup genesys` can be told.

use std::path::PathBuf;

use clap::Args;

/// How Genesys Cloud is set up.
#[derive(Args, Clone)]
pub struct How {
    /// What `terraform output -json` printed elsewhere; Terraform is not run here.
    #[arg(long, value_name = "FILE")]
    pub outputs: Option<PathBuf>,
    /// Do not run Terraform; the ids are those of the file.
    #[arg(long)]
    pub no_terraform: bool,
    /// Terraform's or OpenTofu's program; otherwise terraform or tofu on the PATH.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["outputs", "no_terraform"])]
    pub terraform: Option<PathBuf>,
    /// Let Terraform apply without asking.
    #[arg(long, conflicts_with_all = ["outputs", "no_terraform"])]
    pub yes: bool,
    /// Make new secrets for the clients although the vault has some; the old ones work no longer.
    #[arg(long)]
    pub new_secret: bool,
    /// Delete everything there instead, before the installation goes.
    #[arg(long, conflicts_with_all = ["outputs", "no_terraform", "new_secret"])]
    pub remove: bool,
    /// Seconds that Genesys Cloud may take to know what was just made.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u16,
}

impl How {
    /// That everything is deleted, without a question.
    pub fn removal() -> Self {
        Self {
            outputs: None,
            no_terraform: false,
            terraform: None,
            yes: true,
            new_secret: false,
            remove: true,
            wait: 0,
        }
    }
}
