//! Conditions that are no conditions: a text or a list where a yes or no is asked for.
//!
//! What always holds: of a value whose kind is not known nothing is told, nor of a number, which dashboards in use have there; the
//! operands of `AND`, `OR` and `NOT` are asked one by one.

use super::super::ast::{Argument, BinaryOp, Expr, ExprKind, UnaryOp};
use super::scope::Scope;
use super::{Lint, Part, Place, Type, kind, rule};

/// Functions whose first argument is a condition.
const FIRST: [&str; 3] = ["if", "ifThen", "conditional"];

impl Lint<'_> {
    /// The conditions that begin in a part of a query: of `WHERE`.
    pub(super) fn truth_of_part(&mut self, part: &Part<'_>, scope: &Scope<'_>) {
        if part.place == Place::Where {
            self.truth(part.value, scope);
        }
    }

    /// The conditions that begin in an expression: of functions and cases.
    pub(super) fn truths_in(&mut self, value: &Expr, scope: &Scope<'_>) {
        match &value.kind {
            ExprKind::Call(call) => {
                let asks = FIRST.iter().any(|name| name.eq_ignore_ascii_case(&call.name.text));
                for (place, argument) in call.arguments.iter().enumerate() {
                    match argument {
                        Argument::Where { condition, .. } => self.truth(condition, scope),
                        Argument::Value(condition) if asks && place == 0 => self.truth(condition, scope),
                        _ => {}
                    }
                }
            }
            ExprKind::Cases(cases) => cases.cases.iter().for_each(|case| self.truth(&case.condition, scope)),
            _ => {}
        }
    }

    fn truth(&mut self, value: &Expr, scope: &Scope<'_>) {
        match &value.kind {
            ExprKind::Binary(BinaryOp::And, left, right) => {
                self.truth(left, scope);
                self.truth(right, scope);
            }
            ExprKind::Binary(BinaryOp::Or, left, right) if value.is_condition() => {
                self.truth(left, scope);
                self.truth(right, scope);
            }
            ExprKind::Unary(UnaryOp::Not, inner) => self.truth(inner, scope),
            _ => {
                if let Some(found @ (Type::Text | Type::Keyed | Type::List)) = kind::of(value, scope) {
                    let message = format!("`{value}` is {}, no condition", found.as_str());
                    let hint = match (&value.kind, found) {
                        (ExprKind::Name(_), _) => format!("compare it, or say `{value} IS NOT NULL`"),
                        _ => "compare it with something".to_owned(),
                    };
                    self.tell(&rule::NO_CONDITION, value.span, message, hint);
                }
            }
        }
    }
}
