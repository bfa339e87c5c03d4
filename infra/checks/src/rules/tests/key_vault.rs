use super::template;

const VAULT: &str = "
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: 'v'
  location: 'x'
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
  }
}
resource secret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = {
  parent: vault
  name: 's'
}
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: 'w'
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: 'p'
    principalType: 'ServicePrincipal'
  }
}
resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret.id)
  scope: secret
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7')
    principalId: 'p'
    principalType: 'ServicePrincipal'
  }
}
";

#[test]
fn the_key_vault_and_its_rights() {
    const READER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
    for (rule, from, to) in [
        (
            "key-vault-rbac",
            "enableRbacAuthorization: true",
            "enableRbacAuthorization: false",
        ),
        ("purge-protection", "    enablePurgeProtection: true\n", ""),
        (
            "soft-delete",
            "enableSoftDelete: true",
            "enableSoftDelete: false",
        ),
        (
            "key-vault-audit",
            "        enabled: true\n",
            "        enabled: false\n",
        ),
        (
            "secret-in-template",
            "secrets@2026-02-01' existing",
            "secrets@2026-02-01'",
        ),
        (
            "role-too-wide",
            READER,
            "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        ),
        (
            "role-unknown",
            READER,
            "00000000-0000-0000-0000-000000000000",
        ),
        (
            "role-unknown",
            "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')",
            "other",
        ),
        ("role-too-wide", "  scope: secret\n", "  scope: vault\n"),
        (
            "role-too-wide",
            "  name: guid(secret.id)\n  scope: secret\n",
            "  name: guid(secret.id)\n",
        ),
        (
            "role-principal",
            "    principalType: 'ServicePrincipal'\n  }\n}\nresource writer",
            "  }\n}\nresource writer",
        ),
    ] {
        template(rule, VAULT, |example| example.breaks(from, to));
    }
}

#[test]
fn telemetry_and_bots_take_no_keys() {
    template(
        "local-auth",
        "resource c 'Microsoft.Insights/components@2020-02-02' = {\n  name: 'c'\n  properties: {\n    DisableLocalAuth: true\n  }\n}\n",
        |example| example.breaks("DisableLocalAuth", "disableLocalAuth"),
    );
    template(
        "local-auth",
        "resource b 'Microsoft.BotService/botServices@2022-09-15' = {\n  name: 'b'\n  properties: {\n    disableLocalAuth: true\n  }\n}\n",
        |example| example.breaks("true", "false"),
    );
}
