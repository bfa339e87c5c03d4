// Everything that the bridge needs in Azure, in a resource group of its own. Deployed into a subscription, more than once:
// the first time without the ids of the Graph app registration and of Genesys, which need this deployment's addresses.

targetScope = 'subscription'

@description('Name of this installation, for the resource group and tags: letters, digits and hyphens.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region, one that has Flex Consumption.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('`name=object id` of each Support User, of an agent user `name=object id@client id of its agent identity`, separated by commas. Names: a-z, 0-9 and -, at most 20 characters.')
@minLength(38)
param supportAccounts string

@description('Domain of the Genesys Cloud region, mypurecloud.de for example.')
@minLength(3)
param genesysDomain string

@description('E-mail address that alerts go to.')
@minLength(3)
param alertEmail string

@description('Application id of the Graph app registration. Empty until `handler setup graph` made it.')
param graphClientId string = ''

@description('How the Graph app proves itself to Entra ID: with the managed identity, or with the secret graph-client-secret.')
@allowed([
  'federated'
  'secret'
])
param graphClientAuthentication string = 'federated'

@description('Client id of the agent identity blueprint, where supportAccounts has agent users. Empty for none.')
param agentBlueprintClientId string = ''

@description('URL of Microsoft Graph. The cloud of the United States\' Department of Defense has another one.')
param graphEndpoint string = environment().name == 'AzureUSGovernment' ? 'https://graph.microsoft.us' : (environment().name == 'AzureChinaCloud' ? 'https://microsoftgraph.chinacloudapi.cn' : 'https://graph.microsoft.com')

@description('Id of the open messaging integration. Empty until infra/genesys made it.')
param genesysIntegrationId string = ''

@description('Ids of the Genesys OAuth clients, separated by commas. Empty until infra/genesys made them.')
param genesysClientId string = ''

@description('Calls a minute that Genesys Cloud takes from each of these clients, more where it raised that for you.')
@minValue(30)
@maxValue(30000)
param genesysCallsPerMinute int = 300

@description('Id of the spare Genesys OAuth client, with which genesys-client-secret renews itself. Empty until infra/genesys made it, or for none.')
param genesysSpareClientId string = ''

@description('URL of the Genesys API, only for a region that the handler does not know.')
param genesysApiEndpoint string = ''

@description('URL of the Genesys login service, only for a region that the handler does not know.')
param genesysLoginEndpoint string = ''

@description('Media types that the integration\'s supported content profile takes from customers, separated by commas.')
param genesysMediaTypes string = '*/*'

@description('Object id of the Entra group of operators, who may set secrets and handle failed messages. Empty for none.')
param operatorsGroupId string = ''

@description('HTTP instances that always run. Graph wants an answer within 3 seconds, which a cold start can miss; 0 saves their price.')
@minValue(0)
@maxValue(20)
param alwaysReadyHttpInstances int = 1

@description('HTTP requests at the same time on one instance. The webhooks only verify and enqueue.')
@minValue(1)
@maxValue(1000)
param httpConcurrencyPerInstance int = 100

@description('Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Most instances at the same time.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Version of the custom runtime.')
@allowed([
  '1.0'
])
param runtimeVersion string = '1.0'

@description('How running instances get a new program or new settings. `Recreate` stops them all at once, `RollingUpdate` (a preview of Azure) one batch after another: without a gap only with two or more HTTP instances always ready.')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param siteUpdateStrategy string = 'Recreate'

@description('Redundancy of the data account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageReplication string = 'Standard_ZRS'

@description('Hours that a link to a file works. Not longer than attachmentRetentionDays.')
@minValue(1)
@maxValue(144)
param attachmentLinkHours int = 144

@description('Days after which files are deleted. softDeleteDays and up to two days of the lifecycle rule\'s own pace come on top.')
@minValue(1)
@maxValue(3650)
param attachmentRetentionDays int = 7

@description('Days without a message after which what is remembered of a chat is deleted. At least two days longer than threadWindowHours.')
@minValue(30)
@maxValue(3650)
param chatRetentionDays int = 180

@description('Days after which failed messages are deleted; nobody can replay them then.')
@minValue(15)
@maxValue(3650)
param failedRetentionDays int = 90

@description('Days for which deleted and overwritten blobs can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Largest file in MB, both ways; Genesys Cloud takes 25.')
@minValue(1)
@maxValue(1024)
param attachmentLimitMB int = 25

@description('Further https origins that files may come from, separated by commas, or nothing for Genesys\' own.')
param fileOrigins string = ''

@description('Host names that files may come from as long as they lead to public addresses, separated by commas, or `none`.')
param fileHosts string = '*.sharepoint.com,*.sharepoint.us,*.sharepoint-mil.us,*.sharepoint.cn'

@description('Group chats whose messages go to the agent.')
@allowed([
  'off'
  'mention'
  'all'
])
param groupChats string = 'mention'

@description('Hours that a thread stays the same after its last message.')
@minValue(1)
@maxValue(8760)
param threadWindowHours int = 24

@description('After the window: `same` keeps the thread, `new` begins another.')
@allowed([
  'same'
  'new'
])
param threadWindowPolicy string = 'same'

@description('What a customer reads when a message of theirs could not be delivered: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param failureNotice string = 'standard'

@description('What a customer reads when a message of theirs waits for long: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param delayNotice string = 'standard'

@description('Minutes that a customer\'s message may wait before its sender is told; 0 for never.')
@minValue(0)
@maxValue(1440)
param delayNoticeMinutes int = 10

@description('Language of the standard texts where Teams does not tell the customer\'s.')
@allowed([
  'de'
  'en'
  'es'
  'fr'
  'it'
  'ja'
  'nl'
  'pl'
  'pt'
  'zh-hans'
])
param noticeLanguage string = 'en'

@description('Whose messages are passed on: `all`, or ids of Entra tenants, separated by commas.')
@minLength(1)
param customerTenants string = 'all'

@description('What people of other tenants read once a day: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param tenantNotice string = 'standard'

@description('Seconds that a message may wait for what Microsoft\'s directories tell of its sender; 0 asks nothing.')
@minValue(0)
@maxValue(30)
param customerLookupSeconds int = 5

@description('With whose right Graph\'s subscriptions are made: the Graph app\'s own (Chat.Read.All), the Support User\'s (Chat.Read), or the latter where Graph allows it.')
@allowed([
  'application'
  'delegated'
  'auto'
])
param subscriptionAccess string = 'application'

@description('Minutes between two looks at each Support User\'s list of chats for messages that Graph did not tell of; 0 leaves it at once a day and after a gap.')
@minValue(0)
@maxValue(60)
param silenceCheckMinutes int = 2

@description('What the agent sees of a message that a customer replies to.')
@allowed([
  'quote'
  'strip'
])
param replyContext string = 'quote'

@description('Whether the agent is told of reactions.')
@allowed([
  'off'
  'on'
])
param reactions string = 'off'

@description('How much the handler logs. Alerts and the workbook need `info`.')
@allowed([
  'error'
  'warn'
  'info'
  'debug'
  'trace'
])
param logLevel string = 'info'

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day after which no more are taken until the next day; -1 for no limit. Without logs the log alerts are blind: an alert of its own tells.')
@minValue(-1)
@maxValue(1000)
param dailyLogQuotaGb int = 5

@description('Log reads and writes of blobs too, not only deletions.')
param logBlobAccess bool = false

@description('Send the output of host and handler to the workspace a second time, beside Application Insights.')
param logHostOutput bool = false

@description('Minutes that a message may wait for its delivery before an alert.')
@minValue(1)
@maxValue(1440)
param waitingAlertMinutes int = 15

@description('Messages on one queue that make an alert.')
@minValue(1)
param backlogAlertMessages int = 1000

@description('Messages that a queue may hold for a whole hour without an alert: 0 where queues are empty now and then.')
@minValue(0)
param standingQueueMessages int = 0

@description('Percent of deliveries handed back within 15 minutes that make an alert.')
@minValue(1)
@maxValue(100)
param errorShareAlertPercent int = 20

@description('Throttled attempts and pauses within 15 minutes that make an alert.')
@minValue(1)
param throttlingAlertCount int = 50

@description('Hours without any notification from Graph after which an alert says that the subscription may be gone; 0 for no such alert. Choose more than the longest quiet time, a weekend for example.')
@allowed([
  0
  1
  2
  3
  4
  5
  6
  24
  48
])
param subscriptionSilentHours int = 48

@description('Make an Azure Bot with the Teams channel: the second door, for people of tenants that install the app of infra/teams-app.')
param botEnabled bool = false

@description('Name of the bot that people see in Teams.')
@minLength(1)
@maxLength(42)
param botDisplayName string = 'Support'

@description('How the bot proves itself to Teams: as the managed identity, which is then the bot; or as the app registration botAppId, with a federated credential of that identity or with the secret bot-client-secret. Azure does not change this of a bot that is there.')
@allowed([
  'managed-identity'
  'federated'
  'secret'
])
param botAuthentication string = 'managed-identity'

@description('Application id of the bot\'s own app registration, in this tenant. Empty where the bot is the managed identity.')
param botAppId string = ''

@description('Name of the bot among the support accounts, part of its threads\' ids: a-z, 0-9 and -, at most 20 characters, and none of those in supportAccounts.')
@minLength(1)
@maxLength(20)
param botAccount string = 'bot'

@description('URL of the service that signs what Teams sends to bots, empty for that of the public cloud.')
param botLoginEndpoint string = environment().name == 'AzureUSGovernment' ? 'https://login.botframework.azure.us' : (environment().name == 'AzureChinaCloud' ? 'https://login.botframework.azure.cn' : '')

@description('Https origins of Teams\' connector, separated by commas: the bot\'s token goes nowhere else.')
@minLength(1)
param botConnectorOrigins string = 'https://smba.trafficmanager.net,https://smba.infra.gcc.teams.microsoft.com,https://smba.infra.gov.teams.microsoft.us'

@description('What a customer reads when the bot is added: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param botGreeting string = 'standard'

@description('Which name of the agent stands before a message when another one writes.')
@allowed([
  'off'
  'first'
  'full'
  'alias'
])
param agentName string = 'off'

@description('Name that stands before what a bot of Genesys Cloud writes, where agentName is not `off`.')
@minLength(1)
param virtualAgentName string = 'Virtual assistant'

@description('Minutes after an agent\'s message in which Genesys is told that the customer is typing; 0 for never.')
@minValue(0)
@maxValue(1440)
param typingMinutes int = 10

@description('Words by which a customer ends the conversation, separated by commas, or `off`.')
@minLength(1)
param endWords string = 'off'

@description('What a customer reads when the conversation has ended: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param endedNotice string = 'standard'

@description('What a customer reads when another agent takes the conversation over: `standard`, `off`, or a text of your own.')
@minLength(1)
@maxLength(1000)
param transferNotice string = 'off'

@description('Whether a chat is marked as read for the Support User when the agent answers.')
@allowed([
  'off'
  'on'
])
param markRead string = 'off'

var abbreviations = loadJsonContent('./abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  application: 'graph-to-open'
  'azd-env-name': environmentName
}

var botIsIdentity = botAuthentication == 'managed-identity'

// A setting must be a GUID for the handler to start. With this one it starts, and what needs the true id fails.
var placeholder = '00000000-0000-0000-0000-000000000000'

// Agent users have no refresh token.
var signedInAccounts = filter(split(supportAccounts, ','), account => !contains(account, '@'))
var accountNames = [for account in signedInAccounts: trim(split(account, '=')[0])]
var refreshTokenNames = [for account in accountNames: 'graph-refresh-token-${account}']
var clientSecretNames = graphClientAuthentication == 'secret' ? [
  'graph-client-secret'
  'graph-client-secret-next'
] : []
var madeNames = [
  'graph-client-state'
  'graph-client-state-next'
  'graph-client-state-previous'
  'graph-notification-key'
  'graph-notification-key-next'
  'graph-notification-key-previous'
  'genesys-webhook-secret'
  'genesys-webhook-secret-next'
  'genesys-webhook-secret-previous'
]
var genesysClientNames = [
  'genesys-client-secret'
  'genesys-client-secret-next'
]
var writtenNames = concat(madeNames, genesysClientNames, clientSecretNames, refreshTokenNames)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${abbreviations.resourceGroups}${environmentName}'
  location: location
  tags: tags
}

module identity './modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentities}${token}'
    location: location
    tags: tags
  }
}

module monitoring './modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspaces}${token}'
    applicationInsightsName: '${abbreviations.applicationInsights}${token}'
    location: location
    tags: tags
    logRetentionDays: logRetentionDays
    dailyLogQuotaGb: dailyLogQuotaGb
  }
}

module storage './modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    hostAccountName: '${abbreviations.storageAccounts}host${token}'
    dataAccountName: '${abbreviations.storageAccounts}data${token}'
    location: location
    tags: tags
    replication: storageReplication
    attachmentRetentionDays: attachmentRetentionDays
    chatRetentionDays: chatRetentionDays
    failedRetentionDays: failedRetentionDays
    softDeleteDays: softDeleteDays
    logBlobAccess: logBlobAccess
    workspaceId: monitoring.outputs.workspaceId
  }
}

module serviceBus './modules/servicebus.bicep' = {
  name: 'servicebus'
  scope: group
  params: {
    name: '${abbreviations.serviceBusNamespaces}${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault './modules/keyvault.bicep' = {
  name: 'keyvault'
  scope: group
  params: {
    name: '${abbreviations.keyVaults}${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module rbac './modules/rbac.bicep' = {
  name: 'rbac'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    operatorsGroupId: operatorsGroupId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    dataContainers: storage.outputs.dataContainers
    stateContainer: storage.outputs.stateContainer
    failedContainer: storage.outputs.failedContainer
    attachmentsContainer: storage.outputs.attachmentsContainer
    serviceBusName: serviceBus.outputs.name
    triggerQueues: [
      serviceBus.outputs.inboundQueue
      serviceBus.outputs.outboundQueue
      serviceBus.outputs.typingQueue
    ]
    keptQueues: [
      serviceBus.outputs.inboundQueue
      serviceBus.outputs.outboundQueue
    ]
    keyVaultName: keyVault.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module functionApp './modules/functionapp.bicep' = {
  name: 'functionapp'
  scope: group
  params: {
    name: '${abbreviations.functionApps}${token}'
    planName: '${abbreviations.plans}${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    runtimeVersion: runtimeVersion
    siteUpdateStrategy: siteUpdateStrategy
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttpInstances: alwaysReadyHttpInstances
    httpConcurrencyPerInstance: httpConcurrencyPerInstance
    hostAccountName: storage.outputs.hostAccountName
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workspaceId: monitoring.outputs.workspaceId
    logHostOutput: logHostOutput
    graphClientId: empty(graphClientId) ? placeholder : graphClientId
    graphClientAuthentication: graphClientAuthentication
    graphEndpoint: graphEndpoint
    supportAccounts: supportAccounts
    agentBlueprintClientId: agentBlueprintClientId
    genesysDomain: genesysDomain
    genesysApiEndpoint: genesysApiEndpoint
    genesysLoginEndpoint: genesysLoginEndpoint
    genesysIntegrationId: empty(genesysIntegrationId) ? placeholder : genesysIntegrationId
    genesysClientId: empty(genesysClientId) ? placeholder : genesysClientId
    genesysCallsPerMinute: genesysCallsPerMinute
    genesysSpareClientId: genesysSpareClientId
    genesysMediaTypes: genesysMediaTypes
    serviceBusHostName: serviceBus.outputs.hostName
    inboundQueue: serviceBus.outputs.inboundQueue
    outboundQueue: serviceBus.outputs.outboundQueue
    typingQueue: serviceBus.outputs.typingQueue
    blobEndpoint: storage.outputs.blobEndpoint
    keyVaultUri: keyVault.outputs.uri
    botAppId: !botEnabled ? '' : botIsIdentity ? identity.outputs.clientId : botAppId
    botAuthentication: botAuthentication
    botAccount: botAccount
    botLoginEndpoint: botLoginEndpoint
    botConnectorOrigins: botConnectorOrigins
    botGreeting: botGreeting
    agentName: agentName
    virtualAgentName: virtualAgentName
    typingMinutes: typingMinutes
    endWords: endWords
    endedNotice: endedNotice
    transferNotice: transferNotice
    markRead: markRead
    customerTenants: customerTenants
    tenantNotice: tenantNotice
    customerLookupSeconds: customerLookupSeconds
    subscriptionAccess: subscriptionAccess
    silenceCheckMinutes: silenceCheckMinutes
    groupChats: groupChats
    threadWindowHours: threadWindowHours
    threadWindowPolicy: threadWindowPolicy
    failureNotice: failureNotice
    delayNotice: delayNotice
    delayNoticeMinutes: delayNoticeMinutes
    noticeLanguage: noticeLanguage
    replyContext: replyContext
    reactions: reactions
    attachmentLimitMB: attachmentLimitMB
    attachmentLinkHours: attachmentLinkHours
    attachmentRetentionDays: attachmentRetentionDays
    chatRetentionDays: chatRetentionDays
    fileOrigins: fileOrigins
    fileHosts: fileHosts
    logLevel: logLevel
  }
  // The app starts with its rights in place.
  dependsOn: [
    rbac
    secrets
  ]
}

module alerts './modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    actionGroupName: '${abbreviations.actionGroups}${token}'
    rulePrefix: '${abbreviations.alertRules}${token}-'
    location: location
    tags: tags
    alertEmail: alertEmail
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
    queues: [
      serviceBus.outputs.inboundQueue
      serviceBus.outputs.outboundQueue
    ]
    waitingAlertMinutes: waitingAlertMinutes
    backlogAlertMessages: backlogAlertMessages
    standingQueueMessages: standingQueueMessages
    errorShareAlertPercent: errorShareAlertPercent
    throttlingAlertCount: throttlingAlertCount
    subscriptionSilentHours: subscriptionSilentHours
  }
}

module workbook './modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
  }
}

module secrets './modules/secrets.bicep' = {
  name: 'secrets'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    keyVaultName: keyVault.outputs.name
    writtenNames: writtenNames
  }
}

module bot './modules/bot.bicep' = if (botEnabled) {
  name: 'bot'
  scope: group
  params: {
    name: '${abbreviations.bots}${token}'
    tags: tags
    displayName: botDisplayName
    endpoint: 'https://${functionApp.outputs.hostName}/api/messages'
    appId: botIsIdentity ? identity.outputs.clientId : botAppId
    identityId: botIsIdentity ? identity.outputs.id : ''
    tenantId: tenant().tenantId
  }
}

@description('Name of the resource group.')
output resourceGroupName string = group.name

@description('Name of the Function App: where to publish.')
output functionAppName string = functionApp.outputs.name

@description('Host name of the Function App.')
output functionAppHostName string = functionApp.outputs.hostName

@description('Where Graph sends notifications.')
output graphNotificationUrl string = 'https://${functionApp.outputs.hostName}/api/graph/notifications'

@description('Where Genesys Cloud sends the agents\' messages.')
output genesysWebhookUrl string = 'https://${functionApp.outputs.hostName}/api/genesys/webhook'

@description('Where Genesys Cloud tells that a conversation ended, without the function\'s key.')
output conversationEndedUrl string = 'https://${functionApp.outputs.hostName}/api/genesys/conversation-ended'

@description('Application id of the bot, which its Teams app names; empty without a bot.')
output botAppId string = !botEnabled ? '' : botIsIdentity ? identity.outputs.clientId : botAppId

@description('Tells whether the handler is well.')
output healthUrl string = 'https://${functionApp.outputs.hostName}/api/health'

@description('Name of the Key Vault.')
output keyVaultName string = keyVault.outputs.name

@description('Names of the secrets that have their place in the Key Vault.')
output secretNames array = writtenNames

@description('Client id of the managed identity.')
output managedIdentityClientId string = identity.outputs.clientId

@description('Object id of the managed identity\'s service principal.')
output managedIdentityPrincipalId string = identity.outputs.principalId

@description('Host name of the Service Bus namespace.')
output serviceBusNamespace string = serviceBus.outputs.hostName

@description('Name of the storage account that holds files, state and failed messages.')
output dataStorageAccount string = storage.outputs.dataAccountName

@description('URL of the data account\'s Blob service: where `handler sign-in` puts its links.')
output blobEndpoint string = storage.outputs.blobEndpoint
