# Applies the whole configuration, with each kind of look-up, against the provider's own schema and without a network:
# `terraform test` or `tofu test` in infra/genesys.

mock_provider "genesyscloud" {}

variables {
  installation_file        = "tests/no-such-file.toml"
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
    media_types = ["image/*", "application/pdf"]
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
      for client in [genesyscloud_oauth_client.bridge, genesyscloud_oauth_client.spare] :
      !client.expose_client_secret && client.directory_client_secret == null
      && [for role in client.roles : role.role_id] == [genesyscloud_auth_role.bridge.id]
    ])
    error_message = "An OAuth client of the bridge has the bridge's role alone, and its secret is neither in the state nor on a disk."
  }

  assert {
    condition = (
      output.oauth_client_id == genesyscloud_oauth_client.bridge.id &&
      output.spare_oauth_client_id == genesyscloud_oauth_client.spare.id &&
      genesyscloud_oauth_client.bridge.name != genesyscloud_oauth_client.spare.name
    )
    error_message = "There are two clients, and the ids of both are given out."
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

# The state holds the secret of the run before.
run "after_the_bridge_replaced_its_secret" {
  variables {
    webhook_secret    = "fedcba9876543210fedcba9876543210"
    let_bridge_rotate = true
  }

  assert {
    condition     = genesyscloud_conversations_messaging_integrations_open.bridge.outbound_notification_webhook_signature_secret_token == "fedcba9876543210fedcba9876543210"
    error_message = "What the vault holds now is what the integration signs with: an older secret is never sent again."
  }

  assert {
    condition = toset([
      for policy in genesyscloud_auth_role.bridge.permission_policies :
      "${policy.domain}:${policy.entity_name}:${join(",", sort(policy.action_set))}"
    ]) == toset(["conversation:message:receive", "messaging:integration:edit,view", "oauth:client:edit"])
    error_message = "With let_bridge_rotate the role may edit its integration and OAuth clients as well."
  }
}

run "with_salesforce" {
  variables {
    crm                        = "salesforce"
    salesforce_user_id_field   = "Entra_Id__c"
    salesforce_tenant_id_field = "Entra_Tenant__c"
  }

  assert {
    condition = (
      genesyscloud_integration_action.salesforce["contact"].config_request[0].request_url_template ==
      "https://example.my.salesforce.com/services/data/v62.0/query/?q=$esc.url(\"SELECT Id, Account.Id, Account.Name, Account.Tier__c FROM Contact WHERE (Entra_Id__c = '$esc.javascript($${input.userId}).replace('\\/', '/')' AND Entra_Id__c != null) OR (Email = '$esc.javascript($${input.email}).replace('\\/', '/')' AND Email != null AND Entra_Id__c = null) ORDER BY Entra_Id__c NULLS LAST, LastModifiedDate DESC LIMIT 1\")"
    )
    error_message = "A contact is looked for by the id, else by the address, in this organisation; the input is escaped for SOQL and for the URL, in this order."
  }

  assert {
    condition = (
      genesyscloud_integration_action.salesforce["account"].config_request[0].request_url_template ==
      "https://example.my.salesforce.com/services/data/v62.0/query/?q=$esc.url(\"SELECT Id, Name, Tier__c FROM Account WHERE (Entra_Tenant__c = '$esc.javascript($${input.tenantId}).replace('\\/', '/')' AND Entra_Tenant__c != null) OR (Website IN ('$esc.javascript($${input.domain}).replace('\\/', '/')', 'www.$esc.javascript($${input.domain}).replace('\\/', '/')', 'https://$esc.javascript($${input.domain}).replace('\\/', '/')', 'https://www.$esc.javascript($${input.domain}).replace('\\/', '/')', 'http://$esc.javascript($${input.domain}).replace('\\/', '/')', 'http://www.$esc.javascript($${input.domain}).replace('\\/', '/')') AND Website != null AND Entra_Tenant__c = null) ORDER BY Entra_Tenant__c NULLS LAST, LastModifiedDate DESC LIMIT 1\")"
    )
    error_message = "An account is looked for by the tenant's id, else by its domain."
  }

  assert {
    condition = (
      genesyscloud_integration_action.salesforce["contact"].config_response[0].translation_map.tier == "$.records[0].Account.Tier__c" &&
      genesyscloud_integration_action.salesforce["account"].config_response[0].translation_map.tier == "$.records[0].Tier__c"
    )
    error_message = "The tier is read from the field that is asked for."
  }

  assert {
    condition = alltrue([for kind, action in local.salesforce_actions : alltrue([
      for name, schema in action.contract.output.successSchema.properties :
      name == "found" || (
        genesyscloud_integration_action.salesforce[kind].config_response[0].translation_map_defaults[name] == "null" &&
        strcontains(genesyscloud_integration_action.salesforce[kind].config_response[0].success_template, "\"${name}\":")
      )
    ])])
    error_message = "Somebody who is not there, or lacks something, is an answer and no error."
  }

  assert {
    condition = (
      length(setsubtract(regexall("credentials\\.(\\w+)", jsonencode(local.salesforce_auth))[*][0], keys(nonsensitive(genesyscloud_integration_credential.salesforce[0].fields)))) == 0 &&
      genesyscloud_integration.salesforce[0].config[0].credentials == tomap({ basicAuth = genesyscloud_integration_credential.salesforce[0].id })
    )
    error_message = "The sign-in uses fields that the credential has."
  }

  assert {
    condition = (
      local.flow_substitutions.crm_contact_action == genesyscloud_integration_action.salesforce["contact"].name &&
      local.flow_substitutions.crm_account_action == genesyscloud_integration_action.salesforce["account"].name &&
      local.flow_substitutions.crm_category == genesyscloud_integration_action.salesforce["account"].category
    )
    error_message = "The flow calls these data actions."
  }

  assert {
    condition     = toset(flatten(regexall("\\{\\{(\\w+)\\}\\}", file(local.flow_file)))) == toset(keys(local.flow_substitutions))
    error_message = "Each place-holder of the flow is filled, and nothing else is given."
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
      for kind, call in {
        contact = [for step in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions : step.callData if can(step.callData)][0]
        account = [for step in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions : step.decision.outputs.no.actions[0].callData if can(step.decision)][0]
        } : (
        keys(call.outputs) == ["failure", "success", "timeout"] &&
        keys(call.category["{{crm_category}}"].dataAction["{{crm_${kind}_action}}"].inputs) == keys(local.salesforce_actions[kind].contract.input.inputSchema.properties) &&
        keys(call.category["{{crm_category}}"].dataAction["{{crm_${kind}_action}}"].successOutputs) == keys(local.salesforce_actions[kind].contract.output.successSchema.properties)
      )
    ])
    error_message = "The flow looks for a contact and, without one, for an account; it gives and takes what the contracts say, and goes on after a failure and a time-out."
  }

  assert {
    condition = alltrue([
      for step in yamldecode(file(local.flow_file)).inboundShortMessage.states[0].state.actions :
      !can(step.callData) || strcontains(values(step.callData.category)[0].dataAction["{{crm_contact_action}}"].inputs.email.exp, "If(State.UpnVerified == \"true\", State.Upn, \"-\")")
    ])
    error_message = "Nobody is looked up by an address that is not verified."
  }
}

run "with_salesforce_that_keeps_no_ids" {
  variables {
    crm = "salesforce"
  }

  assert {
    condition = (
      genesyscloud_integration_action.salesforce["contact"].config_request[0].request_url_template ==
      "https://example.my.salesforce.com/services/data/v62.0/query/?q=$esc.url(\"SELECT Id, Account.Id, Account.Name, Account.Tier__c FROM Contact WHERE (Email = '$esc.javascript($${input.email}).replace('\\/', '/')' AND Email != null) ORDER BY LastModifiedDate DESC LIMIT 1\")" &&
      genesyscloud_integration_action.salesforce["account"].config_request[0].request_url_template ==
      "https://example.my.salesforce.com/services/data/v62.0/query/?q=$esc.url(\"SELECT Id, Name, Tier__c FROM Account WHERE (Website IN ('$esc.javascript($${input.domain}).replace('\\/', '/')', 'www.$esc.javascript($${input.domain}).replace('\\/', '/')', 'https://$esc.javascript($${input.domain}).replace('\\/', '/')', 'https://www.$esc.javascript($${input.domain}).replace('\\/', '/')', 'http://$esc.javascript($${input.domain}).replace('\\/', '/')', 'http://www.$esc.javascript($${input.domain}).replace('\\/', '/')') AND Website != null) ORDER BY LastModifiedDate DESC LIMIT 1\")"
    )
    error_message = "What the CRM does not keep is not asked for."
  }
}

run "with_dynamics" {
  variables {
    crm                      = "dynamics"
    dynamics_user_id_field   = "new_id"
    dynamics_tenant_id_field = "new_tenant"
  }

  assert {
    condition = (
      genesyscloud_integration_action.dynamics["contact"].config_request[0].request_url_template ==
      "https://example.crm4.dynamics.com/api/data/v9.2/contacts?%24select=contactid&%24expand=parentcustomerid_account(%24select=accountid,name,new_tier)&%24filter=statecode%20eq%200%20and%20((new_id%20eq%20'$esc.url($esc.sql($${input.userId}))'%20and%20new_id%20ne%20null)%20or%20(emailaddress1%20eq%20'$esc.url($esc.sql($${input.email}))'%20and%20emailaddress1%20ne%20null%20and%20new_id%20eq%20null))&%24orderby=new_id%20desc,modifiedon%20desc&%24top=1"
    )
    error_message = "A contact is looked for by the id, else by the address, in this environment; the input is escaped for OData and for the URL, in this order."
  }

  assert {
    condition = (
      genesyscloud_integration_action.dynamics["account"].config_request[0].request_url_template ==
      "https://example.crm4.dynamics.com/api/data/v9.2/accounts?%24select=accountid,name,new_tier&%24filter=statecode%20eq%200%20and%20((new_tenant%20eq%20'$esc.url($esc.sql($${input.tenantId}))'%20and%20new_tenant%20ne%20null)%20or%20((websiteurl%20eq%20'$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'www.$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'https%3A%2F%2F$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'https%3A%2F%2Fwww.$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'http%3A%2F%2F$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'http%3A%2F%2Fwww.$esc.url($esc.sql($${input.domain}))')%20and%20websiteurl%20ne%20null%20and%20new_tenant%20eq%20null))&%24orderby=new_tenant%20desc,modifiedon%20desc&%24top=1"
    )
    error_message = "An account is looked for by the tenant's id, else by its domain."
  }

  assert {
    condition = (
      genesyscloud_integration_action.dynamics["contact"].config_response[0].translation_map.tier == "$.value[0].parentcustomerid_account['new_tier@OData.Community.Display.V1.FormattedValue']" &&
      genesyscloud_integration_action.dynamics["account"].config_response[0].translation_map.tier == "$.value[0]['new_tier@OData.Community.Display.V1.FormattedValue']"
    )
    error_message = "The tier is read from the column that is asked for."
  }

  assert {
    condition = alltrue([for kind, action in local.dynamics_actions : alltrue([
      for name, schema in action.contract.output.successSchema.properties :
      name == "found" || (
        genesyscloud_integration_action.dynamics[kind].config_response[0].translation_map_defaults[name] == "null" &&
        strcontains(genesyscloud_integration_action.dynamics[kind].config_response[0].success_template, "\"${name}\":")
      )
    ])])
    error_message = "Somebody who is not there, or lacks something, is an answer and no error."
  }

  assert {
    condition = (
      length(setsubtract(regexall("credentials\\.(\\w+)", jsonencode(local.dynamics_auth))[*][0], keys(nonsensitive(genesyscloud_integration_credential.dynamics[0].fields)))) == 0 &&
      genesyscloud_integration.dynamics[0].config[0].credentials == tomap({ basicAuth = genesyscloud_integration_credential.dynamics[0].id })
    )
    error_message = "The sign-in uses fields that the credential has."
  }

  assert {
    condition = (
      local.flow_substitutions.crm_contact_action == genesyscloud_integration_action.dynamics["contact"].name &&
      local.flow_substitutions.crm_account_action == genesyscloud_integration_action.dynamics["account"].name &&
      local.flow_substitutions.crm_category == genesyscloud_integration_action.dynamics["account"].category
    )
    error_message = "The flow calls these data actions."
  }

  # What the flow gives and takes is held against the other data actions' contracts.
  assert {
    condition = alltrue([
      for kind, action in local.dynamics_actions :
      jsonencode(action.contract) == jsonencode(local.salesforce_actions[kind].contract)
    ])
    error_message = "The data actions of both CRMs have the same contracts, since one flow calls either."
  }
}

run "with_dynamics_that_keeps_no_ids" {
  variables {
    crm = "dynamics"
  }

  assert {
    condition = (
      genesyscloud_integration_action.dynamics["contact"].config_request[0].request_url_template ==
      "https://example.crm4.dynamics.com/api/data/v9.2/contacts?%24select=contactid&%24expand=parentcustomerid_account(%24select=accountid,name,new_tier)&%24filter=statecode%20eq%200%20and%20((emailaddress1%20eq%20'$esc.url($esc.sql($${input.email}))'%20and%20emailaddress1%20ne%20null))&%24orderby=modifiedon%20desc&%24top=1" &&
      genesyscloud_integration_action.dynamics["account"].config_request[0].request_url_template ==
      "https://example.crm4.dynamics.com/api/data/v9.2/accounts?%24select=accountid,name,new_tier&%24filter=statecode%20eq%200%20and%20(((websiteurl%20eq%20'$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'www.$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'https%3A%2F%2F$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'https%3A%2F%2Fwww.$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'http%3A%2F%2F$esc.url($esc.sql($${input.domain}))'%20or%20websiteurl%20eq%20'http%3A%2F%2Fwww.$esc.url($esc.sql($${input.domain}))')%20and%20websiteurl%20ne%20null))&%24orderby=modifiedon%20desc&%24top=1"
    )
    error_message = "What the CRM does not keep is not asked for."
  }
}
