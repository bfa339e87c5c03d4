using none
import { chosen, defaults, known } from './known.bicep'

// What every profile is given: what graph-to-open.toml says. azd's own variables serve where the file says nothing.

param environmentName = known.?environment ?? readEnvironmentVariable('AZURE_ENV_NAME', '')
param location = known.?location ?? readEnvironmentVariable('AZURE_LOCATION', '')
param tenantId = known.?tenant_id ?? ''
param subscriptionId = known.?subscription_id ?? ''
param operatorsGroupId = known.?operators_group_id ?? ''
param packageUrl = known.?package_url ?? ''
param recoverKeyVault = known.?recover_key_vault ?? false

param handler = { ...defaults.handler, ...chosen.handler }
param retention = { ...defaults.retention, ...chosen.retention }
param capacity = { ...defaults.capacity, ...chosen.capacity }
param network = { ...defaults.network, ...chosen.network }
param logs = { ...defaults.logs, ...chosen.logs }
param alerts = { ...defaults.alerts, ...chosen.alerts }
param bot = { ...defaults.bot, ...chosen.bot }

// A link that lets whoever has it post is a secret, and has no place in the file. Where the file says that there is one, a deployment
// without it ends here, instead of taking the receiver away.
var alertWebhook = readEnvironmentVariable('ALERT_WEBHOOK_URL', '')
param alertWebhookUrl = (known.?alert_webhook ?? false) && empty(alertWebhook) ? fail('alert_webhook says that alerts go to a web hook, and ALERT_WEBHOOK_URL is empty: put its URL there.') : alertWebhook
