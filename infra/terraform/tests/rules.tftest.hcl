# Plans with a mock provider: names, limits and switches. No account and no network are needed.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_availability_zones" {
    defaults = {
      names = ["us-west-2a", "us-west-2b", "us-west-2c"]
    }
  }

  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/mock"
    }
  }

  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:us-west-2:123456789012:mock"
      id  = "https://sqs.us-west-2.amazonaws.com/123456789012/mock"
    }
  }

  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::mock"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-west-2:123456789012:log-group:mock"
    }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = {
      arn = "arn:aws:ecs:us-west-2:123456789012:cluster/mock"
    }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = {
      arn = "arn:aws:ecs:us-west-2:123456789012:task-definition/mock:1"
    }
  }

  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:us-west-2:123456789012:repository/mock"
      repository_url = "123456789012.dkr.ecr.us-west-2.amazonaws.com/mock"
    }
  }

  mock_resource "aws_appautoscaling_policy" {
    defaults = {
      arn = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:mock"
    }
  }

  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:us-west-2:123456789012:mock"
    }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = {
      arn = "arn:aws:iam::123456789012:oidc-provider/mock"
    }
  }
}

variables {
  region    = "us-west-2"
  image_tag = "0123abc"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_sqs_queue.layout_jobs.name == "pacifico-layouts-dev-layout-jobs" && aws_sqs_queue.layout_jobs_dlq.name == "pacifico-layouts-dev-layout-jobs-dlq"
    error_message = "the queues must keep their names"
  }

  assert {
    condition     = aws_sqs_queue.layout_jobs.message_retention_seconds == 345600 && aws_sqs_queue.layout_jobs_dlq.message_retention_seconds == 1209600
    error_message = "the queue must keep messages for 4 days, the dead-letter queue for 14"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.layout_jobs.redrive_policy).maxReceiveCount == 3
    error_message = "a message must move to the dead-letter queue after 3 receives"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.layout_jobs_dlq.redrive_allow_policy).redrivePermission == "byQueue"
    error_message = "no other queue may use the dead-letter queue"
  }

  assert {
    condition     = aws_sqs_queue.layout_jobs.sqs_managed_sse_enabled && aws_sqs_queue.layout_jobs_dlq.sqs_managed_sse_enabled
    error_message = "messages must be encrypted"
  }

  assert {
    condition     = aws_appautoscaling_target.worker.min_capacity == 0 && aws_appautoscaling_target.worker.max_capacity == 10
    error_message = "the number of workers must range from 0 to 10"
  }

  assert {
    condition     = aws_appautoscaling_target.worker.scalable_dimension == "ecs:service:DesiredCount" && aws_appautoscaling_target.worker.resource_id == "service/pacifico-layouts-dev-cluster/pacifico-layouts-dev-worker"
    error_message = "the worker service must be the scaling target"
  }

  assert {
    condition     = aws_appautoscaling_policy.wake.step_scaling_policy_configuration[0].step_adjustment != null && contains(aws_cloudwatch_metric_alarm.wake.alarm_actions, aws_appautoscaling_policy.wake.arn)
    error_message = "the first job must start the first worker"
  }

  assert {
    condition     = contains(aws_cloudwatch_metric_alarm.sleep.alarm_actions, aws_appautoscaling_policy.sleep.arn)
    error_message = "an empty queue must stop the last worker"
  }

  assert {
    condition = one([
      for metric in aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.expression if metric.return_data
    ]) == "(FILL(visible, 0) + FILL(inflight, 0)) / IF(FILL(running, 0) > 1, FILL(running, 0), 1)"
    error_message = "backlog must be (waiting + in flight) / max(running, 1)"
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 1 && length(aws_vpc_endpoint.interface) == 4 && length(aws_subnet.private) == 2
    error_message = "the default must be one NAT gateway, four interface endpoints and two private subnets"
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && alltrue([for alarm in aws_cloudwatch_metric_alarm.jobs : length(alarm.alarm_actions) == 0])
    error_message = "without enable_sns_alarms there must be no notification"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && length(aws_iam_role.github_image) == 0
    error_message = "without github_repository no workflow may get a role"
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.store.rule : length(rule.expiration) == 0 if rule.id == "reports-keep"
    ])
    error_message = "reports must be kept unless report_expiry_days is set"
  }

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.store.rule : rule.id => rule.expiration[0].days if endswith(rule.id, "-expire") && rule.id != "noncurrent-expire"
    } == { exports-expire = 30, terrain-expire = 30, uploads-expire = 90 }
    error_message = "uploads must expire after 90 days, terrain and exports after 30"
  }
}

run "container" {
  command = plan

  variables {
    visibility_seconds = 300
    lease_seconds      = 100
    max_receives       = 5
    dem_hosts          = ["prd-tnm.s3.amazonaws.com"]
  }

  assert {
    condition = alltrue([
      for name, value in { PACIFICO_VISIBILITY_S = "300", PACIFICO_LEASE_S = "100", PACIFICO_MAX_RECEIVES = "5", PACIFICO_DEM_HOSTS = "prd-tnm.s3.amazonaws.com" } :
      contains(jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].environment, { name = name, value = value })
    ]) && aws_sqs_queue.layout_jobs.visibility_timeout_seconds == 300
    error_message = "queue and worker must get the same numbers"
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].readonlyRootFilesystem &&
      jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].user == "10001:10001" &&
      jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"] &&
      jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].stopTimeout == 120
    )
    error_message = "the container must be read-only, not root, without capabilities, with 120 s to stop"
  }

  assert {
    condition     = aws_ecs_service.worker.deployment_circuit_breaker[0].rollback && !aws_ecs_service.worker.network_configuration[0].assign_public_ip
    error_message = "a bad image must be rolled back, and no worker may have a public address"
  }
}

run "production_settings" {
  command = plan

  variables {
    environment              = "prod"
    enable_sns_alarms        = true
    alerts_email             = "ops@example.com"
    report_expiry_days       = 3650
    github_repository        = "example/pacifico"
    state_bucket             = "example-state"
    access_log_bucket        = "example-logs"
    kms_key_arn              = "arn:aws:kms:us-west-2:123456789012:key/0000"
    monthly_budget_usd       = 50
    worker_min_count         = 1
    sqs_worker_desired_count = 1
  }

  assert {
    condition     = aws_s3_bucket.store.bucket == "pacifico-layouts-prod-store-123456789012"
    error_message = "the names must contain the environment"
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "ops@example.com" && alltrue([for alarm in aws_cloudwatch_metric_alarm.jobs : length(alarm.alarm_actions) == 1])
    error_message = "alarms must reach the address"
  }

  assert {
    condition     = join(" ", sort(keys(aws_cloudwatch_metric_alarm.jobs))) == "dlq-any dlq-many job-failures job-p95 oldest-message queue-depth"
    error_message = "an alarm is missing"
  }

  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.store.rule : try(rule.expiration[0].days, 0) == 3650 if rule.id == "reports-keep"
    ])
    error_message = "reports must expire after report_expiry_days"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.store.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "the store must use the key"
  }

  assert {
    condition     = length(aws_iam_role.github_image) == 1 && length(aws_s3_bucket_logging.store) == 1
    error_message = "workflows and access logs must exist when requested"
  }
}

run "existing_network" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-0123", private_subnet_ids = ["subnet-0123"] }
  }

  assert {
    condition     = length(aws_vpc.main) == 0 && length(aws_nat_gateway.main) == 0 && length(aws_vpc_endpoint.interface) == 0 && aws_security_group.worker.vpc_id == "vpc-0123"
    error_message = "an existing network must be used unchanged"
  }
}

run "without_nat_gateway" {
  command = plan

  variables {
    nat_gateway = false
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 0 && length(aws_internet_gateway.main) == 0 && length(aws_vpc_security_group_egress_rule.worker_anywhere) == 0
    error_message = "without a NAT gateway only the endpoints may be reachable"
  }
}
