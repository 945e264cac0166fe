//! Calls of aggregates: their arguments and defaults.

use super::super::aggregate::{Function, HISTOGRAM_BUCKETS_MAX};
use super::super::error::QueryError;
use super::super::expression::{Comparison, Node, Operation};
use super::super::time::span_ms;
use super::super::value::Value;
use super::call::expression;
use super::expression::children;
use super::{Place, Planner};
use crate::nrql::ast::{Argument, Call, Expr, ExprKind, NamedValue, Span, UnaryOp};

/// Most attributes of `uniqueCount`, values of `uniques`, steps of a funnel, thresholds of `cdfPercentage`. New Relic's page on
/// functions.
const UNIQUE_ATTRIBUTES_MAX: usize = 32;
const UNIQUES_DEFAULT: f64 = 1_000.0;
const UNIQUES_MAX: usize = 10_000;
const FUNNEL_STEPS_MAX: usize = 10;
const THRESHOLDS_MAX: usize = 10;
const APDEX_DEFAULT: f64 = 0.5;
const PERCENTILE_DEFAULT: f64 = 95.0;

/// An aggregate function of the language.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct AggregateFunction {
    /// As New Relic's documentation writes it.
    pub(in super::super) name: &'static str,
    /// Other names for the same, in lower case.
    pub(in super::super) aliases: &'static [&'static str],
    make: Make,
}

type Make = fn(&mut Planner<'_>, &Arguments<'_>) -> Result<Node, QueryError>;

const fn function(name: &'static str, aliases: &'static [&'static str], make: Make) -> AggregateFunction {
    AggregateFunction { name, aliases, make }
}

/// All aggregates.
pub(in super::super) const AGGREGATES: &[AggregateFunction] = &[
    function("count", &["datapointcount"], count),
    function("sum", &[], |planner, arguments| planner.of_value(arguments, Function::Sum)),
    function("average", &["avg"], |planner, arguments| planner.of_value(arguments, Function::Average)),
    function("min", &[], |planner, arguments| planner.of_value(arguments, Function::Min)),
    function("max", &[], |planner, arguments| planner.of_value(arguments, Function::Max)),
    function("latest", &[], |planner, arguments| planner.of_value(arguments, Function::Latest)),
    function("earliest", &[], |planner, arguments| planner.of_value(arguments, Function::Earliest)),
    function("stddev", &[], |planner, arguments| planner.of_value(arguments, Function::Deviation)),
    function("stdvar", &[], |planner, arguments| planner.of_value(arguments, Function::Variance)),
    function("uniqueCount", &[], unique_count),
    function("uniques", &[], uniques),
    function("percentile", &[], percentile),
    function("median", &[], |planner, arguments| planner.of_value(arguments, |value| Function::Percentile(value, vec![50.0]))),
    function("percentage", &[], percentage),
    function("filter", &[], filter),
    function("rate", &[], rate),
    function("apdex", &[], apdex),
    function("histogram", &[], histogram),
    function("funnel", &[], funnel),
    function("derivative", &["deriv"], |planner, arguments| planner.per_time(arguments, Function::Slope)),
    function("predictLinear", &[], predict),
    function("latestrate", &["irate"], |planner, arguments| planner.per_time(arguments, Function::LatestRate)),
    function("cdfPercentage", &[], share),
    function("keyset", &[], |planner, _| Ok(planner.aggregate(Function::Keyset))),
    function("bytecountestimate", &["nativesizeestimate"], |planner, _| Ok(planner.aggregate(Function::Bytes))),
    function("aggregationendtime", &[], |_, _| Ok(Node::WindowEnd)),
    function("bucketPercentile", &["histogrampercentile"], refuse),
    function("cardinality", &[], refuse),
    function("dimensions", &[], refuse),
];

/// The aggregate of this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static AggregateFunction> {
    AGGREGATES
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name) || known.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name)))
}

/// The name as the documentation writes it.
pub(super) fn canonical(name: &str) -> Option<&'static str> {
    find(name).map(|function| function.name)
}

/// Whether an expression is itself an aggregate.
pub(super) fn is_aggregate(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Call(call) if find(&call.name.text).is_some())
}

/// Whether there is an aggregate anywhere in it.
pub(super) fn holds_aggregate(value: &Expr) -> bool {
    is_aggregate(value) || children(value).into_iter().any(holds_aggregate)
}

/// Whether the aggregate of this name, as the documentation writes it, is called anywhere in an expression.
pub(in super::super) fn calls(value: &Expr, function: &str) -> bool {
    let is_call = matches!(&value.kind, ExprKind::Call(call) if canonical(&call.name.text) == Some(function));
    is_call || children(value).into_iter().any(|child| calls(child, function))
}

/// The arguments of a call.
struct Arguments<'q> {
    name: &'static str,
    call: &'q Call,
    span: Span,
    /// Without those that have a name.
    places: Vec<&'q Argument>,
}

impl Planner<'_> {
    pub(super) fn aggregate_call(
        &mut self,
        function: &'static AggregateFunction,
        call: &Call,
        span: Span,
    ) -> Result<Node, QueryError> {
        let places = call.arguments.iter().filter(|argument| !matches!(argument, Argument::Named { .. })).collect();
        (function.make)(self, &Arguments { name: function.name, call, span, places })
    }

    /// The value an aggregate is of.
    fn value(&mut self, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
        match arguments.places.first() {
            Some(Argument::Value(value)) => self.row(value, "an aggregate"),
            _ => Err(arguments.refuse("takes a value")),
        }
    }

    fn of_value(&mut self, arguments: &Arguments<'_>, make: impl Fn(Node) -> Function) -> Result<Node, QueryError> {
        let value = self.value(arguments)?;
        Ok(self.aggregate(make(value)))
    }

    fn per_time(&mut self, arguments: &Arguments<'_>, make: impl Fn(Node, f64) -> Function) -> Result<Node, QueryError> {
        let value = self.value(arguments)?;
        let per_ms = arguments.duration(1)?.unwrap_or(self.ground.default_rate_ms);
        Ok(self.aggregate(make(value, per_ms)))
    }

    /// The condition at a place.
    fn condition(&mut self, arguments: &Arguments<'_>, at: usize) -> Result<Node, QueryError> {
        match arguments.places.get(at) {
            Some(Argument::Where { condition, .. }) => self.row(condition, "an aggregate's WHERE"),
            _ => Err(arguments.refuse("takes a condition: WHERE …")),
        }
    }

    /// An expression of aggregates over the rows that satisfy a condition.
    fn filtered(&mut self, value: &Expr, condition: Node) -> Result<Node, QueryError> {
        let outer = self.filter.take();
        self.filter = Some(match outer.clone() {
            None => condition,
            Some(outer) => Node::And(Box::new(outer), Box::new(condition)),
        });
        let before = self.aggregates.len();
        let node = self.compile(value, Place::Group);
        // Each aggregate inside has a copy.
        let copies = self.aggregates.len() - before;
        let parts = self.filter.as_ref().map_or(0, Node::parts);
        self.filter = outer;
        self.ground.cost.copy(copies.saturating_mul(parts), value.span)?;
        node
    }
}

impl Arguments<'_> {
    fn refuse(&self, what: &str) -> QueryError {
        QueryError::at(self.span, format!("{} {what}", self.name))
    }

    /// The aggregate that this one is of.
    fn inner(&self) -> Result<&Expr, QueryError> {
        expression(self.call, 0).filter(|value| holds_aggregate(value)).ok_or_else(|| self.refuse("takes an aggregate first"))
    }

    /// A constant number at a place or under a name.
    fn number(&self, at: usize, name: &str) -> Result<Option<f64>, QueryError> {
        let named = self.call.arguments.iter().find_map(|argument| match argument {
            Argument::Named { name: given, value: NamedValue::Value(value) } if given.text.eq_ignore_ascii_case(name) => {
                Some(value)
            }
            _ => None,
        });
        let placed = match self.places.get(at) {
            Some(Argument::Value(value)) => Some(value),
            _ => None,
        };
        named
            .or(placed)
            .map(|value| constant(value).ok_or_else(|| QueryError::at(value.span, "a constant number is needed here")))
            .transpose()
    }

    /// All constant numbers from a place on.
    fn numbers(&self, from: usize) -> Result<Vec<f64>, QueryError> {
        (from..self.places.len()).filter_map(|at| self.number(at, "").transpose()).collect()
    }

    /// A span of time at a place, ms. A bare number is in ms.
    fn duration(&self, at: usize) -> Result<Option<f64>, QueryError> {
        match self.places.get(at) {
            None => Ok(None),
            Some(Argument::Duration(duration, _)) => Ok(Some(span_ms(duration))),
            Some(_) => self.number(at, ""),
        }
    }
}

/// The number of a constant expression.
fn constant(value: &Expr) -> Option<f64> {
    match &value.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Unary(UnaryOp::Minus, inner) => constant(inner).map(|number| -number),
        ExprKind::Unary(UnaryOp::Plus, inner) => constant(inner),
        _ => None,
    }
}

fn count(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    match arguments.places.first() {
        None | Some(Argument::All(_)) => Ok(planner.aggregate(Function::CountAll)),
        Some(Argument::Value(_)) => {
            let value = planner.value(arguments)?;
            // Of a constant: every row.
            let function = if matches!(value, Node::Constant(_)) { Function::CountAll } else { Function::Count(value) };
            Ok(planner.aggregate(function))
        }
        Some(_) => Err(arguments.refuse("takes `*` or a value")),
    }
}

fn unique_count(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let mut nodes = Vec::new();
    for argument in &arguments.places {
        match argument {
            Argument::Value(value) => nodes.push(planner.row(value, "an aggregate")?),
            // Every row is one of a kind.
            Argument::All(_) => return Ok(planner.aggregate(Function::CountAll)),
            _ => return Err(arguments.refuse("takes attributes")),
        }
    }
    if nodes.is_empty() || nodes.len() > UNIQUE_ATTRIBUTES_MAX {
        return Err(arguments.refuse(&format!("takes 1 to {UNIQUE_ATTRIBUTES_MAX} attributes")));
    }
    Ok(planner.aggregate(Function::UniqueCount(nodes)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn uniques(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let most = arguments.number(1, "limit")?.unwrap_or(UNIQUES_DEFAULT);
    let range = 1.0..=UNIQUES_MAX as f64;
    if !range.contains(&most) {
        return Err(arguments.refuse(&format!("gives 1 to {UNIQUES_MAX} values")));
    }
    planner.of_value(arguments, |value| Function::Uniques(value, most as usize))
}

fn percentile(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let mut ranks = arguments.numbers(1)?;
    if ranks.is_empty() {
        ranks.push(PERCENTILE_DEFAULT);
    }
    if ranks.iter().any(|rank| !(0.0..=100.0).contains(rank)) {
        return Err(arguments.refuse("takes percentages from 0 to 100"));
    }
    planner.of_value(arguments, |value| Function::Percentile(value, ranks.clone()))
}

fn percentage(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let inner = arguments.inner()?;
    // Each level would need its inner aggregates with and without its condition: twice as many with every level.
    if calls(inner, "percentage") {
        return Err(QueryError::at(inner.span, "percentage takes an aggregate, not another percentage"));
    }
    let condition = planner.condition(arguments, 1)?;
    let part = planner.filtered(inner, condition)?;
    let all = planner.compile(inner, Place::Group)?;
    let number = |number: f64| Box::new(Node::Constant(Value::Number(number)));
    let hundred = Node::Arithmetic(Operation::Multiply, number(100.0), Box::new(part));
    let ratio = Node::Arithmetic(Operation::Divide, Box::new(hundred), Box::new(all.clone()));
    // Of nothing there is no percentage, whatever else `x / 0` is.
    let nothing = Node::Compare(Comparison::Equal, Box::new(all), number(0.0));
    Ok(Node::If(Box::new(nothing), Box::new(Node::NULL), Box::new(ratio)))
}

fn filter(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let inner = arguments.inner()?;
    let condition = planner.condition(arguments, 1)?;
    planner.filtered(inner, condition)
}

fn rate(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let inner = arguments.inner()?;
    let per_ms = arguments.duration(1)?.unwrap_or(planner.ground.default_rate_ms);
    Ok(Node::Rate(Box::new(planner.compile(inner, Place::Group)?), per_ms))
}

/// Without a span: the end of the window itself.
fn predict(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let after_ms = arguments.duration(1)?.unwrap_or(0.0);
    planner.of_value(arguments, |value| Function::Predict(value, after_ms))
}

fn apdex(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let limit = arguments.number(1, "t")?.unwrap_or(APDEX_DEFAULT);
    planner.of_value(arguments, |value| Function::Apdex(value, limit))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn histogram(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let width = arguments.number(1, "width")?.unwrap_or(10.0);
    let buckets = arguments.number(2, "buckets")?.unwrap_or(40.0);
    let start = arguments.number(3, "start")?.unwrap_or(0.0);
    if width <= 0.0 || !(1.0..=HISTOGRAM_BUCKETS_MAX as f64).contains(&buckets) {
        return Err(arguments.refuse(&format!("takes a width above 0 and 1 to {HISTOGRAM_BUCKETS_MAX} buckets")));
    }
    planner.of_value(arguments, |value| Function::Histogram { value, width, buckets: buckets as usize, start })
}

fn funnel(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let steps = (1..arguments.places.len()).map(|at| planner.condition(arguments, at)).collect::<Result<Vec<Node>, _>>()?;
    if !(2..=FUNNEL_STEPS_MAX).contains(&steps.len()) {
        return Err(arguments.refuse(&format!("takes a value and 2 to {FUNNEL_STEPS_MAX} conditions")));
    }
    planner.of_value(arguments, |value| Function::Funnel(value, steps.clone()))
}

fn share(planner: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    let limits = arguments.numbers(1)?;
    if !(1..=THRESHOLDS_MAX).contains(&limits.len()) {
        return Err(arguments.refuse(&format!("takes a value and 1 to {THRESHOLDS_MAX} thresholds")));
    }
    planner.of_value(arguments, |value| Function::Share(value, limits.clone()))
}

fn refuse(_: &mut Planner<'_>, arguments: &Arguments<'_>) -> Result<Node, QueryError> {
    Err(QueryError::elsewhere(arguments.span, arguments.name))
}
