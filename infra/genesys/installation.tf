# What graph-to-open.toml knows already, so that nothing is carried here by hand. A variable that is set goes before it.
#
# Each line of it is `key = value`, and the value is JSON; comments stand on lines of their own.

locals {
  installation_path = var.installation_file != "" ? var.installation_file : "${path.module}/../../graph-to-open.toml"
  installation_text = fileexists(local.installation_path) ? file(local.installation_path) : ""
  installation = {
    for line in split("\n", replace(replace(local.installation_text, "\r", ""), "\ufeff", "")) :
    trimspace(split("=", line)[0]) => jsondecode(trimspace(join("=", slice(split("=", line), 1, length(split("=", line))))))
    if strcontains(line, "=") && !startswith(trimspace(line), "#")
  }

  name            = try(coalesce(var.name, lookup(local.installation, "genesys_name", "")), "Teams")
  chosen_division = try(coalesce(var.division_name, lookup(local.installation, "genesys_division_name", "")), "")
  webhook_url     = try(coalesce(var.webhook_url, lookup(local.installation, "genesys_webhook_url", "")), "")
  media_types     = var.media_types != null ? var.media_types : tolist(lookup(local.installation, "genesys_media_types", ["*/*"]))

  # Where Genesys Cloud tells of a conversation's end, and whether customers may end one.
  host_name         = lookup(local.installation, "function_app_host_name", "")
  tells_ends        = var.conversation_ended_url != "" || tobool(lookup(local.installation, "conversation_ended", false))
  ended_url         = var.conversation_ended_url != "" ? var.conversation_ended_url : "https://${local.host_name}/api/genesys/conversation-ended"
  let_customers_end = var.let_customers_end != null ? var.let_customers_end : tobool(lookup(local.installation, "let_customers_end", false))

  # The regions by their domains; null leaves it to GENESYSCLOUD_REGION.
  region = lookup({
    "apne2.pure.cloud"       = "ap-northeast-2"
    "apne3.pure.cloud"       = "ap-northeast-3"
    "aps1.pure.cloud"        = "ap-south-1"
    "apse1.pure.cloud"       = "ap-southeast-1"
    "cac1.pure.cloud"        = "ca-central-1"
    "edee1.eusc-pure.cloud"  = "eusc-de-east-1"
    "euc2.pure.cloud"        = "eu-central-2"
    "euw2.pure.cloud"        = "eu-west-2"
    "mec1.pure.cloud"        = "me-central-1"
    "mxc1.pure.cloud"        = "mx-central-1"
    "mypurecloud.com"        = "us-east-1"
    "mypurecloud.com.au"     = "ap-southeast-2"
    "mypurecloud.de"         = "eu-central-1"
    "mypurecloud.ie"         = "eu-west-1"
    "mypurecloud.jp"         = "ap-northeast-1"
    "sae1.pure.cloud"        = "sa-east-1"
    "use2.us-gov-pure.cloud" = "us-east-2"
    "usw2.pure.cloud"        = "us-west-2"
  }, lookup(local.installation, "genesys_domain", ""), null)
}
