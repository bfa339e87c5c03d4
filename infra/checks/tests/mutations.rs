//! Each rule finds the mistake that it is there for: a text of a real file is replaced by a wrong one, in memory, and the rule
//! must report it. A text that is no longer in the file exactly once fails the test, so that no mistake is seeded into the void.

use std::path::Path;

use infra_checks::{Tree, check};

/// The rule that must report, the file, the right text, the wrong text.
type Mutation = (&'static str, &'static str, &'static str, &'static str);

fn repository() -> Tree {
    Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .expect("the repository can be read")
}

fn assert_found(mutations: &[Mutation]) {
    let tree = repository();
    let mut failures = Vec::new();
    for (rule, file, from, to) in mutations {
        let changed = match tree.replaced(file, from, to) {
            Ok(changed) => changed,
            Err(error) => {
                failures.push(format!("{from:?} cannot be replaced: {error}"));
                continue;
            }
        };
        let problems = check(&changed);
        if !problems.iter().any(|problem| problem.rule == *rule) {
            let others: Vec<String> = problems.iter().map(ToString::to_string).collect();
            failures.push(format!(
                "{file}: {to:?} is not found by {rule}, only {others:?}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const MAIN: &str = "infra/main.bicep";
const STORAGE: &str = "infra/modules/storage.bicep";
const SERVICE_BUS: &str = "infra/modules/servicebus.bicep";
const KEY_VAULT: &str = "infra/modules/keyvault.bicep";
const FUNCTION_APP: &str = "infra/modules/functionapp.bicep";
const RBAC: &str = "infra/modules/rbac.bicep";
const ALERTS: &str = "infra/modules/alerts.bicep";
const MONITORING: &str = "infra/modules/monitoring.bicep";

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

#[test]
fn mistakes_in_the_function_app_are_found() {
    assert_found(&[
        (
            "app-settings",
            FUNCTION_APP,
            "    FILE_TIMEOUT_SECONDS: '30'\n",
            "",
        ),
        (
            "app-settings",
            FUNCTION_APP,
            "    FILE_TIMEOUT_SECONDS: '30'\n",
            "    FILE_TIMEOUT_SECONDS: '30'\n    FILE_TIMEOUT: '30'\n",
        ),
        (
            "flex-settings",
            FUNCTION_APP,
            "    FILE_TIMEOUT_SECONDS: '30'\n",
            "    FILE_TIMEOUT_SECONDS: '30'\n    FUNCTIONS_WORKER_RUNTIME: 'custom'\n",
        ),
        (
            "flex-settings",
            FUNCTION_APP,
            "      http20Enabled: true\n",
            "      http20Enabled: true\n      linuxFxVersion: 'CUSTOM'\n",
        ),
        (
            "setting-default",
            FUNCTION_APP,
            "RETRY_FLOOR_SECONDS: '30'",
            "RETRY_FLOOR_SECONDS: '3'",
        ),
        (
            "app-settings",
            FUNCTION_APP,
            "THREAD_WINDOW_HOURS: string(threadWindowHours)",
            "THREAD_WINDOW_HOURS: threadWindowHours",
        ),
        (
            "runtime",
            MAIN,
            "param runtimeVersion string = '1.0'",
            "param runtimeVersion string = '1'",
        ),
        ("runtime", FUNCTION_APP, "name: 'custom'", "name: 'node'"),
        ("https", FUNCTION_APP, "httpsOnly: true", "httpsOnly: false"),
        (
            "always-ready",
            MAIN,
            "param alwaysReadyHttpInstances int = 1",
            "param alwaysReadyHttpInstances int = 0",
        ),
        (
            "identity",
            FUNCTION_APP,
            "            type: 'UserAssignedIdentity'",
            "            type: 'StorageAccountConnectionString'",
        ),
        (
            "queue-names",
            FUNCTION_APP,
            "TYPING_QUEUE: typingQueue",
            "TYPING_QUEUE: 'type'",
        ),
        (
            "host-json",
            "host.json",
            "\"defaultExecutablePath\": \"handler\"",
            "\"defaultExecutablePath\": \"./handler\"",
        ),
        (
            "host-json",
            "host.json",
            "\"enableProxyingHttpRequest\": true",
            "\"enableHttpProxyingRequest\": true",
        ),
        (
            "local-settings",
            "local.settings.json",
            "\"REACTIONS\": \"off\",",
            "\"REACTION\": \"off\",",
        ),
        (
            "address",
            MAIN,
            "/api/graph/notifications'",
            "/api/graph/notification'",
        ),
    ]);
}

#[test]
fn mistakes_in_the_language_are_found() {
    assert_found(&[
        (
            "api-version",
            KEY_VAULT,
            "'Microsoft.KeyVault/vaults@2026-02-01'",
            "'Microsoft.KeyVault/vaults@2024-11-01'",
        ),
        ("property", KEY_VAULT, "      family: 'A'\n", ""),
        (
            "property",
            FUNCTION_APP,
            "instanceMemoryMB: instanceMemoryMB\n        alwaysReady",
            "instanceMemoryMb: instanceMemoryMB\n        alwaysReady",
        ),
        (
            "property",
            ALERTS,
            "    windowSize: rule.window\n",
            "    windowSize: rule.window\n    window: rule.window\n",
        ),
        (
            "property",
            MONITORING,
            "retentionInDays: logRetentionDays",
            "retentionInDays: 'P30D'",
        ),
        (
            "description",
            KEY_VAULT,
            "@description('URL of the vault: the setting KEY_VAULT_URL.')\n",
            "",
        ),
        (
            "module-parameter",
            MAIN,
            "    renewedNames: renewedNames\n",
            "    renewedName: renewedNames\n",
        ),
        (
            "module-path",
            MAIN,
            "'./modules/bot.bicep'",
            "'./modules/bots.bicep'",
        ),
        (
            "module-scope",
            MAIN,
            "  name: 'bot'\n  scope: group\n",
            "  name: 'bot'\n",
        ),
        (
            "module-output",
            MAIN,
            "output functionAppName string = functionApp.outputs.name",
            "output functionAppName string = functionApp.outputs.names",
        ),
        (
            "parameter-file",
            "infra/main.bicepparam",
            "param alertEmail =",
            "param alertMail =",
        ),
        (
            "undeclared",
            KEY_VAULT,
            "  name: name\n",
            "  name: vaultName\n",
        ),
        (
            "unused",
            MONITORING,
            "retentionInDays: logRetentionDays",
            "retentionInDays: 30",
        ),
        (
            "duplicate",
            KEY_VAULT,
            "    enableSoftDelete: true\n",
            "    enableSoftDelete: true\n    enableSoftDelete: true\n",
        ),
        (
            "bicep-syntax",
            KEY_VAULT,
            "  name: name\n",
            "  name: = name\n",
        ),
        (
            "json",
            "infra/abbreviations.json",
            "\"bots\": \"bot-\",",
            "\"bots\": \"bot-\"",
        ),
    ]);
}

#[test]
fn mistakes_in_alerts_and_workbooks_are_found() {
    const WORKBOOK: &str = "infra/workbooks/operations.json";
    assert_found(&[
        (
            "query-event",
            ALERTS,
            "event == \"sign_in_needed\"",
            "event == \"signin_needed\"",
        ),
        (
            "query-field",
            ALERTS,
            "tolong(entry.age_s)",
            "tolong(entry.age)",
        ),
        (
            "query-value",
            ALERTS,
            "== \"throttled\"",
            "== \"throttling\"",
        ),
        (
            "query-column",
            ALERTS,
            "'traces | where message startswith",
            "'traces | where Message startswith",
        ),
        (
            "query-table",
            ALERTS,
            "AZKVAuditLogs, AzureDiagnostics",
            "AZKVAuditLog, AzureDiagnostics",
        ),
        (
            "query-form",
            ALERTS,
            "(event == \"attempt_failed\"",
            "((event == \"attempt_failed\"",
        ),
        (
            "alert-aggregation",
            ALERTS,
            "    aggregation: 'Maximum'\n",
            "    aggregation: 'Total'\n",
        ),
        (
            "dead-letter-alert",
            ALERTS,
            "metric: 'DeadletteredMessages'",
            "metric: 'DeadLetteredMessages'",
        ),
        (
            "query-event",
            WORKBOOK,
            "event in (\\\"enqueued\\\", \\\"settled\\\", \\\"handed_back\\\")\\n| extend source = tostring(entry[\\\"function\\\"])\\n| extend outcome",
            "event in (\\\"queued\\\", \\\"settled\\\", \\\"handed_back\\\")\\n| extend source = tostring(entry[\\\"function\\\"])\\n| extend outcome",
        ),
    ]);
}

#[test]
fn mistakes_in_terraform_are_found() {
    const VARIABLES: &str = "infra/genesys/variables.tf";
    const OPEN: &str = "infra/genesys/main.tf";
    const CLIENT: &str = "infra/genesys/oauth.tf";
    const SALESFORCE: &str = "infra/genesys/crm-salesforce.tf";
    assert_found(&[
        (
            "terraform-secret",
            VARIABLES,
            "the value of the Key Vault secret genesys-webhook-secret.\"\n  type        = string\n  sensitive   = true\n",
            "the value of the Key Vault secret genesys-webhook-secret.\"\n  type        = string\n",
        ),
        (
            "terraform-secret",
            OPEN,
            "secret_token = var.webhook_secret",
            "secret_token = var.name",
        ),
        (
            "terraform-secret",
            "infra/genesys/outputs.tf",
            "value       = genesyscloud_oauth_client.bridge.id",
            "value       = genesyscloud_oauth_client.bridge.client_secret",
        ),
        (
            "terraform-secret",
            SALESFORCE,
            "clientSecret = var.salesforce_client_secret",
            "clientSecret = \"a secret\"",
        ),
        (
            "genesys-permission",
            CLIENT,
            "action_set  = [\"receive\"]",
            "action_set  = [\"*\"]",
        ),
        (
            "terraform-attribute",
            OPEN,
            "  supported_content_id              = genesyscloud_conversations_messaging_supportedcontent.bridge.id\n",
            "",
        ),
        (
            "terraform-attribute",
            OPEN,
            "outbound_notification_webhook_url =",
            "outbound_webhook_url =",
        ),
        (
            "terraform-attribute",
            OPEN,
            "        outbound = \"Enabled\"\n",
            "        outbound = \"On\"\n",
        ),
        (
            "terraform-reference",
            OPEN,
            "= var.webhook_url",
            "= var.webhook_uri",
        ),
        (
            "terraform-reference",
            CLIENT,
            "description = \"Delivers customers' messages",
            "description = \"${input.upn} Delivers customers' messages",
        ),
        (
            "terraform-syntax",
            OPEN,
            "resource \"genesyscloud_conversations_messaging_settings\" \"bridge\" {",
            "resource \"genesyscloud_conversations_messaging_settings\" \"bridge\" {{",
        ),
        (
            "terraform-provider",
            "infra/genesys/versions.tf",
            "version = \"~> 1.84\"",
            "version = \">= 1\"",
        ),
        (
            "terraform-example",
            "infra/genesys/terraform.tfvars.example",
            "# queue_group_ids ",
            "# queue_groups ",
        ),
        (
            "unused",
            VARIABLES,
            "variable \"name\" {",
            "variable \"unused\" {\n  description = \"\"\n  type = string\n}\n\nvariable \"name\" {",
        ),
        (
            "data-action-file",
            SALESFORCE,
            "data-actions/salesforce-auth.customAuth.json",
            "data-actions/salesforce.customAuth.json",
        ),
        (
            "data-action-file",
            SALESFORCE,
            "https://your-domain.my.salesforce.com\", var",
            "https://my-domain.my.salesforce.com\", var",
        ),
        (
            "data-action-credential",
            SALESFORCE,
            "    tokenUrl     = ",
            "    loginUrl     = ",
        ),
    ]);
}

#[test]
fn mistakes_in_the_look_up_are_found() {
    const DYNAMICS: &str = "infra/genesys/data-actions/dynamics-contact-by-upn.custom.json";
    const SALESFORCE: &str = "infra/genesys/data-actions/salesforce-contact-by-upn.custom.json";
    const FLOW: &str = "infra/genesys/flows/inbound-message.yaml";
    assert_found(&[
        (
            "data-action-escape",
            DYNAMICS,
            "$esc.url($esc.sql(${input.upn}))",
            "${input.upn}",
        ),
        (
            "data-action-escape",
            DYNAMICS,
            "$esc.url($esc.sql(${input.upn}))",
            "$esc.url(${input.upn})",
        ),
        (
            "data-action-escape",
            SALESFORCE,
            "$esc.javascript(${input.upn})",
            "${input.upn}",
        ),
        (
            "data-action-input",
            SALESFORCE,
            "$esc.javascript(${input.upn})",
            "$esc.javascript(${input.email})",
        ),
        (
            "data-action-no-match",
            DYNAMICS,
            "        \"contactId\": \"null\",\n",
            "",
        ),
        (
            "data-action-response",
            DYNAMICS,
            "        \"contactId\": \"null\",\n",
            "        \"contactId\": \"none\",\n",
        ),
        (
            "data-action-contract",
            DYNAMICS,
            "          \"tier\"\n",
            "          \"tiers\"\n",
        ),
        (
            "data-action-response",
            DYNAMICS,
            "\\\"accountName\\\": #if",
            "\\\"account\\\": #if",
        ),
        (
            "flow-attribute",
            FLOW,
            "lit: context.teamsUpn",
            "lit: context.teamsUPN",
        ),
        (
            "flow-attribute",
            FLOW,
            "                      lit: teamsUpn\n                    variable",
            "                      lit: teamUpn\n                    variable",
        ),
        (
            "flow-substitution",
            "infra/genesys/flow.tf",
            "      queue_name    = ",
            "      queue    = ",
        ),
        (
            "flow-root",
            FLOW,
            "\ninboundShortMessage:\n",
            "\ninboundMessage:\n",
        ),
        (
            "flow-look-up",
            FLOW,
            "                          timeout:\n                            actions:",
            "                          timedOut:\n                            actions:",
        ),
        (
            "flow-look-up",
            FLOW,
            "                                  upn:\n",
            "                                  email:\n",
        ),
        (
            "flow-variable",
            FLOW,
            "variable: State.ContextUpn",
            "variable: State.ContextUpm",
        ),
        (
            "flow-queue",
            FLOW,
            "          - transferToAcd:",
            "          - transferToQueue:",
        ),
        ("yaml", FLOW, "\n  states:\n", "\n states:\n"),
    ]);
}

#[test]
fn mistakes_in_workflows_are_found() {
    const DEPLOY: &str = ".github/workflows/deploy.yml";
    assert_found(&[
        (
            "unpinned-action",
            DEPLOY,
            "azure/login@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca",
            "azure/login@v3",
        ),
        ("workflow", DEPLOY, "      id-token: write\n", ""),
        (
            "workflow",
            DEPLOY,
            "          client-id: ${{ vars.AZURE_CLIENT_ID }}\n",
            "          creds: ${{ secrets.AZURE_CREDENTIALS }}\n",
        ),
        ("azd", "azure.yaml", "module: main", "module: mian"),
        (
            "azd",
            "azure.yaml",
            "./infra/scripts/publish.sh",
            "./infra/scripts/deploy.sh",
        ),
    ]);
}
