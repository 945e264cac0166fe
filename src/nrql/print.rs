//! A tree as text.
//!
//! In: a tree. Out: its text in one line: key words in capitals, clauses always in the same order, parentheses only where the
//! tree would be another without them. What always holds: the text of a tree that was read reads back as an equal tree.

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{
    Among, Argument, Call, Cases, Duration, Expr, ExprKind, Facet, FacetItem, IsWhat, Join, Key, Limit, Moment, Name, NamedValue,
    Offset, OrderItem, Predict, Query, SelectItem, Selected, Source, Statement, Text, Timeseries, UnaryOp, Unit, Variable, Width,
};
use super::operator::{self, Strength};
use super::{lexer, words};

/// Items with commas between them.
fn list<T: Display>(out: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.write_str(", ")?;
        }
        item.fmt(out)?;
    }
    Ok(())
}

/// `KEYWORD value`, if there is a value.
fn clause<T: Display>(out: &mut Formatter<'_>, word: &str, value: Option<&T>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(out, " {word} {value}"))
}

/// A text in quotes.
fn quoted(out: &mut Formatter<'_>, said: &str) -> fmt::Result {
    out.write_str(&text(said))
}

/// A text in quotes.
pub(super) fn text(said: &str) -> String {
    format!("'{}'", escaped(said, '\''))
}

/// A text as it stands between such quotes. A back-slash is doubled only where it would take the meaning off what follows, so
/// that patterns stay readable.
pub(super) fn escaped(said: &str, quote: char) -> String {
    let mut text = String::with_capacity(said.len());
    let mut chars = said.chars().peekable();
    while let Some(c) = chars.next() {
        let special = c == quote || c == '\\' && chars.peek().is_none_or(|next| *next == '\\' || *next == quote);
        if special {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// A name, bare if it reads as one everywhere.
fn name(out: &mut Formatter<'_>, name: &str) -> fmt::Result {
    if lexer::is_bare(name) && !words::has_meaning(name) { out.write_str(name) } else { write!(out, "`{name}`") }
}

/// ` AS name`. A name with blanks stands in quotes, as people write it.
fn alias(out: &mut Formatter<'_>, alias: &Name) -> fmt::Result {
    out.write_str(" AS ")?;
    new_name(out, alias)
}

fn new_name(out: &mut Formatter<'_>, new: &Name) -> fmt::Result {
    if lexer::is_bare(&new.text) && !words::has_meaning(&new.text) { name(out, &new.text) } else { quoted(out, &new.text) }
}

/// ` AS name` or ` AS (name, name)`.
fn aliases(out: &mut Formatter<'_>, names: &[Name]) -> fmt::Result {
    match names {
        [] => Ok(()),
        [one] => alias(out, one),
        several => {
            out.write_str(" AS (")?;
            for (place, one) in several.iter().enumerate() {
                out.write_str(if place > 0 { ", " } else { "" })?;
                new_name(out, one)?;
            }
            out.write_char(')')
        }
    }
}

impl Display for Statement {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(query) => query.fmt(out),
            Self::ShowEventTypes { since, until } => {
                out.write_str("SHOW EVENT TYPES")?;
                clause(out, "SINCE", since.as_ref())?;
                clause(out, "UNTIL", until.as_ref())
            }
        }
    }
}

impl Display for Query {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            out.write_str("WITH ")?;
            list(out, &self.variables)?;
            out.write_char(' ')?;
        }
        out.write_str("SELECT ")?;
        list(out, &self.select)?;
        if !self.from.is_empty() {
            out.write_str(" FROM ")?;
            list(out, &self.from)?;
        }
        self.joins.iter().try_for_each(|join| join.fmt(out))?;
        for condition in &self.conditions {
            write!(out, " WHERE {condition}")?;
        }
        // Before `FACET`: behind it, it would belong to it.
        if !self.order_by.is_empty() {
            out.write_str(" ORDER BY ")?;
            list(out, &self.order_by)?;
        }
        clause(out, "FACET", self.facet.as_ref())?;
        clause(out, "LIMIT", self.limit.as_ref())?;
        clause(out, "OFFSET", self.offset.as_ref())?;
        clause(out, "SINCE", self.since.as_ref())?;
        clause(out, "UNTIL", self.until.as_ref())?;
        clause(out, "COMPARE WITH", self.compare.as_ref())?;
        clause(out, "WITH TIMEZONE", self.timezone.as_ref())?;
        clause(out, "TIMESERIES", self.timeseries.as_ref())?;
        out.write_str(if self.extrapolate { " EXTRAPOLATE" } else { "" })?;
        if let Some(predict) = &self.predict {
            predict.fmt(out)?;
        }
        clause(out, "WITH METRIC_FORMAT", self.metric_format.as_ref())?;
        out.write_str(if self.raw { " RAW" } else { "" })?;
        self.templates.iter().try_for_each(|name| {
            out.write_char(' ')?;
            template(out, &name.text)
        })
    }
}

impl Display for Name {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        name(out, &self.text)
    }
}

impl Display for Text {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.template { out.write_str(&self.text) } else { quoted(out, &self.text) }
    }
}

impl Display for SelectItem {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            Selected::All(_) => out.write_char('*')?,
            Selected::Value(value) => value.fmt(out)?,
        }
        aliases(out, &self.alias)
    }
}

impl Display for Source {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) => name.fmt(out),
            Self::Template(name) => template(out, &name.text),
            Self::Lookup(table) => write!(out, "lookup({table})"),
            Self::Query(query) => write!(out, "({query})"),
        }
    }
}

fn template(out: &mut Formatter<'_>, name: &str) -> fmt::Result {
    write!(out, "{{{{{name}}}}}")
}

impl Display for Join {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, " {} ({}) ON ", if self.left { "LEFT JOIN" } else { "JOIN" }, self.query)?;
        within(out, &self.key, Strength::Sum)?;
        self.column.as_ref().map_or(Ok(()), |column| write!(out, " = {column}"))
    }
}

impl Display for Facet {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        list(out, &self.items)?;
        clause(out, "ORDER BY", self.order_by.as_ref())
    }
}

impl Display for FacetItem {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)?;
        self.alias.as_ref().map_or(Ok(()), |name| alias(out, name))
    }
}

impl Display for OrderItem {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)?;
        out.write_str(if self.descending { " DESC" } else { "" })
    }
}

impl Display for Limit {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(out),
            Self::Max => out.write_str("MAX"),
            Self::Template(name) => template(out, &name.text),
        }
    }
}

impl Display for Offset {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(out),
            Self::Template(name) => template(out, &name.text),
        }
    }
}

impl Display for Moment {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => out.write_str("NOW"),
            Self::Ago(duration) => write!(out, "{duration} AGO"),
            Self::Epoch(milliseconds) => milliseconds.fmt(out),
            Self::Day { day, at } => {
                let word = words::DAYS.iter().find(|(_, one)| one == day).map_or("", |(word, _)| word);
                out.write_str(word)?;
                clause(out, "AT", at.as_ref())
            }
            Self::This(unit) => write!(out, "THIS {unit}"),
            Self::Last(unit) => write!(out, "LAST {unit}"),
            Self::Text(text) => text.fmt(out),
            Self::Template(name) => template(out, &name.text),
            Self::TemplateAgo { name, unit } => {
                template(out, &name.text)?;
                unit.as_ref().map_or(Ok(()), |unit| write!(out, " {unit}s"))?;
                out.write_str(" AGO")
            }
        }
    }
}

impl Display for Unit {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let word = words::UNITS.iter().find(|(_, one)| one == self).map_or("", |(word, _)| word);
        out.write_str(&word.to_ascii_lowercase())
    }
}

impl Display for Duration {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        number(out, self.count)?;
        #[expect(clippy::float_cmp, reason = "exactly one")]
        let plural = if self.count == 1.0 { "" } else { "s" };
        write!(out, " {}{plural}", self.unit)
    }
}

impl Display for Timeseries {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.width.fmt(out)?;
        clause(out, "SLIDE BY", self.slide.as_ref())
    }
}

impl Display for Width {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str("AUTO"),
            Self::Max => out.write_str("MAX"),
            Self::Exact(duration) => duration.fmt(out),
            Self::Template(name) => template(out, &name.text),
            Self::TemplateUnits { name, unit } => {
                template(out, &name.text)?;
                write!(out, " {unit}s")
            }
        }
    }
}

impl Display for Variable {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)?;
        aliases(out, &self.names)
    }
}

impl Display for Predict {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(" PREDICT")?;
        if let Some(arguments) = &self.holtwinters {
            out.write_str(" HOLTWINTERS(")?;
            list(out, arguments)?;
            out.write_char(')')?;
        }
        clause(out, "BY", self.by.as_ref())?;
        clause(out, "USING", self.using.as_ref())
    }
}

/// A number that reads back as the same.
fn number(out: &mut Formatter<'_>, number: f64) -> fmt::Result {
    let plain = number == 0.0 || (1e-6..1e15).contains(&number.abs());
    if plain { write!(out, "{number}") } else { write!(out, "{number:e}") }
}

/// An expression, in parentheses if it binds weaker than its place asks.
fn within(out: &mut Formatter<'_>, value: &Expr, weakest: Strength) -> fmt::Result {
    // `CASES(…)` in front of an `OR` would take it as its own.
    let takes = weakest == Strength::Or && matches!(value.kind, ExprKind::Cases(_));
    if takes || operator::strength_of(&value.kind) < weakest { write!(out, "({value})") } else { value.fmt(out) }
}

impl Display for Expr {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(value) => number(out, *value),
            ExprKind::Text(text) => quoted(out, text),
            ExprKind::Raw(text) => write!(out, "r'{text}'"),
            ExprKind::Bool(value) => out.write_str(if *value { "TRUE" } else { "FALSE" }),
            ExprKind::Null => out.write_str("NULL"),
            ExprKind::Template(name) => template(out, name),
            ExprKind::Name(text) => name(out, text),
            ExprKind::Call(call) => call.fmt(out),
            ExprKind::Cases(cases) => cases.fmt(out),
            ExprKind::Index { value, key } => {
                within(out, value, Strength::Value)?;
                write!(out, "[{key}]")
            }
            ExprKind::Unary(op, value) => {
                let (sign, weakest) = match op {
                    UnaryOp::Not => ("NOT ", Strength::Not),
                    UnaryOp::Minus => ("-", Strength::Sign),
                    UnaryOp::Plus => ("+", Strength::Sign),
                };
                out.write_str(sign)?;
                // `--` would start a comment.
                let comment = *op == UnaryOp::Minus && matches!(value.kind, ExprKind::Unary(UnaryOp::Minus, _));
                out.write_str(if comment { " " } else { "" })?;
                within(out, value, weakest)
            }
            ExprKind::Binary(op, left, right) => {
                let strength = operator::strength_of_binary(*op);
                within(out, left, strength)?;
                write!(out, " {} ", operator::sign(*op))?;
                within(out, right, strength.tighter())
            }
            ExprKind::Is { value, negated, what } => {
                within(out, value, Strength::Comparison)?;
                let what = match what {
                    IsWhat::Null => "NULL",
                    IsWhat::True => "TRUE",
                    IsWhat::False => "FALSE",
                };
                write!(out, " IS {}{what}", not(*negated))
            }
            ExprKind::In { value, negated, among } => {
                within(out, value, Strength::Comparison)?;
                write!(out, " {}IN {among}", not(*negated))
            }
            ExprKind::Like { value, negated, pattern } => {
                within(out, value, Strength::Comparison)?;
                write!(out, " {}LIKE ", not(*negated))?;
                within(out, pattern, Strength::Sum)
            }
            ExprKind::Rlike { value, negated, pattern } => {
                within(out, value, Strength::Comparison)?;
                write!(out, " {}RLIKE ", not(*negated))?;
                within(out, pattern, Strength::Sum)
            }
            ExprKind::Query(query) => write!(out, "({query})"),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

impl Display for Among {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => {
                out.write_char('(')?;
                list(out, values)?;
                out.write_char(')')
            }
            Self::Query(query) => write!(out, "({query})"),
            Self::Template(name) => template(out, &name.text),
        }
    }
}

impl Display for Key {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => position.fmt(out),
            Self::Field(field) => quoted(out, field),
        }
    }
}

impl Display for Call {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        // Never in back-ticks: a name in them is an attribute.
        write!(out, "{}(", self.name.text)?;
        list(out, &self.arguments)?;
        out.write_char(')')
    }
}

impl Display for Cases {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str("CASES(")?;
        for (place, case) in self.cases.iter().enumerate() {
            write!(out, "{}WHERE {}", if place > 0 { ", " } else { "" }, case.condition)?;
            case.alias.as_ref().map_or(Ok(()), |name| alias(out, name))?;
        }
        out.write_char(')')?;
        self.otherwise.as_ref().map_or(Ok(()), |otherwise| write!(out, " OR {otherwise}"))
    }
}

impl Display for Argument {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) => out.write_char('*'),
            Self::Value(value) => value.fmt(out),
            Self::Where { condition, alias: name } => {
                write!(out, "WHERE {condition}")?;
                name.as_ref().map_or(Ok(()), |name| alias(out, name))
            }
            Self::Named { name, value } => write!(out, "{name}: {value}"),
            Self::Duration(duration, _) => duration.fmt(out),
        }
    }
}

impl Display for NamedValue {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(out),
            Self::Duration(duration, _) => duration.fmt(out),
            Self::Names(names) => {
                out.write_char('{')?;
                list(out, names)?;
                out.write_char('}')
            }
        }
    }
}
