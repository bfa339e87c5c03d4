# What graph-to-open.toml says counts, unless a variable is set.

mock_provider "genesyscloud" {}

variables {
  installation_file         = "tests/installation.toml"
  webhook_secret            = "0123456789abcdef0123456789abcdef"
  conversation_ended_key    = "a-function-key"
  conversation_ended_secret = "abcdefghijklmnopqrstuvwxyz012345"
}

run "a_name_of_the_file_that_would_end_the_flows_quotes" {
  command         = plan
  expect_failures = [genesyscloud_auth_role.bridge]
}

run "what_the_file_says" {
  variables {
    name = "Teams"
  }

  assert {
    condition = (
      genesyscloud_conversations_messaging_integrations_open.bridge.outbound_notification_webhook_url == "https://func-of-the-file.azurewebsites.net/api/genesys/webhook" &&
      output.genesys_media_types == "image/*" && local.region == "eu-west-1" && genesyscloud_auth_role.bridge.name == "Teams bridge"
    )
    error_message = "The address, the media types and the region come from the file, and a variable goes before it."
  }

  assert {
    condition = (
      genesyscloud_integration_action.ended[0].config_request[0].request_url_template == "https://func-of-the-file.azurewebsites.net/api/genesys/conversation-ended" &&
      length(genesyscloud_processautomation_trigger.ended) == 2 &&
      anytrue([for policy in genesyscloud_auth_role.bridge.permission_policies : contains(policy.action_set, "disconnect")])
    )
    error_message = "The file has Genesys Cloud tell of ends, and lets customers end a conversation."
  }
}

run "a_variable_goes_before_the_file" {
  variables {
    name              = "Teams"
    let_customers_end = false
  }

  assert {
    condition     = !anytrue([for policy in genesyscloud_auth_role.bridge.permission_policies : contains(policy.action_set, "disconnect")])
    error_message = "Customers may not end a conversation where the variable says so."
  }
}

run "nobody_knows_the_address" {
  command = plan
  variables {
    installation_file = "tests/no-such-file.toml"
  }
  expect_failures = [genesyscloud_conversations_messaging_integrations_open.bridge]
}
