// The second door to Teams: a bot that runs as the managed identity, so it has no secret. Off by default.

@description('Name of the bot.')
param name string

@description('Tags of the resources.')
param tags object

@description('Name that people see in Teams.')
@maxLength(42)
param displayName string

@description('Host name of the Function App.')
param functionAppHostName string

@description('Resource id of the managed identity.')
param identityId string

@description('Client id of the managed identity: the bot\'s application id.')
param identityClientId string

@description('Tenant of the managed identity.')
param tenantId string

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: name
  location: 'global'
  tags: tags
  kind: 'azurebot'
  sku: {
    name: 'F0'
  }
  properties: {
    displayName: displayName
    endpoint: 'https://${functionAppHostName}/api/bot/messages'
    msaAppType: 'UserAssignedMSI'
    msaAppId: identityClientId
    msaAppMSIResourceId: identityId
    msaAppTenantId: tenantId
    disableLocalAuth: true
    isStreamingSupported: false
    // Teams calls from the internet.
    publicNetworkAccess: 'Enabled'
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      acceptedTerms: true
      enableCalling: false
      isEnabled: true
    }
  }
}
