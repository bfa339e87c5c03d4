use super::Example;

const TERRAFORM: &str = r#"
terraform {
  required_providers {
    genesyscloud = {
      source  = "mypurecloud/genesyscloud"
      version = "~> 1.84"
    }
  }
}
provider "genesyscloud" {}
variable "webhook_secret" {
  description = "What webhooks are signed with."
  type        = string
  sensitive   = true
}
variable "types" {
  description = "Media types."
  type        = list(string)
  default     = ["*/*"]
}
resource "genesyscloud_conversations_messaging_supportedcontent" "bridge" {
  name = "a"
  media_types {
    allow {
      dynamic "inbound" {
        for_each = var.types
        content {
          type = inbound.value
        }
      }
      outbound {
        type = "*/*"
      }
    }
  }
}
resource "genesyscloud_conversations_messaging_integrations_open" "bridge" {
  name                                                 = "a"
  supported_content_id                                 = genesyscloud_conversations_messaging_supportedcontent.bridge.id
  messaging_setting_id                                 = "s"
  outbound_notification_webhook_url                    = "https://a"
  outbound_notification_webhook_signature_secret_token = var.webhook_secret
}
resource "genesyscloud_auth_role" "bridge" {
  name = "a"
  permission_policies {
    domain      = "conversation"
    entity_name = "message"
    action_set  = ["receive"]
  }
}
resource "genesyscloud_integration_credential" "crm" {
  credential_type_name = "userDefinedOAuth"
  fields = {
    clientId     = "id"
    clientSecret = var.webhook_secret
  }
}
output "integration" {
  description = "Id of the integration."
  value       = genesyscloud_conversations_messaging_integrations_open.bridge.id
}
"#;

const EXAMPLE: &str = "# webhook_secret: in the environment\ntypes = [\"*/*\"]\n";

#[test]
fn terraform() {
    let files = [
        ("infra/genesys/main.tf", TERRAFORM),
        ("infra/genesys/terraform.tfvars.example", EXAMPLE),
    ];
    for (rule, from, to) in [
        (
            "terraform-syntax",
            "provider \"genesyscloud\" {}",
            "provider \"genesyscloud\" {",
        ),
        ("terraform-secret", "  sensitive   = true\n", ""),
        (
            "terraform-secret",
            "  sensitive   = true\n",
            "  sensitive   = true\n  default     = \"x\"\n",
        ),
        (
            "terraform-secret",
            "secret_token = var.webhook_secret",
            "secret_token = \"${var.webhook_secret}x\"",
        ),
        (
            "terraform-secret",
            "clientSecret = var.webhook_secret",
            "clientSecret = \"x\"",
        ),
        (
            "terraform-secret",
            "provider \"genesyscloud\" {}",
            "provider \"genesyscloud\" {\n  oauthclient_secret = \"x\"\n}",
        ),
        (
            "terraform-secret",
            "integrations_open.bridge.id\n}",
            "integrations_open.bridge.outbound_notification_webhook_signature_secret_token\n}",
        ),
        (
            "terraform-variable",
            "  description = \"Media types.\"\n",
            "",
        ),
        ("terraform-variable", "  type        = list(string)\n", ""),
        (
            "terraform-output",
            "  description = \"Id of the integration.\"\n",
            "",
        ),
        (
            "terraform-reference",
            "for_each = var.types",
            "for_each = var.media",
        ),
        (
            "terraform-reference",
            "type = inbound.value",
            "type = outbound.value",
        ),
        (
            "terraform-reference",
            "\"https://a\"",
            "\"https://${credentials.host}\"",
        ),
        (
            "terraform-attribute",
            "  messaging_setting_id                                 = \"s\"\n",
            "",
        ),
        (
            "terraform-attribute",
            "credential_type_name =",
            "credential_type =",
        ),
        ("terraform-attribute", "    entity_name = \"message\"\n", ""),
        (
            "terraform-attribute",
            "      outbound {",
            "      outgoing {",
        ),
        (
            "terraform-attribute",
            "credential_type_name = \"userDefinedOAuth\"",
            "credential_type_name = 1",
        ),
        (
            "terraform-type",
            "\"genesyscloud_auth_role\"",
            "\"genesyscloud_role\"",
        ),
        ("terraform-provider", "~> 1.84", "> 1"),
        (
            "terraform-provider",
            "mypurecloud/genesyscloud",
            "genesys/genesyscloud",
        ),
        (
            "genesys-permission",
            "[\"receive\"]",
            "[\"receive\", \"create\"]",
        ),
        (
            "genesys-permission",
            "domain      = \"conversation\"",
            "domain      = \"*\"",
        ),
        ("unused", "for_each = var.types", "for_each = []"),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
    let example = Example {
        files: &files,
        rule: "terraform-example",
    };
    let file = "infra/genesys/terraform.tfvars.example";
    example.breaks_in(file, "types = ", "type = ");
    example.breaks_in(file, "# webhook_secret: in the environment\n", "");
}

const ACTION: &str = r#"{
  "actionType": "custom",
  "config": {
    "request": {
      "requestUrlTemplate": "https://crm/?q=$esc.url(\"mail = '$esc.sql(${input.upn})'\")&n=$esc.url(${input.upn})",
      "requestTemplate": "{\"upn\": \"$esc.jsonString(${input.upn})\"}"
    },
    "response": {
      "translationMap": {"tier": "$.tier"},
      "translationMapDefaults": {"tier": "\"\""},
      "successTemplate": "{\"tier\": ${tier}}"
    }
  },
  "contract": {
    "input": {"inputSchema": {"type": "object", "required": ["upn"], "properties": {"upn": {"type": "string"}}}},
    "output": {"successSchema": {"type": "object", "properties": {"tier": {"type": "string"}}}}
  }
}"#;

#[test]
fn data_actions() {
    let files = [("infra/genesys/data-actions/a.custom.json", ACTION)];
    for (rule, from, to) in [
        (
            "data-action",
            "\"actionType\": \"custom\"",
            "\"actionType\": \"customAuth\"",
        ),
        (
            "data-action-escape",
            "'$esc.sql(${input.upn})'",
            "'${input.upn}'",
        ),
        (
            "data-action-escape",
            "&n=$esc.url(${input.upn})",
            "&n=${input.upn}",
        ),
        (
            "data-action-escape",
            "$esc.jsonString(${input.upn})",
            "${input.upn}",
        ),
        (
            "data-action-input",
            "&n=$esc.url(${input.upn})",
            "&n=$esc.url(${input.name})",
        ),
        (
            "data-action-contract",
            "\"required\": [\"upn\"]",
            "\"required\": [\"mail\"]",
        ),
        (
            "data-action-contract",
            "{\"upn\": {\"type\": \"string\"}}",
            "{\"upn\": {\"type\": \"text\"}}",
        ),
        ("data-action-no-match", "{\"tier\": \"\\\"\\\"\"}", "{}"),
        (
            "data-action-response",
            "{\"tier\": \"\\\"\\\"\"}",
            "{\"tier\": \"none\"}",
        ),
        ("data-action-response", "\"$.tier\"", "\"tier\""),
        ("data-action-response", "${tier}}\"", "${level}}\""),
        (
            "data-action-response",
            "{\\\"tier\\\": ${tier}}",
            "{\\\"level\\\": ${tier}}",
        ),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
}

#[test]
fn files_that_terraform_reads() {
    let terraform = r#"
variable "url" {
  description = "URL."
  type        = string
}
locals {
  sign_in = jsondecode(file("${path.module}/data-actions/a.customAuth.json"))
  address = replace(local.sign_in.config.request.requestUrlTemplate, "https://crm", var.url)
  kind    = local.sign_in.actionType
}
resource "genesyscloud_integration_credential" "crm" {
  credential_type_name = "userDefinedOAuth"
  fields = {
    tokenUrl = "${local.address}${local.kind}"
  }
}
"#;
    let action = r#"{"actionType": "customAuth", "config": {"request": {"requestUrlTemplate": "https://crm/${credentials.tokenUrl}"}}}"#;
    let files = [
        ("infra/genesys/main.tf", terraform),
        ("infra/genesys/data-actions/a.customAuth.json", action),
    ];
    let example = Example {
        files: &files,
        rule: "data-action-file",
    };
    example.breaks("a.customAuth.json", "b.customAuth.json");
    example.breaks("request.requestUrlTemplate", "request.urlTemplate");
    example.breaks("\"https://crm\"", "\"https://crn\"");
    Example {
        files: &files,
        rule: "data-action-credential",
    }
    .breaks("tokenUrl =", "loginUrl =");
}

const FLOW: &str = r#"inboundShortMessage:
  name: "{{flow_name}}"
  startUpRef: "/inboundShortMessage/states/state[Start_1]"
  settingsErrorHandling:
    errorHandling:
      queue:
        targetQueue:
          lit:
            name: "{{queue}}"
  states:
    - state:
        refId: Start_1
        variables:
          - stringVariable:
              name: State.Upn
          - stringVariable:
              name: State.Tier
        actions:
          - getParticipantData:
              attributes:
                - attribute:
                    name:
                      lit: teamsUpn
                    variable: State.Upn
                - attribute:
                    name:
                      lit: context.teamsUpn
                    variable: State.Upn
          - callData:
              category:
                crm:
                  dataAction:
                    look up:
                      inputs:
                        upn:
                          exp: State.Upn
                      successOutputs:
                        tier:
                          var: State.Tier
              outputs:
                success:
                  actions: []
                failure:
                  actions: []
                timeout:
                  actions: []
          - setParticipantData:
              attributes:
                - attribute:
                    name:
                      lit: teamsChat
          - transferToAcd:
              name: To the queue
"#;

const PUBLISHED: &str = r#"
locals {
  shared = {
    flow_name = "a"
  }
}
resource "genesyscloud_flow" "inbound" {
  filepath      = "flows/a.yaml"
  substitutions = merge(local.shared, true ? { queue = "q" } : {})
}
"#;

#[test]
fn flows() {
    let files = [
        ("infra/genesys/flows/a.yaml", FLOW),
        ("infra/genesys/flow.tf", PUBLISHED),
        ("infra/genesys/data-actions/a.custom.json", ACTION),
    ];
    for (rule, from, to) in [
        ("flow-root", "inboundShortMessage:\n", "inboundMessage:\n"),
        ("flow-root", "state[Start_1]", "state[Start_2]"),
        (
            "flow-queue",
            "          - transferToAcd:\n              name: To the queue\n",
            "",
        ),
        ("flow-queue", "      queue:\n", "      disconnect:\n"),
        (
            "flow-variable",
            "              name: State.Tier\n",
            "              name: State.Level\n",
        ),
        ("flow-attribute", "lit: teamsUpn", "lit: teamsUPN"),
        ("flow-attribute", "lit: context.teamsUpn", "lit: teamsUpn"),
        ("flow-attribute", "lit: teamsChat", "lit: teamsChatId"),
        (
            "flow-look-up",
            "                timeout:\n                  actions: []\n",
            "",
        ),
        (
            "flow-look-up",
            "                        upn:\n",
            "                        mail:\n",
        ),
        (
            "flow-look-up",
            "                        tier:\n",
            "                        level:\n",
        ),
        ("flow-substitution", "\"{{flow_name}}\"", "\"{{name}}\""),
        ("flow-substitution", "\"{{flow_name}}\"", "\"a\""),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
    let example = Example {
        files: &files,
        rule: "flow-substitution",
    };
    example.breaks_in("infra/genesys/flow.tf", "queue = \"q\"", "line = \"q\"");
    example.breaks_in(
        "infra/genesys/flow.tf",
        "genesyscloud_flow",
        "genesyscloud_flows",
    );
}
