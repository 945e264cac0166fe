//! Every form of clause and operator, and which of them a query uses.
//!
//! In: a tree. Out: the forms it uses, the functions it calls. What always holds: each form has a row in [`FORMS`] with its tier and
//! an example that uses it; so a test can tell which forms no case covers.

use std::collections::BTreeSet;

use super::ast::{
    Among, Argument, BinaryOp, Cases, Expr, ExprKind, IsWhat, Limit, Moment, Query, Selected, Source, Statement, UnaryOp, Width,
};
use super::function::{self, Function, Tier};
use super::operator;
use super::walk::{self, Part};

/// A form of clause or operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// How common.
    pub tier: Tier,
    /// A query that uses it.
    pub example: &'static str,
}

const fn form(tier: Tier, name: &'static str, example: &'static str) -> Form {
    Form { name, tier, example }
}

/// All forms (NRQL reference, tiers).
pub const FORMS: &[Form] = &[
    form(Tier::T1, "SELECT *", "SELECT * FROM E"),
    form(Tier::T1, "SELECT several", "SELECT a, b FROM E"),
    form(Tier::T1, "SELECT … AS", "SELECT a AS x FROM E"),
    form(Tier::T1, "FROM several types", "SELECT a FROM E, F"),
    form(Tier::T1, "{{variable}}", "SELECT a FROM E WHERE b = {{x}}"),
    form(Tier::T1, "WHERE", "SELECT a FROM E WHERE b"),
    form(Tier::T1, "WHERE repeated", "SELECT a FROM E WHERE b WHERE c"),
    form(Tier::T1, "=", "SELECT a FROM E WHERE b = 1"),
    form(Tier::T1, "!=", "SELECT a FROM E WHERE b != 1"),
    form(Tier::T1, "<", "SELECT a FROM E WHERE b < 1"),
    form(Tier::T1, "<=", "SELECT a FROM E WHERE b <= 1"),
    form(Tier::T1, ">", "SELECT a FROM E WHERE b > 1"),
    form(Tier::T1, ">=", "SELECT a FROM E WHERE b >= 1"),
    form(Tier::T1, "AND", "SELECT a FROM E WHERE b = 1 AND c = 1"),
    form(Tier::T1, "OR", "SELECT a FROM E WHERE b = 1 OR c = 1"),
    form(Tier::T1, "OR for null", "SELECT a OR b FROM E"),
    form(Tier::T1, "NOT", "SELECT a FROM E WHERE NOT b = 1"),
    form(Tier::T1, "LIKE", "SELECT a FROM E WHERE b LIKE '%x'"),
    form(Tier::T1, "NOT LIKE", "SELECT a FROM E WHERE b NOT LIKE '%x'"),
    form(Tier::T1, "IN", "SELECT a FROM E WHERE b IN (1, 2)"),
    form(Tier::T1, "NOT IN", "SELECT a FROM E WHERE b NOT IN (1, 2)"),
    form(Tier::T1, "IS NULL", "SELECT a FROM E WHERE b IS NULL"),
    form(Tier::T1, "IS NOT NULL", "SELECT a FROM E WHERE b IS NOT NULL"),
    form(Tier::T1, "IS TRUE", "SELECT a FROM E WHERE b IS TRUE"),
    form(Tier::T1, "IS NOT TRUE", "SELECT a FROM E WHERE b IS NOT TRUE"),
    form(Tier::T1, "IS FALSE", "SELECT a FROM E WHERE b IS FALSE"),
    form(Tier::T1, "IS NOT FALSE", "SELECT a FROM E WHERE b IS NOT FALSE"),
    form(Tier::T1, "+", "SELECT a + 1 FROM E"),
    form(Tier::T1, "-", "SELECT a - 1 FROM E"),
    form(Tier::T1, "*", "SELECT a * 2 FROM E"),
    form(Tier::T1, "/", "SELECT a / 2 FROM E"),
    form(Tier::T1, "sign", "SELECT -a FROM E"),
    form(Tier::T1, "function(WHERE …)", "SELECT filter(count(*), WHERE b = 1) FROM E"),
    form(Tier::T1, "FACET", "SELECT count(*) FROM E FACET a"),
    form(Tier::T1, "FACET several", "SELECT count(*) FROM E FACET a, b"),
    form(Tier::T1, "FACET expression", "SELECT count(*) FROM E FACET a + 1"),
    form(Tier::T1, "FACET … AS", "SELECT count(*) FROM E FACET a AS x"),
    form(Tier::T1, "FACET with TIMESERIES", "SELECT count(*) FROM E FACET a TIMESERIES"),
    form(Tier::T1, "LIMIT n", "SELECT a FROM E LIMIT 5"),
    form(Tier::T1, "LIMIT MAX", "SELECT a FROM E LIMIT MAX"),
    form(Tier::T1, "SINCE n units AGO", "SELECT a FROM E SINCE 1 day AGO"),
    form(Tier::T1, "UNTIL n units AGO", "SELECT a FROM E UNTIL 1 day AGO"),
    form(Tier::T1, "NOW", "SELECT a FROM E UNTIL NOW"),
    form(Tier::T1, "TIMESERIES AUTO", "SELECT count(*) FROM E TIMESERIES"),
    form(Tier::T1, "TIMESERIES MAX", "SELECT count(*) FROM E TIMESERIES MAX"),
    form(Tier::T1, "TIMESERIES n units", "SELECT count(*) FROM E TIMESERIES 5 minutes"),
    form(Tier::T1, "COMPARE WITH", "SELECT count(*) FROM E COMPARE WITH 1 week AGO"),
    form(Tier::T1, "COMPARE WITH with FACET", "SELECT count(*) FROM E FACET a COMPARE WITH 1 week AGO"),
    form(Tier::T1, "COMPARE WITH with TIMESERIES", "SELECT count(*) FROM E COMPARE WITH 1 week AGO TIMESERIES"),
    form(Tier::T2, "FACET CASES", "SELECT count(*) FROM E FACET CASES(WHERE a = 1 AS x)"),
    form(Tier::T2, "FACET CASES … OR", "SELECT count(*) FROM E FACET CASES(WHERE a = 1) OR b"),
    form(Tier::T2, "CASES in a function", "SELECT count(CASES(WHERE a = 1)) FROM E"),
    form(Tier::T2, "FACET over five", "SELECT count(*) FROM E FACET a, b, c, d, e, f"),
    form(Tier::T2, "THIS unit", "SELECT a FROM E SINCE THIS week"),
    form(Tier::T2, "LAST unit", "SELECT a FROM E SINCE LAST week"),
    form(Tier::T2, "day word", "SELECT a FROM E SINCE yesterday UNTIL today"),
    form(Tier::T2, "day word AT", "SELECT a FROM E SINCE monday AT '09:00'"),
    form(Tier::T2, "date in quotes", "SELECT a FROM E SINCE '2026-01-01'"),
    form(Tier::T2, "epoch", "SELECT a FROM E SINCE 1767225600000"),
    form(Tier::T2, "SLIDE BY", "SELECT count(*) FROM E TIMESERIES 5 minutes SLIDE BY 1 minute"),
    form(Tier::T2, "FROM (query)", "SELECT max(x) FROM (SELECT count(*) AS x FROM E FACET a)"),
    form(Tier::T2, "EXTRAPOLATE", "SELECT count(*) FROM E EXTRAPOLATE"),
    form(Tier::T2, "WITH TIMEZONE", "SELECT a FROM E WITH TIMEZONE 'Asia/Tokyo'"),
    form(Tier::T2, "ORDER BY", "SELECT a FROM E ORDER BY a"),
    form(Tier::T2, "ORDER BY … DESC", "SELECT a FROM E ORDER BY a DESC"),
    form(Tier::T2, "named argument", "SELECT uniqueCount(a, precision: 1000) FROM E"),
    form(Tier::T2, "function(n units)", "SELECT rate(count(*), 1 minute) FROM E"),
    form(Tier::T3, "(query) as a value", "SELECT a FROM E WHERE b = (SELECT max(b) FROM E)"),
    form(Tier::T3, "IN (query)", "SELECT a FROM E WHERE b IN (SELECT uniques(b) FROM F)"),
    form(Tier::T3, "JOIN", "SELECT a FROM E JOIN (SELECT b, c FROM F) ON a = b"),
    form(Tier::T3, "LEFT JOIN", "SELECT a FROM E LEFT JOIN (SELECT a, c FROM F) ON a"),
    form(Tier::T3, "FROM lookup", "SELECT a FROM lookup(t)"),
    form(Tier::T3, "WITH … AS", "WITH a + 1 AS x SELECT x FROM E"),
    form(Tier::T3, "WITH … AS (several)", "WITH aparse(a, '*-*') AS (x, y) SELECT x FROM E"),
    form(Tier::T3, "RLIKE", "SELECT a FROM E WHERE b RLIKE 'x.*'"),
    form(Tier::T3, "NOT RLIKE", "SELECT a FROM E WHERE b NOT RLIKE 'x.*'"),
    form(Tier::T3, "raw text", "SELECT a FROM E WHERE b RLIKE r'\\d+'"),
    form(Tier::T3, "FACET … ORDER BY", "SELECT count(*) FROM E FACET a ORDER BY max(b)"),
    form(Tier::T3, "OFFSET", "SELECT a FROM E LIMIT 5 OFFSET 5"),
    form(Tier::T3, "value[key]", "SELECT a['x'] FROM E"),
    form(Tier::T3, "SHOW EVENT TYPES", "SHOW EVENT TYPES SINCE 1 day AGO"),
    form(Tier::Beyond, "PREDICT", "SELECT count(*) FROM E TIMESERIES PREDICT BY 1 hour"),
    form(Tier::Beyond, "WITH METRIC_FORMAT", "SELECT a FROM Metric WITH METRIC_FORMAT 'x'"),
    form(Tier::Beyond, "RAW", "SELECT a FROM Metric RAW"),
];

/// What a query uses of the language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Names of forms.
    pub forms: BTreeSet<&'static str>,
    /// Names of functions, as New Relic writes them.
    pub functions: BTreeSet<&'static str>,
    /// Functions that nobody knows, as written.
    pub unknown: BTreeSet<String>,
}

impl Usage {
    /// What a statement uses.
    #[must_use]
    pub fn of(statement: &Statement) -> Self {
        let mut usage = Self::default();
        match statement {
            Statement::Select(_) => walk::statement(statement, &mut |part| match part {
                Part::Query(query) => usage.query(query),
                Part::Expr(expr) => usage.expr(expr),
            }),
            Statement::ShowEventTypes { since, until } => {
                usage.forms.insert("SHOW EVENT TYPES");
                usage.moments(since.as_ref(), until.as_ref());
            }
        }
        usage
    }

    /// The least common tier that is used: what an engine must know to run it.
    #[must_use]
    pub fn tier(&self) -> Tier {
        let forms = FORMS.iter().filter(|form| self.forms.contains(form.name)).map(|form| form.tier);
        let functions = self.functions.iter().filter_map(|name| function::function(name)).map(|function| function.tier);
        let unknown = self.unknown.iter().map(|_| Tier::Beyond);
        forms.chain(functions).chain(unknown).max().unwrap_or(Tier::T1)
    }

    fn note(&mut self, used: bool, name: &'static str) {
        if used {
            self.forms.insert(name);
        }
    }

    fn query(&mut self, query: &Query) {
        self.note(query.select.iter().any(|item| matches!(item.value, Selected::All(_))), "SELECT *");
        self.note(query.select.len() > 1, "SELECT several");
        self.note(query.select.iter().any(|item| !item.alias.is_empty()), "SELECT … AS");
        self.note(query.from.len() > 1, "FROM several types");
        for source in &query.from {
            self.note(matches!(source, Source::Template(_)), "{{variable}}");
            self.note(matches!(source, Source::Lookup(_)), "FROM lookup");
            self.note(matches!(source, Source::Query(_)), "FROM (query)");
        }
        for join in &query.joins {
            self.note(true, if join.left { "LEFT JOIN" } else { "JOIN" });
        }
        self.note(!query.conditions.is_empty(), "WHERE");
        self.note(query.conditions.len() > 1, "WHERE repeated");
        self.facet(query);
        self.note(!query.order_by.is_empty(), "ORDER BY");
        self.note(query.order_by.iter().any(|item| item.descending), "ORDER BY … DESC");
        self.note(matches!(query.limit, Some(Limit::Count(_))), "LIMIT n");
        self.note(matches!(query.limit, Some(Limit::Max)), "LIMIT MAX");
        self.note(matches!(query.limit, Some(Limit::Template(_))), "{{variable}}");
        self.note(!query.templates.is_empty(), "{{variable}}");
        self.note(query.offset.is_some(), "OFFSET");
        self.moments(query.since.as_ref(), query.until.as_ref());
        self.note(query.compare.is_some(), "COMPARE WITH");
        self.note(query.compare.is_some() && query.facet.is_some(), "COMPARE WITH with FACET");
        self.note(query.compare.is_some() && query.timeseries.is_some(), "COMPARE WITH with TIMESERIES");
        if let Some(timeseries) = &query.timeseries {
            self.note(
                true,
                match timeseries.width {
                    Width::Auto => "TIMESERIES AUTO",
                    Width::Max => "TIMESERIES MAX",
                    Width::Exact(_) => "TIMESERIES n units",
                    Width::Template(_) | Width::TemplateUnits { .. } => "{{variable}}",
                },
            );
            self.note(timeseries.slide.is_some(), "SLIDE BY");
        }
        self.note(query.timezone.is_some(), "WITH TIMEZONE");
        self.note(query.metric_format.is_some(), "WITH METRIC_FORMAT");
        self.note(!query.variables.is_empty(), "WITH … AS");
        self.note(query.variables.iter().any(|variable| variable.names.len() > 1), "WITH … AS (several)");
        self.note(query.extrapolate, "EXTRAPOLATE");
        self.note(query.predict.is_some(), "PREDICT");
        self.note(query.raw, "RAW");
    }

    fn facet(&mut self, query: &Query) {
        let Some(facet) = &query.facet else { return };
        self.note(true, "FACET");
        self.note(facet.items.len() > 1, "FACET several");
        self.note(facet.items.len() > 5, "FACET over five");
        self.note(facet.items.iter().any(|item| item.alias.is_some()), "FACET … AS");
        self.note(facet.order_by.is_some(), "FACET … ORDER BY");
        self.note(query.timeseries.is_some(), "FACET with TIMESERIES");
        for item in &facet.items {
            match &item.value.kind {
                ExprKind::Cases(Cases { otherwise, .. }) => {
                    self.note(true, "FACET CASES");
                    self.note(otherwise.is_some(), "FACET CASES … OR");
                }
                ExprKind::Name(_) => {}
                _ => self.note(true, "FACET expression"),
            }
        }
    }

    fn moments(&mut self, since: Option<&Moment>, until: Option<&Moment>) {
        for (moment, ago) in [(since, "SINCE n units AGO"), (until, "UNTIL n units AGO")] {
            let Some(moment) = moment else { continue };
            self.note(
                true,
                match moment {
                    Moment::Now => "NOW",
                    Moment::Ago(_) => ago,
                    Moment::Epoch(_) => "epoch",
                    Moment::Day { at: None, .. } => "day word",
                    Moment::Day { at: Some(_), .. } => "day word AT",
                    Moment::This(_) => "THIS unit",
                    Moment::Last(_) => "LAST unit",
                    Moment::Text(_) => "date in quotes",
                    Moment::Template(_) | Moment::TemplateAgo { .. } => "{{variable}}",
                },
            );
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Name(_) => {}
            // Seen where the facet is, or inside a call.
            ExprKind::Cases(_) => {}
            ExprKind::Raw(_) => self.note(true, "raw text"),
            ExprKind::Template(_) => self.note(true, "{{variable}}"),
            ExprKind::Call(call) => {
                match function::function(&call.name.text) {
                    None if call.is_template() => self.forms.insert("{{variable}}"),
                    Some(Function { name, .. }) => self.functions.insert(name),
                    None => self.unknown.insert(call.name.text.clone()),
                };
                call.arguments.iter().for_each(|argument| self.argument(argument));
            }
            ExprKind::Index { .. } => self.note(true, "value[key]"),
            ExprKind::Unary(UnaryOp::Not, _) => self.note(true, "NOT"),
            ExprKind::Unary(UnaryOp::Minus | UnaryOp::Plus, _) => self.note(true, "sign"),
            ExprKind::Binary(op, left, right) => self.note(true, binary(*op, left, right)),
            ExprKind::Is { negated, what, .. } => self.note(
                true,
                match (what, negated) {
                    (IsWhat::Null, false) => "IS NULL",
                    (IsWhat::Null, true) => "IS NOT NULL",
                    (IsWhat::True, false) => "IS TRUE",
                    (IsWhat::True, true) => "IS NOT TRUE",
                    (IsWhat::False, false) => "IS FALSE",
                    (IsWhat::False, true) => "IS NOT FALSE",
                },
            ),
            ExprKind::In { negated, among, .. } => {
                self.note(true, if *negated { "NOT IN" } else { "IN" });
                self.note(matches!(among, Among::Query(_)), "IN (query)");
                self.note(matches!(among, Among::Template(_)), "{{variable}}");
            }
            ExprKind::Like { negated, .. } => self.note(true, if *negated { "NOT LIKE" } else { "LIKE" }),
            ExprKind::Rlike { negated, .. } => self.note(true, if *negated { "NOT RLIKE" } else { "RLIKE" }),
            ExprKind::Query(_) => self.note(true, "(query) as a value"),
        }
    }

    fn argument(&mut self, argument: &Argument) {
        match argument {
            Argument::Where { .. } => self.note(true, "function(WHERE …)"),
            Argument::Named { .. } => self.note(true, "named argument"),
            Argument::Duration(..) => self.note(true, "function(n units)"),
            Argument::Value(Expr { kind: ExprKind::Cases(_), .. }) => self.note(true, "CASES in a function"),
            Argument::All(_) | Argument::Value(_) => {}
        }
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> &'static str {
    match op {
        BinaryOp::Or if !left.is_condition() && !right.is_condition() => "OR for null",
        other => operator::sign(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql;

    #[test]
    fn every_form_is_used_by_its_example_and_none_of_a_rarer_tier() {
        for form in FORMS {
            let usage = Usage::of(&nrql::parse(form.example).unwrap_or_else(|error| unreachable!("{}: {error}", form.example)));
            assert!(usage.forms.contains(form.name), "{}: {:?}", form.name, usage.forms);
            assert_eq!(usage.tier(), form.tier.max(functions_tier(&usage)), "{}", form.name);
        }
    }

    fn functions_tier(usage: &Usage) -> Tier {
        usage.functions.iter().filter_map(|name| function::function(name)).map(|one| one.tier).max().unwrap_or(Tier::T1)
    }

    #[test]
    fn every_form_that_is_noted_has_one_row() {
        let names: BTreeSet<&str> = FORMS.iter().map(|form| form.name).collect();
        assert_eq!(names.len(), FORMS.len());
        for form in FORMS {
            let usage = nrql::parse(form.example).map(|statement| Usage::of(&statement)).unwrap_or_default();
            assert!(usage.forms.is_subset(&names), "{:?}", usage.forms.difference(&names));
        }
    }

    #[test]
    fn nested_parts_and_unknown_functions_count() {
        let text = "SELECT nope(a) FROM E WHERE b IN (SELECT jparse(c) FROM F WHERE d LIKE 'x' FACET CASES(WHERE e > (SELECT max(f) FROM G)))";
        let usage = nrql::parse(text).map(|statement| Usage::of(&statement)).unwrap_or_default();
        assert_eq!(usage.functions, BTreeSet::from(["jparse", "max"]));
        assert_eq!(usage.unknown, BTreeSet::from(["nope".to_owned()]));
        for form in ["LIKE", "FACET CASES", ">", "(query) as a value", "IN (query)"] {
            assert!(usage.forms.contains(form), "{form}");
        }
        assert_eq!(usage.tier(), Tier::Beyond);
    }
}
