# Rights of a worker's task, and rights of ECS to start it.

data "aws_iam_policy_document" "ecs_tasks_trust" {
  # Only ECS, only for tasks of this account (prevents the confused deputy problem).
  statement {
    sid     = "EcsTasks"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${local.ecs_arn}:*"]
    }
  }
}

resource "aws_iam_role" "ecs_worker_task" {
  name               = "${local.name}-worker-task"
  description        = "Worker that takes jobs, reads their inputs and writes their reports"
  assume_role_policy = data.aws_iam_policy_document.ecs_tasks_trust.json
}

data "aws_iam_policy_document" "ecs_worker_task" {
  # Read request, status, boundary and uploads of a job, the attempts of a layout, and cached terrain.
  statement {
    sid     = "ReadJobs"
    actions = ["s3:GetObject"]
    resources = [
      "${aws_s3_bucket.store.arn}/owners/*/layouts/*",
      "${aws_s3_bucket.store.arn}/owners/*/sites/*",
      "${aws_s3_bucket.store.arn}/owners/*/uploads/*",
      "${aws_s3_bucket.store.arn}/terrain/*",
    ]
  }

  # Write statuses, reports, hints and terrain; never a request, a boundary or an upload. The lifecycle needs the tags.
  # Large files are uploaded in parts, and abandoned parts must be aborted.
  statement {
    sid     = "WriteResults"
    actions = ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"]
    resources = [
      "${aws_s3_bucket.store.arn}/owners/*/layouts/*/status.json",
      "${aws_s3_bucket.store.arn}/owners/*/layouts/*/attempts/*",
      "${aws_s3_bucket.store.arn}/owners/*/index/*",
      "${aws_s3_bucket.store.arn}/terrain/*",
    ]
  }

  # A hint is replaced when its job changes state. Nothing else is listed, so reports can't be deleted.
  statement {
    sid       = "DeleteReplacedHints"
    actions   = ["s3:DeleteObject"]
    resources = ["${aws_s3_bucket.store.arn}/owners/*/index/*"]
  }

  # List hints and attempts. Also makes a missing object 'not found' instead of 'forbidden'.
  statement {
    sid       = "ListStore"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.store.arn]
  }

  # Receive a job, extend its visibility while it runs, delete it when done, release it as a new message, read the queue's length.
  statement {
    sid = "WorkQueue"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:SendMessage",
      "sqs:GetQueueAttributes",
    ]
    resources = [aws_sqs_queue.layout_jobs.arn]
  }

  # The sweep reads dead letters to mark their jobs as failed, makes them visible again and leaves them in the queue.
  statement {
    sid       = "SweepDeadLetters"
    actions   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.layout_jobs_dlq.arn]
  }

  # Protect a running job from scale-in. The id of the task is unknown before it starts; its cluster and service are known.
  statement {
    sid       = "ProtectFromScaleIn"
    actions   = ["ecs:UpdateTaskProtection"]
    resources = ["${local.ecs_arn}:task/${local.cluster_name}/*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = ["${local.ecs_arn}:cluster/${local.cluster_name}"]
    }
  }

  # Read elevation models only in the buckets that the settings allow.
  dynamic "statement" {
    for_each = length(var.dem_buckets) > 0 ? [1] : []

    content {
      sid       = "ReadElevation"
      actions   = ["s3:GetObject"]
      resources = [for bucket in var.dem_buckets : "arn:${local.partition}:s3:::${bucket}/*"]
    }
  }

  # Use the key of the store, through S3 only.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseStoreKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "ecs_worker_task" {
  name   = "work"
  role   = aws_iam_role.ecs_worker_task.id
  policy = data.aws_iam_policy_document.ecs_worker_task.json
}

resource "aws_iam_role" "ecs_worker_execution" {
  name               = "${local.name}-worker-execution"
  description        = "ECS on behalf of a worker; pulls its image and writes its log"
  assume_role_policy = data.aws_iam_policy_document.ecs_tasks_trust.json
}

data "aws_iam_policy_document" "ecs_worker_execution" {
  # AWS requires the wildcard: a registry token covers all repositories.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  # Pull images of one repository.
  statement {
    sid       = "PullImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.worker.arn]
  }

  # Write to one log group, which Terraform creates. There are no secrets to read: a worker needs only its task role.
  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.worker.arn}:*"]
  }
}

resource "aws_iam_role_policy" "ecs_worker_execution" {
  name   = "start"
  role   = aws_iam_role.ecs_worker_execution.id
  policy = data.aws_iam_policy_document.ecs_worker_execution.json
}
