// Two storage accounts: one for the Functions host with the deployment package, one for the bridge's own data. Neither
// takes a shared key. The data account must be reachable from the internet, because Genesys Cloud and customers open the
// links to files; a link is a user delegation SAS for one blob.

import { Capacity, Retention } from '../types.bicep'

@description('Name of the account of the Functions host.')
param hostAccountName string

@description('Name of the account that holds files, state and failed messages.')
param dataAccountName string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Redundancy of both accounts.')
param capacity Capacity

@description('How long what is kept.')
param retention Retention

@description('Whether the host\'s account has private addresses only.')
param isPrivate bool

@description('Log every read and write of a blob of the data account; deletions are always logged. One message makes about ten lines.')
param logBlobAccess bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var zonal = capacity.zone_redundant
var replication = capacity.storage_replication

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    // It holds nothing that cannot be deployed again.
    name: zonal ? 'Standard_ZRS' : 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: hostAccount
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource deploymentContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: hostBlobs
  name: 'deployments'
  properties: {
    publicAccess: 'None'
  }
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: dataAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: zonal ? replace(replace(replication, '_LRS', '_ZRS'), '_GRS', '_GZRS') : replication
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    // In the private profile too: browsers of customers and agents, wherever they are, open the links to files.
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: dataAccount
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: retention.soft_delete_days
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: retention.soft_delete_days
    }
  }
}

resource attachments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: dataBlobs
  name: 'attachments'
  properties: {
    publicAccess: 'None'
  }
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: dataBlobs
  name: 'state'
  properties: {
    publicAccess: 'None'
  }
}

resource failed 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: dataBlobs
  name: 'failed'
  properties: {
    publicAccess: 'None'
  }
}

// Terraform's own state, which tells the webhook's secret: for operators alone.
resource terraform 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: dataBlobs
  name: 'terraform-state'
  properties: {
    publicAccess: 'None'
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: dataAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-attachments'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${attachments.name}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: retention.attachment_retention_days
                }
              }
            }
          }
        }
        {
          // The handler writes a chat's state with each message, and a thread's record once a day while it is used. Nothing else of
          // the container may go: what lies in state/spool is not delivered yet, and the rest is the installation's own.
          name: 'delete-chats'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${state.name}/chats/'
                '${state.name}/threads/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: retention.chat_retention_days
                }
              }
            }
          }
        }
        {
          name: 'delete-failed'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${failed.name}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: retention.failed_retention_days
                }
              }
            }
          }
        }
        {
          // Content of large envelopes, marks of what was erased, and what a check left: a message lives for 14 days on its queue.
          name: 'delete-claims'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${state.name}/claims/'
                '${state.name}/erased/'
                '${state.name}/checks/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 15
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource dataLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: dataBlobs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
      {
        category: 'StorageRead'
        enabled: logBlobAccess
      }
      {
        category: 'StorageWrite'
        enabled: logBlobAccess
      }
    ]
  }
}

@description('Name of the account of the Functions host.')
output hostAccountName string = hostAccount.name

@description('Resource id of the account of the Functions host.')
output hostAccountId string = hostAccount.id

@description('URL of the container that holds the deployment package.')
output deploymentContainerUrl string = '${hostAccount.properties.primaryEndpoints.blob}${deploymentContainer.name}'

@description('Name of the account that holds the bridge\'s data.')
output dataAccountName string = dataAccount.name

@description('Resource id of the account that holds the bridge\'s data.')
output dataAccountId string = dataAccount.id

@description('URL of the data account\'s Blob service: the setting BLOB_ENDPOINT.')
output blobEndpoint string = dataAccount.properties.primaryEndpoints.blob

@description('Containers that the handler reads and writes.')
output dataContainers array = [
  attachments.name
  state.name
  failed.name
]

@description('Container of everything that the bridge remembers.')
output stateContainer string = state.name

@description('Container of messages that a person must look at.')
output failedContainer string = failed.name

@description('Name of the container of people\'s files.')
output attachmentsContainer string = attachments.name

@description('Container of Terraform\'s state.')
output terraformContainer string = terraform.name
