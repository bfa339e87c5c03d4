use super::{Example, template};

const ACCOUNT: &str = "
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'a'
  location: 'x'
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}
resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for name in ['files', 'state', 'failed']: {
  parent: blobs
  name: name
  properties: {
    publicAccess: 'None'
  }
}]
resource rules 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'files'
          type: 'Lifecycle'
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 7
                }
              }
            }
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['attachments/']
            }
          }
        }
        {
          name: 'claims'
          type: 'Lifecycle'
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 15
                }
              }
            }
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['state/claims/']
            }
          }
        }
      ]
    }
  }
}
";

const SOURCES: [(&str, &str); 3] = [
    (
        "functions/src/rehosting.rs",
        "pub const ATTACHMENTS: &str = \"files\";",
    ),
    (
        "functions/src/enqueue.rs",
        "pub const STATE: &str = \"state\";",
    ),
    (
        "functions/src/failed.rs",
        "pub const FAILED: &str = \"failed\";",
    ),
];

fn storage(rule: &str, from: &str, to: &str) {
    let [one, two, three] = SOURCES;
    Example {
        files: &[("infra/main.bicep", ACCOUNT), one, two, three],
        rule,
    }
    .breaks(from, to);
}

#[test]
fn storage_accounts() {
    storage(
        "shared-keys",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
    );
    storage("shared-keys", "    allowSharedKeyAccess: false\n", "");
    storage(
        "public-blobs",
        "allowBlobPublicAccess: false",
        "allowBlobPublicAccess: true",
    );
    storage(
        "public-blobs",
        "publicAccess: 'None'",
        "publicAccess: 'Container'",
    );
    storage(
        "storage",
        "supportsHttpsTrafficOnly: true",
        "supportsHttpsTrafficOnly: false",
    );
    storage(
        "containers",
        "['files', 'state', 'failed']",
        "['files', 'state']",
    );
    storage(
        "containers",
        "['files', 'state', 'failed']",
        "['files', 'state', 'failed', 'more']",
    );
    storage(
        "attachment-retention",
        "daysAfterModificationGreaterThan: 7",
        "daysAfterModificationGreaterThan: 8",
    );
    storage("attachment-retention", "'attachments/'", "'attachment/'");
    storage(
        "claims",
        "daysAfterModificationGreaterThan: 15",
        "daysAfterModificationGreaterThan: 1",
    );
    storage("lifecycle", "'state/claims/'", "'state/'");
    storage(
        "soft-delete",
        "    containerDeleteRetentionPolicy: {\n      enabled: true",
        "    containerDeleteRetentionPolicy: {\n      enabled: false",
    );
}

#[test]
fn containers_follow_the_program() {
    let [one, two, three] = SOURCES;
    Example {
        files: &[("infra/main.bicep", ACCOUNT), one, two, three],
        rule: "containers",
    }
    .breaks_in("functions/src/rehosting.rs", "\"files\"", "\"media\"");
}

const SITE: &str = "
resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 's'
  location: 'x'
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
  }
  properties: {
    serverFarmId: 'p'
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'u'
          authentication: {
            type: 'UserAssignedIdentity'
          }
        }
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
      scaleAndConcurrency: {
        maximumInstanceCount: 40
        instanceMemoryMB: 2048
        alwaysReady: [
          {
            name: 'http'
            instanceCount: 1
          }
        ]
      }
    }
  }
}
resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: 'c'
}
output key string = component.properties.InstrumentationKey
";

#[test]
fn the_function_app() {
    for (rule, from, to) in [
        ("runtime", "version: '1.0'", "version: '1'"),
        ("runtime", "name: 'custom'", "name: 'node'"),
        (
            "identity",
            "type: 'UserAssigned'\n",
            "type: 'SystemAssigned'\n",
        ),
        ("https", "httpsOnly: true", "httpsOnly: false"),
        ("tls", "minTlsVersion: '1.2'", "minTlsVersion: '1.0'"),
        ("always-ready", "instanceCount: 1", "instanceCount: 0"),
        ("always-ready", "name: 'http'", "name: 'blob'"),
        (
            "flex-settings",
            "      minTlsVersion: '1.2'\n",
            "      minTlsVersion: '1.2'\n      ftpsState: 'Disabled'\n",
        ),
        (
            "list-keys",
            "component.properties.InstrumentationKey",
            "component.listKeys().key",
        ),
    ] {
        template(rule, SITE, |example| example.breaks(from, to));
    }
}

#[test]
fn the_program_has_its_rights() {
    let grant = |symbol: &str, at: &str, role: &str| {
        format!(
            "resource {symbol}Role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{\n  name: '{symbol}'\n  scope: {at}\n  properties: {{\n    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')\n    principalId: 'p'\n    principalType: 'ServicePrincipal'\n  }}\n}}\n"
        )
    };
    let text = [
        SITE.to_owned(),
        ACCOUNT.to_owned(),
        "resource inbound 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {\n  name: 'inbound'\n}\n".to_owned(),
        grant("send", "inbound", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"),
        grant("receive", "inbound", "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"),
        grant("write", "containers[0]", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
        grant("sign", "account", "db58b8e5-c6ad-4a2a-8342-4190687cbf4a"),
        grant("host", "account", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    ]
    .concat();
    let [one, two, three] = SOURCES;
    let files = [
        ("infra/main.bicep", text.as_str()),
        (
            "functions/a/function.json",
            r#"{"bindings": [{"type": "serviceBusTrigger", "queueName": "%INBOUND_QUEUE%"}]}"#,
        ),
        one,
        two,
        three,
    ];
    let example = Example {
        files: &files,
        rule: "role-missing",
    };
    for role in [
        "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
        "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    ] {
        example.breaks(role, "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1");
    }
    example.breaks("  scope: containers[0]\n", "");
}
