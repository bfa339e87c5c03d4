//! Where an operator's tokens may go. An address comes from the environment, since whoever sets that is at the keyboard, or from the
//! installation's file, which is handed round: then it must be one of the clouds' own. None comes from the settings of the app:
//! whoever may change those would get what the operator may do.

use std::collections::BTreeMap;

use anyhow::bail;
use functions::settings::SPECIFICATIONS;
use reqwest::Url;
use services::clouds::Place;

use crate::installation::file::InstallationFile;
use crate::installation::keys;
use crate::login::given;

/// An address that a command sends a token to.
struct Address {
    /// Its environment variable, which for most is the setting of the app, too.
    variable: &'static str,
    /// Its key in the file, where it has one.
    key: Option<&'static str>,
    place: Place,
    /// Whether it is a host name alone, without `https://`.
    is_host: bool,
}

const fn url(variable: &'static str, key: Option<&'static str>, place: Place) -> Address {
    Address {
        variable,
        key,
        place,
        is_host: false,
    }
}

/// Those of Microsoft's services. Genesys Cloud's follow from the region, which [`crate::genesys::Connection`] checks.
const ADDRESSES: [Address; 6] = [
    url("ENTRA_ENDPOINT", Some(keys::ENTRA_ENDPOINT), Place::Entra),
    url("GRAPH_ENDPOINT", Some(keys::GRAPH_ENDPOINT), Place::Graph),
    url("RESOURCE_MANAGER_ENDPOINT", None, Place::ResourceManager),
    url("KEY_VAULT_URL", Some(keys::KEY_VAULT_URL), Place::KeyVault),
    url("BLOB_ENDPOINT", Some(keys::BLOB_ENDPOINT), Place::Blob),
    Address {
        is_host: true,
        ..url(
            "ServiceBus__fullyQualifiedNamespace",
            Some(keys::SERVICE_BUS_NAMESPACE),
            Place::ServiceBus,
        )
    },
];

/// Settings of the app that say where something is, besides those.
const FURTHER: [&str; 7] = [
    "GENESYS_DOMAIN",
    "GENESYS_API_ENDPOINT",
    "GENESYS_LOGIN_ENDPOINT",
    "BOT_LOGIN_ENDPOINT",
    "BOT_CONNECTOR_ORIGINS",
    "FILE_ORIGINS",
    "FILE_HOSTS",
];

/// Settings of the app that say as whom it runs, which is not as whom an operator does.
const WHO: [&str; 2] = ["AZURE_CLIENT_ID", "TENANT_ID"];

/// Whether an operator's command may take a setting from the app. What is no setting at all, such as a login, never is.
#[must_use]
pub fn is_taken_from_the_app(setting: &str) -> bool {
    let is_address = ADDRESSES.iter().any(|it| it.variable == setting);
    let is_setting = SPECIFICATIONS.iter().any(|it| it.name == setting);
    is_setting && !is_address && !FURTHER.contains(&setting) && !WHO.contains(&setting)
}

/// The addresses that the environment names, by their variables.
pub fn of_environment(
    environment: &impl Fn(&str) -> Option<String>,
) -> BTreeMap<&'static str, String> {
    let variables = ADDRESSES.iter().map(|address| address.variable);
    let named = variables.filter_map(|name| Some((name, given(environment, name)?)));
    named.collect()
}

/// Holds every address against the rule, before anything is sent anywhere.
///
/// # Errors
/// A line for each that breaks it: what names it, which host, and what to do if it is meant.
pub fn check(
    environment: &impl Fn(&str) -> Option<String>,
    file: Option<&InstallationFile>,
) -> anyhow::Result<()> {
    let problems = ADDRESSES.iter().filter_map(|address| {
        let of_the_file = || address.key.and_then(|key| Some((key, file?.text(key)?)));
        match (given(environment, address.variable), of_the_file()) {
            (Some(given), _) => of_the_environment(address, &given),
            (None, Some((key, text))) => of_a_file(address, key, text),
            (None, None) => None,
        }
    });
    let problems: Vec<String> = problems.collect();
    match problems.is_empty() {
        true => Ok(()),
        false => bail!(problems.join("\n")),
    }
}

/// What is wrong with an address of the environment: it may be anywhere, but never in clear.
fn of_the_environment(address: &Address, text: &str) -> Option<String> {
    let Address { variable, .. } = address;
    let advice = format!(
        "an operator's token goes to no other: put that of {} there",
        address.place.name()
    );
    match (read(address, text), address.is_host) {
        (Some(_), _) => None,
        (None, false) => Some(format!("{variable} is no https URL: {advice}")),
        (None, true) => Some(format!("{variable} is no host name: {advice}")),
    }
}

/// What is wrong with an address of the file.
fn of_a_file(address: &Address, key: &str, text: &str) -> Option<String> {
    let Address {
        variable, place, ..
    } = address;
    let advice = format!(
        "an operator's token goes there only if the environment says so: put it into the variable {variable} if you mean it"
    );
    let place = place.name();
    let Some(url) = read(address, text) else {
        let form = match address.is_host {
            true => "host name",
            false => "https URL",
        };
        return Some(format!("{key} of the file is no {form} of {place}"));
    };
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        None if address.place.is_at(host) => None,
        None => Some(format!(
            "{key} of the file names {host}, which is not {place} in Microsoft's clouds: {advice}"
        )),
        Some(port) => Some(format!(
            "{key} of the file names {host}:{port}, which is not {place} in Microsoft's clouds: {advice}"
        )),
    }
}

/// The address, if it has the form of one: what hides another host behind it (`user@`), and what would take up our own path, has not.
fn read(address: &Address, text: &str) -> Option<Url> {
    let url = match address.is_host {
        true => Url::parse(&format!("https://{text}/")).ok()?,
        false => Url::parse(text).ok()?,
    };
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_whole = url.query().is_none() && url.fragment().is_none();
    let has_path = address.is_host && url.path() != "/";
    (url.scheme() == "https" && is_bare && is_whole && !has_path).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(environment: &[(&str, &str)], file: &str) -> String {
        let file = InstallationFile::of_text(file);
        let environment = |name: &str| {
            let mut all = environment.iter();
            let found = all.find(|(given, _)| *given == name)?;
            Some(found.1.to_owned())
        };
        let checked = check(&environment, Some(&file));
        checked.err().map_or_else(String::new, |it| it.to_string())
    }

    #[test]
    fn an_address_of_the_file_is_one_of_the_clouds_own() {
        for file in [
            "",
            "key_vault_url = \"\"",
            "key_vault_url = \"https://kv.vault.azure.net/\"",
            "key_vault_url = \"https://KV.vault.usgovcloudapi.net\"",
            "blob_endpoint = \"https://st.blob.core.windows.net/\"",
            "blob_endpoint = \"https://st.z12.blob.storage.azure.net\"",
            "service_bus_namespace = \"sb.servicebus.chinacloudapi.cn\"",
            "entra_endpoint = \"https://login.microsoftonline.us\"",
            "graph_endpoint = \"https://dod-graph.microsoft.us\"",
            "function_app_host_name = \"support.example.com\"",
        ] {
            assert_eq!(said(&[], file), "", "{file}");
        }
        for (file, names, variable) in [
            (
                "key_vault_url = \"https://evil.example\"",
                "key_vault_url of the file names evil.example",
                "KEY_VAULT_URL",
            ),
            (
                "key_vault_url = \"https://kv.vault.azure.net.evil.example/\"",
                "kv.vault.azure.net.evil.example",
                "KEY_VAULT_URL",
            ),
            (
                "blob_endpoint = \"https://127.0.0.1:10000/account\"",
                "blob_endpoint of the file names 127.0.0.1:10000",
                "BLOB_ENDPOINT",
            ),
            (
                "blob_endpoint = \"https://st.blob.core.windows.net:8443\"",
                "st.blob.core.windows.net:8443",
                "BLOB_ENDPOINT",
            ),
            (
                "service_bus_namespace = \"evil.example\"",
                "service_bus_namespace of the file names evil.example",
                "ServiceBus__fullyQualifiedNamespace",
            ),
            (
                "graph_endpoint = \"https://graph.evil.example\"",
                "graph_endpoint of the file names graph.evil.example",
                "GRAPH_ENDPOINT",
            ),
            (
                "entra_endpoint = \"https://login.evil.example\"",
                "entra_endpoint of the file names login.evil.example",
                "ENTRA_ENDPOINT",
            ),
        ] {
            let said = said(&[], file);
            assert_eq!(said.lines().count(), 1, "{said}");
            let meant = format!("put it into the variable {variable} if you mean it");
            assert!(said.contains(names) && said.contains(&meant), "{said}");
        }
        for (file, form) in [
            ("key_vault_url = \"http://kv.vault.azure.net\"", "https URL"),
            (
                "key_vault_url = \"https://kv.vault.azure.net@evil.example\"",
                "https URL",
            ),
            (
                "key_vault_url = \"https://kv.vault.azure.net/?x\"",
                "https URL",
            ),
            ("key_vault_url = \"kv.vault.azure.net\"", "https URL"),
            (
                "service_bus_namespace = \"sb.servicebus.windows.net/x\"",
                "host name",
            ),
            (
                "service_bus_namespace = \"https://sb.servicebus.windows.net\"",
                "host name",
            ),
        ] {
            let said = said(&[], file);
            assert!(said.contains(&format!("is no {form}")), "{file}: {said}");
            assert!(
                !said.contains("evil"),
                "what cannot be read is not repeated: {said}"
            );
        }
        let both = "key_vault_url = \"https://a.example\"\nblob_endpoint = \"https://b.example\"\n";
        assert_eq!(said(&[], both).lines().count(), 2);
    }

    #[test]
    fn the_environment_goes_before_the_file_and_anywhere_but_in_clear() {
        let evil = "key_vault_url = \"https://evil.example\"";
        let local = [("KEY_VAULT_URL", "https://127.0.0.1:7447")];
        assert_eq!(said(&local, evil), "");
        for (variable, value) in [
            ("KEY_VAULT_URL", "http://127.0.0.1:7447"),
            ("BLOB_ENDPOINT", "http://st.blob.core.windows.net"),
            ("RESOURCE_MANAGER_ENDPOINT", "management.azure.com"),
            ("ENTRA_ENDPOINT", "ftp://login.microsoftonline.com"),
            ("ServiceBus__fullyQualifiedNamespace", "http://sb"),
        ] {
            let said = said(&[(variable, value)], "");
            assert!(
                said.starts_with(&format!("{variable} is no")) && said.lines().count() == 1,
                "{said}"
            );
        }
    }

    #[test]
    fn the_app_names_no_address_and_nobody() {
        for setting in SPECIFICATIONS {
            let mut words = ["URL", "host name", "origins", "domain"].into_iter();
            let is_address = words.any(|word| setting.expects.contains(word));
            let is_taken = is_taken_from_the_app(setting.name);
            assert!(!(is_address && is_taken), "{}", setting.name);
        }
        for never in [
            "AZURE_CLIENT_ID",
            "TENANT_ID",
            "IDENTITY_ENDPOINT",
            "GENESYSCLOUD_ACCESS_TOKEN",
            "RESOURCE_MANAGER_ENDPOINT",
            "WEBSITE_HOSTNAME",
        ] {
            assert!(!is_taken_from_the_app(never), "{never}");
        }
        for taken in ["SUPPORT_ACCOUNTS", "INBOUND_QUEUE", "GENESYS_CLIENT_ID"] {
            assert!(is_taken_from_the_app(taken), "{taken}");
        }
    }
}
