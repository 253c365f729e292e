data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name      = "pacifico-layouts-${var.environment}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Bucket names are global: the account keeps two installations apart.
  bucket_name = "${local.name}-store-${local.account}"

  # The names are settled here so that policies can say them without going round in circles.
  cluster_name = "${local.name}-cluster"
  worker_name  = "${local.name}-worker"
  ecs_arn      = "arn:${local.partition}:ecs:${var.region}:${local.account}"
  metrics_name = "Pacifico/${var.environment}"
}
