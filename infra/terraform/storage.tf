# One bucket: owners/{owner}/sites|uploads|layouts|index|exports and terrain/. Lifecycle rules can't match a prefix like
# owners/*/..., so they use the tag `class`, which the package sets on each object.

resource "aws_s3_bucket" "store" {
  bucket = local.bucket_name
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = aws_s3_bucket.store.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "store" {
  count = var.access_log_bucket == null ? 0 : 1

  bucket        = aws_s3_bucket.store.id
  target_bucket = var.access_log_bucket
  target_prefix = "${local.bucket_name}/"
}

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  # Expiry adds a delete marker; the noncurrent rule removes the data later.
  depends_on = [aws_s3_bucket_versioning.store]

  bucket = aws_s3_bucket.store.id

  dynamic "rule" {
    for_each = { uploads = var.upload_days, terrain = var.terrain_days, exports = var.export_days }

    content {
      id     = "${rule.key}-expire"
      status = "Enabled"

      filter {
        tag {
          key   = "class"
          value = rule.key
        }
      }

      expiration {
        days = rule.value
      }
    }
  }

  # Reports are kept, in a cheaper storage class.
  rule {
    id     = "reports-keep"
    status = "Enabled"

    filter {
      tag {
        key   = "class"
        value = "reports"
      }
    }

    transition {
      days          = var.report_infrequent_access_days
      storage_class = "STANDARD_IA"
    }

    dynamic "expiration" {
      for_each = var.report_expiry_days == null ? [] : [var.report_expiry_days]

      content {
        days = expiration.value
      }
    }
  }

  rule {
    id     = "noncurrent-expire"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
  }

  # What is left of a deleted object once its last version is gone. Listings read such markers one by one.
  rule {
    id     = "expired-markers-remove"
    status = "Enabled"

    filter {}

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "incomplete-uploads-abort"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "store" {
  # Boundaries and reports travel over TLS only: every action without TLS is denied.
  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.store.arn, "${aws_s3_bucket.store.arn}/*"]

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

  # A request is written once: the bucket refuses a second write, whatever the client does.
  statement {
    sid       = "DenyOverwritingRequests"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.store.arn}/owners/*/layouts/*/request.json"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }
  }

  # A status changes only by compare-and-swap: an unconditional write could revive a finished job.
  statement {
    sid       = "DenyBlindStatusWrites"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.store.arn}/owners/*/layouts/*/status.json"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }

    condition {
      test     = "Null"
      variable = "s3:if-match"
      values   = ["true"]
    }
  }
}

resource "aws_s3_bucket_policy" "store" {
  # Setting a bucket policy and a public access block at the same time causes a conflict.
  depends_on = [aws_s3_bucket_public_access_block.store]

  bucket = aws_s3_bucket.store.id
  policy = data.aws_iam_policy_document.store.json
}
