use super::template;

const BUS: &str = "
resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'b'
  location: 'x'
  sku: {
    name: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}
resource lanes 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for name in ['inbound', 'outbound']: {
  parent: bus
  name: name
  properties: {
    requiresSession: true
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT6H'
    lockDuration: 'PT1M'
    maxDeliveryCount: 10000
    defaultMessageTimeToLive: 'P14D'
    deadLetteringOnMessageExpiration: true
  }
}]
resource typing 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: bus
  name: 'typing'
  properties: {
    defaultMessageTimeToLive: 'PT5S'
  }
}
resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'dead'
  location: 'global'
  properties: {
    severity: 1
    enabled: true
    scopes: [bus.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    actions: [
      {
        actionGroupId: 'g'
      }
    ]
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'n'
          metricName: 'DeadletteredMessages'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Maximum'
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: ['inbound', 'outbound']
            }
          ]
        }
      ]
    }
  }
}
";

#[test]
fn service_bus() {
    for (rule, from, to) in [
        (
            "local-auth",
            "disableLocalAuth: true",
            "disableLocalAuth: false",
        ),
        (
            "tls",
            "minimumTlsVersion: '1.2'",
            "minimumTlsVersion: '1.0'",
        ),
        (
            "service-bus-sku",
            "    name: 'Standard'",
            "    name: 'Basic'",
        ),
        (
            "queue-names",
            "for name in ['inbound', 'outbound']",
            "for name in ['inbound', 'outgoing']",
        ),
        (
            "queue-sessions",
            "requiresSession: true",
            "requiresSession: false",
        ),
        (
            "queue-sessions",
            "    defaultMessageTimeToLive: 'PT5S'\n",
            "    defaultMessageTimeToLive: 'PT5S'\n    requiresSession: true\n",
        ),
        (
            "queue-duplicates",
            "    requiresDuplicateDetection: true\n",
            "",
        ),
        ("queue-duplicates", "'PT6H'", "'PT10M'"),
        ("queue-lock", "'PT1M'", "'PT2M'"),
        ("queue-delivery", "10000", "10"),
        ("queue-life", "'P14D'", "'P1D'"),
        ("queue-life", "'PT5S'", "'PT50S'"),
        (
            "queue-dead-letters",
            "deadLetteringOnMessageExpiration: true",
            "deadLetteringOnMessageExpiration: false",
        ),
        (
            "queue-partitions",
            "    lockDuration: 'PT1M'\n",
            "    lockDuration: 'PT1M'\n    enablePartitioning: true\n",
        ),
        (
            "dead-letter-alert",
            "values: ['inbound', 'outbound']",
            "values: ['inbound']",
        ),
        (
            "dead-letter-alert",
            "'DeadletteredMessages'",
            "'ActiveMessages'",
        ),
        ("alert-aggregation", "'Maximum'", "'Total'"),
        (
            "alert-action",
            "    actions: [\n      {\n        actionGroupId: 'g'\n      }\n    ]\n",
            "",
        ),
    ] {
        template(rule, BUS, |example| example.breaks(from, to));
    }
}
