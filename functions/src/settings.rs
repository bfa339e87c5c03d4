//! Every setting of the Function App: its variable, unit, default and rule.
//!
//! A setting is an environment variable, because that is how the Functions host hands app settings to a custom handler. The
//! list below is the only one: [`Settings`], the start-up check, `handler check` and the comparison with
//! `local.settings.json` all come from it.

use std::time::Duration;

use bridge::conversation::admission::CustomerTenants;
use bridge::conversation::case::GroupPolicy;
use bridge::files::MediaTypes;
use bridge::genesys::speaker::NamePolicy;
use bridge::ids::{SupportAccountName, TenantId, UserId};
use bridge::notices::Language;
use bridge::state::thread::WindowPolicy;
use bridge::teams::to_text::ReplyContext;
use services::bot::BotAuthentication;
use services::entra::ClientAuthentication;
use services::files::{HostPattern, Origin};
use tracing::level_filters::LevelFilter;

use crate::clock::{self, Clock};

mod derived;
mod rules;
pub use rules::address_of;
#[cfg(test)]
mod tests;

use rules::{
    amount, authority, customer_tenants, end_words, guid, guids, hours, https,
    is_known_genesys_domain, list, notice, optional_guid, optional_https, parsed, queue, seconds,
    support_accounts, text, words,
};

/// A link's key lives 7 days at most, and is used for up to 22 hours before a new one is got.
const LONGEST_LINK_HOURS: u64 = 6 * 24;

/// What no id is: earlier templates put it where an id did not exist yet.
const PLACEHOLDER: &str = "00000000-0000-0000-0000-000000000000";

/// The settings that are known only after a step of set-up, and the command that supplies each. Until then they are empty.
const SUPPLIED: [(&str, &str); 3] = [
    ("GRAPH_CLIENT_ID", "handler setup graph"),
    ("GENESYS_INTEGRATION_ID", "handler setup genesys"),
    ("GENESYS_CLIENT_ID", "handler setup genesys"),
];

/// The variable in which the platform tells the app's host name.
pub const HOST_NAME: &str = "WEBSITE_HOSTNAME";

/// A dedicated Support User whose chats are bridged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportAccount {
    /// Short name used in thread ids, secrets and logs.
    pub name: SupportAccountName,
    /// Entra object id of the user.
    pub user: UserId,
    /// Where its tokens come from.
    pub kind: AccountKind,
}

/// With whose right subscriptions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionAccess {
    /// The Graph app's own (`Chat.Read.All`).
    Application,
    /// The Support User's (`Chat.Read`).
    Delegated,
    /// The Support User's where Graph allows it, else the app's.
    Auto,
}

/// Where the delegated tokens of a support account come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountKind {
    /// From a refresh token, which a person's sign-in gives.
    SignedIn,
    /// From its agent identity (Microsoft Entra Agent ID), whose client id this is: nobody signs in.
    AgentUser(String),
}

impl SupportAccount {
    /// Whether it is an agent user, which needs no sign-in and has no refresh token.
    #[must_use]
    pub const fn is_agent_user(&self) -> bool {
        matches!(self.kind, AccountKind::AgentUser(_))
    }
}

/// What customers are told on an occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeText {
    /// Nothing.
    Off,
    /// The text of the bridge's own table, in the customer's language as far as that is known.
    Standard,
    /// A text of the operator's, to everybody.
    Own(String),
}

/// Name, meaning and default of one setting.
#[derive(Debug, Clone, Copy)]
pub struct Specification {
    /// Environment variable, the same as the Function App's setting.
    pub name: &'static str,
    /// What to put there, in the words that a start-up error uses.
    pub expects: &'static str,
    /// Value used when the variable is absent; `None` makes the setting required, unless a command supplies it later.
    pub default: Option<&'static str>,
}

impl Specification {
    /// The command that supplies the value, where it is known only after a step of set-up.
    #[must_use]
    pub fn supplied_by(&self) -> Option<&'static str> {
        let mut supplied = SUPPLIED.iter();
        let found = supplied.find(|(name, _)| *name == self.name);
        found.map(|(_, command)| *command)
    }

    /// What to do where the setting is not set yet.
    #[must_use]
    pub fn remedy(&self) -> String {
        let expects = self.expects;
        match self.supplied_by() {
            Some(command) => format!("run {command}, which puts {expects} there"),
            None => format!("put {expects} there"),
        }
    }

    fn error(&self, problem: String) -> SettingError {
        SettingError {
            name: self.name,
            problem,
            expects: self.expects,
        }
    }
}

const fn default_of(named: &[&'static str]) -> Option<&'static str> {
    named.first().copied()
}

/// Makes [`Settings`], [`SPECIFICATIONS`] and the reading of them out of one list: field, type, variable, default if there is
/// one, rule, and what to put there.
macro_rules! settings {
    ($($field:ident: $type:ty = $name:literal $(or $default:literal)?, $parse:expr, $expects:literal;)*) => {
        /// The checked settings of one process.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $(#[doc = concat!("`", $name, "`: ", $expects, ".")] pub $field: $type,)*
            /// The settings whose ids are not known yet (empty, or all zeros): nothing that comes in could be carried on, so it
            /// must not be taken either. Any other text in the place of an id does not pass that setting's own check.
            pub unset: Vec<&'static Specification>,
            /// Scheme and host under which the app is reached, where the platform tells (`WEBSITE_HOSTNAME`).
            pub address: Option<String>,
            /// By which secrets and subscriptions are renewed: the system's clock, unless this is the local platform.
            pub clock: Clock,
        }

        /// All settings that the handler reads, besides those that the platform itself sets
        /// (`FUNCTIONS_CUSTOMHANDLER_PORT`, `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `SSL_CERT_FILE`, `WEBSITE_HOSTNAME`, and on the
        /// local platform `LOCAL_CLOCK`).
        pub const SPECIFICATIONS: &[Specification] = &[$(Specification {
            name: $name,
            expects: $expects,
            default: default_of(&[$($default)?]),
        }),*];

        impl<L: Fn(&str) -> Option<String>> Reader<L> {
            /// Every setting as it stands; `None` when one is missing or wrong.
            fn read_all(&mut self) -> Option<Settings> {
                $(let $field: Option<$type> = self.read($name, $parse);)*
                let address = self.value(HOST_NAME).and_then(|host| address_of(&host));
                let clock = self.clock(address.as_deref());
                Some(Settings { $($field: $field?,)* unset: std::mem::take(&mut self.unset), address, clock: clock? })
            }
        }
    };
}

settings! {
    identity_client_id: String = "AZURE_CLIENT_ID", guid,
        "the client id (GUID) of the app's user-assigned managed identity";
    tenant: TenantId = "TENANT_ID", parsed("not a GUID"),
        "the GUID of your Microsoft Entra tenant";
    graph_client_id: String = "GRAPH_CLIENT_ID", guid,
        "the application (client) id (GUID) of the Graph app registration";
    graph_client_authentication: ClientAuthentication = "GRAPH_CLIENT_AUTHENTICATION" or "federated",
        words([("federated", ClientAuthentication::Federated), ("secret", ClientAuthentication::Secret)]),
        "`federated` (managed identity as federated credential) or `secret` (Key Vault secret graph-client-secret)";
    support_accounts: Vec<SupportAccount> = "SUPPORT_ACCOUNTS", support_accounts,
        "`name=object id` of each Support User, separated by commas, e.g. support=5f0c…, and for an agent user `@` and the client id of its agent identity after that; names use a-z, 0-9 and -, at most 20 characters";
    agent_blueprint: Option<String> = "AGENT_BLUEPRINT_CLIENT_ID" or "", optional_guid,
        "the client id (GUID) of the agent identity blueprint of the agent users in SUPPORT_ACCOUNTS, or nothing without any";
    genesys_domain: String = "GENESYS_DOMAIN", text,
        "the domain of your Genesys Cloud region, e.g. mypurecloud.de";
    genesys_api_endpoint: String = "GENESYS_API_ENDPOINT" or "", optional_https,
        "an https URL, or nothing for https://api.{GENESYS_DOMAIN}";
    genesys_login_endpoint: String = "GENESYS_LOGIN_ENDPOINT" or "", optional_https,
        "an https URL, or nothing for https://login.{GENESYS_DOMAIN}";
    genesys_integration_id: String = "GENESYS_INTEGRATION_ID", guid,
        "the id (GUID) of the open messaging integration";
    genesys_clients: Vec<String> = "GENESYS_CLIENT_ID", guids,
        "the id (GUID) of the client-credentials OAuth client, or several, separated by commas, each with a limit of its own";
    genesys_calls_per_minute: u32 = "GENESYS_CALLS_PER_MINUTE" or "300", amount(30, 30_000, |calls| calls as u32),
        "calls a minute from 30 to 30000 that Genesys takes from each client of GENESYS_CLIENT_ID: 300, unless it raised that for you";
    genesys_spare_client_id: Option<String> = "GENESYS_SPARE_CLIENT_ID" or "", optional_guid,
        "the id (GUID) of a second OAuth client with the same role, or nothing: genesys-client-secret then renews itself";
    service_bus_namespace: String = "ServiceBus__fullyQualifiedNamespace", authority,
        "the Service Bus host name, e.g. my-namespace.servicebus.windows.net";
    blob_endpoint: String = "BLOB_ENDPOINT", https,
        "the https URL of the data storage account's Blob service, e.g. https://mydata.blob.core.windows.net";
    key_vault_url: String = "KEY_VAULT_URL", https,
        "the https URL of the Key Vault, e.g. https://my-vault.vault.azure.net";
    entra_endpoint: String = "ENTRA_ENDPOINT" or "https://login.microsoftonline.com", https,
        "the https URL of Microsoft Entra ID";
    graph_endpoint: String = "GRAPH_ENDPOINT" or "https://graph.microsoft.com", https,
        "the https URL of Microsoft Graph";
    inbound_queue: String = "INBOUND_QUEUE" or "inbound", queue,
        "the name of the queue of messages to Genesys";
    outbound_queue: String = "OUTBOUND_QUEUE" or "outbound", queue,
        "the name of the queue of messages to Teams";
    typing_queue: String = "TYPING_QUEUE" or "typing", queue,
        "the name of the queue of typing indicators";
    bot_app_id: Option<String> = "BOT_APP_ID" or "", optional_guid,
        "the application id (GUID) of the Teams bot, or nothing without one";
    bot_authentication: BotAuthentication = "BOT_AUTHENTICATION" or "managed-identity",
        words([
            ("managed-identity", BotAuthentication::ManagedIdentity),
            ("federated", BotAuthentication::Federated),
            ("secret", BotAuthentication::Secret),
        ]),
        "`managed-identity` (BOT_APP_ID is the client id of one of the app's identities), `federated` (BOT_APP_ID is an app registration that trusts AZURE_CLIENT_ID) or `secret` (Key Vault secret bot-client-secret)";
    bot_account: SupportAccountName = "BOT_ACCOUNT" or "bot", parsed("no name of a support account"),
        "a short name for the bot, other than those in SUPPORT_ACCOUNTS: a-z, 0-9 and -, at most 20 characters";
    bot_login_endpoint: String = "BOT_LOGIN_ENDPOINT" or "", optional_https,
        "an https URL, or nothing for the Bot Framework's own, e.g. https://login.botframework.com";
    bot_connector_origins: Vec<Origin> = "BOT_CONNECTOR_ORIGINS"
        or "https://smba.trafficmanager.net,https://smba.infra.gcc.teams.microsoft.com,https://smba.infra.gov.teams.microsoft.us",
        list("no https origin"),
        "https origins of the bot's connector, separated by commas: the bot's token goes nowhere else";
    bot_greeting: NoticeText = "BOT_GREETING" or "standard", notice,
        "the text that a customer reads when the bot is added, at most 1000 characters, `standard` for the bridge's own, or `off`";
    agent_name: NamePolicy = "AGENT_NAME" or "off",
        words([
            ("off", NamePolicy::Off), ("first", NamePolicy::First), ("full", NamePolicy::Full), ("alias", NamePolicy::Alias),
        ]),
        "`off`, `first`, `full` or `alias`: which name of the agent stands before a message when another one writes";
    virtual_agent_name: String = "VIRTUAL_AGENT_NAME" or "Virtual assistant", text,
        "the name that stands before what Genesys' bot writes, where AGENT_NAME is not off";
    typing_window: Duration = "TYPING_MINUTES" or "10", amount(0, 1440, |minutes| Duration::from_secs(minutes * 60)),
        "minutes from 1 to 1440 after an agent's message in which Genesys is told that the customer is typing, or 0 for never";
    end_words: Vec<String> = "END_WORDS" or "off", end_words,
        "words by which a customer ends the conversation, separated by commas, or `off`";
    ended_notice: NoticeText = "ENDED_NOTICE" or "standard", notice,
        "the text that a customer reads when the conversation has ended, at most 1000 characters, `standard` for the bridge's own in their language, or `off`";
    transfer_notice: NoticeText = "TRANSFER_NOTICE" or "off", notice,
        "the text that a customer reads when another agent takes the conversation over, at most 1000 characters, `standard` for the bridge's own in their language, or `off`";
    mark_read: bool = "MARK_READ" or "off", words([("off", false), ("on", true)]),
        "`off`, or `on` to mark a chat as read for the Support User when the agent answers";
    customer_tenants: CustomerTenants = "CUSTOMER_TENANTS" or "all", customer_tenants,
        "`all`, or the GUIDs of the Microsoft Entra tenants whose people may write, separated by commas";
    tenant_notice: NoticeText = "TENANT_NOTICE" or "standard", notice,
        "the text that people of other tenants than CUSTOMER_TENANTS read once a day, at most 1000 characters, `standard` for the bridge's own in their language, or `off`";
    customer_lookup: Duration = "CUSTOMER_LOOKUP_SECONDS" or "5", seconds(0, 30),
        "seconds from 0 to 30 that a message may wait for what Microsoft's directories tell of its sender; 0 asks nothing";
    subscription_access: SubscriptionAccess = "SUBSCRIPTION_ACCESS" or "application",
        words([
            ("application", SubscriptionAccess::Application),
            ("delegated", SubscriptionAccess::Delegated),
            ("auto", SubscriptionAccess::Auto),
        ]),
        "`application` (the Graph app's permission Chat.Read.All), `delegated` (the Support User's own Chat.Read) or `auto` (the latter where Graph allows it)";
    silence_check: Duration = "SILENCE_CHECK_MINUTES" or "2", amount(0, 60, |minutes| Duration::from_secs(minutes * 60)),
        "minutes from 1 to 60 between two looks at each Support User's list of chats for messages that Graph did not tell of; 0 leaves it at once a day and after a gap";
    group_chats: GroupPolicy = "GROUP_CHATS" or "mention",
        words([("off", GroupPolicy::Off), ("mention", GroupPolicy::Mention), ("all", GroupPolicy::All)]),
        "`off`, `mention` or `all`: which messages of group chats go to the agent";
    thread_window: Duration = "THREAD_WINDOW_HOURS" or "24", hours(1, 8760),
        "whole hours from 1 to 8760 that a thread stays the same after its last message";
    thread_window_policy: WindowPolicy = "THREAD_WINDOW_POLICY" or "same",
        words([("same", WindowPolicy::Same), ("new", WindowPolicy::New)]),
        "`same` (thread id never changes) or `new` (a message after the window starts a new thread)";
    genesys_text_limit: usize = "GENESYS_TEXT_LIMIT" or "4000", amount(200, 100_000, |limit| limit as usize),
        "characters from 200 to 100000 that one Genesys message may hold";
    attempt_deadline: Duration = "ATTEMPT_DEADLINE_SECONDS" or "240", seconds(5, 450),
        "seconds from 5 to 450 that attempts may begin in one invocation (the host's functionTimeout is 600)";
    retry_floor: Duration = "RETRY_FLOOR_SECONDS" or "30", seconds(0, 240),
        "seconds from 0 to 240: the least time before a failed invocation is handed back, because redelivery is immediate";
    unknown_thread: Duration = "UNKNOWN_THREAD_SECONDS" or "60", seconds(1, 600),
        "seconds from 1 to 600 to wait for a thread that an agent's message names but no state shows yet";
    graph_post_timeout: Duration = "GRAPH_POST_TIMEOUT_SECONDS" or "10", seconds(1, 30),
        "seconds from 1 to 30 to wait for the answer of a post to a chat";
    failure_notice: NoticeText = "FAILURE_NOTICE" or "standard", notice,
        "the text that a customer reads when a message of theirs could not be delivered, at most 1000 characters, `standard` for the bridge's own in their language, or `off`";
    delay_notice: NoticeText = "DELAY_NOTICE" or "standard", notice,
        "the text that a customer reads when a message of theirs waits for longer than DELAY_NOTICE_MINUTES, at most 1000 characters, `standard` for the bridge's own in their language, or `off`";
    delay_notice_after: Duration = "DELAY_NOTICE_MINUTES" or "10", amount(0, 1440, |minutes| Duration::from_secs(minutes * 60)),
        "minutes from 1 to 1440 that a customer's message may wait before its sender is told, or 0 for never";
    notice_language: Language = "NOTICE_LANGUAGE" or "en",
        |value| Language::of_tag(value).ok_or_else(|| "not a language that there are texts in".to_owned()),
        "the language of the bridge's own notices where Teams does not tell the customer's: en, de, es, fr, it, ja, nl, pl, pt or zh-hans";
    reply_context: ReplyContext = "REPLY_CONTEXT" or "quote",
        words([("quote", ReplyContext::Quote), ("strip", ReplyContext::Strip)]),
        "`quote` (the agent sees the beginning of what a reply answers) or `strip`";
    reactions: bool = "REACTIONS" or "off", words([("off", false), ("on", true)]),
        "`off`, or `on` to tell the agent of reactions";
    attachment_limit: u64 = "ATTACHMENT_LIMIT_MB" or "25", amount(1, 1024, |megabytes| megabytes * 1024 * 1024),
        "megabytes from 1 to 1024 that one file may have; Genesys Cloud takes 25";
    attachment_link_life: Duration = "ATTACHMENT_LINK_HOURS" or "144", hours(1, LONGEST_LINK_HOURS),
        "whole hours from 1 to 144 that a link to a file works";
    attachment_retention: Duration = "ATTACHMENT_RETENTION_DAYS" or "7",
        amount(1, 3650, |days| Duration::from_secs(days * 24 * 3600)),
        "days from 1 to 3650 after which the storage account's lifecycle rule deletes files; not shorter than their links";
    chat_retention: Duration = "CHAT_RETENTION_DAYS" or "180",
        amount(30, 3650, |days| Duration::from_secs(days * 24 * 3600)),
        "days from 30 to 3650 without a message after which the storage account's lifecycle rule deletes what is remembered of a chat; longer than THREAD_WINDOW_HOURS";
    file_timeout: Duration = "FILE_TIMEOUT_SECONDS" or "30", seconds(5, 120),
        "seconds from 5 to 120 for fetching one file, repetitions included";
    file_origins: Vec<Origin> = "FILE_ORIGINS" or "", list("no https origin"),
        "https origins that files may come from besides Graph's and Genesys' endpoints, separated by commas, or nothing for https://api-downloads.{GENESYS_DOMAIN}";
    file_hosts: Vec<HostPattern> = "FILE_HOSTS" or "*.sharepoint.com,*.sharepoint.us,*.sharepoint-mil.us,*.sharepoint.cn",
        list("no host pattern"),
        "host names, `*.` allowed in front, that files may come from as long as they lead to public addresses, separated by commas, or `none`";
    genesys_media_types: MediaTypes = "GENESYS_MEDIA_TYPES" or "*/*",
        |value| value.parse().map_err(|error| format!("unusable, because {error}")),
        "media types that the integration's supported content profile takes from customers, e.g. image/*,application/pdf, separated by commas";
    log_level: LevelFilter = "LOG_LEVEL" or "info", words([
            ("error", LevelFilter::ERROR), ("warn", LevelFilter::WARN), ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG), ("trace", LevelFilter::TRACE),
        ]),
        "`error`, `warn`, `info`, `debug` or `trace`";
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
    /// Whether every id is known, so that messages can be carried.
    #[must_use]
    pub const fn is_set_up(&self) -> bool {
        self.unset.is_empty()
    }

    /// Reads every setting through `lookup` (usually the process environment).
    ///
    /// # Errors
    /// All settings that are missing or wrong, in the order of [`SPECIFICATIONS`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader {
            lookup,
            errors: Vec::new(),
            unset: Vec::new(),
        };
        let settings = reader.read_all();
        reader.check_region();
        let mut settings = match settings {
            Some(settings) if reader.errors.is_empty() => settings,
            _ => {
                let place = |error: &SettingError| {
                    SPECIFICATIONS.iter().position(|it| it.name == error.name)
                };
                reader.errors.sort_by_key(place);
                return Err(reader.errors);
            }
        };
        settings.complete();
        let mut accounts = settings.support_accounts.iter();
        if settings.agent_blueprint.is_none() && accounts.any(SupportAccount::is_agent_user) {
            return Err(vec![SettingError {
                name: "AGENT_BLUEPRINT_CLIENT_ID",
                problem: "missing, although SUPPORT_ACCOUNTS names an agent user".to_owned(),
                expects: "the client id (GUID) of the blueprint that its agent identity belongs to",
            }]);
        }
        let bot = &settings.bot_account;
        if settings.bot_app_id.is_some() && settings.support_account(bot).is_some() {
            return Err(vec![SettingError {
                name: "BOT_ACCOUNT",
                problem: "one of the names in SUPPORT_ACCOUNTS".to_owned(),
                expects: "a name that no Support User has",
            }]);
        }
        let spare = settings.genesys_spare_client_id.as_ref();
        if spare.is_some_and(|spare| settings.genesys_clients.contains(spare)) {
            return Err(vec![SettingError {
                name: "GENESYS_SPARE_CLIENT_ID",
                problem: "one of GENESYS_CLIENT_ID, whose secret would be replaced under it"
                    .to_owned(),
                expects: "the id (GUID) of a client that nothing else uses, or nothing",
            }]);
        }
        if settings.attachment_retention < settings.attachment_link_life {
            return Err(vec![SettingError {
                name: "ATTACHMENT_RETENTION_DAYS",
                problem: "shorter than ATTACHMENT_LINK_HOURS, so that links would lead nowhere"
                    .to_owned(),
                expects: "the days after which the storage account deletes files, at least the life of their links",
            }]);
        }
        // A day for the pace at which a thread's use is noted, another for that of the lifecycle rule.
        if settings.chat_retention < settings.thread_window + Duration::from_secs(2 * 24 * 3600) {
            return Err(vec![SettingError {
                name: "CHAT_RETENTION_DAYS",
                problem: "not two days longer than THREAD_WINDOW_HOURS, so that a thread would be forgotten within its window"
                    .to_owned(),
                expects: "the days without a message after which the storage account deletes what is remembered of a chat",
            }]);
        }
        Ok(settings)
    }
}

/// The support accounts of a value of `SUPPORT_ACCOUNTS`, for commands that need no other setting.
///
/// # Errors
/// What is wrong with it.
pub fn read_support_accounts(value: &str) -> Result<Vec<SupportAccount>, SettingError> {
    support_accounts(value).map_err(|problem| SettingError {
        name: "SUPPORT_ACCOUNTS",
        problem,
        expects: "`name=object id` of each Support User, `name=object id@client id` of each agent user, separated by commas",
    })
}

struct Reader<L> {
    lookup: L,
    errors: Vec<SettingError>,
    unset: Vec<&'static Specification>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn value(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    fn read<T>(&mut self, name: &str, rule: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let setting = SPECIFICATIONS.iter().find(|it| it.name == name)?;
        let later = setting.supplied_by().map(|_| PLACEHOLDER);
        let default = || setting.default.or(later).map(str::to_owned);
        let value = self.value(name).or_else(default);
        if value.as_ref().is_some_and(|it| it.contains(PLACEHOLDER)) {
            self.unset.push(setting);
        }
        let read = value.map_or_else(|| Err("missing".to_owned()), |value| rule(&value));
        read.map_err(|problem| self.errors.push(setting.error(problem)))
            .ok()
    }

    fn clock(&mut self, address: Option<&str>) -> Option<Clock> {
        let Some(value) = self.value(clock::VARIABLE) else {
            return Some(Clock::default());
        };
        let error = |problem| SettingError {
            name: clock::VARIABLE,
            problem,
            expects: clock::EXPECTS,
        };
        let read = Clock::read(&value, address);
        read.map_err(|problem| self.errors.push(error(problem)))
            .ok()
    }

    /// The endpoints of a region that is not known must be given.
    fn check_region(&mut self) {
        let is_given = |name| self.value(name).is_some();
        let are_given = is_given("GENESYS_API_ENDPOINT") && is_given("GENESYS_LOGIN_ENDPOINT");
        let domain = self.value("GENESYS_DOMAIN");
        if are_given || domain.is_none_or(|domain| is_known_genesys_domain(&domain)) {
            return;
        }
        let setting = SPECIFICATIONS.iter().find(|it| it.name == "GENESYS_DOMAIN");
        let problem = "no known Genesys Cloud domain (set GENESYS_API_ENDPOINT and GENESYS_LOGIN_ENDPOINT for a new region)";
        self.errors
            .extend(setting.map(|it| it.error(problem.to_owned())));
    }
}
