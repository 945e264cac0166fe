//! Who may take a role.
//!
//! In: the role's trust policy. Out: kinds of principals, the widest first, the accounts among them, and what that says of who uses
//! the role. What always holds: a document that cannot be read is *unknown*; what only denies, or only tags sessions, lets nobody in.
//!
//! | word | who |
//! | --- | --- |
//! | `anyone` | every AWS account, without a condition |
//! | `anyoneUnderCondition` | every AWS account that meets a condition, which is not judged |
//! | `otherAccount` | an account that is not the role's own, or somebody in it |
//! | `oidc` `saml` | users of an identity provider |
//! | `sameAccount` | the role's own account, or somebody in it |
//! | `awsService` | a service of AWS's |
//! | `unknown` | a principal of another form, as one that was deleted; or a document that cannot be read |

use std::collections::BTreeSet;

use super::document::{Principals, Scope, Statement, statements};
use crate::record::trail::is_account_id;
use crate::record::{ActorKind, Glob, actor};

/// A kind of principals, the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustKind {
    /// Every AWS account.
    Anyone,
    /// Every AWS account, under a condition.
    AnyoneUnderCondition,
    /// Another account.
    OtherAccount,
    /// An OIDC provider.
    Oidc,
    /// A SAML provider.
    Saml,
    /// The role's own account.
    SameAccount,
    /// A service of AWS's.
    AwsService,
    /// Something else.
    Unknown,
}

impl TrustKind {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::AnyoneUnderCondition => "anyoneUnderCondition",
            Self::OtherAccount => "otherAccount",
            Self::Oidc => "oidc",
            Self::Saml => "saml",
            Self::SameAccount => "sameAccount",
            Self::AwsService => "awsService",
            Self::Unknown => "unknown",
        }
    }
}

/// Who may take a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Every kind, the widest first; empty: nobody.
    pub kinds: BTreeSet<TrustKind>,
    /// Other accounts, by id.
    pub accounts: BTreeSet<Box<str>>,
    /// An OIDC provider is trusted whomever it speaks for.
    pub oidc_without_condition: bool,
    /// What stands behind each of them, as far as it says.
    pub(super) actors: BTreeSet<ActorKind>,
}

/// Ways in; what else a trust policy may allow (tags, a source identity) goes along with one of them.
const WAYS_IN: [&str; 3] = ["sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"];

/// Services that run programs of the customer's with the role.
const RUNNERS: [&str; 16] = [
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "edgelambda.amazonaws.com",
    "glue.amazonaws.com",
    "sagemaker.amazonaws.com",
    "batch.amazonaws.com",
    "states.amazonaws.com",
    "tasks.apprunner.amazonaws.com",
    "elasticmapreduce.amazonaws.com",
    "emr-serverless.amazonaws.com",
    "ssm.amazonaws.com",
    "rolesanywhere.amazonaws.com",
    "airflow-env.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
];

/// Services that run the customer's delivery pipelines.
const PIPELINES: [&str; 2] = ["codebuild.amazonaws.com", "codepipeline.amazonaws.com"];

/// Reads a trust policy of a role in `account`.
pub(super) fn of_document(document: &str, account: &str) -> Trust {
    let mut trust = Trust::default();
    let Ok(statements) = statements(document) else {
        trust.kinds.insert(TrustKind::Unknown);
        return trust;
    };
    for statement in statements.iter().filter(|statement| statement.allows && lets_in(statement)) {
        trust.add(statement, account);
    }
    trust
}

fn lets_in(statement: &Statement) -> bool {
    let any = |patterns: &[String]| {
        let patterns: Vec<Glob> = patterns.iter().map(|pattern| Glob::new(&pattern.to_ascii_lowercase())).collect();
        move |way: &str| patterns.iter().any(|pattern| pattern.matches(way))
    };
    match &statement.actions {
        Scope::Of(actions) => WAYS_IN.into_iter().any(any(actions)),
        Scope::AllBut(actions) => !WAYS_IN.into_iter().all(any(actions)),
    }
}

impl Trust {
    fn add(&mut self, statement: &Statement, account: &str) {
        if statement.is_for_all_but {
            // All but some: that is everybody.
            return self.anyone(statement.is_conditional);
        }
        match &statement.principals {
            Some(Principals::Word(word)) if word == "*" => self.anyone(statement.is_conditional),
            Some(Principals::Types(types)) => {
                for (kind, who) in types {
                    for who in &who.0 {
                        match kind.to_ascii_lowercase().as_str() {
                            "aws" if who == "*" => self.anyone(statement.is_conditional),
                            "aws" => self.aws(who, account),
                            "service" => self.service(who),
                            "federated" => self.federated(who, statement.is_conditional),
                            _ => self.unknown(),
                        }
                    }
                }
            }
            Some(Principals::Word(_)) | None => self.unknown(),
        }
    }

    fn anyone(&mut self, is_conditional: bool) {
        self.kinds.insert(if is_conditional { TrustKind::AnyoneUnderCondition } else { TrustKind::Anyone });
        self.actors.insert(ActorKind::Unknown);
    }

    fn unknown(&mut self) {
        self.kinds.insert(TrustKind::Unknown);
        self.actors.insert(ActorKind::Unknown);
    }

    /// An account id, or the ARN of an account, a user, a role or a session.
    fn aws(&mut self, who: &str, account: &str) {
        let id = if is_account_id(who) {
            Some(who)
        } else {
            let mut parts = who.split(':');
            let service = (parts.next() == Some("arn")).then(|| parts.nth(1)).flatten();
            let id = parts.nth(1);
            id.filter(|id| matches!(service, Some("iam" | "sts")) && is_account_id(id))
        };
        match id {
            // An id as `AROA…` stands for somebody who was deleted.
            None => return self.unknown(),
            Some(id) if id == account => self.kinds.insert(TrustKind::SameAccount),
            Some(id) => {
                self.accounts.insert(id.into());
                self.kinds.insert(TrustKind::OtherAccount)
            }
        };
        self.actors.insert(ActorKind::Unknown);
    }

    fn service(&mut self, who: &str) {
        // In China some end `.amazonaws.com.cn`, and some have a Region in them.
        let name = who.strip_suffix(".cn").unwrap_or(who);
        self.kinds.insert(TrustKind::AwsService);
        self.actors.insert(if RUNNERS.contains(&name) {
            ActorKind::Workload
        } else if PIPELINES.contains(&name) {
            ActorKind::Ci
        } else {
            ActorKind::AwsService
        });
    }

    fn federated(&mut self, who: &str, is_conditional: bool) {
        if who.contains(":saml-provider/") {
            self.kinds.insert(TrustKind::Saml);
            self.actors.insert(ActorKind::Federated);
            return;
        }
        let is_provider = who.contains(":oidc-provider/") || !who.contains(':') && who.contains('.');
        if !is_provider {
            return self.unknown();
        }
        self.kinds.insert(TrustKind::Oidc);
        self.oidc_without_condition |= !is_conditional;
        let host = who.split_once(":oidc-provider/").map_or(who, |(_, host)| host);
        self.actors.insert(if actor::is_pipeline_provider(host) {
            ActorKind::Ci
        } else if actor::is_eks_issuer(host) {
            ActorKind::Workload
        } else {
            ActorKind::Federated
        });
    }

    /// What stands behind the role, where all who may take it say the same.
    pub(super) fn actor(&self) -> ActorKind {
        let mut actors = self.actors.iter();
        match (actors.next(), actors.next()) {
            (Some(only), None) => *only,
            _ => ActorKind::Unknown,
        }
    }
}
