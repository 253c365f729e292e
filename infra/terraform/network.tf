data "aws_availability_zones" "available" {
  state = "available"

  # Local zones have neither Fargate nor interface endpoints, so they are left out.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  make_network = var.existing_network == null
  zones        = local.make_network ? slice(data.aws_availability_zones.available.names, 0, var.zone_count) : []

  vpc_id             = local.make_network ? aws_vpc.main[0].id : var.existing_network.vpc_id
  private_subnet_ids = local.make_network ? [for zone in local.zones : aws_subnet.private[zone].id] : var.existing_network.private_subnet_ids
  nat                = local.make_network && var.nat_gateway
  # An existing network has its own routes, which this configuration can't check.
  open_egress = local.nat || !local.make_network
}

resource "aws_vpc" "main" {
  count = local.make_network ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # for the private names of the interface endpoints

  tags = { Name = local.name }
}

# Resources without a security group of their own get no traffic in or out.
resource "aws_default_security_group" "main" {
  count = local.make_network ? 1 : 0

  vpc_id = aws_vpc.main[0].id
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.main[0].id
  availability_zone = each.value
  cidr_block        = cidrsubnet(var.vpc_cidr, 3, index(local.zones, each.value))

  tags = { Name = "${local.name}-private-${each.value}" }
}

resource "aws_route_table" "private" {
  count = local.make_network ? 1 : 0

  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[0].id
}

# --- route to elevation sources: one NAT gateway. An outage of its zone delays jobs, but loses none ---

resource "aws_subnet" "public" {
  count = local.nat ? 1 : 0

  vpc_id                  = aws_vpc.main[0].id
  availability_zone       = local.zones[0]
  cidr_block              = cidrsubnet(var.vpc_cidr, 6, 63)
  map_public_ip_on_launch = false

  tags = { Name = "${local.name}-public" }
}

resource "aws_internet_gateway" "main" {
  count = local.nat ? 1 : 0

  vpc_id = aws_vpc.main[0].id

  tags = { Name = local.name }
}

resource "aws_route_table" "public" {
  count = local.nat ? 1 : 0

  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-public" }
}

resource "aws_route" "public_out" {
  count = local.nat ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main[0].id
}

resource "aws_route_table_association" "public" {
  count = local.nat ? 1 : 0

  subnet_id      = aws_subnet.public[0].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "nat" {
  count = local.nat ? 1 : 0

  domain = "vpc"

  tags = { Name = "${local.name}-nat" }
}

resource "aws_nat_gateway" "main" {
  count = local.nat ? 1 : 0

  # The NAT needs the internet gateway for its route.
  depends_on = [aws_internet_gateway.main]

  allocation_id = aws_eip.nat[0].id
  subnet_id     = aws_subnet.public[0].id

  tags = { Name = local.name }
}

resource "aws_route" "private_out" {
  count = local.nat ? 1 : 0

  route_table_id         = aws_route_table.private[0].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[0].id
}

# --- security groups ---

data "aws_ec2_managed_prefix_list" "s3" {
  count = local.make_network ? 1 : 0

  name = "com.amazonaws.${var.region}.s3"
}

resource "aws_security_group" "worker" {
  name        = local.worker_name
  description = "Workers: nothing comes in, HTTPS goes out"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "worker_anywhere" {
  count = local.open_egress ? 1 : 0

  security_group_id = aws_security_group.worker.id
  description       = "HTTPS to AWS and to elevation sources"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "worker_s3" {
  count = local.make_network ? 1 : 0

  security_group_id = aws_security_group.worker.id
  description       = "HTTPS to S3 through its gateway endpoint"
  prefix_list_id    = data.aws_ec2_managed_prefix_list.s3[0].id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "worker_endpoints" {
  count = local.make_network ? 1 : 0

  security_group_id            = aws_security_group.worker.id
  description                  = "HTTPS to the interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_security_group" "endpoints" {
  count = local.make_network ? 1 : 0

  name        = "${local.name}-endpoints"
  description = "Interface endpoints: HTTPS from the workers"
  vpc_id      = aws_vpc.main[0].id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_worker" {
  count = local.make_network ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from the workers"
  referenced_security_group_id = aws_security_group.worker.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# --- endpoints: queue, store, image and logs stay inside AWS ---

resource "aws_vpc_endpoint" "s3" {
  count = local.make_network ? 1 : 0

  vpc_id            = aws_vpc.main[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private[0].id]

  tags = { Name = "${local.name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.make_network ? ["sqs", "ecr.api", "ecr.dkr", "logs"] : [])

  vpc_id              = aws_vpc.main[0].id
  service_name        = "com.amazonaws.${var.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = local.private_subnet_ids
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true

  tags = { Name = "${local.name}-${each.value}" }
}
