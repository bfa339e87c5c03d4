//! What differs between the clouds that Entra ID serves ("Microsoft Entra authentication and national clouds").

/// Names that belong to one cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cloud {
    /// Host that v1.0 tokens name as their issuer.
    pub(super) v1_issuer: &'static str,
    /// Host that v2.0 tokens name as their issuer.
    pub(super) issuer: &'static str,
    /// Audience of an assertion for a federated credential ("Configure an application to trust a managed identity").
    pub(super) exchange_scope: &'static str,
    /// Azure Resource Manager ("Azure Government developer guide", "Azure in China developer guide").
    pub(super) resource_manager: &'static str,
    /// Microsoft Graph ("National cloud deployments").
    pub(super) graph: &'static str,
}

const PUBLIC: Cloud = Cloud {
    v1_issuer: "https://sts.windows.net",
    issuer: "https://login.microsoftonline.com",
    exchange_scope: "api://AzureADTokenExchange/.default",
    resource_manager: "https://management.azure.com",
    graph: "https://graph.microsoft.com",
};

const US_GOVERNMENT: Cloud = Cloud {
    v1_issuer: "https://sts.windows.net",
    issuer: "https://login.microsoftonline.us",
    exchange_scope: "api://AzureADTokenExchangeUSGov/.default",
    resource_manager: "https://management.usgovcloudapi.net",
    graph: "https://graph.microsoft.us",
};

const CHINA: Cloud = Cloud {
    v1_issuer: "https://sts.chinacloudapi.cn",
    issuer: "https://login.partner.microsoftonline.cn",
    exchange_scope: "api://AzureADTokenExchangeChina/.default",
    resource_manager: "https://management.chinacloudapi.cn",
    graph: "https://microsoftgraph.chinacloudapi.cn",
};

/// All of them, the public cloud first.
pub(super) const ALL: [Cloud; 3] = [PUBLIC, US_GOVERNMENT, CHINA];

/// The older name of Entra ID in China, under which Azure Resource Manager knows it still.
const CHINA_BEFORE: &str = "login.chinacloudapi.cn";

/// Whether a host is Entra ID of one of the clouds.
pub(crate) fn is_login_host(host: &str) -> bool {
    is_own(host, |cloud| cloud.issuer) || host == CHINA_BEFORE
}

/// Whether a host is Resource Manager of one of the clouds.
pub(crate) fn is_resource_manager_host(host: &str) -> bool {
    is_own(host, |cloud| cloud.resource_manager)
}

fn is_own(host: &str, address: fn(&Cloud) -> &'static str) -> bool {
    let hosts = ALL.iter().map(address);
    let mut hosts = hosts.filter_map(|it| it.strip_prefix("https://"));
    hosts.any(|own| own == host)
}

/// The cloud of a login endpoint; endpoints that are nobody's own speak for the public cloud.
pub(super) fn of(endpoint: &str) -> Cloud {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, it)| it);
    match host.split(['/', ':']).next().unwrap_or_default() {
        "login.microsoftonline.us" => US_GOVERNMENT,
        "login.partner.microsoftonline.cn" | CHINA_BEFORE => CHINA,
        _ => PUBLIC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_tells_the_cloud() {
        assert_eq!(of("https://login.microsoftonline.us/"), US_GOVERNMENT);
        assert_eq!(of("https://login.partner.microsoftonline.cn"), CHINA);
        assert_eq!(of("https://login.microsoftonline.com"), PUBLIC);
        assert_eq!(of("https://127.0.0.1:7446"), PUBLIC);
    }
}
