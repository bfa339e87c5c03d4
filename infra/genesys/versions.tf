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
  # Storage account and container are given to `terraform init` with -backend-config.
  backend "azurerm" {
    key              = "genesys.tfstate"
    use_azuread_auth = true
  }
}

# Credentials and region come from GENESYSCLOUD_OAUTHCLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_SECRET and GENESYSCLOUD_REGION,
# so that no file here ever holds them.
provider "genesyscloud" {}
