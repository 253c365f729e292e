resource "aws_ecs_cluster" "main" {
  name = local.cluster_name

  # Container Insights provides the number of running tasks, which autoscaling needs.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

locals {
  # `pacifico.jobs.settings` reads these names.
  worker_environment = merge(
    {
      AWS_DEFAULT_REGION         = var.region
      PACIFICO_STORE             = "s3://${aws_s3_bucket.store.bucket}"
      PACIFICO_QUEUE_URL         = aws_sqs_queue.layout_jobs.id
      PACIFICO_DLQ_URL           = aws_sqs_queue.layout_jobs_dlq.id
      PACIFICO_VISIBILITY_S      = tostring(var.visibility_seconds)
      PACIFICO_LEASE_S           = tostring(var.lease_seconds)
      PACIFICO_MAX_RECEIVES      = tostring(var.max_receives)
      PACIFICO_JOB_TIMEOUT_S     = tostring(var.job_timeout_seconds)
      PACIFICO_JOB_MEMORY_MB     = tostring(var.job_memory_mib)
      PACIFICO_STOP_GRACE_S      = tostring(local.stop_timeout_seconds - 50) # what follows the grace takes up to 50 s
      PACIFICO_MAX_RUNNING_JOBS  = tostring(var.max_running_jobs_per_owner)
      PACIFICO_DEM_HOSTS         = join(",", var.dem_hosts)
      PACIFICO_DEM_BUCKETS       = join(",", var.dem_buckets)
      PACIFICO_SSE               = var.kms_key_arn == null ? "AES256" : "aws:kms"
      PACIFICO_METRICS_NAMESPACE = local.metrics_name
    },
    var.kms_key_arn == null ? {} : { PACIFICO_KMS_KEY_ID = var.kms_key_arn },
  )

  stop_timeout_seconds = 120 # the maximum on Fargate
}

resource "aws_ecs_task_definition" "worker" {
  family                   = local.worker_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.worker_cpu
  memory                   = var.worker_memory_mib
  task_role_arn            = aws_iam_role.ecs_worker_task.arn
  execution_role_arn       = aws_iam_role.ecs_worker_execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = var.scratch_gib
  }

  # The only writable volume. The image declares it, so the worker's user owns it.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name        = "worker"
    image       = "${aws_ecr_repository.worker.repository_url}:${var.image_tag}"
    essential   = true
    user        = "10001:10001"
    stopTimeout = local.stop_timeout_seconds
    environment = [for name in sort(keys(local.worker_environment)) : { name = name, value = local.worker_environment[name] }]

    readonlyRootFilesystem = true
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]

    # Fargate has no `no-new-privileges` option. The image's entry point sets the flag, and the image has no setuid program.
    linuxParameters = {
      capabilities = { drop = ["ALL"] }
    }

    healthCheck = {
      command     = ["CMD", "python", "-m", "worker", "health"]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.worker.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "worker"
      }
    }
  }])
}

resource "aws_ecs_service" "worker" {
  name            = local.worker_name
  cluster         = aws_ecs_cluster.main.arn
  task_definition = aws_ecs_task_definition.worker.arn
  desired_count   = var.sqs_worker_desired_count

  # The first task needs the capacity providers of the cluster and the rights of the execution role.
  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.ecs_worker_task,
    aws_iam_role_policy.ecs_worker_execution,
  ]

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.on_demand_base
    weight            = 0
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 1
  }

  network_configuration {
    subnets          = local.private_subnet_ids
    security_groups  = [aws_security_group.worker.id]
    assign_public_ip = false
  }

  # Old workers finish their jobs while new ones start.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  lifecycle {
    # Autoscaling controls the number after creation.
    ignore_changes = [desired_count]
  }
}
