//! The secrets between Genesys Cloud and the vault. None is shown, and none passes through a file.

use std::time::Duration;

use anyhow::{anyhow, bail};
use functions::own_secrets::random_secret;
use secrecy::{ExposeSecret as _, SecretString};
use services::error::{ErrorKind, Sent, ServiceError};
use services::genesys::admin::{AdminCredentials, GenesysAdmin};
use services::key_vault::KeyVault;
use tokio::time::Instant;
use uuid::Uuid;

use super::how::How;
use super::outputs::Made;
use crate::genesys::{Connection, Step, explained, missing_right};
use crate::installation::keys;
use crate::login::given;
use crate::setup::azure::{Installation, login};
use crate::setup::steps::Verb;

/// The secret of the bridge's first client.
const CLIENT_SECRET: &str = "genesys-client-secret";

/// Time between two tries of a secret that Genesys may not know everywhere yet.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// What Terraform is told besides, each in a variable of its environment.
pub type Variables = Vec<(&'static str, SecretString)>;

/// Terraform's variables of what Genesys Cloud presents to the app, and the secrets of the vault that they hold.
const WEBHOOK: (&str, &str) = ("TF_VAR_webhook_secret", "genesys-webhook-secret");
const ENDED: (&str, &str) = ("TF_VAR_conversation_ended_secret", "genesys-ended-secret");

/// Terraform's variable of the key with which Genesys Cloud calls the function that is told of ends.
const ENDED_KEY: &str = "TF_VAR_conversation_ended_key";

/// That function.
const FUNCTION: &str = "conversation-ended";

/// What Terraform is given to make things with, unless it is given already. Where Genesys Cloud shall tell of a conversation's end, the
/// vault gets a secret for that, if it has none.
///
/// # Errors
/// The vault or the function's key cannot be read, or the vault has no secret for the webhook yet.
pub async fn of_terraform(
    installation: &mut Installation,
    vault: &KeyVault,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Variables> {
    let mut variables = Variables::new();
    let is_missing = |variable: &str| given(lookup, variable).is_none();
    let (variable, name) = WEBHOOK;
    if is_missing(variable) {
        let Some(value) = held(vault, name).await? else {
            bail!(
                "the vault has no {name} yet: the app makes it when it first starts; publish the program, wait until its health says ok, then run the command again"
            );
        };
        variables.push((variable, value));
    }
    let is_told_of_ends = installation.file.flag(keys::CONVERSATION_ENDED);
    let (variable, name) = ENDED;
    if is_missing(variable) {
        match held(vault, name).await? {
            Some(value) => variables.push((variable, value)),
            None if is_told_of_ends => {
                let value = random_secret();
                if !installation.steps.is_plan() {
                    let stored = vault.set(name, &value).await;
                    stored.map_err(|error| anyhow!("{name}: {} ({error})", advice(&error)))?;
                }
                let how = "of chance, into the vault";
                installation.steps.changed(Verb::Make, name, how);
                variables.push((variable, value));
            }
            None => {}
        }
    }
    if is_told_of_ends && is_missing(ENDED_KEY) {
        variables.push((ENDED_KEY, key(installation).await?));
    }
    Ok(variables)
}

/// What Terraform is given to delete things with: it wants values of the right form, and uses none. So a removal needs neither the vault
/// nor the app, which may be gone.
pub fn of_removal(lookup: &impl Fn(&str) -> Option<String>) -> Variables {
    let all = [WEBHOOK.0, ENDED.0, ENDED_KEY].into_iter();
    let missing = all.filter(|variable| given(lookup, variable).is_none());
    missing.map(|it| (it, random_secret())).collect()
}

async fn held(vault: &KeyVault, name: &str) -> anyhow::Result<Option<SecretString>> {
    let held = vault.get(name).await;
    held.map_err(|error| anyhow!("{name}: {} ({error})", advice(&error)))
}

/// The key with which the function is called that is told of ends.
async fn key(installation: &Installation) -> anyhow::Result<SecretString> {
    let app = installation.file.required(keys::FUNCTION_APP_NAME)?;
    let group = installation.group()?;
    let manager = &installation.resource_manager;
    let advice = match manager.function_key(&group, app, FUNCTION).await {
        Ok(Some(key)) => return Ok(key),
        Ok(None) => {
            "it has none: make one (az functionapp function keys set), then run the command again"
                .to_owned()
        }
        Err(error) if error.kind == ErrorKind::Forbidden => format!(
            "you may not read it: whoever has the role Website Contributor on {app} runs the command, or gives it to you in {ENDED_KEY} ({error})"
        ),
        Err(error) if error.kind == ErrorKind::NotFound => {
            format!("{app} has no such function yet: publish the program first ({error})")
        }
        Err(error) => format!("{} ({error})", login(&error)),
    };
    Err(anyhow!("key of the function {FUNCTION}: {advice}"))
}

/// Gives the vault a secret of each client of which it has none.
///
/// # Errors
/// Genesys or the vault cannot be reached, or a secret is not taken.
pub async fn put(
    installation: &mut Installation,
    how: &How,
    connection: &Connection,
    admin: &GenesysAdmin,
    vault: &KeyVault,
    made: &Made,
) -> anyhow::Result<()> {
    for (index, client) in made.clients.iter().enumerate() {
        let name = match index {
            0 => CLIENT_SECRET.to_owned(),
            _ => format!("{CLIENT_SECRET}-{client}"),
        };
        let work = Work {
            name: &name,
            client: *client,
            owners: match index {
                0 => made.spare_client.into_iter().chain([*client]).collect(),
                _ => vec![*client],
            },
            wait: Duration::from_secs(how.wait.into()),
            connection,
            admin,
            vault,
        };
        work.run(installation, how.new_secret).await?;
    }
    Ok(())
}

/// One client's secret.
struct Work<'a> {
    name: &'a str,
    client: Uuid,
    /// Who may have the secret.
    owners: Vec<Uuid>,
    wait: Duration,
    connection: &'a Connection,
    admin: &'a GenesysAdmin,
    vault: &'a KeyVault,
}

impl Work<'_> {
    async fn run(&self, installation: &mut Installation, is_renewed: bool) -> anyhow::Result<()> {
        let steps = &mut installation.steps;
        let name = self.name;
        let held = match self.vault.keyed(name).await {
            Ok(held) => held,
            Err(error) => match refused_by_vault(&error) {
                Some(right) => {
                    steps.act(name, right);
                    return Ok(());
                }
                None => return Err(anyhow!("{name}: {} ({error})", advice(&error))),
            },
        };
        // That of a client which is no more, of an installation before this one, is nobody's.
        let is_ours = |key: &str| {
            self.owners
                .iter()
                .any(|it| it.to_string().eq_ignore_ascii_case(key))
        };
        let held = held.filter(|held| held.key.as_deref().is_none_or(is_ours));
        if let Some(held) = held.as_ref().filter(|_| !is_renewed) {
            // The pair has the secret in turn, and the vault says whose it is.
            let owner = held.key.clone().unwrap_or_else(|| self.client.to_string());
            let credentials = AdminCredentials::new(owner, held.value.expose_secret().to_owned());
            match self.connection.sign_in_as(&credentials).await {
                Ok(_) => steps.ok(name, "the vault has it, and Genesys Cloud takes it"),
                Err(error) if error.kind == ErrorKind::Configuration => steps.act(
                    name,
                    "Genesys Cloud does not take what the vault has: run the command again with --new-secret",
                ),
                Err(error) => return Err(explained(&error, Step::SignIn).context(name.to_owned())),
            }
            return Ok(());
        }
        let how = format!("of OAuth client {}, into the vault", self.client);
        if steps.is_plan() {
            steps.changed(Verb::Make, name, how);
            return Ok(());
        }
        // As long as the vault says that there is none, whoever runs the command next makes another: a kill in between loses nothing.
        // It shows too whether the vault takes a secret at all, before the old one ends.
        if let Err(error) = self.vault.clear(name).await {
            match refused_by_vault(&error) {
                Some(right) => steps.act(name, right),
                None => return Err(anyhow!("{name}: {} ({error})", advice(&error))),
            }
            return Ok(());
        }
        let step = Step::RenewSecret(self.client);
        let id = self.client.to_string();
        let secret = match self.admin.renew_client_secret(&id).await {
            Ok(secret) => secret,
            Err(error) => {
                let right = missing_right(&error, step);
                // Genesys made none, so the one before still works.
                let is_none_made = right.is_some() || error.sent == Sent::No;
                if let Some(held) = held.as_ref().filter(|_| is_none_made) {
                    let owner = held.key.as_deref().unwrap_or(&id);
                    let kept = self.vault.store(name, &held.value, owner).await;
                    kept.map_err(|error| anyhow!("{name}: {} ({error})", advice(&error)))?;
                }
                return match right {
                    Some(right) => {
                        steps.act(name, right);
                        Ok(())
                    }
                    None => Err(explained(&error, step).context(name.to_owned())),
                };
            }
        };
        let stored = self.vault.store(name, &secret, &id).await;
        stored.map_err(|error| anyhow!("{name}: {} ({error})", advice(&error)))?;
        self.prove(&id, &secret).await?;
        steps.changed(Verb::Make, name, how);
        Ok(())
    }

    /// Signs in with a new secret, which Genesys may not know everywhere yet.
    async fn prove(&self, id: &str, secret: &SecretString) -> anyhow::Result<()> {
        let credentials = AdminCredentials::new(id.to_owned(), secret.expose_secret().to_owned());
        let give_up = Instant::now() + self.wait;
        loop {
            let error = match self.connection.sign_in_as(&credentials).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let is_refused = error.kind == ErrorKind::Configuration;
            if !is_refused || Instant::now() + NEXT_TRY > give_up {
                return Err(anyhow!(
                    "{}: the vault has the new secret, but Genesys Cloud does not take it yet: run the command again in a minute ({error})",
                    self.name
                ));
            }
            tokio::time::sleep(NEXT_TRY).await;
        }
    }
}

/// Who can give the vault's right that a call failed for, where it did.
fn refused_by_vault(error: &ServiceError) -> Option<String> {
    (error.kind == ErrorKind::Forbidden).then(|| advice(error))
}

fn advice(error: &ServiceError) -> String {
    match error.kind {
        ErrorKind::Forbidden => {
            "you lack the role Key Vault Secrets Officer on the vault, or got it minutes ago: an owner of the operators' group (operators_group_id) makes you a member, or a member of it runs the command".to_owned()
        }
        ErrorKind::Conflict => {
            "a deleted secret has this name: recover it first (az keyvault secret recover)".to_owned()
        }
        _ => login(error),
    }
}
