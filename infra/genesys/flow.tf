# The inbound message flow. No resource binds it to the integration: `handler setup genesys` does.

locals {
  # A flow that names a data action is published only where that action exists, and Architect's YAML knows no conditions;
  # so there is one file with the look-up and one without.
  flow_file = "${path.module}/flows/${var.crm == "none" ? "inbound-message-no-crm" : "inbound-message"}.yaml"

  # By what they look for, contact and account; none without a CRM.
  crm_actions = merge(genesyscloud_integration_action.salesforce, genesyscloud_integration_action.dynamics)

  flow_substitutions = merge(
    {
      flow_name     = "${local.name} inbound"
      division_name = local.division_name
      queue_name    = genesyscloud_routing_queue.support.name
    },
    var.crm == "none" ? {} : {
      crm_category       = local.crm_actions["contact"].category
      crm_contact_action = local.crm_actions["contact"].name
      crm_account_action = local.crm_actions["account"].name
    }
  )
}

resource "genesyscloud_flow" "inbound" {
  filepath      = local.flow_file
  substitutions = local.flow_substitutions

  # A changed contract gives the data action a new id, and the published flow would go on calling the old one.
  update_trigger_hash = sha256(jsonencode({
    file          = filesha256(local.flow_file)
    substitutions = local.flow_substitutions
    actions       = [for action in local.crm_actions : action.id]
  }))
}

# Another name makes another flow, of whose id the resource's plan would know nothing: it is read once the flow is there.
data "genesyscloud_flow" "inbound" {
  name       = local.flow_substitutions.flow_name
  type       = "inboundshortmessage"
  depends_on = [genesyscloud_flow.inbound]
}
