# The open messaging integration, and what passes through it.

data "genesyscloud_auth_division_home" "home" {}

data "genesyscloud_auth_division" "chosen" {
  count = local.chosen_division == "" ? 0 : 1
  name  = local.chosen_division
}

locals {
  division_id   = local.chosen_division == "" ? data.genesyscloud_auth_division_home.home.id : data.genesyscloud_auth_division.chosen[0].id
  division_name = local.chosen_division == "" ? data.genesyscloud_auth_division_home.home.name : local.chosen_division
}

# Typing is off in both directions until somebody switches it on.
resource "genesyscloud_conversations_messaging_settings" "bridge" {
  name = local.name

  # Written out because the provider sends empty content without it and then wants to remove that with every plan. Stories are
  # of social channels.
  content {
    story {
      mention {
        inbound = "Disabled"
      }
      reply {
        inbound = "Disabled"
      }
    }
  }

  event {
    typing {
      on {
        inbound  = "Enabled"
        outbound = "Enabled"
      }
    }
  }
}

# A file that the profile does not let in is dropped without a word, and the agent never knows. So the bridge has the same
# list (GENESYS_MEDIA_TYPES) and sends the link of such a file instead.
resource "genesyscloud_conversations_messaging_supportedcontent" "bridge" {
  name = local.name

  media_types {
    allow {
      dynamic "inbound" {
        for_each = local.media_types
        content {
          type = inbound.value
        }
      }
      dynamic "outbound" {
        for_each = var.outbound_media_types
        content {
          type = outbound.value
        }
      }
    }
  }
}

resource "genesyscloud_conversations_messaging_integrations_open" "bridge" {
  name                              = local.name
  supported_content_id              = genesyscloud_conversations_messaging_supportedcontent.bridge.id
  messaging_setting_id              = genesyscloud_conversations_messaging_settings.bridge.id
  outbound_notification_webhook_url = local.webhook_url

  # The provider does not mark this as a secret. It lies in the state as it is.
  #
  # The bridge replaces it, so its value is read from the vault for each apply. `ignore_changes` would do harm: the provider does not
  # read the secret back and sends the one of the state with every other change, which by then nobody may accept.
  outbound_notification_webhook_signature_secret_token = var.webhook_secret

  # So that a removal takes the integration away first: until then the flow has its messages, and one in use is not deleted.
  depends_on = [genesyscloud_flow.inbound]

  lifecycle {
    precondition {
      condition     = can(regex("^https://[^/:?#@]+/[^?#]*$", local.webhook_url))
      error_message = "There is no webhook_url yet: deploy to Azure and run `handler setup genesys`, which writes it into graph-to-open.toml, or set the variable to an https URL without a port."
    }
  }
}
