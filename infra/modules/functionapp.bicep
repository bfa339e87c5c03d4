// The Flex Consumption plan, the Function App with the custom runtime, and every setting of the handler.

import { Capacity, HandlerSettings, Retention } from '../types.bicep'

@description('Name of the Function App.')
param name string

@description('Name of the plan.')
param planName string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the managed identity.')
param identityId string

@description('Client id of the managed identity.')
param identityClientId string

@description('How much runs.')
param capacity Capacity

@description('How long the storage account keeps what.')
param retention Retention

@description('What the handler is told.')
param handler HandlerSettings

@description('Application id of the bot, or nothing for no bot.')
param botAppId string

@description('URL of the package that the deployment publishes too, or nothing.')
param packageUrl string

@description('Resource id of the subnet that the app calls from, or nothing for none.')
param appSubnetId string

@description('Name of the account of the Functions host.')
param hostAccountName string

@description('URL of the container that holds the deployment package.')
param deploymentContainerUrl string

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Send what the Functions host and the handler print to the workspace as well. Application Insights has the same lines; this helps when the host does not start.')
param logHostOutput bool

@description('Host name of the Service Bus namespace.')
param serviceBusHostName string

@description('Queue of messages to Genesys.')
param inboundQueue string

@description('Queue of messages to Teams.')
param outboundQueue string

@description('Queue of typing indicators.')
param typingQueue string

@description('URL of the data account\'s Blob service.')
param blobEndpoint string

@description('URL of the Key Vault.')
param keyVaultUri string

// HTTP functions scale as one group, every other function by itself.
var groups = [
  { name: 'http', instanceCount: capacity.always_ready_http_instances }
  { name: 'function:deliver-to-genesys', instanceCount: capacity.always_ready_delivery_instances }
  { name: 'function:deliver-to-teams', instanceCount: capacity.always_ready_delivery_instances }
]

// Every setting of the handler under its own name; only the list of clients has another in the program. In an array, a list begins
// with a second bracket and nothing else does.
var chosen = toObject(
  items(handler),
  it => it.key == 'genesys_client_ids' ? 'GENESYS_CLIENT_ID' : toUpper(it.key),
  it => startsWith(string([it.value]), '[[') ? join(it.value, ',') : string(it.value)
)
var graphEndpoints = {
  AzureUSGovernment: 'https://graph.microsoft.us'
  AzureChinaCloud: 'https://microsoftgraph.chinacloudapi.cn'
}
var botLoginEndpoints = {
  AzureUSGovernment: 'https://login.botframework.azure.us'
  AzureChinaCloud: 'https://login.botframework.azure.cn'
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: capacity.zone_redundant
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    // Everything that the app calls goes through its subnet.
    virtualNetworkSubnetId: empty(appSubnetId) ? null : appSubnetId
    httpsOnly: true
    // Graph and Genesys Cloud call from the internet; each call is verified by its secret or signature.
    publicNetworkAccess: 'Enabled'
    clientAffinityEnabled: false
    clientCertEnabled: false
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'custom'
        // Azure does not check it: with another one the host never starts.
        version: '1.0'
      }
      // In the service, and not yet in the compiler's types.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: capacity.site_update_strategy
      }
      scaleAndConcurrency: {
        maximumInstanceCount: capacity.maximum_instance_count
        instanceMemoryMB: capacity.instance_memory_mb
        alwaysReady: filter(groups, it => it.instanceCount > 0)
        triggers: {
          http: {
            perInstanceConcurrency: capacity.http_concurrency_per_instance
          }
        }
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    // The Functions host.
    // Addresses and not the account's name, from which the host would derive those of the public cloud.
    AzureWebJobsStorage__blobServiceUri: hostAccount.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: hostAccount.properties.primaryEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: hostAccount.properties.primaryEndpoints.table
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    ServiceBus__fullyQualifiedNamespace: serviceBusHostName
    ServiceBus__credential: 'managedidentity'
    ServiceBus__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'

    // The handler: what was chosen, and what only the deployment knows.
    ...chosen
    AZURE_CLIENT_ID: identityClientId
    TENANT_ID: tenant().tenantId
    BLOB_ENDPOINT: blobEndpoint
    KEY_VAULT_URL: keyVaultUri
    ENTRA_ENDPOINT: environment().authentication.loginEndpoint
    GRAPH_ENDPOINT: empty(handler.graph_endpoint) ? graphEndpoints[?environment().name] ?? 'https://graph.microsoft.com' : handler.graph_endpoint
    INBOUND_QUEUE: inboundQueue
    OUTBOUND_QUEUE: outboundQueue
    TYPING_QUEUE: typingQueue
    BOT_APP_ID: botAppId
    BOT_LOGIN_ENDPOINT: empty(handler.bot_login_endpoint) ? botLoginEndpoints[?environment().name] ?? '' : handler.bot_login_endpoint
    ATTACHMENT_RETENTION_DAYS: string(retention.attachment_retention_days)
    CHAT_RETENTION_DAYS: string(retention.chat_retention_days)

    // The handler: times and limits that go with host.json and with what Genesys and Graph take.
    GENESYS_TEXT_LIMIT: '4000'
    ATTEMPT_DEADLINE_SECONDS: '240'
    RETRY_FLOOR_SECONDS: '30'
    UNKNOWN_THREAD_SECONDS: '60'
    GRAPH_POST_TIMEOUT_SECONDS: '10'
    FILE_TIMEOUT_SECONDS: '30'
  }
}

// App Service fetches the package and publishes it, as `func` does (Microsoft Learn, "Microsoft.Web sites/extensions 'onedeploy'").
resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (!empty(packageUrl)) {
  parent: site
  name: 'onedeploy'
  // In the service, and not in the compiler's types.
  #disable-next-line BCP187
  properties: {
    packageUri: packageUrl
    remoteBuild: false
  }
  // A change of settings restarts the app: better before than after.
  dependsOn: [
    settings
  ]
}

// Publishing takes an Entra token; user names and passwords do not work.
resource noPublishingPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource siteLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: site
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: logHostOutput
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Name of the Function App.')
output name string = site.name

@description('Host name of the Function App.')
output hostName string = site.properties.defaultHostName
