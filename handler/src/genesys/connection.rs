//! Where Genesys Cloud is, and who asks.

use anyhow::bail;
use functions::settings::Settings;
use secrecy::SecretString;
use services::error::Result as Answered;
use services::genesys::admin::{AdminCredentials, GenesysAdmin};
use services::http;

use super::failure::{Step, explained};

const DOMAIN: &str = "GENESYS_DOMAIN";
const API: &str = "GENESYS_API_ENDPOINT";
const LOGIN: &str = "GENESYS_LOGIN_ENDPOINT";
const CLIENT_ID: &str = "GENESYS_ADMIN_CLIENT_ID";
const CLIENT_SECRET: &str = "GENESYS_ADMIN_CLIENT_SECRET";

/// Terraform's names of the same.
const TOKEN: &str = "GENESYSCLOUD_ACCESS_TOKEN";
const TERRAFORM_ID: &str = "GENESYSCLOUD_OAUTHCLIENT_ID";
const TERRAFORM_SECRET: &str = "GENESYSCLOUD_OAUTHCLIENT_SECRET";

/// Who asks. `Debug` shows no secret.
#[derive(Debug)]
enum Who {
    /// A person, who has signed in elsewhere.
    Person(SecretString),
    Client(AdminCredentials),
}

/// What a command needs to sign in. `Debug` shows no secret.
#[derive(Debug)]
pub struct Connection {
    api: String,
    login: String,
    who: Who,
}

impl Connection {
    /// Reads it through `lookup`: a person's token (`GENESYSCLOUD_ACCESS_TOKEN`), else a client (`GENESYSCLOUD_OAUTHCLIENT_ID` and
    /// `…_SECRET`, else `GENESYS_ADMIN_CLIENT_ID` and `…_SECRET`).
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
        let pair = |id: &str, secret: &str| Some((given(id)?, given(secret)?));
        let client =
            pair(TERRAFORM_ID, TERRAFORM_SECRET).or_else(|| pair(CLIENT_ID, CLIENT_SECRET));
        let who = match (given(TOKEN), client) {
            (Some(token), _) => Some(Who::Person(token.into())),
            (None, Some((id, secret))) => Some(Who::Client(AdminCredentials::new(id, secret))),
            (None, None) => None,
        };
        if who.is_none() {
            problems.push(format!(
                "nobody signs in to Genesys Cloud: put an administrator's token into {TOKEN}, or id and secret of an OAuth client into {TERRAFORM_ID} and {TERRAFORM_SECRET}"
            ));
        }
        let (Some(who), true) = (who, problems.is_empty()) else {
            bail!(problems.join("\n"));
        };
        let domain = given(DOMAIN).unwrap_or_default();
        let endpoint = |name: &str, host: &str| {
            given(name).unwrap_or_else(|| format!("https://{host}.{domain}"))
        };
        Ok(Self {
            api: endpoint(API, "api"),
            login: endpoint(LOGIN, "login"),
            who,
        })
    }

    /// The same where somebody is named at all, whole or in part.
    ///
    /// # Errors
    /// As [`Self::from_lookup`].
    pub fn if_given(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        let all = [
            TOKEN,
            TERRAFORM_ID,
            TERRAFORM_SECRET,
            CLIENT_ID,
            CLIENT_SECRET,
        ];
        let is_given = |name| lookup(name).is_some_and(|it| !it.trim().is_empty());
        let is_any = all.into_iter().any(is_given);
        is_any.then(|| Self::from_lookup(lookup)).transpose()
    }

    /// Signs in.
    ///
    /// # Errors
    /// One line of what to do.
    pub async fn sign_in(&self) -> anyhow::Result<GenesysAdmin> {
        let signed_in = match &self.who {
            Who::Client(credentials) => self.sign_in_as(credentials).await,
            Who::Person(token) => self.sign_in_with(token).await,
        };
        signed_in.map_err(|error| explained(&error, Step::SignIn))
    }

    /// Signs in as this client.
    ///
    /// # Errors
    /// `Configuration` when Genesys does not know the client or its secret; otherwise it refused or could not be reached.
    pub async fn sign_in_as(&self, client: &AdminCredentials) -> Answered<GenesysAdmin> {
        GenesysAdmin::sign_in(http::client()?, &self.api, &self.login, client).await
    }

    async fn sign_in_with(&self, token: &SecretString) -> Answered<GenesysAdmin> {
        let admin = GenesysAdmin::with_token(http::client()?, &self.api, token.clone());
        admin.probe().await?;
        Ok(admin)
    }

    /// The same for Terraform, as variables; nothing that it has already.
    pub fn of_terraform(
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Vec<(&'static str, SecretString)> {
        let is_absent = |name: &&str| lookup(name).is_none_or(|it| it.trim().is_empty());
        if [TOKEN, TERRAFORM_ID].iter().any(|name| !is_absent(name)) {
            return Vec::new();
        }
        let pairs = [(TERRAFORM_ID, CLIENT_ID), (TERRAFORM_SECRET, CLIENT_SECRET)];
        let given = pairs.into_iter().filter_map(|(theirs, ours)| {
            let value = lookup(ours)?;
            Some((theirs, value.trim().to_owned().into()))
        });
        given.collect()
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
        .map(|error| match (error.name, given(DOMAIN)) {
            // The templates' parameters of such a region do not count here: a file is handed round.
            (DOMAIN, Some(_)) => format!(
                "{error}; an administrator's token goes to a region that this program does not know only if {API} and {LOGIN} stand in the environment"
            ),
            _ => error.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        (DOMAIN, "mypurecloud.de"),
        (TERRAFORM_ID, "admin"),
        (TERRAFORM_SECRET, "hush"),
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
            (TERRAFORM_ID, " "),
            (TERRAFORM_SECRET, ""),
        ] {
            let said = read(&[(name, value)]).expect_err("incomplete").to_string();
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains(name) && !said.contains("hush"), "{said}");
            let is_unknown = value == "mypurecloud.dee";
            assert_eq!(
                said.contains("stand in the environment"),
                is_unknown,
                "{said}"
            );
        }
    }

    #[test]
    fn a_person_goes_before_a_client_and_terraforms_names_before_ours() {
        for (changes, is_person) in [
            (&[(TOKEN, "hush")][..], true),
            (&[(TOKEN, " ")], false),
            (
                &[
                    (TERRAFORM_ID, ""),
                    (CLIENT_ID, "a"),
                    (CLIENT_SECRET, "hush"),
                ],
                false,
            ),
        ] {
            let connection = read(changes).expect("complete");
            let found = matches!(connection.who, Who::Person(_));
            assert_eq!(found, is_person, "{changes:?}");
            assert!(!format!("{connection:?}").contains("hush"));
        }
    }

    #[test]
    fn terraform_gets_what_it_does_not_have() {
        let names = |given: &'static [&str]| {
            let lookup = move |name: &str| given.contains(&name).then(|| "x".to_owned());
            let all = Connection::of_terraform(&lookup).into_iter();
            all.map(|(name, _)| name).collect::<Vec<_>>()
        };
        let ours = [TERRAFORM_ID, TERRAFORM_SECRET];
        assert_eq!(names(&[CLIENT_ID, CLIENT_SECRET]), ours);
        assert_eq!(names(&[CLIENT_ID, CLIENT_SECRET, TOKEN]), [""; 0]);
        assert_eq!(names(&[TERRAFORM_ID, TERRAFORM_SECRET]), [""; 0]);
    }

    #[test]
    fn half_of_an_administrator_is_an_error_and_none_is_not() {
        let read = |names: &'static [&str]| {
            Connection::if_given(move |name| match name {
                DOMAIN => Some("mypurecloud.de".to_owned()),
                _ => names.contains(&name).then(|| "hush".to_owned()),
            })
        };
        assert!(read(&[]).expect("none").is_none());
        for whole in [&[CLIENT_ID, CLIENT_SECRET][..], &[TOKEN]] {
            assert!(read(whole).expect("all").is_some(), "{whole:?}");
        }
        read(&[CLIENT_ID]).expect_err("half");
        read(&[CLIENT_SECRET]).expect_err("half");
    }
}
