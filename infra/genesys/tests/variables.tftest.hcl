# What an operator may get wrong is refused before anything is made.

mock_provider "genesyscloud" {}

variables {
  installation_file = "tests/no-such-file.toml"
  webhook_url       = "https://func-example.azurewebsites.net/api/genesys/webhook"
  webhook_secret    = "0123456789abcdef0123456789abcdef"
}

run "a_name_that_would_end_the_flows_quotes" {
  command = plan
  variables {
    name          = "Teams\" \n"
    division_name = "{{queue_name}}"
  }
  expect_failures = [var.name, var.division_name]
}

run "a_webhook_that_genesys_cloud_does_not_call" {
  command = plan
  variables {
    webhook_url = "https://func-example.azurewebsites.net:8443/api/genesys/webhook"
  }
  expect_failures = [var.webhook_url]
}

run "a_short_webhook_secret" {
  command = plan
  variables {
    webhook_secret = "0123456789abcdef0123456789abcde"
  }
  expect_failures = [var.webhook_secret]
}

run "media_types_that_are_none" {
  command = plan
  variables {
    media_types          = ["image"]
    outbound_media_types = []
  }
  expect_failures = [var.media_types, var.outbound_media_types]
}

run "times_that_genesys_cloud_does_not_take" {
  command = plan
  variables {
    token_validity_seconds   = 299
    alerting_timeout_seconds = 6
    service_level_seconds    = 0
    crm_timeout_seconds      = 11
  }
  expect_failures = [
    var.token_validity_seconds, var.alerting_timeout_seconds, var.service_level_seconds, var.crm_timeout_seconds,
  ]
}

run "a_crm_that_is_not_known" {
  command = plan
  variables {
    crm = "hubspot"
  }
  expect_failures = [var.crm]
}

run "salesforce_without_its_secret" {
  command = plan
  variables {
    crm                  = "salesforce"
    salesforce_url       = "https://example.my.salesforce.com"
    salesforce_client_id = "a-consumer-key"
  }
  expect_failures = [genesyscloud_integration_credential.salesforce]
}

run "dynamics_without_its_tenant" {
  command = plan
  variables {
    crm                    = "dynamics"
    dynamics_url           = "https://example.crm4.dynamics.com"
    dynamics_client_id     = "00000000-0000-4000-8000-000000000003"
    dynamics_client_secret = "a-client-secret"
  }
  expect_failures = [genesyscloud_integration_credential.dynamics]
}

run "addresses_and_fields_that_would_change_a_query" {
  command = plan
  variables {
    salesforce_url             = "http://example.my.salesforce.com"
    salesforce_tier_field      = "Type, Secret__c"
    salesforce_user_id_field   = "Id = null OR Name"
    salesforce_tenant_id_field = "a'b"
    dynamics_url               = "https://example.crm4.dynamics.com/api"
    dynamics_tenant_id         = "example.onmicrosoft.com"
    dynamics_tier_field        = "name)&$expand=owner("
    dynamics_user_id_field     = "a or b"
    dynamics_tenant_id_field   = "x%20eq"
  }
  expect_failures = [
    var.salesforce_url, var.salesforce_tier_field, var.dynamics_url, var.dynamics_tenant_id, var.dynamics_tier_field,
    var.salesforce_user_id_field, var.salesforce_tenant_id_field, var.dynamics_user_id_field, var.dynamics_tenant_id_field,
  ]
}

run "an_address_without_its_key" {
  command = plan
  variables {
    conversation_ended_url    = "https://func-example.azurewebsites.net/api/genesys/conversation-ended"
    conversation_ended_secret = "0123456789abcdef0123456789abcdef"
  }
  expect_failures = [genesyscloud_integration_credential.ended]
}

run "an_address_and_a_secret_that_no_header_takes" {
  command = plan
  variables {
    conversation_ended_url    = "http://func-example.azurewebsites.net/api/genesys/conversation-ended?code=a-function-key"
    conversation_ended_secret = "0123456789abcdef\r\n0123456789abcdef"
  }
  expect_failures = [var.conversation_ended_url, var.conversation_ended_secret]
}

run "a_short_secret_of_the_call" {
  command = plan
  variables {
    conversation_ended_secret = "0123456789abcdef0123456789abcde"
  }
  expect_failures = [var.conversation_ended_secret]
}
