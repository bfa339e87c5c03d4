// What the log tells a person. The handler prints one JSON object a line; the queries take it apart once and ask for its events.
//
// Severity 1 is for what somebody should get up for: messages do not go on, or are being lost, and that does not end by itself.
// Severity 2 is for the morning, 3 for whoever looks.
//
// A line takes two to five minutes to be found, so every window is ten minutes longer than the time between two evaluations: a line
// that one of them misses is in the window of the next. An alert that fired stays one alert, with one mail, until its query finds
// nothing any more (autoMitigate); Azure mutes nothing beside that.

import { Alerts } from '../types.bicep'

@description('What the names of the alert rules begin with.')
param rulePrefix string

@description('Azure region: that of the workspace.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the action group.')
param actionGroupId string

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Of how much somebody is told.')
param alerts Alerts

@description('A rule that fires when its query finds more than `threshold` rows, or any. What is left out comes with the severity: every 5 minutes over 15 for severity 1, every 15 over 30 for others, of the component.')
type Rule = {
  name: string
  title: string
  description: string
  severity: 1 | 2 | 3
  query: string
  frequency: string?
  window: string?
  scope: string?
  threshold: int?
}

var entries = 'traces | where message startswith "{" | extend entry = parse_json(message) | extend event = tostring(entry.event)'

// Calls of webhooks: each that was refused has one of these lines, the others have one or more.
var calls = '${entries} | where event in ("enqueued", "webhook_taken", "webhook_refused") | extend status = toint(entry.status)'

var always = [
  {
    name: 'app-silent'
    title: 'The app does not run'
    description: 'One of its timers, which run every minute, has told nothing for a quarter of an hour: the app is stopped, does not start, or its logs do not arrive. RUNBOOK.md#app-silent'
    severity: 1
    // Whoever never ran is not missed, so that a new installation is quiet until its program is there. Azure has no longer window, so
    // after two days of silence the alert ends though nothing was mended.
    window: 'P2D'
    query: '${entries} | where event in ("timer_done", "timer_failed") | extend function = tostring(entry["function"]) | where function in ("catch-up", "spool-forwarding", "subscription-renewal") | summarize toldAt = max(timestamp) by function | where toldAt < ago(15m)'
  }
  {
    name: 'server-errors'
    title: 'Webhooks are not answered'
    description: 'Ten calls and more than one in twenty ended with 5xx within a quarter of an hour, or three and more than half for as long, from the handler or from the platform before it. Graph repeats for four hours, Genesys Cloud for 85 seconds. RUNBOOK.md#server-errors'
    severity: 1
    window: 'PT1H'
    // Where the handler does not answer, the Functions host alone tells of it; where it does, both may tell of one call. With few calls
    // an hour it is those of the hour that tell, unless they are the few of one restart.
    query: 'let told = ${calls} | project timestamp, invocation = tostring(entry.invocation), failed = event == "webhook_refused" and status >= 500; let unanswered = requests | where toint(resultCode) >= 500 | project timestamp, invocation = coalesce(tostring(customDimensions.InvocationId), id), failed = true; union told, unanswered | extend recent = timestamp > ago(15m) | summarize failures = dcountif(invocation, failed and recent), answered = countif(not(failed) and recent), all_failures = dcountif(invocation, failed), all_answered = countif(not(failed)), first_failure = minif(timestamp, failed), last_failure = maxif(timestamp, failed) | where (failures >= 10 and 20 * failures > failures + answered) or (all_failures >= 3 and all_failures > all_answered and last_failure - first_failure > 15m)'
  }
  {
    name: 'webhook-secret-wrong'
    title: 'Genesys Cloud signs with another secret'
    description: 'A call for our integration was refused, since it is not signed with our secret: what agents write is being lost. RUNBOOK.md#webhook_secret_wrong'
    severity: 1
    query: '${entries} | where event == "webhook_secret_wrong"'
  }
  {
    name: 'chat-not-accepted'
    title: 'A customer may be waiting to be accepted'
    description: 'Graph refuses the first answer to a customer while all else is well. The first message from another organization is a request: sign in to Teams as the Support User, accept it, and replay the message, which lies in the container failed. RUNBOOK.md#chat-not-accepted'
    severity: 1
    query: '${entries} | where event == "message_failed" and tostring(entry.kind) == "chat_not_accepted"'
  }
  {
    name: 'sign-in-needed'
    title: 'A Support User must sign in again'
    description: 'Nothing is read from or posted to the chats of this Support User until a person signs in as it. The field action of the event says with which command. RUNBOOK.md#sign_in_needed'
    severity: 1
    query: '${entries} | where event == "sign_in_needed"'
  }
  {
    name: 'graph-app-refused'
    title: 'Entra ID refuses the Graph app'
    description: 'Its credential, registration or consent does not count, so no chat is read or written. The field action of the event says what to do. RUNBOOK.md#graph_app_refused'
    severity: 1
    query: '${entries} | where event == "graph_app_refused"'
  }
  {
    name: 'subscription-not-renewed'
    title: 'Graph takes no subscription'
    description: 'Ten runs in half an hour could not make or renew the subscription to a Support User\'s chats. When the old one ends, or has ended, customers\' messages come minutes late. RUNBOOK.md#subscription_not_renewed'
    severity: 1
    window: 'PT30M'
    query: '${entries} | where event == "subscription_not_renewed" | summarize times = count() by account = tostring(entry.account) | where times >= 10'
  }
  {
    name: 'agents-messages-wait'
    title: 'Agents\' messages wait for Service Bus'
    description: 'Service Bus takes none of them, so they lie in Blob, in state/spool, and are forwarded in their order when it does. None is lost unless Blob fails as well. Is the namespace well, and may the identity of the app send to the queue? RUNBOOK.md#spool_waits'
    severity: 1
    query: '${entries} | where event == "spool_waits" and tolong(entry.oldest_s) > 120'
  }
  {
    name: 'message-failed'
    title: 'Messages were given up'
    description: 'Each lies in the container failed, with its reason; its sender was told. RUNBOOK.md#message_failed'
    severity: 2
    query: '${entries} | where event == "message_failed"'
  }
  {
    name: 'rotation-overdue'
    title: 'A secret is not renewed'
    description: 'It was to be renewed a week ago or longer, or something refuses it that does not pass by itself. It still works. The field secret names it; handler rotate tells what is the matter. RUNBOOK.md#rotation_overdue'
    severity: 2
    query: '${entries} | where event == "rotation_overdue" or (event == "rotation_refused" and tostring(entry.kind) !in ("throttled", "unavailable", "timed_out", "connection"))'
  }
  {
    name: 'messages-wait'
    title: 'Messages wait too long'
    description: 'A delivery was tried of a message that was accepted more than ${alerts.waiting_alert_minutes} minutes before. RUNBOOK.md#handed_back'
    severity: 2
    query: '${entries} | where event in ("settled", "handed_back") | where tolong(entry.age_s) > ${alerts.waiting_alert_minutes * 60}'
  }
  {
    name: 'service-down'
    title: 'An outside service does not answer'
    description: 'Lanes wait and are tried again. The field calls of the event says which service, and what is asked of it. RUNBOOK.md#service_down'
    severity: 2
    query: '${entries} | where event == "service_down"'
  }
  {
    name: 'error-share'
    title: 'Many deliveries do not succeed'
    description: 'Of at least 20 deliveries, more than ${alerts.error_share_alert_percent} percent went back to their queue. RUNBOOK.md#handed_back'
    severity: 2
    query: '${entries} | where event in ("settled", "handed_back") | summarize handedBack = countif(event == "handed_back"), total = count() | where total >= 20 and 100 * handedBack > ${alerts.error_share_alert_percent} * total'
  }
  {
    // Anybody can call, so this wakes nobody: genuine calls that are refused have a rule each.
    name: 'webhooks-refused'
    title: 'Many webhooks are refused'
    description: 'At least 20 calls of one webhook, more than ${alerts.error_share_alert_percent} percent of them, were refused with 4xx: mostly somebody else who calls. The field reason tells. RUNBOOK.md#webhook_refused'
    severity: 2
    query: '${calls} | summarize refused = countif(status between (400 .. 499)), total = count() by function = tostring(entry["function"]) | where refused >= 20 and 100 * refused > ${alerts.error_share_alert_percent} * total'
  }
  {
    name: 'notification-dropped'
    title: 'Notifications of Graph cannot be used'
    description: 'They came with our secret, so Graph sent them, and were dropped. The messages themselves are found within minutes. The field reasons tells. RUNBOOK.md#notification_dropped'
    severity: 2
    query: '${entries} | where event == "notification_dropped"'
  }
  {
    // Who knows the tenant and the name of a Support User can forge that, so this wakes nobody.
    name: 'client-state-unknown'
    title: 'Notifications for us have another secret'
    description: 'They name our tenant and one of our Support Users, and were dropped: a subscription that we do not know, or somebody else who calls. RUNBOOK.md#client_state_unknown'
    severity: 2
    query: '${entries} | where event == "client_state_unknown"'
  }
  {
    name: 'lifecycle-notification'
    title: 'Graph removes subscriptions again and again'
    description: 'More than twice in six hours it removed the subscription of a Support User, or lost notifications. Each time the app made it anew and read what was missed; something makes it happen again. RUNBOOK.md#lifecycle_notification'
    severity: 2
    window: 'PT6H'
    query: '${entries} | where event == "lifecycle_notification" and tostring(entry.lifecycle) != "reauthorizationRequired" | summarize times = count() by account = tostring(entry.account) | where times > 2'
  }
  {
    name: 'notifications-missed'
    title: 'Graph does not tell of messages'
    description: 'Again and again messages were found in chats that no notification came for. None is lost: they are read, minutes late. Is there one subscription for each Support User, and does handler check --deployed reach the app from outside? RUNBOOK.md#notification_missed'
    severity: 2
    window: 'PT1H'
    query: '${entries} | where event == "notification_missed"'
    threshold: 2
  }
  {
    name: 'validation-token-doubtful'
    title: 'Notifications do not prove that Graph sent them'
    description: 'The secret was right and the token was not. Nothing is lost: the messages are read from Graph. The field reason tells. RUNBOOK.md#validation_token_doubtful'
    severity: 2
    query: '${entries} | where event == "validation_token_doubtful"'
  }
  {
    name: 'setting-placeholder'
    title: 'A setting holds a placeholder'
    description: 'A webhook answers 503 until the real id is there; the app was deployed without it. RUNBOOK.md#setting_placeholder'
    severity: 2
    query: '${entries} | where event == "setting_placeholder"'
  }
  {
    // What passes by itself is told when it lasts; what runs once a night is told at once.
    name: 'handler-trouble'
    title: 'The handler cannot do its work'
    description: 'A key that does not fit, a setting that wants a person, a store that takes nothing, a payload that cannot be read, a timer that fails again and again, or a fault in the handler. RUNBOOK.md#handler-trouble'
    severity: 2
    query: '${entries} | where event in ("bot_host_not_allowed", "failed_not_stored", "invocation_overdue", "notification_key_unknown", "notification_key_unusable", "panic", "payload_malformed", "payload_unreadable", "receipt_not_enqueued", "refresh_token_not_renewed", "secret_not_made", "setting_missing", "timer_failed") | summarize times = count() by event, function = tostring(entry["function"]) | where times > iff(event in ("invocation_overdue", "notification_key_unknown", "payload_unreadable", "receipt_not_enqueued", "timer_failed") and function != "secret-rotation", 5, 0)'
  }
  {
    name: 'throttling'
    title: 'Graph or Genesys Cloud throttles'
    description: 'Messages are late. More Support Users share the load of Graph, further OAuth clients that of Genesys Cloud. RUNBOOK.md#paused'
    severity: 3
    query: '${entries} | where event == "paused" or (event == "attempt_failed" and tostring(entry.kind) == "throttled")'
    threshold: alerts.throttling_alert_count
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
  }
  {
    name: 'log-quota'
    title: 'The day\'s quota of logs is used up'
    description: 'No logs are taken until the next day, and no other log alert can be trusted. RUNBOOK.md#log-quota'
    severity: 2
    scope: workspaceId
    query: '_LogOperation | where Category == "Ingestion" and Detail has "OverQuota"'
  }
]

var subscriptionSilent = {
  name: 'subscription-silent'
  title: 'Graph sends no notifications'
  description: 'The app has been running for ${alerts.subscription_silent_hours} hours, and nothing came: the subscription may have ended. RUNBOOK.md#subscription-silent'
  severity: 2
  frequency: 'PT1H'
  window: 'P2D'
  query: '${entries} | where timestamp > ago(${alerts.subscription_silent_hours}h) and event in ("enqueued", "timer_done") | summarize notifications = countif(event == "enqueued" and tostring(entry["function"]) == "inbound-graph"), since = min(timestamp) | where notifications == 0 and since < ago(${alerts.subscription_silent_hours * 60 - 30}m)'
}

var rules Rule[] = concat(always, alerts.subscription_silent_hours > 0 ? [subscriptionSilent] : [])

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${rulePrefix}${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    enabled: true
    severity: rule.severity
    evaluationFrequency: rule.?frequency ?? (rule.severity == 1 ? 'PT5M' : 'PT15M')
    windowSize: rule.?window ?? (rule.severity == 1 ? 'PT15M' : 'PT30M')
    scopes: [
      rule.?scope ?? applicationInsightsId
    ]
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: rule.?threshold ?? 0
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
        actionGroupId
      ]
    }
  }
}]
