//! Which names a query sees, and which its result has.
//!
//! In: a query, the names that exist, the results of the queries it reads. Out: what a name is there. What always holds: what comes
//! from where nothing is known of (an uploaded table, a `{{variable}}`, an event type that does not exist) may have any name, so
//! one mistake is told once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Argument, Call, Expr, ExprKind, Key, Name, Query, Selected, Source};
use super::super::function;
use super::super::walk;
use super::kind::{self, Type};
use super::names::{EventType, Kind, METRIC, Names};
use super::{holds_aggregate, may_say_more, parts};

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Column {
    pub(super) kind: Option<Type>,
    pub(super) form: Form,
    /// Some rows may be without it.
    pub(super) nullable: bool,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    #[default]
    Any,
    /// `true`, `false` or `unknown`.
    Flag,
    /// `|a|b|`.
    List,
}

/// The columns of a result.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    named: BTreeMap<String, Column>,
    /// There may be more.
    open: bool,
}

impl Columns {
    /// Whether there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.open || self.named.contains_key(name)
    }

    /// Of what kind one is.
    pub(super) fn kind(&self, name: &str) -> Option<Type> {
        self.named.get(name).and_then(|column| column.kind)
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    fn add(&mut self, name: &str, column: Column) {
        self.named.entry(name.to_owned()).or_insert(column);
    }

    fn add_number(&mut self, name: &str) {
        self.add(name, Column::NUMBER);
    }

    /// A column that the query gives no name: that of New Relic's answers, and the text of the expression.
    fn add_unnamed(&mut self, value: &Expr, column: Column) {
        if let ExprKind::Call(call) = &value.kind {
            self.add(&function_name(call), column);
            if is_apdex(call) {
                for field in APDEX {
                    self.add_number(field);
                }
            }
        }
        self.add(&facet_name(value), column);
    }
}

impl Column {
    const NUMBER: Self = Self { kind: Some(Type::Number), form: Form::Any, nullable: false };

    /// What an expression gives.
    fn of(value: &Expr, scope: &Scope<'_>) -> Self {
        Self { kind: kind::of(value, scope), form: kind::form(value, scope), nullable: is_nullable(value) }
    }

    /// One of several outputs of a value.
    fn one_of_several(self) -> Self {
        Self { kind: None, form: Form::Any, ..self }
    }

    /// An attribute of several types.
    fn and(self, other: Self) -> Self {
        Self {
            kind: self.kind.filter(|kind| Some(*kind) == other.kind),
            form: if self.form == other.form { self.form } else { Form::Any },
            nullable: self.nullable || other.nullable,
        }
    }
}

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This.
    Column(Column),
    /// Something that nobody can know.
    Unknowable,
    /// Nothing.
    Missing,
}

/// The names that a query sees.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    names: &'a Names,
    /// Types in `FROM` that exist.
    types: Vec<(String, &'a EventType)>,
    /// Names of the metrics that the query names; all if it reads metrics and names none.
    metrics: BTreeSet<String>,
    /// Results of queries that it reads, and of those it joins.
    pub(super) nested: Vec<Columns>,
    pub(super) joined: Vec<Columns>,
    /// Names of `WITH`, and which of its values gives each first.
    variables: BTreeMap<String, (usize, Column)>,
    /// Only the names of so many values of `WITH` are known yet.
    before: Option<usize>,
    /// What `eventType()` may be; `None`: anything.
    of_types: Option<BTreeSet<String>>,
    /// Names given by `AS`.
    aliases: BTreeSet<String>,
    open: bool,
    /// It stands in another that was only looked into.
    inner: bool,
}

impl<'a> Scope<'a> {
    /// What a query sees.
    pub(super) fn of(names: &'a Names, query: &Query, nested: Vec<Columns>, joined: Vec<Columns>) -> Self {
        let mut scope = Self::of_types(names, query);
        scope.nested = nested;
        scope.joined = joined;
        for (at, variable) in query.variables.iter().enumerate() {
            let column = Column::of(&variable.value, &scope);
            let column = if variable.names.len() == 1 { column } else { column.one_of_several() };
            for name in &variable.names {
                let first = scope.variables.get(&name.text).map_or(at, |(first, _)| *first);
                scope.variables.insert(name.text.clone(), (first, column));
            }
        }
        let facets = query.facet.iter().flat_map(|facet| &facet.items).map(|item| (&item.value, item.alias.as_slice()));
        let items = query.select.iter().filter_map(|item| match &item.value {
            Selected::Value(value) => Some((value, item.alias.as_slice())),
            Selected::All(_) => None,
        });
        let aliases = items.chain(facets).flat_map(|(_, aliases)| aliases);
        scope.aliases = aliases.map(|alias| alias.text.clone()).collect();
        scope
    }

    /// What a subquery sees of types; `None` two levels deep.
    pub(super) fn one_level_in(&self, query: &Query) -> Option<Self> {
        (!self.inner).then(|| Self { inner: true, ..Self::of_types(self.names, query) })
    }

    fn of_types(names: &'a Names, query: &Query) -> Self {
        let (mut types, mut open) = (Vec::new(), names.know_nothing() || may_say_more(query));
        for source in &query.from {
            match source {
                Source::Type(name) => match names.event_type(&name.text) {
                    Some(known) => {
                        open |= known.open;
                        types.push((name.text.clone(), known));
                    }
                    None => open = true,
                },
                Source::Template(_) | Source::Lookup(_) => open = true,
                Source::Query(_) => {}
            }
        }
        let reads_metrics = types.iter().any(|(name, _)| name == METRIC);
        let metrics = if reads_metrics { metrics_of(names, query) } else { BTreeSet::new() };
        Self {
            names,
            types,
            metrics,
            nested: Vec::new(),
            joined: Vec::new(),
            variables: BTreeMap::new(),
            before: None,
            of_types: if may_say_more(query) { None } else { query.from.iter().map(of_type).collect() },
            aliases: BTreeSet::new(),
            open,
            inner: false,
        }
    }

    /// From now on, of the names of `WITH` only those of so many values are known; all without a number.
    pub(super) fn see_variables_before(&mut self, value: Option<usize>) {
        self.before = value;
    }

    /// What a name is to expressions over rows.
    pub(super) fn find(&self, name: &str) -> Found {
        if let Some((_, variable)) = self.variables.get(name).filter(|(first, _)| self.before.is_none_or(|most| *first < most)) {
            return Found::Column(*variable);
        }
        let mut found: Option<Column> = None;
        let mut also = |column: Column| found = Some(found.map_or(column, |before| before.and(column)));
        for (event_type, known) in &self.types {
            if name == "timestamp" {
                also(Column::NUMBER);
            } else if let Some(kind) = known.attributes.get(name) {
                also(column_of(*kind));
            } else if event_type == METRIC {
                self.metric(name).into_iter().for_each(&mut also);
            }
        }
        for columns in self.nested.iter().chain(&self.joined) {
            columns.named.get(name).copied().into_iter().for_each(&mut also);
        }
        let is_open = self.open || self.nested.iter().chain(&self.joined).any(|columns| columns.open);
        match found {
            Some(column) => Found::Column(column),
            None if is_open => Found::Unknowable,
            None => Found::Missing,
        }
    }

    /// A metric, or an attribute of its points.
    fn metric(&self, name: &str) -> Option<Column> {
        // `%` is the wild card of metric names.
        if name.contains('%') || self.names.metrics().any(|(metric, _)| metric == name) {
            return Some(column_of(Kind::Number));
        }
        let mut known = self.names.metrics().filter(|(metric, _)| self.metrics.contains(*metric));
        known.any(|(_, attributes)| attributes.contains(name)).then_some(column_of(Kind::Text))
    }

    /// Of what kind a name is.
    pub(super) fn kind(&self, name: &str) -> Option<Type> {
        self.column(name).kind
    }

    /// How a name's texts are written.
    pub(super) fn form(&self, name: &str) -> Form {
        self.column(name).form
    }

    fn column(&self, name: &str) -> Column {
        match self.find(name) {
            Found::Column(column) => column,
            Found::Unknowable | Found::Missing => Column::default(),
        }
    }

    /// Whether a value of `WITH` further on gives a name, or the one that it is asked for in.
    pub(super) fn is_later(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|(first, _)| self.before.is_some_and(|most| *first >= most))
    }

    /// The event types of its rows; `None`: they may be of any.
    pub(super) fn event_types(&self) -> Option<&BTreeSet<String>> {
        self.of_types.as_ref()
    }

    /// Whether a name is given by `AS`.
    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.aliases.contains(name)
    }

    /// Every name that it sees.
    pub(super) fn seen(&self) -> Vec<&str> {
        let attributes = self.types.iter().flat_map(|(_, known)| known.attributes.keys());
        let nested = self.nested.iter().chain(&self.joined).flat_map(|columns| columns.named.keys());
        let metrics = self.names.metrics().filter(|(metric, _)| self.metrics.contains(*metric));
        let of_metrics = metrics.flat_map(|(metric, attributes)| attributes.iter().map(String::as_str).chain([metric]));
        let variables = self.variables.keys().filter(|name| !self.is_later(name));
        let named = attributes.chain(nested).chain(variables).map(String::as_str);
        named.chain(of_metrics).chain(["timestamp"]).collect()
    }

    /// Where its rows come from, in a message.
    pub(super) fn sources(&self) -> String {
        let mut sources: Vec<String> = Vec::new();
        for (name, _) in &self.types {
            if name == METRIC && !self.metrics.is_empty() {
                sources.extend(self.metrics.iter().cloned());
            } else {
                sources.push(name.clone());
            }
        }
        sources.extend(self.nested.iter().map(|_| "the query in FROM".to_owned()));
        sources.extend(self.joined.iter().map(|_| "the joined query".to_owned()));
        if sources.is_empty() { "WITH".to_owned() } else { sources.join(", ") }
    }

    /// The columns of the query's result.
    pub(super) fn columns(&self, query: &Query) -> Columns {
        let mut columns = Columns::default();
        columns.add_number("timestamp");
        for item in &query.select {
            let Selected::Value(value) = &item.value else {
                columns.open = true;
                continue;
            };
            let column = Column::of(value, self);
            match item.alias.as_slice() {
                [] => columns.add_unnamed(value, column),
                [name] => columns.add(&name.text, column),
                several => several.iter().for_each(|name| columns.add(&name.text, column.one_of_several())),
            }
        }
        for item in query.facet.iter().flat_map(|facet| &facet.items) {
            let name = item.alias.as_ref().map_or_else(|| facet_name(&item.value), |alias: &Name| alias.text.clone());
            columns.add(&name, Column { nullable: false, ..Column::of(&item.value, self) });
        }
        if query.timeseries.is_some() {
            columns.add_number("beginTimeSeconds");
            columns.add_number("endTimeSeconds");
        }
        columns
    }
}

/// The type of all rows of a source, if it is one.
fn of_type(source: &Source) -> Option<String> {
    match source {
        Source::Type(name) => Some(name.text.clone()),
        Source::Template(_) | Source::Lookup(_) | Source::Query(_) => None,
    }
}

/// What `apdex` gives, beside each other in the result.
const APDEX: [&str; 5] = ["score", "count", "s", "t", "f"];

fn is_apdex(call: &Call) -> bool {
    call.name.text.eq_ignore_ascii_case("apdex")
}

/// What New Relic calls an item that is a call: the function, a dot and its attribute if it has one.
fn function_name(call: &Call) -> String {
    let name = function::function(&call.name.text).map_or(call.name.text.as_str(), |function| function.name);
    match call.arguments.first() {
        Some(Argument::Value(Expr { kind: ExprKind::Name(attribute), .. })) => format!("{name}.{attribute}"),
        _ => name.to_owned(),
    }
}

/// The columns of an item without a name in New Relic's answers; none where the documentation leaves the name open.
pub(super) fn answer_names(value: &Expr) -> Vec<String> {
    match &value.kind {
        ExprKind::Name(name) => vec![name.clone()],
        ExprKind::Call(call) if is_apdex(call) => APDEX.map(str::to_owned).to_vec(),
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("funnel") => vec!["steps".to_owned()],
        ExprKind::Call(call) if !call.is_template() => vec![function_name(call)],
        _ => Vec::new(),
    }
}

/// What a facet or item without a name is called.
pub(super) fn facet_name(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Cases(_) => "cases".to_owned(),
        ExprKind::Index { value, key: Key::Field(field) } if matches!(value.kind, ExprKind::Name(_)) => {
            format!("{value}[{field}]")
        }
        _ => value.to_string(),
    }
}

/// Whether a value may be null: an attribute may, what is counted may not.
fn is_nullable(value: &Expr) -> bool {
    !holds_aggregate(value) && matches!(value.kind, ExprKind::Name(_) | ExprKind::Call(_))
}

/// An attribute, which some rows may be without.
fn column_of(kind: Kind) -> Column {
    let (kind, form) = match kind {
        Kind::Text => (Some(Type::Text), Form::Any),
        Kind::Flag => (Some(Type::Text), Form::Flag),
        Kind::List => (Some(Type::Text), Form::List),
        Kind::Number => (Some(Type::Number), Form::Any),
        Kind::Any => (None, Form::Any),
    };
    Column { kind, form, nullable: true }
}

/// The metrics that a query names; all of them if it names none.
fn metrics_of(names: &Names, query: &Query) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let is_metric = |name: &str| names.metrics().any(|(metric, _)| metric == name);
    for part in parts(query) {
        walk::within(part.value, &mut |inner| match &inner.kind {
            ExprKind::Name(name) | ExprKind::Text(name) if is_metric(name) => {
                named.insert(name.clone());
            }
            _ => {}
        });
    }
    if named.is_empty() { names.metrics().map(|(metric, _)| metric.to_owned()).collect() } else { named }
}
