//! The proof that a condition carries: rows, and the incidents that they must open.
//!
//! In: the `cases` of a condition's file. Out: plain data. What always holds: a case without an incident is as much a proof as one
//! with: it is what must not wake anybody. Of incidents of one signal that overlap the most severe is named: who is paged for it is not
//! called a second time for the warning. The cases are run by whoever has an evaluator of conditions; nothing is run here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Rows, and what must come of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is shown, in a few words.
    pub name: String,
    /// What New Relic stored.
    #[serde(default)]
    pub rows: Vec<RowSource>,
    /// How long to look, s after the begin; 0: until the last row has come, every window of the rows is closed and a silence that
    /// closes has been noticed.
    #[serde(default)]
    pub until: u32,
    /// What must open, each once; empty: nothing.
    pub incidents: Vec<ExpectedIncident>,
}

/// Longest case, s: 31 days, as long as New Relic keeps rows.
pub(super) const LONGEST: u32 = 31 * 86_400;

/// Most rows of a case.
pub(super) const ROWS: u64 = 100_000;

impl Case {
    /// Its rows, with all that differ in time alone.
    #[must_use]
    pub fn number_of_rows(&self) -> u64 {
        self.rows.iter().map(|row| u64::from(row.times)).sum()
    }

    /// Whether it can be judged: it has no more rows than the linter allows, and takes no longer.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let is_short = |row: &RowSource| row.last_s() <= u64::from(LONGEST) && row.late <= LONGEST;
        self.number_of_rows() <= ROWS && self.until <= 2 * LONGEST && self.rows.iter().all(is_short)
    }
}

impl RowSource {
    /// When the last of them happened, s after the begin.
    #[must_use]
    pub fn last_s(&self) -> u64 {
        u64::from(self.at).saturating_add(u64::from(self.times.saturating_sub(1)).saturating_mul(u64::from(self.every)))
    }
}

/// A row, or several that differ in time alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSource {
    /// Its event type.
    pub event: String,
    /// Its `timestamp`, s after the begin of the case.
    pub at: u32,
    /// When it came, s after that: New Relic's conditions see rows in the order in which they come.
    #[serde(default)]
    pub late: u32,
    /// So many of them.
    #[serde(default = "once")]
    pub times: u32,
    /// So far apart, s.
    #[serde(default)]
    pub every: u32,
    /// Its attributes. Of `Metric`: the name of the metric and its value, too.
    pub with: Map<String, Value>,
}

fn once() -> u32 {
    1
}

/// An incident that must open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedIncident {
    /// `CRITICAL` or `WARNING`; an incident of lost signal is `CRITICAL`.
    pub priority: String,
    /// The group of `FACET`, by alias.
    #[serde(default)]
    pub facet: BTreeMap<String, String>,
    /// It opens because the signal went silent.
    #[serde(default)]
    pub silence: bool,
    /// When, s after the begin of the case; absent: whenever.
    #[serde(default)]
    pub opens: Option<u32>,
    /// When it closes, of one that says when it opens; absent: it is open when the case ends.
    #[serde(default)]
    pub closes: Option<u32>,
}
