output "store" {
  description = "Value of PACIFICO_STORE for clients."
  value       = "s3://${aws_s3_bucket.store.bucket}"
}

output "store_bucket" {
  description = "Bucket that holds the store."
  value       = aws_s3_bucket.store.bucket
}

output "sqs_layout_jobs_queue_url" {
  description = "Value of PACIFICO_QUEUE_URL for clients."
  value       = aws_sqs_queue.layout_jobs.id
}

output "sqs_layout_jobs_queue_arn" {
  description = "ARN of the job queue."
  value       = aws_sqs_queue.layout_jobs.arn
}

output "sqs_layout_jobs_dlq_url" {
  description = "Value of PACIFICO_DLQ_URL for workers."
  value       = aws_sqs_queue.layout_jobs_dlq.id
}

output "sqs_layout_jobs_dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.layout_jobs_dlq.arn
}

output "ecs_cluster_name" {
  description = "Cluster of the workers."
  value       = aws_ecs_cluster.main.name
}

output "ecs_worker_service_name" {
  description = "Service of the workers."
  value       = aws_ecs_service.worker.name
}

output "ecs_worker_task_definition_arn" {
  description = "Task definition that the service runs."
  value       = aws_ecs_task_definition.worker.arn
}

output "ecs_worker_task_role_arn" {
  description = "Role of the worker's task."
  value       = aws_iam_role.ecs_worker_task.arn
}

output "ecs_worker_execution_role_arn" {
  description = "Role that ECS uses to start a worker."
  value       = aws_iam_role.ecs_worker_execution.arn
}

output "submitter_role_arn" {
  description = "Role for people who submit jobs."
  value       = aws_iam_role.submitter.arn
}

output "reviewer_role_arn" {
  description = "Role for people who read reports."
  value       = aws_iam_role.reviewer.arn
}

output "github_image_role_arn" {
  description = "Role for the workflow that pushes images; null without github_repository."
  value       = one(aws_iam_role.github_image[*].arn)
}

output "github_plan_role_arn" {
  description = "Role for the workflow that plans pull requests; null without github_repository."
  value       = one(aws_iam_role.github_plan[*].arn)
}

output "ecr_worker_repository_url" {
  description = "Repository for the worker's image."
  value       = aws_ecr_repository.worker.repository_url
}

output "worker_log_group_name" {
  description = "Log group of the workers."
  value       = aws_cloudwatch_log_group.worker.name
}

output "alarms_topic_arn" {
  description = "Topic of the alarms; null without enable_sns_alarms."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

output "vpc_id" {
  description = "VPC of the workers."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "Subnets of the workers."
  value       = local.private_subnet_ids
}
