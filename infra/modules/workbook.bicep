// The page that shows what flows, waits and fails. It opens from the Application Insights component, under Workbooks.

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the Service Bus namespace.')
param serviceBusId string

// The file names these resources by place-holders, so that nobody has to pick them.
var template = loadTextContent('../workbooks/operations.json')
var withApplicationInsights = replace(template, '__applicationInsights__', applicationInsightsId)
var withWorkspace = replace(withApplicationInsights, '__workspace__', workspaceId)
var content = replace(withWorkspace, '__serviceBus__', serviceBusId)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'graph-to-open-operations')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Graph-to-Open operations'
    category: 'workbook'
    version: '1.0'
    sourceId: applicationInsightsId
    serializedData: content
  }
}
