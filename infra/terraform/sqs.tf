resource "aws_sqs_queue" "layout_jobs" {
  name                       = "${local.name}-layout-jobs"
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = 4 * 24 * 3600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.layout_jobs_dlq.arn
    maxReceiveCount     = var.max_receives
  })
}

resource "aws_sqs_queue" "layout_jobs_dlq" {
  name = "${local.name}-layout-jobs-dlq"
  # Longer than in the queue: a message keeps its original date when it moves here.
  message_retention_seconds = 14 * 24 * 3600
  receive_wait_time_seconds = 20
  sqs_managed_sse_enabled   = true
}

# No other queue may use this as its dead-letter queue.
resource "aws_sqs_queue_redrive_allow_policy" "layout_jobs_dlq" {
  queue_url = aws_sqs_queue.layout_jobs_dlq.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.layout_jobs.arn]
  })
}

data "aws_iam_policy_document" "queue" {
  for_each = {
    layout_jobs     = aws_sqs_queue.layout_jobs.arn
    layout_jobs_dlq = aws_sqs_queue.layout_jobs_dlq.arn
  }

  # Job ids travel over TLS only: every action without TLS is denied.
  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "layout_jobs" {
  queue_url = aws_sqs_queue.layout_jobs.id
  policy    = data.aws_iam_policy_document.queue["layout_jobs"].json
}

resource "aws_sqs_queue_policy" "layout_jobs_dlq" {
  queue_url = aws_sqs_queue.layout_jobs_dlq.id
  policy    = data.aws_iam_policy_document.queue["layout_jobs_dlq"].json
}
