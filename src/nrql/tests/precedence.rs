//! Which operator binds tighter: trees as nested lists, and the text they are printed as.

use super::value;
use crate::nrql::ast::{Among, Argument, Cases, Expr, ExprKind, Key, UnaryOp};
use crate::nrql::operator;

/// A tree as nested lists, operator first.
fn lists(expr: &Expr) -> String {
    let of = |parts: &[Expr]| parts.iter().map(lists).collect::<Vec<_>>().join(" ");
    let not = |negated: bool| if negated { "not-" } else { "" };
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Call(call) => {
            let arguments = call.arguments.iter().map(|argument| match argument {
                Argument::Value(value) => lists(value),
                Argument::Where { condition, .. } => format!("(where {})", lists(condition)),
                other => other.to_string(),
            });
            format!("({} {})", call.name.text, arguments.collect::<Vec<_>>().join(" "))
        }
        ExprKind::Cases(Cases { cases, otherwise }) => {
            let cases: Vec<String> = cases.iter().map(|case| lists(&case.condition)).collect();
            let otherwise = otherwise.as_ref().map_or(String::new(), |value| format!(" else {}", lists(value)));
            format!("(cases {}{otherwise})", cases.join(" "))
        }
        ExprKind::Index { value, key: Key::Field(field) } => format!("(at {} {field})", lists(value)),
        ExprKind::Index { value, key: Key::Position(position) } => format!("(at {} {position})", lists(value)),
        ExprKind::Unary(UnaryOp::Not, value) => format!("(not {})", lists(value)),
        ExprKind::Unary(UnaryOp::Minus, value) => format!("(neg {})", lists(value)),
        ExprKind::Unary(UnaryOp::Plus, value) => format!("(pos {})", lists(value)),
        ExprKind::Binary(op, left, right) => format!("({} {} {})", operator::sign(*op), lists(left), lists(right)),
        ExprKind::Is { value, negated, what } => format!("({}is-{what:?} {})", not(*negated), lists(value)),
        ExprKind::In { value, negated, among: Among::Values(values) } => {
            format!("({}in {} {})", not(*negated), lists(value), of(values))
        }
        ExprKind::Like { value, negated, pattern } => format!("({}like {} {})", not(*negated), lists(value), lists(pattern)),
        ExprKind::Rlike { value, negated, pattern } => format!("({}rlike {} {})", not(*negated), lists(value), lists(pattern)),
        _ => expr.to_string(),
    }
}

/// Text, its tree, and the text it is printed as.
const GOLDENS: [(&str, &str, &str); 68] = [
    // One level, from left to right.
    ("a + b + c", "(+ (+ a b) c)", "a + b + c"),
    ("a - b - c", "(- (- a b) c)", "a - b - c"),
    ("a - (b - c)", "(- a (- b c))", "a - (b - c)"),
    ("(a - b) - c", "(- (- a b) c)", "a - b - c"),
    ("a + (b + c)", "(+ a (+ b c))", "a + (b + c)"),
    ("a / b / c", "(/ (/ a b) c)", "a / b / c"),
    ("a / (b * c)", "(/ a (* b c))", "a / (b * c)"),
    ("a / b * c", "(* (/ a b) c)", "a / b * c"),
    ("a AND b AND c", "(AND (AND a b) c)", "a AND b AND c"),
    ("a OR b OR c", "(OR (OR a b) c)", "a OR b OR c"),
    ("a OR (b OR c)", "(OR a (OR b c))", "a OR (b OR c)"),
    ("a = b = c", "(= (= a b) c)", "a = b = c"),
    ("a = (b = c)", "(= a (= b c))", "a = (b = c)"),
    ("a < b >= c", "(>= (< a b) c)", "a < b >= c"),
    // Two levels beside each other.
    ("a + b * c", "(+ a (* b c))", "a + b * c"),
    ("a * b + c", "(+ (* a b) c)", "a * b + c"),
    ("(a + b) * c", "(* (+ a b) c)", "(a + b) * c"),
    ("a * (b + c)", "(* a (+ b c))", "a * (b + c)"),
    ("a - b / c", "(- a (/ b c))", "a - b / c"),
    ("a + b > c - d", "(> (+ a b) (- c d))", "a + b > c - d"),
    ("a + (b > c)", "(+ a (> b c))", "a + (b > c)"),
    ("a = 1 AND b = 2", "(AND (= a 1) (= b 2))", "a = 1 AND b = 2"),
    ("a = 1 OR b = 2 AND c = 3", "(OR (= a 1) (AND (= b 2) (= c 3)))", "a = 1 OR b = 2 AND c = 3"),
    ("a = 1 AND b = 2 OR c = 3", "(OR (AND (= a 1) (= b 2)) (= c 3))", "a = 1 AND b = 2 OR c = 3"),
    ("(a = 1 OR b = 2) AND c = 3", "(AND (OR (= a 1) (= b 2)) (= c 3))", "(a = 1 OR b = 2) AND c = 3"),
    ("a AND (b OR c)", "(AND a (OR b c))", "a AND (b OR c)"),
    ("a AND (b AND c)", "(AND a (AND b c))", "a AND (b AND c)"),
    // NOT: weaker than comparisons, stronger than AND.
    ("NOT a = b", "(not (= a b))", "NOT a = b"),
    ("NOT (a = b)", "(not (= a b))", "NOT a = b"),
    ("(NOT a) = b", "(= (not a) b)", "(NOT a) = b"),
    ("NOT a AND b", "(AND (not a) b)", "NOT a AND b"),
    ("NOT (a AND b)", "(not (AND a b))", "NOT (a AND b)"),
    ("NOT a OR b", "(OR (not a) b)", "NOT a OR b"),
    ("NOT NOT a", "(not (not a))", "NOT NOT a"),
    ("a AND NOT b OR c", "(OR (AND a (not b)) c)", "a AND NOT b OR c"),
    ("a OR NOT b LIKE 'c'", "(OR a (not (like b 'c')))", "a OR NOT b LIKE 'c'"),
    ("NOT a IS NULL", "(not (is-Null a))", "NOT a IS NULL"),
    ("-(NOT a)", "(neg (not a))", "-(NOT a)"),
    // Signs: stronger than `*`, weaker than `[ ]`.
    ("-a * b", "(* (neg a) b)", "-a * b"),
    ("-(a * b)", "(neg (* a b))", "-(a * b)"),
    ("a * -b", "(* a (neg b))", "a * -b"),
    ("a - -b", "(- a (neg b))", "a - -b"),
    ("- -a", "(neg (neg a))", "- -a"),
    ("-+a", "(neg (pos a))", "-+a"),
    ("+-a", "(pos (neg a))", "+-a"),
    ("-a['b']", "(neg (at a b))", "-a['b']"),
    ("(-a)['b']", "(at (neg a) b)", "(-a)['b']"),
    ("a[b][1][-2]", "(at (at (at a b) 1) -2)", "a['b'][1][-2]"),
    ("f(a)['b'] + 1", "(+ (at (f a) b) 1)", "f(a)['b'] + 1"),
    // Tests: as strong as comparisons, their patterns are sums.
    ("a + b LIKE c + d AND e", "(AND (like (+ a b) (+ c d)) e)", "a + b LIKE c + d AND e"),
    ("a NOT LIKE 'b' OR c", "(OR (not-like a 'b') c)", "a NOT LIKE 'b' OR c"),
    ("a LIKE (b = c)", "(like a (= b c))", "a LIKE (b = c)"),
    ("(a LIKE 'b') = c", "(= (like a 'b') c)", "a LIKE 'b' = c"),
    ("a RLIKE r'b' AND c", "(AND (rlike a r'b') c)", "a RLIKE r'b' AND c"),
    ("a NOT RLIKE 'b' IS TRUE", "(is-True (not-rlike a 'b'))", "a NOT RLIKE 'b' IS TRUE"),
    ("a + 1 IN (b, c OR d)", "(in (+ a 1) b (OR c d))", "a + 1 IN (b, c OR d)"),
    ("a NOT IN (1) AND b", "(AND (not-in a 1) b)", "a NOT IN (1) AND b"),
    ("a IN (1) IS NOT FALSE", "(not-is-False (in a 1))", "a IN (1) IS NOT FALSE"),
    ("a OR b IS NULL", "(OR a (is-Null b))", "a OR b IS NULL"),
    ("(a OR b) IS NULL", "(is-Null (OR a b))", "(a OR b) IS NULL"),
    ("a = b IS NULL", "(is-Null (= a b))", "a = b IS NULL"),
    ("a = (b IS NULL)", "(= a (is-Null b))", "a = (b IS NULL)"),
    // Inside calls all begins anew.
    ("f(a OR b, WHERE c AND NOT d) * 2", "(* (f (OR a b) (where (AND c (not d)))) 2)", "f(a OR b, WHERE c AND NOT d) * 2"),
    // CASES takes the OR behind it, and all behind that.
    ("CASES(a) OR b OR c", "(cases a else (OR b c))", "CASES(WHERE a) OR b OR c"),
    ("(CASES(a)) OR b", "(OR (cases a) b)", "(CASES(WHERE a)) OR b"),
    ("b OR CASES(a) OR c", "(OR (OR b (cases a)) c)", "b OR CASES(WHERE a) OR c"),
    ("(CASES(a) OR b) OR c", "(OR (cases a else b) c)", "(CASES(WHERE a) OR b) OR c"),
    ("CASES(a) AND b OR c", "(OR (AND (cases a) b) c)", "CASES(WHERE a) AND b OR c"),
];

#[test]
fn operators_bind_as_documented_and_parentheses_are_kept_only_where_needed() {
    for (text, tree, text_again) in GOLDENS {
        let value = value(text);
        assert_eq!(lists(&value), tree, "{text}");
        assert_eq!(value.to_string(), text_again, "{text}");
    }
}

/// An expression's place in the text is that of its words, without the parentheses around it.
#[test]
fn an_expression_knows_where_it_stands() {
    for (text, outer, left) in [
        ("a + b", "a + b", "a"),
        ("(a + b)", "a + b", "a"),
        ("(a) + (b)", "(a) + (b)", "a"),
        ("  ( (a - 1) * b ) ", "(a - 1) * b", "a - 1"),
        ("-a + f( b , c )", "-a + f( b , c )", "-a"),
        ("(a[0]) = 'x'", "(a[0]) = 'x'", "a[0]"),
        ("(SELECT max(x) FROM F) / 2", "(SELECT max(x) FROM F) / 2", "SELECT max(x) FROM F"),
    ] {
        let whole = format!("SELECT {text} FROM E");
        let value = value(text);
        assert_eq!(&whole[value.span.range()], outer, "{text}");
        let ExprKind::Binary(_, first, _) = &value.kind else { panic!("{text}") };
        assert_eq!(&whole[first.span.range()], left, "{text}");
    }
}
