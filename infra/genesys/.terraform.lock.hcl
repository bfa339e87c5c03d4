# The version that was tried. `terraform init` adds the hashes of the package that it finds; commit them from then on.

provider "registry.terraform.io/mypurecloud/genesyscloud" {
  version     = "1.84.1"
  constraints = "~> 1.84"
}
