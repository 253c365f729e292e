data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name      = "pacifico-layouts-${var.environment}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Bucket names are global: the account number makes them unique.
  bucket_name = "${local.name}-store-${local.account}"

  # Names are defined here, so that policies can use them without circular references.
  cluster_name = "${local.name}-cluster"
  worker_name  = "${local.name}-worker"
  ecs_arn      = "arn:${local.partition}:ecs:${var.region}:${local.account}"
  metrics_name = "Pacifico/${var.environment}"
}
