# What the other steps need. `handler setup genesys` reads it and writes the ids into graph-to-open.toml.

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
  value       = join(",", local.media_types)
}

output "flow_id" {
  description = "Id of the inbound message flow, which `handler setup genesys` binds to the integration."
  value       = data.genesyscloud_flow.inbound.id
}

output "queue_id" {
  description = "Id of the queue."
  value       = genesyscloud_routing_queue.support.id
}
