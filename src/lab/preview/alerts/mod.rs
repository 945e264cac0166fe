//! The page Alerts: what the conditions would have told people, beside what made them.
//!
//! In: policies with their conditions, rows. Out: for the list, the incidents of each condition in the time that is shown; for one
//! condition its signals window by window, thresholds, incidents with their titles, settings and reasons. What always holds: the
//! incidents are those of [`backtest`](crate::lab::backtest): what came before the shown time counts, and nothing is made up after the
//! last row; a condition without a row of its types says so and shows no zero; what is left out is counted; nothing is
//! judged again before there are new rows.
//!
//! Parts: `desk` (judges and keeps), `told` (what leaves, as JSON), `line` (windows as so many points as a chart can show).

mod desk;
mod line;
mod told;

#[cfg(test)]
pub(super) mod tests;

use serde::Deserialize;

use super::Language;
use crate::lab::backtest::Tested;
use crate::lab::engine;
use crate::lab::store::Store;
use crate::nrql::condition::Priority;

pub(super) use desk::Desk;

/// Conditions, and the rows on which they are shown.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// By language, with the same ids in each. A language that is missing shows the first.
    pub policies: Vec<(Language, Vec<Policy>)>,
    /// The rows; they may still come.
    pub rows: Store,
    /// When the rows came.
    pub arrival: Arrived,
    /// How queries are run.
    pub engine: engine::Settings,
}

/// When rows came, which decides what their windows still saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// When they were stored.
    AsStored,
    /// When they say: rows of a file.
    AsTold,
}

/// A policy and its conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Names it for ever.
    pub key: String,
    /// For people.
    pub name: String,
    /// `incidentPreference`: which incidents become one issue.
    pub preference: String,
    /// In order.
    pub conditions: Vec<Shown>,
}

/// A condition and what it says of itself, in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What is judged, and where it belongs.
    pub tested: Tested,
    /// Why on or off.
    pub because: String,
    /// What it answers.
    pub question: String,
    /// What its value is.
    pub value: String,
    /// When it opens: a sentence for each priority.
    pub opens: Vec<String>,
    /// When it closes.
    pub closes: String,
    /// Why each threshold is as it is.
    pub reasons: Vec<(Priority, String)>,
    /// Why silence does what it does.
    pub silence: String,
    /// Title of its incidents, in Handlebars.
    pub title: String,
    /// What it means.
    pub description: String,
    /// What to do first.
    pub response: String,
    /// How to make it quieter.
    pub tuning: String,
    /// Why its incidents say nothing on these rows; they are not counted then.
    pub remark: Option<String>,
}

/// What the page asks for its list: the conditions of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListRequest {
    /// Key of the policy.
    pub(super) policy: String,
    /// Begin of the shown time, ms since 1970.
    pub(super) since: i64,
    /// Its end.
    pub(super) until: i64,
}

/// What the page asks for one condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneRequest {
    /// Id of the condition.
    pub(super) id: String,
    /// Of titles.
    #[serde(default)]
    pub(super) lang: Option<String>,
    /// Begin of the shown time, ms since 1970.
    pub(super) since: i64,
    /// Its end.
    pub(super) until: i64,
}
