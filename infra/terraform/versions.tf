terraform {
  # Since 1.10 the S3 backend has its own lock file, so no lock table is needed.
  required_version = ">= 1.10, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90, < 6.0"
    }
  }

  # Bucket, key and region come from `terraform init -backend-config=state.config` (see RUNBOOK.md).
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "pacifico-layouts"
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
