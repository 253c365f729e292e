# No KMS key: CloudWatch can't publish with the key that AWS manages, and alarm texts hold only names and numbers.
resource "aws_sns_topic" "alarms" {
  count = var.enable_sns_alarms ? 1 : 0

  name = "${local.name}-alarms"
}

data "aws_iam_policy_document" "alarms" {
  count = var.enable_sns_alarms ? 1 : 0

  # Alarms and budgets of this account publish to the topic.
  statement {
    sid       = "AlarmsPublish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  # Messages are published over TLS only.
  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

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

resource "aws_sns_topic_policy" "alarms" {
  count = var.enable_sns_alarms ? 1 : 0

  arn    = aws_sns_topic.alarms[0].arn
  policy = data.aws_iam_policy_document.alarms[0].json
}

resource "aws_sns_topic_subscription" "email" {
  count = var.enable_sns_alarms && var.alerts_email != "" ? 1 : 0

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alerts_email
}

locals {
  alarm_actions = aws_sns_topic.alarms[*].arn

  # Each alarm compares one metric with one limit. Missing data is no breach: no data means an empty queue, or no job.
  alarms = {
    queue-depth = {
      text       = "More than 10 jobs wait: workers are too slow, or none start. See 'Scale' in the runbook."
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", stat = "Maximum", above = 10, periods = 5
      dimensions = { QueueName = aws_sqs_queue.layout_jobs.name }
    }
    oldest-message = {
      text       = "A job has waited too long. See 'Stuck job' in the runbook."
      namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", stat = "Maximum", above = var.oldest_message_alarm_seconds, periods = 3
      dimensions = { QueueName = aws_sqs_queue.layout_jobs.name }
    }
    dlq-any = {
      text       = "A job ended in the dead-letter queue. See 'Redrive' in the runbook."
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", stat = "Maximum", above = 0, periods = 1
      dimensions = { QueueName = aws_sqs_queue.layout_jobs_dlq.name }
    }
    dlq-many = {
      text       = "More than 5 jobs ended in the dead-letter queue: likely one cause. Find it before redriving."
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", stat = "Maximum", above = 5, periods = 1
      dimensions = { QueueName = aws_sqs_queue.layout_jobs_dlq.name }
    }
    job-failures = {
      text       = "Jobs failed. The status of each job has the reason; see 'Read logs' in the runbook."
      namespace  = local.metrics_name, metric = "Failures", stat = "Sum", above = 0, periods = 1
      dimensions = {}
    }
    job-p95 = {
      text       = "The 95th percentile of job times is above its limit."
      namespace  = local.metrics_name, metric = "JobSeconds", stat = "p95", above = var.job_p95_alarm_seconds, periods = 3
      dimensions = {}
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "jobs" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "no_worker" {
  alarm_name          = "${local.name}-no-worker"
  alarm_description   = "Jobs have waited for ten minutes without a running worker. See 'Stuck job' in the runbook."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  metric_query {
    id          = "waiting"
    label       = "Jobs without a worker"
    expression  = local.waiting_expression
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.queue_metrics

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = aws_sqs_queue.layout_jobs.name }
        period      = 60
        stat        = "Maximum"
      }
    }
  }

  metric_query {
    id = "running"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "RunningTaskCount"
      dimensions  = local.running_dimensions
      period      = 60
      stat        = "Maximum"
    }
  }
}
