//! Calls: functions of the language itself, aggregates, functions of one row.

use jiff::tz::{Offset, TimeZone};

use super::super::error::QueryError;
use super::super::expression::{CallNode, Node};
use super::super::function::{self, RowFunction};
use super::super::value::Value;
use super::expression::{bare_name, field};
use super::{Place, Planner, aggregate};
use crate::nrql::ast::{Argument, Call, Expr, NamedValue, Span};
use crate::nrql::function::{Support, function as known};

/// Functions of the calendar, and for how many ms each gives the same where the clock stands at a quarter of an hour.
const CALENDAR: [(&str, f64); 10] = [
    ("yearOf", 900_000.0),
    ("quarterOf", 900_000.0),
    ("monthOf", 900_000.0),
    ("weekOf", 900_000.0),
    ("weekdayOf", 900_000.0),
    ("dateOf", 900_000.0),
    ("dayOfMonthOf", 900_000.0),
    ("daysInMonthOf", 900_000.0),
    ("hourOf", 900_000.0),
    ("minuteOf", 60_000.0),
];

/// For how many ms the clock of a zone shows the same at least, seconds aside. A region's offset from UTC is a whole number of minutes
/// since 1972, but may change at any minute (00:01 in St. John's).
fn quantum_of(zone: &TimeZone) -> f64 {
    match zone.to_fixed_offset().map(Offset::seconds) {
        Ok(seconds) if seconds % 900 == 0 => 900_000.0,
        Ok(seconds) if seconds % 60 != 0 => 1_000.0,
        _ => 60_000.0,
    }
}

impl Planner<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span, place: Place) -> Result<Node, QueryError> {
        let name = call.name.text.to_ascii_lowercase();
        if let Some(known) = known(&name).filter(|known| known.support == Support::Parsed) {
            return Err(QueryError::elsewhere(span, known.name));
        }
        match name.as_str() {
            "if" | "ifthen" | "conditional" => self.choice(call, span, place),
            "eventtype" => match place {
                Place::Row(_) => Ok(Node::EventType),
                Place::Group => Err(QueryError::at(span, "eventType() stands outside an aggregate: write latest(eventType())")),
            },
            "accountid" => match (self.ground.account_attribute, place) {
                (None, _) => Ok(Node::Constant(Value::Number(self.ground.account_id as f64))),
                (Some(attribute), Place::Row(_)) => Ok(Node::Column(self.column(attribute))),
                (Some(_), Place::Group) => Err(QueryError::at(
                    span,
                    "accountId() of several accounts stands outside an aggregate: write latest(accountId()) or FACET accountId()",
                )),
            },
            "getfield" if call.arguments.len() == 2 => {
                let (Some(value), Some(key)) = (expression(call, 0), expression(call, 1)) else {
                    return Err(QueryError::at(span, "getField takes a value and the name of a field"));
                };
                let value = self.compile(value, place)?;
                let key = match bare_name(key) {
                    Some(field) => Value::text(field),
                    None => match self.compile(key, place)? {
                        Node::Constant(key) => key,
                        _ => return Err(QueryError::at(span, "the field of getField is constant")),
                    },
                };
                Ok(field(value, key))
            }
            _ => match aggregate::find(&name) {
                Some(function) => match place {
                    Place::Group => self.aggregate_call(function, call, span),
                    Place::Row(clause) => Err(QueryError::at(
                        span,
                        format!("the aggregate {} stands in {clause}, which is computed for each row", function.name),
                    )),
                },
                None => match function::row(&name) {
                    Some(function) => self.function(function, call, span, place),
                    None => Err(QueryError::at(span, format!("unknown function `{}`", call.name.text))),
                },
            },
        }
    }

    /// `if(condition, then[, otherwise])`, `conditional(WHERE condition, then)`.
    fn choice(&mut self, call: &Call, span: Span, place: Place) -> Result<Node, QueryError> {
        let (2 | 3, Some(condition)) = (call.arguments.len(), expression(call, 0)) else {
            return Err(QueryError::at(span, "if takes a condition, a value and perhaps another value"));
        };
        let condition = self.compile(condition, place)?;
        let mut value = |at: usize| match expression(call, at) {
            Some(value) => self.compile(value, place).map(Box::new),
            None => Ok(Box::new(Node::NULL)),
        };
        let (then, otherwise) = (value(1)?, value(2)?);
        Ok(Node::If(Box::new(condition), then, otherwise))
    }

    /// A function of one row, or of one group if its arguments are aggregates.
    fn function(&mut self, function: &'static RowFunction, call: &Call, span: Span, place: Place) -> Result<Node, QueryError> {
        let mut arguments = Vec::new();
        let mut named = Vec::new();
        for (at, argument) in call.arguments.iter().enumerate() {
            match argument {
                Argument::Value(value) => match bare_name(value).filter(|_| function.word == Some(at)) {
                    Some(word) => arguments.push(Node::Constant(Value::text(word))),
                    None => arguments.push(self.compile(value, place)?),
                },
                Argument::Named { name, value: NamedValue::Value(value) } => {
                    if !function.named.iter().any(|known| known.eq_ignore_ascii_case(&name.text)) {
                        return Err(QueryError::at(name.span, format!("{} has no argument `{}`", function.name, name.text)));
                    }
                    named.push((name.text.clone(), self.compile(value, place)?));
                }
                Argument::Named { name, .. } => {
                    return Err(QueryError::at(name.span, format!("`{}` of {} takes a value", name.text, function.name)));
                }
                Argument::Duration(duration, _) => {
                    arguments.push(Node::Constant(Value::Number(super::super::time::span_ms(duration))));
                }
                Argument::All(span) => return Err(QueryError::at(*span, format!("{} does not take `*`", function.name))),
                Argument::Where { condition, .. } => {
                    return Err(QueryError::at(condition.span, format!("{} does not take WHERE", function.name)));
                }
            }
        }
        let (least, most) = (function.min_args, function.max_args);
        if !(least..=most).contains(&arguments.len()) {
            let allowed = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let found = arguments.len();
            return Err(QueryError::at(span, format!("{} takes {allowed} arguments, not {found}", function.name)));
        }
        let prepared = match arguments.get(1) {
            Some(Node::Constant(Value::Text(text))) => self.ground.cost.prepared(function, text, span)?,
            // An expression to compile for every row would cost more than any query is worth.
            Some(pattern) if pattern.reads_rows() && matches!(function.name, "capture" | "aparse") => {
                return Err(QueryError::at(span, format!("the pattern of {} is a constant text", function.name)));
            }
            _ => None,
        };
        let quantum = CALENDAR
            .iter()
            .find(|(name, _)| *name == function.name)
            .map(|(_, quantum)| quantum.min(quantum_of(&self.ground.scalars.context.zone)));
        let constant = arguments.iter().skip(1).all(|argument| matches!(argument, Node::Constant(_)));
        let node = CallNode { function, prepared, arguments, named };
        match (quantum, place, node.arguments.first()) {
            (Some(quantum_ms), Place::Row(_), Some(first)) if constant && first.reads_rows() => {
                let argument = Box::new(first.clone());
                Ok(Node::Calendar { id: self.memory(), quantum_ms, argument, call: Box::new(node) })
            }
            _ => Ok(Node::Call(Box::new(node))),
        }
    }
}

/// The expression of an argument, whether a value or a condition.
pub(super) fn expression(call: &Call, at: usize) -> Option<&Expr> {
    match call.arguments.get(at)? {
        Argument::Value(value) => Some(value),
        Argument::Where { condition, .. } => Some(condition),
        _ => None,
    }
}
