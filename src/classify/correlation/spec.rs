//! What a correlation document says.
//!
//! In: what `read` found. Out: plain data with the tests of a condition. Names of rules are as written; `resolve` looks for them.

use super::super::expr::Expr;

/// Most records kept for one group whose values are compared as numbers; each is looked at for every record of the group.
pub(super) const NUMBERS_PER_GROUP: usize = 1_000;

/// Most records kept for one group otherwise.
pub(super) const HITS_PER_GROUP: usize = 10_000;

/// A correlation as written.
#[derive(Debug, Clone)]
pub(in crate::classify) struct Spec {
    pub(super) kind: Kind,
    /// Lines and names or ids of the rules.
    pub(in crate::classify) rules: Vec<(u64, String)>,
    /// Fields, or aliases, whose values must be the same.
    pub(super) group_by: Vec<String>,
    /// Length of a window, milliseconds; more than 0.
    pub(super) timespan_ms: i64,
    pub(super) want: Want,
    /// The fields, or aliases, whose values are looked at; empty for kinds that look at none.
    pub(super) fields: Vec<String>,
    pub(super) aliases: Vec<Alias>,
    /// Line of the key `correlation`.
    pub(super) line: u64,
    /// `timespan` and `condition` in words, for people.
    pub(super) words: String,
}

impl Spec {
    /// What it asks, for people.
    pub(in crate::classify) fn words(&self) -> &str {
        &self.words
    }
}

/// A name for fields that are called otherwise in the records of each rule.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) line: u64,
    pub(super) name: String,
    /// Rule and field.
    pub(super) fields: Vec<(String, String)>,
}

/// The types of Sigma 2.1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::classify) enum Kind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    /// With the percent, more than 0 and at most 100.
    ValuePercentile(f64),
    ValueMedian,
}

/// Their names. The percent of [`Kind::ValuePercentile`] stands in the condition.
pub(in crate::classify) const KINDS: [(&str, Kind); 8] = [
    ("event_count", Kind::EventCount),
    ("value_count", Kind::ValueCount),
    ("temporal", Kind::Temporal),
    ("temporal_ordered", Kind::TemporalOrdered),
    ("value_sum", Kind::ValueSum),
    ("value_avg", Kind::ValueAvg),
    ("value_percentile", Kind::ValuePercentile(0.0)),
    ("value_median", Kind::ValueMedian),
];

impl Kind {
    pub(super) fn name(self) -> &'static str {
        let same = |kind: &Self| std::mem::discriminant(kind) == std::mem::discriminant(&self);
        KINDS.iter().find(|(_, kind)| same(kind)).map_or("", |(name, _)| name)
    }

    /// Whether it looks at values as numbers.
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Self::ValueSum | Self::ValueAvg | Self::ValuePercentile(_) | Self::ValueMedian)
    }

    /// Whether a condition needs `field`.
    pub(super) fn needs_field(self) -> bool {
        self == Self::ValueCount || self.is_numeric()
    }

    /// Most records kept for one group.
    pub(super) fn hits_per_group(self) -> usize {
        if self.is_numeric() { NUMBERS_PER_GROUP } else { HITS_PER_GROUP }
    }
}

/// What a window must hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Want {
    /// The number that the kind makes of a window's records compares so.
    Number(Range),
    /// Records of every rule.
    Every,
    /// Records of rules so combined; a leaf is a position in the rules. Never a negation.
    Rules(Expr<usize>),
}

/// Comparisons that must all hold; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range(pub(super) Vec<(Operator, f64)>);

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::classify) enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// Their names.
pub(in crate::classify) const OPERATORS: [(&str, Operator); 6] = [
    ("gt", Operator::Greater),
    ("gte", Operator::GreaterOrEqual),
    ("lt", Operator::Less),
    ("lte", Operator::LessOrEqual),
    ("eq", Operator::Equal),
    ("neq", Operator::NotEqual),
];

impl Range {
    pub(super) fn holds(&self, number: f64) -> bool {
        self.0.iter().all(|(operator, limit)| match operator {
            Operator::Greater => number > *limit,
            Operator::GreaterOrEqual => number >= *limit,
            Operator::Less => number < *limit,
            Operator::LessOrEqual => number <= *limit,
            Operator::Equal => number.total_cmp(limit).is_eq(),
            Operator::NotEqual => number.total_cmp(limit).is_ne(),
        })
    }
}
