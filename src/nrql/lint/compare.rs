//! What is compared with what, and how.

use super::super::ast::{Among, Argument, BinaryOp, Expr, ExprKind, IsWhat, Span};
use super::kind::{self, Type};
use super::scope::Scope;
use super::{Lint, plain_arguments, rule};

impl Lint<'_> {
    /// Judges one operator, without what its operands are made of.
    pub(super) fn comparison(&mut self, value: &Expr, scope: &Scope<'_>) {
        match &value.kind {
            ExprKind::Binary(op, left, right) if is_comparison(*op) => {
                let is_null = |side: &Expr| matches!(side.kind, ExprKind::Null);
                if is_null(left) || is_null(right) {
                    let test = if *op == BinaryOp::NotEqual { "IS NOT NULL" } else { "IS NULL" };
                    let hint = format!("say `{test}`");
                    self.tell(&rule::COMPARED_WITH_NULL, value.span, "a comparison with NULL never holds", hint);
                    return;
                }
                self.kinds(value.span, left, right, scope);
                self.written(value, scope);
                self.percentage(left, right);
                self.percentage(right, left);
                for side in [&**left, &**right] {
                    self.keyed(side, "compared", scope);
                }
            }
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide, left, right) => {
                for side in [&**left, &**right] {
                    self.number(side, scope);
                    self.keyed(side, "computed with", scope);
                }
                if let ExprKind::Binary(BinaryOp::Multiply, ..) = value.kind {
                    self.hundred(left, right);
                    self.hundred(right, left);
                }
            }
            ExprKind::In { value: left, among: Among::Values(values), .. } => {
                for right in values {
                    self.kinds(right.span, left, right, scope);
                }
                self.written(value, scope);
            }
            ExprKind::In { value: left, among: Among::Query(query), .. } => {
                let of = scope.one_level_in(query);
                let listed = of.and_then(|of| super::values(query).next().and_then(|value| kind::of_items(value, &of)));
                if let (Some(one @ (Type::Text | Type::Number)), Some(other @ (Type::Text | Type::Number))) =
                    (kind::of(left, scope), listed)
                    && one != other
                {
                    let message = format!("`{left}` is {}, the query gives {}s: they never match", one.as_str(), bare(other));
                    self.tell(&rule::TEXT_AND_NUMBER, left.span, message, "say `numeric(…)` or `string(…)` of one of them");
                }
            }
            ExprKind::Is { value: left, what: what @ (IsWhat::True | IsWhat::False), .. } => {
                self.is_truth(value, left, *what == IsWhat::True, scope);
            }
            ExprKind::Like { value: left, pattern, .. } => {
                self.text_test(left, "LIKE", scope);
                if !self.written(value, scope) {
                    self.pattern(pattern);
                }
            }
            ExprKind::Rlike { value: left, pattern, .. } => {
                self.text_test(left, "RLIKE", scope);
                self.written(value, scope);
                self.expression(pattern);
            }
            _ => {}
        }
    }

    /// Two sides of one kind.
    fn kinds(&mut self, span: Span, left: &Expr, right: &Expr, scope: &Scope<'_>) {
        let (Some(one), Some(other)) = (kind::of(left, scope), kind::of(right, scope)) else { return };
        match (one, other) {
            (Type::Text, Type::Number) | (Type::Number, Type::Text) => {
                let message = format!("`{left}` is {}, `{right}` is {}: they never match", one.as_str(), other.as_str());
                let text = if one == Type::Text { left } else { right };
                let hint = match &text.kind {
                    ExprKind::Text(text) if text.parse::<f64>().is_ok() => format!("say `{text}`, without quotes"),
                    _ => format!("say `numeric({text})`, or put the number in quotes"),
                };
                self.tell(&rule::TEXT_AND_NUMBER, span, message, hint);
            }
            (Type::Text | Type::Number, Type::Truth) => self.truth_beside(span, left, right, one),
            (Type::Truth, Type::Text | Type::Number) => self.truth_beside(span, right, left, other),
            _ => {}
        }
    }

    /// A text or number compared with `TRUE`, or with a condition.
    fn truth_beside(&mut self, span: Span, side: &Expr, truth: &Expr, found: Type) {
        let is = found.as_str();
        match (&truth.kind, found) {
            (ExprKind::Bool(flag), Type::Text) => {
                let message = format!("`{side}` is {is}, which never is {truth}");
                self.tell(&rule::FLAG_AS_BOOLEAN, span, message, format!("say `'{flag}'`"));
            }
            (ExprKind::Bool(_), _) => {
                let message = format!("`{side}` is {is}, which never is {truth}");
                self.tell(&rule::TEXT_AND_NUMBER, span, message, "compare it with a number");
            }
            _ => {
                let message = format!("`{side}` is {is}, `{truth}` is {}: they never match", Type::Truth.as_str());
                self.tell(&rule::TEXT_AND_NUMBER, span, message, "say TRUE or FALSE, or compare what the truth is made of");
            }
        }
    }

    /// `IS [NOT] TRUE`, `IS [NOT] FALSE`.
    fn is_truth(&mut self, whole: &Expr, side: &Expr, flag: bool, scope: &Scope<'_>) {
        let Some(found @ (Type::Text | Type::Number)) = kind::of(side, scope) else { return };
        let message = format!("`{side}` is {}, which is neither TRUE nor FALSE", found.as_str());
        if found == Type::Text {
            self.tell(&rule::FLAG_AS_BOOLEAN, whole.span, message, format!("say `= '{flag}'`"));
        } else {
            self.tell(&rule::TEXT_AND_NUMBER, whole.span, message, "compare it with a number");
        }
    }

    /// A side of a sum or product.
    fn number(&mut self, side: &Expr, scope: &Scope<'_>) {
        if let Some(found @ (Type::Text | Type::Truth)) = kind::of(side, scope)
            && !side.is_condition()
        {
            let message = format!("`{side}` is {}: it cannot be computed with", found.as_str());
            self.tell(&rule::WRONG_KIND, side.span, message, "if it holds numbers, say `numeric(…)`");
        }
    }

    /// The left side of `LIKE` and `RLIKE`.
    fn text_test(&mut self, side: &Expr, test: &str, scope: &Scope<'_>) {
        if kind::of(side, scope) == Some(Type::Number) {
            let message = format!("`{side}` is a number: `{test}` never holds");
            self.tell(&rule::TEXT_AND_NUMBER, side.span, message, format!("say `string({side})`, or compare numbers"));
        }
    }

    fn pattern(&mut self, pattern: &Expr) {
        let ExprKind::Text(text) = &pattern.kind else { return };
        if text.contains("{{") {
            return;
        }
        if !text.contains('%') {
            let message = format!("`'{text}'` has no `%`: the whole value is compared, without case");
            self.tell(&rule::LIKE_WITHOUT_WILDCARD, pattern.span, message, "say `=`, or where `%` may stand for anything");
        }
        if text.contains('_') {
            let message = "`_` stands for itself: no wildcard of NRQL";
            self.tell(&rule::LIKE_UNDERSCORE, pattern.span, message, "if any character was meant, say RLIKE with `.`");
        }
    }

    /// `percentage(…) < 0.5`.
    fn percentage(&mut self, side: &Expr, other: &Expr) {
        if is_percentage(side)
            && let Some(number) = kind::number(other)
            && number > 0.0
            && number < 1.0
        {
            let message = format!("`percentage` gives 0 to 100; {number} is less than one percent");
            self.tell(&rule::PERCENTAGE_SCALE, other.span, message, format!("if a share was meant, say {}", number * 100.0));
        }
    }

    /// `percentage(…) * 100`.
    fn hundred(&mut self, side: &Expr, other: &Expr) {
        if is_percentage(side) && kind::number(other) == Some(100.0) {
            self.tell(&rule::PERCENTAGE_SCALE, other.span, "`percentage` gives 0 to 100 already", "leave out `100 *`");
        }
    }

    /// An object of percents, used as one number.
    fn keyed(&mut self, side: &Expr, how: &str, scope: &Scope<'_>) {
        let percents = match &side.kind {
            ExprKind::Call(call) => match call.name.text.to_ascii_lowercase().as_str() {
                // One percent, or the median, is one number wherever a number stands (dashboards in use compute with it).
                "percentile" => plain_arguments(&call.arguments).skip(1).filter(|one| !matches!(one, Argument::All(_))).count(),
                _ => 0,
            },
            // A column of another query is the object itself.
            ExprKind::Name(_) if kind::of(side, scope) == Some(Type::Keyed) => usize::MAX,
            _ => 0,
        };
        let (message, hint) = match percents {
            0 | 1 => return,
            usize::MAX => (
                format!("`{side}` is an object, keyed by the percents: it cannot be {how}"),
                format!("say `getField({side}, '95')`"),
            ),
            _ => (format!("`{side}` gives {percents} numbers: they cannot be {how}"), "ask for one percent".to_owned()),
        };
        self.tell(&rule::PERCENTILE_OBJECT, side.span, message, hint);
    }

    /// `a OR b AND c`.
    pub(super) fn and_or(&mut self, value: &Expr) {
        let ExprKind::Binary(BinaryOp::Or, left, right) = &value.kind else { return };
        for side in [left, right] {
            if matches!(side.kind, ExprKind::Binary(BinaryOp::And, ..)) && !self.clauses.in_parentheses(side.span) {
                let at = self.clauses.between(left.span, right.span, "OR");
                let read = self.clauses.at(side.span);
                let message = "AND beside OR without parentheses: AND binds tighter";
                self.tell(&rule::MIXED_AND_OR, at, message, format!("put `({})` in parentheses, or the OR", shortened(read)));
                return;
            }
        }
    }
}

/// A kind without its article.
fn bare(kind: Type) -> &'static str {
    kind.as_str().trim_start_matches("a ")
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessOrEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterOrEqual
    )
}

fn is_percentage(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("percentage"))
}

/// The beginning of a text, in one line.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = line.chars();
    let beginning: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() { beginning + "…" } else { beginning }
}
