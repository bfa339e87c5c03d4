//! Whose a host is: what Microsoft's clouds answer at themselves, so that a token of theirs may be sent there.

use crate::entra;
use crate::graph::own_app;
use crate::key_vault;

/// Names below which every storage account of a cloud has its Blob service ("Storage account overview"). The last one is that of
/// accounts with endpoints in DNS zones.
const BLOB: [&str; 4] = [
    "blob.core.windows.net",
    "blob.core.usgovcloudapi.net",
    "blob.core.chinacloudapi.cn",
    "blob.storage.azure.net",
];

/// Names below which every Service Bus namespace of a cloud is ("Azure Government developer guide", "Azure in China developer
/// guide").
const SERVICE_BUS: [&str; 3] = [
    "servicebus.windows.net",
    "servicebus.usgovcloudapi.net",
    "servicebus.chinacloudapi.cn",
];

/// A service of Microsoft's that takes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Microsoft Entra ID.
    Entra,
    /// Microsoft Graph.
    Graph,
    /// Azure Resource Manager.
    ResourceManager,
    /// A Key Vault.
    KeyVault,
    /// The Blob service of a storage account.
    Blob,
    /// A Service Bus namespace.
    ServiceBus,
}

impl Place {
    /// Whether this host, in lower case, is the service's own in one of the clouds.
    #[must_use]
    pub fn is_at(self, host: &str) -> bool {
        let is_below = |suffix: &&str| {
            let name = host.strip_suffix(*suffix);
            name.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
        };
        match self {
            Self::Entra => entra::is_login_host(host),
            Self::Graph => own_app::HOSTS.contains(&host),
            Self::ResourceManager => entra::is_resource_manager_host(host),
            Self::KeyVault => key_vault::SUFFIXES.iter().any(is_below),
            Self::Blob => BLOB.iter().any(is_below),
            Self::ServiceBus => SERVICE_BUS.iter().any(is_below),
        }
    }

    /// What it is, in the words of an error.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "Microsoft Entra ID",
            Self::Graph => "Microsoft Graph",
            Self::ResourceManager => "Azure Resource Manager",
            Self::KeyVault => "a Key Vault",
            Self::Blob => "the Blob service of a storage account",
            Self::ServiceBus => "a Service Bus namespace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_clouds_own_hosts_are_taken() {
        for (place, own, foreign) in [
            (
                Place::Entra,
                "login.microsoftonline.com login.microsoftonline.us login.partner.microsoftonline.cn login.chinacloudapi.cn",
                "login.microsoftonline.com.evil.example evil.login.microsoftonline.com graph.microsoft.com",
            ),
            (
                Place::Graph,
                "graph.microsoft.com graph.microsoft.us dod-graph.microsoft.us microsoftgraph.chinacloudapi.cn",
                "graph.microsoft.com.evil.example evilgraph.microsoft.com login.microsoftonline.com",
            ),
            (
                Place::ResourceManager,
                "management.azure.com management.usgovcloudapi.net management.chinacloudapi.cn",
                "management.azure.com. x.management.azure.com",
            ),
            (
                Place::KeyVault,
                "kv.vault.azure.net kv.vault.azure.cn kv.vault.usgovcloudapi.net",
                "vault.azure.net .vault.azure.net evilvault.azure.net kv.vault.azure.net.evil.example 127.0.0.1",
            ),
            (
                Place::Blob,
                "st.blob.core.windows.net st.z01.blob.storage.azure.net st.blob.core.chinacloudapi.cn",
                "blob.core.windows.net st.blob.core.windows.net.evil.example st.web.core.windows.net localhost",
            ),
            (
                Place::ServiceBus,
                "sb.servicebus.windows.net sb.servicebus.chinacloudapi.cn sb.servicebus.usgovcloudapi.net",
                "servicebus.windows.net sb.servicebus.windows.net.evil.example",
            ),
        ] {
            for host in own.split(' ') {
                assert!(place.is_at(host), "{place:?}: {host}");
            }
            for host in foreign.split(' ') {
                assert!(!place.is_at(host), "{place:?}: {host}");
            }
        }
    }
}
