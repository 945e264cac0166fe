//! What is refused in a dashboard.
//!
//! In: `DashboardInput`, as the schema lets it through. Out: a line for each fault. What always holds: every number is one of the
//! table of limits in New Relic's documentation or its Go client; nothing is judged that New Relic shows later (an account that the
//! viewer may not read, a widget over another).
//!
//! Known from reports are the beginning `Invalid widget input:` and the sentence on account ids; the other sentences are ours.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::dashboard::list;
use super::{Arguments, NerdGraphSettings, input, number, text};
use crate::nrql::ast::{ExprKind, Selected};
use crate::nrql::lint::QUERY_BYTES;
use crate::nrql::{Statement, parse};

const NAME: usize = 255;
const DESCRIPTION: usize = 1_024;
const PAGES: usize = 20;
const WIDGETS: usize = 100;
const QUERIES: usize = 20;
const LINKS: usize = 1;
const COLUMNS: i64 = 12;

/// Widgets that New Relic draws.
const VISUALIZATIONS: [&str; 16] = [
    "infra.inventory",
    "logger.log-table-widget",
    "viz.area",
    "viz.bar",
    "viz.billboard",
    "viz.bullet",
    "viz.event-feed",
    "viz.funnel",
    "viz.heatmap",
    "viz.histogram",
    "viz.json",
    "viz.line",
    "viz.markdown",
    "viz.pie",
    "viz.stacked-bar",
    "viz.table",
];

/// Everything that is wrong with a dashboard.
pub(super) fn faults(dashboard: &Arguments, settings: &NerdGraphSettings) -> Vec<String> {
    let mut faults = Vec::new();
    named("dashboard", dashboard, &mut faults);
    let pages = list(dashboard, "pages");
    if pages.is_empty() || pages.len() > PAGES {
        faults.push(format!("Invalid dashboard input: {} pages, expected 1 to {PAGES}", pages.len()));
    }
    for page in pages.iter().filter_map(Json::as_object) {
        named("page", page, &mut faults);
        let widgets = list(page, "widgets");
        if widgets.len() > WIDGETS {
            let name = text(page, "name");
            faults.push(format!("Invalid page input: {} widgets on page {name:?}, at most {WIDGETS}", widgets.len()));
        }
        for found in widgets.iter().filter_map(Json::as_object) {
            let title = text(found, "title");
            let wrong = widget(found, settings).into_iter();
            faults.extend(wrong.map(|fault| format!("Invalid widget input: {fault}{}", of(title))));
        }
    }
    faults.extend(variables(list(dashboard, "variables")));
    faults
}

/// Which widget; nothing of one without a title.
fn of(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(" (widget {title:?})") }
}

fn named(what: &str, fields: &Arguments, faults: &mut Vec<String>) {
    let name = text(fields, "name").chars().count();
    if !(1..=NAME).contains(&name) {
        faults.push(format!("Invalid {what} input: the name has {name} characters, expected 1 to {NAME}"));
    }
    let description = text(fields, "description").chars().count();
    if description > DESCRIPTION {
        faults.push(format!("Invalid {what} input: the description has {description} characters, at most {DESCRIPTION}"));
    }
}

fn widget(widget: &Arguments, settings: &NerdGraphSettings) -> Vec<String> {
    let mut faults = Vec::new();
    let title = text(widget, "title").chars().count();
    if title > NAME {
        faults.push(format!("the title has {title} characters, at most {NAME}"));
    }
    let links = list(widget, "linkedEntityGuids").len();
    if links > LINKS {
        faults.push(format!("{links} linked entities, at most {LINKS}"));
    }
    faults.extend(layout(&input(widget, "layout"), settings));
    let visualization = input(widget, "visualization");
    let id = text(&visualization, "id");
    // A custom one is `<nerdpack>.<name>`; the nerdpacks of New Relic have no others.
    let is_own = |(pack, name): (&str, &str)| !matches!(pack, "viz" | "logger" | "infra") && !pack.is_empty() && !name.is_empty();
    if !VISUALIZATIONS.contains(&id) && !id.split_once('.').is_some_and(is_own) {
        faults.push(format!("unknown visualization {id:?}, expected one of {}, or a custom one", VISUALIZATIONS.join(", ")));
    }
    match widget.get("rawConfiguration").and_then(Json::as_object) {
        None => faults.push("rawConfiguration is missing".to_owned()),
        Some(raw) if id == "viz.markdown" => {
            if !raw.get("text").is_some_and(Json::is_string) {
                faults.push("viz.markdown needs text".to_owned());
            }
        }
        Some(raw) => faults.extend(queries(raw, id)),
    }
    faults
}

fn layout(layout: &Arguments, settings: &NerdGraphSettings) -> Vec<String> {
    let of = |field: &str, default: i64| number(layout, field).unwrap_or(default);
    let (column, row, width, height) = (of("column", 1), of("row", 1), of("width", 4), of("height", 3));
    let highest = settings.widget_height;
    let ranges = [
        ("column", column, 1..=COLUMNS),
        ("row", row, 1..=i64::MAX),
        ("width", width, 1..=COLUMNS),
        ("height", height, 1..=highest),
    ];
    let mut faults: Vec<String> = ranges
        .into_iter()
        .filter(|(_, value, range)| !range.contains(value))
        .map(|(field, value, range)| match *range.end() {
            i64::MAX => format!("{field} is {value}, expected {} or more", range.start()),
            most => format!("{field} is {value}, expected {} to {most}", range.start()),
        })
        .collect();
    if faults.is_empty() && column + width - 1 > COLUMNS {
        faults.push(format!("column {column} and width {width} end beyond column {COLUMNS}"));
    }
    faults
}

fn queries(raw: &Arguments, visualization: &str) -> Vec<String> {
    let queries = list(raw, "nrqlQueries");
    // The inventory and what others draw may ask in ways of their own.
    let asks = VISUALIZATIONS.contains(&visualization) && visualization != "infra.inventory";
    if asks && queries.is_empty() {
        return vec!["nrqlQueries is missing or empty".to_owned()];
    }
    let mut faults = Vec::new();
    if queries.len() > QUERIES {
        faults.push(format!("{} queries, at most {QUERIES}", queries.len()));
    }
    for query in queries {
        let Some(query) = query.as_object() else {
            faults.push("a query is an object of accountIds and query".to_owned());
            continue;
        };
        let ids = query.get("accountIds").or_else(|| query.get("accountId"));
        let has_account = match ids {
            Some(Json::Array(ids)) => !ids.is_empty() && ids.iter().all(is_account),
            Some(id) => query.get("accountIds").is_none() && is_account(id),
            None => false,
        };
        if !has_account {
            faults.push("nrql queries must provide either a valid 'accountId' or a list of 'accountIds'".to_owned());
        }
        faults.extend(nrql(text(query, "query")).err());
    }
    faults
}

/// An account's number, also in quotes: templates write it so.
fn is_account(id: &Json) -> bool {
    let number = id.as_u64().or_else(|| id.as_str().and_then(|id| id.parse().ok()));
    number.is_some_and(|number| number > 0)
}

fn nrql(query: &str) -> Result<Statement, String> {
    if query.len() >= QUERY_BYTES {
        return Err(format!("the query has {} bytes, expected less than {QUERY_BYTES}", query.len()));
    }
    parse(query).map_err(|fault| format!("invalid NRQL: {fault}"))
}

fn variables(variables: &[Json]) -> Vec<String> {
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for variable in variables.iter().filter_map(Json::as_object) {
        let name = text(variable, "name");
        let mut wrong = Vec::new();
        let mut signs = name.chars();
        let begins = signs.next().is_some_and(|sign| sign.is_ascii_alphabetic());
        if !begins || !signs.all(|sign| sign.is_ascii_alphanumeric() || sign == '_') {
            wrong.push("the name must be a letter, then letters, digits and underscores".to_owned());
        }
        if !seen.insert(name) {
            wrong.push("the name is used twice".to_owned());
        }
        match text(variable, "type") {
            "NRQL" => match variable.get("nrqlQuery").and_then(Json::as_object) {
                None => wrong.push("a variable of type NRQL needs nrqlQuery".to_owned()),
                Some(asked) => {
                    let accounts = list(asked, "accountIds");
                    if accounts.is_empty() || !accounts.iter().all(is_account) {
                        wrong.push("nrqlQuery needs the accountIds of at least one account".to_owned());
                    }
                    match nrql(text(asked, "query")) {
                        Ok(statement) if has_uniques(&statement) => {}
                        Ok(_) => wrong.push("the query must select uniques()".to_owned()),
                        Err(fault) => wrong.push(fault),
                    }
                }
            },
            "ENUM" if list(variable, "items").is_empty() => wrong.push("a variable of type ENUM needs items".to_owned()),
            _ => {}
        }
        faults.extend(wrong.into_iter().map(|fault| format!("Invalid variable input: {fault} (variable {name:?})")));
    }
    faults
}

fn has_uniques(statement: &Statement) -> bool {
    let Statement::Select(query) = statement else { return true };
    query.select.iter().any(|item| match &item.value {
        Selected::Value(value) => matches!(&value.kind, ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("uniques")),
        Selected::All(_) => false,
    })
}
