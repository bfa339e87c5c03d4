# The look-up in Dynamics 365: a web services integration that signs in at Entra ID with client credentials, and one data
# action.
#
# What is sent and what is made of the answer stands in data-actions/dynamics-*.json and nowhere else. Terraform reads those
# files, and an operator without Terraform imports them in Genesys Cloud, so the two cannot drift apart.
#
# How the UPN is kept from changing the query, from the inside to the outside (the order matters):
#
#   …&%24filter=emailaddress1%20eq%20'$esc.url($esc.sql(${input.upn}))'…
#
# 1. OData. Between quotes one character is special, ', and it is written twice (OData 4.01, URL Conventions, "Literals").
#    $esc.sql does exactly that and nothing else: o'hara becomes o''hara. A backslash is an ordinary character in OData, so
#    $esc.javascript would be wrong here: it leaves the quote a quote.
# 2. URL. $esc.url encodes the result: & would begin another query option, # would end the query, + would be read as a
#    space. The other way round the quote would already be %27, $esc.sql would find nothing to double, and the service would
#    decode it back to a quote that ends the text.
#
# $filter and the like are written %24filter, so that Velocity does not take them for references of its own. Velocity puts the
# value in once and does not look at the result again, so $ and # in a UPN (guests have #EXT#) do nothing.

locals {
  dynamics_auth   = jsondecode(file("${path.module}/data-actions/dynamics-auth.customAuth.json"))
  dynamics_action = jsondecode(file("${path.module}/data-actions/dynamics-contact-by-upn.custom.json"))
}

resource "genesyscloud_integration_credential" "dynamics" {
  count = var.crm == "dynamics" ? 1 : 0

  name                 = "${var.name} Dynamics 365"
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
    name = "${var.name} Dynamics 365"
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
  name           = "${var.name} Dynamics 365 sign-in"

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

resource "genesyscloud_integration_action" "dynamics_contact" {
  count = var.crm == "dynamics" ? 1 : 0

  name                   = local.dynamics_action.name
  category               = "${var.name} Dynamics 365"
  integration_id         = genesyscloud_integration.dynamics[0].id
  secure                 = local.dynamics_action.secure
  config_timeout_seconds = var.crm_timeout_seconds

  contract_input  = jsonencode(local.dynamics_action.contract.input.inputSchema)
  contract_output = jsonencode(local.dynamics_action.contract.output.successSchema)

  config_request {
    request_type = local.dynamics_action.config.request.requestType
    request_url_template = replace(
      replace(local.dynamics_action.config.request.requestUrlTemplate, "https://your-organisation.crm.dynamics.com", var.dynamics_url),
      "accountcategorycode", var.dynamics_tier_field
    )
    request_template = local.dynamics_action.config.request.requestTemplate
    headers          = local.dynamics_action.config.request.headers
  }

  # A path that leads nowhere takes its default, but a null that is really there stays null (Genesys Cloud Resource Center,
  # "Response configuration for data actions"). Both are null by the time the success template looks: no contact is
  # found = false with empty texts, and a contact without an account has empty texts too.
  config_response {
    translation_map = {
      for name, path in local.dynamics_action.config.response.translationMap :
      name => replace(path, "accountcategorycode", var.dynamics_tier_field)
    }
    translation_map_defaults = local.dynamics_action.config.response.translationMapDefaults
    success_template         = local.dynamics_action.config.response.successTemplate
  }

  depends_on = [genesyscloud_integration_custom_auth_action.dynamics]
}
