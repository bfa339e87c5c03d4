// A resource group, and the whole installation in it. Who has only a resource group deploys installation.bicep there.

targetScope = 'subscription'

import { Alerts, Bot, Capacity, HandlerSettings, Logs, Network, Retention } from './types.bicep'

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

@description('Name of the resource group; empty for `rg-` and the installation\'s name.')
param resourceGroupName string = ''

@description('Tenant that is meant; empty for whichever.')
param tenantId string = ''

@description('Subscription that is meant; empty for whichever.')
param subscriptionId string = ''

@description('Object id of the Entra group of operators; empty for none.')
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

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: empty(resourceGroupName) ? '${loadJsonContent('./abbreviations.json').resourceGroups}${environmentName}' : resourceGroupName
  location: location
  tags: {
    application: 'graph-to-open'
    'azd-env-name': environmentName
  }
}

// `handler setup` finds what the installation is by this name, in the resource group.
module installation './installation.bicep' = {
  name: 'graph-to-open'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tenantId: tenantId
    subscriptionId: subscriptionId
    operatorsGroupId: operatorsGroupId
    packageUrl: packageUrl
    recoverKeyVault: recoverKeyVault
    handler: handler
    retention: retention
    capacity: capacity
    network: network
    logs: logs
    alerts: alerts
    alertWebhookUrl: alertWebhookUrl
    bot: bot
  }
}

@description('Name of the resource group.')
output resourceGroupName string = group.name

@description('Name of the Function App: where to publish.')
output functionAppName string = installation.outputs.functionAppName

@description('Host name of the Function App.')
output functionAppHostName string = installation.outputs.functionAppHostName

@description('Where Graph sends notifications.')
output graphNotificationUrl string = installation.outputs.graphNotificationUrl

@description('Where Genesys Cloud sends the agents\' messages.')
output genesysWebhookUrl string = installation.outputs.genesysWebhookUrl

@description('Where Genesys Cloud tells that a conversation ended, without the function\'s key.')
output conversationEndedUrl string = installation.outputs.conversationEndedUrl

@description('Tells whether the handler is well.')
output healthUrl string = installation.outputs.healthUrl

@description('Application id of the bot, which its Teams app names; empty without a bot.')
output botAppId string = installation.outputs.botAppId

@description('Name of the Key Vault.')
output keyVaultName string = installation.outputs.keyVaultName

@description('URL of the Key Vault.')
output keyVaultUrl string = installation.outputs.keyVaultUrl

@description('Names of the secrets that have their place in the Key Vault.')
output secretNames string[] = installation.outputs.secretNames

@description('Client id of the managed identity.')
output managedIdentityClientId string = installation.outputs.managedIdentityClientId

@description('Object id of the managed identity\'s service principal.')
output managedIdentityPrincipalId string = installation.outputs.managedIdentityPrincipalId

@description('Host name of the Service Bus namespace.')
output serviceBusNamespace string = installation.outputs.serviceBusNamespace

@description('Name of the storage account that holds files, state and failed messages.')
output dataStorageAccount string = installation.outputs.dataStorageAccount

@description('URL of the data account\'s Blob service: where `handler sign-in` puts its links.')
output blobEndpoint string = installation.outputs.blobEndpoint

@description('Storage account of Terraform\'s state of infra/genesys.')
output terraformStateAccount string = installation.outputs.terraformStateAccount

@description('Container of Terraform\'s state.')
output terraformStateContainer string = installation.outputs.terraformStateContainer

@description('Resource group of that account.')
output terraformStateResourceGroup string = installation.outputs.terraformStateResourceGroup

@description('Public address that the app calls from in a virtual network made here; else empty, for Azure\'s addresses change.')
output outboundAddress string = installation.outputs.outboundAddress
