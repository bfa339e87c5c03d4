// Everything that the bridge needs in Azure, in one pass. An id that another step makes (of Graph's app, of Genesys) is empty until
// that step has put it into graph-to-open.toml and into the app's settings.

import { Alerts, Bot, Capacity, HandlerSettings, Logs, Network, Retention } from './types.bicep'

@description('Name of this installation, for tags: letters, digits and hyphens.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region, one that has Flex Consumption.')
param location string

@description('Tenant that is meant; empty for whichever.')
param tenantId string = ''

@description('Subscription that is meant; empty for whichever.')
param subscriptionId string = ''

@description('Object id of the Entra group of operators, who may set secrets, read logs and handle failed messages; empty for none.')
param operatorsGroupId string = ''

@description('URL of a release\'s package, which the deployment publishes too; empty where it is published apart.')
param packageUrl string = ''

@description('Whether the vault comes back from what was deleted, with its secrets: for the first deployment after a removal.')
param recoverKeyVault bool = false

@description('What the handler is told.')
param handler HandlerSettings

@description('How long what is kept.')
param retention Retention

@description('How much runs, and on how many shoulders.')
param capacity Capacity

@description('What can be reached from where.')
param network Network

@description('What is written down, and for how long.')
param logs Logs

@description('Who is told of what.')
param alerts Alerts

@description('URL that alerts are posted to as well; empty for none.')
@secure()
param alertWebhookUrl string = ''

@description('The second door to Teams.')
param bot Bot

var abbreviations = loadJsonContent('./abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  application: 'graph-to-open'
  'azd-env-name': environmentName
}

// What is refused before anything is made. The handler refuses most of it too, when it starts; it cannot when nothing else works yet.
var refusals = filter(
  [
    empty(location) ? 'location is missing.' : ''
    empty(handler.support_accounts) ? 'support_accounts names nobody.' : ''
    empty(handler.genesys_domain) ? 'genesys_domain is missing.' : ''
    empty(alerts.alert_email) ? 'alert_email is missing.' : ''
    contains('${string(handler)}${operatorsGroupId}', '00000000-0000-0000-0000-000000000000') ? 'An id is all zeros: leave out what is not known yet, and put the true one where it is.' : ''
    empty(subscriptionId) || toLower(subscriptionId) == toLower(subscription().subscriptionId) ? '' : 'subscription_id is ${subscriptionId}, and this is ${subscription().subscriptionId}: az account set --subscription ${subscriptionId}.'
    empty(tenantId) || toLower(tenantId) == toLower(tenant().tenantId) ? '' : 'tenant_id is ${tenantId}, and this is ${tenant().tenantId}: az login --tenant ${tenantId}.'
    handler.attachment_link_hours <= 24 * retention.attachment_retention_days ? '' : 'attachment_retention_days is shorter than attachment_link_hours: links would lead nowhere.'
    handler.thread_window_hours + 48 <= 24 * retention.chat_retention_days ? '' : 'chat_retention_days is not two days longer than thread_window_hours: a thread would be forgotten within its window.'
    empty(network.app_subnet_id) == empty(network.endpoint_subnet_id) ? '' : 'app_subnet_id and endpoint_subnet_id go together.'
    empty(packageUrl) || network.network_profile != 'private' ? '' : 'package_url does not go with network_profile private, whose host account App Service may not reach: publish.sh --package instead.'
    !bot.bot_enabled || handler.bot_authentication == 'managed-identity' || !empty(handler.bot_app_id) ? '' : 'bot_app_id is missing, which bot_authentication asks for.'
  ],
  it => !empty(it)
)
var settings = empty(refusals) ? handler : fail(join(refusals, ' '))

var isPrivate = network.network_profile == 'private'
var botIsIdentity = settings.bot_authentication == 'managed-identity'
var botAppId = !bot.bot_enabled ? '' : botIsIdentity ? identity.outputs.clientId : settings.bot_app_id

// Agent users have no refresh token.
var signedInAccounts = filter(settings.support_accounts, account => !contains(account, '@'))
var refreshTokenNames = map(signedInAccounts, account => 'graph-refresh-token-${trim(split(account, '=')[0])}')
var clientSecretNames = settings.graph_client_authentication == 'secret' ? [
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

module identity './modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: '${abbreviations.managedIdentities}${token}'
    // Waits for nothing, so what is refused is refused before anything is made, whatever the settings wait for.
    location: empty(refusals) ? location : fail(join(refusals, ' '))
    tags: tags
  }
}

module monitoring './modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspaces}${token}'
    applicationInsightsName: '${abbreviations.applicationInsights}${token}'
    location: location
    tags: tags
    logs: logs
  }
}

module storage './modules/storage.bicep' = {
  name: 'storage'
  params: {
    hostAccountName: '${abbreviations.storageAccounts}host${token}'
    dataAccountName: '${abbreviations.storageAccounts}data${token}'
    location: location
    tags: tags
    capacity: capacity
    retention: retention
    isPrivate: isPrivate
    logBlobAccess: logs.log_blob_access
    workspaceId: monitoring.outputs.workspaceId
  }
}

module serviceBus './modules/servicebus.bicep' = {
  name: 'servicebus'
  params: {
    name: '${abbreviations.serviceBusNamespaces}${token}'
    location: location
    tags: tags
    isPrivate: isPrivate
    operatorAddresses: network.operator_addresses
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault './modules/keyvault.bicep' = {
  name: 'keyvault'
  params: {
    name: '${abbreviations.keyVaults}${token}'
    location: location
    tags: tags
    recover: recoverKeyVault
    isPrivate: isPrivate
    operatorAddresses: network.operator_addresses
    workspaceId: monitoring.outputs.workspaceId
  }
}

module reach './modules/network.bicep' = if (isPrivate) {
  name: 'network'
  params: {
    token: token
    location: location
    tags: tags
    network: network
    hostAccountId: storage.outputs.hostAccountId
    dataAccountId: storage.outputs.dataAccountId
    vaultId: keyVault.outputs.id
    serviceBusId: serviceBus.outputs.id
  }
}

module rbac './modules/rbac.bicep' = {
  name: 'rbac'
  params: {
    principalId: identity.outputs.principalId
    operatorsGroupId: operatorsGroupId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    dataContainers: storage.outputs.dataContainers
    stateContainer: storage.outputs.stateContainer
    failedContainer: storage.outputs.failedContainer
    attachmentsContainer: storage.outputs.attachmentsContainer
    terraformContainer: storage.outputs.terraformContainer
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

module secrets './modules/secrets.bicep' = {
  name: 'secrets'
  params: {
    principalId: identity.outputs.principalId
    keyVaultName: keyVault.outputs.name
    writtenNames: writtenNames
  }
}

module functionApp './modules/functionapp.bicep' = {
  name: 'functionapp'
  params: {
    name: '${abbreviations.functionApps}${token}'
    planName: '${abbreviations.plans}${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    capacity: capacity
    retention: retention
    handler: settings
    botAppId: botAppId
    packageUrl: packageUrl
    appSubnetId: isPrivate ? reach!.outputs.appSubnetId : ''
    hostAccountName: storage.outputs.hostAccountName
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    blobEndpoint: storage.outputs.blobEndpoint
    serviceBusHostName: serviceBus.outputs.hostName
    inboundQueue: serviceBus.outputs.inboundQueue
    outboundQueue: serviceBus.outputs.outboundQueue
    typingQueue: serviceBus.outputs.typingQueue
    keyVaultUri: keyVault.outputs.uri
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workspaceId: monitoring.outputs.workspaceId
    logHostOutput: logs.log_host_output
  }
  // The app starts with its rights in place.
  dependsOn: [
    rbac
    secrets
  ]
}

module alertRules './modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    actionGroupName: '${abbreviations.actionGroups}${token}'
    rulePrefix: '${abbreviations.alertRules}${token}-'
    location: location
    tags: tags
    alerts: alerts
    webhookUrl: alertWebhookUrl
    healthUrl: 'https://${functionApp.outputs.hostName}/api/health'
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
    queues: [
      serviceBus.outputs.inboundQueue
      serviceBus.outputs.outboundQueue
    ]
  }
}

module workbook './modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
  }
}

module botChannel './modules/bot.bicep' = if (bot.bot_enabled) {
  name: 'bot'
  params: {
    name: '${abbreviations.bots}${token}'
    tags: tags
    displayName: bot.bot_display_name
    endpoint: 'https://${functionApp.outputs.hostName}/api/messages'
    appId: botAppId
    identityId: botIsIdentity ? identity.outputs.id : ''
    tenantId: tenant().tenantId
  }
}

@description('Name of the resource group.')
output resourceGroupName string = resourceGroup().name

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

@description('Tells whether the handler is well.')
output healthUrl string = 'https://${functionApp.outputs.hostName}/api/health'

@description('Application id of the bot, which its Teams app names; empty without a bot.')
output botAppId string = botAppId

@description('Name of the Key Vault.')
output keyVaultName string = keyVault.outputs.name

@description('URL of the Key Vault.')
output keyVaultUrl string = keyVault.outputs.uri

@description('Names of the secrets that have their place in the Key Vault.')
output secretNames string[] = writtenNames

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

@description('Storage account of Terraform\'s state of infra/genesys.')
output terraformStateAccount string = storage.outputs.dataAccountName

@description('Container of Terraform\'s state.')
output terraformStateContainer string = storage.outputs.terraformContainer

@description('Resource group of that account.')
output terraformStateResourceGroup string = resourceGroup().name

@description('Public address that the app calls from in a virtual network made here; else empty, for Azure\'s addresses change.')
output outboundAddress string = isPrivate ? reach!.outputs.outboundAddress : ''
