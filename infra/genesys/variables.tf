# What an operator decides. terraform.tfvars.example holds a line for each.

variable "installation_file" {
  description = "Path of graph-to-open.toml. Empty for the one at the root of the repository."
  type        = string
  default     = ""
}

variable "name" {
  description = "Name of everything that is created: the integration, the queue, the flow, the role and the OAuth client carry it. Empty for genesys_name of graph-to-open.toml, else Teams."
  type        = string
  default     = ""

  validation {
    # It is put into the flow's YAML between quotes.
    condition     = var.name == "" || can(regex("^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$", var.name))
    error_message = "Use letters, digits, spaces, dots, underscores and hyphens only, at most 80 of them."
  }
}

variable "division_name" {
  description = "Division of the queue and the flow. Empty for genesys_division_name of graph-to-open.toml, else the home division."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[^\"\\\\{}]{0,200}$", var.division_name))
    error_message = "A division's name here must be without quotes, backslashes and braces."
  }
}

# ---- The bridge ----

variable "webhook_url" {
  description = "Where Genesys Cloud sends what agents write: the output genesysWebhookUrl of the Azure deployment. Empty for genesys_webhook_url of graph-to-open.toml."
  type        = string
  default     = ""

  validation {
    # Open Messaging calls port 443 only.
    condition     = var.webhook_url == "" || can(regex("^https://[^/:?#@]+/[^?#]*$", var.webhook_url))
    error_message = "Give an https URL without a port, as the Azure deployment prints it."
  }
}

variable "webhook_secret" {
  description = "What Genesys Cloud signs its webhooks with: the value of the Key Vault secret genesys-webhook-secret, read anew for each apply, because it is replaced every three months."
  type        = string
  sensitive   = true

  validation {
    # Genesys Cloud wants more than 15 characters; 32 leave no room for guessing.
    condition     = length(var.webhook_secret) >= 32
    error_message = "The secret needs at least 32 characters; make one with `openssl rand -base64 48`."
  }
}

variable "media_types" {
  description = "Media types of customers' files that reach agents. The app setting GENESYS_MEDIA_TYPES must say the same (output genesys_media_types). Unset for genesys_media_types of graph-to-open.toml, else every type."
  type        = list(string)
  default     = null

  validation {
    condition     = var.media_types == null ? true : length(var.media_types) > 0 && alltrue([for type in var.media_types : can(regex("^(\\*/\\*|[A-Za-z0-9!#$&^_.+-]+/(\\*|[A-Za-z0-9!#$&^_.+-]+))$", type))])
    error_message = "Give at least one media type, such as image/png, image/* or */*."
  }
}

variable "outbound_media_types" {
  description = "Media types of files that agents may send. The bridge carries every type; Genesys Cloud does not send a message with one that is not listed."
  type        = list(string)
  default     = ["*/*"]

  validation {
    condition     = length(var.outbound_media_types) > 0 && alltrue([for type in var.outbound_media_types : can(regex("^(\\*/\\*|[A-Za-z0-9!#$&^_.+-]+/(\\*|[A-Za-z0-9!#$&^_.+-]+))$", type))])
    error_message = "Give at least one media type, such as image/png, image/* or */*."
  }
}

variable "token_validity_seconds" {
  description = "Life of the bridge's access tokens in seconds."
  type        = number
  default     = 86400

  validation {
    condition     = var.token_validity_seconds >= 300 && var.token_validity_seconds <= 172800
    error_message = "Genesys Cloud takes 300 to 172800 seconds."
  }
}

variable "further_clients" {
  description = "OAuth clients besides the first that share the bridge's calls: Genesys Cloud limits each to 300 a minute."
  type        = number
  default     = 0

  validation {
    condition     = var.further_clients >= 0 && var.further_clients <= 19
    error_message = "The bridge takes 20 clients at most."
  }
}

variable "let_bridge_rotate" {
  description = "Whether the bridge's own role may replace its secrets: it then may edit its integrations and every OAuth client that has no more roles than it. Otherwise an administrator runs `handler rotate genesys` every three months."
  type        = bool
  default     = false
}

# ---- How a conversation ends ----

variable "let_customers_end" {
  description = "Whether a customer may end a conversation from Teams: the bridge's role then may see message conversations and disconnect their participants. Unset for let_customers_end of graph-to-open.toml, else not."
  type        = bool
  default     = null
}

variable "conversation_ended_url" {
  description = "Where Genesys Cloud tells that a conversation ended, where that is another place than the Function App of graph-to-open.toml. Empty for that, with conversation_ended = true there, else for nowhere: customers then read nothing about it."
  type        = string
  default     = ""

  validation {
    condition     = var.conversation_ended_url == "" || can(regex("^https://[^/:?#@$]+/[^?#$]*$", var.conversation_ended_url))
    error_message = "Give an https URL without a port, as the Azure deployment prints it."
  }
}

variable "conversation_ended_key" {
  description = "Key of the function conversation-ended. Only where Genesys Cloud tells of ends; `handler setup genesys` reads it."
  type        = string
  default     = ""
  sensitive   = true
}

variable "conversation_ended_secret" {
  description = "What the bridge knows the call by: the value of the Key Vault secret genesys-ended-secret. Only where Genesys Cloud tells of ends; `handler setup genesys` makes and reads it."
  type        = string
  default     = ""
  sensitive   = true

  validation {
    condition     = var.conversation_ended_secret == "" || can(regex("^[A-Za-z0-9+/=_-]{32,}$", var.conversation_ended_secret))
    error_message = "The secret needs at least 32 characters of base64, for it travels in a header; make one with `openssl rand -base64 48`."
  }
}

# ---- The queue ----

variable "queue_group_ids" {
  description = "Ids of the groups whose members answer. Empty to leave the queue's members to others."
  type        = set(string)
  default     = []
}

variable "alerting_timeout_seconds" {
  description = "How long a message rings at an agent, in seconds."
  type        = number
  default     = 30

  validation {
    condition     = var.alerting_timeout_seconds >= 7
    error_message = "Genesys Cloud takes 7 seconds at least."
  }
}

variable "service_level_seconds" {
  description = "Within how many seconds a message should be answered; for reports only."
  type        = number
  default     = 60

  validation {
    condition     = var.service_level_seconds >= 1
    error_message = "Genesys Cloud takes 1 second at least."
  }
}

# ---- The CRM look-up ----

variable "crm" {
  description = "Where the flow looks a customer up: none, salesforce or dynamics."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "salesforce", "dynamics"], var.crm)
    error_message = "Give none, salesforce or dynamics."
  }
}

variable "crm_timeout_seconds" {
  description = "How long a look-up may take before the customer goes to the queue without it, in seconds."
  type        = number
  default     = 5

  validation {
    # The flow itself waits for 15 seconds.
    condition     = var.crm_timeout_seconds >= 1 && var.crm_timeout_seconds <= 10
    error_message = "Give 1 to 10 seconds."
  }
}

variable "salesforce_url" {
  description = "My Domain URL of the Salesforce organisation, https://{domain}.my.salesforce.com. Only with crm = salesforce."
  type        = string
  default     = ""

  validation {
    condition     = var.salesforce_url == "" || can(regex("^https://[A-Za-z0-9.-]+$", var.salesforce_url))
    error_message = "Give an https URL without a path."
  }
}

variable "salesforce_client_id" {
  description = "Consumer key of a connected app with the client credentials flow. Only with crm = salesforce."
  type        = string
  default     = ""
}

variable "salesforce_client_secret" {
  description = "Consumer secret of that connected app. Only with crm = salesforce."
  type        = string
  default     = ""
  sensitive   = true
}

variable "salesforce_tier_field" {
  description = "Field of Account that tells the customer's tier, for example Type or Tier__c. Only with crm = salesforce."
  type        = string
  default     = "Type"

  validation {
    # It becomes part of a query.
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,79}$", var.salesforce_tier_field))
    error_message = "Give the API name of one field."
  }
}

variable "salesforce_user_id_field" {
  description = "Field of Contact that holds the customer's object id in Entra ID, for example EntraUserId__c. Empty when the CRM keeps none: contacts are then found by their address alone. Only with crm = salesforce."
  type        = string
  default     = ""

  validation {
    # It becomes part of a query.
    condition     = var.salesforce_user_id_field == "" || can(regex("^[A-Za-z][A-Za-z0-9_]{0,79}$", var.salesforce_user_id_field))
    error_message = "Give the API name of one field, or nothing."
  }
}

variable "salesforce_tenant_id_field" {
  description = "Field of Account that holds the id of the customer's Entra tenant, for example EntraTenantId__c. Empty when the CRM keeps none: accounts are then found by their web site alone. Only with crm = salesforce."
  type        = string
  default     = ""

  validation {
    # It becomes part of a query.
    condition     = var.salesforce_tenant_id_field == "" || can(regex("^[A-Za-z][A-Za-z0-9_]{0,79}$", var.salesforce_tenant_id_field))
    error_message = "Give the API name of one field, or nothing."
  }
}

variable "dynamics_url" {
  description = "URL of the Dynamics 365 environment, https://{organisation}.crm.dynamics.com. Only with crm = dynamics."
  type        = string
  default     = ""

  validation {
    condition     = var.dynamics_url == "" || can(regex("^https://[A-Za-z0-9.-]+$", var.dynamics_url))
    error_message = "Give an https URL without a path."
  }
}

variable "dynamics_tenant_id" {
  description = "Entra tenant that the Dynamics 365 environment belongs to. Only with crm = dynamics."
  type        = string
  default     = ""

  validation {
    condition     = var.dynamics_tenant_id == "" || can(regex("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", var.dynamics_tenant_id))
    error_message = "Give the tenant's GUID."
  }
}

variable "dynamics_client_id" {
  description = "Application id of the Entra app that is an application user of the environment. Only with crm = dynamics."
  type        = string
  default     = ""
}

variable "dynamics_client_secret" {
  description = "Client secret of that app. Only with crm = dynamics."
  type        = string
  default     = ""
  sensitive   = true
}

variable "dynamics_tier_field" {
  description = "Choice column of account that tells the customer's tier, by its logical name. Only with crm = dynamics."
  type        = string
  default     = "accountcategorycode"

  validation {
    # It becomes part of a query.
    condition     = can(regex("^[a-z][a-z0-9_]{0,79}$", var.dynamics_tier_field))
    error_message = "Give the logical name of one column."
  }
}

variable "dynamics_user_id_field" {
  description = "Text column of contact that holds the customer's object id in Entra ID, by its logical name, for example new_entrauserid. Empty when the CRM keeps none: contacts are then found by their address alone. Only with crm = dynamics."
  type        = string
  default     = ""

  validation {
    # It becomes part of a query.
    condition     = var.dynamics_user_id_field == "" || can(regex("^[a-z][a-z0-9_]{0,79}$", var.dynamics_user_id_field))
    error_message = "Give the logical name of one column, or nothing."
  }
}

variable "dynamics_tenant_id_field" {
  description = "Text column of account that holds the id of the customer's Entra tenant, by its logical name, for example new_entratenantid. Empty when the CRM keeps none: accounts are then found by their web site alone. Only with crm = dynamics."
  type        = string
  default     = ""

  validation {
    # It becomes part of a query.
    condition     = var.dynamics_tenant_id_field == "" || can(regex("^[a-z][a-z0-9_]{0,79}$", var.dynamics_tenant_id_field))
    error_message = "Give the logical name of one column, or nothing."
  }
}
