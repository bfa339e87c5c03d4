# Applies the whole configuration, with each kind of look-up, against the provider's own schema and without a network:
# `terraform test` or `tofu test` in infra/genesys.

mock_provider "genesyscloud" {}

variables {
  name                     = "Teams"
  webhook_url              = "https://func-example.azurewebsites.net/api/genesys/webhook"
  webhook_secret           = "0123456789abcdef0123456789abcdef"
  salesforce_url           = "https://example.my.salesforce.com"
  salesforce_client_id     = "a-consumer-key"
  salesforce_client_secret = "a-consumer-secret"
  salesforce_tier_field    = "Tier__c"
  dynamics_url             = "https://example.crm4.dynamics.com"
  dynamics_tenant_id       = "00000000-0000-4000-8000-000000000002"
  dynamics_client_id       = "00000000-0000-4000-8000-000000000003"
  dynamics_client_secret   = "a-client-secret"
  dynamics_tier_field      = "new_tier"
}

run "without_a_look_up" {
  variables {
    spare_oauth_client = true
    media_types        = ["image/*", "application/pdf"]
  }

  assert {
    condition = toset([
      for policy in genesyscloud_auth_role.bridge.permission_policies :
      "${policy.domain}:${policy.entity_name}:${join(",", policy.action_set)}"
    ]) == toset(["conversation:message:receive", "messaging:integration:view"])
    error_message = "The bridge's role grants conversation:message:receive, messaging:integration:view and nothing else."
  }

  assert {
    condition = alltrue([
      for client in concat([genesyscloud_oauth_client.bridge], genesyscloud_oauth_client.spare) :
      !client.expose_client_secret && client.directory_client_secret == null
      && [for role in client.roles : role.role_id] == [genesyscloud_auth_role.bridge.id]
    ])
    error_message = "An OAuth client of the bridge has the bridge's role alone, and its secret is neither in the state nor on a disk."
  }

  assert {
    condition     = length(genesyscloud_oauth_client.spare) == 1 && output.spare_oauth_client_id == genesyscloud_oauth_client.spare[0].id
    error_message = "The spare client is made, and its id given out."
  }

  assert {
    condition = (
      genesyscloud_conversations_messaging_integrations_open.bridge.outbound_notification_webhook_url == var.webhook_url &&
      genesyscloud_conversations_messaging_integrations_open.bridge.outbound_notification_webhook_signature_secret_token == var.webhook_secret &&
      genesyscloud_conversations_messaging_integrations_open.bridge.supported_content_id == genesyscloud_conversations_messaging_supportedcontent.bridge.id &&
      genesyscloud_conversations_messaging_integrations_open.bridge.messaging_setting_id == genesyscloud_conversations_messaging_settings.bridge.id
    )
    error_message = "The integration has the webhook, its secret, the content profile and the messaging settings of this configuration."
  }

  assert {
    condition     = length(genesyscloud_conversations_messaging_settings.bridge.content) == 1
    error_message = "Without content of its own the messaging settings would change with every plan."
  }

  assert {
    condition = (
      [for type in genesyscloud_conversations_messaging_supportedcontent.bridge.media_types[0].allow[0].inbound : type.type] == var.media_types &&
      output.genesys_media_types == "image/*,application/pdf"
    )
    error_message = "The content profile and the app setting GENESYS_MEDIA_TYPES name the same media types."
  }

  assert {
    condition     = length(genesyscloud_integration.salesforce) + length(genesyscloud_integration.dynamics) == 0
    error_message = "Without a look-up there is no integration with a CRM."
  }

  assert {
    condition     = toset(flatten(regexall("\\{\\{(\\w+)\\}\\}", file(local.flow_file)))) == toset(keys(local.flow_substitutions))
    error_message = "Each place-holder of the flow is filled, and nothing else is given."
  }

  assert {
    condition = (
      keys(yamldecode(file(local.flow_file))) == ["inboundShortMessage"] &&
      yamldecode(file(local.flow_file)).inboundShortMessage.startUpRef == "/inboundShortMessage/states/state[${yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.refId}]"
    )
    error_message = "Open messaging starts flows of the kind inboundShortMessage; this one starts at its first state."
  }

  assert {
    condition = (
      keys(reverse(yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions)[0]) == ["transferToAcd"] &&
      yamldecode(file(local.flow_file)).inboundShortMessage.settingsErrorHandling.errorHandling.queue.targetQueue.lit.name == "{{queue_name}}"
    )
    error_message = "The flow ends in the queue, and so does an error of it."
  }

  assert {
    condition = toset(regexall("State\\.\\w+", file(local.flow_file))) == toset(flatten([
      for kind in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.variables : [for variable in kind : variable.name]
    ]))
    error_message = "The flow declares the variables that it uses, and no others."
  }
}

run "with_salesforce" {
  variables {
    crm = "salesforce"
  }

  assert {
    condition = (
      genesyscloud_integration_action.salesforce_contact[0].config_request[0].request_url_template ==
      "https://example.my.salesforce.com/services/data/v62.0/query/?q=$esc.url(\"SELECT Id, Account.Id, Account.Name, Account.Tier__c FROM Contact WHERE Email = '$esc.javascript($${input.upn})' ORDER BY LastModifiedDate DESC LIMIT 1\")"
    )
    error_message = "The query goes to this organisation, asks for its tier, and the UPN in it is escaped for SOQL and for the URL, in this order."
  }

  assert {
    condition     = genesyscloud_integration_action.salesforce_contact[0].config_response[0].translation_map.tier == "$.records[0].Account.Tier__c"
    error_message = "The tier is read from the field that is asked for."
  }

  assert {
    condition = (
      length(setsubtract(regexall("credentials\\.(\\w+)", jsonencode(local.salesforce_auth))[*][0], keys(nonsensitive(genesyscloud_integration_credential.salesforce[0].fields)))) == 0 &&
      genesyscloud_integration.salesforce[0].config[0].credentials == tomap({ basicAuth = genesyscloud_integration_credential.salesforce[0].id })
    )
    error_message = "The sign-in uses fields that the credential has."
  }

  assert {
    condition = alltrue([
      for name, schema in local.salesforce_action.contract.output.successSchema.properties :
      name == "found" || (
        genesyscloud_integration_action.salesforce_contact[0].config_response[0].translation_map_defaults[name] == "null" &&
        strcontains(genesyscloud_integration_action.salesforce_contact[0].config_response[0].success_template, "\"${name}\":")
      )
    ])
    error_message = "A contact that is not there, or lacks something, is an answer and no error."
  }

  assert {
    condition     = toset(flatten(regexall("\\{\\{(\\w+)\\}\\}", file(local.flow_file)))) == toset(keys(local.flow_substitutions))
    error_message = "Each place-holder of the flow is filled, and nothing else is given."
  }

  assert {
    condition     = local.flow_substitutions.crm_action == genesyscloud_integration_action.salesforce_contact[0].name && local.flow_substitutions.crm_category == genesyscloud_integration_action.salesforce_contact[0].category
    error_message = "The flow calls this data action."
  }

  assert {
    condition = toset(regexall("State\\.\\w+", file(local.flow_file))) == toset(flatten([
      for kind in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.variables : [for variable in kind : variable.name]
    ]))
    error_message = "The flow declares the variables that it uses, and no others."
  }

  assert {
    condition = (
      keys(yamldecode(file(local.flow_file))) == ["inboundShortMessage"] &&
      keys(reverse(yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions)[0]) == ["transferToAcd"] &&
      yamldecode(file(local.flow_file)).inboundShortMessage.settingsErrorHandling.errorHandling.queue.targetQueue.lit.name == "{{queue_name}}"
    )
    error_message = "The flow ends in the queue, and so does an error of it."
  }

  assert {
    condition = alltrue([
      for step in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions : (
        !can(step.decision) || (
          keys(step.decision.outputs.no.actions[0].callData.outputs) == ["failure", "success", "timeout"] &&
          keys(step.decision.outputs.no.actions[0].callData.category["{{crm_category}}"].dataAction["{{crm_action}}"].inputs) == keys(local.salesforce_action.contract.input.inputSchema.properties) &&
          keys(step.decision.outputs.no.actions[0].callData.category["{{crm_category}}"].dataAction["{{crm_action}}"].successOutputs) == keys(local.salesforce_action.contract.output.successSchema.properties)
        )
      )
    ])
    error_message = "The flow gives and takes what the data action's contract says, and goes on after a failure and a time-out."
  }
}

run "with_dynamics" {
  variables {
    crm = "dynamics"
  }

  assert {
    condition = (
      genesyscloud_integration_action.dynamics_contact[0].config_request[0].request_url_template ==
      "https://example.crm4.dynamics.com/api/data/v9.2/contacts?%24select=contactid&%24expand=parentcustomerid_account(%24select=accountid,name,new_tier)&%24filter=emailaddress1%20eq%20'$esc.url($esc.sql($${input.upn}))'%20and%20statecode%20eq%200&%24orderby=modifiedon%20desc&%24top=1"
    )
    error_message = "The query goes to this environment, asks for its tier, and the UPN in it is escaped for OData and for the URL, in this order."
  }

  assert {
    condition     = genesyscloud_integration_action.dynamics_contact[0].config_response[0].translation_map.tier == "$.value[0].parentcustomerid_account['new_tier@OData.Community.Display.V1.FormattedValue']"
    error_message = "The tier is read from the column that is asked for."
  }

  assert {
    condition = (
      length(setsubtract(regexall("credentials\\.(\\w+)", jsonencode(local.dynamics_auth))[*][0], keys(nonsensitive(genesyscloud_integration_credential.dynamics[0].fields)))) == 0 &&
      genesyscloud_integration.dynamics[0].config[0].credentials == tomap({ basicAuth = genesyscloud_integration_credential.dynamics[0].id })
    )
    error_message = "The sign-in uses fields that the credential has."
  }

  assert {
    condition = alltrue([
      for name, schema in local.dynamics_action.contract.output.successSchema.properties :
      name == "found" || (
        genesyscloud_integration_action.dynamics_contact[0].config_response[0].translation_map_defaults[name] == "null" &&
        strcontains(genesyscloud_integration_action.dynamics_contact[0].config_response[0].success_template, "\"${name}\":")
      )
    ])
    error_message = "A contact that is not there, or lacks something, is an answer and no error."
  }

  assert {
    condition     = local.flow_substitutions.crm_action == genesyscloud_integration_action.dynamics_contact[0].name && local.flow_substitutions.crm_category == genesyscloud_integration_action.dynamics_contact[0].category
    error_message = "The flow calls this data action."
  }

  # What the flow gives and takes is held against the other data action's contract.
  assert {
    condition     = jsonencode(local.dynamics_action.contract) == jsonencode(local.salesforce_action.contract)
    error_message = "Both data actions have the same contract, since one flow calls either."
  }
}
