# Counts resources with the tag Project. Activate the tag once for cost allocation (see RUNBOOK.md).
resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${local.name}-monthly"
  account_id   = local.account
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Project$pacifico-layouts"]
  }

  # Without a topic there are no notifications; the console still shows the budget.
  dynamic "notification" {
    for_each = var.enable_sns_alarms ? { ACTUAL = 80, FORECASTED = 100 } : {}

    content {
      notification_type         = notification.key
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = local.alarm_actions
    }
  }
}
