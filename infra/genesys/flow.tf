# The inbound message flow. Binding it to the integration is the one step that no resource covers:
# `handler genesys bind-flow`.

locals {
  # A flow that names a data action is published only where that action exists, and Architect's YAML knows no conditions;
  # so there is one file with the look-up and one without.
  flow_file = "${path.module}/flows/${var.crm == "none" ? "inbound-message-no-crm" : "inbound-message"}.yaml"

  crm_action = {
    id       = one(concat(genesyscloud_integration_action.salesforce_contact[*].id, genesyscloud_integration_action.dynamics_contact[*].id))
    name     = one(concat(genesyscloud_integration_action.salesforce_contact[*].name, genesyscloud_integration_action.dynamics_contact[*].name))
    category = one(concat(genesyscloud_integration_action.salesforce_contact[*].category, genesyscloud_integration_action.dynamics_contact[*].category))
  }

  flow_substitutions = merge(
    {
      flow_name     = "${var.name} inbound"
      division_name = local.division_name
      queue_name    = genesyscloud_routing_queue.support.name
    },
    var.crm == "none" ? {} : {
      crm_category = local.crm_action.category
      crm_action   = local.crm_action.name
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
    action        = local.crm_action.id
  }))
}
