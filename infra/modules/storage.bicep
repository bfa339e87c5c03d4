// Two storage accounts: one for the Functions host with the deployment package, one for the bridge's own data. Neither
// takes a shared key. The data account must be reachable from the internet, because Genesys Cloud and customers open the
// links to files; a link is a user delegation SAS for one blob.

@description('Name of the account of the Functions host.')
param hostAccountName string

@description('Name of the account that holds files, state and failed messages.')
param dataAccountName string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Redundancy of the data account. The host account holds nothing that cannot be deployed again and stays local.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param replication string

@description('Days after which files in the container attachments are deleted.')
@minValue(1)
@maxValue(3650)
param attachmentRetentionDays int

@description('Days without a message after which what is remembered of a chat is deleted: its state and its threads.')
@minValue(30)
@maxValue(3650)
param chatRetentionDays int

@description('Days after which failed messages are deleted. A queue may hand a message over again for 14 days, and must find the verdict then.')
@minValue(15)
@maxValue(3650)
param failedRetentionDays int

@description('Days for which deleted and overwritten blobs and deleted containers can be brought back. They add to the retention of files.')
@minValue(1)
@maxValue(365)
param softDeleteDays int

@description('Log every read and write of a blob of the data account; deletions are always logged. One message makes about ten lines.')
param logBlobAccess bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
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
    name: replication
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
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
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
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
                  daysAfterModificationGreaterThan: attachmentRetentionDays
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
                  daysAfterModificationGreaterThan: chatRetentionDays
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
                  daysAfterModificationGreaterThan: failedRetentionDays
                }
              }
            }
          }
        }
        {
          // Content of large envelopes, and marks of what was erased: a message lives for 14 days on its queue.
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

@description('URL of the container that holds the deployment package.')
output deploymentContainerUrl string = '${hostAccount.properties.primaryEndpoints.blob}${deploymentContainer.name}'

@description('Name of the account that holds the bridge\'s data.')
output dataAccountName string = dataAccount.name

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
