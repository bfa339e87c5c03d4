# The bridge's identity: two permissions, more where they are asked for, and two clients that have nothing else.

resource "genesyscloud_auth_role" "bridge" {
  name        = "${local.name} bridge"
  description = "Delivers customers' messages and receipts through Open Messaging."

  # Covers messages, receipts, typing and structured responses. Reading conversations needs more, which the bridge does only to find
  # whom to disconnect when a customer ends one.
  permission_policies {
    domain      = "conversation"
    entity_name = "message"
    action_set  = local.let_customers_end ? ["receive", "view"] : ["receive"]
  }

  dynamic "permission_policies" {
    for_each = local.let_customers_end ? [1] : []
    content {
      domain      = "conversation"
      entity_name = "communication"
      action_set  = ["disconnect"]
    }
  }

  # To tell a message that Genesys refuses from an integration that is not there.
  permission_policies {
    domain      = "messaging"
    entity_name = "integration"
    # With the right to edit, the bridge replaces the secret of its webhook by itself.
    action_set = var.let_bridge_rotate ? ["edit", "view"] : ["view"]
  }

  # Genesys Cloud has no smaller right than that to edit every client whose roles the bridge holds.
  dynamic "permission_policies" {
    for_each = var.let_bridge_rotate ? [1] : []
    content {
      domain      = "oauth"
      entity_name = "client"
      action_set  = ["edit"]
    }
  }

  lifecycle {
    precondition {
      # It is put into the flow's YAML between quotes.
      condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$", local.name)) && can(regex("^[^\"\\\\{}]{0,200}$", local.chosen_division))
      error_message = "genesys_name in graph-to-open.toml takes letters, digits, spaces, dots, underscores and hyphens only, at most 80 of them; genesys_division_name no quotes, backslashes and braces."
    }
  }
}

# Genesys Cloud gives a client no role that its maker does not hold. The provider gives it to a person by itself; README.md, "Who
# applies", tells how the OAuth client of a pipeline gets it.
resource "genesyscloud_oauth_client" "bridge" {
  name                          = "${local.name} bridge"
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

# A client has one secret, and a new one replaces it at once. So there are always two, which have the bridge's secret in turn: the
# idle one gets a new secret, and when that works the bridge changes over. A second client costs nothing, and until it is its turn
# nobody knows its secret; made only when it is needed, it would have to be given to the app in the middle of a replacement.
resource "genesyscloud_oauth_client" "spare" {
  name                          = "${local.name} bridge, spare"
  description                   = "Has the bridge's secret in turn with the other client, so that one always works."
  authorized_grant_type         = "CLIENT-CREDENTIALS"
  access_token_validity_seconds = var.token_validity_seconds
  state                         = "active"
  expose_client_secret          = false

  roles {
    role_id     = genesyscloud_auth_role.bridge.id
    division_id = data.genesyscloud_auth_division_home.home.id
  }
}

# Calls are limited by client, so further clients share the load. Each has a secret of its own, which people replace.
resource "genesyscloud_oauth_client" "further" {
  count = var.further_clients

  name                          = "${local.name} bridge, further ${count.index + 1}"
  description                   = "Shares the calls of the bridge between Teams and Open Messaging."
  authorized_grant_type         = "CLIENT-CREDENTIALS"
  access_token_validity_seconds = var.token_validity_seconds
  state                         = "active"
  expose_client_secret          = false

  roles {
    role_id     = genesyscloud_auth_role.bridge.id
    division_id = data.genesyscloud_auth_division_home.home.id
  }
}

moved {
  from = genesyscloud_oauth_client.spare[0]
  to   = genesyscloud_oauth_client.spare
}
