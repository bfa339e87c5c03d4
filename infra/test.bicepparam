using './main.bicep'
extends './main.bicepparam'
import { chosen, defaults } from './known.bicep'

// As production behaves, with test data: it answers as fast and alerts as soon, keeps one copy of the data and not for long.
// What the file says goes first.

param capacity = { ...defaults.capacity, storage_replication: 'Standard_LRS', ...chosen.capacity }
param retention = {
  ...defaults.retention
  chat_retention_days: 30
  failed_retention_days: 30
  soft_delete_days: 1
  ...chosen.retention
}
param alerts = { ...defaults.alerts, subscription_silent_hours: 0, ...chosen.alerts }
