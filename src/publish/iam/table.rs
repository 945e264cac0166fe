//! Which permission is for what: the one table.
//!
//! In: nothing. Out: [`ROWS`], from a part of the configuration to actions and the form of their resources, and [`OPERATIONS`], from
//! a call of an SDK to the action that allows it. What always holds (tested): an action of a row allows some call, or is named in
//! [`BESIDE_CALLS`]; a call whose action no row has is free.
//!
//! Facts: IAM's service authorization reference of each service, and the S3 API's pages on permissions.

/// Who needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The agent itself: `run`.
    Agent,
    /// The role that the agent takes in other accounts.
    Role,
    /// Who looks after dead letters: `dlq list` and `dlq replay`.
    Letters,
}

/// The part of the configuration that a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Sources of kind `trailBucket`.
    Trail,
    /// Sources of kind `eventQueue`.
    Events,
    /// `posture` without an aggregator.
    Compliance,
    /// `posture.aggregator`.
    Aggregator,
    /// `posture.role`.
    TakenRole,
    /// `posture.identity`.
    Identity,
    /// `posture.identity.lastAccessed`.
    LastAccessed,
    /// `accounts.organizations`.
    Organizations,
    /// `accounts.organizations` where tags are asked for.
    AccountTags,
    /// `state.s3`.
    State,
    /// `deadLetters.s3`, `deadLetters.queue`.
    Letters,
}

impl Topic {
    /// Whether it is done in other accounts with the role, in the agent's own without.
    #[must_use]
    pub const fn is_taken_with_role(self) -> bool {
        matches!(self, Self::Compliance | Self::Identity | Self::LastAccessed)
    }
}

/// The form of the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The queues of the topic.
    Queue,
    /// The keys of those queues, by way of SQS alone.
    QueueKey,
    /// The buckets of the topic.
    Bucket,
    /// The objects of the topic in its buckets.
    Objects,
    /// The keys of those objects, by way of S3 alone.
    ObjectKey,
    /// The role, in each account.
    Roles,
    /// `*`, in the topic's Regions.
    Regions,
    /// `*`: the action knows no resources, or a global service's answer names them first.
    Anything,
}

/// One permission.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Who needs it.
    pub who: Who,
    /// For which part of the configuration.
    pub topic: Topic,
    /// Name of the statement, letters and digits.
    pub sid: &'static str,
    /// Actions.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: On,
    /// What for.
    pub why: &'static str,
}

const fn row(who: Who, topic: Topic, sid: &'static str, on: On, actions: &'static [&'static str], why: &'static str) -> Row {
    Row { who, topic, sid, actions, on, why }
}

const QUEUE: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
const OBJECTS: &[&str] = &["s3:GetObject", "s3:GetObjectVersion"];
const LIST: &[&str] = &["s3:ListBucket"];
const ACCOUNTS: &[&str] = &[
    "organizations:ListAccounts",
    "organizations:ListRoots",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListAccountsForParent",
];
const ACCOUNT_TAGS: &[&str] = &["organizations:ListTagsForResource"];
const DECRYPT: &[&str] = &["kms:Decrypt"];

/// Every permission.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Who::Agent, Topic::Trail, "TrailQueue", On::Queue, QUEUE, "takes notifications of new objects, and deletes one when all it names has arrived"),
    row(Who::Agent, Topic::Trail, "TrailObjects", On::Objects, OBJECTS, "reads the trail's objects; versions, where the bucket keeps them"),
    row(Who::Agent, Topic::Trail, "TrailBucket", On::Bucket, LIST, "learns that an object is gone, which S3 calls denied without it"),
    row(Who::Agent, Topic::Trail, "TrailQueueKey", On::QueueKey, DECRYPT, "only where the queue has a KMS key of its own"),
    row(Who::Agent, Topic::Trail, "TrailObjectKey", On::ObjectKey, DECRYPT, "only where the trail or its bucket has a KMS key of its own"),
    row(Who::Agent, Topic::Events, "EventQueue", On::Queue, QUEUE, "takes EventBridge events, and deletes one when it has arrived"),
    row(Who::Agent, Topic::Events, "ConfigObjects", On::Objects, OBJECTS, "reads configuration items that are too long for an event, and history files, in AWS Config's bucket"),
    row(Who::Agent, Topic::Events, "ConfigBucket", On::Bucket, LIST, "learns that such an object is gone"),
    row(Who::Agent, Topic::Events, "EventQueueKey", On::QueueKey, DECRYPT, "only where the queue has a KMS key of its own"),
    row(Who::Agent, Topic::Events, "ConfigObjectKey", On::ObjectKey, DECRYPT, "only where AWS Config's bucket has a KMS key of its own"),
    row(Who::Agent, Topic::Compliance, "ConfigRules", On::Regions, &[
        "config:DescribeConfigRules", "config:GetComplianceDetailsByConfigRule", "config:DescribeConfigRuleEvaluationStatus",
    ], "reads every rule of AWS Config, how it judges and whether it runs"),
    row(Who::Agent, Topic::Compliance, "ConformancePacks", On::Regions, &[
        "config:DescribeConformancePacks", "config:GetConformancePackComplianceSummary", "config:DescribeConformancePackCompliance",
    ], "reads conformance packs and how they stand"),
    row(Who::Agent, Topic::Aggregator, "ConfigAggregator", On::Regions, &[
        "config:DescribeAggregateComplianceByConfigRules", "config:GetAggregateComplianceDetailsByConfigRule",
        "config:SelectAggregateResourceConfig", "config:DescribeAggregateComplianceByConformancePacks",
    ], "reads the same of all accounts through the aggregator"),
    row(Who::Agent, Topic::TakenRole, "ReaderRole", On::Roles, &["sts:AssumeRole"], "takes the role that reads in each account"),
    row(Who::Agent, Topic::Identity, "IdentityInventory", On::Anything, &[
        "iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:GetAccountAuthorizationDetails",
    ], "lists IAM users, roles and keys, and who may take a role"),
    row(Who::Agent, Topic::LastAccessed, "IdentityLastAccessed", On::Anything, &[
        "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails",
    ], "counts the services that each user and role used"),
    row(Who::Agent, Topic::Organizations, "AccountNames", On::Anything, ACCOUNTS, "reads names and units of accounts"),
    row(Who::Agent, Topic::AccountTags, "AccountTags", On::Anything, ACCOUNT_TAGS, "reads owner and environment of accounts"),
    row(Who::Agent, Topic::State, "StateObjects", On::Objects, &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "keeps what is known between two records, and who leads"),
    row(Who::Agent, Topic::State, "StateBucket", On::Bucket, LIST, "finds what is there; a condition on the prefix would make a missing object a denied one"),
    row(Who::Agent, Topic::State, "StateKey", On::ObjectKey, &["kms:Decrypt", "kms:GenerateDataKey"], "only where the bucket has a KMS key of its own"),
    row(Who::Agent, Topic::Letters, "LetterObjects", On::Objects, &["s3:PutObject"], "writes dead letters"),
    row(Who::Agent, Topic::Letters, "LetterObjectKey", On::ObjectKey, &["kms:GenerateDataKey"], "only where the bucket has a KMS key of its own"),
    row(Who::Agent, Topic::Letters, "LetterQueue", On::Queue, &["sqs:SendMessage"], "writes dead letters"),
    row(Who::Agent, Topic::Letters, "LetterQueueKey", On::QueueKey, &["kms:GenerateDataKey", "kms:Decrypt"], "only where the queue has a KMS key of its own"),
    row(Who::Letters, Topic::Letters, "LetterBucketRead", On::Bucket, LIST, "finds dead letters"),
    row(Who::Letters, Topic::Letters, "LetterObjectsRead", On::Objects, &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "reads dead letters, and takes away those that were replayed"),
    row(Who::Letters, Topic::Letters, "LetterObjectKeyRead", On::ObjectKey, &["kms:Decrypt", "kms:GenerateDataKey"], "only where the bucket has a KMS key of its own"),
    row(Who::Letters, Topic::Letters, "LetterQueueRead", On::Queue, &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], "reads dead letters, and takes away those that were replayed"),
    row(Who::Letters, Topic::Letters, "LetterQueueKeyRead", On::QueueKey, DECRYPT, "only where the queue has a KMS key of its own"),
    row(Who::Letters, Topic::Trail, "TrailObjectsRead", On::Objects, OBJECTS, "reads again a whole object that a dead letter names"),
    row(Who::Letters, Topic::Trail, "TrailBucketRead", On::Bucket, LIST, "learns that such an object is gone"),
    row(Who::Letters, Topic::Trail, "TrailObjectKeyRead", On::ObjectKey, DECRYPT, "only where the trail or its bucket has a KMS key of its own"),
    row(Who::Letters, Topic::Events, "ConfigObjectsRead", On::Objects, OBJECTS, "reads again a whole file of AWS Config that a dead letter names"),
    row(Who::Letters, Topic::Events, "ConfigBucketRead", On::Bucket, LIST, "learns that such an object is gone"),
    row(Who::Letters, Topic::Events, "ConfigObjectKeyRead", On::ObjectKey, DECRYPT, "only where AWS Config's bucket has a KMS key of its own"),
    row(Who::Letters, Topic::Organizations, "AccountNamesRead", On::Anything, ACCOUNTS, "names what is replayed as the agent does, and mutes what it mutes"),
    row(Who::Letters, Topic::AccountTags, "AccountTagsRead", On::Anything, ACCOUNT_TAGS, "the same of owner and environment"),
];

/// Actions that no call of ours has the name of: S3 and SQS ask KMS, and a version in a read is an action of its own.
pub const BESIDE_CALLS: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey", "s3:GetObjectVersion"];

/// A call of an SDK, and what allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The method of the client.
    pub call: &'static str,
    /// The action; empty: AWS lets everybody.
    pub action: &'static str,
}

const fn call(call: &'static str, action: &'static str) -> Operation {
    Operation { call, action }
}

/// Every call that this crate makes. Batch calls are allowed by the action of the single one.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    call("receive_message", "sqs:ReceiveMessage"),
    call("delete_message_batch", "sqs:DeleteMessage"),
    call("change_message_visibility_batch", "sqs:ChangeMessageVisibility"),
    call("get_queue_attributes", "sqs:GetQueueAttributes"),
    call("send_message_batch", "sqs:SendMessage"),
    call("get_object", "s3:GetObject"),
    call("put_object", "s3:PutObject"),
    call("delete_object", "s3:DeleteObject"),
    call("list_objects_v2", "s3:ListBucket"),
    call("get_caller_identity", ""),
    call("assume_role", "sts:AssumeRole"),
    call("describe_config_rules", "config:DescribeConfigRules"),
    call("get_compliance_details_by_config_rule", "config:GetComplianceDetailsByConfigRule"),
    call("describe_config_rule_evaluation_status", "config:DescribeConfigRuleEvaluationStatus"),
    call("describe_conformance_packs", "config:DescribeConformancePacks"),
    call("get_conformance_pack_compliance_summary", "config:GetConformancePackComplianceSummary"),
    call("describe_conformance_pack_compliance", "config:DescribeConformancePackCompliance"),
    call("describe_aggregate_compliance_by_config_rules", "config:DescribeAggregateComplianceByConfigRules"),
    call("get_aggregate_compliance_details_by_config_rule", "config:GetAggregateComplianceDetailsByConfigRule"),
    call("select_aggregate_resource_config", "config:SelectAggregateResourceConfig"),
    call("describe_aggregate_compliance_by_conformance_packs", "config:DescribeAggregateComplianceByConformancePacks"),
    call("generate_credential_report", "iam:GenerateCredentialReport"),
    call("get_credential_report", "iam:GetCredentialReport"),
    call("get_account_authorization_details", "iam:GetAccountAuthorizationDetails"),
    call("generate_service_last_accessed_details", "iam:GenerateServiceLastAccessedDetails"),
    call("get_service_last_accessed_details", "iam:GetServiceLastAccessedDetails"),
    call("list_accounts", "organizations:ListAccounts"),
    call("list_roots", "organizations:ListRoots"),
    call("list_organizational_units_for_parent", "organizations:ListOrganizationalUnitsForParent"),
    call("list_accounts_for_parent", "organizations:ListAccountsForParent"),
    call("list_tags_for_resource", "organizations:ListTagsForResource"),
];
