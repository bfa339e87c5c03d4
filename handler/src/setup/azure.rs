//! An installation at work: its file, who is logged in, and what the deployment to Azure gave out.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use services::entra;
use services::error::{ErrorKind, ServiceError};
use services::http;
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::resource_manager::{Deployment, ResourceGroup, ResourceManager};

use super::steps::Steps;
use crate::installation::file::InstallationFile;
use crate::installation::keys;
use crate::login::given;
use crate::report::Report;
use crate::trusted;

/// Name of the deployment to the resource group, by whichever command it was made.
const DEPLOYMENT: &str = "graph-to-open";

/// The templates' parameter that holds the file's `environment`.
const PARAMETER: &str = "environmentName";

/// Entra ID of the public cloud.
const ENTRA: &str = "https://login.microsoftonline.com";

/// What the steps of a set-up share.
pub struct Installation {
    /// What the installation is.
    pub file: InstallationFile,
    /// What is said.
    pub steps: Steps,
    /// For every call.
    pub client: http::Client,
    /// Whoever is logged in by `az login`, in the installation's tenant.
    pub identity: Arc<ManagedIdentity>,
    /// Entra ID of the installation's cloud.
    pub entra_endpoint: String,
    /// Microsoft Graph of the installation's cloud.
    pub graph_endpoint: String,
    pub(super) resource_manager: ResourceManager,
    /// The addresses that the environment names.
    environment: BTreeMap<&'static str, String>,
}

impl Installation {
    /// Makes ready what the steps need; nothing is called yet. Addresses in the environment (`RESOURCE_MANAGER_ENDPOINT`,
    /// `ENTRA_ENDPOINT`, `GRAPH_ENDPOINT`, `KEY_VAULT_URL`) go before those of the file and the cloud.
    ///
    /// # Errors
    /// The file lacks what every step needs, or an address is none that a token may go to.
    pub fn open(
        file: InstallationFile,
        steps: Steps,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        trusted::check(lookup, Some(&file))?;
        let client = http::client()?;
        let tenant = file.required(keys::TENANT_ID)?;
        // Not a managed identity, even where there is one (Azure Cloud Shell): the rights are those of a person.
        let identity = Arc::new(ManagedIdentity::of_the_azure_cli_in(Some(tenant))?);
        let address = |variable: &str, key: &str| {
            given(lookup, variable).or_else(|| file.text(key).map(str::to_owned))
        };
        let entra_endpoint = address("ENTRA_ENDPOINT", keys::ENTRA_ENDPOINT);
        let entra_endpoint = entra_endpoint.unwrap_or_else(|| ENTRA.to_owned());
        let graph_endpoint = address("GRAPH_ENDPOINT", keys::GRAPH_ENDPOINT)
            .unwrap_or_else(|| entra::graph_of(&entra_endpoint).to_owned());
        let resource_manager = given(lookup, "RESOURCE_MANAGER_ENDPOINT")
            .unwrap_or_else(|| entra::resource_manager_of(&entra_endpoint).to_owned());
        Ok(Self {
            resource_manager: ResourceManager::new(
                client.clone(),
                &resource_manager,
                Arc::clone(&identity),
            ),
            file,
            steps,
            client,
            identity,
            entra_endpoint,
            graph_endpoint,
            environment: trusted::of_environment(lookup),
        })
    }

    /// The Key Vault of the installation, as whoever is logged in.
    ///
    /// # Errors
    /// Neither environment nor file name it, or it is none that a token may go to.
    pub fn key_vault(&self) -> anyhow::Result<KeyVault> {
        let url = match self.environment.get("KEY_VAULT_URL") {
            Some(url) => url,
            None => self.file.required(keys::KEY_VAULT_URL)?,
        };
        let (client, identity) = (self.client.clone(), Arc::clone(&self.identity));
        Ok(KeyVault::new(client, url, identity))
    }

    /// Says which keys of the file nothing reads: most are misspelt.
    pub fn note_unread_keys(&self) {
        for (key, meant) in self.file.unread() {
            let meant = meant.map(|it| format!("; {it} may be meant"));
            let told = format!("nothing reads it{}", meant.unwrap_or_default());
            let path = self.file.path().display();
            Report::say("note", format_args!("{key} in {path}"), told);
        }
    }

    /// The resource group of everything in Azure.
    ///
    /// # Errors
    /// The file does not name it.
    pub fn group(&self) -> anyhow::Result<ResourceGroup> {
        let subscription = self.file.required(keys::SUBSCRIPTION_ID)?.to_owned();
        let name = match self.file.text(keys::RESOURCE_GROUP) {
            Some(name) => name.to_owned(),
            None => format!("rg-{}", self.file.required(keys::ENVIRONMENT)?),
        };
        Ok(ResourceGroup { subscription, name })
    }

    /// Writes into the file what the deployment to Azure gave out.
    ///
    /// # Errors
    /// There is no deployment, or it cannot be read and the file does not know everything already.
    pub async fn learn_from_azure(&mut self) -> anyhow::Result<()> {
        let group = self.group()?;
        let what = format!("Azure, deployment {DEPLOYMENT} in {}", group.name);
        let mut all = keys::OF_AZURE.iter();
        let knows_all = all.all(|key| self.file.text(key).is_some());
        let found = match self.resource_manager.deployment(&group, DEPLOYMENT).await {
            Ok(found) => found,
            // An administrator of Entra ID need not have any right in Azure, if somebody hands them the file; and an operator who looks
            // why support is silent is not to be kept from it by Resource Manager.
            Err(error) if knows_all => {
                let why = match error.kind {
                    ErrorKind::Forbidden => "not shown to you".to_owned(),
                    _ => unread(&error, &group),
                };
                self.steps.ok(what, format!("taken from the file; {why}"));
                return Ok(());
            }
            Err(error) => {
                let advice = unread(&error, &group);
                return Err(anyhow!("{what}: {advice} ({error})"));
            }
        };
        if let Some(problem) = of_another(&found, self.file.text(keys::ENVIRONMENT)) {
            bail!("{what}: {problem}");
        }
        match found.state.as_str() {
            "Succeeded" => {}
            state if knows_all => {
                let found = format!("taken from the file; the last deployment is {state}");
                self.steps.ok(what, found);
                return Ok(());
            }
            "Failed" | "Canceled" => bail!(
                "{what}: the last deployment did not succeed; look why (az deployment operation group list --resource-group {} --name {DEPLOYMENT}) and deploy again",
                group.name
            ),
            _ => bail!("{what}: it is still at work; run the command again when it is done"),
        }
        let outputs = by_key(&found.outputs);
        let mut learnt = Vec::new();
        // That was for the one deployment that is done now.
        if self.file.flag(keys::RECOVER_KEY_VAULT) {
            self.file.learn(keys::RECOVER_KEY_VAULT, false);
            learnt.push(keys::RECOVER_KEY_VAULT);
        }
        // The three belong together, and a place that the file names goes before the one that the deployment made.
        let has_place = keys::OF_TERRAFORM
            .iter()
            .any(|key| self.file.text(key).is_some());
        let of_terraform = keys::OF_TERRAFORM.into_iter().filter(|_| !has_place);
        for key in keys::OF_AZURE.into_iter().chain(of_terraform) {
            match outputs.get(key) {
                Some(value) if !value.is_empty() => {
                    if self.file.learn(key, value.as_str()) {
                        learnt.push(key);
                    }
                }
                _ if self.file.text(key).is_some() || keys::OF_TERRAFORM.contains(&key) => {}
                _ => bail!(
                    "{what}: it has no output for {key}; deploy again with the templates of this version"
                ),
            }
        }
        // What a deployment gives out is written by whoever may deploy, and goes to everybody with the file.
        let environment = |name: &str| self.environment.get(name).cloned();
        trusted::check(&environment, Some(&self.file)).with_context(|| what.clone())?;
        self.save(
            "Azure's outputs",
            &format!("from the deployment {DEPLOYMENT} in {}", group.name),
            &learnt,
        )
    }

    /// Keeps what was learnt in the file, and says so; without a change it only says that.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&mut self, what: &str, source: &str, learnt: &[&str]) -> anyhow::Result<()> {
        let path = self.file.path().display().to_string();
        if learnt.is_empty() {
            self.steps.ok(what, format!("as {path} has them"));
            return Ok(());
        }
        if !self.steps.is_plan() {
            self.file.save()?;
        }
        let keys = learnt.join(", ");
        self.steps.changed(
            super::steps::Verb::Set,
            what,
            format!("{keys} in {path}, {source}"),
        );
        Ok(())
    }

    /// The last word; tells whether the step is done.
    ///
    /// # Errors
    /// Never, as things stand.
    pub fn finish(self) -> anyhow::Result<bool> {
        Ok(self.steps.finish())
    }
}

/// Why a deployment is that of another installation: two whose files name one resource group would take each other over.
fn of_another(deployment: &Deployment, environment: Option<&str>) -> Option<String> {
    let deployed = deployment.parameters.get(PARAMETER)?.as_str()?;
    let environment = environment.filter(|own| *own != deployed)?;
    Some(format!(
        "it is that of the environment {deployed}, and the file's is {environment}: an installation has a resource group of its own, so mend environment or resource_group in the file"
    ))
}

/// The outputs' texts by the key that each has in the file.
fn by_key(outputs: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let texts = outputs.iter().filter_map(|(name, value)| {
        let value = value.as_str()?.trim();
        Some((snake(name), value.to_owned()))
    });
    texts.collect()
}

/// `functionAppName` as `function_app_name`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What to do when the deployment cannot be read.
fn unread(error: &ServiceError, group: &ResourceGroup) -> String {
    let (name, subscription) = (&group.name, &group.subscription);
    match (error.kind, error.code.as_deref()) {
        (ErrorKind::NotFound, Some("ResourceGroupNotFound")) => format!(
            "there is no resource group {name} in subscription {subscription}: deploy to Azure first, or mend environment, resource_group or subscription_id in the file"
        ),
        (ErrorKind::NotFound, Some("SubscriptionNotFound")) => format!(
            "there is no subscription {subscription} that you may see: mend subscription_id in the file, or have somebody give you the role Reader on {name}"
        ),
        (ErrorKind::NotFound, _) => format!(
            "nothing was deployed there under this name: deploy to Azure first (whoever deploys infra/installation.bicep itself says --name {DEPLOYMENT})"
        ),
        (ErrorKind::Forbidden, _) => format!(
            "you may not read it: whoever owns the resource group can give you the role Reader on {name}, or send you the file after `handler setup settings`"
        ),
        _ => login(error),
    }
}

/// What to do about a call that failed for no reason of its own.
pub fn login(error: &ServiceError) -> String {
    use services::error::Service;
    match (error.service, error.kind) {
        (Service::ManagedIdentity, _) => {
            "the Azure CLI gives no token: install it (az), then az login --tenant with tenant_id of the file (and --allow-no-subscriptions where you have none)".to_owned()
        }
        (_, ErrorKind::Unauthorized) => {
            "your login is not taken: az login --tenant with tenant_id of the file, then again".to_owned()
        }
        (_, ErrorKind::TimedOut | ErrorKind::Connection) => {
            "it could not be reached: check the network, then run the command again".to_owned()
        }
        (_, ErrorKind::Throttled | ErrorKind::Unavailable) => {
            "it is busy or down: run the command again later".to_owned()
        }
        _ => "it did not answer as documented: run the command again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_of_another_environment_is_told_and_every_template_says_its_own() {
        let of = |parameters: Value| Deployment {
            state: "Succeeded".to_owned(),
            parameters: serde_json::from_value(parameters).expect("an object"),
            outputs: BTreeMap::new(),
        };
        let prod = of(json!({ PARAMETER: "prod" }));
        for (deployment, environment, is_another) in [
            (&prod, Some("prod"), false),
            (&prod, Some("test"), true),
            // Names are made of it as it is written.
            (&prod, Some("Prod"), true),
            (&prod, None, false),
            (&of(json!({})), Some("test"), false),
            (&of(json!({ PARAMETER: null })), Some("test"), false),
        ] {
            let found = of_another(deployment, environment);
            assert_eq!(found.is_some(), is_another, "{environment:?}: {found:?}");
        }
        let module = include_str!("../../../infra/main.bicep");
        let passed = format!("name: '{DEPLOYMENT}'");
        let passed = module.split_once(&passed).expect("the module").1;
        assert!(passed.contains(&format!("{PARAMETER}: {PARAMETER}")));
        let installation = include_str!("../../../infra/installation.bicep");
        assert!(installation.contains(&format!("param {PARAMETER} string")));
    }

    #[test]
    fn outputs_have_the_keys_of_their_names() {
        let outputs = BTreeMap::from([
            ("functionAppHostName".to_owned(), json!("h")),
            ("blobEndpoint".to_owned(), json!(" b ")),
            ("secretNames".to_owned(), json!(["a"])),
        ]);
        let found = by_key(&outputs);
        assert_eq!(found["function_app_host_name"], "h");
        assert_eq!(found["blob_endpoint"], "b");
        assert_eq!(found.len(), 2);
    }
}
