using './main.bicep'
extends './main.bicepparam'
import { chosen, defaults } from './known.bicep'

// To try things out at little cost: no instance that always runs, one copy of the data, no alert over a quiet
// weekend, and nobody who asks from outside. What the file says goes first.

param capacity = {
  ...defaults.capacity
  always_ready_http_instances: 0
  storage_replication: 'Standard_LRS'
  ...chosen.capacity
}
param retention = { ...defaults.retention, soft_delete_days: 1, ...chosen.retention }
param logs = { ...defaults.logs, daily_log_quota_gb: 1, ...chosen.logs }
param alerts = {
  ...defaults.alerts
  subscription_silent_hours: 0
  availability_test_locations: []
  ...chosen.alerts
}
