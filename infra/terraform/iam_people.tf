# People, or services that act for them, take one of two roles with the session tag `owner`: their name as in the keys of the
# store (lower case, every other byte as =xx; see `pacifico.jobs.keys.encode`). All owners share a role, and only the tag
# separates them. Without the tag no resource matches.

locals {
  own = "${aws_s3_bucket.store.arn}/owners/$${aws:PrincipalTag/owner}"

  people = {
    submitter = length(var.submitter_principals) > 0 ? var.submitter_principals : ["arn:${local.partition}:iam::${local.account}:root"]
    reviewer  = length(var.reviewer_principals) > 0 ? var.reviewer_principals : ["arn:${local.partition}:iam::${local.account}:root"]
  }
}

data "aws_iam_policy_document" "people_trust" {
  for_each = local.people

  # A principal can only pass on its own owner: the requested tag must equal the tag that it carries.
  statement {
    sid     = "OwnOwnerTag"
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

    # No other tag may be passed.
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["owner"]
    }
  }
}

resource "aws_iam_role" "submitter" {
  name               = "${local.name}-submitter"
  description        = "Uploads sites; submits, cancels and reads the jobs of one owner"
  assume_role_policy = data.aws_iam_policy_document.people_trust["submitter"].json
}

data "aws_iam_policy_document" "submitter" {
  # Read everything of one owner: boundaries, statuses, reports, exports.
  statement {
    sid       = "ReadOwn"
    actions   = ["s3:GetObject"]
    resources = ["${local.own}/*"]
  }

  # Objects that submit, cancel, redrive and export write. Only the worker writes reports.
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

  # A hint is replaced when its job changes state.
  statement {
    sid       = "DeleteReplacedHints"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.own}/index/*"]
  }

  # List only the owner's own folder.
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

  # Send jobs and read the length of the queue. A message only points to a job, which stays in its owner's folder.
  statement {
    sid       = "SendJobs"
    actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.layout_jobs.arn]
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
  # Read requests, statuses, reports with their inputs, and exports. Write nothing.
  statement {
    sid       = "ReadOwnReports"
    actions   = ["s3:GetObject"]
    resources = ["${local.own}/layouts/*", "${local.own}/exports/*"]
  }

  # List only objects to review.
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

  # Reading needs the key for decryption only.
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
