// Who may do what, each at the narrowest scope. A name of an assignment is computed from its scope, holder and role, so a
// repeated deployment finds it again, and an identity made anew gets new ones.

@description('Object id of the managed identity\'s service principal.')
param principalId string

@description('Object id of the Entra group of operators, or nothing for none.')
param operatorsGroupId string

@description('Name of the account of the Functions host.')
param hostAccountName string

@description('Name of the account that holds the bridge\'s data.')
param dataAccountName string

@description('Containers of the data account that the handler reads and writes.')
param dataContainers array

@description('Container of everything that the bridge remembers.')
param stateContainer string

@description('Container of messages that operators must look at.')
param failedContainer string

@description('Container of people\'s files.')
param attachmentsContainer string

@description('Container of Terraform\'s state.')
param terraformContainer string

@description('Name of the Service Bus namespace.')
param serviceBusName string

@description('Queues that functions are triggered by, and that the handler sends to.')
param triggerQueues array

@description('Those of them whose messages are kept when they cannot be delivered.')
param keptQueues array

@description('Name of the Key Vault.')
param keyVaultName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

// Azure's built-in roles ("Azure built-in roles" in the documentation of role-based access control).
var roles = {
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  serviceBusDataOwner: '090c5cfd-751d-490a-894a-3ce6f1109419'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataAccountName
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: dataAccount
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [for container in dataContainers: {
  parent: dataBlobs
  name: container
}]

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: dataBlobs
  name: stateContainer
}

resource failed 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: dataBlobs
  name: failedContainer
}

resource attachments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: dataBlobs
  name: attachmentsContainer
}

resource terraform 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: dataBlobs
  name: terraformContainer
}

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource triggers 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [for queue in triggerQueues: {
  parent: namespace
  name: queue
}]

resource kept 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [for queue in keptQueues: {
  parent: namespace
  name: queue
}]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: keyVaultName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

// The Functions host: locks, keys and the deployment package.
resource hostBlobOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, principalId, roles.storageBlobDataOwner)
  scope: hostAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The Functions host: the diagnostic events that the portal shows.
resource hostTableContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, principalId, roles.storageTableDataContributor)
  scope: hostAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource containerContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, index) in dataContainers: {
  name: guid(containers[index].id, principalId, roles.storageBlobDataContributor)
  scope: containers[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

// The key that signs links exists for the whole account; it opens no more than its holder may open.
resource delegator 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount.id, principalId, roles.storageBlobDelegator)
  scope: dataAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDelegator)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Functions decides on the number of instances by the length of a queue, which only an owner may ask for: with the right to
// receive alone, target-based scaling is off ("Target-based scaling" in the documentation of Azure Functions).
resource queueOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, index) in triggerQueues: {
  name: guid(triggers[index].id, principalId, roles.serviceBusDataOwner)
  scope: triggers[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

// Read only: which secrets the handler may also write is in secrets.bicep.
resource secretsUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource metricsPublisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, principalId, roles.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource operatorsSecretsOfficer 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(vault.id, operatorsGroupId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: operatorsGroupId
    principalType: 'Group'
  }
}

// Logs, metrics, alerts and the workbook, and the deployment's outputs, by which `handler setup` finds the rest.
resource operatorsReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(resourceGroup().id, operatorsGroupId, roles.monitoringReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringReader)
    principalId: operatorsGroupId
    principalType: 'Group'
  }
}

// `handler setup genesys` runs Terraform.
resource operatorsTerraform 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(terraform.id, operatorsGroupId, roles.storageBlobDataContributor)
  scope: terraform
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: operatorsGroupId
    principalType: 'Group'
  }
}

// `handler failed` reads failed messages, and removes what it put back on its queue.
resource operatorsFailed 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(failed.id, operatorsGroupId, roles.storageBlobDataContributor)
  scope: failed
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: operatorsGroupId
    principalType: 'Group'
  }
}

// `handler failed` sends and takes dead letters away, `handler status` asks for the queue's length, which only an owner may.
resource operatorsQueueOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, index) in keptQueues: if (!empty(operatorsGroupId)) {
  name: guid(kept[index].id, operatorsGroupId, roles.serviceBusDataOwner)
  scope: kept[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataOwner)
    principalId: operatorsGroupId
    principalType: 'Group'
  }
}]

// `handler sign-in` writes the one-time link's digest, `handler check --deep` its ticket and its mark, `handler failed replay` the
// content of large messages, `handler rotate` how far a replacement is, alone with the function; `handler forget` erases chats,
// threads, contents and agents' messages that wait, and writes marks of that; `handler status` only reads. The condition leaves out
// changes of whatever else the container holds.
var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
var path = '@Resource[${blobs}:path] StringLike'
var operatorsPaths = '(${path} \'sign-in/*\') OR (${path} \'claims/*\') OR (${path} \'chats/*\') OR (${path} \'threads/*\') OR (${path} \'spool/*\') OR (${path} \'erased/*\') OR (${path} \'checks/*\') OR (${path} \'rotation/*\') OR (${path} \'timers/secret-rotation.json\')'
var operatorsOnly = '((!(ActionMatches{\'${blobs}/write\'}) AND !(ActionMatches{\'${blobs}/add/action\'}) AND !(ActionMatches{\'${blobs}/move/action\'}) AND !(ActionMatches{\'${blobs}/delete\'})) OR (${operatorsPaths}))'

resource operatorsState 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(state.id, operatorsGroupId, roles.storageBlobDataContributor)
  scope: state
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: operatorsGroupId
    principalType: 'Group'
    conditionVersion: '2.0'
    condition: operatorsOnly
  }
}

// `handler forget` erases a person's files, which it need not open: the condition leaves listing and deleting.
var operatorsErase = '(!(ActionMatches{\'${blobs}/read\'} AND NOT SubOperationMatches{\'Blob.List\'}) AND !(ActionMatches{\'${blobs}/write\'}) AND !(ActionMatches{\'${blobs}/add/action\'}) AND !(ActionMatches{\'${blobs}/move/action\'}))'

resource operatorsAttachments 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(attachments.id, operatorsGroupId, roles.storageBlobDataContributor)
  scope: attachments
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: operatorsGroupId
    principalType: 'Group'
    conditionVersion: '2.0'
    condition: operatorsErase
  }
}
