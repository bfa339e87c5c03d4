# Where every customer ends up, whatever the look-up says.

resource "genesyscloud_routing_queue" "support" {
  name        = "${local.name} support"
  description = "Customers who write from Microsoft Teams."
  division_id = local.division_id
  groups      = length(var.queue_group_ids) > 0 ? var.queue_group_ids : null

  acw_wrapup_prompt = "OPTIONAL"

  media_settings_message {
    alerting_timeout_sec      = var.alerting_timeout_seconds
    service_level_percentage  = 0.8
    service_level_duration_ms = var.service_level_seconds * 1000
  }
}
