//! The least-privilege IAM policy of a configuration.
//!
//! In: a valid configuration. Out: policy documents for the agent, for the role that it takes in other accounts, and for who looks
//! after dead letters. What always holds: every action stands in one table ([`ROWS`]) with the reason for it; every call of an AWS
//! SDK has a row in [`OPERATIONS`] (tested); no document is larger than a managed policy may be. It asks nobody: where the
//! configuration does not say which bucket or key, the statement is bounded by path, Region or service instead.

mod places;
mod table;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use table::{BESIDE_CALLS, OPERATIONS, On, Operation, ROWS, Row, Topic, Who};

use crate::config::Config;
use places::Places;

/// Most characters of a managed policy; white space does not count. [IAM user guide, "IAM and AWS STS quotas"]
pub const POLICY_CHARS: usize = 6_144;

/// Most characters of one statement: room for the document around it.
const STATEMENT_CHARS: usize = POLICY_CHARS - 100;

/// One statement, and why it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Letters and digits.
    pub sid: String,
    /// As `sqs:ReceiveMessage`.
    pub actions: Vec<&'static str>,
    /// ARNs, or `*`; never empty.
    pub resources: Vec<String>,
    /// Operator, key and values, if there is a condition.
    pub condition: Option<(&'static str, &'static str, Vec<String>)>,
    /// What the agent does with it.
    pub why: &'static str,
}

impl Statement {
    /// As IAM reads it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut statement = json!({ "Sid": self.sid, "Effect": "Allow", "Action": self.actions, "Resource": self.resources });
        if let (Some((operator, key, values)), Some(fields)) = (&self.condition, statement.as_object_mut()) {
            fields.insert("Condition".to_owned(), json!({ *operator: { *key: values } }));
        }
        statement
    }

    fn chars(&self) -> usize {
        self.json().to_string().chars().count()
    }
}

/// The statements that `who` needs with this configuration, in the order of the table. Empty: nothing is needed.
#[must_use]
pub fn statements(config: &Config, who: Who) -> Vec<Statement> {
    let places = Places::of(config);
    let rows = ROWS.iter().filter(|row| row.who == who || who == Who::Role && row.topic.is_taken_with_role());
    rows.filter_map(|row| {
        // Without dead letters there is nothing to look after.
        if who == Who::Role && !places.takes_role(row.topic) || who == Who::Letters && config.dead_letters.is_none() {
            return None;
        }
        let (resources, condition) = places.ground(row)?;
        Some(Statement { sid: row.sid.to_owned(), actions: row.actions.to_vec(), resources, condition, why: row.why })
    })
    .collect()
}

/// Names of the files of policies, without number and end, and whose they are.
pub const FILES: [(&str, Who); 3] =
    [("iam-policy", Who::Agent), ("iam-role-policy", Who::Role), ("iam-letters-policy", Who::Letters)];

/// One policy, within [`POLICY_CHARS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name of its file, as `iam-policy.json`; what was too long for one policy goes on in `iam-policy-2.json`.
    pub file: String,
    /// Whose it is.
    pub who: Who,
    /// Never empty.
    pub statements: Vec<Statement>,
}

impl Policy {
    /// As IAM reads it.
    #[must_use]
    pub fn json(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::json).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

/// Every policy that a configuration needs, in the order of [`FILES`]; none if it asks AWS for nothing.
#[must_use]
pub fn policies(config: &Config) -> Vec<Policy> {
    let of = |(stem, who): (&str, Who)| {
        let parts = (1..).zip(split(&statements(config, who)));
        let named = parts.map(|(number, statements)| {
            let file = if number == 1 { format!("{stem}.json") } else { format!("{stem}-{number}.json") };
            Policy { file, who, statements }
        });
        named.collect::<Vec<_>>()
    };
    FILES.into_iter().flat_map(of).collect()
}

/// The statements of each document that they fill. A statement of too many resources becomes several.
fn split(statements: &[Statement]) -> Vec<Vec<Statement>> {
    let mut documents: Vec<Vec<Statement>> = Vec::new();
    for statement in statements.iter().flat_map(parts) {
        let room = |held: &Vec<Statement>| held.iter().map(|one| one.chars() + 1).sum::<usize>() + statement.chars();
        match documents.last_mut().filter(|held| room(held) <= STATEMENT_CHARS) {
            Some(held) => held.push(statement),
            None => documents.push(vec![statement]),
        }
    }
    documents
}

/// A statement, or several that together say the same and each fit into a document.
fn parts(statement: &Statement) -> Vec<Statement> {
    if statement.chars() <= STATEMENT_CHARS {
        return vec![statement.clone()];
    }
    let mut parts: Vec<Statement> = Vec::new();
    for resource in &statement.resources {
        let fits = |part: &Statement| part.chars() + resource.chars().count() + 3 <= STATEMENT_CHARS;
        if let Some(part) = parts.last_mut().filter(|part| fits(part)) {
            part.resources.push(resource.clone());
        } else {
            let sid = format!("{}{}", statement.sid, parts.len() + 1);
            parts.push(Statement { sid, resources: vec![resource.clone()], ..statement.clone() });
        }
    }
    parts
}
