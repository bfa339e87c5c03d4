# The look-up in Dynamics 365: a web services integration that signs in at Entra ID with client credentials, and two data
# actions: a contact by the customer's id in Entra ID, else by the verified address; and an account by the customer's tenant.
# A contact that has another customer's id is never found by its address, and nothing is found by an empty column.
#
# What is sent and what is made of the answer stands in data-actions/dynamics-*.json and nowhere else. Terraform reads those
# files, and an operator without Terraform imports them in Genesys Cloud, so the two cannot drift apart.
#
# How input is kept from changing the query, from the inside to the outside (the order matters):
#
#   …&%24filter=emailaddress1%20eq%20'$esc.url($esc.sql(${input.email}))'…
#
# 1. OData. Between quotes one character is special, ', and it is written twice (OData 4.01, URL Conventions, "Literals").
#    $esc.sql does exactly that and nothing else: o'hara becomes o''hara. A backslash is an ordinary character in OData, so
#    $esc.javascript would be wrong here: it leaves the quote a quote.
# 2. URL. $esc.url encodes the result: & would begin another query option, # would end the query, + would be read as a
#    space. The other way round the quote would already be %27, $esc.sql would find nothing to double, and the service would
#    decode it back to a quote that ends the text.
#
# $filter and the like are written %24filter, so that Velocity does not take them for references of its own. Velocity puts the
# value in once and does not look at the result again, so $ and # in an address do nothing.

locals {
  dynamics_auth = jsondecode(file("${path.module}/data-actions/dynamics-auth.customAuth.json"))
  dynamics_actions = {
    for kind in ["contact", "account"] :
    kind => jsondecode(file("${path.module}/data-actions/dynamics-${kind}.custom.json"))
  }

  # Each file asks by a column of the CRM's own as well. Where there is no such column, the part of the query about it goes.
  dynamics_own_fields = {
    contact = { example = "new_entrauserid", field = var.dynamics_user_id_field }
    account = { example = "new_entratenantid", field = var.dynamics_tenant_id_field }
  }

  dynamics_asked = {
    for kind, action in local.dynamics_actions :
    kind => replace(
      replace(action.config.request.requestUrlTemplate, "https://your-organisation.crm.dynamics.com", var.dynamics_url),
      "accountcategorycode", var.dynamics_tier_field
    )
  }

  dynamics_queries = {
    for kind, own in local.dynamics_own_fields :
    kind => own.field != "" ? replace(local.dynamics_asked[kind], own.example, own.field) : replace(
      replace(local.dynamics_asked[kind], "/\\(${own.example}%20eq%20.*?%20ne%20null\\)%20or%20/", ""),
      "/(%20and%20${own.example}%20eq%20null|${own.example}%20desc,)/", ""
    )
  }
}

resource "genesyscloud_integration_credential" "dynamics" {
  count = var.crm == "dynamics" ? 1 : 0

  name                 = "${local.name} Dynamics 365"
  credential_type_name = "userDefinedOAuth"
  fields = {
    clientId     = var.dynamics_client_id
    clientSecret = var.dynamics_client_secret
    tokenUrl     = "https://login.microsoftonline.com/${var.dynamics_tenant_id}/oauth2/v2.0/token"
    scope        = "${var.dynamics_url}/.default"
  }

  lifecycle {
    precondition {
      condition     = var.dynamics_url != "" && var.dynamics_tenant_id != "" && var.dynamics_client_id != "" && var.dynamics_client_secret != ""
      error_message = "crm = dynamics needs dynamics_url, dynamics_tenant_id, dynamics_client_id and dynamics_client_secret."
    }
  }
}

resource "genesyscloud_integration" "dynamics" {
  count = var.crm == "dynamics" ? 1 : 0

  integration_type = "custom-rest-actions"
  intended_state   = "ENABLED"

  config {
    name = "${local.name} Dynamics 365"
    # The integration type calls its only credential basicAuth, whatever kind it is.
    credentials = {
      basicAuth = genesyscloud_integration_credential.dynamics[0].id
    }
  }
}

# Genesys Cloud makes this action by itself as soon as the credential is of the OAuth kind; here it gets its contents.
resource "genesyscloud_integration_custom_auth_action" "dynamics" {
  count = var.crm == "dynamics" ? 1 : 0

  integration_id = genesyscloud_integration.dynamics[0].id
  name           = "${local.name} Dynamics 365 sign-in"

  config_request {
    request_type         = local.dynamics_auth.config.request.requestType
    request_url_template = local.dynamics_auth.config.request.requestUrlTemplate
    request_template     = local.dynamics_auth.config.request.requestTemplate
    headers              = local.dynamics_auth.config.request.headers
  }

  config_response {
    success_template = local.dynamics_auth.config.response.successTemplate
  }
}

resource "genesyscloud_integration_action" "dynamics" {
  for_each = var.crm == "dynamics" ? local.dynamics_actions : {}

  name                   = each.value.name
  category               = "${local.name} Dynamics 365"
  integration_id         = genesyscloud_integration.dynamics[0].id
  secure                 = each.value.secure
  config_timeout_seconds = var.crm_timeout_seconds

  contract_input  = jsonencode(each.value.contract.input.inputSchema)
  contract_output = jsonencode(each.value.contract.output.successSchema)

  config_request {
    request_type         = each.value.config.request.requestType
    request_url_template = local.dynamics_queries[each.key]
    request_template     = each.value.config.request.requestTemplate
    headers              = each.value.config.request.headers
  }

  # A path that leads nowhere takes its default, but a null that is really there stays null (Genesys Cloud Resource Center,
  # "Response configuration for data actions"). Both are null by the time the success template looks: nobody found is
  # found = false with empty texts, and a contact without an account has empty texts too.
  config_response {
    translation_map = {
      for name, path in each.value.config.response.translationMap :
      name => replace(path, "accountcategorycode", var.dynamics_tier_field)
    }
    translation_map_defaults = each.value.config.response.translationMapDefaults
    success_template         = each.value.config.response.successTemplate
  }

  depends_on = [genesyscloud_integration_custom_auth_action.dynamics]
}
