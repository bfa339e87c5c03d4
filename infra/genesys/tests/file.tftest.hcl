# What graph-to-open.toml says counts, unless a variable is set.

mock_provider "genesyscloud" {}

variables {
  installation_file = "tests/installation.toml"
  webhook_secret    = "0123456789abcdef0123456789abcdef"
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
}

run "nobody_knows_the_address" {
  command = plan
  variables {
    installation_file = "tests/no-such-file.toml"
  }
  expect_failures = [genesyscloud_conversations_messaging_integrations_open.bridge]
}
