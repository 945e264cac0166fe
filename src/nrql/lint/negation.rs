//! Negations that say nothing of rows without the attribute.
//!
//! In: a condition. Out: `!=`, `NOT IN`, `NOT LIKE`, `NOT …` about an attribute that may be null, where nothing beside them decides
//! what happens then. What always holds: a condition beside it that asks whether the attribute is there, or that holds only if it
//! is, decides it; so does what `WHERE` of the same query lets through.

use super::super::ast::{Argument, BinaryOp, Expr, ExprKind, IsWhat, Query, UnaryOp};
use super::super::walk;
use super::scope::{Found, Scope};
use super::{Lint, Part, Place, rule};

/// Functions that are null where their first argument is.
const OF_NULL_NULL: [&str; 7] = ["lower", "upper", "string", "numeric", "boolean", "substring", "length"];

impl Lint<'_> {
    pub(super) fn negations(&mut self, query: &Query, scope: &Scope<'_>, part: &Part<'_>) {
        if part.place == Place::Where {
            self.negated(part.value, &decided(query, part.value), scope);
            return;
        }
        // Conditions of functions and cases see what WHERE let through.
        let passed = decided(query, part.value);
        let mut conditions = Vec::new();
        walk::within(part.value, &mut |inner| match &inner.kind {
            ExprKind::Call(call) => {
                let is_if = call.name.text.eq_ignore_ascii_case("if") || call.name.text.eq_ignore_ascii_case("ifThen");
                for (place, argument) in call.arguments.iter().enumerate() {
                    match argument {
                        Argument::Where { condition, .. } => conditions.push(condition),
                        Argument::Value(value) if is_if && place == 0 => conditions.push(value),
                        _ => {}
                    }
                }
            }
            ExprKind::Cases(cases) => conditions.extend(cases.cases.iter().map(|case| &case.condition)),
            _ => {}
        });
        for condition in conditions {
            self.negated(condition, &passed, scope);
        }
    }

    /// Negations in a condition; `decided` are the attributes of which something else says whether they are there.
    fn negated(&mut self, value: &Expr, decided: &[&str], scope: &Scope<'_>) {
        match &value.kind {
            ExprKind::Binary(BinaryOp::And, ..) => {
                let sides = flat(value, BinaryOp::And);
                let mut decided = decided.to_vec();
                decided.extend(sides.iter().flat_map(|side| settled(side)));
                for side in sides {
                    self.negated(side, &decided, scope);
                }
            }
            ExprKind::Binary(BinaryOp::Or, ..) => {
                let sides = flat(value, BinaryOp::Or);
                let mut decided = decided.to_vec();
                for side in &sides {
                    if let ExprKind::Is { value, what: IsWhat::Null, .. } = &side.kind {
                        decided.extend(subject(value));
                    }
                }
                for side in sides {
                    self.negated(side, &decided, scope);
                }
            }
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let mut asked = Vec::new();
                let mut decided = decided.to_vec();
                walk::within(inner, &mut |one| match &one.kind {
                    ExprKind::Is { value, what: IsWhat::Null, .. } => decided.extend(subject(value)),
                    _ => asked.extend(subjects(one)),
                });
                if let Some(name) = asked.into_iter().find(|name| is_open(name, &decided, scope)) {
                    self.undecided(value, name);
                }
            }
            ExprKind::Binary(BinaryOp::NotEqual, ..)
            | ExprKind::In { negated: true, .. }
            | ExprKind::Like { negated: true, .. }
            | ExprKind::Rlike { negated: true, .. } => {
                if let Some(name) = subjects(value).into_iter().find(|name| is_open(name, decided, scope)) {
                    self.undecided(value, name);
                }
            }
            _ => {}
        }
    }

    fn undecided(&mut self, value: &Expr, name: &str) {
        let message = format!("whether rows without `{name}` pass a negation is not documented");
        let hint = format!("add `AND {name} IS NOT NULL`, or `OR {name} IS NULL`");
        self.tell(&rule::NEGATED_NULL, value.span, message, hint);
    }
}

/// Whether a name may be null and nothing decides what happens then.
fn is_open(name: &str, decided: &[&str], scope: &Scope<'_>) -> bool {
    !decided.contains(&name) && matches!(scope.find(name), Found::Column(column) if column.nullable)
}

/// What the conditions of a query decide, but for one of them.
fn decided<'q>(query: &'q Query, but: &Expr) -> Vec<&'q str> {
    let others = query.conditions.iter().filter(|condition| !std::ptr::eq(*condition, but));
    others.flat_map(|condition| flat(condition, BinaryOp::And)).flat_map(settled).collect()
}

/// The operands of a chain of one operator.
fn flat(value: &Expr, op: BinaryOp) -> Vec<&Expr> {
    let mut sides = Vec::new();
    let mut open = vec![value];
    while let Some(one) = open.pop() {
        match &one.kind {
            ExprKind::Binary(found, left, right) if *found == op => open.extend([&**right, &**left]),
            _ => sides.push(one),
        }
    }
    sides
}

/// Attributes that a condition settles: where it holds they are there, or it asks whether they are.
fn settled(value: &Expr) -> Vec<&str> {
    match &value.kind {
        ExprKind::Is { value, what: IsWhat::Null, .. } => subject(value).into_iter().collect(),
        ExprKind::Is { value, negated: false, .. } => subject(value).into_iter().collect(),
        ExprKind::Binary(BinaryOp::NotEqual, ..)
        | ExprKind::In { negated: true, .. }
        | ExprKind::Like { negated: true, .. }
        | ExprKind::Rlike { negated: true, .. } => Vec::new(),
        // One side may hold without the other.
        ExprKind::Binary(BinaryOp::Or, ..) => Vec::new(),
        _ => subjects(value),
    }
}

/// The attributes that a comparison is about.
fn subjects(value: &Expr) -> Vec<&str> {
    match &value.kind {
        // That it never holds is told elsewhere.
        ExprKind::Binary(_, left, right) if matches!((&left.kind, &right.kind), (ExprKind::Null, _) | (_, ExprKind::Null)) => {
            Vec::new()
        }
        ExprKind::Binary(op, left, right) if !matches!(op, BinaryOp::And | BinaryOp::Or) => {
            subject(left).into_iter().chain(subject(right)).collect()
        }
        ExprKind::In { value, .. } | ExprKind::Like { value, .. } | ExprKind::Rlike { value, .. } => {
            subject(value).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The attribute that a value is null without.
fn subject(value: &Expr) -> Option<&str> {
    match &value.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Index { value, .. } => subject(value),
        ExprKind::Call(call) if OF_NULL_NULL.iter().any(|name| name.eq_ignore_ascii_case(&call.name.text)) => {
            match call.arguments.first() {
                Some(Argument::Value(value)) => subject(value),
                _ => None,
            }
        }
        _ => None,
    }
}
