//! ARNs of resources that AWS Config names by an id.
//!
//! In: a type of AWS Config's with account, Region and id; or an ARN. Out: the ARN; the id; or why nobody can say. What always holds:
//! only shapes that are certain are built, so that an exception never mutes another resource.
//!
//! The shapes of ARNs and the ids that AWS Config has are from memory of the service authorization reference and of its items, not
//! looked up row by row: a row that is wrong matches no ARN, and mutes nothing. Types that AWS Config itself names by their ARN need
//! no row.

use Place::{Global, Nowhere, Regional};

/// What of account and Region the ARNs of a type have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Neither.
    Nowhere,
    /// The account.
    Global,
    /// Both.
    Regional,
}

/// Type, service, place, and what stands before the id.
const BUILT: [(&str, &str, Place, &str); 36] = [
    ("AWS::CloudFront::Distribution", "cloudfront", Global, "distribution/"),
    ("AWS::DynamoDB::Table", "dynamodb", Regional, "table/"),
    ("AWS::EC2::CustomerGateway", "ec2", Regional, "customer-gateway/"),
    ("AWS::EC2::DHCPOptions", "ec2", Regional, "dhcp-options/"),
    ("AWS::EC2::EIP", "ec2", Regional, "elastic-ip/"),
    ("AWS::EC2::EgressOnlyInternetGateway", "ec2", Regional, "egress-only-internet-gateway/"),
    ("AWS::EC2::FlowLog", "ec2", Regional, "vpc-flow-log/"),
    ("AWS::EC2::Host", "ec2", Regional, "dedicated-host/"),
    ("AWS::EC2::Instance", "ec2", Regional, "instance/"),
    ("AWS::EC2::InternetGateway", "ec2", Regional, "internet-gateway/"),
    ("AWS::EC2::LaunchTemplate", "ec2", Regional, "launch-template/"),
    ("AWS::EC2::NatGateway", "ec2", Regional, "natgateway/"),
    ("AWS::EC2::NetworkAcl", "ec2", Regional, "network-acl/"),
    ("AWS::EC2::NetworkInterface", "ec2", Regional, "network-interface/"),
    ("AWS::EC2::RouteTable", "ec2", Regional, "route-table/"),
    ("AWS::EC2::SecurityGroup", "ec2", Regional, "security-group/"),
    ("AWS::EC2::Subnet", "ec2", Regional, "subnet/"),
    ("AWS::EC2::TransitGateway", "ec2", Regional, "transit-gateway/"),
    ("AWS::EC2::VPC", "ec2", Regional, "vpc/"),
    ("AWS::EC2::VPCEndpoint", "ec2", Regional, "vpc-endpoint/"),
    ("AWS::EC2::VPCPeeringConnection", "ec2", Regional, "vpc-peering-connection/"),
    ("AWS::EC2::VPNConnection", "ec2", Regional, "vpn-connection/"),
    ("AWS::EC2::VPNGateway", "ec2", Regional, "vpn-gateway/"),
    ("AWS::EC2::Volume", "ec2", Regional, "volume/"),
    ("AWS::ECR::Repository", "ecr", Regional, "repository/"),
    ("AWS::EFS::FileSystem", "elasticfilesystem", Regional, "file-system/"),
    ("AWS::EKS::Cluster", "eks", Regional, "cluster/"),
    ("AWS::ElasticLoadBalancing::LoadBalancer", "elasticloadbalancing", Regional, "loadbalancer/"),
    ("AWS::KMS::Key", "kms", Regional, "key/"),
    ("AWS::Kinesis::Stream", "kinesis", Regional, "stream/"),
    ("AWS::Lambda::Function", "lambda", Regional, "function:"),
    ("AWS::Redshift::Cluster", "redshift", Regional, "cluster:"),
    ("AWS::Redshift::ClusterParameterGroup", "redshift", Regional, "parametergroup:"),
    ("AWS::Redshift::ClusterSubnetGroup", "redshift", Regional, "subnetgroup:"),
    ("AWS::S3::Bucket", "s3", Nowhere, ""),
    ("AWS::SSM::ManagedInstanceInventory", "ssm", Regional, "managed-instance/"),
];

/// Service, beginning of its resources, and how AWS Config names them: by what no ARN has.
const NAMED_OTHERWISE: [(&str, &str, &str); 10] = [
    ("iam", "role/", "its unique id, as AROA…"),
    ("iam", "user/", "its unique id, as AIDA…"),
    ("iam", "group/", "its unique id, as AGPA…"),
    ("iam", "policy/", "its unique id, as ANPA…"),
    ("rds", "db:", "its resource id, as db-…"),
    ("rds", "cluster:", "its resource id, as cluster-…"),
    ("sqs", "", "its URL"),
    ("es", "domain/", "account and name, as 111122223333/search"),
    ("apigateway", "/restapis/", "the id of the API"),
    ("autoscaling", "launchConfiguration:", "its name"),
];

/// The ARN of what AWS Config names by this id; `None`: nobody can say, or the id is one.
pub(super) fn of_config(kind: &str, partition: &str, region: &str, account: &str, id: &str) -> Option<String> {
    let at = BUILT.binary_search_by_key(&kind, |(kind, ..)| kind).ok()?;
    let (_, service, place, before) = BUILT.get(at)?;
    let (region, account) = match place {
        Nowhere => ("", ""),
        Global => ("", account),
        Regional => (region, account),
    };
    let is_known = partition.starts_with("aws") && region != "unknown" && account != "unknown";
    (is_known && !id.is_empty() && !id.starts_with("arn:"))
        .then(|| format!("arn:{partition}:{service}:{region}:{account}:{before}{id}"))
}

/// The id that AWS Config has of what this ARN names; `None`: it is none that is built here.
pub(super) fn id_in_config(arn: &str) -> Option<&str> {
    let (service, resource) = split(arn)?;
    let mut rows = BUILT.iter().filter(|(_, of, ..)| *of == service);
    rows.find_map(|(_, _, _, before)| resource.strip_prefix(before)).filter(|id| !id.is_empty())
}

/// How AWS Config names what this ARN, or pattern of one, means, where that is by neither the ARN nor a part of it.
pub(super) fn named_otherwise(pattern: &str) -> Option<&'static str> {
    let (service, resource) = split(pattern)?;
    let mut rows = NAMED_OTHERWISE.iter().filter(|(of, ..)| *of == service);
    rows.find(|(_, begins, _)| resource.starts_with(begins)).map(|(.., how)| *how)
}

/// Service and resource of an ARN.
fn split(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let (service, resource) = (parts.nth(1)?, parts.nth(2)?);
    is_arn.then_some((service, resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_so_that_they_are_found() {
        assert!(BUILT.iter().map(|(kind, ..)| *kind).is_sorted());
    }

    #[test]
    fn an_arn_is_built_where_it_is_certain_and_read_again() {
        let of = |kind: &str, id: &str| of_config(kind, "aws", "eu-west-1", "111122223333", id);
        for (kind, id, want) in [
            ("AWS::S3::Bucket", "site", Some("arn:aws:s3:::site")),
            ("AWS::EC2::Instance", "i-0", Some("arn:aws:ec2:eu-west-1:111122223333:instance/i-0")),
            ("AWS::Lambda::Function", "api", Some("arn:aws:lambda:eu-west-1:111122223333:function:api")),
            ("AWS::KMS::Key", "0f", Some("arn:aws:kms:eu-west-1:111122223333:key/0f")),
            ("AWS::CloudFront::Distribution", "E1", Some("arn:aws:cloudfront::111122223333:distribution/E1")),
            ("AWS::IAM::Role", "AROA0", None),
            ("AWS::RDS::DBInstance", "db-0", None),
            ("AWS::SNS::Topic", "arn:aws:sns:eu-west-1:111122223333:alarms", None),
            ("AWS::S3::Bucket", "arn:aws:s3:::site", None),
            ("AWS::S3::Bucket", "", None),
        ] {
            let arn = of(kind, id);
            assert_eq!(arn.as_deref(), want, "{kind} {id}");
            assert_eq!(arn.as_deref().and_then(id_in_config), want.map(|_| id), "{kind} {id}");
        }
        assert_eq!(of_config("AWS::EC2::Instance", "aws", "unknown", "111122223333", "i-0"), None);
        assert_eq!(of_config("AWS::EC2::Instance", "unknown", "", "111122223333", "i-0"), None);
        assert_eq!(
            of_config("AWS::S3::Bucket", "aws-cn", "cn-north-1", "111122223333", "s").as_deref(),
            Some("arn:aws-cn:s3:::s")
        );
        for text in ["arn:aws:iam::111122223333:role/Ops", "arn:aws:ec2", "site", "", "arn:aws:s3:::"] {
            assert_eq!(id_in_config(text), None, "{text}");
        }
    }

    #[test]
    fn an_arn_that_aws_config_does_not_have_is_known() {
        for (pattern, want) in [
            ("arn:aws:iam::*:role/ci/*", Some("its unique id, as AROA…")),
            ("arn:aws:rds:*:*:db:orders", Some("its resource id, as db-…")),
            ("arn:aws:rds:*:*:snapshot:x", None),
            ("arn:*:sqs:*:*:jobs", Some("its URL")),
            ("arn:aws:s3:::site", None),
            ("*:role/Ops", None),
        ] {
            assert_eq!(named_otherwise(pattern), want, "{pattern}");
        }
    }
}
