# How a conversation ends: that the bridge is told of it only where it is asked for, and then of the right sessions, with what finds
# the chat and proves the caller.

mock_provider "genesyscloud" {}

variables {
  installation_file = "tests/no-such-file.toml"
  name              = "Teams"
  webhook_url       = "https://func-example.azurewebsites.net/api/genesys/webhook"
  webhook_secret    = "0123456789abcdef0123456789abcdef"
}

run "without_an_address" {
  assert {
    condition = (
      length(genesyscloud_processautomation_trigger.ended) + length(genesyscloud_flow.ended) +
      length(genesyscloud_integration_action.ended) + length(genesyscloud_integration.ended) +
      length(genesyscloud_integration_credential.ended)
    ) == 0
    error_message = "Without an address nothing is made."
  }

  assert {
    condition = (
      genesyscloud_conversations_messaging_settings.bridge.event[0].typing[0].on[0].inbound == "Enabled" &&
      genesyscloud_conversations_messaging_settings.bridge.event[0].typing[0].on[0].outbound == "Enabled"
    )
    error_message = "Typing goes both ways."
  }
}

run "with_an_address" {
  variables {
    conversation_ended_url    = "https://func-example.azurewebsites.net/api/genesys/conversation-ended"
    conversation_ended_key    = "a-function-key"
    conversation_ended_secret = "abcdefghijklmnopqrstuvwxyz012345"
    let_customers_end         = true
  }

  assert {
    condition = toset([
      for policy in genesyscloud_auth_role.bridge.permission_policies :
      "${policy.domain}:${policy.entity_name}:${join(",", sort(policy.action_set))}"
      ]) == toset([
      "conversation:message:receive,view", "conversation:communication:disconnect", "messaging:integration:view"
    ])
    error_message = "With let_customers_end the role may see message conversations and disconnect participants as well, and nothing else."
  }

  assert {
    condition = { for trigger in genesyscloud_processautomation_trigger.ended : trigger.topic_name => trigger.match_criteria } == {
      "v2.detail.events.conversation.{id}.customer.end" = "[{\"jsonPath\":\"mediaType\",\"operator\":\"Equal\",\"value\":\"MESSAGE\"},{\"jsonPath\":\"messageType\",\"operator\":\"Equal\",\"value\":\"OPEN\"}]"
      "v2.detail.events.conversation.{id}.user.end"     = "[{\"jsonPath\":\"mediaType\",\"operator\":\"Equal\",\"value\":\"MESSAGE\"},{\"jsonPath\":\"messageType\",\"operator\":\"Equal\",\"value\":\"OPEN\"},{\"jsonPath\":\"disconnectType\",\"operator\":\"In\",\"values\":[\"TRANSFER\",\"CONFERENCE_TRANSFER\",\"CONSULT_TRANSFER\",\"FORWARD_TRANSFER\"]}]"
    }
    error_message = "Of open messages the end of the customer's session counts, and that of an agent's who hands the conversation on."
  }

  assert {
    condition = alltrue([
      for trigger in genesyscloud_processautomation_trigger.ended : (
        trigger.enabled && trigger.delay_by_seconds == null &&
        one(trigger.target).id == genesyscloud_flow.ended[0].id && one(trigger.target).type == "Workflow" &&
        one(one(trigger.target).workflow_target_settings).data_format == "TopLevelPrimitives"
      )
    ])
    error_message = "Each trigger is on and starts the workflow at once, with the event's members as the values of its variables."
  }

  assert {
    condition = (
      genesyscloud_integration_action.ended[0].config_request[0].request_type == "POST" &&
      genesyscloud_integration_action.ended[0].config_request[0].request_url_template == var.conversation_ended_url &&
      genesyscloud_integration_action.ended[0].config_request[0].request_template == "$${input.rawRequest}" &&
      genesyscloud_integration_action.ended[0].config_request[0].headers == tomap({
        "Content-Type"    = "application/json"
        "x-functions-key" = "$${credentials.functionKey}"
        "X-Bridge-Secret" = "$${credentials.bridgeSecret}"
      })
    )
    error_message = "The bridge gets the input as it is, and the key and the secret out of the credential: the action itself holds neither."
  }

  assert {
    condition = (
      nonsensitive(genesyscloud_integration_credential.ended[0].fields) == tomap({
        functionKey  = "a-function-key"
        bridgeSecret = "abcdefghijklmnopqrstuvwxyz012345"
      }) &&
      genesyscloud_integration_credential.ended[0].credential_type_name == "userDefined" &&
      genesyscloud_integration.ended[0].config[0].credentials == tomap({ basicAuth = genesyscloud_integration_credential.ended[0].id }) &&
      genesyscloud_integration.ended[0].intended_state == "ENABLED"
    )
    error_message = "The credential has the fields that the headers name."
  }

  assert {
    condition     = toset(flatten(regexall("\\{\\{(\\w+)\\}\\}", file(local.ended_flow)))) == toset(keys(local.ended_substitutions))
    error_message = "Each place-holder of the workflow is filled, and nothing else is given."
  }

  assert {
    condition = (
      local.ended_substitutions.category == genesyscloud_integration_action.ended[0].category &&
      local.ended_substitutions.action == genesyscloud_integration_action.ended[0].name
    )
    error_message = "The workflow calls this data action."
  }

  assert {
    condition = (
      keys(yamldecode(file(local.ended_flow))) == ["workflow"] &&
      yamldecode(file(local.ended_flow)).workflow.startUpRef == "/workflow/states/state[${yamldecode(file(local.ended_flow)).workflow.states[0].state.refId}]" &&
      keys(reverse(yamldecode(file(local.ended_flow)).workflow.states[0].state.actions)[0]) == ["endWorkflow"]
    )
    error_message = "Triggers start flows of the kind workflow; this one starts at its first state and ends."
  }

  # The members of both events (Genesys Cloud's SDK: CustomerEndDetailEventTopicCustomerEndEvent, UserEndDetailEventTopicUserEndEvent).
  assert {
    condition = alltrue([
      for variable in yamldecode(file(local.ended_flow)).workflow.variables : (
        variable.stringVariable.isInput && contains(
          ["conversationId", "participantId", "sessionId", "disconnectType", "mediaType", "messageType", "addressFrom", "addressTo"],
          trimprefix(variable.stringVariable.name, "Flow.")
        )
      )
    ])
    error_message = "The workflow takes what is a text in both events."
  }

  assert {
    condition = toset(regexall("Flow\\.\\w+", join("\n", [
      for line in split("\n", file(local.ended_flow)) : line if strcontains(line, "exp:")
    ]))) == toset([for variable in yamldecode(file(local.ended_flow)).workflow.variables : variable.stringVariable.name])
    error_message = "The workflow declares the variables that it uses, and no others."
  }

  assert {
    condition = alltrue([
      for call in [
        yamldecode(file(local.ended_flow)).workflow.states[0].state.actions[0].callData,
        yamldecode(file(local.ended_flow)).workflow.states[0].state.actions[1].decision.outputs.no.actions[1].callData,
        ] : (
        call.category["{{category}}"].dataAction["{{action}}"].inputs == {
          for name in local.ended_action.contract.input.inputSchema.required :
          name => { exp = "If(IsNotSetOrEmpty(Flow.${name}), \"\", Flow.${name})" }
        } &&
        keys(call.category["{{category}}"].dataAction["{{action}}"].successOutputs) == keys(local.ended_action.contract.output.successSchema.properties)
      )
    ])
    error_message = "The bridge is called, and once more when that failed, each time with everything that the contract asks for."
  }
}

run "with_the_file_alone_it_lacks_key_and_secret" {
  command = plan
  variables {
    installation_file = "tests/installation.toml"
  }
  expect_failures = [genesyscloud_integration_credential.ended]
}
