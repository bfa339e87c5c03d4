// What a person must know of without looking: whom alerts go to, and those that ring although nobody logs anything. What the log
// tells is in log-alerts.bicep. The workbook shows what lies behind an alert, and each description ends with its place in
// RUNBOOK.md.

import { Alerts } from '../types.bicep'

@description('Name of the action group.')
param actionGroupName string

@description('What the names of the alert rules begin with.')
param rulePrefix string

@description('Azure region of the log alerts and of the availability test: that of the workspace.')
param location string

@description('Tags of the resources.')
param tags object

@description('Who is told, and of how much.')
param alerts Alerts

@description('URL that alerts are posted to as well; empty for none.')
@secure()
param webhookUrl string

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('URL that tells whether the handler is well.')
param healthUrl string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the Service Bus namespace.')
param serviceBusId string

@description('Queues whose depth and dead letters are watched.')
param queues array

var metricRules = [
  {
    name: 'dead-letters'
    title: 'Dead letters'
    description: 'Messages that nobody will deliver: they outlived 14 days or 10,000 attempts, or the Functions host could not hand them over. RUNBOOK.md#dead-letters'
    severity: 1
    metric: 'DeadletteredMessages'
    aggregation: 'Maximum'
    threshold: 0
    window: 'PT15M'
  }
  {
    name: 'backlog'
    title: 'Messages pile up'
    description: 'More messages than usual wait on a queue. RUNBOOK.md#backlog'
    severity: 2
    metric: 'ActiveMessages'
    aggregation: 'Average'
    threshold: alerts.backlog_alert_messages
    window: 'PT15M'
  }
  {
    // From the queue itself: it speaks when the app does not run at all and logs nothing.
    name: 'queue-stands'
    title: 'A queue was not empty for an hour'
    description: 'Nothing is delivered, or not fast enough: look whether the app runs. RUNBOOK.md#queue-stands'
    severity: 1
    metric: 'ActiveMessages'
    aggregation: 'Minimum'
    threshold: alerts.standing_queue_messages
    window: 'PT1H'
  }
  {
    name: 'queue-throttling'
    title: 'Service Bus throttles'
    description: 'The namespace takes no more for the moment. Graph is asked to try again; agents\' messages wait in Blob. RUNBOOK.md#queue-throttling'
    severity: 3
    metric: 'ThrottledRequests'
    aggregation: 'Total'
    threshold: 10
    window: 'PT15M'
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'graphtoopen'
    emailReceivers: [for (address, index) in concat([alerts.alert_email], alerts.alert_further_emails): {
      name: index == 0 ? 'operators' : 'operators-${index + 1}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
    webhookReceivers: empty(webhookUrl) ? [] : [
      {
        name: 'webhook'
        serviceUri: webhookUrl
        useCommonAlertSchema: true
      }
    ]
  }
}

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for rule in metricRules: {
  name: '${rulePrefix}${rule.name}'
  location: 'global'
  tags: tags
  properties: {
    description: '${rule.title}. ${rule.description}'
    enabled: true
    severity: rule.severity
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    scopes: [
      serviceBusId
    ]
    targetResourceType: 'Microsoft.ServiceBus/namespaces'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: rule.name
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: rule.metric
          timeAggregation: rule.aggregation
          operator: 'GreaterThan'
          threshold: rule.threshold
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: queues
            }
          ]
        }
      ]
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}]

// Asks from outside, as Graph and Genesys Cloud do. A handler that starts has no secrets to check a webhook with; one that lacks a
// setting, or waits for an outside service, has alerts of its own.
resource availabilityTest 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(alerts.availability_test_locations)) {
  name: '${rulePrefix}availability'
  location: location
  // Without this the portal shows the test nowhere.
  tags: union(tags, {
    'hidden-link:${applicationInsightsId}': 'Resource'
  })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${rulePrefix}availability'
    Name: '${rulePrefix}availability'
    Enabled: true
    Kind: 'standard'
    // Each execution is paid for.
    Frequency: 600
    Timeout: 30
    RetryEnabled: true
    Locations: [for place in alerts.availability_test_locations: {
      Id: place
    }]
    Request: {
      RequestUrl: healthUrl
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      ContentValidation: {
        ContentMatch: '"status":"starting"'
        IgnoreCase: false
        PassIfTextFound: false
      }
    }
  }
}

resource availability 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(alerts.availability_test_locations)) {
  name: '${rulePrefix}availability'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app does not answer from outside. Three tries failed from all but two of the places that ask, or the handler cannot read its secrets: no webhook is taken. RUNBOOK.md#availability'
    enabled: true
    severity: 1
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    scopes: [
      availabilityTest.id
      applicationInsightsId
    ]
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: availabilityTest.id
      componentId: applicationInsightsId
      // One place may have trouble of its own.
      failedLocationCount: max(1, length(alerts.availability_test_locations) - 2)
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}

module logAlerts './log-alerts.bicep' = {
  name: 'log-alerts'
  params: {
    rulePrefix: rulePrefix
    location: location
    tags: tags
    actionGroupId: actionGroup.id
    applicationInsightsId: applicationInsightsId
    workspaceId: workspaceId
    alerts: alerts
  }
}
