// The second door to Teams: a bot. By default it is the managed identity itself, so it has no secret and no registration of its own.

@description('Name of the bot.')
param name string

@description('Tags of the resources.')
param tags object

@description('Name that people see in Teams.')
@maxLength(42)
param displayName string

@description('Where the connector sends what people write to the bot.')
param endpoint string

@description('Application id of the bot: the client id of the managed identity, or that of an app registration of its own.')
param appId string

@description('Resource id of the managed identity, where the bot is that identity; else nothing.')
param identityId string

@description('Tenant of the managed identity or of the app registration.')
param tenantId string

var isIdentity = !empty(identityId)

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
    endpoint: endpoint
    // Azure makes no new bots of the type MultiTenant. People of other tenants reach either of these where the app is installed.
    msaAppType: isIdentity ? 'UserAssignedMSI' : 'SingleTenant'
    msaAppId: appId
    msaAppMSIResourceId: isIdentity ? identityId : null
    msaAppTenantId: tenantId
    // Direct Line's and Web Chat's keys: the bridge talks to Teams alone.
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
