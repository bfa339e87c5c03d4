//! The keys of `graph-to-open.toml` that the program or Terraform reads, or the program writes. Whatever else stands there is a
//! parameter of the templates (its name in snake case) and is kept as it is.

use functions::settings::read_support_accounts;
use serde_json::Value;
use uuid::Uuid;

/// A key, and what belongs there.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    kind: Kind,
    /// What to put there, in the words of an error.
    pub expects: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Guid,
    Guids,
    Texts,
    Accounts,
    Number,
    Flag,
    Word(&'static [&'static str]),
}

impl Key {
    /// Whether the value may stand there; an empty text may everywhere, for what is not known yet.
    pub fn takes(&self, value: &Value) -> bool {
        let texts = |rule: fn(&str) -> bool| match value {
            Value::Array(all) => all
                .iter()
                .all(|it| it.as_str().is_some_and(|it| rule(it.trim()))),
            _ => false,
        };
        match (self.kind, value.as_str().map(str::trim)) {
            (Kind::Guids, _) => texts(is_guid),
            (Kind::Texts, _) => texts(|text| !text.is_empty()),
            (Kind::Accounts, _) => texts(|text| read_support_accounts(text).is_ok()),
            (Kind::Number, _) => value.as_u64().is_some(),
            (Kind::Flag, _) => value.is_boolean(),
            (_, None) => false,
            (_, Some("")) | (Kind::Text, _) => true,
            (Kind::Guid, Some(text)) => is_guid(text),
            (Kind::Word(words), Some(text)) => words.contains(&text),
        }
    }
}

/// All zeros stand for an id that nobody knows, which is left empty here.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::parse_str(text).is_ok_and(|id| !id.is_nil())
}

/// The key of this name, if it is known.
pub fn of(name: &str) -> Option<&'static Key> {
    ALL.iter().find(|key| key.name == name)
}

/// The page of the templates' parameters, which is written from the templates.
const PARAMETERS: &str = include_str!("../../../infra/PARAMETERS.md");

/// Least likeness of two keys of which one may be meant for the other, from 0 to 1: what clap takes for commands.
const LIKENESS: f64 = 0.8;

/// Whether the program, Terraform or the templates read a key of this name.
#[must_use]
pub fn is_read(name: &str) -> bool {
    all_names().any(|known| known == name)
}

/// The key that is most like this name, if any is.
#[must_use]
pub fn meant(name: &str) -> Option<&'static str> {
    let likeness = all_names().map(|known| (strsim::jaro(name, known), known));
    let likely = likeness.filter(|(likeness, _)| *likeness > LIKENESS);
    likely
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

fn all_names() -> impl Iterator<Item = &'static str> {
    let of_templates = PARAMETERS.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(name)
    });
    ALL.iter().map(|key| key.name).chain(of_templates)
}

macro_rules! keys {
    ($($constant:tt = $name:literal, $kind:expr, $expects:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $expects, ".")] pub const $constant: &str = $name;)*

        /// All of them, in the order in which they are written.
        pub const ALL: &[Key] = &[$(Key { name: $name, kind: $kind, expects: $expects }),*];
    };
}

keys! {
    ENVIRONMENT = "environment", Kind::Text, "a short name of this installation, e.g. prod";
    _ = "location", Kind::Text, "the Azure region, e.g. westeurope";
    TENANT_ID = "tenant_id", Kind::Guid, "the GUID of your Microsoft Entra tenant";
    SUBSCRIPTION_ID = "subscription_id", Kind::Guid, "the GUID of the Azure subscription";
    RESOURCE_GROUP = "resource_group", Kind::Text, "the name of the resource group, where it is not rg-{environment}";
    SUPPORT_ACCOUNTS = "support_accounts", Kind::Accounts,
        "in brackets \"name=object id\" of each Support User, \"name=object id@client id\" of each agent user,";
    _ = "operators_group_id", Kind::Guid, "the object id (GUID) of the operators' group";
    _ = "alert_email", Kind::Text, "the address that alerts go to";
    GENESYS_DOMAIN = "genesys_domain", Kind::Text, "the domain of your Genesys Cloud region, e.g. mypurecloud.de";
    THREAD_WINDOW_HOURS = "thread_window_hours", Kind::Number,
        "the hours for which a customer's messages stay in one thread";
    TERRAFORM_STATE_RESOURCE_GROUP = "terraform_state_resource_group", Kind::Text, "the resource group of Terraform's state";
    TERRAFORM_STATE_ACCOUNT = "terraform_state_account", Kind::Text, "the storage account of Terraform's state";
    TERRAFORM_STATE_CONTAINER = "terraform_state_container", Kind::Text, "the container of Terraform's state";
    SUBSCRIPTION_ACCESS = "subscription_access", Kind::Word(&["application", "delegated", "auto"]),
        "\"application\", \"delegated\" or \"auto\"";
    GRAPH_CLIENT_AUTHENTICATION = "graph_client_authentication", Kind::Word(&["federated", "secret"]),
        "\"federated\" or \"secret\"";
    _ = "package_url", Kind::Text, "the https URL of a release's graph-to-open-linux-x64.zip";
    RECOVER_KEY_VAULT = "recover_key_vault", Kind::Flag, "true for the one deployment after a removal, else false";
    _ = "alert_webhook", Kind::Flag, "true where alerts go to ALERT_WEBHOOK_URL of the environment too, else false";
    _ = "genesys_name", Kind::Text, "the name that everything at Genesys Cloud carries";
    _ = "genesys_division_name", Kind::Text, "the name of the division at Genesys Cloud";
    CONVERSATION_ENDED = "conversation_ended", Kind::Flag, "true where Genesys Cloud shall tell of a conversation's end, else false";
    _ = "let_customers_end", Kind::Flag, "true where customers may end a conversation, else false";
    GRAPH_OWNER_IDS = "graph_owner_ids", Kind::Guids, "in brackets the object ids (GUID) of people who own the app registration";
    ENTRA_ENDPOINT = "entra_endpoint", Kind::Text, "the https URL of Microsoft Entra ID, where it is not the public cloud's";
    GRAPH_ENDPOINT = "graph_endpoint", Kind::Text, "the https URL of Microsoft Graph, where it is not the cloud's own";
    FUNCTION_APP_NAME = "function_app_name", Kind::Text, "the name of the Function App";
    FUNCTION_APP_HOST_NAME = "function_app_host_name", Kind::Text, "the host name of the Function App";
    KEY_VAULT_URL = "key_vault_url", Kind::Text, "the https URL of the Key Vault";
    BLOB_ENDPOINT = "blob_endpoint", Kind::Text, "the https URL of the data storage account's Blob service";
    SERVICE_BUS_NAMESPACE = "service_bus_namespace", Kind::Text, "the host name of the Service Bus namespace";
    MANAGED_IDENTITY_CLIENT_ID = "managed_identity_client_id", Kind::Guid, "the client id (GUID) of the managed identity";
    MANAGED_IDENTITY_PRINCIPAL_ID = "managed_identity_principal_id", Kind::Guid,
        "the object id (GUID) of the managed identity's service principal";
    GENESYS_WEBHOOK_URL = "genesys_webhook_url", Kind::Text, "the https URL to which Genesys Cloud sends agents' messages";
    GRAPH_CLIENT_ID = "graph_client_id", Kind::Guid, "the application id (GUID) of the Graph app registration";
    GENESYS_INTEGRATION_ID = "genesys_integration_id", Kind::Guid, "the id (GUID) of the open messaging integration";
    GENESYS_CLIENT_IDS = "genesys_client_ids", Kind::Guids, "in brackets the ids (GUID) of the OAuth clients";
    GENESYS_SPARE_CLIENT_ID = "genesys_spare_client_id", Kind::Guid, "the id (GUID) of the spare OAuth client";
    GENESYS_MEDIA_TYPES = "genesys_media_types", Kind::Texts, "in brackets the media types that Genesys Cloud takes from customers";
    GENESYS_FLOW_ID = "genesys_flow_id", Kind::Guid, "the id (GUID) of the inbound message flow";
    GENESYS_QUEUE_ID = "genesys_queue_id", Kind::Guid, "the id (GUID) of the queue of agents";
}

/// What the deployment to Azure tells.
pub const OF_AZURE: [&str; 8] = [
    FUNCTION_APP_NAME,
    FUNCTION_APP_HOST_NAME,
    KEY_VAULT_URL,
    BLOB_ENDPOINT,
    SERVICE_BUS_NAMESPACE,
    MANAGED_IDENTITY_CLIENT_ID,
    MANAGED_IDENTITY_PRINCIPAL_ID,
    GENESYS_WEBHOOK_URL,
];

/// Where the deployment to Azure has made a place for Terraform's state of Genesys Cloud.
pub const OF_TERRAFORM: [&str; 3] = [
    TERRAFORM_STATE_RESOURCE_GROUP,
    TERRAFORM_STATE_ACCOUNT,
    TERRAFORM_STATE_CONTAINER,
];

/// The settings of the app that are known only after a step of set-up, and their keys.
pub const APP_SETTINGS: [(&str, &str); 5] = [
    ("GRAPH_CLIENT_ID", GRAPH_CLIENT_ID),
    ("GENESYS_INTEGRATION_ID", GENESYS_INTEGRATION_ID),
    ("GENESYS_CLIENT_ID", GENESYS_CLIENT_IDS),
    ("GENESYS_SPARE_CLIENT_ID", GENESYS_SPARE_CLIENT_ID),
    ("GENESYS_MEDIA_TYPES", GENESYS_MEDIA_TYPES),
];

/// All settings that an operator's commands read and the file knows, and their keys.
pub const SETTINGS: [(&str, &str); 12] = [
    ("TENANT_ID", TENANT_ID),
    ("SUPPORT_ACCOUNTS", SUPPORT_ACCOUNTS),
    ("GENESYS_DOMAIN", GENESYS_DOMAIN),
    ("BLOB_ENDPOINT", BLOB_ENDPOINT),
    ("KEY_VAULT_URL", KEY_VAULT_URL),
    ("ServiceBus__fullyQualifiedNamespace", SERVICE_BUS_NAMESPACE),
    ("WEBSITE_HOSTNAME", FUNCTION_APP_HOST_NAME),
    APP_SETTINGS[0],
    APP_SETTINGS[1],
    APP_SETTINGS[2],
    APP_SETTINGS[3],
    APP_SETTINGS[4],
];

/// The setting of this name, and its key.
#[must_use]
pub fn key_of(setting: &str) -> Option<(&'static str, &'static str)> {
    SETTINGS.into_iter().find(|(name, _)| *name == setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_nothing_reads_is_told_with_the_one_that_is_meant() {
        for (name, expected) in [
            ("agent_nam", Some("agent_name")),
            ("suport_accounts", Some("support_accounts")),
            ("alert_emails", Some("alert_email")),
            ("zzz", None),
        ] {
            assert!(!is_read(name), "{name}");
            assert_eq!(meant(name), expected, "{name}");
        }
        for name in ["environment", "agent_name", "network_profile"] {
            assert!(is_read(name), "{name}");
        }
        // What parameter files and Terraform ask the file for.
        let files = [
            include_str!("../../../infra/main.bicepparam"),
            include_str!("../../../infra/shared.bicepparam"),
            include_str!("../../../infra/genesys/installation.tf"),
        ];
        let asked = files.iter().flat_map(|text| {
            let of_bicep = text.split("known.?").skip(1);
            of_bicep.chain(text.split("local.installation, \"").skip(1))
        });
        let mut count = 0;
        for rest in asked {
            let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            assert!(is_read(name), "{name}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn every_setting_and_output_has_its_key() {
        let settings = functions::settings::SPECIFICATIONS;
        for (setting, key) in APP_SETTINGS {
            assert!(settings.iter().any(|it| it.name == setting), "{setting}");
            assert!(of(key).is_some(), "{key}");
        }
        for key in OF_AZURE {
            assert!(of(key).is_some(), "{key}");
        }
    }
}
