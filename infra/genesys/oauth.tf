# The bridge's identity: two permissions, and a client that has nothing else.

resource "genesyscloud_auth_role" "bridge" {
  name        = "${var.name} bridge"
  description = "Delivers customers' messages and receipts through Open Messaging."

  # Covers messages, receipts, typing and structured responses. Reading conversations or sending on one's own needs more,
  # and the bridge does neither.
  permission_policies {
    domain      = "conversation"
    entity_name = "message"
    action_set  = ["receive"]
  }

  # To tell a message that Genesys refuses from an integration that is not there.
  permission_policies {
    domain      = "messaging"
    entity_name = "integration"
    action_set  = ["view"]
  }
}

# Genesys Cloud gives a client no role that its maker does not hold: README.md, "Order", tells how Terraform's client gets it.
resource "genesyscloud_oauth_client" "bridge" {
  name                          = "${var.name} bridge"
  description                   = "Client credentials of the bridge between Teams and Open Messaging."
  authorized_grant_type         = "CLIENT-CREDENTIALS"
  access_token_validity_seconds = var.token_validity_seconds
  state                         = "active"
  expose_client_secret          = false

  roles {
    role_id     = genesyscloud_auth_role.bridge.id
    division_id = data.genesyscloud_auth_division_home.home.id
  }
}

# A client has one secret, and a new one replaces it at once. With a second client the bridge changes over first, and the
# secret of the client that is then idle is replaced after that.
resource "genesyscloud_oauth_client" "spare" {
  count = var.spare_oauth_client ? 1 : 0

  name                          = "${var.name} bridge, spare"
  description                   = "Stands by while the other client's secret is replaced."
  authorized_grant_type         = "CLIENT-CREDENTIALS"
  access_token_validity_seconds = var.token_validity_seconds
  state                         = "active"
  expose_client_secret          = false

  roles {
    role_id     = genesyscloud_auth_role.bridge.id
    division_id = data.genesyscloud_auth_division_home.home.id
  }
}
