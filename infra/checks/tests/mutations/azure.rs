use super::{FUNCTION_APP, KEY_VAULT, MAIN, MONITORING, RBAC, SERVICE_BUS, STORAGE, assert_found};

#[test]
fn mistakes_in_storage_are_found() {
    assert_found(&[
        (
            "shared-keys",
            STORAGE,
            "    allowSharedKeyAccess: false\n    defaultToOAuthAuthentication: true\n    isLocalUserEnabled: false\n    minimumTlsVersion: 'TLS1_2'\n    publicNetworkAccess: 'Enabled'\n    supportsHttpsTrafficOnly: true\n    networkAcls: {\n      bypass: 'AzureServices'\n      defaultAction: 'Allow'\n    }\n  }\n}\n\nresource dataBlobs",
            "    allowSharedKeyAccess: true\n    defaultToOAuthAuthentication: true\n    isLocalUserEnabled: false\n    minimumTlsVersion: 'TLS1_2'\n    publicNetworkAccess: 'Enabled'\n    supportsHttpsTrafficOnly: true\n    networkAcls: {\n      bypass: 'AzureServices'\n      defaultAction: 'Allow'\n    }\n  }\n}\n\nresource dataBlobs",
        ),
        (
            "public-blobs",
            STORAGE,
            "  name: 'attachments'\n  properties: {\n    publicAccess: 'None'",
            "  name: 'attachments'\n  properties: {\n    publicAccess: 'Blob'",
        ),
        ("containers", STORAGE, "  name: 'state'", "  name: 'states'"),
        (
            "claims",
            STORAGE,
            "daysAfterModificationGreaterThan: 15",
            "daysAfterModificationGreaterThan: 5",
        ),
        (
            "lifecycle",
            STORAGE,
            "'${state.name}/claims/'",
            "'${state.name}/'",
        ),
        // The retention of files is a parameter on the way to two places.
        (
            "attachment-retention",
            STORAGE,
            "daysAfterModificationGreaterThan: attachmentRetentionDays",
            "daysAfterModificationGreaterThan: 30",
        ),
        (
            "attachment-retention",
            FUNCTION_APP,
            "string(attachmentRetentionDays)",
            "'8'",
        ),
        (
            "module-parameter",
            MAIN,
            "    replication: storageReplication\n    attachmentRetentionDays: attachmentRetentionDays\n",
            "    replication: storageReplication\n",
        ),
        (
            "soft-delete",
            STORAGE,
            "    containerDeleteRetentionPolicy: {\n      enabled: true",
            "    containerDeleteRetentionPolicy: {\n      enabled: false",
        ),
    ]);
}

#[test]
fn mistakes_in_service_bus_are_found() {
    assert_found(&[
        (
            "local-auth",
            SERVICE_BUS,
            "disableLocalAuth: true",
            "disableLocalAuth: false",
        ),
        (
            "queue-sessions",
            SERVICE_BUS,
            "  name: 'outbound'\n  properties: {\n    requiresSession: true",
            "  name: 'outbound'\n  properties: {\n    requiresSession: false",
        ),
        (
            "queue-duplicates",
            SERVICE_BUS,
            "  name: 'inbound'\n  properties: {\n    requiresSession: true\n    requiresDuplicateDetection: true",
            "  name: 'inbound'\n  properties: {\n    requiresSession: true\n    requiresDuplicateDetection: false",
        ),
        (
            "queue-lock",
            SERVICE_BUS,
            "    // A killed instance frees its lanes after this.\n    lockDuration: 'PT1M'",
            "    // A killed instance frees its lanes after this.\n    lockDuration: 'PT5M'",
        ),
        (
            "queue-delivery",
            SERVICE_BUS,
            "is what ends it.\n    maxDeliveryCount: 10000",
            "is what ends it.\n    maxDeliveryCount: 10",
        ),
        (
            "queue-life",
            SERVICE_BUS,
            "defaultMessageTimeToLive: 'PT5S'",
            "defaultMessageTimeToLive: 'PT5M'",
        ),
        (
            "queue-dead-letters",
            SERVICE_BUS,
            "deadLetteringOnMessageExpiration: false",
            "deadLetteringOnMessageExpiration: true",
        ),
        // The settings take their names from the queues, so it is the program's default that differs.
        (
            "setting-default",
            SERVICE_BUS,
            "  name: 'inbound'",
            "  name: 'incoming'",
        ),
        (
            "service-bus-sku",
            SERVICE_BUS,
            "    name: 'Standard'",
            "    name: 'Premium'",
        ),
        (
            "property",
            SERVICE_BUS,
            "  name: 'inbound'\n  properties: {\n    requiresSession: true",
            "  name: 'inbound'\n  properties: {\n    requireSession: true",
        ),
        (
            "function-json",
            "functions/deliver-to-teams/function.json",
            "\"isSessionsEnabled\": true",
            "\"isSessionsEnabled\": false",
        ),
        (
            "function-json",
            "functions/deliver-to-genesys/function.json",
            "%INBOUND_QUEUE%",
            "%INBOUND%",
        ),
    ]);
}

#[test]
fn mistakes_in_rights_and_secrets_are_found() {
    const SENDER: &str = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39";
    assert_found(&[
        (
            "role-too-wide",
            RBAC,
            SENDER,
            "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        ),
        (
            "role-too-wide",
            RBAC,
            SENDER,
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ),
        (
            "role-too-wide",
            RBAC,
            SENDER,
            "090c5cfd-751d-490a-894a-3ce6f1109419",
        ),
        (
            "role-unknown",
            RBAC,
            SENDER,
            "69a216fc-b8fb-44d8-bc22-1f3c2cd27a38",
        ),
        // The right role at a place that holds more than it should reach.
        (
            "role-too-wide",
            RBAC,
            "  scope: containers[index]\n",
            "  scope: dataAccount\n",
        ),
        ("role-too-wide", RBAC, "  scope: sendTargets[index]\n", ""),
        (
            "role-missing",
            MAIN,
            "    sendQueues: [\n      serviceBus.outputs.inboundQueue\n",
            "    sendQueues: [\n",
        ),
        (
            "role-missing",
            STORAGE,
            "  attachments.name\n  state.name\n",
            "  attachments.name\n",
        ),
        (
            "role-missing",
            RBAC,
            "  scope: vault\n  properties: {\n    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)",
            "  scope: vault\n  properties: {\n    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher)",
        ),
        (
            "key-vault-rbac",
            KEY_VAULT,
            "enableRbacAuthorization: true",
            "enableRbacAuthorization: false",
        ),
        (
            "purge-protection",
            KEY_VAULT,
            "    enablePurgeProtection: true\n",
            "",
        ),
        (
            "key-vault-audit",
            KEY_VAULT,
            "  scope: vault\n",
            "  scope: other\n",
        ),
        (
            "secret-output",
            MONITORING,
            "@description('Resource id of the workspace.')",
            "@description('Lets anybody send telemetry.')\noutput connectionString string = applicationInsights.properties.ConnectionString\n\n@description('Resource id of the workspace.')",
        ),
        (
            "secure-parameter",
            KEY_VAULT,
            "@description('Azure region.')",
            "@description('What Genesys signs with.')\nparam webhookSecret string\n\n@description('Azure region.')",
        ),
        (
            "secret-in-template",
            "infra/modules/secret-writes.bicep",
            "resource renewed 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing =",
            "resource renewed 'Microsoft.KeyVault/vaults/secrets@2026-02-01' =",
        ),
        (
            "secret-names",
            MAIN,
            "  'graph-client-state'\n",
            "  'graph-clientstate'\n",
        ),
        (
            "list-keys",
            FUNCTION_APP,
            "APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString",
            "APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.listKeys().key",
        ),
        (
            "local-auth",
            MONITORING,
            "DisableLocalAuth: true",
            "DisableLocalAuth: false",
        ),
        (
            "bicep-linter",
            "infra/bicepconfig.json",
            "\"outputs-should-not-contain-secrets\": { \"level\": \"error\" }",
            "\"outputs-should-not-contain-secrets\": { \"level\": \"off\" }",
        ),
    ]);
}
