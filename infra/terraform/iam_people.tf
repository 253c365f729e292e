# People (or the services that act for them) take one of two roles, with the session tag `owner`: their name as the store's
# keys write it (lower case; every other byte as =xx; `pacifico.jobs.keys.encode`). The tag is all that tells owners apart:
# one role serves them all. Without the tag, no resource matches.

locals {
  own = "${aws_s3_bucket.store.arn}/owners/$${aws:PrincipalTag/owner}"

  people = {
    submitter = length(var.submitter_principals) > 0 ? var.submitter_principals : ["arn:${local.partition}:iam::${local.account}:root"]
    reviewer  = length(var.reviewer_principals) > 0 ? var.reviewer_principals : ["arn:${local.partition}:iam::${local.account}:root"]
  }
}

data "aws_iam_policy_document" "people_trust" {
  for_each = local.people

  # Whoever takes the role keeps the owner he is: the tag he asks for must be the tag he carries.
  statement {
    sid     = "AsTheOwnerHeIs"
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "AWS"
      identifiers = each.value
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/owner"
      values   = ["$${aws:PrincipalTag/owner}"]
    }

    # No other tag may come in with it.
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["owner"]
    }
  }
}

resource "aws_iam_role" "submitter" {
  name               = "${local.name}-submitter"
  description        = "Uploads sites, submits, cancels and reads the jobs of one owner"
  assume_role_policy = data.aws_iam_policy_document.people_trust["submitter"].json
}

data "aws_iam_policy_document" "submitter" {
  # All of one's own: boundaries, statuses, reports, exports.
  statement {
    sid       = "ReadOwn"
    actions   = ["s3:GetObject"]
    resources = ["${local.own}/*"]
  }

  # What submitting, cancelling, redriving and exporting write. A report is the worker's alone to write.
  statement {
    sid     = "WriteOwn"
    actions = ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"]
    resources = [
      "${local.own}/sites/*",
      "${local.own}/uploads/*",
      "${local.own}/layouts/*/request.json",
      "${local.own}/layouts/*/status.json",
      "${local.own}/index/*",
      "${local.own}/exports/*",
    ]
  }

  # A hint is replaced when its job moves on.
  statement {
    sid       = "DeleteReplacedHints"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.own}/index/*"]
  }

  # Listing goes by prefix: one's own folder and nothing beside it.
  statement {
    sid       = "ListOwn"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.store.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["owners/$${aws:PrincipalTag/owner}/*"]
    }
  }

  # Send a job, and see how long the queue is. A message only points; what it points to stays its owner's.
  statement {
    sid       = "SendJobs"
    actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.layout_jobs.arn]
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

resource "aws_iam_role_policy" "submitter" {
  name   = "submit"
  role   = aws_iam_role.submitter.id
  policy = data.aws_iam_policy_document.submitter.json
}

resource "aws_iam_role" "reviewer" {
  name               = "${local.name}-reviewer"
  description        = "Reads the jobs and reports of one owner"
  assume_role_policy = data.aws_iam_policy_document.people_trust["reviewer"].json
}

data "aws_iam_policy_document" "reviewer" {
  # Requests, statuses, reports with their inputs, and exports; nothing is written.
  statement {
    sid       = "ReadOwnReports"
    actions   = ["s3:GetObject"]
    resources = ["${local.own}/layouts/*", "${local.own}/exports/*"]
  }

  # Listing goes by prefix: what there is to review, and nothing beside it.
  statement {
    sid       = "ListOwnReports"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.store.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = [
        "owners/$${aws:PrincipalTag/owner}/layouts/*",
        "owners/$${aws:PrincipalTag/owner}/index/*",
        "owners/$${aws:PrincipalTag/owner}/exports/*",
      ]
    }
  }

  # Reading takes the key for decryption alone.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseStoreKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "reviewer" {
  name   = "review"
  role   = aws_iam_role.reviewer.id
  policy = data.aws_iam_policy_document.reviewer.json
}
