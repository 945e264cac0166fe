//! A dashboard as New Relic imports it: the `DashboardInput` of `NerdGraph`, which the import dialog takes too.
//!
//! In: what [`render`](super::render()) fills in. Out: JSON, keys in the order of New Relic's own exports. Facts: newrelic-client-go,
//! pkg/dashboards/types.go; docs, "`NerdGraph` tutorial: dashboards"; checked 2026-11.

use serde::Serialize;
use serde_json::{Map, Value};

use super::source::Layout;

/// The dashboard.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    /// At most 255 characters.
    pub name: String,
    /// At most 1,024 characters.
    pub description: String,
    /// Who may see and change it.
    pub permissions: &'static str,
    /// 1 to 20.
    pub pages: Vec<Page>,
    /// Shared by all pages.
    pub variables: Vec<Variable>,
}

/// A page.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// At most 255 characters.
    pub name: String,
    /// At most 1,024 characters.
    pub description: String,
    /// At most 100.
    pub widgets: Vec<Widget>,
}

/// A widget.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Widget {
    /// At most 255 characters.
    pub title: String,
    /// Where, on 12 columns.
    pub layout: Layout,
    /// Another page, or none.
    pub linked_entity_guids: Option<Vec<String>>,
    /// How it is drawn.
    pub visualization: Visualization,
    /// What is asked, and the rest.
    pub raw_configuration: Map<String, Value>,
}

/// How a widget is drawn.
#[derive(Debug, Clone, Serialize)]
pub struct Visualization {
    /// As `viz.table`.
    pub id: String,
}

/// A variable.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// `{{name}}` in queries.
    pub name: String,
    /// What people see.
    pub title: String,
    /// `STRING`, `ENUM` or `NRQL`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Several at once.
    pub is_multi_selection: bool,
    /// How a value is put into a query: `STRING`, in quotes.
    pub replacement_strategy: &'static str,
    /// At first.
    pub default_values: Vec<DefaultValue>,
    /// Of `ENUM`.
    pub items: Option<Vec<Item>>,
    /// Of `NRQL`.
    pub nrql_query: Option<NrqlQuery>,
    /// Of `NRQL`.
    pub options: Option<VariableOptions>,
}

/// A value that a variable has at first.
#[derive(Debug, Clone, Serialize)]
pub struct DefaultValue {
    /// The value.
    pub value: TextValue,
}

/// A text.
#[derive(Debug, Clone, Serialize)]
pub struct TextValue {
    /// It.
    pub string: String,
}

/// A value that can be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// What people see.
    pub title: String,
    /// What is put into queries.
    pub value: String,
}

/// A query and whom it asks.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NrqlQuery {
    /// New Relic accounts.
    pub account_ids: Vec<u64>,
    /// NRQL.
    pub query: String,
}

/// How a variable's query is asked.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VariableOptions {
    /// The time picker does not shorten the list.
    pub ignore_time_range: bool,
}
