# The look-up in Salesforce: a web services integration that signs in with client credentials, and two data actions: a contact
# by the customer's id in Entra ID, else by the verified address; and an account by the customer's tenant.
#
# What is sent and what is made of the answer stands in data-actions/salesforce-*.json and nowhere else. Terraform reads those
# files, and an operator without Terraform imports them in Genesys Cloud, so the two cannot drift apart.
#
# A contact that has another customer's id is never found by its address, and nothing is found by an empty field: SOQL takes
# '' for null, hence the "!= null" beside each comparison.
#
# How input is kept from changing the query, from the inside to the outside (the order matters):
#
#   $esc.url("SELECT … WHERE Email = '$esc.javascript(${input.email}).replace('\/', '/')' …")
#
# 1. SOQL. Between quotes two characters are special, ' and \, and a backslash goes before each (Salesforce SOQL and SOSL
#    Reference, "Reserved Characters"). $esc.javascript does exactly that: o'hara becomes o\'hara, \ becomes \\. What else it
#    escapes, SOQL reads back: \" and \uXXXX ("Quoted String Escape Sequences"). The one exception is /, which it turns into
#    \/, an error for SOQL; .replace makes it / again (Genesys Cloud Resource Center, "Velocity macros for data actions", "Java
#    string method macros"). Every / has a backslash of its own by then, and only that one goes: \/ is first \\\/, then \\/.
#    Not $esc.sql: it doubles the quote, which ends the string in SOQL, and leaves backslashes alone.
#    Not $salesforce.escReserved: it is made for searches (SOSL) and puts a backslash before - and + too, which SOQL refuses,
#    so anne-marie@… would never be found.
# 2. URL. $esc.url around the whole query encodes what the first step left, &, #, % and + among it. The other way round the
#    backslashes would be added to text that no longer has a quote in it, and a quote would arrive as itself.
#
# Velocity puts the value in once and does not look at the result again, so $ and # in an address do nothing.

locals {
  salesforce_auth = jsondecode(file("${path.module}/data-actions/salesforce-auth.customAuth.json"))
  salesforce_actions = {
    for kind in ["contact", "account"] :
    kind => jsondecode(file("${path.module}/data-actions/salesforce-${kind}.custom.json"))
  }

  # Each file asks by a field of the CRM's own as well. Where there is no such field, the part of the query about it goes.
  salesforce_own_fields = {
    contact = { example = "EntraUserId__c", field = var.salesforce_user_id_field }
    account = { example = "EntraTenantId__c", field = var.salesforce_tenant_id_field }
  }

  salesforce_asked = {
    for kind, action in local.salesforce_actions :
    kind => replace(
      replace(action.config.request.requestUrlTemplate, "https://your-domain.my.salesforce.com", var.salesforce_url),
      "/\\bType\\b/", var.salesforce_tier_field
    )
  }

  salesforce_queries = {
    for kind, own in local.salesforce_own_fields :
    kind => own.field != "" ? replace(local.salesforce_asked[kind], own.example, own.field) : replace(
      replace(local.salesforce_asked[kind], "/\\(${own.example} = .*? != null\\) OR /", ""),
      "/( AND ${own.example} = null|${own.example} NULLS LAST, )/", ""
    )
  }
}

resource "genesyscloud_integration_credential" "salesforce" {
  count = var.crm == "salesforce" ? 1 : 0

  name                 = "${local.name} Salesforce"
  credential_type_name = "userDefinedOAuth"
  fields = {
    clientId     = var.salesforce_client_id
    clientSecret = var.salesforce_client_secret
    tokenUrl     = "${var.salesforce_url}/services/oauth2/token"
  }

  lifecycle {
    precondition {
      condition     = var.salesforce_url != "" && var.salesforce_client_id != "" && var.salesforce_client_secret != ""
      error_message = "crm = salesforce needs salesforce_url, salesforce_client_id and salesforce_client_secret."
    }
  }
}

resource "genesyscloud_integration" "salesforce" {
  count = var.crm == "salesforce" ? 1 : 0

  integration_type = "custom-rest-actions"
  intended_state   = "ENABLED"

  config {
    name = "${local.name} Salesforce"
    # The integration type calls its only credential basicAuth, whatever kind it is.
    credentials = {
      basicAuth = genesyscloud_integration_credential.salesforce[0].id
    }
  }
}

# Genesys Cloud makes this action by itself as soon as the credential is of the OAuth kind; here it gets its contents.
resource "genesyscloud_integration_custom_auth_action" "salesforce" {
  count = var.crm == "salesforce" ? 1 : 0

  integration_id = genesyscloud_integration.salesforce[0].id
  name           = "${local.name} Salesforce sign-in"

  config_request {
    request_type         = local.salesforce_auth.config.request.requestType
    request_url_template = local.salesforce_auth.config.request.requestUrlTemplate
    request_template     = local.salesforce_auth.config.request.requestTemplate
    headers              = local.salesforce_auth.config.request.headers
  }

  config_response {
    success_template = local.salesforce_auth.config.response.successTemplate
  }
}

resource "genesyscloud_integration_action" "salesforce" {
  for_each = var.crm == "salesforce" ? local.salesforce_actions : {}

  name                   = each.value.name
  category               = "${local.name} Salesforce"
  integration_id         = genesyscloud_integration.salesforce[0].id
  secure                 = each.value.secure
  config_timeout_seconds = var.crm_timeout_seconds

  contract_input  = jsonencode(each.value.contract.input.inputSchema)
  contract_output = jsonencode(each.value.contract.output.successSchema)

  config_request {
    request_type         = each.value.config.request.requestType
    request_url_template = local.salesforce_queries[each.key]
    request_template     = each.value.config.request.requestTemplate
    headers              = each.value.config.request.headers
  }

  # A path that leads nowhere takes its default, but a null that is really there stays null (Genesys Cloud Resource Center,
  # "Response configuration for data actions"). Both are null by the time the success template looks: nobody found is
  # found = false with empty texts, and an account without a tier is an empty text too.
  config_response {
    translation_map = {
      for name, path in each.value.config.response.translationMap :
      name => name == "tier" ? replace(path, "/Type$/", var.salesforce_tier_field) : path
    }
    translation_map_defaults = each.value.config.response.translationMapDefaults
    success_template         = each.value.config.response.successTemplate
  }

  depends_on = [genesyscloud_integration_custom_auth_action.salesforce]
}
