//! From the tree of a query to something that can be run.
//!
//! In: a query, its window, and a way to answer its subqueries. Out: a [`Plan`]. What always holds: every name is a column's
//! position, every function is known, every argument that must be constant is; what New Relic refuses is refused here, with its
//! place; a plan does not know the rows.

mod aggregate;
mod call;
mod expression;
mod name;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::aggregate::{Aggregate, Function};
use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Node, Scalars, number_of};
use super::result::Answer;
use super::value::Value;
use crate::lab::store::hash::{QuickMap, QuickSet};
use crate::nrql::ast::{Expr, FacetItem, Limit, Offset, OrderItem, Query, Selected, Span};

pub(super) use aggregate::{AGGREGATES, calls};
pub(super) use expression::bare_name;

/// Most groups, rows, and rows of a subquery. New Relic's page on limits.
pub(super) const LIMIT_MAX: usize = 5_000;
/// Most rows of a lookup table.
const LOOKUP_LIMIT_MAX: usize = 20_000;
/// Groups without `LIMIT`, and rows on the right side of a join.
pub(super) const GROUPS_DEFAULT: usize = 10;
/// Rows without `LIMIT`.
pub(super) const ROWS_DEFAULT: usize = 100;

/// A query that can be run on a relation whose columns are looked up by `columns`.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: Vec<String>,
    pub(super) condition: Option<Node>,
    pub(super) kind: Kind,
    pub(super) limit: usize,
    pub(super) messages: Vec<String>,
}

/// Rows or values.
#[derive(Debug)]
pub(super) enum Kind {
    Rows(RowPlan),
    Values(ValuePlan),
}

/// `SELECT` of rows.
#[derive(Debug)]
pub(super) struct RowPlan {
    /// `*`: all attributes of the row.
    pub(super) all: bool,
    pub(super) items: Vec<Item>,
    /// And whether the greatest comes first. Empty: the newest first.
    pub(super) order: Vec<(Node, bool)>,
    pub(super) offset: usize,
}

/// `SELECT` of aggregates.
#[derive(Debug)]
pub(super) struct ValuePlan {
    pub(super) items: Vec<Item>,
    pub(super) aggregates: Vec<Aggregate>,
    /// Empty without `FACET`.
    pub(super) facets: Vec<FacetPlan>,
    /// `FACET … ORDER BY`: what groups survive.
    pub(super) survivors: Option<Node>,
}

/// One item of `SELECT`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Arc<str>,
    pub(super) node: Node,
    /// The fields of its value stand in the row themselves.
    pub(super) spread: bool,
}

/// One item of `FACET`.
#[derive(Debug)]
pub(super) struct FacetPlan {
    pub(super) name: Arc<str>,
    pub(super) node: Node,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is computed for each row; what it is part of, for messages.
    Row(&'static str),
    /// It is computed for each group: names stand inside aggregates alone.
    Group,
}

/// What answers subqueries.
pub(super) type Subqueries<'p> = &'p dyn Fn(&Query) -> Result<Answer, QueryError>;

/// What a plan is made with.
pub(super) struct Ground<'p> {
    pub(super) scalars: &'p Scalars,
    pub(super) account_id: u64,
    /// The attribute that holds a row's account, when rows of several are asked together.
    pub(super) account_attribute: Option<&'p str>,
    pub(super) default_rate_ms: f64,
    pub(super) subqueries: Subqueries<'p>,
    pub(super) cost: &'p Cost,
    /// Rows without `LIMIT`.
    pub(super) rows_default: usize,
}

/// Makes a plan.
struct Planner<'p> {
    ground: &'p Ground<'p>,
    columns: Vec<String>,
    variables: Vec<Variable>,
    aggregates: Vec<Aggregate>,
    /// Conditions of the `filter`s around the place being read.
    filter: Option<Node>,
    memories: usize,
    messages: Vec<String>,
    /// How deep the place being read stands, and the deepest one yet.
    depth: usize,
    deepest: usize,
}

/// A variable of `WITH`: it is put in where it is used.
struct Variable {
    name: String,
    node: Node,
    /// Of how many parts it is made, and in how many levels.
    parts: usize,
    depth: usize,
}

impl<'p> Planner<'p> {
    fn new(ground: &'p Ground<'p>, columns: Vec<String>) -> Self {
        Self {
            ground,
            columns,
            variables: Vec::new(),
            aggregates: Vec::new(),
            filter: None,
            memories: 0,
            messages: Vec::new(),
            depth: 0,
            deepest: 0,
        }
    }
}

/// A key of a join: its node, and the columns it reads after those given.
pub(super) fn key(
    value: &Expr,
    query: &Query,
    columns: &[String],
    ground: &Ground<'_>,
) -> Result<(Node, Vec<String>), QueryError> {
    let mut planner = Planner::new(ground, columns.to_vec());
    planner.variables(query)?;
    let node = planner.row(value, "ON")?;
    Ok((node, planner.columns))
}

/// The plan of a query.
pub(super) fn plan(query: &Query, ground: &Ground<'_>) -> Result<Plan, QueryError> {
    let mut planner = Planner::new(ground, Vec::new());
    planner.variables(query)?;
    let mut condition = None;
    for written in &query.conditions {
        let node = planner.row(written, "WHERE")?;
        condition = Some(match condition {
            None => node,
            Some(before) => Node::And(Box::new(before), Box::new(node)),
        });
    }
    let kind =
        if planner.selects_values(query) { Kind::Values(planner.values(query)?) } else { Kind::Rows(planner.rows(query)?) };
    let default = if matches!(kind, Kind::Rows(_)) { ground.rows_default } else { GROUPS_DEFAULT };
    let limit = planner.limit(query, default);
    Ok(Plan { columns: planner.columns, condition, kind, limit, messages: planner.messages })
}

impl Plan {
    /// Whether it reads every attribute of a row, not those alone that it names.
    pub(super) fn reads_all(&self) -> bool {
        match &self.kind {
            Kind::Rows(rows) => rows.all,
            Kind::Values(values) => {
                values.aggregates.iter().any(|aggregate| matches!(aggregate.function, Function::Keyset | Function::Bytes))
            }
        }
    }

    /// The names of what its rows hold, as far as the plan alone tells.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let of = |items: &[Item]| -> Vec<Arc<str>> {
            let spread = items.iter().filter(|item| item.spread);
            let fields = spread.flat_map(|item| name::fields(&item.name)).map(|name| Arc::from(*name));
            items.iter().filter(|item| !item.spread).map(|item| Arc::clone(&item.name)).chain(fields).collect()
        };
        match &self.kind {
            Kind::Rows(rows) => of(&rows.items),
            Kind::Values(values) => values.facets.iter().map(|facet| Arc::clone(&facet.name)).chain(of(&values.items)).collect(),
        }
    }
}

impl Planner<'_> {
    fn variables(&mut self, query: &Query) -> Result<(), QueryError> {
        for variable in &query.variables {
            self.deepest = 0;
            let node = self.row(&variable.value, "WITH")?;
            let (parts, depth) = (node.parts(), self.deepest + 1);
            match &*variable.names {
                [name] => self.variables.push(Variable { name: name.text.clone(), node, parts, depth }),
                names => {
                    for (at, name) in names.iter().enumerate() {
                        self.ground.cost.copy(parts, variable.value.span)?;
                        let node = self.remembered(Node::Output(Box::new(node.clone()), at, name.text.as_str().into()));
                        self.variables.push(Variable { name: name.text.clone(), node, parts: parts + 1, depth });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the items are aggregates; else they are rows. An item of constants alone may stand beside either.
    fn selects_values(&self, query: &Query) -> bool {
        let mut values = query.select.iter().filter_map(|item| match &item.value {
            Selected::Value(value) => Some(value),
            Selected::All(_) => None,
        });
        let constants_alone =
            query.select.iter().all(|item| matches!(&item.value, Selected::Value(value) if self.is_constant(value)));
        values.any(aggregate::holds_aggregate) || constants_alone
    }

    fn limit(&mut self, query: &Query, default: usize) -> usize {
        let most = if query.from.iter().any(|source| matches!(source, crate::nrql::ast::Source::Lookup(_))) {
            LOOKUP_LIMIT_MAX
        } else {
            LIMIT_MAX
        };
        match &query.limit {
            // A variable is refused before.
            None | Some(Limit::Template(_)) => default,
            Some(Limit::Max) => most,
            Some(Limit::Count(count)) => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                if count > most {
                    self.messages.push(format!("LIMIT {count} is more than {most}: {most} is used"));
                }
                count.min(most)
            }
        }
    }

    fn rows(&mut self, query: &Query) -> Result<RowPlan, QueryError> {
        if let Some(facet) = &query.facet {
            let span = facet.items.first().map_or(query.span, |item| item.value.span);
            return Err(QueryError::at(span, "FACET needs an aggregate in SELECT, such as count(*)"));
        }
        for (stands, clause) in [(query.timeseries.is_some(), "TIMESERIES"), (query.compare.is_some(), "COMPARE WITH")] {
            if stands {
                return Err(QueryError::at(query.span, format!("{clause} needs an aggregate in SELECT, such as count(*)")));
            }
        }
        let mut all = false;
        let mut items: Vec<Item> = Vec::new();
        for item in &query.select {
            match &item.value {
                Selected::All(_) => all = true,
                Selected::Value(value) => {
                    let node = self.row(value, "SELECT of rows")?;
                    items.extend(self.named(value, &item.alias, node));
                }
            }
        }
        unique_names(&mut items);
        let mut order = Vec::new();
        for OrderItem { value, descending } in &query.order_by {
            // An order may name an item.
            let item = bare_name(value).and_then(|name| items.iter().find(|item| &*item.name == name));
            let node = match item {
                Some(item) => item.node.clone(),
                None => self.row(value, "ORDER BY")?,
            };
            order.push((node, *descending));
        }
        let offset = match query.offset {
            Some(Offset::Count(count)) => usize::try_from(count).unwrap_or(usize::MAX),
            None | Some(Offset::Template(_)) => 0,
        };
        Ok(RowPlan { all, items, order, offset })
    }

    fn values(&mut self, query: &Query) -> Result<ValuePlan, QueryError> {
        if query.offset.is_some() {
            return Err(QueryError::at(query.span, "OFFSET is for queries of rows alone, not of aggregates"));
        }
        if !query.order_by.is_empty() {
            self.messages.push("ORDER BY is for queries of rows: it changes nothing here".to_owned());
        }
        let mut items: Vec<Item> = Vec::new();
        for item in &query.select {
            match &item.value {
                Selected::All(span) => {
                    return Err(QueryError::at(*span, "`*` stands beside an aggregate: select either rows or aggregates"));
                }
                Selected::Value(value) => {
                    let node = self.compile(value, Place::Group)?;
                    items.extend(self.named(value, &item.alias, node));
                }
            }
        }
        for item in &mut items {
            if let Node::Aggregate { whole, .. } = &mut item.node {
                *whole = true;
            }
        }
        unique_names(&mut items);
        let mut facets = Vec::new();
        let mut names = Names::default();
        for FacetItem { value, alias } in query.facet.iter().flat_map(|facet| &facet.items) {
            let node = self.row(value, "FACET")?;
            let name = alias.as_ref().map_or_else(|| name::facet(value), |alias| alias.text.clone());
            facets.push(FacetPlan { name: names.own(&name.into()), node });
        }
        let survivors = query.facet.as_ref().and_then(|facet| facet.order_by.as_ref());
        let survivors = survivors.map(|order| self.survivors(&order.value)).transpose()?;
        Ok(ValuePlan { items, aggregates: std::mem::take(&mut self.aggregates), facets, survivors })
    }

    /// By what groups survive `LIMIT`: an aggregate, or the latest value of an attribute.
    fn survivors(&mut self, value: &Expr) -> Result<Node, QueryError> {
        if aggregate::holds_aggregate(value) {
            return self.compile(value, Place::Group);
        }
        let node = self.row(value, "FACET … ORDER BY")?;
        Ok(self.aggregate(Function::Latest(node)))
    }

    /// The items an expression makes: several if it has several names.
    fn named(&mut self, value: &Expr, alias: &[crate::nrql::ast::Name], node: Node) -> Vec<Item> {
        match alias {
            [] => {
                let (name, spread) = name::item(value);
                vec![Item { name: name.into(), node, spread }]
            }
            [name] => vec![Item { name: name.text.as_str().into(), node, spread: false }],
            names => names
                .iter()
                .enumerate()
                .map(|(at, name)| Item {
                    name: name.text.as_str().into(),
                    node: self.remembered(Node::Output(Box::new(node.clone()), at, name.text.as_str().into())),
                    spread: false,
                })
                .collect(),
        }
    }

    /// An expression of rows.
    fn row(&mut self, value: &Expr, clause: &'static str) -> Result<Node, QueryError> {
        self.compile(value, Place::Row(clause))
    }

    /// The position of a column.
    fn column(&mut self, name: &str) -> usize {
        if let Some(position) = self.columns.iter().position(|known| known == name) {
            return position;
        }
        self.columns.push(name.to_owned());
        self.columns.len() - 1
    }

    /// Takes in an aggregate.
    fn aggregate(&mut self, function: Function) -> Node {
        self.aggregates.push(Aggregate { function, filter: self.filter.clone() });
        Node::Aggregate { index: self.aggregates.len() - 1, whole: false }
    }

    /// Whether an expression is the same for all rows: it reads none.
    fn is_constant(&self, value: &Expr) -> bool {
        let constant_name =
            |name: &str| self.variables.iter().any(|known| known.name == name && matches!(known.node, Node::Constant(_)));
        expression::is_constant(value, self.ground.account_attribute.is_none(), &constant_name)
    }
}

/// Gives every item a name of its own: a row has one value for each name. An item whose fields would take another's name keeps them
/// under its own.
fn unique_names(items: &mut [Item]) {
    let mut names = Names::default();
    for item in items.iter_mut().filter(|item| !item.spread) {
        item.name = names.own(&item.name);
    }
    for item in items.iter_mut().filter(|item| item.spread) {
        let fields = name::fields(&item.name);
        if fields.iter().any(|field| names.is_taken(field)) {
            item.spread = false;
            item.name = names.own(&item.name);
        } else {
            for field in fields {
                names.take((*field).into());
            }
        }
    }
}

/// Names that are taken.
#[derive(Default)]
struct Names {
    taken: QuickSet<Arc<str>>,
    /// The number tried last, for each name that was wanted more than once.
    numbers: QuickMap<Arc<str>, usize>,
}

impl Names {
    fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    fn take(&mut self, name: Arc<str>) {
        self.taken.insert(name);
    }

    /// The name, or if it is taken the name and the first number that makes it one of its own.
    fn own(&mut self, wanted: &Arc<str>) -> Arc<str> {
        let mut name = Arc::clone(wanted);
        while self.is_taken(&name) {
            let number = self.numbers.entry(Arc::clone(wanted)).or_insert(1);
            *number += 1;
            name = format!("{wanted} {number}").into();
        }
        self.take(Arc::clone(&name));
        name
    }
}

/// The one value of a subquery that stands where a value does.
fn single(answer: &Answer, span: Span) -> Result<Value, QueryError> {
    match &*answer.results {
        [] => Ok(Value::Null),
        [row] => match &*row.values {
            // One percentile is the number it holds.
            [(_, value @ Value::Object(_))] if !number_of(value).is_nan() => Ok(Value::Number(number_of(value))),
            [(_, value)] => Ok(value.clone()),
            values => {
                Err(QueryError::at(span, format!("a subquery used as a value gives one column, this one gives {}", values.len())))
            }
        },
        rows => Err(QueryError::at(
            span,
            format!("a subquery used as a value gives one row, this one gives {}: add LIMIT 1", rows.len()),
        )),
    }
}
