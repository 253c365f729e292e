# Target tracking keeps (waiting + in flight) / max(running, 1) near `backlog_per_worker`. A ratio can't scale from or to zero
# workers, so two alarms start the first worker and stop the last.

locals {
  queue_metrics = {
    visible  = "ApproximateNumberOfMessagesVisible"
    inflight = "ApproximateNumberOfMessagesNotVisible"
  }
  running_dimensions = {
    ClusterName = local.cluster_name
    ServiceName = local.worker_name
  }

  # CloudWatch has no maximum of a series and a number; IF replaces it.
  backlog_expression = "(FILL(visible, 0) + FILL(inflight, 0)) / IF(FILL(running, 0) > 1, FILL(running, 0), 1)"
  jobs_expression    = "FILL(visible, 0) + FILL(inflight, 0)"
  waiting_expression = "IF(FILL(running, 0) < 1, FILL(visible, 0) + FILL(inflight, 0), 0)"
}

resource "aws_appautoscaling_target" "worker" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.worker.name}"
  min_capacity       = var.worker_min_count
  max_capacity       = var.worker_max_count
}

resource "aws_appautoscaling_policy" "backlog" {
  name               = "${local.name}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension
  resource_id        = aws_appautoscaling_target.worker.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_worker
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      metrics {
        id          = "backlog"
        label       = "Jobs per worker"
        expression  = local.backlog_expression
        return_data = true
      }

      dynamic "metrics" {
        for_each = local.queue_metrics

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = "AWS/SQS"
              metric_name = metrics.value

              dimensions {
                name  = "QueueName"
                value = aws_sqs_queue.layout_jobs.name
              }
            }
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dynamic "dimensions" {
              for_each = local.running_dimensions

              content {
                name  = dimensions.key
                value = dimensions.value
              }
            }
          }
        }
      }
    }
  }
}

resource "aws_appautoscaling_policy" "wake" {
  name               = "${local.name}-wake"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension
  resource_id        = aws_appautoscaling_target.worker.resource_id

  step_scaling_policy_configuration {
    adjustment_type = "ChangeInCapacity"
    cooldown        = 120 # a task takes about a minute to start; then target tracking takes over

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_appautoscaling_policy" "sleep" {
  name               = "${local.name}-sleep"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension
  resource_id        = aws_appautoscaling_target.worker.resource_id

  step_scaling_policy_configuration {
    adjustment_type = "ExactCapacity"
    cooldown        = 60

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = var.worker_min_count
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_name          = "${local.name}-wake"
  alarm_description   = "Jobs wait and no worker runs: start one worker"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.wake.arn]

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

resource "aws_cloudwatch_metric_alarm" "sleep" {
  alarm_name          = "${local.name}-sleep"
  alarm_description   = "No job has waited or run for ten minutes: scale in to the minimum"
  comparison_operator = "LessThanOrEqualToThreshold"
  threshold           = 0
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.sleep.arn]

  metric_query {
    id          = "jobs"
    label       = "Jobs waiting or in flight"
    expression  = local.jobs_expression
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
}
