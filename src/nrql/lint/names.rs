//! Which names exist.
//!
//! In: what the caller knows of the data: event types, their attributes, metrics, names that New Relic reserves, variables of a
//! dashboard. Out: answers about one name. What always holds: nothing is known here that the caller did not say, but `timestamp`,
//! which every row has, and `metricName` of metrics; who says nothing is asked nothing: without an event type names are not
//! judged, without variables neither are those.

use std::collections::{BTreeMap, BTreeSet};

/// The type of metrics.
pub(super) const METRIC: &str = "Metric";

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// The words `true`, `false` and `unknown`.
    Flag,
    /// Several texts as one: `|a|b|`.
    List,
    /// Numbers.
    Number,
    /// Either, or something else.
    Any,
}

/// What is known of an event type.
#[derive(Debug, Clone, Default)]
pub(super) struct EventType {
    pub(super) attributes: BTreeMap<String, Kind>,
    /// It has more attributes than are known.
    pub(super) open: bool,
}

/// The names that exist.
#[derive(Debug, Clone, Default)]
pub struct Names {
    types: BTreeMap<String, EventType>,
    metrics: BTreeMap<String, BTreeSet<String>>,
    reserved: Vec<(String, String)>,
    variables: Option<BTreeSet<String>>,
}

impl Names {
    /// An event type has an attribute.
    pub fn attribute(&mut self, event_type: &str, name: &str, kind: Kind) {
        let known = self.types.entry(event_type.to_owned()).or_default();
        known.attributes.entry(name.to_owned()).or_insert(kind);
    }

    /// An event type has more attributes than are said.
    pub fn open(&mut self, event_type: &str) {
        self.types.entry(event_type.to_owned()).or_default().open = true;
    }

    /// There is a metric, whose points have these attributes, all of them text.
    pub fn metric<'n>(&mut self, name: &str, attributes: impl IntoIterator<Item = &'n str>) {
        let known = self.types.entry(METRIC.to_owned()).or_default();
        known.attributes.entry("metricName".to_owned()).or_insert(Kind::Text);
        let of_metric = self.metrics.entry(name.to_owned()).or_default();
        of_metric.extend(attributes.into_iter().map(str::to_owned));
    }

    /// New Relic keeps a name, or all names that begin with one which ends in a dot, for itself: `instead` says what to write.
    pub fn reserve(&mut self, name: &str, instead: &str) {
        self.reserved.push((name.to_owned(), instead.to_owned()));
    }

    /// The dashboard has these variables and no others.
    pub fn variables<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.variables = Some(names.into_iter().map(str::to_owned).collect());
    }

    /// Whether nothing is known of the data.
    pub(super) fn know_nothing(&self) -> bool {
        self.types.is_empty()
    }

    pub(super) fn event_type(&self, name: &str) -> Option<&EventType> {
        self.types.get(name)
    }

    /// The event types, by name.
    pub(super) fn event_types(&self) -> impl Iterator<Item = (&str, &EventType)> {
        self.types.iter().map(|(name, known)| (name.as_str(), known))
    }

    /// The metrics and the attributes of their points, by name.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.metrics.iter().map(|(name, attributes)| (name.as_str(), attributes))
    }

    /// What to write instead of a name that is New Relic's own.
    pub(super) fn instead_of(&self, name: &str) -> Option<&str> {
        let is = |reserved: &str| name == reserved || (reserved.ends_with('.') && name.starts_with(reserved));
        self.reserved.iter().find(|(reserved, _)| is(reserved)).map(|(_, instead)| instead.as_str())
    }

    /// The variables of the dashboard, if somebody said which there are.
    pub(super) fn known_variables(&self) -> Option<&BTreeSet<String>> {
        self.variables.as_ref()
    }
}
