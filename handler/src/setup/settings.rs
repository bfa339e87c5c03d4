//! The Function App's settings that are known only after a step of set-up: put there at once, so that no second deployment is
//! needed. A later deployment reads the same file and puts nothing back.

use std::collections::BTreeMap;

use anyhow::anyhow;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::resource_manager::AppSettings;

use super::azure::{Installation, login};
use super::steps::Verb;
use crate::installation::file::InstallationFile;
use crate::installation::keys;

/// What the lines are about.
pub const WHAT: &str = "settings of the Function App";

/// A setting that every deployment gives the app.
const ALWAYS_THERE: &str = "TENANT_ID";

/// The settings of the app that say where it keeps and gets everything, and that a deployment writes.
const PLACES: [&str; 4] = [
    "BLOB_ENDPOINT",
    "KEY_VAULT_URL",
    "ServiceBus__fullyQualifiedNamespace",
    "GENESYS_DOMAIN",
];

impl Installation {
    /// All settings of the app.
    ///
    /// # Errors
    /// As `ResourceManager::app_settings`.
    pub async fn settings(&self) -> Result<AppSettings, ServiceError> {
        let unnamed =
            |_| ServiceError::new(Service::ResourceManager, ErrorKind::NotFound, Sent::No);
        let group = self.group().map_err(unnamed)?;
        let app = self
            .file
            .required(keys::FUNCTION_APP_NAME)
            .map_err(unnamed)?;
        self.resource_manager.app_settings(&group, app).await
    }

    /// What a setting of the app holds; `None` where it holds nothing, the app is not there, or whoever asks may not see it.
    ///
    /// # Errors
    /// Resource Manager or the login could not be reached.
    pub async fn setting_of_the_app(&self, name: &str) -> anyhow::Result<Option<String>> {
        let app = self.file.required(keys::FUNCTION_APP_NAME)?;
        let settings = match self.settings().await {
            Ok(settings) => settings,
            Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound) => {
                return Ok(None);
            }
            Err(error) => return Err(anyhow!("{WHAT} {app}: {} ({error})", login(&error))),
        };
        let value = settings.0.get(name).map(|value| value.trim().to_owned());
        // Zeros alone stand for an id that nobody knew when the app was deployed.
        let is_id = |value: &String| value.bytes().any(|byte| !matches!(byte, b'0' | b'-'));
        Ok(value.filter(is_id))
    }

    /// Puts the ids of the file into the app's settings, where one differs; then the app starts again. Whoever may not do that is
    /// told who can, and the step is not lost.
    ///
    /// # Errors
    /// The app is not there, or cannot be reached.
    pub async fn put_settings(&mut self) -> anyhow::Result<()> {
        let group = self.group()?;
        let app = self.file.required(keys::FUNCTION_APP_NAME)?.to_owned();
        let known = known(&self.file);
        let names = |all: &BTreeMap<&str, String>| {
            let names: Vec<&str> = all.keys().copied().collect();
            names.join(", ")
        };
        if known.is_empty() {
            self.steps
                .ok(WHAT, "the file knows no id yet that belongs there");
            return Ok(());
        }
        let refused = |names: String| {
            format!(
                "{names} wait: whoever has the role Website Contributor on {app} runs `handler setup settings` with this file (or deploys again)"
            )
        };
        let explained = |error| anyhow!("{WHAT} {app}: {} ({error})", login(&error));
        let mut settings = match self.settings().await {
            Ok(settings) => settings,
            Err(error) if error.kind == ErrorKind::Forbidden => {
                self.steps.act(WHAT, refused(names(&known)));
                return Ok(());
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Err(anyhow!(
                    "{WHAT}: there is no app {app} in {}: mend function_app_name in the file, or deploy to Azure ({error})",
                    group.name
                ));
            }
            Err(error) => return Err(explained(error)),
        };
        // The write replaces everything, so it must begin with what the templates have put there.
        if !settings.0.contains_key(ALWAYS_THERE) {
            return Err(anyhow!(
                "{WHAT} {app}: it has no {ALWAYS_THERE}, so it is not the app of these templates, or was emptied: deploy to Azure again"
            ));
        }
        let differing = differing(&known, &settings.0);
        if differing.is_empty() {
            self.steps
                .ok(WHAT, format!("{} as the file has them", names(&known)));
            return Ok(());
        }
        if !self.steps.is_plan() {
            let added = differing.iter();
            let added = added.map(|(name, value)| ((*name).to_owned(), value.clone()));
            settings.0.extend(added);
            let manager = &self.resource_manager;
            match manager.set_app_settings(&group, &app, &settings).await {
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::Forbidden => {
                    self.steps.act(WHAT, refused(names(&differing)));
                    return Ok(());
                }
                Err(error) => return Err(explained(error)),
            }
        }
        let how = format!(
            "{} of {app}, which starts again with them",
            names(&differing)
        );
        self.steps.changed(Verb::Set, WHAT, how);
        Ok(())
    }
}

/// Names of the settings that the app has otherwise than the file.
pub fn differing_from(
    file: &InstallationFile,
    present: &BTreeMap<String, String>,
) -> Vec<&'static str> {
    differing(&known(file), present).into_keys().collect()
}

/// Settings and keys of the addresses that the app has otherwise than the file. One that the app lacks is told as such.
pub fn misplaced(
    file: &InstallationFile,
    present: &BTreeMap<String, String>,
) -> Vec<(&'static str, &'static str)> {
    let plain = |address: &str| address.trim().trim_end_matches('/').to_ascii_lowercase();
    let differs = |(setting, key): &(&'static str, &'static str)| {
        let (has, wanted) = (present.get(*setting), file.text(key));
        has.zip(wanted)
            .is_some_and(|(has, wanted)| plain(has) != plain(wanted))
    };
    let all = PLACES.into_iter().filter_map(keys::key_of);
    all.filter(differs).collect()
}

/// The settings whose values the file knows.
fn known(file: &InstallationFile) -> BTreeMap<&'static str, String> {
    let all = keys::APP_SETTINGS.iter();
    all.filter_map(|(setting, _)| Some((*setting, file.setting(setting)?)))
        .collect()
}

/// Those of them that the app has otherwise. Ids are the same in whichever case they are written.
fn differing<'a>(
    known: &BTreeMap<&'a str, String>,
    present: &BTreeMap<String, String>,
) -> BTreeMap<&'a str, String> {
    let differs = |(name, value): &(&&str, &String)| {
        let has = present.get(**name);
        has.is_none_or(|has| !has.trim().eq_ignore_ascii_case(value))
    };
    let all = known.iter().filter(differs);
    all.map(|(name, value)| (*name, value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_is_elsewhere_than_the_file_says_is_told_by_its_settings() {
        let file = InstallationFile::of_text(
            "blob_endpoint = \"https://st.blob.core.windows.net/\"\nkey_vault_url = \"https://kv.vault.azure.net\"\n\
             service_bus_namespace = \"sb.servicebus.windows.net\"\ngenesys_domain = \"mypurecloud.de\"\n",
        );
        let right = [
            ("BLOB_ENDPOINT", "https://ST.blob.core.windows.net"),
            ("KEY_VAULT_URL", " https://kv.vault.azure.net/ "),
            (
                "ServiceBus__fullyQualifiedNamespace",
                "sb.servicebus.windows.net",
            ),
            ("GENESYS_DOMAIN", "mypurecloud.de"),
        ];
        let told = |changes: &[(&str, &str)]| {
            let all = right.iter().chain(changes);
            let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let found = misplaced(&file, &all.collect()).into_iter();
            found.map(|(setting, _)| setting).collect::<Vec<_>>()
        };
        assert_eq!(told(&[]), [""; 0]);
        for (setting, _) in right {
            assert_eq!(told(&[(setting, "https://evil.example")]), [setting]);
        }
        assert!(misplaced(&file, &BTreeMap::new()).is_empty());
        let unknown = InstallationFile::of_text("");
        let elsewhere = BTreeMap::from([("BLOB_ENDPOINT".to_owned(), "https://x".to_owned())]);
        assert!(misplaced(&unknown, &elsewhere).is_empty());
    }

    #[test]
    fn only_what_the_app_has_otherwise_is_put_there() {
        let known = BTreeMap::from([
            ("GRAPH_CLIENT_ID", "aa-1".to_owned()),
            ("GENESYS_CLIENT_ID", "bb,cc".to_owned()),
            ("GENESYS_INTEGRATION_ID", "dd".to_owned()),
        ]);
        let present = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        for (has, expected) in [
            (
                present(&[]),
                vec![
                    "GENESYS_CLIENT_ID",
                    "GENESYS_INTEGRATION_ID",
                    "GRAPH_CLIENT_ID",
                ],
            ),
            (
                present(&[
                    ("GRAPH_CLIENT_ID", " AA-1 "),
                    ("GENESYS_CLIENT_ID", ""),
                    ("GENESYS_INTEGRATION_ID", "dd"),
                ]),
                vec!["GENESYS_CLIENT_ID"],
            ),
        ] {
            let differing: Vec<_> = differing(&known, &has).into_keys().collect();
            assert_eq!(differing, expected);
        }
    }
}
