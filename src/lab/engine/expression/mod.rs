//! Expressions: computed for one row, or for many rows of a segment at once.
//!
//! In: [`Node`]s that the plan made, and rows. Out: values, truths, or the rows that satisfy a condition. What always holds: the
//! fast ways ([`Evaluator`]) give what the slow one ([`scalar`]) gives; an expression over texts alone is computed once for each
//! combination of texts, not for each row; nothing here fails: what makes no sense is null.

mod call;
mod evaluator;
mod memo;
mod operator;
mod scalar;
mod vector;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::function::{Like, Prepared, Rlike, RowFunction};
use super::value::{Key, Value};
use crate::lab::store::hash::QuickSet;

pub(super) use evaluator::{Batch, Evaluator};
pub(super) use memo::COLUMNS_MAX;
pub(super) use operator::{Comparison, Operation, number_of};
pub(super) use scalar::{Row, Scalars, value};
pub(super) use vector::{Coding, Vector};

/// An expression, ready to be computed. Names are positions of columns, functions are looked up, constant patterns compiled.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Always this.
    Constant(Value),
    /// A column of the relation.
    Column(usize),
    /// When the row happened, ms.
    Timestamp,
    /// The type of the row.
    EventType,
    /// The value of an aggregate. `whole`: as it is shown; else its number, where it has one.
    Aggregate { index: usize, whole: bool },
    /// Ms since 1970 when the bucket, or the window, ends.
    WindowEnd,
    /// A value of an aggregate for this many ms instead of for the bucket or window.
    Rate(Box<Self>, f64),
    /// Minus.
    Minus(Box<Self>),
    /// Two numbers.
    Arithmetic(Operation, Box<Self>, Box<Self>),
    /// Two values of a kind.
    Compare(Comparison, Box<Self>, Box<Self>),
    /// All.
    And(Box<Self>, Box<Self>),
    /// Any.
    Or(Box<Self>, Box<Self>),
    /// The opposite.
    Not(Box<Self>),
    /// The first that is there.
    Coalesce(Box<Self>, Box<Self>),
    /// `IS NULL`; negated by [`Node::Not`].
    IsNull(Box<Self>),
    /// `IS TRUE`, `IS FALSE`.
    IsBool(Box<Self>, bool),
    /// `IN` a list of constants, one of which may be missing.
    In(Box<Self>, Rc<QuickSet<Key>>),
    /// `IN` a list of expressions.
    InList(Box<Self>, Vec<Self>),
    /// `LIKE` a constant.
    Like(Box<Self>, Rc<Like>),
    /// `LIKE` an expression.
    LikeValue(Box<Self>, Box<Self>),
    /// `RLIKE` a constant.
    Rlike(Box<Self>, Rc<Rlike>),
    /// `if(condition, then, otherwise)`.
    If(Box<Self>, Box<Self>, Box<Self>),
    /// `CASES`: the name of the first condition that holds.
    Cases(Vec<(Self, Value)>, Box<Self>),
    /// A function of one row.
    Call(Box<CallNode>),
    /// One of several outputs: an item of a list, or an object's field of this name.
    Output(Box<Self>, usize, Rc<str>),
    /// The same expression, computed once for each combination of the texts of these columns.
    Memo { id: usize, columns: Vec<usize>, node: Box<Self> },
    /// A function of the calendar: computed once for each so many ms.
    Calendar { id: usize, quantum_ms: f64, argument: Box<Self>, call: Box<CallNode> },
}

/// A call of a function of one row.
#[derive(Debug, Clone)]
pub(super) struct CallNode {
    pub(super) function: &'static RowFunction,
    pub(super) prepared: Option<Rc<Prepared>>,
    pub(super) arguments: Vec<Node>,
    pub(super) named: Vec<(String, Node)>,
}

impl Node {
    /// Nothing.
    pub(super) const NULL: Self = Self::Constant(Value::Null);

    /// Whether it gives a truth: then `OR` beside it is logical, else it takes the first value that is there.
    pub(super) fn is_predicate(&self) -> bool {
        match self {
            Self::Constant(value) => matches!(value, Value::Bool(_)),
            Self::Compare(..)
            | Self::And(..)
            | Self::Or(..)
            | Self::Not(_)
            | Self::IsNull(_)
            | Self::IsBool(..)
            | Self::In(..)
            | Self::InList(..)
            | Self::Like(..)
            | Self::LikeValue(..)
            | Self::Rlike(..) => true,
            Self::Memo { node, .. } => node.is_predicate(),
            Self::Call(call) => matches!(call.function.name, "contains" | "boolean"),
            _ => false,
        }
    }

    /// What it is made of.
    pub(super) fn children(&self) -> Vec<&Self> {
        match self {
            Self::Constant(_)
            | Self::Column(_)
            | Self::Timestamp
            | Self::EventType
            | Self::Aggregate { .. }
            | Self::WindowEnd => Vec::new(),
            Self::Rate(one, _)
            | Self::Minus(one)
            | Self::Not(one)
            | Self::IsNull(one)
            | Self::IsBool(one, _)
            | Self::In(one, _)
            | Self::Like(one, _)
            | Self::Rlike(one, _)
            | Self::Output(one, ..)
            | Self::Memo { node: one, .. } => vec![one],
            Self::Arithmetic(_, one, two)
            | Self::Compare(_, one, two)
            | Self::And(one, two)
            | Self::Or(one, two)
            | Self::Coalesce(one, two)
            | Self::LikeValue(one, two) => vec![one, two],
            Self::InList(one, among) => std::iter::once(&**one).chain(among).collect(),
            Self::If(condition, then, otherwise) => vec![condition, then, otherwise],
            Self::Cases(cases, otherwise) => cases.iter().map(|(condition, _)| condition).chain([&**otherwise]).collect(),
            Self::Call(call) => call.nodes().collect(),
            Self::Calendar { argument, call, .. } => std::iter::once(&**argument).chain(call.nodes().skip(1)).collect(),
        }
    }

    /// Of how many parts it is made, itself included.
    pub(super) fn parts(&self) -> usize {
        1 + self.children().into_iter().map(Self::parts).sum::<usize>()
    }

    /// Whether it, or a part of it, is so.
    pub(super) fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self) || self.children().into_iter().any(|child| child.any(is))
    }

    /// The columns it reads, each once.
    pub(super) fn columns(&self) -> Vec<usize> {
        fn gather(node: &Node, columns: &mut Vec<usize>) {
            if let Node::Column(column) = node
                && !columns.contains(column)
            {
                columns.push(*column);
            }
            node.children().into_iter().for_each(|child| gather(child, columns));
        }
        let mut columns = Vec::new();
        gather(self, &mut columns);
        columns
    }

    /// Whether it differs from row to row.
    pub(super) fn reads_rows(&self) -> bool {
        self.any(&|node| matches!(node, Self::Column(_) | Self::Timestamp | Self::EventType))
    }

    /// Whether it holds an aggregate or what only a bucket has.
    pub(super) fn reads_aggregates(&self) -> bool {
        self.any(&|node| matches!(node, Self::Aggregate { .. } | Self::WindowEnd | Self::Rate(..)))
    }
}

impl CallNode {
    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.arguments.iter().chain(self.named.iter().map(|(_, node)| node))
    }
}
