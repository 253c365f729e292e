# Job logs. CloudWatch extracts the metrics from them (embedded metric format).
resource "aws_cloudwatch_log_group" "worker" {
  name              = "/ecs/${local.worker_name}"
  retention_in_days = var.log_retention_days
}
