//! What is wrong with a query that can be read.
//!
//! In: the text of a query, its tree, the names that exist, and what the query is for. Out: [`Finding`]s: where, which rule, what
//! was found, what is allowed. What always holds: every finding is of a rule in [`RULES`], which says why; findings stand in the
//! order of the text; a query is judged by what is documented of New Relic and by what is known of its data, and where the
//! documentation is silent, that the answer depends on it is told. Nothing here runs a query.
//!
//! One module a question: which names exist ([`scope`], `attribute`), which functions (`call`), what can be compared (`compare`,
//! `negation`, `written`, `calendar`, by the [`kind`] of a value), what is a condition (`truth`), which texts can be read (`readable`), rows or aggregates
//! (`shape`), what is said twice (`twice`), what a query in another may hold (`nested`), how far back (`window`, `span`), how many (`limit`),
//! what an alert condition may hold (`condition`), what is known before the tree (`text`).

mod attribute;
mod calendar;
mod call;
mod clause;
mod compare;
mod condition;
mod finding;
mod kind;
mod limit;
mod names;
mod nearest;
mod negation;
mod nested;
mod readable;
mod report;
mod rule;
mod scope;
mod shape;
mod span;
mod text;
mod truth;
mod twice;
mod window;
mod written;

#[cfg(test)]
mod tests;

pub use condition::{Comparison, Term};
pub use finding::{Finding, Severity};
pub use names::{Kind, Names};
pub use report::{Reported, report};
pub use rule::{RULES, Rule};
pub use text::QUERY_BYTES;

use super::ast::{Argument, Expr, ExprKind, Query, Selected, Source, Span, Statement};
use super::function::{self, Function, Kind as Over};
use super::walk;
use clause::Clauses;
use kind::Type;
use scope::Scope;

/// What a query is for.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Purpose {
    /// A saved investigation, run as it is.
    #[default]
    Saved,
    /// A widget of a dashboard.
    Widget {
        /// It keeps its window whatever the time picker says: `ignoreTimeRange`.
        own_window: bool,
    },
    /// A condition of an alert.
    Condition {
        /// When it opens an incident; none if nobody knows.
        terms: Vec<Term>,
        /// Windows without a value get one: `fillOption` of a static value, or an incident at loss of signal.
        fills_gaps: bool,
    },
}

/// Everything that is wrong with a query.
#[must_use]
pub fn lint(text: &str, statement: &Statement, names: &Names, purpose: &Purpose) -> Vec<Finding> {
    let mut lint = Lint { names, purpose, clauses: Clauses::of(text), findings: Vec::new() };
    lint.text(text);
    match statement {
        Statement::Select(query) => {
            lint.query(query, &Outer::None);
            lint.whole(query);
        }
        Statement::ShowEventTypes { since, until } => lint.show(text, since.as_ref(), until.as_ref()),
    }
    // The same attribute may be asked about twice by one rule, as both sides of a coalescing `OR` are.
    lint.findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
    lint.findings.dedup_by(|one, other| one.same(other));
    lint.findings
}

/// What is known while a query is judged.
struct Lint<'a> {
    names: &'a Names,
    purpose: &'a Purpose,
    clauses: Clauses<'a>,
    findings: Vec<Finding>,
}

/// In what a query stands.
#[derive(Debug, Clone, Copy)]
enum Outer<'q> {
    /// In nothing.
    None,
    /// `FROM (query)`.
    From(Window<'q>),
    /// `JOIN (query)`.
    Join(Window<'q>),
    /// `(query)` as a value.
    Value(Window<'q>),
    /// `IN (query)`.
    In(Window<'q>),
}

/// The window that a query in another has.
#[derive(Debug, Clone, Copy, Default)]
struct Window<'q> {
    /// The query whose `SINCE` and `UNTIL` count.
    of: Option<&'q Query>,
    /// The one whose `COMPARE WITH` counts.
    compared: Option<&'q Query>,
}

impl<'q> Outer<'q> {
    fn window(&self) -> Window<'q> {
        match self {
            Self::None => Window::default(),
            Self::From(window) | Self::Join(window) | Self::Value(window) | Self::In(window) => *window,
        }
    }
}

impl Lint<'_> {
    fn tell(&mut self, rule: &'static Rule, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(Finding { span, rule: rule.id, severity: rule.severity, message: message.into(), hint: hint.into() });
    }

    fn is_condition(&self) -> bool {
        matches!(self.purpose, Purpose::Condition { .. })
    }

    /// Judges a query and what stands in it; gives the columns of its result.
    fn query<'q>(&mut self, query: &'q Query, outer: &Outer<'q>) -> scope::Columns {
        let window = self.window(query, outer);
        let mut nested = Vec::new();
        for source in &query.from {
            if let Source::Query(inner) = source {
                nested.push(self.query(inner, &Outer::From(window)));
            }
        }
        let joined: Vec<scope::Columns> = query.joins.iter().map(|join| self.query(&join.query, &Outer::Join(window))).collect();
        let mut scope = Scope::of(self.names, query, nested, joined);
        self.texts(query);
        self.twice(query, &scope);
        self.sources(query, &scope);
        self.clauses_of(query, outer);
        self.limits(query, outer);
        self.shape(query, &scope);
        for (at, part) in parts(query).into_iter().enumerate() {
            // A name of WITH is known behind its own.
            scope.see_variables_before((part.place == Place::With).then_some(at));
            self.part(query, &scope, &part, window);
        }
        scope.see_variables_before(None);
        self.keys(query, &scope);
        if matches!(outer, Outer::None) && self.is_condition() {
            self.condition(query, &scope);
        }
        scope.columns(query)
    }

    /// Judges one expression of a query.
    fn part<'q>(&mut self, query: &'q Query, scope: &Scope<'_>, part: &Part<'q>, window: Window<'q>) {
        self.attributes(query, scope, part);
        self.truth_of_part(part, scope);
        walk::within(part.value, &mut |inner| {
            if let ExprKind::Call(call) = &inner.kind {
                self.call(call, scope);
            }
            self.comparison(inner, scope);
            self.types_compared(inner, scope);
            self.truths_in(inner, scope);
            self.and_or(inner);
            walk::children(inner, &mut |child| {
                if let walk::Part::Query(subquery) = child {
                    let stands = if matches!(inner.kind, ExprKind::In { .. }) { Outer::In(window) } else { Outer::Value(window) };
                    self.query(subquery, &stands);
                }
            });
        });
        self.negations(query, scope, part);
    }
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    With,
    Select,
    Where,
    Facet,
    FacetOrder,
    Order,
    JoinKey,
}

/// An expression of a query and where it stands.
#[derive(Debug, Clone, Copy)]
struct Part<'q> {
    place: Place,
    value: &'q Expr,
}

/// The expressions of a query, those of subqueries not among them; the values of `WITH` first.
fn parts(query: &Query) -> Vec<Part<'_>> {
    let with = query.variables.iter().map(|variable| (Place::With, &variable.value));
    let select = values(query).map(|value| (Place::Select, value));
    let conditions = query.conditions.iter().map(|condition| (Place::Where, condition));
    let facets = query.facet.iter().flat_map(|facet| &facet.items).map(|item| (Place::Facet, &item.value));
    let survivors = query.facet.iter().filter_map(|facet| facet.order_by.as_ref()).map(|order| (Place::FacetOrder, &order.value));
    let order = query.order_by.iter().map(|item| (Place::Order, &item.value));
    let keys = query.joins.iter().map(|join| (Place::JoinKey, &join.key));
    let all = with.chain(select).chain(conditions).chain(facets).chain(survivors).chain(order).chain(keys);
    all.map(|(place, value)| Part { place, value }).collect()
}

/// The values that a query selects.
fn values(query: &Query) -> impl Iterator<Item = &Expr> {
    query.select.iter().filter_map(|item| match &item.value {
        Selected::Value(value) => Some(value),
        Selected::All(_) => None,
    })
}

/// The aggregate that an expression is, if it is one.
fn aggregate_of(value: &Expr) -> Option<&'static Function> {
    let ExprKind::Call(call) = &value.kind else { return None };
    function::function(&call.name.text).filter(|function| function.kind == Over::Aggregate)
}

/// Whether an aggregate stands in an expression, outside of subqueries, or a variable that may be one.
fn holds_aggregate(value: &Expr) -> bool {
    let mut holds = false;
    walk::within(value, &mut |inner| {
        holds |= aggregate_of(inner).is_some() || matches!(&inner.kind, ExprKind::Call(call) if call.is_template());
    });
    holds
}

/// Whether a variable may say any clause that is not there.
fn may_say_more(query: &Query) -> bool {
    !query.templates.is_empty()
}

/// The values among the arguments of a call, those with names not among them.
fn plain_arguments(arguments: &[Argument]) -> impl Iterator<Item = &Argument> {
    arguments.iter().filter(|argument| !matches!(argument, Argument::Named { .. }))
}
