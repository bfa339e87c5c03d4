//! Every setting of the Function App: its variable, unit, default and rule.
//!
//! A setting is an environment variable, because that is how the Functions host hands app settings to a custom handler.
//! [`SPECIFICATIONS`] is the one list: the start-up check, `handler check` and the test that compares it with
//! `local.settings.json` all read it.

use std::time::Duration;

use bridge::conversation::groups::GroupPolicy;
use bridge::files::MediaTypes;
use bridge::ids::{SupportAccountName, TenantId, UserId};
use bridge::state::window::WindowPolicy;
use bridge::teams::to_text::ReplyContext;
use services::files::{HostPattern, Origin};

mod rules;
mod specifications;
#[cfg(test)]
mod tests;

use rules::{
    authority, genesys_domain, guid, hosts, https, notice, number, optional_https, origins, parsed,
    queue, support_accounts,
};
pub use specifications::{SPECIFICATIONS, Specification};

/// A link's key lives 7 days at most, and is used for up to 22 hours before a new one is got.
const LONGEST_LINK_HOURS: u64 = 6 * 24;

/// How the Graph app proves itself to Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphClientAuthentication {
    /// A token of the managed identity as client assertion: nothing to rotate.
    Federated,
    /// The client secret in Key Vault.
    Secret,
}

/// A dedicated Support User whose chats are bridged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportAccount {
    /// Short name used in thread ids, secrets and logs.
    pub name: SupportAccountName,
    /// Entra object id of the user.
    pub user: UserId,
}

/// The checked settings of one process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AZURE_CLIENT_ID`: client id of the managed identity.
    pub identity_client_id: String,
    /// `TENANT_ID`: the tenant that owns the subscription and the Support Users.
    pub tenant: TenantId,
    /// `GRAPH_CLIENT_ID`: audience of validation tokens and client of delegated tokens.
    pub graph_client_id: String,
    /// `GRAPH_CLIENT_AUTHENTICATION`.
    pub graph_client_authentication: GraphClientAuthentication,
    /// `SUPPORT_ACCOUNTS`, at least one, names and users distinct.
    pub support_accounts: Vec<SupportAccount>,
    /// `GENESYS_API_ENDPOINT`, or `https://api.{domain}`.
    pub genesys_api_endpoint: String,
    /// `GENESYS_LOGIN_ENDPOINT`, or `https://login.{domain}`.
    pub genesys_login_endpoint: String,
    /// `GENESYS_INTEGRATION_ID`.
    pub genesys_integration_id: String,
    /// `GENESYS_CLIENT_ID`.
    pub genesys_client_id: String,
    /// `ServiceBus__fullyQualifiedNamespace`: authority of the namespace.
    pub service_bus_namespace: String,
    /// `BLOB_ENDPOINT`.
    pub blob_endpoint: String,
    /// `KEY_VAULT_URL`.
    pub key_vault_url: String,
    /// `ENTRA_ENDPOINT`.
    pub entra_endpoint: String,
    /// `GRAPH_ENDPOINT`.
    pub graph_endpoint: String,
    /// `INBOUND_QUEUE`.
    pub inbound_queue: String,
    /// `OUTBOUND_QUEUE`.
    pub outbound_queue: String,
    /// `TYPING_QUEUE`.
    pub typing_queue: String,
    /// `GROUP_CHATS`.
    pub group_chats: GroupPolicy,
    /// `THREAD_WINDOW_HOURS`.
    pub thread_window: Duration,
    /// `THREAD_WINDOW_POLICY`.
    pub thread_window_policy: WindowPolicy,
    /// `GENESYS_TEXT_LIMIT`, characters.
    pub genesys_text_limit: usize,
    /// `ATTEMPT_DEADLINE_SECONDS`.
    pub attempt_deadline: Duration,
    /// `RETRY_FLOOR_SECONDS`.
    pub retry_floor: Duration,
    /// `FAILING_MESSAGE_SECONDS`.
    pub failing_message: Duration,
    /// `UNKNOWN_THREAD_SECONDS`.
    pub unknown_thread: Duration,
    /// `GRAPH_POST_TIMEOUT_SECONDS`.
    pub graph_post_timeout: Duration,
    /// `FAILURE_NOTICE`; `None` when it is `off`.
    pub failure_notice: Option<String>,
    /// `REPLY_CONTEXT`: whether the agent sees what a reply quotes.
    pub reply_context: ReplyContext,
    /// `REACTIONS`: whether the agent is told of reactions.
    pub reactions: bool,
    /// `ATTACHMENT_LIMIT_MB`, in bytes.
    pub attachment_limit: u64,
    /// `ATTACHMENT_LINK_HOURS`: how long a link to a stored file works.
    pub attachment_link_life: Duration,
    /// `FILE_TIMEOUT_SECONDS`: longest time to fetch and store one file, repetitions included.
    pub file_timeout: Duration,
    /// `FILE_ORIGINS`, and the endpoints of Graph and Genesys.
    pub file_origins: Vec<Origin>,
    /// `FILE_HOSTS`.
    pub file_hosts: Vec<HostPattern>,
    /// `GENESYS_MEDIA_TYPES`: what Genesys' content profile takes from customers.
    pub genesys_media_types: MediaTypes,
    /// `LOG_LEVEL`.
    pub log_level: String,
}

/// One setting that is missing or wrong; its text is the line an operator reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting {name} is {problem}: put {expects} there")]
pub struct SettingError {
    /// The variable's name.
    pub name: &'static str,
    /// `missing`, or what is wrong with the value; never the value itself.
    pub problem: String,
    /// What belongs there.
    pub expects: &'static str,
}

impl Settings {
    /// Reads every setting through `lookup` (usually the process environment).
    ///
    /// # Errors
    /// All settings that are missing or wrong, in the order of [`SPECIFICATIONS`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader {
            lookup,
            errors: Vec::new(),
        };
        let api_override = reader.read("GENESYS_API_ENDPOINT", optional_https);
        let login_override = reader.read("GENESYS_LOGIN_ENDPOINT", optional_https);
        let overridden = matches!(
            (&api_override, &login_override),
            (Some(Some(_)), Some(Some(_)))
        );
        let domain = reader.read("GENESYS_DOMAIN", |value| genesys_domain(value, overridden));
        let domain = domain.unwrap_or_default();
        let mut settings = Self {
            identity_client_id: reader.read("AZURE_CLIENT_ID", guid).unwrap_or_default(),
            tenant: reader
                .read("TENANT_ID", |value| parsed(value, "not a GUID"))
                .unwrap_or_else(TenantId::nil),
            graph_client_id: reader.read("GRAPH_CLIENT_ID", guid).unwrap_or_default(),
            graph_client_authentication: reader
                .read("GRAPH_CLIENT_AUTHENTICATION", |value| match value {
                    "federated" => Ok(GraphClientAuthentication::Federated),
                    "secret" => Ok(GraphClientAuthentication::Secret),
                    _ => Err("not one of the two words".to_owned()),
                })
                .unwrap_or(GraphClientAuthentication::Federated),
            support_accounts: reader
                .read("SUPPORT_ACCOUNTS", support_accounts)
                .unwrap_or_default(),
            genesys_api_endpoint: api_override
                .flatten()
                .unwrap_or_else(|| format!("https://api.{domain}")),
            genesys_login_endpoint: login_override
                .flatten()
                .unwrap_or_else(|| format!("https://login.{domain}")),
            genesys_integration_id: reader
                .read("GENESYS_INTEGRATION_ID", guid)
                .unwrap_or_default(),
            genesys_client_id: reader.read("GENESYS_CLIENT_ID", guid).unwrap_or_default(),
            service_bus_namespace: reader
                .read("ServiceBus__fullyQualifiedNamespace", authority)
                .unwrap_or_default(),
            blob_endpoint: reader.read("BLOB_ENDPOINT", https).unwrap_or_default(),
            key_vault_url: reader.read("KEY_VAULT_URL", https).unwrap_or_default(),
            entra_endpoint: reader.read("ENTRA_ENDPOINT", https).unwrap_or_default(),
            graph_endpoint: reader.read("GRAPH_ENDPOINT", https).unwrap_or_default(),
            inbound_queue: reader.read("INBOUND_QUEUE", queue).unwrap_or_default(),
            outbound_queue: reader.read("OUTBOUND_QUEUE", queue).unwrap_or_default(),
            typing_queue: reader.read("TYPING_QUEUE", queue).unwrap_or_default(),
            group_chats: reader
                .read("GROUP_CHATS", |value| match value {
                    "off" => Ok(GroupPolicy::Off),
                    "mention" => Ok(GroupPolicy::Mention),
                    "all" => Ok(GroupPolicy::All),
                    _ => Err("not one of the three words".to_owned()),
                })
                .unwrap_or(GroupPolicy::Mention),
            thread_window: reader
                .read("THREAD_WINDOW_HOURS", |value| number(value, 1, 8760))
                .map(|hours| Duration::from_secs(hours * 3600))
                .unwrap_or_default(),
            thread_window_policy: reader
                .read("THREAD_WINDOW_POLICY", |value| match value {
                    "same" => Ok(WindowPolicy::Same),
                    "new" => Ok(WindowPolicy::New),
                    _ => Err("not one of the two words".to_owned()),
                })
                .unwrap_or(WindowPolicy::Same),
            genesys_text_limit: reader
                .read("GENESYS_TEXT_LIMIT", |value| number(value, 200, 100_000))
                .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
                .unwrap_or_default(),
            attempt_deadline: reader.seconds("ATTEMPT_DEADLINE_SECONDS", 5, 450),
            retry_floor: reader.seconds("RETRY_FLOOR_SECONDS", 0, 240),
            failing_message: reader.seconds("FAILING_MESSAGE_SECONDS", 1, 3600),
            unknown_thread: reader.seconds("UNKNOWN_THREAD_SECONDS", 1, 600),
            graph_post_timeout: reader.seconds("GRAPH_POST_TIMEOUT_SECONDS", 1, 30),
            failure_notice: reader.read("FAILURE_NOTICE", notice).flatten(),
            reply_context: reader
                .read("REPLY_CONTEXT", |value| match value {
                    "quote" => Ok(ReplyContext::Quote),
                    "strip" => Ok(ReplyContext::Strip),
                    _ => Err("not one of the two words".to_owned()),
                })
                .unwrap_or_default(),
            reactions: reader
                .read("REACTIONS", |value| match value {
                    "off" => Ok(false),
                    "on" => Ok(true),
                    _ => Err("not one of the two words".to_owned()),
                })
                .unwrap_or_default(),
            attachment_limit: reader
                .read("ATTACHMENT_LIMIT_MB", |value| number(value, 1, 1024))
                .unwrap_or_default()
                * 1024
                * 1024,
            attachment_link_life: reader
                .read("ATTACHMENT_LINK_HOURS", |value| {
                    number(value, 1, LONGEST_LINK_HOURS)
                })
                .map(|hours| Duration::from_secs(hours * 3600))
                .unwrap_or_default(),
            file_timeout: reader.seconds("FILE_TIMEOUT_SECONDS", 5, 120),
            file_origins: reader.read("FILE_ORIGINS", origins).unwrap_or_default(),
            file_hosts: reader.read("FILE_HOSTS", hosts).unwrap_or_default(),
            genesys_media_types: reader
                .read("GENESYS_MEDIA_TYPES", |value| {
                    value
                        .parse::<MediaTypes>()
                        .map_err(|error| format!("unusable, because {error}"))
                })
                .unwrap_or_default(),
            log_level: reader
                .read("LOG_LEVEL", |value| match value {
                    "error" | "warn" | "info" | "debug" | "trace" => Ok(value.to_owned()),
                    _ => Err("not a log level".to_owned()),
                })
                .unwrap_or_default(),
        };
        let retention = reader
            .read("ATTACHMENT_RETENTION_DAYS", |value| number(value, 1, 3650))
            .map(|days| Duration::from_secs(days * 24 * 3600));
        if reader.errors.is_empty()
            && retention.is_some_and(|retention| retention < settings.attachment_link_life)
        {
            reader.errors.push(SettingError {
                name: "ATTACHMENT_RETENTION_DAYS",
                problem: "shorter than ATTACHMENT_LINK_HOURS, so that links would lead nowhere"
                    .to_owned(),
                expects: "the days after which the storage account deletes files, at least the life of their links",
            });
        }
        settings.complete_origins(&domain);
        let verdict = settings.failing_message + settings.graph_post_timeout * 2;
        if reader.errors.is_empty() && verdict >= settings.attempt_deadline {
            // A message is given up inside one invocation or never.
            reader.errors.push(SettingError {
                name: "FAILING_MESSAGE_SECONDS",
                problem: "too long beside ATTEMPT_DEADLINE_SECONDS and GRAPH_POST_TIMEOUT_SECONDS"
                    .to_owned(),
                expects: "a time that, with twice the post's time-out, is below the attempt deadline",
            });
        }
        if reader.errors.is_empty() {
            Ok(settings)
        } else {
            let mut errors = reader.errors;
            errors.sort_by_key(|error| {
                SPECIFICATIONS
                    .iter()
                    .position(|specification| specification.name == error.name)
            });
            Err(errors)
        }
    }

    /// Adds the origins that follow from other settings: the endpoints, and in their absence Genesys' host for downloads.
    fn complete_origins(&mut self, domain: &str) {
        let mut further = vec![
            self.graph_endpoint.clone(),
            self.genesys_api_endpoint.clone(),
        ];
        if self.file_origins.is_empty() {
            further.push(format!("https://api-downloads.{domain}"));
        }
        let further = further
            .iter()
            .filter_map(|address| Origin::of(&address.parse().ok()?));
        self.file_origins.extend(further);
    }

    /// The Support User with this name, if one is configured.
    #[must_use]
    pub fn support_account(&self, name: &SupportAccountName) -> Option<&SupportAccount> {
        self.support_accounts
            .iter()
            .find(|account| account.name == *name)
    }

    /// Whether the user is one of our Support Users.
    #[must_use]
    pub fn is_support_user(&self, user: &UserId) -> bool {
        self.support_accounts
            .iter()
            .any(|account| account.user == *user)
    }
}

struct Reader<L> {
    lookup: L,
    errors: Vec<SettingError>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let specification = SPECIFICATIONS
            .iter()
            .find(|specification| specification.name == name)?;
        let value = (self.lookup)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .or_else(|| specification.default.map(str::to_owned));
        let problem = match value {
            None => "missing".to_owned(),
            Some(value) => match parse(&value) {
                Ok(parsed) => return Some(parsed),
                Err(problem) => problem,
            },
        };
        self.errors.push(SettingError {
            name: specification.name,
            problem,
            expects: specification.expects,
        });
        None
    }

    fn seconds(&mut self, name: &str, least: u64, most: u64) -> Duration {
        self.read(name, |value| number(value, least, most))
            .map(Duration::from_secs)
            .unwrap_or_default()
    }
}
