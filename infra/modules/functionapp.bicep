// The Flex Consumption plan, the Function App with the custom runtime, and every setting of the handler.

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

@description('Version of the custom runtime. Azure does not check it: with another one the host never starts.')
@allowed([
  '1.0'
])
param runtimeVersion string

@description('How running instances get a new program or new settings.')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param siteUpdateStrategy string

@description('Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int

@description('Most instances at the same time.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Instances for HTTP functions that always run; 0 for none.')
@minValue(0)
@maxValue(20)
param alwaysReadyHttpInstances int

@description('HTTP requests at the same time on one instance.')
@minValue(1)
@maxValue(1000)
param httpConcurrencyPerInstance int

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

@description('Application id of the Graph app registration.')
param graphClientId string

@description('How the Graph app proves itself to Entra ID.')
@allowed([
  'federated'
  'secret'
])
param graphClientAuthentication string

@description('URL of Microsoft Graph.')
param graphEndpoint string

@description('`name=object id` of each Support User, of an agent user `name=object id@client id of its agent identity`, separated by commas.')
param supportAccounts string

@description('Client id of the agent identity blueprint, or nothing.')
param agentBlueprintClientId string

@description('Domain of the Genesys Cloud region.')
param genesysDomain string

@description('URL of the Genesys API for a region that the handler does not know, or nothing.')
param genesysApiEndpoint string

@description('URL of the Genesys login service for a region that the handler does not know, or nothing.')
param genesysLoginEndpoint string

@description('Id of the open messaging integration.')
param genesysIntegrationId string

@description('Ids of the Genesys OAuth clients, separated by commas.')
param genesysClientId string

@description('Calls a minute that Genesys Cloud takes from each of these clients.')
param genesysCallsPerMinute int

@description('Id of the spare Genesys OAuth client, or nothing.')
param genesysSpareClientId string

@description('Media types that the integration\'s supported content profile takes from customers.')
param genesysMediaTypes string

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

@description('Group chats whose messages go to the agent.')
@allowed([
  'off'
  'mention'
  'all'
])
param groupChats string

@description('Hours that a thread stays the same after its last message.')
@minValue(1)
@maxValue(8760)
param threadWindowHours int

@description('What happens to the thread after the window.')
@allowed([
  'same'
  'new'
])
param threadWindowPolicy string

@description('What a customer reads when a message of theirs could not be delivered: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param failureNotice string

@description('What a customer reads when a message of theirs waits for long: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param delayNotice string

@description('Minutes that a customer\'s message may wait before its sender is told; 0 for never.')
@minValue(0)
@maxValue(1440)
param delayNoticeMinutes int

@description('Language of the standard texts where Teams does not tell the customer\'s.')
param noticeLanguage string

@description('Application id of the bot, or nothing for no bot.')
param botAppId string

@description('How the bot proves itself to Teams.')
@allowed([
  'managed-identity'
  'federated'
  'secret'
])
param botAuthentication string

@description('Name of the bot among the support accounts.')
@maxLength(20)
param botAccount string

@description('URL of the service that signs what Teams sends to bots, or nothing for that of the public cloud.')
param botLoginEndpoint string

@description('Https origins of Teams\' connector, separated by commas.')
param botConnectorOrigins string

@description('What a customer reads when the bot is added: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param botGreeting string

@description('Which name of the agent stands before a message when another one writes.')
@allowed([
  'off'
  'first'
  'full'
  'alias'
])
param agentName string

@description('Name that stands before what a bot of Genesys Cloud writes.')
param virtualAgentName string

@description('Minutes after an agent\'s message in which Genesys is told that the customer is typing; 0 for never.')
@minValue(0)
@maxValue(1440)
param typingMinutes int

@description('Words by which a customer ends the conversation, separated by commas, or `off`.')
param endWords string

@description('What a customer reads when the conversation has ended: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param endedNotice string

@description('What a customer reads when another agent takes the conversation over: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param transferNotice string

@description('Whether a chat is marked as read for the Support User when the agent answers.')
@allowed([
  'off'
  'on'
])
param markRead string

@description('Whose messages are passed on: `all`, or ids of Entra tenants, separated by commas.')
param customerTenants string

@description('What people of other tenants read once a day: `standard`, `off`, or a text of its own.')
@maxLength(1000)
param tenantNotice string

@description('Seconds that a message may wait for what the directories tell of its sender.')
@minValue(0)
@maxValue(30)
param customerLookupSeconds int

@description('With whose right Graph\'s subscriptions are made.')
@allowed([
  'application'
  'delegated'
  'auto'
])
param subscriptionAccess string

@description('Minutes between two looks at each Support User\'s list of chats for messages that Graph did not tell of.')
@minValue(0)
@maxValue(60)
param silenceCheckMinutes int

@description('What the agent sees of a message that a customer replies to.')
@allowed([
  'quote'
  'strip'
])
param replyContext string

@description('Whether the agent is told of reactions.')
@allowed([
  'off'
  'on'
])
param reactions string

@description('Largest file in MB.')
@minValue(1)
@maxValue(1024)
param attachmentLimitMB int

@description('Hours that a link to a file works.')
@minValue(1)
@maxValue(144)
param attachmentLinkHours int

@description('Days after which the storage account deletes files.')
@minValue(1)
@maxValue(3650)
param attachmentRetentionDays int

@description('Days without a message after which the storage account deletes what is remembered of a chat.')
@minValue(30)
@maxValue(3650)
param chatRetentionDays int

@description('Further https origins that files may come from, separated by commas, or nothing for Genesys\' own.')
param fileOrigins string

@description('Host names that files may come from, separated by commas, or `none`.')
param fileHosts string

@description('How much the handler logs.')
@allowed([
  'error'
  'warn'
  'info'
  'debug'
  'trace'
])
param logLevel string

var alwaysReady = [
  {
    name: 'http'
    instanceCount: alwaysReadyHttpInstances
  }
]

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
        version: runtimeVersion
      }
      // In the service, and not yet in the compiler's types.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: siteUpdateStrategy
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
        alwaysReady: alwaysReadyHttpInstances > 0 ? alwaysReady : []
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrencyPerInstance
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

    // The handler: identities and addresses.
    AZURE_CLIENT_ID: identityClientId
    TENANT_ID: tenant().tenantId
    GRAPH_CLIENT_ID: graphClientId
    GRAPH_CLIENT_AUTHENTICATION: graphClientAuthentication
    SUPPORT_ACCOUNTS: supportAccounts
    AGENT_BLUEPRINT_CLIENT_ID: agentBlueprintClientId
    GENESYS_DOMAIN: genesysDomain
    GENESYS_API_ENDPOINT: genesysApiEndpoint
    GENESYS_LOGIN_ENDPOINT: genesysLoginEndpoint
    GENESYS_INTEGRATION_ID: genesysIntegrationId
    GENESYS_CLIENT_ID: genesysClientId
    GENESYS_CALLS_PER_MINUTE: string(genesysCallsPerMinute)
    GENESYS_SPARE_CLIENT_ID: genesysSpareClientId
    BLOB_ENDPOINT: blobEndpoint
    KEY_VAULT_URL: keyVaultUri
    ENTRA_ENDPOINT: environment().authentication.loginEndpoint
    GRAPH_ENDPOINT: graphEndpoint
    INBOUND_QUEUE: inboundQueue
    OUTBOUND_QUEUE: outboundQueue
    TYPING_QUEUE: typingQueue

    // The handler: the bot.
    BOT_APP_ID: botAppId
    BOT_AUTHENTICATION: botAuthentication
    BOT_ACCOUNT: botAccount
    BOT_LOGIN_ENDPOINT: botLoginEndpoint
    BOT_CONNECTOR_ORIGINS: botConnectorOrigins
    BOT_GREETING: botGreeting

    // The handler: what it does with messages and files.
    CUSTOMER_TENANTS: customerTenants
    TENANT_NOTICE: tenantNotice
    CUSTOMER_LOOKUP_SECONDS: string(customerLookupSeconds)
    SUBSCRIPTION_ACCESS: subscriptionAccess
    SILENCE_CHECK_MINUTES: string(silenceCheckMinutes)
    GROUP_CHATS: groupChats
    THREAD_WINDOW_HOURS: string(threadWindowHours)
    THREAD_WINDOW_POLICY: threadWindowPolicy
    FAILURE_NOTICE: failureNotice
    DELAY_NOTICE: delayNotice
    DELAY_NOTICE_MINUTES: string(delayNoticeMinutes)
    NOTICE_LANGUAGE: noticeLanguage
    AGENT_NAME: agentName
    VIRTUAL_AGENT_NAME: virtualAgentName
    TYPING_MINUTES: string(typingMinutes)
    END_WORDS: endWords
    ENDED_NOTICE: endedNotice
    TRANSFER_NOTICE: transferNotice
    MARK_READ: markRead
    REPLY_CONTEXT: replyContext
    REACTIONS: reactions
    ATTACHMENT_LIMIT_MB: string(attachmentLimitMB)
    ATTACHMENT_LINK_HOURS: string(attachmentLinkHours)
    ATTACHMENT_RETENTION_DAYS: string(attachmentRetentionDays)
    CHAT_RETENTION_DAYS: string(chatRetentionDays)
    FILE_ORIGINS: fileOrigins
    FILE_HOSTS: fileHosts
    GENESYS_MEDIA_TYPES: genesysMediaTypes
    LOG_LEVEL: logLevel

    // The handler: times and limits that go with host.json and with what Genesys and Graph take.
    GENESYS_TEXT_LIMIT: '4000'
    ATTEMPT_DEADLINE_SECONDS: '240'
    RETRY_FLOOR_SECONDS: '30'
    UNKNOWN_THREAD_SECONDS: '60'
    GRAPH_POST_TIMEOUT_SECONDS: '10'
    FILE_TIMEOUT_SECONDS: '30'
  }
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
