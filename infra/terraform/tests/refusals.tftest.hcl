# Every variable refuses invalid values before anything is created.

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


run "refuses_environment" {
  command = plan

  variables {
    environment = "Prod"
  }

  expect_failures = [var.environment]
}

run "refuses_environment_2" {
  command = plan

  variables {
    environment = "an-environment-with-too-long-a-name"
  }

  expect_failures = [var.environment]
}

run "refuses_region" {
  command = plan

  variables {
    region = "Oregon"
  }

  expect_failures = [var.region]
}

run "refuses_image_tag" {
  command = plan

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}

run "refuses_visibility_seconds" {
  command = plan

  variables {
    visibility_seconds = 20
  }

  expect_failures = [var.visibility_seconds]
}

run "refuses_visibility_seconds_2" {
  command = plan

  variables {
    visibility_seconds = 43201
  }

  expect_failures = [var.visibility_seconds]
}

run "refuses_lease_seconds" {
  command = plan

  variables {
    lease_seconds = 120
  }

  expect_failures = [var.lease_seconds]
}

run "refuses_max_receives" {
  command = plan

  variables {
    max_receives = 0
  }

  expect_failures = [var.max_receives]
}

run "refuses_upload_days" {
  command = plan

  variables {
    upload_days = 0
  }

  expect_failures = [var.upload_days]
}

run "refuses_terrain_days" {
  command = plan

  variables {
    terrain_days = 1.5
  }

  expect_failures = [var.terrain_days]
}

run "refuses_export_days" {
  command = plan

  variables {
    export_days = 0
  }

  expect_failures = [var.export_days]
}

run "refuses_noncurrent_days" {
  command = plan

  variables {
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}

run "refuses_report_infrequent_access_days" {
  command = plan

  variables {
    report_infrequent_access_days = 29
  }

  expect_failures = [var.report_infrequent_access_days]
}

run "refuses_report_expiry_days" {
  command = plan

  variables {
    report_expiry_days = 90
  }

  expect_failures = [var.report_expiry_days]
}

run "refuses_kms_key_arn" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_access_log_bucket" {
  command = plan

  variables {
    access_log_bucket = "Logs!"
  }

  expect_failures = [var.access_log_bucket]
}

run "refuses_existing_network" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-0", private_subnet_ids = [] }
  }

  expect_failures = [var.existing_network]
}

run "refuses_vpc_cidr" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/26"
  }

  expect_failures = [var.vpc_cidr]
}

run "refuses_zone_count" {
  command = plan

  variables {
    zone_count = 4
  }

  expect_failures = [var.zone_count]
}

run "refuses_worker_cpu" {
  command = plan

  variables {
    worker_cpu = 1000
  }

  expect_failures = [var.worker_cpu]
}

run "refuses_worker_memory_mib" {
  command = plan

  variables {
    worker_memory_mib = 5000
  }

  expect_failures = [var.worker_memory_mib]
}

run "refuses_job_memory_mib" {
  command = plan

  variables {
    job_memory_mib = 8000
  }

  expect_failures = [var.job_memory_mib]
}

run "refuses_job_timeout_seconds" {
  command = plan

  variables {
    job_timeout_seconds = 5
  }

  expect_failures = [var.job_timeout_seconds]
}

run "refuses_scratch_gib" {
  command = plan

  variables {
    scratch_gib = 20
  }

  expect_failures = [var.scratch_gib]
}

run "refuses_dem_hosts" {
  command = plan

  variables {
    dem_hosts = ["https://example.com/x"]
  }

  expect_failures = [var.dem_hosts]
}

run "refuses_dem_buckets" {
  command = plan

  variables {
    dem_buckets = ["s3://x"]
  }

  expect_failures = [var.dem_buckets]
}

run "refuses_sqs_worker_desired_count" {
  command = plan

  variables {
    sqs_worker_desired_count = 11
  }

  expect_failures = [var.sqs_worker_desired_count]
}

run "refuses_worker_min_count" {
  command = plan

  variables {
    worker_min_count = 11
  }

  expect_failures = [var.worker_min_count]
}

run "refuses_worker_max_count" {
  command = plan

  variables {
    worker_max_count = 0
  }

  expect_failures = [var.worker_max_count]
}

run "refuses_on_demand_base" {
  command = plan

  variables {
    on_demand_base = -1
  }

  expect_failures = [var.on_demand_base]
}

run "refuses_backlog_per_worker" {
  command = plan

  variables {
    backlog_per_worker = 0.5
  }

  expect_failures = [var.backlog_per_worker]
}

run "refuses_submitter_principals" {
  command = plan

  variables {
    submitter_principals = ["*"]
  }

  expect_failures = [var.submitter_principals]
}

run "refuses_reviewer_principals" {
  command = plan

  variables {
    reviewer_principals = ["arn:aws:iam::123456789012:role/*"]
  }

  expect_failures = [var.reviewer_principals]
}

run "refuses_log_retention_days" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_alerts_email" {
  command = plan

  variables {
    alerts_email = "nobody"
  }

  expect_failures = [var.alerts_email]
}

run "refuses_alerts_email_2" {
  command = plan

  variables {
    alerts_email = "ops@example.com"
  }

  expect_failures = [var.alerts_email]
}

run "refuses_oldest_message_alarm_seconds" {
  command = plan

  variables {
    oldest_message_alarm_seconds = 1
  }

  expect_failures = [var.oldest_message_alarm_seconds]
}

run "refuses_job_p95_alarm_seconds" {
  command = plan

  variables {
    job_p95_alarm_seconds = 0
  }

  expect_failures = [var.job_p95_alarm_seconds]
}

run "refuses_monthly_budget_usd" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "refuses_github_repository" {
  command = plan

  variables {
    github_repository = "example/*"
    state_bucket      = "example-state"
  }

  expect_failures = [var.github_repository]
}

run "refuses_github_branch" {
  command = plan

  variables {
    github_branch = "*"
  }

  expect_failures = [var.github_branch]
}

run "refuses_state_bucket" {
  command = plan

  variables {
    state_bucket = "No"
  }

  expect_failures = [var.state_bucket]
}

run "refuses_max_running_jobs_per_owner" {
  command = plan

  variables {
    max_running_jobs_per_owner = -1
  }

  expect_failures = [var.max_running_jobs_per_owner]
}
