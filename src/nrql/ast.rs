//! The tree of a query.
//!
//! Made by the parser alone, read by printer, linter and engine. What always holds: every node knows the bytes of the text it was
//! read from; two trees are equal when they say the same, wherever in a text they stood. The order in which clauses were written
//! is not kept, and neither are parentheses: the shape of the tree says what belongs together.

use std::ops::Range;

/// Where in the text a node stands, in bytes. All spans are equal, so that trees compare by what they say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From here to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }

    /// As a range of bytes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

/// What a text asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `SELECT … FROM …`.
    Select(Box<Query>),
    /// `SHOW EVENT TYPES`.
    ShowEventTypes {
        /// `SINCE`.
        since: Option<Moment>,
        /// `UNTIL`.
        until: Option<Moment>,
    },
}

/// One query, whole or nested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// All of it.
    pub span: Span,
    /// What is asked for; never empty.
    pub select: Vec<SelectItem>,
    /// Where from; empty only if `WITH` supplies all values, or a variable of [`Query::templates`] may say it.
    pub from: Vec<Source>,
    /// In the order written.
    pub joins: Vec<Join>,
    /// Conditions that must all hold, one for each `WHERE`.
    pub conditions: Vec<Expr>,
    /// `FACET`.
    pub facet: Option<Facet>,
    /// `ORDER BY` of rows; empty without.
    pub order_by: Vec<OrderItem>,
    /// `LIMIT`.
    pub limit: Option<Limit>,
    /// `OFFSET`.
    pub offset: Option<Offset>,
    /// `SINCE`.
    pub since: Option<Moment>,
    /// `UNTIL`.
    pub until: Option<Moment>,
    /// `COMPARE WITH`.
    pub compare: Option<Moment>,
    /// `TIMESERIES`.
    pub timeseries: Option<Timeseries>,
    /// `WITH TIMEZONE`.
    pub timezone: Option<Text>,
    /// `WITH METRIC_FORMAT`.
    pub metric_format: Option<Text>,
    /// `WITH … AS`: row-level variables, in the order written.
    pub variables: Vec<Variable>,
    /// `EXTRAPOLATE`, which changes nothing for events of ours.
    pub extrapolate: bool,
    /// `PREDICT`.
    pub predict: Option<Predict>,
    /// `RAW`.
    pub raw: bool,
    /// `{{name}}` where a clause may start: clauses to be filled in.
    pub templates: Vec<Name>,
}

/// A name, as written: case matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// Without back-ticks.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A text in quotes, where the language asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// Without quotes and escapes.
    pub text: String,
    /// To be filled in: the text is `{{name}}`, written without quotes.
    pub template: bool,
    /// Where.
    pub span: Span,
}

/// `value AS name`.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectItem {
    /// What, or everything.
    pub value: Selected,
    /// `AS`: one name, several for a function with several outputs, none without.
    pub alias: Vec<Name>,
}

/// What an item selects.
#[derive(Debug, Clone, PartialEq)]
pub enum Selected {
    /// `*`.
    All(Span),
    /// A value.
    Value(Expr),
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// An event type.
    Type(Name),
    /// A type to be filled in: `{{name}}`.
    Template(Name),
    /// `lookup(table)`.
    Lookup(Name),
    /// The rows of another query.
    Query(Box<Query>),
}

/// `[INNER | LEFT] JOIN (query) ON key [= column]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Rows without a partner stay.
    pub left: bool,
    /// The right side.
    pub query: Box<Query>,
    /// Key of the left side.
    pub key: Expr,
    /// Column of the right side; the same name as the key without.
    pub column: Option<Name>,
}

/// `FACET`.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    /// Never empty.
    pub items: Vec<FacetItem>,
    /// `FACET … ORDER BY`: which groups survive `LIMIT`.
    pub order_by: Option<Box<OrderItem>>,
}

/// One item of `FACET`.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetItem {
    /// By what. `CASES(…)` is [`ExprKind::Cases`].
    pub value: Expr,
    /// `AS`.
    pub alias: Option<Name>,
}

/// `CASES (…) [OR value]`, as a facet or inside an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    /// The first that holds wins; never empty.
    pub cases: Vec<Case>,
    /// `OR value`: what rows are called that match none.
    pub otherwise: Option<Box<Expr>>,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// When.
    pub condition: Expr,
    /// `AS`.
    pub alias: Option<Name>,
}

/// By what rows are ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// By what.
    pub value: Expr,
    /// `DESC`.
    pub descending: bool,
}

/// `LIMIT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// As many as New Relic gives.
    Max,
    /// To be filled in: `{{name}}`.
    Template(Name),
}

/// `OFFSET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offset {
    /// So many rows.
    Count(u64),
    /// To be filled in: `{{name}}`.
    Template(Name),
}

/// A moment in time, not yet resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Moment {
    /// `NOW`.
    Now,
    /// `n units AGO`.
    Ago(Duration),
    /// Milliseconds since 1970.
    Epoch(i64),
    /// `today`, `yesterday`, `monday` …
    Day {
        /// Which.
        day: Day,
        /// `AT 'HH:MM'`.
        at: Option<Text>,
    },
    /// `this unit`: its start.
    This(Unit),
    /// `last unit`: its start.
    Last(Unit),
    /// A date and time.
    Text(Text),
    /// To be filled in: `{{name}}`.
    Template(Name),
    /// `{{name}} units AGO`, or `{{name}} AGO`.
    TemplateAgo {
        /// The variable.
        name: Name,
        /// Of what, if that is said.
        unit: Option<Unit>,
    },
}

/// A day by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Day {
    Today,
    Yesterday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duration {
    /// How many; may be a fraction in rates.
    pub count: f64,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time; the shorter before the longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// `TIMESERIES [width] [SLIDE BY step]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeseries {
    /// How wide a bucket is.
    pub width: Width,
    /// `SLIDE BY`.
    pub slide: Option<Width>,
}

/// How wide a bucket, or a step, is.
#[derive(Debug, Clone, PartialEq)]
pub enum Width {
    /// `AUTO`, or nothing.
    Auto,
    /// `MAX`: as many buckets as New Relic gives.
    Max,
    /// Exactly.
    Exact(Duration),
    /// To be filled in: `{{name}}`.
    Template(Name),
    /// `{{name}} units`.
    TemplateUnits {
        /// The variable.
        name: Name,
        /// Of what.
        unit: Unit,
    },
}

/// `WITH value AS name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// What.
    pub value: Expr,
    /// One name, or one for each output; never empty.
    pub names: Vec<Name>,
}

/// `PREDICT [HOLTWINTERS(…)] [BY d] [USING d]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predict {
    /// All of it.
    pub span: Span,
    /// Arguments of `HOLTWINTERS`; none without it.
    pub holtwinters: Option<Vec<Argument>>,
    /// How far.
    pub by: Option<Duration>,
    /// Trained on how much.
    pub using: Option<Duration>,
}

/// A value or condition: one grammar for both.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Where, without parentheses around it.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// `'text'`.
    Text(String),
    /// `r'text'`.
    Raw(String),
    /// `TRUE`, `FALSE`.
    Bool(bool),
    /// `NULL`.
    Null,
    /// `{{name}}`.
    Template(String),
    /// An attribute or a name given by `AS`.
    Name(String),
    /// `function(…)`.
    Call(Call),
    /// `CASES(…)`.
    Cases(Cases),
    /// `value[key]`.
    Index {
        /// Of what.
        value: Box<Expr>,
        /// Which.
        key: Key,
    },
    /// `-value`, `+value`, `NOT value`.
    Unary(UnaryOp, Box<Expr>),
    /// Two operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `value IS [NOT] NULL | TRUE | FALSE`.
    Is {
        /// Of what.
        value: Box<Expr>,
        /// `NOT`.
        negated: bool,
        /// What.
        what: IsWhat,
    },
    /// `value [NOT] IN (…)`.
    In {
        /// Of what.
        value: Box<Expr>,
        /// `NOT`.
        negated: bool,
        /// Among what.
        among: Among,
    },
    /// `value [NOT] LIKE pattern`.
    Like {
        /// Of what.
        value: Box<Expr>,
        /// `NOT`.
        negated: bool,
        /// `%` stands for anything.
        pattern: Box<Expr>,
    },
    /// `value [NOT] RLIKE pattern`.
    Rlike {
        /// Of what.
        value: Box<Expr>,
        /// `NOT`.
        negated: bool,
        /// A regular expression for the whole value.
        pattern: Box<Expr>,
    },
    /// `(SELECT …)` as a value.
    Query(Box<Query>),
}

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum UnaryOp {
    Minus,
    Plus,
    Not,
}

/// What stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What `IS` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum IsWhat {
    Null,
    True,
    False,
}

/// What `IN` looks through.
#[derive(Debug, Clone, PartialEq)]
pub enum Among {
    /// A list, perhaps empty.
    Values(Vec<Expr>),
    /// The one column of a query.
    Query(Box<Query>),
    /// `IN {{name}}`: a list to be filled in, with its parentheses.
    Template(Name),
}

/// What stands in `[ ]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Position in a list.
    Position(i64),
    /// A field.
    Field(String),
}

/// `name(arguments)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// As written; functions are the same in any case. `{{name}}` if it is to be filled in.
    pub name: Name,
    /// In the order written.
    pub arguments: Vec<Argument>,
}

impl Call {
    /// Whether the function is to be filled in.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.name.text.starts_with("{{")
    }
}

/// One argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// `*`.
    All(Span),
    /// A value.
    Value(Expr),
    /// `WHERE condition [AS name]`.
    Where {
        /// When.
        condition: Expr,
        /// `AS`, for the steps of a funnel.
        alias: Option<Name>,
    },
    /// `name: value`.
    Named {
        /// The name.
        name: Name,
        /// The value.
        value: NamedValue,
    },
    /// `n units`.
    Duration(Duration, Span),
}

/// The value of a named argument.
#[derive(Debug, Clone, PartialEq)]
pub enum NamedValue {
    /// A value.
    Value(Expr),
    /// `n units`.
    Duration(Duration, Span),
    /// `{a, b}`.
    Names(Vec<Name>),
}
