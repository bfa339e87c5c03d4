// The namespace and its three queues. What requiresSession and requiresDuplicateDetection say is fixed when a queue is
// made: changing them means a new queue.

@description('Name of the namespace.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Whether the namespace has private addresses only, but for operatorAddresses.')
param isPrivate bool

@description('Addresses (CIDR) that may reach a private namespace from outside.')
param operatorAddresses string[]

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  // Basic has neither sessions nor duplicate detection; of what Premium adds, private endpoints alone are needed.
  sku: {
    name: isPrivate ? 'Premium' : 'Standard'
    tier: isPrivate ? 'Premium' : 'Standard'
    capacity: isPrivate ? 1 : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate && empty(operatorAddresses) ? 'Disabled' : 'Enabled'
  }
}

resource rules 'Microsoft.ServiceBus/namespaces/networkRuleSets@2024-01-01' = if (isPrivate) {
  parent: namespace
  name: 'default'
  properties: {
    publicNetworkAccess: empty(operatorAddresses) ? 'Disabled' : 'Enabled'
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: false
    ipRules: [for address in operatorAddresses: {
      action: 'Allow'
      ipMask: address
    }]
  }
}

// Messages to Genesys and receipts: one session a chat.
resource inbound 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'inbound'
  properties: {
    requiresSession: true
    requiresDuplicateDetection: true
    // Graph repeats a notification for 4 hours.
    duplicateDetectionHistoryTimeWindow: 'PT6H'
    // A killed instance frees its lanes after this.
    lockDuration: 'PT1M'
    // 48 hours of redelivery every 30 seconds need 5,760; the life of a message is what ends it.
    maxDeliveryCount: 10000
    // No shorter: the handler gives a message up after 13 days by itself, into the container failed, and tells its sender.
    defaultMessageTimeToLive: 'P14D'
    deadLetteringOnMessageExpiration: true
    maxSizeInMegabytes: 5120
  }
}

// Messages to Teams: one session a chat.
resource outbound 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'outbound'
  properties: {
    requiresSession: true
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT6H'
    lockDuration: 'PT1M'
    maxDeliveryCount: 10000
    defaultMessageTimeToLive: 'P14D'
    deadLetteringOnMessageExpiration: true
    maxSizeInMegabytes: 5120
  }
}

// Typing indicators: worth nothing after 5 seconds, and never a dead letter.
resource typing 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'typing'
  properties: {
    requiresSession: false
    requiresDuplicateDetection: false
    lockDuration: 'PT1M'
    maxDeliveryCount: 10000
    defaultMessageTimeToLive: 'PT5S'
    deadLetteringOnMessageExpiration: false
    maxSizeInMegabytes: 1024
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the namespace.')
output id string = namespace.id

@description('Name of the namespace.')
output name string = namespace.name

@description('Host name of the namespace: the setting ServiceBus__fullyQualifiedNamespace.')
output hostName string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]

@description('Queue of messages to Genesys.')
output inboundQueue string = inbound.name

@description('Queue of messages to Teams.')
output outboundQueue string = outbound.name

@description('Queue of typing indicators.')
output typingQueue string = typing.name
