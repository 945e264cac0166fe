//! Operators: how strong they bind, how they are written, which of them say yes or no.
//!
//! In: an expression or operator. Out: what is known of it. What always holds: parser and printer read the same table, so they
//! cannot differ about parentheses.

use super::ast::{BinaryOp, Cases, Expr, ExprKind, UnaryOp};

/// How strong, weakest first (NRQL reference, operators; New Relic's documentation has no table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// `CASES(…) OR value`, which takes all that follows.
    Otherwise,
    Or,
    And,
    Not,
    /// `= != < <= > >=`, `IS`, `IN`, `LIKE`, `RLIKE`.
    Comparison,
    Sum,
    Product,
    Sign,
    /// `[ ]`, calls, and all that has no operator.
    Value,
}

impl Strength {
    /// The next stronger one: what stands to the right of an operator, as operators are read from left to right.
    pub(super) fn tighter(self) -> Self {
        match self {
            Self::Otherwise => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Sign,
            Self::Sign | Self::Value => Self::Value,
        }
    }
}

/// How strong an operator between two values is.
pub(super) fn strength_of_binary(op: BinaryOp) -> Strength {
    match op {
        BinaryOp::Or => Strength::Or,
        BinaryOp::And => Strength::And,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual => Strength::Comparison,
        BinaryOp::Add | BinaryOp::Subtract => Strength::Sum,
        BinaryOp::Multiply | BinaryOp::Divide => Strength::Product,
    }
}

/// How strong the outermost operator of an expression is.
pub(super) fn strength_of(kind: &ExprKind) -> Strength {
    match kind {
        ExprKind::Cases(Cases { otherwise: Some(_), .. }) => Strength::Otherwise,
        ExprKind::Binary(op, ..) => strength_of_binary(*op),
        ExprKind::Unary(UnaryOp::Not, _) => Strength::Not,
        ExprKind::Unary(UnaryOp::Minus | UnaryOp::Plus, _) => Strength::Sign,
        ExprKind::Is { .. } | ExprKind::In { .. } | ExprKind::Like { .. } | ExprKind::Rlike { .. } => Strength::Comparison,
        ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Raw(_)
        | ExprKind::Bool(_)
        | ExprKind::Null
        | ExprKind::Template(_)
        | ExprKind::Name(_)
        | ExprKind::Call(_)
        | ExprKind::Cases(_)
        | ExprKind::Index { .. }
        | ExprKind::Query(_) => Strength::Value,
    }
}

/// How an operator is written.
pub(super) fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "OR",
        BinaryOp::And => "AND",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
    }
}

impl Expr {
    /// Whether it says yes or no: `OR` between such is logical, between others it takes the first that is not null. A value in
    /// `NOT`, or on either side of `AND`, is taken as a truth.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        match &self.kind {
            ExprKind::Bool(_) | ExprKind::Is { .. } | ExprKind::In { .. } | ExprKind::Like { .. } | ExprKind::Rlike { .. } => {
                true
            }
            ExprKind::Unary(op, _) => *op == UnaryOp::Not,
            ExprKind::Binary(BinaryOp::Or, left, right) => left.is_condition() || right.is_condition(),
            ExprKind::Binary(op, ..) => !matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide),
            _ => false,
        }
    }
}
