# What the other steps need. DEPLOY.md says where each goes.

output "integration_id" {
  description = "Id of the open messaging integration: app setting GENESYS_INTEGRATION_ID."
  value       = genesyscloud_conversations_messaging_integrations_open.bridge.id
}

output "oauth_client_id" {
  description = "Id of the bridge's OAuth client, and of the further ones after commas: app setting GENESYS_CLIENT_ID."
  value       = join(",", concat([genesyscloud_oauth_client.bridge.id], genesyscloud_oauth_client.further[*].id))
}

output "spare_oauth_client_id" {
  description = "Id of the second OAuth client: app setting GENESYS_SPARE_CLIENT_ID."
  value       = genesyscloud_oauth_client.spare.id
}

output "genesys_media_types" {
  description = "App setting GENESYS_MEDIA_TYPES."
  value       = join(",", var.media_types)
}

output "flow_id" {
  description = "Id of the inbound message flow: `handler genesys bind-flow --flow`."
  value       = genesyscloud_flow.inbound.id
}

output "queue_id" {
  description = "Id of the queue."
  value       = genesyscloud_routing_queue.support.id
}
