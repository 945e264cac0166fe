//! What a call was done to (`resource.type`, `resource.id`, `resource.arn`).
//!
//! In: `resources[]` of a record, else the value the call table names. Out: one resource. Of several in `resources[]` the one of
//! the event's own service and of the record's account, the first of equals; never the role the caller uses, unless the call is
//! about roles. `unknown` where the record names none. Never looks at free text.

use std::borrow::Cow;

use serde::Deserialize;

use super::UNKNOWN;
use crate::record::{Actor, Text, Trail};

/// What a call was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<'a> {
    /// `AWS::S3::Bucket`; `unknown` when the record names none or AWS gives its kind no name.
    pub kind: Cow<'a, str>,
    /// Name or id: of an ARN what follows the type; several as `|a|b|`; `unknown` when the record names none.
    pub id: Cow<'a, str>,
    /// The ARN, if the record has it.
    pub arn: Option<Cow<'a, str>>,
}

/// An item of `resources[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Text<'a>,
    #[serde(rename = "ARN", alias = "arn", borrow, default)]
    arn: Text<'a>,
    #[serde(borrow, default)]
    account_id: Text<'a>,
}

pub(super) fn of<'a>(
    trail: &Trail<'a>,
    source: &str,
    account_id: &str,
    actor: &Actor<'_>,
    parameter: Option<(&'static str, Cow<'a, str>)>,
) -> Resource<'a> {
    listed(trail, source, account_id, actor)
        .or_else(|| parameter.map(|(kind, value)| by_parameter(kind, value)))
        .unwrap_or(Resource { kind: Cow::Borrowed(UNKNOWN), id: Cow::Borrowed(UNKNOWN), arn: None })
}

fn listed<'a>(trail: &Trail<'a>, source: &str, account_id: &str, actor: &Actor<'_>) -> Option<Resource<'a>> {
    // An item of another shape spoils the list: the call's parameters decide then.
    let items: Vec<Item<'a>> = serde_json::from_str(trail.resources?.get()).ok()?;
    let service = source.split('.').next().unwrap_or_default();
    let about_roles = matches!(service, "iam" | "sts");
    let mut best: Option<(u8, Item<'a>)> = None;
    for item in items {
        let text = item.arn.or_empty();
        let callers_own = actor.session_issuer.as_deref() == Some(text) && !about_roles;
        if text.is_empty() || callers_own {
            continue;
        }
        let arn = Arn::parse(text);
        // S3's ARNs carry no account and its objects no accountId: absent counts as the record's own.
        let account = item.account_id.get().or(arn.map(|arn| arn.account)).unwrap_or_default();
        let own_account = account.is_empty() || account == account_id;
        let own_service = arn.is_some_and(|arn| arn.service == service);
        let score = u8::from(own_service) * 2 + u8::from(own_account);
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            best = Some((score, item));
        }
    }
    let (_, item) = best?;
    let arn = item.arn.into_cow()?;
    let kind = item.kind.into_cow().filter(|kind| !kind.is_empty());
    Some(Resource { kind: kind.unwrap_or_else(|| Cow::Borrowed(kind_of(&arn))), id: id_of(&arn), arn: Some(arn) })
}

fn by_parameter<'a>(kind: &'static str, value: Cow<'a, str>) -> Resource<'a> {
    if Arn::parse(&value).is_none() {
        return Resource { kind: Cow::Borrowed(kind), id: value, arn: None };
    }
    Resource { kind: Cow::Borrowed(kind), id: id_of(&value), arn: Some(value) }
}

/// The parts of an ARN that matter here.
#[derive(Debug, Clone, Copy)]
struct Arn<'a> {
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let (_partition, service) = (parts.next()?, parts.next()?);
        let (_region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        (!resource.is_empty()).then_some(Self { service, account, resource })
    }

    /// What names the resource among those of its type.
    fn id(self) -> &'a str {
        let Some((_, prefix, _)) = KINDS.iter().find(|row| self.is(row)) else {
            return self.resource;
        };
        let rest = self.resource.strip_prefix(prefix).unwrap_or_default();
        // IAM names carry a path: role/aws-service-role/…/<name>.
        let id = if self.service == "iam" { rest.rsplit('/').next().unwrap_or_default() } else { rest };
        if id.is_empty() { self.resource } else { id }
    }

    fn is(self, (service, prefix, _): &(&str, &str, &str)) -> bool {
        self.service == *service && self.resource.starts_with(prefix)
    }
}

/// Kinds by ARN: service, how the resource part starts, and the kind's name. An empty start matches what no row before it did.
/// Source: ARN formats of the Service Authorization Reference, kinds of AWS Config's supported types, 2026-11.
const KINDS: [(&str, &str, &str); 46] = [
    ("iam", "role/", "AWS::IAM::Role"),
    ("iam", "user/", "AWS::IAM::User"),
    ("iam", "group/", "AWS::IAM::Group"),
    ("iam", "policy/", "AWS::IAM::Policy"),
    ("iam", "instance-profile/", "AWS::IAM::InstanceProfile"),
    ("iam", "saml-provider/", "AWS::IAM::SAMLProvider"),
    ("iam", "oidc-provider/", "AWS::IAM::OIDCProvider"),
    ("iam", "mfa/", "AWS::IAM::VirtualMFADevice"),
    ("kms", "key/", "AWS::KMS::Key"),
    ("kms", "alias/", "AWS::KMS::Alias"),
    ("ec2", "instance/", "AWS::EC2::Instance"),
    ("ec2", "security-group/", "AWS::EC2::SecurityGroup"),
    ("ec2", "vpc/", "AWS::EC2::VPC"),
    ("ec2", "subnet/", "AWS::EC2::Subnet"),
    ("ec2", "volume/", "AWS::EC2::Volume"),
    ("ec2", "snapshot/", "AWS::EC2::Snapshot"),
    ("ec2", "image/", "AWS::EC2::Image"),
    ("ec2", "network-interface/", "AWS::EC2::NetworkInterface"),
    ("ssm", "parameter", "AWS::SSM::Parameter"),
    ("ssm", "document/", "AWS::SSM::Document"),
    ("ssm", "association/", "AWS::SSM::Association"),
    ("ssm", "managed-instance-inventory/", "AWS::SSM::ManagedInstanceInventory"),
    ("lambda", "function:", "AWS::Lambda::Function"),
    ("lambda", "layer:", "AWS::Lambda::LayerVersion"),
    ("rds", "db:", "AWS::RDS::DBInstance"),
    ("rds", "cluster:", "AWS::RDS::DBCluster"),
    ("rds", "snapshot:", "AWS::RDS::DBSnapshot"),
    ("rds", "cluster-snapshot:", "AWS::RDS::DBClusterSnapshot"),
    ("secretsmanager", "secret:", "AWS::SecretsManager::Secret"),
    ("cloudtrail", "trail/", "AWS::CloudTrail::Trail"),
    ("cloudtrail", "eventdatastore/", "AWS::CloudTrail::EventDataStore"),
    ("dynamodb", "table/", "AWS::DynamoDB::Table"),
    ("logs", "log-group:", "AWS::Logs::LogGroup"),
    ("ecs", "cluster/", "AWS::ECS::Cluster"),
    ("ecs", "service/", "AWS::ECS::Service"),
    ("ecs", "task-definition/", "AWS::ECS::TaskDefinition"),
    ("eks", "cluster/", "AWS::EKS::Cluster"),
    ("ecr", "repository/", "AWS::ECR::Repository"),
    ("guardduty", "detector/", "AWS::GuardDuty::Detector"),
    ("cloudformation", "stack/", "AWS::CloudFormation::Stack"),
    ("organizations", "account/", "AWS::Organizations::Account"),
    ("organizations", "ou/", "AWS::Organizations::OrganizationalUnit"),
    ("organizations", "policy/", "AWS::Organizations::Policy"),
    ("sns", "", "AWS::SNS::Topic"),
    ("sqs", "", "AWS::SQS::Queue"),
    ("s3", "", "AWS::S3::Bucket"),
];

fn kind_of(arn: &str) -> &'static str {
    let Some(arn) = Arn::parse(arn) else {
        return UNKNOWN;
    };
    match KINDS.iter().find(|row| arn.is(row)) {
        // A bucket's ARN is its name alone; what follows a slash is an object's key.
        Some((_, _, "AWS::S3::Bucket")) if arn.resource.contains('/') => "AWS::S3::Object",
        Some((_, _, kind)) => kind,
        None => UNKNOWN,
    }
}

/// The id within an ARN; the text itself if it is none.
fn id_of<'a>(arn: &Cow<'a, str>) -> Cow<'a, str> {
    let id = |text| Arn::parse(text).map_or(text, Arn::id);
    match arn {
        Cow::Borrowed(text) => Cow::Borrowed(id(text)),
        Cow::Owned(text) => Cow::Owned(Arn::parse(text).map_or(text.as_str(), Arn::id).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_give_kind_and_id() {
        for (arn, kind, id) in [
            ("arn:aws:s3:::ledger", "AWS::S3::Bucket", "ledger"),
            ("arn:aws:s3:::ledger/2026/a b.csv", "AWS::S3::Object", "ledger/2026/a b.csv"),
            (
                "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
                "AWS::IAM::Role",
                "AWSServiceRoleForX",
            ),
            ("arn:aws-cn:iam::111122223333:user/ada", "AWS::IAM::User", "ada"),
            ("arn:aws:kms:eu-west-1:111122223333:key/0e5d", "AWS::KMS::Key", "0e5d"),
            ("arn:aws:ssm:eu-west-1:111122223333:parameter/credentials/x", "AWS::SSM::Parameter", "/credentials/x"),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf", "AWS::SecretsManager::Secret", "db-AbCdEf"),
            ("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x:*", "AWS::Logs::LogGroup", "/aws/x:*"),
            ("arn:aws:sqs:eu-west-1:111122223333:jobs", "AWS::SQS::Queue", "jobs"),
            ("arn:aws:new:eu-west-1:111122223333:thing/7", "unknown", "thing/7"),
            ("arn:aws:iam::111122223333:role/", "AWS::IAM::Role", "role/"),
            ("no arn", "unknown", "no arn"),
            ("arn:aws:s3", "unknown", "arn:aws:s3"),
        ] {
            assert_eq!((kind_of(arn), &*id_of(&Cow::Borrowed(arn))), (kind, id), "{arn}");
        }
    }
}
