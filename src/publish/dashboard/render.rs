//! From the definition to what New Relic imports.
//!
//! In: the definition, a language, accounts, perhaps one page. Out: a [`Document`]. What always holds: every query asks all the
//! accounts; a page alone brings the variables it uses and no others, and names the dashboard, as New Relic has it.

use serde_json::{Map, Value, json};

use super::document::{
    DefaultValue, Document, Item, NrqlQuery, Page, TextValue, Variable, VariableOptions, Visualization, Widget,
};
use super::query;
use super::source::{Definition, Language, PageSource, VariableSource, WidgetSource, Window};

/// The account in shipped files: New Relic's import dialog asks for the real one.
pub const PLACEHOLDER_ACCOUNT: u64 = 0;

/// Everybody in the account sees it, who made it changes it.
const PERMISSIONS: &str = "PUBLIC_READ_ONLY";

/// From how many on a cell of a matrix is how red: New Relic's severities of table ranges.
const HEAT: [(u32, u32, &str); 3] = [(1, 10, "warning"), (10, 100, "severe"), (100, 1_000_000_000, "critical")];

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Of titles and labels.
    pub language: Language,
    /// New Relic accounts that queries ask; not empty.
    pub accounts: &'a [u64],
    /// This page alone, by the name of its file.
    pub page: Option<&'a str>,
    /// IANA name of the zone of calendar functions; that of the language without.
    pub timezone: Option<&'a str>,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// There is no such page.
    #[error("no page `{page}`; the pages are {}", known.join(", "))]
    Page {
        /// As asked.
        page: String,
        /// All there are.
        known: Vec<String>,
    },
    /// A query cannot be written; lint tells where.
    #[error("{at}: {message}")]
    Query {
        /// Widget or variable.
        at: String,
        /// Why.
        message: String,
    },
}

/// The dashboard.
///
/// # Errors
/// There is no such page, or a query names a word that means nothing.
pub fn render(definition: &Definition, request: Request<'_>) -> Result<Document, RenderError> {
    let Request { language, page: wanted, .. } = request;
    let shown: Vec<&(String, PageSource)> =
        definition.pages.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))).collect();
    if let (Some(wanted), []) = (wanted, shown.as_slice()) {
        let known = definition.pages.iter().map(|(name, _)| name.clone()).collect();
        return Err(RenderError::Page { page: wanted.to_owned(), known });
    }
    let mut pages = Vec::new();
    for (_, page) in &shown {
        let mut widgets = Vec::new();
        for widget in &page.widgets {
            widgets.push(render_widget(definition, widget, request)?);
        }
        let (name, description) = (page.name.get(language).to_owned(), page.description.get(language).to_owned());
        pages.push(Page { name, description, widgets });
    }
    let uses = |variable: &&VariableSource| wanted.is_none() || is_used(definition, &shown, &variable.name);
    let mut variables = Vec::new();
    for variable in definition.shared.variables.iter().filter(uses) {
        variables.push(render_variable(definition, variable, request)?);
    }
    let (name, description) = match (wanted, pages.first()) {
        (Some(_), Some(page)) => (page.name.clone(), page.description.clone()),
        _ => (definition.shared.name.get(language).to_owned(), definition.shared.description.get(language).to_owned()),
    };
    Ok(Document { name, description, permissions: PERMISSIONS, pages, variables })
}

fn is_used(definition: &Definition, pages: &[&(String, PageSource)], variable: &str) -> bool {
    let name = format!("{{{{{variable}}}}}");
    let mut queries = pages.iter().flat_map(|(_, page)| &page.widgets).flat_map(|widget| &widget.queries);
    queries.any(|query| query::fill(definition, query, "").is_ok_and(|filled| filled.contains(&name)))
}

fn render_query(definition: &Definition, at: &str, query: &str, request: Request<'_>) -> Result<NrqlQuery, RenderError> {
    let query = query::written(definition, query, request.language, request.timezone)
        .map_err(|error| RenderError::Query { at: at.to_owned(), message: error.to_string() })?;
    Ok(NrqlQuery { account_ids: request.accounts.to_vec(), query })
}

fn render_widget(definition: &Definition, widget: &WidgetSource, request: Request<'_>) -> Result<Widget, RenderError> {
    let language = request.language;
    let mut raw = Map::new();
    if !widget.queries.is_empty() {
        let mut queries = Vec::new();
        for query in &widget.queries {
            let NrqlQuery { account_ids, query } = render_query(definition, &widget.id, query, request)?;
            queries.push(json!({ "accountIds": account_ids, "query": query }));
        }
        raw.insert("nrqlQueries".to_owned(), Value::Array(queries));
        raw.insert("platformOptions".to_owned(), json!({ "ignoreTimeRange": widget.window == Window::Own }));
    }
    if let Some(text) = &widget.text {
        raw.insert("text".to_owned(), json!(text.get(language)));
    }
    for (key, value) in &widget.options {
        raw.insert(key.clone(), named(definition, value, language));
    }
    if let Some(colors) = colors(definition, widget, language) {
        raw.insert("colors".to_owned(), colors);
    }
    if !widget.heat.is_empty() {
        raw.insert("thresholds".to_owned(), heat(definition, widget, language));
    }
    Ok(Widget {
        title: widget.title.get(language).to_owned(),
        layout: widget.layout,
        linked_entity_guids: None,
        visualization: Visualization { id: widget.visualization.clone() },
        raw_configuration: raw,
    })
}

/// Keys whose value is a label of the query.
pub(super) const NAMES: [&str; 3] = ["name", "columnName", "seriesName"];

/// Options with labels in the language.
fn named(definition: &Definition, value: &Value, language: Language) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| named(definition, item, language)).collect(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                let value = match value {
                    Value::String(label) if NAMES.contains(&key.as_str()) => json!(definition.label(label, language)),
                    _ => named(definition, value, language),
                };
                (key.clone(), value)
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        _ => value.clone(),
    }
}

/// The colours of a palette: those of the series that the queries name, or all where they name none.
fn colors(definition: &Definition, widget: &WidgetSource, language: Language) -> Option<Value> {
    let palette = definition.shared.palettes.get(widget.palette.as_ref()?)?;
    let is_named = |series: &str| widget.queries.iter().any(|query| query.contains(&format!("'{series}'")));
    let names_any = palette.keys().any(|series| is_named(series));
    let overrides: Vec<Value> = palette
        .iter()
        .filter(|(series, _)| !names_any || is_named(series))
        .map(|(series, color)| json!({ "color": color, "seriesName": definition.label(series, language) }))
        .collect();
    Some(json!({ "seriesOverrides": overrides }))
}

fn heat(definition: &Definition, widget: &WidgetSource, language: Language) -> Value {
    let ranges = |column: &String| {
        let label = definition.label(column, language).to_owned();
        HEAT.map(|(from, to, severity)| json!({ "from": from, "to": to, "columnName": label, "severity": severity }))
    };
    widget.heat.iter().flat_map(ranges).collect()
}

fn render_variable(definition: &Definition, variable: &VariableSource, request: Request<'_>) -> Result<Variable, RenderError> {
    let nrql_query = match &variable.query {
        Some(query) => Some(render_query(definition, &variable.name, query, request)?),
        None => None,
    };
    let items: Vec<Item> = variable.items.iter().map(|item| Item { title: item.clone(), value: item.clone() }).collect();
    Ok(Variable {
        name: variable.name.clone(),
        title: variable.title.get(request.language).to_owned(),
        kind: variable.kind.as_str(),
        is_multi_selection: variable.multiple,
        replacement_strategy: "STRING",
        default_values: variable.default.iter().map(|text| DefaultValue { value: TextValue { string: text.clone() } }).collect(),
        items: (!items.is_empty()).then_some(items),
        options: nrql_query.as_ref().map(|_| VariableOptions { ignore_time_range: true }),
        nrql_query,
    })
}
