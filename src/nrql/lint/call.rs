//! Calls of functions: which exist, what they take.

use super::super::ast::{Argument, Call, Expr, ExprKind, NamedValue, Span};
use super::super::function::{self, FUNCTIONS, Function, Kind as Over};
use super::kind::{self, Takes, Type};
use super::nearest::did_you_mean;
use super::scope::{Form, Scope};
use super::{Lint, aggregate_of, holds_aggregate, plain_arguments, rule, written};

/// Least and most of a precision (docs: uniqueCount).
const PRECISION: (f64, f64) = (256.0, 50_000.0);
/// Longest list of different values (docs: uniques).
const UNIQUES: f64 = 10_000.0;
/// Most buckets of a histogram (docs: histogram).
const HISTOGRAM_BUCKETS: f64 = 500.0;
/// Most arguments (docs: concat).
const CONCAT: usize = 20;
/// Longest prefix of an address (docs: cidrAddress; IPv4 only).
const PREFIX_BITS: f64 = 32.0;
/// Names that people write and no page has, and what stands for them there (reference, functions: undocumented but used).
const UNDOCUMENTED: [(&str, &str); 9] = [
    ("avg", "`average`"),
    ("ceiling", "`ceil`"),
    ("conditional", "`if`"),
    ("ifThen", "`if`"),
    ("irate", "`latestrate`"),
    ("deriv", "`derivative`"),
    ("datapointCount", "`count(*)`"),
    ("nativesizeestimate", "`bytecountestimate`"),
    ("histogramPercentile", "`bucketPercentile`"),
];
/// Aggregates that take an aggregate (docs: filter, percentage, rate).
const OF_AGGREGATES: [&str; 3] = ["filter", "percentage", "rate"];
/// Aggregates whose second argument is a time (docs: rate, derivative, predictLinear).
const PER_TIME: [&str; 6] = ["rate", "derivative", "predictLinear", "latestrate", "irate", "deriv"];
/// Aggregates that take `*` (docs: count; dashboards in use: the others).
const OF_ALL: [&str; 4] = ["count", "uniqueCount", "cardinality", "bytecountestimate"];

impl Lint<'_> {
    /// Judges one call, without what stands in it.
    pub(super) fn call(&mut self, call: &Call, scope: &Scope<'_>) {
        let name = call.name.span;
        if call.is_template() {
            return;
        }
        let Some(function) = function::function(&call.name.text) else {
            let known = FUNCTIONS.iter().flat_map(|function| [function.name].into_iter().chain(function.aliases.iter().copied()));
            let hint = did_you_mean(&call.name.text, known);
            self.tell(&rule::UNKNOWN_FUNCTION, name, format!("there is no function `{}`", call.name.text), hint);
            return;
        };
        if let Some((written, instead)) = UNDOCUMENTED.iter().find(|(written, _)| written.eq_ignore_ascii_case(&call.name.text)) {
            let message = format!("`{written}` is in no page of New Relic's");
            self.tell(&rule::UNDOCUMENTED, name, message, format!("say {instead}"));
        }
        self.arity(call, function);
        self.named(call, function);
        self.form(call, function);
        self.kinds_of(call, function, scope);
        self.time(call, function);
        self.limits_of(call, function);
        self.texts_of(call, function);
    }

    fn arity(&mut self, call: &Call, function: &Function) {
        let count = plain_arguments(&call.arguments).count();
        // What has a name has no place: `histogram(x, width: 10)`.
        if !function.takes(count) {
            let message = format!("`{}` takes {}, not {count}", function.name, arguments(&function.arity()));
            self.tell(&rule::WRONG_ARGUMENTS, call.name.span, message, "");
        }
    }

    fn named(&mut self, call: &Call, function: &Function) {
        for argument in &call.arguments {
            let Argument::Named { name, .. } = argument else { continue };
            if !function.named.iter().any(|known| known.eq_ignore_ascii_case(&name.text)) {
                let message = format!("`{}` has no argument `{}:`", function.name, name.text);
                let hint = match function.named {
                    [] => "it has none with a name".to_owned(),
                    known => format!("it has {}", known.iter().map(|name| format!("`{name}:`")).collect::<Vec<_>>().join(", ")),
                };
                self.tell(&rule::UNKNOWN_ARGUMENT, name.span, message, hint);
            }
        }
    }

    /// Arguments in the form that the function takes.
    fn form(&mut self, call: &Call, function: &Function) {
        for argument in &call.arguments {
            if let Argument::All(span) = argument
                && !OF_ALL.contains(&function.name)
            {
                let message = format!("`{}` takes no `*`", function.name);
                self.tell(&rule::WRONG_ARGUMENTS, *span, message, format!("there are {}", listed(&OF_ALL)));
            }
        }
        let first = plain_arguments(&call.arguments).next();
        if OF_AGGREGATES.contains(&function.name) {
            if let Some(Argument::Value(value)) = first
                && !holds_aggregate(value)
                && !matches!(value.kind, ExprKind::Template(_))
            {
                let message = format!("`{}` takes an aggregate, such as `count(*)`", function.name);
                self.tell(&rule::WRONG_ARGUMENTS, value.span, message, "");
            }
            if let Some(Argument::Value(second)) = plain_arguments(&call.arguments).nth(1)
                && function.name != "rate"
                && !matches!(second.kind, ExprKind::Template(_))
            {
                let message = format!("`{}` takes `WHERE` and a condition behind the aggregate", function.name);
                self.tell(&rule::WRONG_ARGUMENTS, second.span, message, "");
            }
        } else if function.kind == Over::Aggregate {
            self.of_rows(call, function);
        }
    }

    /// An aggregate is of rows, not of aggregates.
    fn of_rows(&mut self, call: &Call, function: &Function) {
        for argument in &call.arguments {
            let (Argument::Value(value) | Argument::Where { condition: value, .. }) = argument else { continue };
            if let Some(inner) = first_aggregate(value) {
                let message = format!("`{}` of `{}`: an aggregate is of rows", function.name, inner.0);
                let hint = format!("say `SELECT {}(x) FROM (SELECT {}(…) AS x FROM … FACET … LIMIT …)`", function.name, inner.0);
                self.tell(&rule::NESTED_AGGREGATE, inner.1, message, hint);
            }
        }
    }

    /// Each argument is of the kind that the function takes in its place.
    fn kinds_of(&mut self, call: &Call, function: &Function, scope: &Scope<'_>) {
        for (place, argument) in plain_arguments(&call.arguments).enumerate() {
            let Argument::Value(value) = argument else { continue };
            let found = kind::of(value, scope);
            let (wanted, hint) = match (kind::takes_at(function, place), found) {
                (Takes::Numbers, Some(Type::Text)) => ("numbers", "numeric"),
                (Takes::Numbers, Some(Type::Truth)) => ("numbers", "if"),
                (Takes::Texts, Some(Type::Number | Type::Truth)) => ("texts", "string"),
                (Takes::Lists, Some(Type::Text | Type::Number | Type::Truth)) => ("lists", ""),
                _ => continue,
            };
            let is = found.map_or("", Type::as_str);
            let behind = if place == 0 { "" } else { " in this place" };
            let message = format!("`{}` takes {wanted}{behind}; `{value}` is {is}", function.name);
            let hint = match hint {
                _ if place > 0 => String::new(),
                "" if kind::form(value, scope) == Form::List => {
                    format!("a list of ours is one text, `|a|b|`: say `{value} LIKE '{}'`", searched(call))
                }
                "" => String::new(),
                "if" => "say `if(…, 1, 0)`".to_owned(),
                convert => format!("if it holds {wanted}, say `{convert}(…)`"),
            };
            self.tell(&rule::WRONG_KIND, value.span, message, hint);
        }
    }

    /// The time that a slope or rate is of.
    fn time(&mut self, call: &Call, function: &Function) {
        if !PER_TIME.contains(&function.name) {
            return;
        }
        if let Some(Argument::Value(value)) = plain_arguments(&call.arguments).nth(1)
            && kind::number(value).is_none()
            && !matches!(value.kind, ExprKind::Template(_))
        {
            let message = format!("`{}` takes a time behind its first argument, not `{value}`", function.name);
            self.tell(&rule::WRONG_ARGUMENTS, value.span, message, "say `1 minute`, or a number of milliseconds");
        }
    }

    /// Limits and habits of single functions.
    fn limits_of(&mut self, call: &Call, function: &Function) {
        match function.name {
            "uniqueCount" => self.unique_count(call),
            "uniques" => self.between(call, "limit", 1, (1.0, UNIQUES), "values"),
            "histogram" => {
                self.between(call, "buckets", 2, (1.0, HISTOGRAM_BUCKETS), "buckets");
                if let Some((width, span)) = kind::argument_number(call, "width", 1)
                    && width <= 0.0
                {
                    let message = format!("a histogram {width} wide; a width above 0 is needed");
                    self.tell(&rule::OVER_LIMIT, span, message, "");
                }
            }
            "percentile" => {
                for argument in plain_arguments(&call.arguments).skip(1) {
                    if let Argument::Value(value) = argument
                        && let Some(percent) = kind::number(value)
                        && !(0.0..=100.0).contains(&percent)
                    {
                        self.tell(&rule::OVER_LIMIT, value.span, format!("percentile {percent}; 0 to 100 are allowed"), "");
                    }
                }
            }
            "cidrAddress" => self.between(call, "prefix", 1, (0.0, PREFIX_BITS), "bits"),
            "concat" => {
                let count = plain_arguments(&call.arguments).count();
                if count > CONCAT {
                    let message = format!("`concat` with {count} arguments; at most {CONCAT} are allowed");
                    self.tell(&rule::OVER_LIMIT, call.name.span, message, "");
                }
            }
            "count" => {
                if let Some(Argument::Value(Expr { kind: ExprKind::Text(text), span })) = call.arguments.first() {
                    let message = format!("`count('{text}')` counts every row");
                    self.tell(&rule::COUNT_OF_TEXT, *span, message, format!("say `count({text})` or `count(*)`"));
                }
            }
            _ => {}
        }
    }

    fn between(&mut self, call: &Call, name: &str, place: usize, (least, most): (f64, f64), of: &str) {
        if let Some((number, span)) = kind::argument_number(call, name, place)
            && !(least..=most).contains(&number)
        {
            let bound = if number > most { format!("at most {most}") } else { format!("at least {least}") };
            self.tell(&rule::OVER_LIMIT, span, format!("{number} {of}; {bound} are allowed"), "");
        }
    }

    fn unique_count(&mut self, call: &Call) {
        let precision = call.arguments.iter().find_map(|argument| match argument {
            Argument::Named { name, value } if name.text.eq_ignore_ascii_case("precision") => Some(value),
            _ => None,
        });
        let (least, most) = PRECISION;
        match precision {
            None => {
                let message = "`uniqueCount` is exact to 256 values only";
                self.tell(&rule::UNIQUE_COUNT_PRECISION, call.name.span, message, "say `precision: 50000`, or count rows");
            }
            Some(NamedValue::Value(value)) => {
                if let Some(number) = kind::number(value)
                    && !(least..=most).contains(&number)
                {
                    let message = format!("precision {number}; {least} to {most} are allowed");
                    self.tell(&rule::OVER_LIMIT, value.span, message, "");
                }
            }
            Some(_) => {}
        }
    }
}

/// The pattern of `LIKE` for what `contains` looks for.
fn searched(call: &Call) -> String {
    match call.arguments.get(1) {
        Some(Argument::Value(Expr { kind: ExprKind::Text(text), .. })) => written::item(text),
        _ => "%|…|%".to_owned(),
    }
}

/// `1 argument`, `2 to 3 arguments`.
fn arguments(arity: &str) -> String {
    if arity == "1" { "1 argument".to_owned() } else { format!("{arity} arguments") }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The outermost aggregate in an expression: its name and where it stands.
fn first_aggregate(value: &Expr) -> Option<(&'static str, Span)> {
    let mut first = None;
    super::walk::within(value, &mut |inner| {
        if first.is_none() {
            first = aggregate_of(inner).map(|function| (function.name, inner.span));
        }
    });
    first
}
