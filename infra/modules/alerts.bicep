// What a person must know of without looking. The handler prints one JSON object a line; the queries take it apart once and
// ask for its events. The workbook shows what lies behind an alert, and each description ends with its place in RUNBOOK.md.

import { Alerts } from '../types.bicep'

@description('Name of the action group.')
param actionGroupName string

@description('What the names of the alert rules begin with.')
param rulePrefix string

@description('Azure region of the log alerts: that of the workspace.')
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

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the Service Bus namespace.')
param serviceBusId string

@description('Queues whose depth and dead letters are watched.')
param queues array

var waitingAlertMinutes = alerts.waiting_alert_minutes
var backlogAlertMessages = alerts.backlog_alert_messages
var standingQueueMessages = alerts.standing_queue_messages
var errorShareAlertPercent = alerts.error_share_alert_percent
var throttlingAlertCount = alerts.throttling_alert_count
var subscriptionSilentHours = alerts.subscription_silent_hours

var entries = 'traces | where message startswith "{" | extend entry = parse_json(message) | extend event = tostring(entry.event)'

// Each fires when its query finds more than `threshold` rows within `window`.
var logRules = [
  {
    name: 'message-failed'
    title: 'Messages were given up'
    description: 'Each lies in the container failed, with its reason; its sender was told. RUNBOOK.md#message_failed'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "message_failed"'
    threshold: 0
  }
  {
    name: 'chat-not-accepted'
    title: 'A customer may be waiting to be accepted'
    description: 'Graph refuses the first answer to a customer while all else is well. The first message from another organization is a request: sign in to Teams as the Support User, accept it, and replay the message, which lies in the container failed. RUNBOOK.md#chat-not-accepted'
    severity: 1
    frequency: 'PT5M'
    window: 'PT5M'
    scope: applicationInsightsId
    query: '${entries} | where event == "message_failed" and tostring(entry.kind) == "chat_not_accepted"'
    threshold: 0
  }
  {
    name: 'sign-in-needed'
    title: 'A Support User must sign in again'
    description: 'Nothing is read from or posted to the chats of this Support User until a person signs in as it. The field action of the event says with which command. RUNBOOK.md#sign_in_needed'
    severity: 1
    frequency: 'PT5M'
    window: 'PT5M'
    scope: applicationInsightsId
    query: '${entries} | where event == "sign_in_needed"'
    threshold: 0
  }
  {
    name: 'rotation-overdue'
    title: 'A secret is not renewed'
    description: 'It was to be renewed a week ago or longer, or something refuses it that does not pass by itself. The field secret names it; handler rotate tells what is the matter. RUNBOOK.md#rotation_overdue'
    severity: 1
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "rotation_overdue" or (event == "rotation_refused" and tostring(entry.kind) !in ("throttled", "unavailable", "timed_out", "connection"))'
    threshold: 0
  }
  {
    name: 'graph-app-refused'
    title: 'Entra ID refuses the Graph app'
    description: 'Its credential, registration or consent does not count, so no chat is read or written. The field action of the event says what to do. RUNBOOK.md#graph_app_refused'
    severity: 1
    frequency: 'PT5M'
    window: 'PT5M'
    scope: applicationInsightsId
    query: '${entries} | where event == "graph_app_refused"'
    threshold: 0
  }
  {
    name: 'messages-wait'
    title: 'Messages wait too long'
    description: 'A delivery was tried of a message that was accepted more than ${waitingAlertMinutes} minutes before. RUNBOOK.md#handed_back'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event in ("settled", "handed_back") | where tolong(entry.age_s) > ${waitingAlertMinutes * 60}'
    threshold: 0
  }
  {
    name: 'agents-messages-wait'
    title: 'Agents\' messages wait for Service Bus'
    description: 'Service Bus takes none of them, so they lie in Blob, in state/spool, and are forwarded in their order when it does. None is lost unless Blob fails as well. Is the namespace well, and may the identity of the app send to the queue? RUNBOOK.md#spool_waits'
    severity: 1
    frequency: 'PT5M'
    window: 'PT5M'
    scope: applicationInsightsId
    query: '${entries} | where event == "spool_waits" and tolong(entry.oldest_s) > 120'
    threshold: 0
  }
  {
    name: 'service-down'
    title: 'An outside service does not answer'
    description: 'Lanes wait and are tried again. The field calls of the event says which service, and what is asked of it. RUNBOOK.md#service_down'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "service_down"'
    threshold: 0
  }
  {
    name: 'error-share'
    title: 'Many deliveries do not succeed'
    description: 'Of at least 20 deliveries, more than ${errorShareAlertPercent} percent went back to their queue. RUNBOOK.md#handed_back'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event in ("settled", "handed_back") | summarize handedBack = countif(event == "handed_back"), total = count() | where total >= 20 and 100 * handedBack > ${errorShareAlertPercent} * total'
    threshold: 0
  }
  {
    name: 'throttling'
    title: 'Graph or Genesys Cloud throttles'
    description: 'Messages are late. More Support Users share the load of Graph, further OAuth clients that of Genesys Cloud. RUNBOOK.md#paused'
    severity: 3
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "paused" or (event == "attempt_failed" and tostring(entry.kind) == "throttled")'
    threshold: throttlingAlertCount
  }
  {
    name: 'webhooks-refused'
    title: 'Webhooks are refused'
    description: 'A secret that does not match, a queue that takes nothing, or somebody else who calls. The field reason tells. RUNBOOK.md#webhook_refused'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event in ("webhook_refused", "validation_token_doubtful")'
    threshold: 20
  }
  {
    name: 'lifecycle-notification'
    title: 'Graph reports trouble with a subscription'
    description: 'It has removed the subscription or has lost notifications; the field lifecycle tells. The app makes it anew and reads what was missed by itself, at once. Look for subscription_not_renewed when this comes again. RUNBOOK.md#lifecycle_notification'
    severity: 1
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "lifecycle_notification" and tostring(entry.lifecycle) != "reauthorizationRequired"'
    threshold: 0
  }
  {
    name: 'notifications-missed'
    title: 'Graph does not tell of messages'
    description: 'Again and again messages were found in chats that no notification came for. None is lost: they are read, minutes late. Is there one subscription for each Support User, and does handler check --deployed reach the app from outside? RUNBOOK.md#notification_missed'
    severity: 1
    frequency: 'PT15M'
    window: 'PT1H'
    scope: applicationInsightsId
    query: '${entries} | where event == "notification_missed"'
    threshold: 2
  }
  {
    name: 'validation-token-doubtful'
    title: 'Notifications do not prove that Graph sent them'
    description: 'The secret was right and the token was not. Nothing is lost: the messages are read from Graph. The field reason tells. RUNBOOK.md#validation_token_doubtful'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "validation_token_doubtful"'
    threshold: 0
  }
  {
    name: 'setting-placeholder'
    title: 'A setting holds a placeholder'
    description: 'A webhook answers 503 until the real id is there; the app was deployed without it. RUNBOOK.md#setting_placeholder'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event == "setting_placeholder"'
    threshold: 0
  }
  {
    name: 'handler-trouble'
    title: 'The handler cannot do its work'
    description: 'A key that does not fit, a subscription or a setting that wants a person, a store that takes nothing, a payload that cannot be read, or a fault in the handler. RUNBOOK.md#handler-trouble'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: applicationInsightsId
    query: '${entries} | where event in ("bot_host_not_allowed", "failed_not_stored", "invocation_overdue", "notification_key_unknown", "notification_key_unusable", "panic", "payload_malformed", "payload_unreadable", "receipt_not_enqueued", "refresh_token_not_renewed", "secret_not_made", "setting_missing", "setting_placeholder", "subscription_not_renewed", "timer_failed")'
    threshold: 0
  }
  {
    name: 'secret-expiry'
    title: 'A secret of the Key Vault expires soon'
    description: 'Key Vault says so 30 days before the date that the secret was given, and again when it has passed. RUNBOOK.md#secret-expiry'
    severity: 2
    frequency: 'PT1H'
    window: 'P1D'
    scope: workspaceId
    query: 'union isfuzzy=true AZKVAuditLogs, AzureDiagnostics | where OperationName in ("SecretNearExpiryEventGridNotification", "SecretExpiredEventGridNotification")'
    threshold: 0
  }
  {
    name: 'log-quota'
    title: 'The day\'s quota of logs is used up'
    description: 'No logs are taken until the next day, and no log alert fires. RUNBOOK.md#log-quota'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    scope: workspaceId
    query: '_LogOperation | where Category == "Ingestion" and Detail has "OverQuota"'
    threshold: 0
  }
]

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
    threshold: backlogAlertMessages
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
    threshold: standingQueueMessages
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

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in logRules: {
  name: '${rulePrefix}${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    enabled: true
    severity: rule.severity
    evaluationFrequency: rule.frequency
    windowSize: rule.window
    scopes: [
      rule.scope
    ]
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    // A new workspace has no table until its first row arrives.
    skipQueryValidation: true
    actions: {
      actionGroups: [
        actionGroup.id
      ]
    }
  }
}]

resource subscriptionSilent 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (subscriptionSilentHours > 0) {
  name: '${rulePrefix}subscription-silent'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Graph sends no notifications'
    description: 'Nothing came for ${subscriptionSilentHours} hours: the subscription may have ended. RUNBOOK.md#enqueued'
    enabled: true
    severity: 2
    evaluationFrequency: 'PT1H'
    windowSize: subscriptionSilentHours < 24 ? 'PT${subscriptionSilentHours}H' : 'P${subscriptionSilentHours / 24}D'
    scopes: [
      applicationInsightsId
    ]
    criteria: {
      allOf: [
        {
          query: '${entries} | where event == "enqueued" and tostring(entry["function"]) == "inbound-graph"'
          timeAggregation: 'Count'
          operator: 'LessThan'
          threshold: 1
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: {
      actionGroups: [
        actionGroup.id
      ]
    }
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
