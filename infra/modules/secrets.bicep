// The places of the secrets, and the right to write those that the handler makes or renews, each on its own. Azure assigns a
// role on a secret only when the secret is there, so each begins as a place: a value that is no secret and counts as absent.

@description('Object id of the managed identity\'s service principal.')
param principalId string

@description('Name of the Key Vault.')
param keyVaultName string

@description('Names of the secrets that the handler makes or renews.')
param writtenNames array

var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: keyVaultName
}

// A deployment that comes later leaves what is there by then.
@onlyIfNotExists()
resource places 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in writtenNames: {
  parent: vault
  name: name
  properties: {
    value: 'none'
  }
}]

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in writtenNames: {
  name: guid(places[index].id, principalId, keyVaultSecretsOfficer)
  scope: places[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]
