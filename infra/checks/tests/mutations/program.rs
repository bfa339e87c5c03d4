use super::{ALERTS, FUNCTION_APP, KEY_VAULT, MAIN, MONITORING, assert_found};

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
            "    evaluationFrequency: rule.frequency\n",
            "    evaluationFrequency: rule.frequency\n    frequency: rule.frequency\n",
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
