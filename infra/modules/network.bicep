// Private addresses: a virtual network, or subnets that exist; an endpoint for each service that the app uses; the names by which
// it finds them. A new subnet has no way to the internet of its own, so the network has a gateway, with an address that stays.

import { Network } from '../types.bicep'

@description('What the names of this installation end with.')
param token string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('What can be reached from where.')
param network Network

@description('Resource id of the account of the Functions host.')
param hostAccountId string

@description('Resource id of the account that holds the bridge\'s data.')
param dataAccountId string

@description('Resource id of the Key Vault.')
param vaultId string

@description('Resource id of the Service Bus namespace.')
param serviceBusId string

var abbreviations = loadJsonContent('../abbreviations.json')
var makesNetwork = empty(network.app_subnet_id)
var makesZones = network.private_dns == 'own'
var registers = network.private_dns != 'policy'

// The zones' names ("Azure Private Endpoint private DNS zone values" in the documentation of Private Link).
var storageSuffix = environment().suffixes.storage
var zoneNames = {
  blob: 'privatelink.blob.${storageSuffix}'
  queue: 'privatelink.queue.${storageSuffix}'
  table: 'privatelink.table.${storageSuffix}'
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  namespace: 'privatelink.servicebus.${replace(storageSuffix, 'core.', '')}'
}

// The Functions host keeps locks and keys in blobs, and uses queues and tables beside.
var targets = [
  { name: 'host-blob', id: hostAccountId, group: 'blob' }
  { name: 'host-queue', id: hostAccountId, group: 'queue' }
  { name: 'host-table', id: hostAccountId, group: 'table' }
  { name: 'data-blob', id: dataAccountId, group: 'blob' }
  { name: 'vault', id: vaultId, group: 'vault' }
  { name: 'servicebus', id: serviceBusId, group: 'namespace' }
]

resource gatewayAddress 'Microsoft.Network/publicIPAddresses@2024-05-01' = if (makesNetwork) {
  name: '${abbreviations.publicAddresses}${token}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource gateway 'Microsoft.Network/natGateways@2024-05-01' = if (makesNetwork) {
  name: '${abbreviations.natGateways}${token}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: gatewayAddress.id
      }
    ]
  }
}

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2024-05-01' = if (makesNetwork) {
  name: '${abbreviations.virtualNetworks}${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        network.network_address_space
      ]
    }
    // Inside the network: a subnet of its own would be taken away when the network is deployed again.
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(network.network_address_space, 26, 0)
          defaultOutboundAccess: false
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
          natGateway: {
            id: gateway.id
          }
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(network.network_address_space, 27, 2)
          defaultOutboundAccess: false
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

var appSubnetId = makesNetwork ? virtualNetwork::app.id : network.app_subnet_id
var endpointSubnetId = makesNetwork ? virtualNetwork::endpoints.id : network.endpoint_subnet_id

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in items(zoneNames): if (makesZones) {
  name: zone.value
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, index) in items(zoneNames): if (makesZones) {
  parent: zones[index]
  name: token
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      // A subnet's id is its network's and two parts more.
      id: makesNetwork ? virtualNetwork.id : join(take(split(network.app_subnet_id, '/'), 9), '/')
    }
  }
}]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [for target in targets: {
  name: '${abbreviations.privateEndpoints}${target.name}-${token}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: endpointSubnetId
    }
    privateLinkServiceConnections: [
      {
        name: target.name
        properties: {
          #disable-next-line use-resource-id-functions // Each is a parameter.
          privateLinkServiceId: target.id
          groupIds: [
            target.group
          ]
        }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (target, index) in targets: if (registers) {
  parent: endpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: target.group
        properties: {
          privateDnsZoneId: makesZones ? resourceId('Microsoft.Network/privateDnsZones', zoneNames[target.group]) : '${network.private_dns}/providers/Microsoft.Network/privateDnsZones/${zoneNames[target.group]}'
        }
      }
    ]
  }
  dependsOn: [
    links
  ]
}]

@description('Resource id of the subnet that the app calls from.')
output appSubnetId string = appSubnetId

@description('Public address that the app calls from; empty where the network is not made here.')
output outboundAddress string = makesNetwork ? gatewayAddress!.properties.ipAddress : ''
