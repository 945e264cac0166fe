//! Expressions: from tree to node.

use std::rc::Rc;

use super::super::error::QueryError;
use super::super::expression::{COLUMNS_MAX, Comparison, Node, Operation, Row};
use super::super::function::{self, Like};
use super::super::value::{Key as ValueKey, Value};
use super::{Place, Planner, aggregate, single};
use crate::nrql::ast::{Among, Argument, BinaryOp, Cases, Expr, ExprKind, IsWhat, Key, Span, UnaryOp};

/// Most levels of an expression with the variables of `WITH` put in: a tree is walked on the stack. As deep as a text alone can be.
const DEPTH_MAX: usize = crate::nrql::MAX_OPERATORS + 2 * crate::nrql::MAX_DEPTH;

/// No row: for what reads none.
struct Nowhere;

impl Row for Nowhere {
    fn column(&self, _: usize) -> Value {
        Value::Null
    }
    fn timestamp(&self) -> Value {
        Value::Null
    }
    fn event_type(&self) -> Value {
        Value::Null
    }
}

/// The name, if an expression is one.
pub(in super::super) fn bare_name(value: &Expr) -> Option<&str> {
    if let ExprKind::Name(name) = &value.kind { Some(name) } else { None }
}

/// What stands directly inside.
pub(super) fn children(value: &Expr) -> Vec<&Expr> {
    match &value.kind {
        ExprKind::Call(call) => call.arguments.iter().filter_map(argument).collect(),
        ExprKind::Cases(cases) => cases.cases.iter().map(|case| &case.condition).chain(cases.otherwise.as_deref()).collect(),
        ExprKind::Index { value, .. } | ExprKind::Unary(_, value) | ExprKind::Is { value, .. } => vec![value],
        ExprKind::Binary(_, one, two) => vec![one, two],
        ExprKind::In { value, among: Among::Values(values), .. } => std::iter::once(&**value).chain(values).collect(),
        ExprKind::In { value, .. } => vec![value],
        ExprKind::Like { value, pattern, .. } | ExprKind::Rlike { value, pattern, .. } => vec![value, pattern],
        _ => Vec::new(),
    }
}

/// The expression of an argument.
fn argument(argument: &Argument) -> Option<&Expr> {
    match argument {
        Argument::Value(value) => Some(value),
        Argument::Where { condition, .. } => Some(condition),
        Argument::Named { value: crate::nrql::ast::NamedValue::Value(value), .. } => Some(value),
        _ => None,
    }
}

/// Whether an expression reads no row.
pub(super) fn is_constant(value: &Expr, one_account: bool, constant_name: &impl Fn(&str) -> bool) -> bool {
    match &value.kind {
        ExprKind::Name(name) => constant_name(name),
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("eventType") => false,
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("accountId") => one_account,
        _ => {
            !aggregate::is_aggregate(value)
                && children(value).into_iter().all(|child| is_constant(child, one_account, constant_name))
        }
    }
}

impl Planner<'_> {
    /// The node of an expression.
    pub(super) fn compile(&mut self, value: &Expr, place: Place) -> Result<Node, QueryError> {
        if !self.ground.cost.step() {
            self.ground.cost.check()?;
        }
        self.depth += 1;
        self.reach(self.depth, value.span)?;
        let node = self.node(value, place)?;
        self.depth -= 1;
        Ok(node)
    }

    /// An expression is so deep.
    fn reach(&mut self, depth: usize, span: Span) -> Result<(), QueryError> {
        self.deepest = self.deepest.max(depth);
        if depth > DEPTH_MAX {
            let message = format!("the expression is too deep: with its variables put in it has more than {DEPTH_MAX} levels");
            return Err(QueryError::at(span, message));
        }
        Ok(())
    }

    fn node(&mut self, value: &Expr, place: Place) -> Result<Node, QueryError> {
        let boxed = |planner: &mut Self, value: &Expr| planner.compile(value, place).map(Box::new);
        let negate = |negated: bool, node: Node| if negated { Node::Not(Box::new(node)) } else { node };
        let node = match &value.kind {
            ExprKind::Number(number) => Node::Constant(Value::Number(*number)),
            ExprKind::Text(text) | ExprKind::Raw(text) => Node::Constant(Value::text(text.as_str())),
            ExprKind::Bool(flag) => Node::Constant(Value::Bool(*flag)),
            ExprKind::Null => Node::Constant(Value::Null),
            ExprKind::Template(name) => {
                return Err(QueryError::at(value.span, format!("the variable {{{{{name}}}}} has no value")));
            }
            ExprKind::Name(name) => return self.name(name, value, place),
            ExprKind::Call(call) => self.call(call, value.span, place)?,
            ExprKind::Cases(cases) => self.cases(cases, place)?,
            ExprKind::Index { value, key } => {
                let key = match key {
                    Key::Position(position) => Value::Number(*position as f64),
                    Key::Field(field) => Value::text(field.as_str()),
                };
                let value = self.compile(value, place)?;
                field(value, key)
            }
            ExprKind::Unary(UnaryOp::Minus, one) => Node::Minus(boxed(self, one)?),
            ExprKind::Unary(UnaryOp::Plus, one) => self.compile(one, place)?,
            ExprKind::Unary(UnaryOp::Not, one) => Node::Not(boxed(self, one)?),
            ExprKind::Binary(operator, one, two) => {
                let (one, two) = (boxed(self, one)?, boxed(self, two)?);
                binary(*operator, one, two)
            }
            ExprKind::Is { value, negated, what } => {
                let value = boxed(self, value)?;
                negate(
                    *negated,
                    match what {
                        IsWhat::Null => Node::IsNull(value),
                        IsWhat::True => Node::IsBool(value, true),
                        IsWhat::False => Node::IsBool(value, false),
                    },
                )
            }
            ExprKind::In { value, negated, among } => {
                let value = boxed(self, value)?;
                let node = self.among(value, among, place)?;
                if *negated && matches!(&node, Node::In(_, among) if among.contains(&ValueKey(Value::Null))) {
                    self.messages.push("NOT IN holds for no row: a value of its list is missing".to_owned());
                }
                negate(*negated, node)
            }
            ExprKind::Like { value, negated, pattern } => {
                let (value, pattern) = (boxed(self, value)?, boxed(self, pattern)?);
                let node = match &*pattern {
                    Node::Constant(Value::Text(pattern)) => Node::Like(value, Rc::new(Like::new(pattern))),
                    _ => Node::LikeValue(value, pattern),
                };
                negate(*negated, node)
            }
            ExprKind::Rlike { value, negated, pattern } => {
                let span = pattern.span;
                let (value, pattern) = (boxed(self, value)?, self.compile(pattern, place)?);
                let Node::Constant(Value::Text(pattern)) = pattern else {
                    return Err(QueryError::at(span, "RLIKE needs a constant text, such as r'a.*'"));
                };
                let rlike = self.ground.cost.rlike(&pattern, span)?;
                negate(*negated, Node::Rlike(value, rlike))
            }
            ExprKind::Query(query) => Node::Constant(single(&(self.ground.subqueries)(query)?, value.span)?),
        };
        Ok(self.remembered(node))
    }

    fn name(&mut self, name: &str, value: &Expr, place: Place) -> Result<Node, QueryError> {
        if let Some(variable) = self.variables.iter().rev().find(|variable| variable.name == name)
            && (matches!(place, Place::Row(_)) || matches!(variable.node, Node::Constant(_)))
        {
            let (node, depth) = (variable.node.clone(), variable.depth);
            self.ground.cost.copy(variable.parts, value.span)?;
            self.reach(self.depth + depth, value.span)?;
            return Ok(node);
        }
        match place {
            Place::Group => Err(QueryError::at(
                value.span,
                format!("`{name}` stands outside an aggregate: select either rows or aggregates, or write latest({name})"),
            )),
            Place::Row(_) if name == "timestamp" => Ok(Node::Timestamp),
            Place::Row(_) => Ok(Node::Column(self.column(name))),
        }
    }

    pub(super) fn cases(&mut self, cases: &Cases, place: Place) -> Result<Node, QueryError> {
        let mut named = Vec::new();
        for case in &cases.cases {
            let condition = self.compile(&case.condition, place)?;
            let name = case.alias.as_ref().map_or_else(|| case.condition.to_string(), |alias| alias.text.clone());
            named.push((condition, Value::text(name)));
        }
        let otherwise = match &cases.otherwise {
            Some(otherwise) => self.compile(otherwise, place)?,
            None => Node::Constant(Value::Null),
        };
        Ok(Node::Cases(named, Box::new(otherwise)))
    }

    fn among(&mut self, value: Box<Node>, among: &Among, place: Place) -> Result<Node, QueryError> {
        match among {
            Among::Values(values) => {
                let nodes = values.iter().map(|value| self.compile(value, place)).collect::<Result<Vec<Node>, _>>()?;
                let constants: Option<Vec<Value>> =
                    nodes.iter().map(|node| if let Node::Constant(value) = node { Some(value.clone()) } else { None }).collect();
                Ok(match constants {
                    Some(values) => set(value, values),
                    None => Node::InList(value, nodes),
                })
            }
            Among::Query(query) => {
                let answer = (self.ground.subqueries)(query)?;
                let mut values = Vec::new();
                for row in &answer.results {
                    match row.members() {
                        Some(members) => values.extend(members),
                        None => {
                            return Err(QueryError::at(
                                query.span,
                                "a subquery after IN gives one column, with or without FACET",
                            ));
                        }
                    }
                }
                Ok(set(value, values))
            }
            Among::Template(name) => {
                Err(QueryError::at(name.span, format!("the variable {{{{{}}}}} has no value: a list is needed", name.text)))
            }
        }
    }

    /// The node, computed now if it is constant, or remembered where that spares work.
    pub(super) fn remembered(&mut self, node: Node) -> Node {
        if matches!(node, Node::Constant(_) | Node::Column(_) | Node::Timestamp | Node::EventType | Node::Memo { .. })
            || node.reads_aggregates()
        {
            return node;
        }
        let elsewhere = node.any(&|part| matches!(part, Node::Timestamp | Node::EventType | Node::Calendar { .. }));
        let columns = node.columns();
        if columns.is_empty() && !elsewhere {
            return Node::Constant(super::super::expression::value(self.ground.scalars, &node, &Nowhere));
        }
        let pays = match columns.len() {
            0 => false,
            1 => true,
            2..=COLUMNS_MAX => !matches!(
                node,
                Node::And(..) | Node::Or(..) | Node::Not(_) | Node::Arithmetic(..) | Node::Minus(_) | Node::Coalesce(..)
            ),
            _ => false,
        };
        if elsewhere || !pays {
            return node;
        }
        self.memories += 1;
        Node::Memo { id: self.memories, columns, node: Box::new(node) }
    }

    /// The number of the next memory.
    pub(super) fn memory(&mut self) -> usize {
        self.memories += 1;
        self.memories
    }
}

/// A field of a value, or an item of a list.
pub(super) fn field(value: Node, key: Value) -> Node {
    let Some(function) = function::row("getField") else { return Node::Constant(Value::Null) };
    // A field is of the whole value, not of the number it counts as.
    let value = match value {
        Node::Aggregate { index, .. } => Node::Aggregate { index, whole: true },
        other => other,
    };
    let arguments = vec![value, Node::Constant(key)];
    Node::Call(Box::new(super::super::expression::CallNode { function, prepared: None, arguments, named: Vec::new() }))
}

/// `IN` constants.
fn set(value: Box<Node>, among: Vec<Value>) -> Node {
    Node::In(value, Rc::new(among.into_iter().map(ValueKey).collect()))
}

/// Two operands. `OR` is logical beside a predicate, else it takes the first value that is there.
fn binary(operator: BinaryOp, one: Box<Node>, two: Box<Node>) -> Node {
    match operator {
        BinaryOp::Or if one.is_predicate() || two.is_predicate() => Node::Or(one, two),
        BinaryOp::Or => Node::Coalesce(one, two),
        BinaryOp::And => Node::And(one, two),
        BinaryOp::Equal => Node::Compare(Comparison::Equal, one, two),
        BinaryOp::NotEqual => Node::Compare(Comparison::NotEqual, one, two),
        BinaryOp::Less => Node::Compare(Comparison::Less, one, two),
        BinaryOp::LessOrEqual => Node::Compare(Comparison::LessOrEqual, one, two),
        BinaryOp::Greater => Node::Compare(Comparison::Greater, one, two),
        BinaryOp::GreaterOrEqual => Node::Compare(Comparison::GreaterOrEqual, one, two),
        BinaryOp::Add => Node::Arithmetic(Operation::Add, one, two),
        BinaryOp::Subtract => Node::Arithmetic(Operation::Subtract, one, two),
        BinaryOp::Multiply => Node::Arithmetic(Operation::Multiply, one, two),
        BinaryOp::Divide => Node::Arithmetic(Operation::Divide, one, two),
    }
}
