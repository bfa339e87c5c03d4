// The right to write the secrets that the handler renews, each on its own. Azure assigns a role on a secret only when the
// secret is there, so this is deployed after the operator has set them.

@description('Object id of the managed identity\'s service principal.')
param principalId string

@description('Name of the Key Vault.')
param keyVaultName string

@description('Names of the secrets that the handler renews.')
param renewedNames array

var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: keyVaultName
}

resource renewed 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [for name in renewedNames: {
  parent: vault
  name: name
}]

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in renewedNames: {
  name: guid(renewed[index].id, principalId, keyVaultSecretsOfficer)
  scope: renewed[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]
