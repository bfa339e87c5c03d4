// The identity that the Function App runs as. It is user-assigned so that its rights exist before the app starts, and so
// that it can be the credential of the Graph app registration and of the bot.

@description('Name of the managed identity.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id: the setting AZURE_CLIENT_ID.')
output clientId string = identity.properties.clientId

@description('Object id of the identity\'s service principal: the holder of role assignments.')
output principalId string = identity.properties.principalId
