using './main.bicep'

// Production, and what other profiles build upon. Every value comes from the environment, under azd from `azd env set`, so
// that this file needs no change. What has no second argument must be set; what main.bicep has further can be added here.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param supportAccounts = readEnvironmentVariable('SUPPORT_ACCOUNTS')
param genesysDomain = readEnvironmentVariable('GENESYS_DOMAIN')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')

// Known after handler setup graph and infra/genesys.
param graphClientId = readEnvironmentVariable('GRAPH_CLIENT_ID', '')
param genesysIntegrationId = readEnvironmentVariable('GENESYS_INTEGRATION_ID', '')
param genesysClientId = readEnvironmentVariable('GENESYS_CLIENT_ID', '')
param genesysSpareClientId = readEnvironmentVariable('GENESYS_SPARE_CLIENT_ID', '')

param graphClientAuthentication = readEnvironmentVariable('GRAPH_CLIENT_AUTHENTICATION', 'federated')
param agentBlueprintClientId = readEnvironmentVariable('AGENT_BLUEPRINT_CLIENT_ID', '')
param operatorsGroupId = readEnvironmentVariable('OPERATORS_GROUP_ID', '')
param genesysMediaTypes = readEnvironmentVariable('GENESYS_MEDIA_TYPES', '*/*')
param alwaysReadyHttpInstances = int(readEnvironmentVariable('ALWAYS_READY_HTTP_INSTANCES', '1'))
param storageReplication = readEnvironmentVariable('STORAGE_REPLICATION', 'Standard_ZRS')
param logRetentionDays = int(readEnvironmentVariable('LOG_RETENTION_DAYS', '30'))
param dailyLogQuotaGb = int(readEnvironmentVariable('DAILY_LOG_QUOTA_GB', '5'))
param subscriptionSilentHours = int(readEnvironmentVariable('SUBSCRIPTION_SILENT_HOURS', '48'))
param botEnabled = bool(readEnvironmentVariable('BOT_ENABLED', 'false'))
param botDisplayName = readEnvironmentVariable('BOT_DISPLAY_NAME', 'Support')
param botAuthentication = readEnvironmentVariable('BOT_AUTHENTICATION', 'managed-identity')
param botAppId = readEnvironmentVariable('BOT_APP_ID', '')
param endWords = readEnvironmentVariable('END_WORDS', 'off')
