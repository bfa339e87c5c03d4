//! The one list of settings: the start-up check, `handler check` and the comparison with `local.settings.json` read it.

/// Name, meaning and default of one setting.
#[derive(Debug, Clone, Copy)]
pub struct Specification {
    /// Environment variable, the same as the Function App's setting.
    pub name: &'static str,
    /// What to put there, in the words that a start-up error uses.
    pub expects: &'static str,
    /// Value used when the variable is absent; `None` makes the setting required.
    pub default: Option<&'static str>,
}

const fn required(name: &'static str, expects: &'static str) -> Specification {
    Specification {
        name,
        expects,
        default: None,
    }
}

const fn optional(
    name: &'static str,
    default: &'static str,
    expects: &'static str,
) -> Specification {
    Specification {
        name,
        expects,
        default: Some(default),
    }
}

/// All settings that the handler reads, besides those that the platform itself sets
/// (`FUNCTIONS_CUSTOMHANDLER_PORT`, `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `SSL_CERT_FILE`).
pub const SPECIFICATIONS: &[Specification] = &[
    required(
        "AZURE_CLIENT_ID",
        "the client id (GUID) of the app's user-assigned managed identity",
    ),
    required("TENANT_ID", "the GUID of your Microsoft Entra tenant"),
    required(
        "GRAPH_CLIENT_ID",
        "the application (client) id (GUID) of the Graph app registration",
    ),
    optional(
        "GRAPH_CLIENT_AUTHENTICATION",
        "federated",
        "`federated` (managed identity as federated credential) or `secret` (Key Vault secret graph-client-secret)",
    ),
    required(
        "SUPPORT_ACCOUNTS",
        "`name=object id` of each Support User, separated by commas, e.g. support=5f0c…; names use a-z, 0-9 and -, at most 20 characters",
    ),
    required(
        "GENESYS_DOMAIN",
        "the domain of your Genesys Cloud region, e.g. mypurecloud.de",
    ),
    optional(
        "GENESYS_API_ENDPOINT",
        "",
        "an https URL, or nothing for https://api.{GENESYS_DOMAIN}",
    ),
    optional(
        "GENESYS_LOGIN_ENDPOINT",
        "",
        "an https URL, or nothing for https://login.{GENESYS_DOMAIN}",
    ),
    required(
        "GENESYS_INTEGRATION_ID",
        "the id (GUID) of the open messaging integration",
    ),
    required(
        "GENESYS_CLIENT_ID",
        "the id (GUID) of the client-credentials OAuth client",
    ),
    required(
        "ServiceBus__fullyQualifiedNamespace",
        "the Service Bus host name, e.g. my-namespace.servicebus.windows.net",
    ),
    required(
        "BLOB_ENDPOINT",
        "the https URL of the data storage account's Blob service, e.g. https://mydata.blob.core.windows.net",
    ),
    required(
        "KEY_VAULT_URL",
        "the https URL of the Key Vault, e.g. https://my-vault.vault.azure.net",
    ),
    optional(
        "ENTRA_ENDPOINT",
        "https://login.microsoftonline.com",
        "the https URL of Microsoft Entra ID",
    ),
    optional(
        "GRAPH_ENDPOINT",
        "https://graph.microsoft.com",
        "the https URL of Microsoft Graph",
    ),
    optional(
        "INBOUND_QUEUE",
        "inbound",
        "the name of the queue of messages to Genesys",
    ),
    optional(
        "OUTBOUND_QUEUE",
        "outbound",
        "the name of the queue of messages to Teams",
    ),
    optional(
        "TYPING_QUEUE",
        "typing",
        "the name of the queue of typing indicators",
    ),
    optional(
        "GROUP_CHATS",
        "mention",
        "`off`, `mention` or `all`: which messages of group chats go to the agent",
    ),
    optional(
        "THREAD_WINDOW_HOURS",
        "24",
        "whole hours from 1 to 8760 that a thread stays the same after its last message",
    ),
    optional(
        "THREAD_WINDOW_POLICY",
        "same",
        "`same` (thread id never changes) or `new` (a message after the window starts a new thread)",
    ),
    optional(
        "GENESYS_TEXT_LIMIT",
        "4000",
        "characters from 200 to 100000 that one Genesys message may hold",
    ),
    optional(
        "ATTEMPT_DEADLINE_SECONDS",
        "240",
        "seconds from 5 to 450 that attempts may begin in one invocation (the host's functionTimeout is 600)",
    ),
    optional(
        "RETRY_FLOOR_SECONDS",
        "30",
        "seconds from 0 to 240: the least time before a failed invocation is handed back, because redelivery is immediate",
    ),
    optional(
        "FAILING_MESSAGE_SECONDS",
        "120",
        "seconds from 1 to 3600 that one failing message may hold its lane while others succeed",
    ),
    optional(
        "UNKNOWN_THREAD_SECONDS",
        "60",
        "seconds from 1 to 600 to wait for a thread that an agent's message names but no state shows yet",
    ),
    optional(
        "GRAPH_POST_TIMEOUT_SECONDS",
        "10",
        "seconds from 1 to 30 to wait for the answer of a post to a chat",
    ),
    optional(
        "FAILURE_NOTICE",
        "Your last message could not be delivered to our support team. Please try again later.",
        "the text that a customer reads when a message of theirs could not be delivered, at most 1000 characters, or `off`",
    ),
    optional(
        "REPLY_CONTEXT",
        "quote",
        "`quote` (the agent sees the beginning of what a reply answers) or `strip`",
    ),
    optional(
        "REACTIONS",
        "off",
        "`off`, or `on` to tell the agent of reactions",
    ),
    optional(
        "ATTACHMENT_LIMIT_MB",
        "25",
        "megabytes from 1 to 1024 that one file may have; Genesys Cloud takes 25",
    ),
    optional(
        "ATTACHMENT_LINK_HOURS",
        "144",
        "whole hours from 1 to 144 that a link to a file works",
    ),
    optional(
        "ATTACHMENT_RETENTION_DAYS",
        "7",
        "days from 1 to 3650 after which the storage account's lifecycle rule deletes files; not shorter than their links",
    ),
    optional(
        "FILE_TIMEOUT_SECONDS",
        "30",
        "seconds from 5 to 120 for fetching one file, repetitions included",
    ),
    optional(
        "FILE_ORIGINS",
        "",
        "https origins that files may come from besides Graph's and Genesys' endpoints, separated by commas, or nothing for https://api-downloads.{GENESYS_DOMAIN}",
    ),
    optional(
        "FILE_HOSTS",
        "*.sharepoint.com,*.sharepoint.us,*.sharepoint-mil.us,*.sharepoint.cn",
        "host names, `*.` allowed in front, that files may come from as long as they lead to public addresses, separated by commas, or `none`",
    ),
    optional(
        "GENESYS_MEDIA_TYPES",
        "*/*",
        "media types that the integration's supported content profile takes from customers, e.g. image/*,application/pdf, separated by commas",
    ),
    optional(
        "LOG_LEVEL",
        "info",
        "`error`, `warn`, `info`, `debug` or `trace`",
    ),
];

/// Domains of Genesys Cloud regions (Python SDK `purecloud_region_hosts.py`). Another domain needs both endpoint settings.
pub(super) const GENESYS_DOMAINS: &[&str] = &[
    "mypurecloud.com",
    "usw2.pure.cloud",
    "cac1.pure.cloud",
    "sae1.pure.cloud",
    "mxc1.pure.cloud",
    "mypurecloud.ie",
    "euw2.pure.cloud",
    "mypurecloud.de",
    "euc2.pure.cloud",
    "edee1.eusc-pure.cloud",
    "mec1.pure.cloud",
    "aps1.pure.cloud",
    "apne2.pure.cloud",
    "apne3.pure.cloud",
    "mypurecloud.jp",
    "mypurecloud.com.au",
    "apse1.pure.cloud",
    "use2.us-gov-pure.cloud",
];
