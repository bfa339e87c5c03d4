// The app registration with which the bridge reads and writes Teams chats, and what it is permitted. Deployed once by an
// administrator of Entra ID, into the resource group that ../main.bicep made. README.md beside it has the same as commands.

extension microsoftGraphV1

@description('Name of the app registration that people see.')
param displayName string = 'Graph-to-Open (${resourceGroup().name})'

@description('Key by which a repeated deployment finds the app registration again. Never changes; another installation in the tenant has another one.')
param uniqueName string = 'graph-to-open-${uniqueString(resourceGroup().id)}'

@description('Host name of the Function App: output functionAppHostName of the main deployment.')
param functionAppHostName string

@description('Object id of the managed identity\'s service principal: output managedIdentityPrincipalId of the main deployment.')
@minLength(36)
@maxLength(36)
param managedIdentityPrincipalId string

@description('`name=object id` of each Support User, separated by commas, as in the main deployment. The delegated permissions are granted for these people only; agent users (with `@`) are left out, since their permissions are their agent identity\'s.')
@minLength(38)
param supportAccounts string

@description('How the app proves itself to Entra ID: by the managed identity, or by a client secret.')
@allowed([
  'federated'
  'secret'
])
param graphClientAuthentication string = 'federated'

@description('Let the managed identity renew the client secret, where the app has one: the function secret-rotation does so.')
param grantSecretRotation bool = true

@description('Object ids of people who own the app registration, besides its maker.')
param ownerIds array = []

var delegatedPermissions = [
  'Chat.ReadWrite'
  'ChatMessage.Send'
  'Files.Read.All'
  'offline_access'
  'CrossTenantInformation.ReadBasic.All'
  'User.ReadBasic.All'
]

// A sign-in asks for these to learn who signed in.
var signInScopes = 'openid profile'

// Held by the app itself: a subscription to all chats of a user needs it.
var applicationPermission = 'Chat.Read.All'

// Held by the managed identity, and of use only for apps that it owns: renewing the client secret.
var ownedAppsPermission = 'Application.ReadWrite.OwnedBy'

var signedInAccounts = filter(split(supportAccounts, ','), account => !contains(account, '@'))
var supportUserIds = [for account in signedInAccounts: trim(split(account, '=')[1])]
var federated = graphClientAuthentication == 'federated'
var rotates = grantSecretRotation && !federated

resource microsoftGraph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource app 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  isFallbackPublicClient: false
  owners: {
    relationships: rotates ? concat(ownerIds, array(managedIdentityPrincipalId)) : ownerIds
  }
  web: {
    redirectUris: [
      'https://${functionAppHostName}/api/sign-in'
    ]
    implicitGrantSettings: {
      enableAccessTokenIssuance: false
      enableIdTokenIssuance: false
    }
  }
  requiredResourceAccess: [
    {
      resourceAppId: microsoftGraph.appId
      resourceAccess: [
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[0])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[1])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[2])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[3])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[4])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.oauth2PermissionScopes, scope => scope.value == delegatedPermissions[5])[0].id
          type: 'Scope'
        }
        {
          id: filter(microsoftGraph.appRoles, role => role.value == applicationPermission)[0].id
          type: 'Role'
        }
      ]
    }
  ]
}

// The managed identity's token is the app's credential: nothing to store, nothing to renew.
resource credential 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = if (federated) {
  name: '${app.uniqueName}/managed-identity'
  description: 'The managed identity of the Function App'
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: managedIdentityPrincipalId
  audiences: [
    'api://AzureADTokenExchange'
  ]
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: app.appId
}

resource delegatedGrants 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = [for userId in supportUserIds: {
  clientId: servicePrincipal.id
  resourceId: microsoftGraph.id
  consentType: 'Principal'
  principalId: userId
  scope: '${signInScopes} ${join(delegatedPermissions, ' ')}'
}]

resource applicationGrant 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  principalId: servicePrincipal.id
  resourceId: microsoftGraph.id
  appRoleId: filter(microsoftGraph.appRoles, role => role.value == applicationPermission)[0].id
}

resource ownedAppsGrant 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (rotates) {
  principalId: managedIdentityPrincipalId
  resourceId: microsoftGraph.id
  appRoleId: filter(microsoftGraph.appRoles, role => role.value == ownedAppsPermission)[0].id
}

@description('Application id: the parameter graphClientId of the main deployment.')
output graphClientId string = app.appId

@description('Object id of the app registration.')
output graphApplicationObjectId string = app.id

@description('Object id of the app\'s service principal.')
output graphServicePrincipalId string = servicePrincipal.id
