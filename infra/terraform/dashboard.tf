locals {
  widgets = [
    {
      title = "Jobs waiting and in flight"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.layout_jobs.name, { label = "waiting", stat = "Maximum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", aws_sqs_queue.layout_jobs.name, { label = "in flight", stat = "Maximum" }],
      ]
    },
    {
      title = "Dead letters"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.layout_jobs_dlq.name, { label = "dead letters", stat = "Maximum" }],
      ]
    },
    {
      title = "Age of the oldest waiting job [s]"
      metrics = [
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.layout_jobs.name, { label = "oldest", stat = "Maximum" }],
      ]
    },
    {
      title = "Workers"
      metrics = [
        for metric in ["RunningTaskCount", "PendingTaskCount", "DesiredTaskCount"] :
        ["ECS/ContainerInsights", metric, "ClusterName", local.cluster_name, "ServiceName", local.worker_name, { stat = "Maximum" }]
      ]
    },
    {
      title = "Seconds per job, and from sending to start"
      metrics = [
        [local.metrics_name, "JobSeconds", { label = "job, p50", stat = "p50" }],
        [local.metrics_name, "JobSeconds", { label = "job, p95", stat = "p95" }],
        [local.metrics_name, "QueueSeconds", { label = "queue, p50", stat = "p50" }],
      ]
    },
    {
      title = "Jobs ended and failed"
      metrics = [
        [local.metrics_name, "JobSeconds", { label = "ended", stat = "SampleCount" }],
        [local.metrics_name, "Failures", { label = "failed", stat = "Sum" }],
      ]
    },
    {
      title = "CPU and memory of the workers [%]"
      metrics = [
        ["AWS/ECS", "CPUUtilization", "ClusterName", local.cluster_name, "ServiceName", local.worker_name, { stat = "Average" }],
        ["AWS/ECS", "MemoryUtilization", "ClusterName", local.cluster_name, "ServiceName", local.worker_name, { stat = "Maximum" }],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : {
        type       = "metric"
        x          = index % 2 * 12
        y          = floor(index / 2) * 6
        width      = 12
        height     = 6
        properties = { title = widget.title, metrics = widget.metrics, region = var.region, view = "timeSeries", period = 60 }
      }
    ]
  })
}
