//! The fast way: many rows of one segment at once.
//!
//! In: a node, a segment and which of its rows. Out: a [`Vector`], the truths, or the rows that satisfy. What always holds: numbers
//! are compared and computed in loops over slices; what reads coded columns alone is remembered; the rest goes row by row.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::super::cost::Cost;
use super::super::relation::{Member, Relation, TIMESTAMP};
use super::super::value::Value;
use super::Node;
use super::memo::{Memory, MemoryKey};
use super::operator::{Truth, number_of};
use super::scalar::{self, Row, Scalars};
use super::vector::{Coding, Vector};
use crate::lab::store::Segment;
use crate::lab::store::hash::QuickMap;

/// A segment of one of a relation's tables.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Batch<'b> {
    pub(in super::super) relation: &'b Relation,
    pub(in super::super) table: usize,
    pub(in super::super) segment: &'b Segment,
}

/// How a column's values are held in a batch.
pub(super) enum Coded<'b> {
    /// No row has a value.
    Nothing,
    /// Codes of texts alone.
    Texts(&'b [i32]),
    /// Codes of lists alone.
    Lists(&'b [i32]),
    /// Something else.
    Uncoded,
}

impl<'b> Batch<'b> {
    /// The table's position in the relation.
    pub(in super::super) fn member(&self) -> usize {
        self.table
    }

    /// The table.
    pub(in super::super) fn table(&self) -> Option<&'b Member> {
        self.relation.members.get(self.table)
    }

    fn position(&self, column: usize) -> Option<usize> {
        self.table().and_then(|member| member.positions.get(column).copied().flatten())
    }

    pub(super) fn coded(&self, column: usize) -> Coded<'b> {
        let part = self.position(column).and_then(|position| self.segment.part(position));
        match part {
            None => Coded::Nothing,
            Some(part) if part.kinds() == 1 => match (&part.text, &part.other) {
                (Some(codes), _) => Coded::Texts(codes.values()),
                (_, Some(codes)) => Coded::Lists(codes.values()),
                _ => Coded::Uncoded,
            },
            Some(_) => Coded::Uncoded,
        }
    }

    /// What a code of a coded column stands for.
    pub(super) fn entry(&self, column: usize, code: i32) -> Value {
        let view = self.position(column).zip(self.table()).and_then(|(position, member)| member.view.columns().get(position));
        let Some(view) = view else { return Value::Null };
        match self.coded(column) {
            Coded::Texts(_) => Coding::Texts(&view.texts).value(code),
            Coded::Lists(_) => Coding::Lists(&view.others).value(code),
            Coded::Nothing | Coded::Uncoded => Value::Null,
        }
    }

    /// The value of a column in a row.
    pub(in super::super) fn value(&self, column: usize, row: u32) -> Value {
        let found = self.position(column).zip(self.table());
        found.map_or(Value::Null, |(position, member)| member.view.value(self.segment, position, row as usize))
    }

    /// The column that is `timestamp`, where that is not when the row happened: rows that a query made may have an item of that name.
    pub(in super::super) fn own_timestamp(&self) -> Option<usize> {
        self.table().filter(|member| !member.windowed).and_then(|member| member.view.position(TIMESTAMP))
    }

    /// A column of the batch.
    fn column(&self, column: usize, rows: &[u32]) -> Vector<'b> {
        self.position(column).map_or(Vector::Constant(Value::Null), |position| self.at(position, rows))
    }

    /// The column at a position of the table.
    fn at(&self, position: usize, rows: &[u32]) -> Vector<'b> {
        let Some(member) = self.table() else { return Vector::Constant(Value::Null) };
        let Some((part, view)) = self.segment.part(position).zip(member.view.columns().get(position)) else {
            return Vector::Constant(Value::Null);
        };
        let source = |lists| (usize::MAX, self.table, lists);
        match (part.kinds(), &part.text, &part.number, &part.other) {
            (1, Some(codes), _, _) => {
                Vector::Codes { codes: Cow::Borrowed(codes.values()), entries: Coding::Texts(&view.texts), source: source(0) }
            }
            (1, _, Some(numbers), _) => Vector::Numbers(Cow::Borrowed(numbers.values())),
            (1, _, _, Some(codes)) => {
                Vector::Codes { codes: Cow::Borrowed(codes.values()), entries: Coding::Lists(&view.others), source: source(1) }
            }
            _ => Vector::Values(spread(self.segment.rows(), rows, |row| member.view.value(self.segment, position, row as usize))),
        }
    }
}

/// A place for every row of a segment, computed for some.
fn spread(rows_in_segment: usize, rows: &[u32], mut value: impl FnMut(u32) -> Value) -> Vec<Value> {
    let mut values = vec![Value::Null; rows_in_segment];
    for row in rows {
        if let Some(place) = values.get_mut(*row as usize) {
            *place = value(*row);
        }
    }
    values
}

/// Marks the source of codes that stand for cases first.
const CASES: u32 = 1 << 16;

/// Computes expressions over one relation.
#[derive(Debug)]
pub(in super::super) struct Evaluator {
    pub(super) scalars: Scalars,
    pub(super) memories: RefCell<QuickMap<MemoryKey, Memory>>,
    /// How many vectors of codes were made that are of one segment alone.
    pub(super) segment_codes: Cell<usize>,
    cost: Option<Rc<Cost>>,
}

/// One row of a batch.
pub(super) struct BatchRow<'r, 'b> {
    pub(super) evaluator: &'r Evaluator,
    pub(super) batch: &'r Batch<'b>,
    pub(super) row: u32,
}

impl Row for BatchRow<'_, '_> {
    fn column(&self, column: usize) -> Value {
        self.batch.value(column, self.row)
    }

    fn timestamp(&self) -> Value {
        if let (Some(position), Some(member)) = (self.batch.own_timestamp(), self.batch.table()) {
            return member.view.value(self.batch.segment, position, self.row as usize);
        }
        self.batch.segment.timestamps().get(self.row as usize).map_or(Value::Null, |ms| Value::Number(*ms as f64))
    }

    fn event_type(&self) -> Value {
        self.batch.table().map_or(Value::Null, |member| Value::Text(Arc::clone(member.view.name())))
    }

    fn remembered(&self, node: &Node) -> Option<Value> {
        self.evaluator.calendar_at(node, self)
    }
}

impl Evaluator {
    pub(in super::super) fn new(scalars: Scalars) -> Self {
        Self { scalars, memories: RefCell::default(), segment_codes: Cell::new(0), cost: None }
    }

    /// With what the query has cost: once it is to end, everything is nothing, quickly; whoever asked for it asks the cost too.
    pub(in super::super) fn charged(self, cost: &Rc<Cost>) -> Self {
        Self { cost: Some(Rc::clone(cost)), ..self }
    }

    /// One step of a loop; false once the query is to end.
    pub(super) fn step(&self) -> bool {
        self.cost.as_ref().is_none_or(|cost| cost.step())
    }

    /// Whether the query goes on after a loop over many rows.
    fn goes_on(&self) -> bool {
        self.cost.as_ref().is_none_or(|cost| cost.check().is_ok())
    }

    /// A value is remembered.
    pub(super) fn hold(&self, value: &Value) {
        if let Some(cost) = &self.cost {
            cost.hold(64 + value.as_text().map_or(0, |text| text.len() as u64));
        }
    }

    /// What every row shares.
    pub(in super::super) fn scalars(&self) -> &Scalars {
        &self.scalars
    }

    /// The value in one row, the slow way.
    pub(in super::super) fn value(&self, node: &Node, batch: &Batch<'_>, row: u32) -> Value {
        if !self.step() {
            return Value::Null;
        }
        scalar::value(&self.scalars, node, &BatchRow { evaluator: self, batch, row })
    }

    fn truth(&self, node: &Node, batch: &Batch<'_>, row: u32) -> Truth {
        if !self.step() {
            return Truth::Unknown;
        }
        scalar::truth(&self.scalars, node, &BatchRow { evaluator: self, batch, row })
    }

    /// The values in some rows.
    pub(in super::super) fn vector<'b>(&self, node: &Node, batch: &Batch<'b>, rows: &[u32]) -> Vector<'b> {
        let size = batch.segment.rows();
        if !self.goes_on() {
            return Vector::Constant(Value::Null);
        }
        match node {
            Node::Constant(value) => Vector::Constant(value.clone()),
            Node::Column(column) => batch.column(*column, rows),
            Node::Timestamp => match batch.own_timestamp() {
                Some(position) => batch.at(position, rows),
                None => Vector::Numbers(batch.segment.timestamps().iter().map(|ms| *ms as f64).collect()),
            },
            Node::EventType => Vector::Constant(BatchRow { evaluator: self, batch, row: 0 }.event_type()),
            Node::Memo { id, columns, node } => match self.remembered_values((*id, columns, node), batch, rows) {
                Some(remembered) => Vector::remembered(remembered),
                None => self.vector(node, batch, rows),
            },
            Node::Calendar { .. } => {
                self.calendar_values(node, batch, rows).map_or(Vector::Constant(Value::Null), Vector::remembered)
            }
            Node::Minus(one) => {
                let numbers = self.numbers(one, batch, rows);
                Vector::Numbers(numbers.iter().map(|number| -number).collect())
            }
            Node::Arithmetic(operation, one, two) => {
                let (one, two) = (self.numbers(one, batch, rows), self.numbers(two, batch, rows));
                let by_zero = self.scalars.switches.division_by_zero;
                Vector::Numbers(one.iter().zip(two.iter()).map(|(one, two)| operation.numbers(*one, *two, by_zero)).collect())
            }
            Node::Coalesce(one, two) => match self.vector(one, batch, rows) {
                Vector::Constant(Value::Null) => self.vector(two, batch, rows),
                first if first.is_numeric() => {
                    let second = self.vector(two, batch, rows);
                    if second.is_numeric() {
                        let (one, two) = (first.numbers(size, rows, number_of), second.numbers(size, rows, number_of));
                        return Vector::Numbers(
                            one.iter().zip(two.iter()).map(|(one, two)| if one.is_nan() { *two } else { *one }).collect(),
                        );
                    }
                    merge(size, rows, &first, &second)
                }
                first => merge(size, rows, &first, &self.vector(two, batch, rows)),
            },
            Node::If(condition, then, otherwise) => self.choice((condition, then, otherwise), batch, rows),
            Node::Call(call) => self.call_vector(call, batch, rows),
            Node::Cases(cases, otherwise) => self.cases(cases, otherwise, batch, rows),
            _ => Vector::Values(spread(size, rows, |row| self.value(node, batch, row))),
        }
    }

    fn choice<'b>(&self, (condition, then, otherwise): (&Node, &Node, &Node), batch: &Batch<'b>, rows: &[u32]) -> Vector<'b> {
        let size = batch.segment.rows();
        let holds = self.select(condition, batch, rows);
        let (then, otherwise) = (self.vector(then, batch, rows), self.vector(otherwise, batch, rows));
        if then.is_numeric() && otherwise.is_numeric() {
            let mut numbers = otherwise.numbers(size, rows, number_of).into_owned();
            let then = then.numbers(size, rows, number_of);
            for row in holds.iter().filter_map(|position| rows.get(*position as usize)) {
                if let (Some(number), Some(chosen)) = (numbers.get_mut(*row as usize), then.get(*row as usize)) {
                    *number = *chosen;
                }
            }
            return Vector::Numbers(Cow::Owned(numbers));
        }
        let mut values = spread(size, rows, |row| otherwise.value(row));
        for row in holds.iter().filter_map(|position| rows.get(*position as usize)) {
            if let Some(value) = values.get_mut(*row as usize) {
                *value = then.value(*row);
            }
        }
        Vector::Values(values)
    }

    fn cases<'b>(&self, cases: &[(Node, Value)], otherwise: &Node, batch: &Batch<'b>, rows: &[u32]) -> Vector<'b> {
        let mut codes = vec![-1; batch.segment.rows()];
        let mut left = rows.to_vec();
        for (code, (condition, _)) in (0_i32..).zip(cases) {
            let holds = self.select(condition, batch, &left);
            for row in holds.iter().filter_map(|position| left.get(*position as usize)) {
                if let Some(place) = codes.get_mut(*row as usize) {
                    *place = code;
                }
            }
            let mut holds = holds.into_iter().peekable();
            let mut position = 0;
            left.retain(|_| {
                let taken = holds.next_if_eq(&position).is_some();
                position += 1;
                !taken
            });
        }
        let names: Vec<Value> = cases.iter().map(|(_, name)| name.clone()).collect();
        let name = |code: i32| usize::try_from(code).ok().and_then(|code| names.get(code)).cloned();
        if let Node::Constant(otherwise) = otherwise {
            let entries = std::iter::once(otherwise.clone()).chain(names).map(Some).collect();
            let source = (usize::MAX, 0, CASES);
            return Vector::Codes { codes: Cow::Owned(codes), entries: Coding::Memory(Rc::new(entries)), source };
        }
        let rest = self.vector(otherwise, batch, &left);
        if let Vector::Codes { codes: of_rest, entries, source: (id, table, lists) } = rest {
            let first = i32::try_from(names.len()).unwrap_or(i32::MAX);
            for row in &left {
                if let (Some(place), Some(code)) = (codes.get_mut(*row as usize), of_rest.get(*row as usize)) {
                    *place = if *code < 0 { -1 } else { code + first };
                }
            }
            let entries = Coding::Cases(names, Box::new(entries));
            return Vector::Codes { codes: Cow::Owned(codes), entries, source: (id, table, lists | CASES) };
        }
        Vector::Values(spread(batch.segment.rows(), rows, |row| {
            codes.get(row as usize).and_then(|code| name(*code)).unwrap_or_else(|| rest.value(row))
        }))
    }

    /// The values as numbers; NaN where there is none.
    pub(in super::super) fn numbers<'b>(&self, node: &Node, batch: &Batch<'b>, rows: &[u32]) -> Cow<'b, [f64]> {
        self.numbers_by(node, batch, rows, number_of)
    }

    /// The values as the numbers `pick` makes of them.
    pub(in super::super) fn numbers_by<'b>(
        &self,
        node: &Node,
        batch: &Batch<'b>,
        rows: &[u32],
        pick: fn(&Value) -> f64,
    ) -> Cow<'b, [f64]> {
        self.vector(node, batch, rows).numbers(batch.segment.rows(), rows, pick)
    }

    /// The positions in `rows` at which a condition holds, in order.
    pub(in super::super) fn select(&self, node: &Node, batch: &Batch<'_>, rows: &[u32]) -> Vec<u32> {
        let mut holds = Vec::new();
        match node {
            Node::And(one, two) => {
                let first = self.select(one, batch, rows);
                let left: Vec<u32> = first.iter().filter_map(|position| rows.get(*position as usize).copied()).collect();
                let second = self.select(two, batch, &left);
                return second.iter().filter_map(|position| first.get(*position as usize).copied()).collect();
            }
            _ => self.each_truth(node, batch, rows, &mut |position, truth| {
                if truth == Truth::True {
                    holds.push(position);
                }
            }),
        }
        holds
    }

    /// The truth at every position of `rows`, in order.
    fn each_truth(&self, node: &Node, batch: &Batch<'_>, rows: &[u32], each: &mut dyn FnMut(u32, Truth)) {
        match node {
            Node::Memo { id, columns, node: inner } => {
                if !self.remembered_truths((*id, columns, inner), batch, rows, &mut *each) {
                    self.each_truth(inner, batch, rows, each);
                }
            }
            Node::And(one, two) | Node::Or(one, two) => {
                let mut first = Vec::with_capacity(rows.len());
                self.each_truth(one, batch, rows, &mut |_, truth| first.push(truth));
                let both: fn(Truth, Truth) -> Truth = if matches!(node, Node::And(..)) { Truth::and } else { Truth::or };
                self.each_truth(two, batch, rows, &mut |position, truth| {
                    each(position, both(first.get(position as usize).copied().unwrap_or(Truth::Unknown), truth));
                });
            }
            Node::Compare(comparison, one, two) => {
                let (first, second) = (self.vector(one, batch, rows), self.vector(two, batch, rows));
                if first.is_numeric() && second.is_numeric() && !self.scalars.switches.null_satisfies_negation {
                    let size = batch.segment.rows();
                    let (first, second) = (first.numbers(size, rows, number_of), second.numbers(size, rows, number_of));
                    for (position, row) in (0_u32..).zip(rows) {
                        let pair = first.get(*row as usize).zip(second.get(*row as usize));
                        each(position, pair.map_or(Truth::Unknown, |(one, two)| comparison.numbers(*one, *two)));
                    }
                    return;
                }
                let null_satisfies = self.scalars.switches.null_satisfies_negation;
                for (position, row) in (0_u32..).zip(rows) {
                    each(position, comparison.values(&first.value(*row), &second.value(*row), null_satisfies));
                }
            }
            Node::IsNull(one) => {
                let values = self.vector(one, batch, rows);
                (0_u32..).zip(rows).for_each(|(position, row)| each(position, Truth::of(values.is_null(*row))));
            }
            Node::Not(one) if !self.scalars.switches.null_satisfies_negation => {
                self.each_truth(one, batch, rows, &mut |position, truth| each(position, truth.not()));
            }
            _ => (0_u32..).zip(rows).for_each(|(position, row)| each(position, self.truth(node, batch, *row))),
        }
    }
}

/// The first value that is there.
fn merge<'b>(rows_in_segment: usize, rows: &[u32], one: &Vector<'b>, two: &Vector<'b>) -> Vector<'b> {
    Vector::Values(spread(rows_in_segment, rows, |row| if one.is_null(row) { two.value(row) } else { one.value(row) }))
}
