# Versions and where the state lives.

terraform {
  required_version = ">= 1.5"

  required_providers {
    genesyscloud = {
      source  = "mypurecloud/genesyscloud"
      version = "~> 1.84"
    }
  }

  # The state holds secrets (README.md says which), so it belongs into storage that is encrypted and guarded by Entra ID.
  # Storage account and container are given to `terraform init` with -backend-config, which `handler setup genesys` does.
  backend "azurerm" {
    key              = "genesys.tfstate"
    use_azuread_auth = true
  }
}

# Credentials come from GENESYSCLOUD_ACCESS_TOKEN, or GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET, so that no
# file here ever holds them; the region from the installation's domain, else from GENESYSCLOUD_REGION.
provider "genesyscloud" {
  aws_region = local.region

  # With more than one, the provider fills its pool of clients from several threads that write the same map where `gateway` or `proxy`
  # is set, and now and then ends with "Plugin did not respond" (provider/sdk_client_pool.go, preFill). One token is enough for what
  # is made here, and spares an OAuth client nine calls for tokens at each start.
  token_pool_size = 1
}
