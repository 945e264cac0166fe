//! Names and meaning for a security finding.
//!
//! In: a finding. Out: an [`EnrichedFinding`] that borrows from it and from the account names. Always: what dashboards filter on is
//! never empty; a resource has one type whatever form tells of it, as far as the table goes; everywhere else it keeps its own.

use std::borrow::Cow;

use super::accounts::AccountName;
use super::calendar::Day;
use super::{Enricher, UNKNOWN, partition};
use crate::record::{Finding, InsightResults};

/// What enrichment adds to a finding.
#[derive(Debug, Clone)]
pub struct EnrichedFinding<'a> {
    /// The account it is about.
    pub account: AccountName<'a>,
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Region it is about, or `unknown`.
    pub region: &'a str,
    /// Service of the resource: `s3`.
    pub service: Cow<'a, str>,
    /// Type of the resource, or `unknown`.
    pub resource_type: Cow<'a, str>,
    /// The resource, or `unknown`.
    pub resource_id: &'a str,
    /// Its ARN, where the finding names it by one.
    pub resource_arn: Option<&'a str>,
    /// The day of the change in the configured zone.
    pub day: Day,
}

/// Types of resources in other spellings than CloudFormation's: Security Hub's and Inspector's.
const TYPES: [(&str, &str); 29] = [
    ("AWS_EC2_INSTANCE", "AWS::EC2::Instance"),
    ("AWS_ECR_CONTAINER_IMAGE", "AWS::ECR::ContainerImage"),
    ("AWS_ECR_REPOSITORY", "AWS::ECR::Repository"),
    ("AWS_LAMBDA_FUNCTION", "AWS::Lambda::Function"),
    ("AwsAccount", "AWS::::Account"),
    ("AwsCloudTrailTrail", "AWS::CloudTrail::Trail"),
    ("AwsEc2Instance", "AWS::EC2::Instance"),
    ("AwsEc2NetworkAcl", "AWS::EC2::NetworkAcl"),
    ("AwsEc2SecurityGroup", "AWS::EC2::SecurityGroup"),
    ("AwsEc2Subnet", "AWS::EC2::Subnet"),
    ("AwsEc2Volume", "AWS::EC2::Volume"),
    ("AwsEc2Vpc", "AWS::EC2::VPC"),
    ("AwsEcrContainerImage", "AWS::ECR::ContainerImage"),
    ("AwsEcrRepository", "AWS::ECR::Repository"),
    ("AwsEcsCluster", "AWS::ECS::Cluster"),
    ("AwsEcsTaskDefinition", "AWS::ECS::TaskDefinition"),
    ("AwsEksCluster", "AWS::EKS::Cluster"),
    ("AwsIamAccessKey", "AWS::IAM::AccessKey"),
    ("AwsIamPolicy", "AWS::IAM::Policy"),
    ("AwsIamRole", "AWS::IAM::Role"),
    ("AwsIamUser", "AWS::IAM::User"),
    ("AwsKmsKey", "AWS::KMS::Key"),
    ("AwsLambdaFunction", "AWS::Lambda::Function"),
    ("AwsRdsDbCluster", "AWS::RDS::DBCluster"),
    ("AwsRdsDbInstance", "AWS::RDS::DBInstance"),
    ("AwsS3Bucket", "AWS::S3::Bucket"),
    ("AwsSecretsManagerSecret", "AWS::SecretsManager::Secret"),
    ("AwsSnsTopic", "AWS::SNS::Topic"),
    ("AwsSqsQueue", "AWS::SQS::Queue"),
];

impl Enricher {
    /// Adds names and meaning to a finding.
    #[must_use]
    pub fn enrich_finding<'a>(&'a self, finding: &'a Finding<'a>) -> EnrichedFinding<'a> {
        let resource = finding.resources.first();
        let resource_id = resource.map_or(UNKNOWN, |resource| &*resource.id);
        let resource_arn = Some(resource_id).filter(|id| id.starts_with("arn:"));
        let kind = resource.map(|resource| &*resource.kind).filter(|kind| !kind.is_empty());
        let resource_type = kind.map_or(Cow::Borrowed(UNKNOWN), type_of);
        let arns = [resource_arn, Some(&*finding.id)].map(|arn| arn.map(Cow::Borrowed));
        let [of_resource, own] = &arns;
        let region = finding.shown_region();
        EnrichedFinding {
            account: self.account_of(&finding.account, &finding.tags),
            partition: partition::of([of_resource.as_ref(), own.as_ref()], region),
            region: region.unwrap_or(UNKNOWN),
            service: service(resource_arn, &resource_type),
            resource_type,
            resource_id,
            resource_arn,
            day: self.calendar.day(finding.updated_ms),
        }
    }

    /// The account and the day of an insight's results.
    #[must_use]
    pub fn enrich_insight<'a>(&'a self, insight: &'a InsightResults<'a>) -> (AccountName<'a>, Day) {
        (self.account(&insight.account), self.calendar.day(insight.time_ms))
    }
}

fn type_of(kind: &str) -> Cow<'_, str> {
    let known = TYPES.binary_search_by_key(&kind, |(other, _)| other).ok().and_then(|place| TYPES.get(place));
    Cow::Borrowed(known.map_or(kind, |(_, kind)| kind))
}

/// The service in the ARN, else in the type.
fn service<'a>(arn: Option<&'a str>, kind: &str) -> Cow<'a, str> {
    if let Some(service) = arn.and_then(|arn| arn.split(':').nth(2)).filter(|service| !service.is_empty()) {
        return Cow::Borrowed(service);
    }
    let word = kind.strip_prefix("AWS::").and_then(|rest| rest.split("::").find(|part| !part.is_empty()));
    word.map_or(Cow::Borrowed(UNKNOWN), |word| Cow::Owned(word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_so_that_they_are_found() {
        assert!(TYPES.is_sorted());
        assert_eq!(type_of("AwsS3Bucket"), "AWS::S3::Bucket");
        assert_eq!(type_of("AwsSomethingNew"), "AwsSomethingNew");
        assert_eq!(type_of("AWS::S3::Bucket"), "AWS::S3::Bucket");
    }

    #[test]
    fn the_service_comes_from_the_arn_else_from_the_type() {
        for (arn, kind, want) in [
            (Some("arn:aws:s3:::ledger"), "Other", "s3"),
            (None, "AWS::EC2::Instance", "ec2"),
            (None, "AWS::::Account", "account"),
            (None, "Other", "unknown"),
        ] {
            assert_eq!(service(arn, kind), want, "{arn:?} {kind}");
        }
    }
}
