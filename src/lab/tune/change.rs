//! What can be changed so that less is told.
//!
//! In: a condition, a change. Out: the condition as it would be; for an exclusion a query that leaves out the rows which an exception
//! would keep from being sent. What always holds: a query is changed as a tree, never as text, so that no name of an actor can become
//! NRQL; what cannot be changed so stays as it is.

use std::fmt;

use crate::nrql::ast::{BinaryOp, Expr, ExprKind, IsWhat, Query, Source, Span};
use crate::nrql::condition::{Condition, Occurrences, Priority};
use crate::nrql::{self, Statement};

/// Rows that exceptions keep from being sent: the notices, and the detections of rules.
const NOTICE: &str = "AwsSecurityNotice";
const EVENT: &str = "AwsSecurityEvent";

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new entry of the exceptions file.
    Exclude(Exclusion),
    /// An edit of a condition.
    Edit {
        /// Its id.
        condition: String,
        /// What of it.
        edit: Edit,
    },
}

/// A control muted for somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exclusion {
    /// `control.id`.
    pub control: String,
    /// For whom.
    pub muted: Muted,
}

/// For whom a control is muted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Muted {
    /// An actor by ARN.
    Actor(String),
    /// Everybody who uses a role, by its ARN.
    Role(String),
    /// Whoever comes from an address.
    Address(String),
    /// Everybody in an account.
    Account(String),
    /// Everybody: the rule tells nothing any more.
    Everybody,
}

/// An edit of a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edit {
    /// `threshold` of the critical term.
    Threshold {
        /// As it is.
        from: f64,
        /// As it would be.
        to: f64,
    },
    /// `thresholdDuration` of the critical term, s.
    Duration {
        /// As it is.
        from: u32,
        /// As it would be.
        to: u32,
    },
    /// `expirationDuration`, s: what comes again within this time joins the incident.
    Join {
        /// As it is.
        from: u32,
        /// As it would be.
        to: u32,
    },
    /// The only critical term becomes a warning: nobody is paged.
    Warn,
    /// `enabled: false`.
    Off,
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exclude(exclusion) => write!(out, "except {exclusion}"),
            Self::Edit { condition, edit } => write!(out, "{condition}: {edit}"),
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.control, self.muted)
    }
}

impl fmt::Display for Muted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(name) => write!(out, "by {name}"),
            Self::Role(arn) => write!(out, "by all with {arn}"),
            Self::Address(address) => write!(out, "from {address}"),
            Self::Account(id) => write!(out, "in {id}"),
            Self::Everybody => write!(out, "for everybody"),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold { from, to } => write!(out, "threshold {from} → {to}"),
            Self::Duration { from, to } => write!(out, "duration {from} s → {to} s"),
            Self::Join { from, to } => write!(out, "joins the incident within {from} s → {to} s"),
            Self::Warn => write!(out, "critical → warning"),
            Self::Off => write!(out, "off"),
        }
    }
}

impl Edit {
    /// The condition as it would be; [`Edit::Off`] changes nothing in it.
    #[must_use]
    pub fn apply(self, condition: &Condition) -> Condition {
        let mut edited = condition.clone();
        let critical = edited.terms.iter_mut().find(|term| term.priority == Priority::Critical);
        match self {
            Self::Threshold { to, .. } => {
                if let Some(term) = critical {
                    term.threshold = to;
                }
            }
            Self::Duration { to, .. } => {
                if let Some(term) = critical {
                    term.duration_s = to;
                }
            }
            Self::Warn => {
                if let Some(term) = critical {
                    term.priority = Priority::Warning;
                }
            }
            Self::Join { to, .. } => {
                if let Some(expiration) = &mut edited.expiration {
                    expiration.after_s = to;
                }
            }
            Self::Off => {}
        }
        edited
    }

    /// The same edit of this condition, whatever it was said of.
    #[must_use]
    pub fn of(self, condition: &Condition) -> Self {
        let critical = condition.terms.iter().find(|term| term.priority == Priority::Critical);
        match self {
            Self::Threshold { from, to } => Self::Threshold { from: critical.map_or(from, |term| term.threshold), to },
            Self::Duration { from, to } => Self::Duration { from: critical.map_or(from, |term| term.duration_s), to },
            Self::Join { from, to } => {
                Self::Join { from: condition.expiration.map_or(from, |expiration| expiration.after_s), to }
            }
            Self::Warn | Self::Off => self,
        }
    }

    /// Whether a condition can be edited so without becoming another: a term that asks for every value can be asked for longer, one
    /// that asks for a single value cannot.
    pub(super) fn fits(self, condition: &Condition) -> bool {
        let critical = condition.terms.iter().find(|term| term.priority == Priority::Critical);
        match self {
            Self::Duration { .. } => critical.is_some_and(|term| term.occurrences == Occurrences::All),
            // An incident about a lost signal stays critical, whatever its terms are.
            Self::Warn => {
                let is_lost = condition.expiration.is_some_and(|expiration| expiration.opens);
                critical.is_some() && condition.terms.len() == 1 && !is_lost
            }
            Self::Threshold { .. } => critical.is_some(),
            Self::Join { .. } => condition.expiration.is_some_and(|expiration| expiration.closes),
            Self::Off => true,
        }
    }
}

/// A query without the rows that an exception would keep from being sent, as far as a row tells: a notice that also names another
/// control is left out too, though the agent would send it for that one. The same text where it cannot be read.
#[must_use]
pub fn restricted(text: &str, exclusion: &Exclusion) -> String {
    let Ok(Statement::Select(mut query)) = nrql::parse(text) else { return text.to_owned() };
    restrict(&mut query, exclusion);
    query.to_string()
}

fn restrict(query: &mut Query, exclusion: &Exclusion) {
    let mut is_read = false;
    for source in &mut query.from {
        match source {
            Source::Query(inner) => restrict(inner, exclusion),
            Source::Type(name) => is_read |= [NOTICE, EVENT].contains(&name.text.as_str()),
            _ => {}
        }
    }
    if is_read {
        query.conditions.push(stays(exclusion));
    }
}

/// What holds of a row that stays. Spelt without `NOT (…)`, which would lose rows that lack an attribute.
fn stays(exclusion: &Exclusion) -> Expr {
    // Detections name one control, notices all.
    let other_id = differs("control.id", &exclusion.control);
    let pattern = format!("%|{}|%", exclusion.control);
    let unlisted = expr(ExprKind::Like {
        value: Box::new(name("control.ids")),
        negated: true,
        pattern: Box::new(expr(ExprKind::Text(pattern))),
    });
    let other = either(both(other_id, is_null("control.ids")), both(unlisted, is_there("control.ids")));
    match &exclusion.muted {
        Muted::Everybody => other,
        Muted::Address(address) => either(other, differs("source.ip", address)),
        Muted::Account(id) => either(other, differs("aws.accountId", id)),
        Muted::Actor(actor) | Muted::Role(actor) => {
            let names = ["actor.name", "actor.arn", "actor.sessionIssuer"].map(|attribute| differs(attribute, actor));
            let nobody = names.into_iter().reduce(both);
            nobody.into_iter().fold(other, either)
        }
    }
}

/// Null, or another text.
fn differs(attribute: &str, text: &str) -> Expr {
    let unequal = binary(BinaryOp::NotEqual, name(attribute), expr(ExprKind::Text(text.to_owned())));
    either(is_null(attribute), unequal)
}

fn is_null(attribute: &str) -> Expr {
    expr(ExprKind::Is { value: Box::new(name(attribute)), negated: false, what: IsWhat::Null })
}

fn is_there(attribute: &str) -> Expr {
    expr(ExprKind::Is { value: Box::new(name(attribute)), negated: true, what: IsWhat::Null })
}

fn either(one: Expr, other: Expr) -> Expr {
    binary(BinaryOp::Or, one, other)
}

fn both(one: Expr, other: Expr) -> Expr {
    binary(BinaryOp::And, one, other)
}

fn binary(operator: BinaryOp, one: Expr, other: Expr) -> Expr {
    expr(ExprKind::Binary(operator, Box::new(one), Box::new(other)))
}

fn name(attribute: &str) -> Expr {
    expr(ExprKind::Name(attribute.to_owned()))
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql::condition::{Comparison, Expiration, Fill, Kind, Method, Signal, Term};

    /// S0-08: an incident about a lost signal pages whatever the term is called: a warning would not make it quiet.
    #[test]
    fn what_opens_at_silence_cannot_become_a_warning() {
        let term = Term {
            priority: Priority::Critical,
            comparison: Comparison::Below,
            threshold: 1.0,
            duration_s: 300,
            occurrences: Occurrences::All,
        };
        let signal = Signal {
            window_s: 300,
            slide_s: None,
            method: Method::EventTimer { timer_s: 600 },
            fill: Fill::None,
            evaluation_delay_s: 0,
        };
        let of = |opens| Condition {
            name: "silent".to_owned(),
            query: "SELECT count(*) FROM T".to_owned(),
            kind: Kind::Static,
            signal,
            terms: vec![term],
            expiration: Some(Expiration { after_s: 14_400, opens, closes: false, ignores_expected: false }),
            time_limit_s: 86_400,
        };
        assert!(Edit::Warn.fits(&of(false)));
        assert!(!Edit::Warn.fits(&of(true)));
    }
}
