variable "registry" {
  type        = string
  description = "Address of the registry, for example s3://acme-migrations/prod?region=eu-central-1"
}

variable "directory" {
  type        = string
  description = "Name of the directory in the registry"
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", var.directory))
    error_message = "A directory's name is 1 to 63 letters, digits, dashes and underscores."
  }
}

variable "digest" {
  type        = string
  description = "Digest of the state to deploy, as pilotage push and pilotage show print it"
  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.digest))
    error_message = "A digest is sha256: and 64 hexadecimal digits; a tag would change nothing here when it moves."
  }
}

variable "environment" {
  type        = string
  default     = "prod"
  description = "Name of the environment in the record of deployments"
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", var.environment))
    error_message = "An environment's name is 1 to 63 letters, digits, dashes and underscores."
  }
}

variable "database_url" {
  type        = string
  sensitive   = true
  description = "Address of the database"
}
