# --- installation ---

variable "environment" {
  type        = string
  description = "Name of the installation within the account, part of every resource name: pacifico-layouts-{environment}-..."
  default     = "dev"

  validation {
    # The bucket name, with the account's 12 digits, must stay within the 63 characters of S3.
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 20 characters: lower-case letters, digits and hyphens, a letter first, no hyphen last."
  }
}

variable "region" {
  type        = string
  description = "AWS region, such as us-west-2."

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the code of an AWS region, such as us-west-2."
  }
}

# --- queue: the worker gets the same numbers, so that both agree ---

variable "visibility_seconds" {
  type        = number
  description = "Time for which a received message stays hidden unless renewed [s]; PACIFICO_VISIBILITY_S of the worker."
  default     = 120

  validation {
    condition     = var.visibility_seconds >= 30 && var.visibility_seconds <= 43200 && floor(var.visibility_seconds) == var.visibility_seconds
    error_message = "visibility_seconds must be a whole number from 30 to 43200 (12 h, the maximum of SQS)."
  }
}

variable "lease_seconds" {
  type        = number
  description = "Time after which a silent attempt loses its job [s]; PACIFICO_LEASE_S of the worker."
  default     = 60

  validation {
    condition     = var.lease_seconds >= 10 && var.lease_seconds < var.visibility_seconds
    error_message = "lease_seconds must be at least 10 and below visibility_seconds: otherwise a message returns before the lease of its job has expired."
  }
}

variable "max_receives" {
  type        = number
  description = "Receives after which the queue moves a message to the dead-letter queue; PACIFICO_MAX_RECEIVES of the worker."
  default     = 3

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 10 && floor(var.max_receives) == var.max_receives
    error_message = "max_receives must be a whole number from 1 to 10."
  }
}

# --- store ---

variable "max_running_jobs_per_owner" {
  type        = number
  description = "Jobs of one owner that run at once, so that every owner gets a share of the workers; 0: no limit."
  default     = 0

  validation {
    condition     = var.max_running_jobs_per_owner >= 0 && floor(var.max_running_jobs_per_owner) == var.max_running_jobs_per_owner
    error_message = "max_running_jobs_per_owner must be a whole number of at least 0."
  }
}

variable "upload_days" {
  type        = number
  description = "Days after which uploaded boundaries and elevation models expire."
  default     = 90

  validation {
    condition     = var.upload_days >= 1 && floor(var.upload_days) == var.upload_days
    error_message = "upload_days must be a whole number of at least 1."
  }
}

variable "terrain_days" {
  type        = number
  description = "Days after which cached terrain expires."
  default     = 30

  validation {
    condition     = var.terrain_days >= 1 && floor(var.terrain_days) == var.terrain_days
    error_message = "terrain_days must be a whole number of at least 1."
  }
}

variable "export_days" {
  type        = number
  description = "Days after which exports expire."
  default     = 30

  validation {
    condition     = var.export_days >= 1 && floor(var.export_days) == var.export_days
    error_message = "export_days must be a whole number of at least 1."
  }
}

variable "noncurrent_days" {
  type        = number
  description = "Days for which a replaced or deleted version can be restored."
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days must be a whole number of at least 1."
  }
}

variable "report_infrequent_access_days" {
  type        = number
  description = "Days after which reports move to infrequent access; the minimum of S3 is 30."
  default     = 90

  validation {
    condition     = var.report_infrequent_access_days >= 30 && floor(var.report_infrequent_access_days) == var.report_infrequent_access_days
    error_message = "report_infrequent_access_days must be a whole number of at least 30."
  }
}

variable "report_expiry_days" {
  type        = number
  description = "Days after which reports expire; null keeps them forever."
  default     = null

  validation {
    condition     = var.report_expiry_days == null ? true : var.report_expiry_days > var.report_infrequent_access_days
    error_message = "report_expiry_days must be null (reports are kept) or above report_infrequent_access_days."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "KMS key for the store; null: keys of S3 (AES-256). The policy of the key must let IAM of this account grant its use."
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be null or the ARN of a key (arn:...:kms:...:key/...), not of an alias."
  }
}

variable "access_log_bucket" {
  type        = string
  description = "Existing bucket for the access logs of the store; null: no access logs."
  default     = null

  validation {
    condition     = var.access_log_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket))
    error_message = "access_log_bucket must be null or the name of a bucket."
  }
}

# --- network ---

variable "existing_network" {
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
  })
  description = "Existing VPC and private subnets, with their own routes and endpoints; null: Terraform creates a VPC."
  default     = null

  validation {
    condition = var.existing_network == null ? true : (
      startswith(var.existing_network.vpc_id, "vpc-") && length(var.existing_network.private_subnet_ids) >= 1 &&
      alltrue([for id in var.existing_network.private_subnet_ids : startswith(id, "subnet-")])
    )
    error_message = "existing_network needs a vpc_id (vpc-...) and at least one private subnet (subnet-...)."
  }
}

variable "vpc_cidr" {
  type        = string
  description = "Address range of the new VPC, from /16 to /22."
  default     = "10.60.0.0/20"

  validation {
    condition = can(cidrnetmask(var.vpc_cidr)) && try(
      tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 22, false
    )
    error_message = "vpc_cidr must be an IPv4 range from /16 to /22, such as 10.60.0.0/20."
  }
}

variable "zone_count" {
  type        = number
  description = "Number of availability zones of the VPC."
  default     = 2

  validation {
    condition     = contains([1, 2, 3], var.zone_count)
    error_message = "zone_count must be 1, 2 or 3."
  }
}

variable "nat_gateway" {
  type        = bool
  description = "Whether to create a NAT gateway. Elevation sources outside the region need it; without it, jobs need uploads or a mirror in the region's S3."
  default     = true
}

# --- worker ---

variable "image_tag" {
  type        = string
  description = "Tag of the worker's image: the git commit from which it was built."

  validation {
    condition     = can(regex("^[0-9a-f]{7,40}$", var.image_tag))
    error_message = "image_tag must be a git commit (7 to 40 hexadecimal digits): a movable tag can't be reproduced."
  }
}

variable "worker_cpu" {
  type        = number
  description = "CPU units of a worker task (1024 units are one vCPU)."
  default     = 2048

  validation {
    condition     = contains([1024, 2048, 4096, 8192, 16384], var.worker_cpu)
    error_message = "worker_cpu must be 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "worker_memory_mib" {
  type        = number
  description = "Memory of a worker task [MiB]."
  default     = 8192

  validation {
    # Fargate allows 2 to 8 GiB per vCPU, in steps that grow with the size.
    condition = (
      var.worker_memory_mib >= var.worker_cpu * 2 && var.worker_memory_mib <= min(var.worker_cpu * 8, 122880) &&
      var.worker_memory_mib % (var.worker_cpu <= 4096 ? 1024 : var.worker_cpu == 8192 ? 4096 : 8192) == 0
    )
    error_message = "worker_memory_mib must be 2 to 8 times worker_cpu, in steps of 1024 (4096 at 8 vCPU, 8192 at 16), as Fargate requires."
  }
}

variable "job_memory_mib" {
  type        = number
  description = "Memory limit of one job's processes [MiB]; PACIFICO_JOB_MEMORY_MB of the worker."
  default     = 4096

  validation {
    # The worker and its standby need memory beside the job.
    condition     = var.job_memory_mib >= 512 && var.job_memory_mib <= var.worker_memory_mib - 1536
    error_message = "job_memory_mib must be at least 512 and at most worker_memory_mib - 1536: the worker and its standby need the rest."
  }
}

variable "job_timeout_seconds" {
  type        = number
  description = "Longest run of one job [s]; PACIFICO_JOB_TIMEOUT_S of the worker."
  default     = 1800

  validation {
    condition     = var.job_timeout_seconds >= 60 && var.job_timeout_seconds <= 43200
    error_message = "job_timeout_seconds must be from 60 to 43200."
  }
}

variable "scratch_gib" {
  type        = number
  description = "Ephemeral storage of a worker task [GiB]."
  default     = 30

  validation {
    condition     = var.scratch_gib >= 21 && var.scratch_gib <= 200
    error_message = "scratch_gib must be from 21 to 200, as Fargate requires."
  }
}

variable "dem_hosts" {
  type        = list(string)
  description = "Hosts from which a job's elevation model may be fetched over https; PACIFICO_DEM_HOSTS of the worker."
  default     = []

  validation {
    condition     = alltrue([for host in var.dem_hosts : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", host))])
    error_message = "dem_hosts must be host names in lower case, without scheme, port or path."
  }
}

variable "dem_buckets" {
  type        = list(string)
  description = "Buckets from which a job's elevation model may be read; PACIFICO_DEM_BUCKETS of the worker."
  default     = []

  validation {
    condition     = alltrue([for bucket in var.dem_buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "dem_buckets must be names of buckets, without s3:// and without a path."
  }
}

variable "sqs_worker_desired_count" {
  type        = number
  description = "Number of workers at creation; afterwards autoscaling controls it."
  default     = 0

  validation {
    condition     = var.sqs_worker_desired_count >= 0 && var.sqs_worker_desired_count <= var.worker_max_count && floor(var.sqs_worker_desired_count) == var.sqs_worker_desired_count
    error_message = "sqs_worker_desired_count must be a whole number from 0 to worker_max_count."
  }
}

variable "worker_min_count" {
  type        = number
  description = "Minimum number of workers. With 0 an empty queue costs nothing, and the first job waits for a task to start."
  default     = 0

  validation {
    condition     = var.worker_min_count >= 0 && var.worker_min_count <= var.worker_max_count && floor(var.worker_min_count) == var.worker_min_count
    error_message = "worker_min_count must be a whole number from 0 to worker_max_count."
  }
}

variable "worker_max_count" {
  type        = number
  description = "Maximum number of workers."
  default     = 10

  validation {
    condition     = var.worker_max_count >= 1 && var.worker_max_count <= 200 && floor(var.worker_max_count) == var.worker_max_count
    error_message = "worker_max_count must be a whole number from 1 to 200."
  }
}

variable "on_demand_base" {
  type        = number
  description = "Number of on-demand workers before Spot is used. A Spot interruption delays jobs, but loses none."
  default     = 1

  validation {
    condition     = var.on_demand_base >= 0 && floor(var.on_demand_base) == var.on_demand_base
    error_message = "on_demand_base must be a whole number of at least 0."
  }
}

variable "backlog_per_worker" {
  type        = number
  description = "Target of autoscaling, in jobs per worker: acceptable wait divided by the mean time of a job."
  default     = 4

  validation {
    condition     = var.backlog_per_worker >= 1
    error_message = "backlog_per_worker must be at least 1: below 1 some workers stay idle."
  }
}

# --- people ---

variable "submitter_principals" {
  type        = list(string)
  description = "ARNs that may take the submitter role; empty: every principal that IAM of this account allows to assume it."
  default     = []

  validation {
    condition     = alltrue([for arn in var.submitter_principals : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "submitter_principals must be ARNs of principals, without wildcards."
  }
}

variable "reviewer_principals" {
  type        = list(string)
  description = "ARNs that may take the reviewer role; empty: every principal that IAM of this account allows to assume it."
  default     = []

  validation {
    condition     = alltrue([for arn in var.reviewer_principals : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "reviewer_principals must be ARNs of principals, without wildcards."
  }
}

# --- monitoring ---

variable "log_retention_days" {
  type        = number
  description = "Days for which logs are kept."
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be a value that CloudWatch allows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "enable_sns_alarms" {
  type        = bool
  description = "Whether alarms and the budget notify an SNS topic."
  default     = false
}

variable "alerts_email" {
  type        = string
  description = "E-mail address for notifications, after its owner confirms; needs enable_sns_alarms."
  default     = ""

  validation {
    condition     = var.alerts_email == "" || can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", var.alerts_email))
    error_message = "alerts_email must be empty or an e-mail address."
  }

  validation {
    condition     = var.alerts_email == "" || var.enable_sns_alarms
    error_message = "alerts_email has no effect without enable_sns_alarms = true."
  }
}

variable "oldest_message_alarm_seconds" {
  type        = number
  description = "Age of the oldest waiting message that raises an alarm [s]."
  default     = 1800

  validation {
    condition     = var.oldest_message_alarm_seconds >= 60
    error_message = "oldest_message_alarm_seconds must be at least 60."
  }
}

variable "job_p95_alarm_seconds" {
  type        = number
  description = "95th percentile of job times that raises an alarm [s]."
  default     = 600

  validation {
    condition     = var.job_p95_alarm_seconds >= 1
    error_message = "job_p95_alarm_seconds must be at least 1."
  }
}

variable "monthly_budget_usd" {
  type        = number
  description = "Monthly cost of all resources tagged as this project that raises an alarm [USD]; null: no budget."
  default     = 200

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd must be null or above 0."
  }
}

# --- continuous integration ---

variable "github_repository" {
  type        = string
  description = "GitHub repository, owner/name, whose workflows may push images and plan; null: no workflow may."
  default     = null

  validation {
    condition     = var.github_repository == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be null or owner/name, without wildcards."
  }
}

variable "github_branch" {
  type        = string
  description = "Branch whose workflow may push images."
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.github_branch))
    error_message = "github_branch must be the name of a branch, without wildcards."
  }
}

variable "state_bucket" {
  type        = string
  description = "Bucket with Terraform's state, which the workflow `plan` may read. Required with github_repository."
  default     = null

  validation {
    condition     = var.github_repository == null || var.state_bucket != null
    error_message = "state_bucket is required with github_repository: the workflow `plan` reads the state from it."
  }

  validation {
    condition     = var.state_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket must be null or the name of a bucket."
  }
}
