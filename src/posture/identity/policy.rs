//! How much a policy allows: whether it is over-broad, and why.
//!
//! In: a document, or the ARN of a policy of AWS's own. Out: [`Breadth`], which adds up over all policies of an identity. What always
//! holds: a document that cannot be read is *unknown*, never narrow; one that denies everything makes all others void; a statement
//! with a condition is told apart from one without: what the condition asks for is not judged.
//!
//! | word | holds when |
//! | --- | --- |
//! | `administratorAccess` `powerUserAccess` `iamFullAccess` | AWS's policy of that name is attached |
//! | `allActions` | a statement allows every action on every resource |
//! | `allButActions` | a statement allows all actions but some (`NotAction`) on every resource |
//! | `allButResources` | a statement allows every action on all resources but some (`NotResource`) |
//! | `iamFull` | a statement allows every action of IAM on every resource, or on all of the account's IAM |
//! | the same with `UnderCondition` behind it | the same, under a condition |
//!
//! What is not judged: partial denials, service control policies, and ways to more rights that take several narrow ones.

use std::ops::BitOrAssign;

use super::document::{Scope, Statement, statements};
use crate::record::Glob;

/// Why something is over-broad; the order is that of the words in rows.
const WORDS: [(Why, &str, &str); 7] = [
    (Why::ADMINISTRATOR, "administratorAccess", "administratorAccess"),
    (Why::POWER_USER, "powerUserAccess", "powerUserAccess"),
    (Why::IAM_FULL_ACCESS, "iamFullAccess", "iamFullAccess"),
    (Why::ALL_ACTIONS, "allActions", "allActionsUnderCondition"),
    (Why::ALL_BUT_ACTIONS, "allButActions", "allButActionsUnderCondition"),
    (Why::ALL_BUT_RESOURCES, "allButResources", "allButResourcesUnderCondition"),
    (Why::IAM_FULL, "iamFull", "iamFullUnderCondition"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Why(u8);

impl Why {
    const ADMINISTRATOR: Self = Self(1);
    const POWER_USER: Self = Self(1 << 1);
    const IAM_FULL_ACCESS: Self = Self(1 << 2);
    const ALL_ACTIONS: Self = Self(1 << 3);
    const ALL_BUT_ACTIONS: Self = Self(1 << 4);
    const ALL_BUT_RESOURCES: Self = Self(1 << 5);
    const IAM_FULL: Self = Self(1 << 6);
}

/// What policies allow together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breadth {
    /// Why it is over-broad, without a condition.
    firm: u8,
    /// Why it is over-broad, under a condition.
    conditional: u8,
    /// Everything is denied.
    denies_all: bool,
    /// Something could not be read.
    unreadable: bool,
}

impl BitOrAssign for Breadth {
    fn bitor_assign(&mut self, other: Self) {
        self.firm |= other.firm;
        self.conditional |= other.conditional;
        self.denies_all |= other.denies_all;
        self.unreadable |= other.unreadable;
    }
}

impl Breadth {
    /// Of something that could not be read.
    pub(super) const UNKNOWN: Self = Self { firm: 0, conditional: 0, denies_all: false, unreadable: true };

    /// Whether it is over-broad; `None`: nothing that was read is, and not everything was read.
    #[must_use]
    pub fn is_over_broad(self) -> Option<bool> {
        match (self.denies_all, self.firm | self.conditional != 0, self.unreadable) {
            (true, ..) => Some(false),
            (false, true, _) => Some(true),
            (false, false, unreadable) => (!unreadable).then_some(false),
        }
    }

    /// Whether it is over-broad only under conditions.
    pub(super) fn is_only_conditional(self) -> bool {
        !self.denies_all && self.firm == 0 && self.conditional != 0
    }

    /// Why, in words; none when it is not over-broad.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        if self.denies_all {
            return Vec::new();
        }
        let firm = WORDS.iter().filter(|(why, ..)| self.firm & why.0 != 0).map(|(_, word, _)| *word);
        let conditional = WORDS.iter().filter(|(why, ..)| (self.conditional & !self.firm) & why.0 != 0);
        firm.chain(conditional.map(|(.., word)| *word)).collect()
    }

    fn firm(why: Why) -> Self {
        Self { firm: why.0, ..Self::default() }
    }
}

/// Policies of AWS's own that are over-broad, or that deny everything. All others of AWS's are narrower.
const OF_AWS: [(&str, Breadth); 4] = [
    ("AdministratorAccess", Breadth { firm: Why::ADMINISTRATOR.0, conditional: 0, denies_all: false, unreadable: false }),
    ("PowerUserAccess", Breadth { firm: Why::POWER_USER.0, conditional: 0, denies_all: false, unreadable: false }),
    ("IAMFullAccess", Breadth { firm: Why::IAM_FULL_ACCESS.0, conditional: 0, denies_all: false, unreadable: false }),
    ("AWSDenyAll", Breadth { firm: 0, conditional: 0, denies_all: true, unreadable: false }),
];

/// The breadth of a policy of AWS's own; `None`: it is not one.
pub(super) fn of_aws(arn: &str) -> Option<Breadth> {
    let (_, path) = arn.split_once(":iam::aws:policy/")?;
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(OF_AWS.iter().find(|(known, _)| *known == name).map_or_else(Breadth::default, |(_, breadth)| *breadth))
}

/// The breadth of a document in an account.
pub(super) fn of_document(document: &str, account: &str) -> Breadth {
    let Ok(statements) = statements(document) else { return Breadth::UNKNOWN };
    let mut breadth = Breadth::default();
    for statement in &statements {
        breadth |= of_statement(statement, account);
    }
    breadth
}

fn of_statement(statement: &Statement, account: &str) -> Breadth {
    // What grants to an identity names resources; a document without is none that IAM takes here.
    let Some(resources) = &statement.resources else { return Breadth::UNKNOWN };
    let found = match (&statement.actions, resources) {
        (Scope::Of(actions), Scope::Of(resources)) if covers_all(resources) => {
            if covers(actions, ANY_ACTION) {
                Breadth::firm(Why::ALL_ACTIONS)
            } else if covers(actions, IAM_ACTION) {
                Breadth::firm(Why::IAM_FULL)
            } else {
                Breadth::default()
            }
        }
        (Scope::Of(actions), Scope::Of(resources)) if covers(actions, IAM_ACTION) && covers_iam(resources, account) => {
            Breadth::firm(Why::IAM_FULL)
        }
        (Scope::Of(actions), Scope::AllBut(resources)) if covers(actions, ANY_ACTION) && !covers_all(resources) => {
            Breadth::firm(Why::ALL_BUT_RESOURCES)
        }
        (Scope::AllBut(actions), Scope::Of(resources)) if covers_all(resources) && !covers(actions, ANY_ACTION) => {
            Breadth::firm(Why::ALL_BUT_ACTIONS)
        }
        (Scope::AllBut(actions), Scope::AllBut(resources)) if !covers_all(resources) && !covers(actions, ANY_ACTION) => {
            let mut both = Breadth::firm(Why::ALL_BUT_ACTIONS);
            both |= Breadth::firm(Why::ALL_BUT_RESOURCES);
            both
        }
        _ => Breadth::default(),
    };
    match (statement.allows, statement.is_conditional) {
        (true, false) => found,
        (true, true) => Breadth { firm: 0, conditional: found.firm, ..found },
        // A denial under a condition, as "older sessions", leaves what the condition does not meet.
        (false, false) => Breadth { denies_all: found.firm & Why::ALL_ACTIONS.0 != 0, ..Breadth::default() },
        (false, true) => Breadth::default(),
    }
}

/// Stands for any action: a pattern that takes this one takes all, since no pattern has its letters.
const ANY_ACTION: &str = "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}:\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}";
/// Stands for any action of IAM.
const IAM_ACTION: &str = "iam:\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}";
/// Stands for any part of an ARN.
const ANY: &str = "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}";
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Whether one of these patterns takes the text. Case does not count in actions.
fn covers(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| Glob::new(&pattern.to_ascii_lowercase()).matches(text))
}

/// Whether every resource is among them: `*`, or an ARN that leaves everything open but the partition.
fn covers_all(resources: &[String]) -> bool {
    let partitions = PARTITIONS.iter().map(|partition| format!("arn:{partition}:{ANY}:{ANY}:{ANY}:{ANY}/{ANY}"));
    covers(resources, ANY) || partitions.into_iter().any(|arn| covers(resources, &arn))
}

/// Whether everything in the account's IAM is among them.
fn covers_iam(resources: &[String], account: &str) -> bool {
    PARTITIONS.iter().any(|partition| covers(resources, &format!("arn:{partition}:iam::{account}:{ANY}/{ANY}")))
}
