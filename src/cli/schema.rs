//! `schema`: every attribute that is ever sent.
//!
//! In: the dictionary and the allow-list of request parameters, both built in. Out: a table for a terminal, JSON, or Markdown.

use serde_json::{Value, json};

use super::exit::Exit;
use super::table::table;
use crate::encode::dictionary::{ATTRIBUTES, Attribute, Kind, NOTICE, SECURITY_EVENT};
use crate::enrich::{AccountNames, Enricher};

/// What is said of every request parameter.
const REQUEST: &str = "Request parameter that the allow-list passes for its call.";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the dictionary looks
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For machines
    Json,
    /// For a page
    Markdown,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let enricher = Enricher::new(AccountNames::default(), "UTC")?;
    let request = enricher.request_attributes();
    let rows = || ATTRIBUTES.iter().copied().chain(request.iter().map(|name| parameter(name)));
    let text = match args.format {
        Format::Table => {
            let rows: Vec<Vec<String>> = rows()
                .map(|row| [row.name, kind(row.kind), row.unit, &row.events.join(" "), row.meaning].map(str::to_owned).to_vec())
                .collect();
            table(&["attribute", "type", "unit", "event types", "meaning"], &rows)
        }
        Format::Markdown => {
            let head = "| attribute | type | unit | example | event types | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
            rows().fold(head.to_owned(), |page, row| page + &markdown(&row))
        }
        Format::Json => {
            let rows: Vec<Value> = rows()
                .map(|row| {
                    // A number as a number.
                    let example = row.example.parse::<i64>().ok().filter(|_| row.kind == Kind::Number);
                    let example = example.map_or_else(|| json!(row.example), Value::from);
                    json!({
                        "name": row.name, "type": kind(row.kind), "unit": row.unit, "example": example,
                        "eventTypes": row.events, "meaning": row.meaning,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
    };
    super::print(&text)?;
    Ok(Exit::Good)
}

/// The row of a request parameter.
fn parameter(name: &'static str) -> Attribute {
    Attribute { name, kind: Kind::Text, unit: "", example: "", events: &[SECURITY_EVENT, NOTICE], meaning: REQUEST }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
    }
}

fn markdown(row: &Attribute) -> String {
    // A bar would end the cell.
    let escaped = |text: &str| text.replace('|', "\\|");
    let example = if row.example.is_empty() { String::new() } else { format!("`{}`", escaped(row.example)) };
    let events: Vec<String> = row.events.iter().map(|event| format!("`{event}`")).collect();
    let (unit, meaning) = (escaped(row.unit), escaped(row.meaning));
    format!("| `{}` | {} | {unit} | {example} | {} | {meaning} |\n", row.name, kind(row.kind), events.join(" "))
}
