// What can be chosen, each with its description, limits and default, here and nowhere else. A name is the same everywhere: the key
// in graph-to-open.toml, the property here and, of the handler's settings, in capitals, the app setting.

@description('The handler\'s settings: each becomes the app setting of the same name in capitals, a list with commas between its items. Where the program has a default, it is the same as here.')
@export()
@sealed()
type HandlerSettings = {
  @description('`name=object id` of each Support User, of an agent user `name=object id@client id of its agent identity`. Names: a-z, 0-9 and -, at most 20 characters.')
  support_accounts: string[]

  @description('Domain of the Genesys Cloud region, mypurecloud.de for example.')
  genesys_domain: string

  @description('Application id of the Graph app registration. Empty until `handler setup graph` made it.')
  graph_client_id: string

  @description('How the Graph app proves itself to Entra ID: with the managed identity, or with the secret graph-client-secret.')
  graph_client_authentication: 'federated' | 'secret'

  @description('URL of Microsoft Graph, or nothing for that of the cloud. The cloud of the United States\' Department of Defense has another one.')
  graph_endpoint: string

  @description('With whose right Graph\'s subscriptions are made: the Graph app\'s own (Chat.Read.All), the Support User\'s (Chat.Read), or the latter where Graph allows it.')
  subscription_access: 'application' | 'delegated' | 'auto'

  @description('Client id of the agent identity blueprint, where support_accounts has agent users. Empty for none.')
  agent_blueprint_client_id: string

  @description('Id of the open messaging integration. Empty until `handler setup genesys` made it.')
  genesys_integration_id: string

  @description('Ids of the Genesys OAuth clients: the app setting GENESYS_CLIENT_ID. None until `handler setup genesys` made them.')
  genesys_client_ids: string[]

  @description('Id of the spare Genesys OAuth client, with which genesys-client-secret renews itself. Empty until `handler setup genesys` made it, or for none.')
  genesys_spare_client_id: string

  @description('Calls a minute that Genesys Cloud takes from each of these clients, more where it raised that for you.')
  @minValue(30)
  @maxValue(30000)
  genesys_calls_per_minute: int

  @description('URL of the Genesys API, only for a region that the handler does not know.')
  genesys_api_endpoint: string

  @description('URL of the Genesys login service, only for a region that the handler does not know.')
  genesys_login_endpoint: string

  @description('Media types that the integration\'s supported content profile takes from customers.')
  @minLength(1)
  genesys_media_types: string[]

  @description('Whose messages are passed on: `all`, or ids of Entra tenants, separated by commas.')
  @minLength(1)
  customer_tenants: string

  @description('What people of other tenants read once a day: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  tenant_notice: string

  @description('Seconds that a message may wait for what Microsoft\'s directories tell of its sender; 0 asks nothing.')
  @minValue(0)
  @maxValue(30)
  customer_lookup_seconds: int

  @description('Minutes between two looks at each Support User\'s list of chats for messages that Graph did not tell of; 0 leaves it at once a day and after a gap.')
  @minValue(0)
  @maxValue(60)
  silence_check_minutes: int

  @description('Group chats whose messages go to the agent.')
  group_chats: 'off' | 'mention' | 'all'

  @description('Hours that a thread stays the same after its last message.')
  @minValue(1)
  @maxValue(8760)
  thread_window_hours: int

  @description('After the window: `same` keeps the thread, `new` begins another.')
  thread_window_policy: 'same' | 'new'

  @description('What a customer reads when a message of theirs could not be delivered: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  failure_notice: string

  @description('What a customer reads when a message of theirs waits for long: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  delay_notice: string

  @description('Minutes that a customer\'s message may wait before its sender is told; 0 for never.')
  @minValue(0)
  @maxValue(1440)
  delay_notice_minutes: int

  @description('Language of the standard texts where Teams does not tell the customer\'s.')
  notice_language: 'de' | 'en' | 'es' | 'fr' | 'it' | 'ja' | 'nl' | 'pl' | 'pt' | 'zh-hans'

  @description('Which name of the agent stands before a message when another one writes.')
  agent_name: 'off' | 'first' | 'full' | 'alias'

  @description('Name that stands before what a bot of Genesys Cloud writes, where agent_name is not `off`.')
  @minLength(1)
  virtual_agent_name: string

  @description('Minutes after an agent\'s message in which Genesys is told that the customer is typing; 0 for never.')
  @minValue(0)
  @maxValue(1440)
  typing_minutes: int

  @description('Words by which a customer ends the conversation, separated by commas, or `off`.')
  @minLength(1)
  end_words: string

  @description('What a customer reads when the conversation has ended: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  ended_notice: string

  @description('What a customer reads when another agent takes the conversation over: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  transfer_notice: string

  @description('Whether a chat is marked as read for the Support User when the agent answers.')
  mark_read: 'off' | 'on'

  @description('What the agent sees of a message that a customer replies to.')
  reply_context: 'quote' | 'strip'

  @description('Whether the agent is told of reactions.')
  reactions: 'off' | 'on'

  @description('Largest file in MB, both ways; Genesys Cloud takes 25.')
  @minValue(1)
  @maxValue(1024)
  attachment_limit_mb: int

  @description('Hours that a link to a file works. Not longer than attachment_retention_days.')
  @minValue(1)
  @maxValue(144)
  attachment_link_hours: int

  @description('Further https origins that files may come from, separated by commas, or nothing for Genesys\' own.')
  file_origins: string

  @description('Host names that files may come from as long as they lead to public addresses, separated by commas, or `none`.')
  file_hosts: string

  @description('How the bot proves itself to Teams: as the managed identity, which is then the bot; or as the app registration bot_app_id, with a federated credential of that identity or with the secret bot-client-secret. Azure does not change this of a bot that is there.')
  bot_authentication: 'managed-identity' | 'federated' | 'secret'

  @description('Application id of the bot\'s own app registration, in this tenant. Empty where the bot is the managed identity.')
  bot_app_id: string

  @description('Name of the bot among the support accounts, part of its threads\' ids: a-z, 0-9 and -, at most 20 characters, and none of those in support_accounts.')
  @minLength(1)
  @maxLength(20)
  bot_account: string

  @description('URL of the service that signs what Teams sends to bots, or nothing for that of the cloud.')
  bot_login_endpoint: string

  @description('Https origins of Teams\' connector, separated by commas: the bot\'s token goes nowhere else.')
  @minLength(1)
  bot_connector_origins: string

  @description('What a customer reads when the bot is added: `standard`, `off`, or a text of your own.')
  @minLength(1)
  @maxLength(1000)
  bot_greeting: string

  @description('How much the handler logs. Alerts and the workbook need `info`.')
  log_level: 'error' | 'warn' | 'info' | 'debug' | 'trace'
}

@description('What the handler is told where nobody chose.')
@export()
var handlerDefaults HandlerSettings = {
  support_accounts: []
  genesys_domain: ''
  graph_client_id: ''
  graph_client_authentication: 'federated'
  graph_endpoint: ''
  subscription_access: 'application'
  agent_blueprint_client_id: ''
  genesys_integration_id: ''
  genesys_client_ids: []
  genesys_spare_client_id: ''
  genesys_calls_per_minute: 300
  genesys_api_endpoint: ''
  genesys_login_endpoint: ''
  genesys_media_types: ['*/*']
  customer_tenants: 'all'
  tenant_notice: 'standard'
  customer_lookup_seconds: 5
  silence_check_minutes: 2
  group_chats: 'mention'
  thread_window_hours: 24
  thread_window_policy: 'same'
  failure_notice: 'standard'
  delay_notice: 'standard'
  delay_notice_minutes: 10
  notice_language: 'en'
  agent_name: 'off'
  virtual_agent_name: 'Virtual assistant'
  typing_minutes: 10
  end_words: 'off'
  ended_notice: 'standard'
  transfer_notice: 'off'
  mark_read: 'off'
  reply_context: 'quote'
  reactions: 'off'
  attachment_limit_mb: 25
  attachment_link_hours: 144
  file_origins: ''
  file_hosts: '*.sharepoint.com,*.sharepoint.us,*.sharepoint-mil.us,*.sharepoint.cn'
  bot_authentication: 'managed-identity'
  bot_app_id: ''
  bot_account: 'bot'
  bot_login_endpoint: ''
  bot_connector_origins: 'https://smba.trafficmanager.net,https://smba.infra.gcc.teams.microsoft.com,https://smba.infra.gov.teams.microsoft.us'
  bot_greeting: 'standard'
  log_level: 'info'
}

@description('How long what is kept.')
@export()
@sealed()
type Retention = {
  @description('Days after which files are deleted. soft_delete_days and up to two days of the lifecycle rule\'s own pace come on top. An app setting too.')
  @minValue(1)
  @maxValue(3650)
  attachment_retention_days: int

  @description('Days without a message after which what is remembered of a chat is deleted: its state and its threads. At least two days longer than thread_window_hours. An app setting too.')
  @minValue(30)
  @maxValue(3650)
  chat_retention_days: int

  @description('Days after which failed messages are deleted; nobody can replay them then. A queue may hand a message over again for 14 days, and must find the verdict then.')
  @minValue(15)
  @maxValue(3650)
  failed_retention_days: int

  @description('Days for which deleted and overwritten blobs and deleted containers can be brought back.')
  @minValue(1)
  @maxValue(365)
  soft_delete_days: int
}

@description('How long what is kept where nobody chose.')
@export()
var retentionDefaults Retention = {
  attachment_retention_days: 7
  chat_retention_days: 180
  failed_retention_days: 90
  soft_delete_days: 7
}

@description('How much runs, and on how many shoulders.')
@export()
@sealed()
type Capacity = {
  @description('HTTP instances that always run. Graph wants an answer within 3 seconds, which a cold start can miss; 0 saves their price.')
  @minValue(0)
  @maxValue(20)
  always_ready_http_instances: int

  @description('Instances that always run of each of the functions deliver-to-genesys and deliver-to-teams: without them the first message after a quiet time waits for a cold start.')
  @minValue(0)
  @maxValue(20)
  always_ready_delivery_instances: int

  @description('HTTP requests at the same time on one instance. The webhooks only verify and enqueue.')
  @minValue(1)
  @maxValue(1000)
  http_concurrency_per_instance: int

  @description('Memory of an instance in MB.')
  instance_memory_mb: 512 | 2048 | 4096

  @description('Most instances of a function at the same time: a ceiling for the bill while an outside service is down and deliveries wait. Flex Consumption takes no less than 40.')
  @minValue(40)
  @maxValue(1000)
  maximum_instance_count: int

  @description('How running instances get a new program or new settings. `Recreate` stops them all at once, `RollingUpdate` (a preview of Azure) one batch after another: without a gap only with two or more HTTP instances always ready.')
  site_update_strategy: 'Recreate' | 'RollingUpdate'

  @description('Whether all survives the loss of one data centre: the plan, the host\'s account and the data account. Azure then keeps two instances of each function ready, at the price of instances that always run. Service Bus and Key Vault are redundant in any case, in a region that has zones.')
  zone_redundant: bool

  @description('Redundancy of the data account; zone_redundant makes the zone-redundant one out of it.')
  storage_replication: 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'
}

@description('How much runs where nobody chose.')
@export()
var capacityDefaults Capacity = {
  always_ready_http_instances: 1
  always_ready_delivery_instances: 0
  http_concurrency_per_instance: 100
  instance_memory_mb: 512
  maximum_instance_count: 40
  site_update_strategy: 'Recreate'
  zone_redundant: false
  storage_replication: 'Standard_ZRS'
}

@description('What can be reached from where.')
@export()
@sealed()
type Network = {
  @description('`public`: all has public addresses, and lets in who has a right. `private`: vault, Service Bus (Premium) and the host\'s account have private addresses only; the Function App\'s entrance and the links to files stay public. Choose before the first deployment: Service Bus cannot change over.')
  network_profile: 'public' | 'private'

  @description('Addresses of the virtual network that is made in the private profile: a /24 or larger that is used nowhere near.')
  network_address_space: string

  @description('Resource id of a subnet of yours for the app, delegated to Microsoft.App/environments, with a way to the internet; a /26 or larger. Empty to have a virtual network made.')
  app_subnet_id: string

  @description('Resource id of a subnet of yours for the private endpoints. Goes with app_subnet_id.')
  endpoint_subnet_id: string

  @description('Where private endpoints get their names: `own` zones in this resource group; the resource id of the resource group that holds yours; or `policy`, where a policy of yours registers them.')
  @minLength(3)
  private_dns: string

  @description('Addresses (CIDR) of operators who reach the vault and Service Bus of the private profile from outside of it.')
  operator_addresses: string[]
}

@description('What can be reached where nobody chose.')
@export()
var networkDefaults Network = {
  network_profile: 'public'
  network_address_space: '10.90.0.0/24'
  app_subnet_id: ''
  endpoint_subnet_id: ''
  private_dns: 'own'
  operator_addresses: []
}

@description('What is written down, and for how long.')
@export()
@sealed()
type Logs = {
  @description('Days for which logs are kept.')
  @minValue(30)
  @maxValue(730)
  log_retention_days: int

  @description('Gigabytes of logs a day after which no more are taken until the next day; -1 for no limit. Without logs the log alerts are blind: an alert of its own tells.')
  @minValue(-1)
  @maxValue(1000)
  daily_log_quota_gb: int

  @description('Log reads and writes of blobs too, not only deletions. One message makes about ten lines.')
  log_blob_access: bool

  @description('Send the output of host and handler to the workspace a second time, beside Application Insights: it helps when the host does not start.')
  log_host_output: bool
}

@description('What is written down where nobody chose.')
@export()
var logsDefaults Logs = {
  log_retention_days: 30
  daily_log_quota_gb: 5
  log_blob_access: false
  log_host_output: false
}

@description('Who is told of what.')
@export()
@sealed()
type Alerts = {
  @description('E-mail address that alerts go to.')
  alert_email: string

  @description('Further addresses, that of a channel in Teams for example.')
  alert_further_emails: string[]

  @description('Minutes that a message may wait for its delivery before an alert.')
  @minValue(1)
  @maxValue(1440)
  waiting_alert_minutes: int

  @description('Messages on one queue that make an alert.')
  @minValue(1)
  backlog_alert_messages: int

  @description('Messages that a queue may hold for a whole hour without an alert: 0 where queues are empty now and then.')
  @minValue(0)
  standing_queue_messages: int

  @description('Percent of deliveries handed back, or of webhooks refused, within half an hour that make an alert.')
  @minValue(1)
  @maxValue(100)
  error_share_alert_percent: int

  @description('Throttled attempts and pauses within half an hour that make an alert.')
  @minValue(1)
  throttling_alert_count: int

  @description('Hours without any notification from Graph after which an alert says that the subscription may be gone; 0 for no such alert. Azure looks back two days at most, so a longer quiet time, a weekend from Friday evening for example, rings even at 48.')
  subscription_silent_hours: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 24 | 48

  @description('Places from which it is asked every ten minutes whether the app answers, as population names of Application Insights: five or more, since each has trouble of its own now and then. None for no availability test, each execution of which costs money. Other clouds have places of their own.')
  @maxLength(16)
  availability_test_locations: string[]
}

@description('What alerts where nobody chose.')
@export()
var alertsDefaults Alerts = {
  alert_email: ''
  alert_further_emails: []
  waiting_alert_minutes: 15
  backlog_alert_messages: 1000
  standing_queue_messages: 0
  error_share_alert_percent: 20
  throttling_alert_count: 50
  subscription_silent_hours: 48
  availability_test_locations: [
    'emea-nl-ams-azr'
    'emea-gb-db3-azr'
    'emea-fr-pra-edge'
    'us-va-ash-azr'
    'apac-sg-sin-azr'
  ]
}

@description('The second door: an Azure Bot with the Teams channel, for people of tenants that install the app of infra/teams-app.')
@export()
@sealed()
type Bot = {
  @description('Whether there is a bot.')
  bot_enabled: bool

  @description('Name of the bot that people see in Teams.')
  @minLength(1)
  @maxLength(42)
  bot_display_name: string
}

@description('No bot where nobody chose.')
@export()
var botDefaults Bot = {
  bot_enabled: false
  bot_display_name: 'Support'
}
