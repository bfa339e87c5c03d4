use super::assert_found;

#[test]
fn mistakes_in_terraform_are_found() {
    const VARIABLES: &str = "infra/genesys/variables.tf";
    const OPEN: &str = "infra/genesys/main.tf";
    const CLIENT: &str = "infra/genesys/oauth.tf";
    const SALESFORCE: &str = "infra/genesys/crm-salesforce.tf";
    assert_found(&[
        (
            "terraform-secret",
            VARIABLES,
            "the value of the Key Vault secret genesys-webhook-secret.\"\n  type        = string\n  sensitive   = true\n",
            "the value of the Key Vault secret genesys-webhook-secret.\"\n  type        = string\n",
        ),
        (
            "terraform-secret",
            OPEN,
            "secret_token = var.webhook_secret",
            "secret_token = var.name",
        ),
        (
            "terraform-secret",
            "infra/genesys/outputs.tf",
            "value       = genesyscloud_oauth_client.bridge.id",
            "value       = genesyscloud_oauth_client.bridge.client_secret",
        ),
        (
            "terraform-secret",
            SALESFORCE,
            "clientSecret = var.salesforce_client_secret",
            "clientSecret = \"a secret\"",
        ),
        (
            "genesys-permission",
            CLIENT,
            "action_set  = [\"receive\"]",
            "action_set  = [\"*\"]",
        ),
        (
            "terraform-attribute",
            OPEN,
            "  supported_content_id              = genesyscloud_conversations_messaging_supportedcontent.bridge.id\n",
            "",
        ),
        (
            "terraform-attribute",
            OPEN,
            "outbound_notification_webhook_url =",
            "outbound_webhook_url =",
        ),
        (
            "terraform-attribute",
            OPEN,
            "        outbound = \"Enabled\"\n",
            "        outbound = \"On\"\n",
        ),
        (
            "terraform-reference",
            OPEN,
            "= var.webhook_url",
            "= var.webhook_uri",
        ),
        (
            "terraform-reference",
            CLIENT,
            "description = \"Delivers customers' messages",
            "description = \"${input.upn} Delivers customers' messages",
        ),
        (
            "terraform-syntax",
            OPEN,
            "resource \"genesyscloud_conversations_messaging_settings\" \"bridge\" {",
            "resource \"genesyscloud_conversations_messaging_settings\" \"bridge\" {{",
        ),
        (
            "terraform-provider",
            "infra/genesys/versions.tf",
            "version = \"~> 1.84\"",
            "version = \">= 1\"",
        ),
        (
            "terraform-example",
            "infra/genesys/terraform.tfvars.example",
            "# queue_group_ids ",
            "# queue_groups ",
        ),
        (
            "unused",
            VARIABLES,
            "variable \"name\" {",
            "variable \"unused\" {\n  description = \"\"\n  type = string\n}\n\nvariable \"name\" {",
        ),
        (
            "data-action-file",
            SALESFORCE,
            "data-actions/salesforce-auth.customAuth.json",
            "data-actions/salesforce.customAuth.json",
        ),
        (
            "data-action-file",
            SALESFORCE,
            "https://your-domain.my.salesforce.com\", var",
            "https://my-domain.my.salesforce.com\", var",
        ),
        (
            "data-action-credential",
            SALESFORCE,
            "    tokenUrl     = ",
            "    loginUrl     = ",
        ),
    ]);
}

#[test]
fn mistakes_in_the_look_up_are_found() {
    const DYNAMICS: &str = "infra/genesys/data-actions/dynamics-contact-by-upn.custom.json";
    const SALESFORCE: &str = "infra/genesys/data-actions/salesforce-contact-by-upn.custom.json";
    const FLOW: &str = "infra/genesys/flows/inbound-message.yaml";
    assert_found(&[
        (
            "data-action-escape",
            DYNAMICS,
            "$esc.url($esc.sql(${input.upn}))",
            "${input.upn}",
        ),
        (
            "data-action-escape",
            DYNAMICS,
            "$esc.url($esc.sql(${input.upn}))",
            "$esc.url(${input.upn})",
        ),
        (
            "data-action-escape",
            SALESFORCE,
            "$esc.javascript(${input.upn})",
            "${input.upn}",
        ),
        (
            "data-action-input",
            SALESFORCE,
            "$esc.javascript(${input.upn})",
            "$esc.javascript(${input.email})",
        ),
        (
            "data-action-no-match",
            DYNAMICS,
            "        \"contactId\": \"null\",\n",
            "",
        ),
        (
            "data-action-response",
            DYNAMICS,
            "        \"contactId\": \"null\",\n",
            "        \"contactId\": \"none\",\n",
        ),
        (
            "data-action-contract",
            DYNAMICS,
            "          \"tier\"\n",
            "          \"tiers\"\n",
        ),
        (
            "data-action-response",
            DYNAMICS,
            "\\\"accountName\\\": #if",
            "\\\"account\\\": #if",
        ),
        (
            "flow-attribute",
            FLOW,
            "lit: context.teamsUpn",
            "lit: context.teamsUPN",
        ),
        (
            "flow-attribute",
            FLOW,
            "                      lit: teamsUpn\n                    variable",
            "                      lit: teamUpn\n                    variable",
        ),
        (
            "flow-substitution",
            "infra/genesys/flow.tf",
            "      queue_name    = ",
            "      queue    = ",
        ),
        (
            "flow-root",
            FLOW,
            "\ninboundShortMessage:\n",
            "\ninboundMessage:\n",
        ),
        (
            "flow-look-up",
            FLOW,
            "                          timeout:\n                            actions:",
            "                          timedOut:\n                            actions:",
        ),
        (
            "flow-look-up",
            FLOW,
            "                                  upn:\n",
            "                                  email:\n",
        ),
        (
            "flow-variable",
            FLOW,
            "variable: State.ContextUpn",
            "variable: State.ContextUpm",
        ),
        (
            "flow-queue",
            FLOW,
            "          - transferToAcd:",
            "          - transferToQueue:",
        ),
        ("yaml", FLOW, "\n  states:\n", "\n states:\n"),
    ]);
}
