# GitHub workflows take short-lived roles by OIDC. No key is stored.

locals {
  github      = var.github_repository == null ? 0 : 1
  github_host = "token.actions.githubusercontent.com"

  github_subjects = {
    # Only the branch pushes images, never a pull request.
    image = "repo:${coalesce(var.github_repository, "none/none")}:ref:refs/heads/${var.github_branch}"
    # Pull requests from forks get no such token from GitHub.
    plan = "repo:${coalesce(var.github_repository, "none/none")}:pull_request"
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.github

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github_trust" {
  for_each = local.github == 0 ? {} : local.github_subjects

  # Only workflows of this repository, on this branch or on pull requests; no wildcards.
  statement {
    sid     = "ThisWorkflow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github[0].arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github_host}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github_host}:sub"
      values   = [each.value]
    }
  }
}

resource "aws_iam_role" "github_image" {
  count = local.github

  name                 = "${local.name}-github-image"
  description          = "GitHub workflow that pushes the worker's image"
  assume_role_policy   = data.aws_iam_policy_document.github_trust["image"].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "github_image" {
  # AWS requires the wildcard: a registry token covers all repositories.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  # Push to one repository. Its tags are immutable, so no image can be replaced.
  statement {
    sid = "PushImage"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.worker.arn]
  }
}

resource "aws_iam_role_policy" "github_image" {
  count = local.github

  name   = "push"
  role   = aws_iam_role.github_image[0].id
  policy = data.aws_iam_policy_document.github_image.json
}

resource "aws_iam_role" "github_plan" {
  count = local.github

  name                 = "${local.name}-github-plan"
  description          = "GitHub workflow that plans a pull request against the state, without refresh"
  assume_role_policy   = data.aws_iam_policy_document.github_trust["plan"].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "github_plan" {
  count = local.github

  # A plan without refresh reads only the state.
  statement {
    sid       = "ReadState"
    actions   = ["s3:GetObject"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${local.name}.tfstate"]
  }

  # Terraform lists the state's key before it reads the object.
  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.name}.tfstate", "env:/*", ""]
    }
  }

  # The configuration looks up zones and the address ranges of S3. AWS requires the wildcard for describe actions.
  statement {
    sid       = "LookUps"
    actions   = ["ec2:DescribeAvailabilityZones", "ec2:DescribeManagedPrefixLists", "ec2:DescribePrefixLists"]
    resources = ["*"]
  }

  # Address ranges in the prefix list of S3.
  statement {
    sid       = "LookUpEntries"
    actions   = ["ec2:GetManagedPrefixListEntries"]
    resources = ["arn:${local.partition}:ec2:${var.region}:aws:prefix-list/*"]
  }
}

resource "aws_iam_role_policy" "github_plan" {
  count = local.github

  name   = "plan"
  role   = aws_iam_role.github_plan[0].id
  policy = data.aws_iam_policy_document.github_plan[0].json
}
