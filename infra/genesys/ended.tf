# Telling the bridge that a conversation ended. Open Messaging's webhook says nothing of it, so two triggers start a workflow, which
# calls the bridge by a data action. Only with conversation_ended = true of graph-to-open.toml, or conversation_ended_url.
#
# What is sent stands in data-actions/conversation-ended.custom.json: the input as it is (input.rawRequest), so that nothing has to be
# escaped. It cannot be signed like a webhook: data actions have no macro for it (Genesys Cloud Resource Center, "Velocity macros for
# data actions"). So the call has a secret in a header of its own, beside the function's key.

locals {
  ended_action = jsondecode(file("${path.module}/data-actions/conversation-ended.custom.json"))
  ended_flow   = "${path.module}/workflows/conversation-ended.yaml"

  # Which sessions count, by what ended: the customer's, which ends with the conversation, whoever ends it; and an agent's who hands
  # the conversation on. That of an agent who leaves needs no trigger of its own, and one that only rang (NO_ANSWER_TRANSFER and the
  # like) is none of the customer's business.
  ended_events = {
    customer = { tells = "A conversation ended.", further = [] }
    user = {
      tells = "An agent handed a conversation on."
      further = [{
        jsonPath = "disconnectType"
        operator = "In"
        values   = ["TRANSFER", "CONFERENCE_TRANSFER", "CONSULT_TRANSFER", "FORWARD_TRANSFER"]
      }]
    }
  }

  ended_substitutions = local.tells_ends ? {
    flow_name     = "${local.name} conversation ended"
    division_name = local.division_name
    category      = genesyscloud_integration_action.ended[0].category
    action        = genesyscloud_integration_action.ended[0].name
  } : {}
}

resource "genesyscloud_integration_credential" "ended" {
  count = local.tells_ends ? 1 : 0

  name                 = "${local.name} bridge"
  credential_type_name = "userDefined"
  fields = {
    functionKey  = var.conversation_ended_key
    bridgeSecret = var.conversation_ended_secret
  }

  lifecycle {
    precondition {
      condition     = var.conversation_ended_url != "" || local.host_name != ""
      error_message = "There is no address to call: graph-to-open.toml has no function_app_host_name, which `handler setup genesys` writes."
    }

    precondition {
      condition     = var.conversation_ended_key != "" && var.conversation_ended_secret != ""
      error_message = "Telling of ends needs conversation_ended_key and conversation_ended_secret: handler setup genesys gives both."
    }
  }
}

resource "genesyscloud_integration" "ended" {
  count = local.tells_ends ? 1 : 0

  integration_type = "custom-rest-actions"
  intended_state   = "ENABLED"

  config {
    name = "${local.name} bridge"
    # The integration type calls its only credential basicAuth, whatever kind it is.
    credentials = {
      basicAuth = genesyscloud_integration_credential.ended[0].id
    }
  }
}

resource "genesyscloud_integration_action" "ended" {
  count = local.tells_ends ? 1 : 0

  name                   = local.ended_action.name
  category               = "${local.name} bridge"
  integration_id         = genesyscloud_integration.ended[0].id
  secure                 = local.ended_action.secure
  config_timeout_seconds = 10

  contract_input  = jsonencode(local.ended_action.contract.input.inputSchema)
  contract_output = jsonencode(local.ended_action.contract.output.successSchema)

  config_request {
    request_type         = local.ended_action.config.request.requestType
    request_url_template = local.ended_url
    request_template     = local.ended_action.config.request.requestTemplate
    headers              = local.ended_action.config.request.headers
  }

  config_response {
    translation_map          = local.ended_action.config.response.translationMap
    translation_map_defaults = local.ended_action.config.response.translationMapDefaults
    success_template         = local.ended_action.config.response.successTemplate
  }
}

# Another name makes another flow, of which the plan of the triggers would know nothing.
resource "terraform_data" "ended_name" {
  count = local.tells_ends ? 1 : 0
  input = local.ended_substitutions.flow_name
}

resource "genesyscloud_flow" "ended" {
  count = local.tells_ends ? 1 : 0

  filepath      = local.ended_flow
  substitutions = local.ended_substitutions

  # A changed contract gives the data action a new id, and the published workflow would go on calling the old one.
  update_trigger_hash = sha256(jsonencode({
    file          = filesha256(local.ended_flow)
    substitutions = local.ended_substitutions
    action        = genesyscloud_integration_action.ended[0].id
  }))

  lifecycle {
    replace_triggered_by  = [terraform_data.ended_name]
    create_before_destroy = true
  }
}

# The integration is not among the criteria: the events do not name it for certain. The bridge takes no notice of conversations of
# other open messaging integrations.
resource "genesyscloud_processautomation_trigger" "ended" {
  for_each = local.tells_ends ? local.ended_events : {}

  name        = "${local.name} ${each.key} end"
  description = each.value.tells
  topic_name  = "v2.detail.events.conversation.{id}.${each.key}.end"
  enabled     = true

  match_criteria = jsonencode(concat([
    { jsonPath = "mediaType", operator = "Equal", value = "MESSAGE" },
    { jsonPath = "messageType", operator = "Equal", value = "OPEN" },
  ], each.value.further))

  # After that long nobody needs to be told any more.
  event_ttl_seconds = 600

  target {
    id   = genesyscloud_flow.ended[0].id
    type = "Workflow"

    workflow_target_settings {
      data_format = "TopLevelPrimitives"
    }
  }
}
