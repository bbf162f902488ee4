output "digest" {
  value       = var.digest
  description = "The state the database is at, for what must come after the migrations to refer to"
  depends_on  = [terraform_data.migrations]
}
