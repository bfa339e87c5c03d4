# The look-up in Salesforce: a web services integration that signs in with client credentials, and one data action.
#
# What is sent and what is made of the answer stands in data-actions/salesforce-*.json and nowhere else. Terraform reads those
# files, and an operator without Terraform imports them in Genesys Cloud, so the two cannot drift apart.
#
# How the UPN is kept from changing the query, from the inside to the outside (the order matters):
#
#   $esc.url("SELECT … WHERE Email = '$esc.javascript(${input.upn})' …")
#
# 1. SOQL. Between quotes two characters are special, ' and \, and a backslash goes before each (Salesforce SOQL and SOSL
#    Reference, "Reserved Characters"). $esc.javascript does exactly that: o'hara becomes o\'hara, \ becomes \\. What else it
#    escapes, SOQL reads back: \" and \uXXXX ("Quoted String Escape Sequences"). The one exception is /, which it turns into
#    \/, an error for SOQL; no UPN has a slash, and an error sends the customer to the queue.
#    Not $esc.sql: it doubles the quote, which ends the string in SOQL, and leaves backslashes alone.
#    Not $salesforce.escReserved: it is made for searches (SOSL) and puts a backslash before - and + too, which SOQL refuses,
#    so anne-marie@… would never be found.
# 2. URL. $esc.url around the whole query encodes what the first step left, &, #, % and + among it. The other way round the
#    backslashes would be added to text that no longer has a quote in it, and a quote would arrive as itself.
#
# Velocity puts the value in once and does not look at the result again, so $ and # in a UPN (guests have #EXT#) do nothing.

locals {
  salesforce_auth   = jsondecode(file("${path.module}/data-actions/salesforce-auth.customAuth.json"))
  salesforce_action = jsondecode(file("${path.module}/data-actions/salesforce-contact-by-upn.custom.json"))
}

resource "genesyscloud_integration_credential" "salesforce" {
  count = var.crm == "salesforce" ? 1 : 0

  name                 = "${var.name} Salesforce"
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
    name = "${var.name} Salesforce"
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
  name           = "${var.name} Salesforce sign-in"

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

resource "genesyscloud_integration_action" "salesforce_contact" {
  count = var.crm == "salesforce" ? 1 : 0

  name                   = local.salesforce_action.name
  category               = "${var.name} Salesforce"
  integration_id         = genesyscloud_integration.salesforce[0].id
  secure                 = local.salesforce_action.secure
  config_timeout_seconds = var.crm_timeout_seconds

  contract_input  = jsonencode(local.salesforce_action.contract.input.inputSchema)
  contract_output = jsonencode(local.salesforce_action.contract.output.successSchema)

  config_request {
    request_type = local.salesforce_action.config.request.requestType
    request_url_template = replace(
      replace(local.salesforce_action.config.request.requestUrlTemplate, "https://your-domain.my.salesforce.com", var.salesforce_url),
      "Account.Type", "Account.${var.salesforce_tier_field}"
    )
    request_template = local.salesforce_action.config.request.requestTemplate
    headers          = local.salesforce_action.config.request.headers
  }

  # A path that leads nowhere takes its default, but a null that is really there stays null (Genesys Cloud Resource Center,
  # "Response configuration for data actions"). Both are null by the time the success template looks: no contact is
  # found = false with empty texts, and an account without a tier is an empty text too.
  config_response {
    translation_map = {
      for name, path in local.salesforce_action.config.response.translationMap :
      name => replace(path, "Account.Type", "Account.${var.salesforce_tier_field}")
    }
    translation_map_defaults = local.salesforce_action.config.response.translationMapDefaults
    success_template         = local.salesforce_action.config.response.successTemplate
  }

  depends_on = [genesyscloud_integration_custom_auth_action.salesforce]
}
