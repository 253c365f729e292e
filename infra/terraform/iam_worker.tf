# What a worker's task may do, and what ECS may do to start it.

data "aws_iam_policy_document" "ecs_tasks_trust" {
  # ECS alone, and for this account's tasks alone (no confused deputy).
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
  description        = "Worker: takes jobs, reads their inputs, writes their reports"
  assume_role_policy = data.aws_iam_policy_document.ecs_tasks_trust.json
}

data "aws_iam_policy_document" "ecs_worker_task" {
  # A job's request, status, boundary and uploads, the attempts of a layout, and terrain fetched before.
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

  # Statuses, reports, listing hints and terrain; never a request, a boundary or an upload. Tags carry the lifecycle;
  # large files go up in parts, and a part left behind must be given up.
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

  # A hint is replaced when its job moves on. Reports can't be deleted: nothing else is named here.
  statement {
    sid       = "DeleteReplacedHints"
    actions   = ["s3:DeleteObject"]
    resources = ["${aws_s3_bucket.store.arn}/owners/*/index/*"]
  }

  # Which hints and attempts there are; also makes a missing object 'not found' instead of 'forbidden'.
  statement {
    sid       = "ListStore"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.store.arn]
  }

  # Take a job, keep it hidden while it runs, delete it when done, hand it back by a fresh copy; see whether any is left.
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

  # The sweep reads dead letters to mark their jobs failed, shows them again and leaves them there.
  statement {
    sid       = "SweepDeadLetters"
    actions   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.layout_jobs_dlq.arn]
  }

  # A running job asks not to be scaled in. The task's id isn't known before it starts; its cluster and service are.
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

  # Elevation models in buckets that the settings allow, and in no others.
  dynamic "statement" {
    for_each = length(var.dem_buckets) > 0 ? [1] : []

    content {
      sid       = "ReadElevation"
      actions   = ["s3:GetObject"]
      resources = [for bucket in var.dem_buckets : "arn:${local.partition}:s3:::${bucket}/*"]
    }
  }

  # The store's own key, and only by way of S3.
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
  description        = "ECS on behalf of a worker: pulls its image, writes its log"
  assume_role_policy = data.aws_iam_policy_document.ecs_tasks_trust.json
}

data "aws_iam_policy_document" "ecs_worker_execution" {
  # AWS forces the wildcard: a registry token belongs to no repository.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  # Pull the one image.
  statement {
    sid       = "PullImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.worker.arn]
  }

  # Write to the one log group; the group itself is ours. There are no secrets to read: the task role is all that a worker needs.
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
