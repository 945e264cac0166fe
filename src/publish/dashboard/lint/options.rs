//! How widgets are drawn: only as New Relic draws them.
//!
//! In: a visualization and raw configuration. Out: findings. Facts: keys and shapes are those of newrelic-client-go,
//! `pkg/dashboards/dashboards_types.go`; the three shapes of `thresholds` are New Relic's, one for each way of drawing.

use serde_json::Value;

use super::super::query::labels;
use super::super::render::NAMES;
use super::super::source::WidgetSource;
use super::{Language, Lint, Subject};

/// Which shape `thresholds` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thresholds {
    /// None is drawn.
    None,
    /// `[{alertSeverity, value}]`
    Billboard,
    /// `{isLabelVisible, thresholds: [{from, to, name, severity}]}`
    Line,
    /// `[{from, to, columnName, severity}]`
    Table,
}

/// A way of drawing.
struct Drawn {
    id: &'static str,
    /// Fewest and most queries.
    queries: (usize, usize),
    thresholds: Thresholds,
}

const fn drawn(id: &'static str, queries: (usize, usize), thresholds: Thresholds) -> Drawn {
    Drawn { id, queries, thresholds }
}

/// Every way of drawing that the dashboard may use. More exist; these are drawn by `preview`, too.
const DRAWN: [Drawn; 13] = [
    drawn("viz.area", (1, 20), Thresholds::None),
    drawn("viz.bar", (1, 20), Thresholds::None),
    drawn("viz.billboard", (1, 20), Thresholds::Billboard),
    drawn("viz.funnel", (1, 1), Thresholds::None),
    drawn("viz.heatmap", (1, 1), Thresholds::None),
    drawn("viz.histogram", (1, 1), Thresholds::None),
    drawn("viz.json", (1, 1), Thresholds::None),
    drawn("viz.line", (1, 20), Thresholds::Line),
    drawn("viz.markdown", (0, 0), Thresholds::None),
    drawn("viz.pie", (1, 20), Thresholds::None),
    drawn("viz.stacked-bar", (1, 20), Thresholds::None),
    drawn("viz.table", (1, 20), Thresholds::Table),
    drawn("logger.log-table-widget", (1, 1), Thresholds::None),
];

/// Keys of the raw configuration that a definition may set. `nrqlQueries`, `platformOptions` and `text` come from other keys.
const KEYS: [&str; 14] = [
    "facet",
    "legend",
    "thresholds",
    "colors",
    "units",
    "nullValues",
    "yAxisLeft",
    "yAxisRight",
    "refreshRate",
    "initialSorting",
    "dataFormatters",
    "tooltip",
    "chartStyles",
    "billboardSettings",
];

/// Severities of ranges in lines and tables.
const RANGE_SEVERITIES: [&str; 5] = ["success", "warning", "unavailable", "severe", "critical"];
/// Severities of a billboard. Green is none of them.
const BILLBOARD_SEVERITIES: [&str; 3] = ["NOT_ALERTING", "WARNING", "CRITICAL"];

impl Lint<'_> {
    /// Whether New Relic draws it so.
    pub(super) fn options(&mut self, subject: Subject<'_>, widget: &WidgetSource) {
        let Some(drawn) = DRAWN.iter().find(|drawn| drawn.id == widget.visualization) else {
            let known: Vec<&str> = DRAWN.iter().map(|drawn| drawn.id).collect();
            self.tell(subject, format!("no visualization `{}`; there are {}", widget.visualization, known.join(", ")));
            return;
        };
        let (fewest, most) = drawn.queries;
        if !(fewest..=most).contains(&widget.queries.len()) {
            let message = format!("{} queries; `{}` has {fewest} to {most}", widget.queries.len(), drawn.id);
            self.tell(subject, message);
        }
        match (&widget.text, most) {
            (Some(text), 0) => self.both(subject, "text", text, 4_096),
            (None, 0) => self.tell(subject, "`viz.markdown` has a `text`"),
            (Some(_), _) => self.tell(subject, "only `viz.markdown` has a `text`"),
            (None, _) => {}
        }
        for key in widget.options.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            self.tell(subject, format!("no option `{key}`; there are {}", KEYS.join(", ")));
        }
        if let Some(thresholds) = widget.options.get("thresholds") {
            self.thresholds(subject, thresholds, drawn);
        }
        if let Some(palette) = widget.palette.as_ref().filter(|name| !self.definition.shared.palettes.contains_key(*name)) {
            self.tell(subject, format!("no palette `{palette}` in dashboard.yml"));
        }
        if !widget.heat.is_empty() && (drawn.thresholds != Thresholds::Table || widget.options.contains_key("thresholds")) {
            self.tell(subject, "`heat` is for tables without thresholds of their own");
        }
        self.columns(subject, widget);
        let options = Value::Object(widget.options.clone());
        self.option_labels(subject, &options);
    }

    fn thresholds(&mut self, subject: Subject<'_>, thresholds: &Value, drawn: &Drawn) {
        let is_right = match drawn.thresholds {
            Thresholds::None => false,
            Thresholds::Billboard => all(thresholds, &|item| {
                keys(item, &["alertSeverity", "value"])
                    && one_of(item.get("alertSeverity"), &BILLBOARD_SEVERITIES)
                    && is_number(item.get("value"))
            }),
            Thresholds::Table => all(thresholds, &|item| {
                keys(item, &["from", "to", "columnName", "severity"]) && item.get("columnName").is_some() && is_range(item)
            }),
            Thresholds::Line => {
                keys(thresholds, &["isLabelVisible", "thresholds"])
                    && thresholds.get("thresholds").is_some_and(|items| {
                        all(items, &|item| keys(item, &["from", "to", "name", "severity"]) && is_range(item))
                    })
            }
        };
        if !is_right {
            let shape = match drawn.thresholds {
                Thresholds::None => "draws no thresholds".to_owned(),
                Thresholds::Billboard => {
                    format!("has [{{alertSeverity: {}, value}}]: no green", BILLBOARD_SEVERITIES.join(" | "))
                }
                Thresholds::Table => {
                    format!("has [{{from, to, columnName, severity: {}}}], from < to", RANGE_SEVERITIES.join(" | "))
                }
                Thresholds::Line => format!(
                    "has {{isLabelVisible, thresholds: [{{from, to, name, severity: {}}}]}}, from < to",
                    RANGE_SEVERITIES.join(" | ")
                ),
            };
            self.tell(subject, format!("wrong thresholds; `{}` {shape}", drawn.id));
        }
    }

    /// Options that name a column name one that a query gives.
    fn columns(&mut self, subject: Subject<'_>, widget: &WidgetSource) {
        let given: Vec<&str> = widget.queries.iter().flat_map(|query| labels(query)).chain(["timestamp"]).collect();
        let mut named: Vec<&str> = widget.heat.iter().map(String::as_str).collect();
        named.extend(widget.options.get("initialSorting").and_then(|sorting| sorting.get("name")).and_then(Value::as_str));
        let items = |key: &str| widget.options.get(key).and_then(Value::as_array).map_or([].as_slice(), Vec::as_slice);
        named.extend(items("dataFormatters").iter().filter_map(|item| item.get("name")?.as_str()));
        named.extend(items("thresholds").iter().filter_map(|item| item.get("columnName")?.as_str()));
        for column in named.into_iter().filter(|column| !given.contains(column)) {
            let message = format!("no column `{column}`; the queries give {}", given.join(", "));
            self.tell(subject, message);
        }
    }

    /// Labels in options are in `labels.yml`, too.
    fn option_labels(&mut self, subject: Subject<'_>, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.option_labels(subject, item)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value {
                        Value::String(label) if NAMES.contains(&key.as_str()) => self.label(subject, label),
                        _ => self.option_labels(subject, value),
                    }
                }
            }
            _ => {}
        }
    }

    /// A label that people see has its Japanese.
    pub(super) fn label(&mut self, subject: Subject<'_>, label: &str) {
        self.used.insert(format!("'{label}'"));
        if label != "timestamp" && !self.definition.labels.contains_key(label) {
            debug_assert_eq!(self.definition.label(label, Language::Japanese), label);
            self.tell(subject, format!("the label `{label}` has no Japanese in labels.yml"));
        }
    }
}

fn all(items: &Value, is_right: &dyn Fn(&Value) -> bool) -> bool {
    items.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_right))
}

/// An object with no other keys.
fn keys(item: &Value, allowed: &[&str]) -> bool {
    item.as_object().is_some_and(|entries| entries.keys().all(|key| allowed.contains(&key.as_str())))
}

fn one_of(word: Option<&Value>, words: &[&str]) -> bool {
    word.and_then(Value::as_str).is_some_and(|word| words.contains(&word))
}

fn is_number(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_number)
}

fn is_range(item: &Value) -> bool {
    let end = |key: &str| item.get(key).and_then(Value::as_f64);
    one_of(item.get("severity"), &RANGE_SEVERITIES) && end("from").zip(end("to")).is_some_and(|(from, to)| from < to)
}
