# Migrations as a step of a Terraform run, with nothing but what Terraform brings: terraform_data, no provider.
# The digest of the directory is the trigger: the same digest is the same bytes, so a tag that moves changes nothing silently.
terraform {
  required_version = ">= 1.4.0"
}

resource "terraform_data" "migrations" {
  triggers_replace = [var.registry, var.directory, var.digest, var.environment]

  provisioner "local-exec" {
    command     = "exec pilotage deploy \"pilotage://$PILOTAGE_DIRECTORY?digest=$PILOTAGE_DIGEST\" --env \"$PILOTAGE_ENVIRONMENT\""
    interpreter = ["/bin/sh", "-c"]
    environment = {
      PILOTAGE_REGISTRY     = var.registry
      PILOTAGE_DIRECTORY    = var.directory
      PILOTAGE_DIGEST       = var.digest
      PILOTAGE_ENVIRONMENT  = var.environment
      PILOTAGE_DATABASE_URL = var.database_url
    }
  }
}
