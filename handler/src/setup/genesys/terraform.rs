//! Terraform, or OpenTofu, in `infra/genesys`. What it must know that is secret comes to it in variables of its environment, which
//! are read from the vault for each run.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, anyhow, bail};
use secrecy::ExposeSecret as _;
use tokio::process::Command;

use super::outputs::Made;
use super::secrets::Variables;
use crate::installation::file::InstallationFile;
use crate::installation::keys;

/// Terraform's variables of the addresses that Genesys Cloud calls.
const WEBHOOK: &str = "TF_VAR_webhook_url";
const ENDED: &str = "TF_VAR_conversation_ended_url";

/// Where the configuration lies, from the installation's file.
const FOLDER: &str = "infra/genesys";

/// A run that was killed leaves Terraform at work, which keeps the lock of the state until it is done.
const LOCK: &str = "-lock-timeout=120s";

/// The program, and where and with what it runs. `Debug` shows no secret.
#[derive(Debug)]
pub struct Terraform {
    program: PathBuf,
    folder: PathBuf,
    file: PathBuf,
    /// The addresses that Genesys Cloud calls, which a plan has not written into the file yet.
    addresses: Vec<(&'static str, String)>,
    backend: Vec<String>,
    variables: Variables,
}

/// What a plan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    Nothing,
    Changes,
}

impl Terraform {
    /// The program that is named, else `terraform` or `tofu`.
    ///
    /// # Errors
    /// There is no such program, or no configuration beside the installation's file.
    pub fn find(
        named: Option<&Path>,
        file: &InstallationFile,
        variables: Variables,
    ) -> anyhow::Result<Self> {
        let program = match named {
            // It runs in another folder.
            Some(path) => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            None => on_the_path(&["terraform", "tofu"]).context(
                "there is no terraform and no tofu on the PATH: install Terraform 1.5 or newer, or name it by --terraform, or give --outputs with what `terraform output -json` printed elsewhere",
            )?,
        };
        let path = file.path().canonicalize()?;
        let beside = path.parent().map(|it| it.join(FOLDER));
        let folder = beside
            .filter(|it| it.is_dir())
            .or_else(|| Path::new(FOLDER).canonicalize().ok());
        let folder = folder.with_context(|| {
            format!("there is no {FOLDER} here: run the command in the root of the repository")
        })?;
        let backend = [
            ("resource_group_name", keys::TERRAFORM_STATE_RESOURCE_GROUP),
            ("storage_account_name", keys::TERRAFORM_STATE_ACCOUNT),
            ("container_name", keys::TERRAFORM_STATE_CONTAINER),
        ];
        let setting = |(name, key)| {
            let value = file.text(key)?;
            Some(format!("-backend-config={name}={value}"))
        };
        let mut backend: Vec<String> = backend.into_iter().filter_map(setting).collect();
        if !backend.is_empty() {
            // Whoever is logged in to several tenants means this one.
            let place = [
                ("tenant_id", keys::TENANT_ID),
                ("subscription_id", keys::SUBSCRIPTION_ID),
            ];
            backend.extend(place.into_iter().filter_map(setting));
        }
        Ok(Self {
            program,
            folder,
            addresses: addresses(file),
            backend,
            file: path,
            variables,
        })
    }

    /// Makes the folder ready: provider and state. What it says is shown only when it fails.
    ///
    /// # Errors
    /// It failed.
    pub async fn init(&self) -> anyhow::Result<()> {
        let mut arguments = vec!["init".to_owned(), "-input=false".to_owned()];
        if !self.backend.is_empty() {
            // Another account in the file than last time is meant.
            arguments.push("-reconfigure".to_owned());
        }
        arguments.extend(self.backend.iter().cloned());
        let done = self.command(&arguments).output().await;
        let done = done.with_context(|| self.unstarted())?;
        if done.status.success() {
            return Ok(());
        }
        show(&done);
        let advice = match self.backend.is_empty() {
            true => {
                "put terraform_state_resource_group, terraform_state_account and terraform_state_container into graph-to-open.toml: a container of blobs for Terraform's state, to which you have the role Storage Blob Data Contributor"
            }
            false => {
                "see above; for its state you need the role Storage Blob Data Contributor on the container"
            }
        };
        Err(anyhow!("Terraform cannot be made ready: {advice}"))
    }

    /// Whether anything is to be changed. The plan is shown where it is asked for, or failed.
    ///
    /// # Errors
    /// It failed.
    pub async fn plan(&self, is_shown: bool) -> anyhow::Result<Planned> {
        let arguments = ["plan", "-input=false", "-detailed-exitcode", LOCK];
        let done = self.command(&arguments).output().await;
        let done = done.with_context(|| self.unstarted())?;
        let planned = match done.status.code() {
            Some(0) => return Ok(Planned::Nothing),
            Some(2) => Planned::Changes,
            _ => {
                show(&done);
                bail!("Terraform cannot plan: see above");
            }
        };
        if is_shown {
            show(&done);
        }
        Ok(planned)
    }

    /// Applies, after it has asked, unless it shall not.
    ///
    /// # Errors
    /// It failed, or the answer was no.
    pub async fn apply(&self, is_agreed: bool) -> anyhow::Result<()> {
        match self.ask("apply", is_agreed).await? {
            true => Ok(()),
            false => Err(anyhow!(
                "Terraform has not applied everything: see above; what Genesys Cloud refuses for a missing permission is in infra/genesys/terraform-role.json, then run the command again"
            )),
        }
    }

    /// Deletes all that was made, after it has asked, unless it shall not.
    ///
    /// # Errors
    /// It failed, or the answer was no.
    pub async fn destroy(&self, is_agreed: bool) -> anyhow::Result<()> {
        match self.ask("destroy", is_agreed).await? {
            true => Ok(()),
            false => Err(anyhow!(
                "Terraform has not deleted everything: see above, then run the command again"
            )),
        }
    }

    /// Runs what asks before it changes anything; tells whether it succeeded.
    async fn ask(&self, what: &str, is_agreed: bool) -> anyhow::Result<bool> {
        let mut arguments = vec![what, LOCK];
        if is_agreed {
            arguments.extend(["-auto-approve", "-input=false"]);
        }
        let mut command = self.command(&arguments);
        command.stdin(Stdio::inherit());
        let status = command.status().await.with_context(|| self.unstarted())?;
        Ok(status.success())
    }

    /// Whether its state holds nothing.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn is_empty(&self) -> anyhow::Result<bool> {
        let done = self.command(&["state", "list"]).output().await;
        let done = done.with_context(|| self.unstarted())?;
        let words = String::from_utf8_lossy(&done.stderr);
        match done.status.success() {
            true => Ok(done.stdout.trim_ascii().is_empty()),
            false if words.contains("No state file was found") => Ok(true),
            false => {
                show(&done);
                bail!("Terraform does not tell what it has made: see above");
            }
        }
    }

    /// The outputs; nothing when nothing was made yet.
    ///
    /// # Errors
    /// It failed, or the outputs are not those of `infra/genesys`.
    pub async fn output(&self) -> anyhow::Result<Option<Made>> {
        let done = self.command(&["output", "-json"]).output().await;
        let done = done.with_context(|| self.unstarted())?;
        if !done.status.success() {
            show(&done);
            bail!("Terraform does not tell its outputs: see above");
        }
        Made::parsed(&done.stdout).context("Terraform's outputs are not those of infra/genesys")
    }

    fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .env("TF_VAR_installation_file", &self.file)
            .env("TF_IN_AUTOMATION", "1");
        if !std::io::stdout().is_terminal() {
            command.arg("-no-color");
        }
        for (name, address) in &self.addresses {
            if std::env::var_os(name).is_none() {
                command.env(name, address);
            }
        }
        for (name, value) in &self.variables {
            command.env(name, value.expose_secret());
        }
        command
    }

    fn unstarted(&self) -> String {
        format!(
            "{} cannot be started: name Terraform's program by --terraform",
            self.program.display()
        )
    }
}

fn addresses(file: &InstallationFile) -> Vec<(&'static str, String)> {
    let webhook = file.text(keys::GENESYS_WEBHOOK_URL).map(str::to_owned);
    let host = file.text(keys::FUNCTION_APP_HOST_NAME);
    let host = host.filter(|_| file.flag(keys::CONVERSATION_ENDED));
    let ended = host.map(|host| format!("https://{host}/api/genesys/conversation-ended"));
    let all = [(WEBHOOK, webhook), (ENDED, ended)].into_iter();
    all.filter_map(|(name, address)| Some((name, address?)))
        .collect()
}

fn show(done: &Output) {
    print!("{}", String::from_utf8_lossy(&done.stdout));
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
}

fn on_the_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |it| it.join(name)));
    all.into_iter().find(|it| it.is_file())
}
