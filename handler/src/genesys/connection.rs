//! Where Genesys Cloud is, and who asks.

use anyhow::{anyhow, bail};
use functions::settings::Settings;
use services::genesys::admin::{AdminCredentials, GenesysAdmin};
use services::http;
use uuid::Uuid;

use super::failure::{Step, explained};

const DOMAIN: &str = "GENESYS_DOMAIN";
const API: &str = "GENESYS_API_ENDPOINT";
const LOGIN: &str = "GENESYS_LOGIN_ENDPOINT";
const INTEGRATION: &str = "GENESYS_INTEGRATION_ID";
const CLIENT_ID: &str = "GENESYS_ADMIN_CLIENT_ID";
const CLIENT_SECRET: &str = "GENESYS_ADMIN_CLIENT_SECRET";

/// What a command needs to sign in. `Debug` shows no secret.
#[derive(Debug)]
pub struct Connection {
    api: String,
    login: String,
    credentials: AdminCredentials,
}

impl Connection {
    /// Reads it through `lookup`.
    ///
    /// # Errors
    /// One line for each variable that is missing or wrong.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let given = |name: &str| {
            lookup(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let mut problems = wrong_endpoints(given);
        let mut required = |name: &str, expects: &str| {
            given(name).unwrap_or_else(|| {
                problems.push(format!("{name} is missing: put {expects} there"));
                String::new()
            })
        };
        let client_id = required(
            CLIENT_ID,
            "the id of an administrator's client-credentials OAuth client",
        );
        let client_secret = required(CLIENT_SECRET, "that client's secret");
        if !problems.is_empty() {
            bail!(problems.join("\n"));
        }
        let domain = given(DOMAIN).unwrap_or_default();
        let endpoint = |name: &str, host: &str| {
            given(name).unwrap_or_else(|| format!("https://{host}.{domain}"))
        };
        Ok(Self {
            api: endpoint(API, "api"),
            login: endpoint(LOGIN, "login"),
            credentials: AdminCredentials::new(client_id, client_secret),
        })
    }

    /// Signs in.
    ///
    /// # Errors
    /// One line of what to do.
    pub async fn sign_in(&self) -> anyhow::Result<GenesysAdmin> {
        let signed_in = match http::client() {
            Ok(client) => {
                GenesysAdmin::sign_in(client, &self.api, &self.login, &self.credentials).await
            }
            Err(error) => Err(error),
        };
        signed_in.map_err(|error| explained(&error, Step::SignIn))
    }
}

/// An administrator's credentials, where both are given.
///
/// # Errors
/// One line when only one of them is.
pub fn operator(
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<AdminCredentials>> {
    let given = |name: &str| {
        let value = lookup(name).map(|value| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    match (given(CLIENT_ID), given(CLIENT_SECRET)) {
        (Some(id), Some(secret)) => Ok(Some(AdminCredentials::new(id, secret))),
        (None, None) => Ok(None),
        _ => bail!("give both {CLIENT_ID} and {CLIENT_SECRET}, or neither"),
    }
}

/// What the app's own rules say of the region, so that an administrator's secret goes nowhere that the app would not go.
fn wrong_endpoints(given: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let ours = |name: &str| [DOMAIN, API, LOGIN].contains(&name);
    // The settings of everything else are missing here, which does not matter.
    Settings::from_lookup(|name| ours(name).then(|| given(name)).flatten())
        .err()
        .unwrap_or_default()
        .iter()
        .filter(|error| ours(error.name))
        .map(ToString::to_string)
        .collect()
}

/// The integration to work on: the one named, else `GENESYS_INTEGRATION_ID`.
///
/// # Errors
/// One line of what to do.
pub fn integration(
    named: Option<Uuid>,
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Uuid> {
    let id = match (named, lookup(INTEGRATION)) {
        (Some(id), _) => id,
        (None, Some(text)) if !text.trim().is_empty() => text.trim().parse().map_err(|_| {
            anyhow!("{INTEGRATION} is no GUID: put the id of the integration there")
        })?,
        _ => bail!("no integration is named: give --integration or set {INTEGRATION}"),
    };
    // What the first deployment sets, before there is an integration.
    if id.is_nil() {
        bail!(
            "the integration's id is the placeholder: give the id that Terraform prints as integration_id"
        );
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        (DOMAIN, "mypurecloud.de"),
        (CLIENT_ID, "admin"),
        (CLIENT_SECRET, "hush"),
    ];

    fn read(changes: &[(&str, &str)]) -> anyhow::Result<Connection> {
        Connection::from_lookup(|name| {
            let mut all = changes.iter().chain(&COMPLETE);
            all.find(|(given, _)| *given == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_region_leads_to_both_endpoints_unless_they_are_given() {
        let connection = read(&[]).expect("complete");
        assert_eq!(connection.api, "https://api.mypurecloud.de");
        assert_eq!(connection.login, "https://login.mypurecloud.de");
        let shown = format!("{connection:?}");
        assert!(!shown.contains("hush"), "{shown}");
        let (api, login) = ("https://127.0.0.1:1", "https://127.0.0.1:2");
        let given = [(DOMAIN, "brand.new.cloud"), (API, api), (LOGIN, login)];
        let given = read(&given).expect("complete");
        assert_eq!((given.api.as_str(), given.login.as_str()), (api, login));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (name, value) in [
            (DOMAIN, ""),
            (DOMAIN, "mypurecloud.dee"),
            (API, "http://plain"),
            (LOGIN, "no address"),
            (CLIENT_ID, " "),
            (CLIENT_SECRET, ""),
        ] {
            let said = read(&[(name, value)]).expect_err("incomplete").to_string();
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains(name) && !said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn an_administrator_needs_both_id_and_secret() {
        let read = |names: &'static [&str]| {
            operator(move |name| names.contains(&name).then(|| "hush".to_owned()))
        };
        assert!(read(&[]).expect("neither").is_none());
        assert!(read(&[CLIENT_ID, CLIENT_SECRET]).expect("both").is_some());
        read(&[CLIENT_ID]).expect_err("half");
        read(&[CLIENT_SECRET]).expect_err("half");
    }

    #[test]
    fn the_integration_is_the_named_one_or_the_setting() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let set = |value: &'static str| move |_: &str| Some(value.to_owned());
        let text = "00000000-0000-0000-0000-000000000002";
        assert_eq!(integration(Some(one), set(text)).expect("named"), one);
        assert_eq!(integration(None, set(text)).expect("set"), other);
        for wrong in ["", "x", "00000000-0000-0000-0000-000000000000"] {
            integration(None, set(wrong)).expect_err("unusable");
        }
    }
}
