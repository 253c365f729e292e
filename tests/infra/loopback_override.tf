# Overrides a copy of infra/terraform, so that it can be applied to moto's server on loopback. infra/terraform/tests covers
# the resources that are left out here, with a mock provider.

terraform {
  backend "local" {}
}

provider "aws" {
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}

# The emulator doesn't answer the calls that these resources wait for.
resource "aws_sqs_queue_redrive_allow_policy" "layout_jobs_dlq" {
  count = 0
}

resource "aws_appautoscaling_target" "worker" {
  count = 0
}

resource "aws_appautoscaling_policy" "backlog" {
  count              = 0
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/none/none"
}

resource "aws_appautoscaling_policy" "wake" {
  count              = 0
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/none/none"
}

resource "aws_appautoscaling_policy" "sleep" {
  count              = 0
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/none/none"
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_actions = []
}

resource "aws_cloudwatch_metric_alarm" "sleep" {
  alarm_actions = []
}

# A second plan must find no change. The emulator loses these attributes or returns them in another form.

resource "aws_ecs_service" "worker" {
  lifecycle {
    ignore_changes = [
      desired_count,
      availability_zone_rebalancing, # returned as DISABLED
      capacity_provider_strategy,    # lost
      enable_ecs_managed_tags,       # lost
      launch_type,                   # returned as EC2
    ]
  }
}

resource "aws_sqs_queue" "layout_jobs" {
  lifecycle {
    ignore_changes = [redrive_policy] # returned with other white space; a test reads it from the queue
  }
}

resource "aws_vpc_security_group_egress_rule" "worker_endpoints" {
  lifecycle {
    ignore_changes = [description] # lost for rules with a group or a prefix list
  }
}

resource "aws_vpc_security_group_egress_rule" "worker_s3" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_worker" {
  lifecycle {
    ignore_changes = [description]
  }
}

# The emulator doesn't return budgets.
resource "aws_budgets_budget" "monthly" {
  count = 0
}

# The emulator ignores conditions, so that a denial without TLS denies everything. Tests evaluate the rendered document
# instead.
resource "aws_s3_bucket_policy" "store" {
  count = 0
}
