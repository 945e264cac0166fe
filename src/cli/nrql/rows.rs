//! Rows of an answer as people and programs read them.
//!
//! In: names and values, row by row. Out: a table, JSON or CSV. What always holds: columns stand in the order in which they first
//! come; a value that a row does not have is an empty cell, and absent in JSON.

use serde_json::{Map, Value, json};

use super::Format;
use crate::cli::count;
use crate::cli::table::table;
use crate::record::time;

/// Most characters of a cell of a table.
const CELL: usize = 120;

/// One row: names and values in order.
pub(super) type Row = Vec<(String, Value)>;

/// As it was asked for, with what the reader should know beside the rows. CSV has no place for that.
pub(super) fn text(rows: &[Row], messages: &[String], format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Table => messages.iter().fold(as_table(rows), |text, message| text + "note: " + message + "\n"),
        Format::Csv => as_csv(rows),
        Format::Json => {
            let objects: Vec<Map<String, Value>> = rows.iter().map(|row| row.iter().cloned().collect()).collect();
            serde_json::to_string_pretty(&json!({"results": objects, "metadata": {"messages": messages}}))? + "\n"
        }
    })
}

fn columns(rows: &[Row]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    columns
}

fn value<'r>(row: &'r Row, column: &str) -> Option<&'r Value> {
    row.iter().find(|(name, _)| name == column).map(|(_, value)| value).filter(|value| !value.is_null())
}

fn as_table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no rows\n".to_owned();
    }
    // `facet` says once more what stands under the facets' own names.
    let is_told = |column: &&str| *column == "facet" && rows.iter().all(|row| row.len() > 2);
    let columns: Vec<&str> = columns(rows).into_iter().filter(|column| !is_told(column)).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            columns.iter().map(|column| value(row, column).map_or_else(String::new, |value| cell(column, value))).collect()
        })
        .collect();
    table(&columns, &cells) + &count(rows.len() as u64, "row") + "\n"
}

/// A value on one line; times as people write them.
fn cell(column: &str, value: &Value) -> String {
    let ms = match column {
        "timestamp" => value.as_i64(),
        "beginTimeSeconds" | "endTimeSeconds" => value.as_f64().map(|seconds| whole(seconds * 1_000.0)),
        _ => None,
    };
    let text = match (ms, value) {
        (Some(ms), _) => time::format_ms(ms),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CELL).collect();
    if text.chars().count() > CELL {
        line.push('…');
    }
    line
}

#[expect(clippy::cast_possible_truncation, reason = "a double out of range becomes the end of the range")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// As RFC 4180 has it.
fn as_csv(rows: &[Row]) -> String {
    let columns = columns(rows);
    let line = |cells: &mut dyn Iterator<Item = String>| cells.collect::<Vec<_>>().join(",") + "\r\n";
    let mut text = line(&mut columns.iter().map(|column| quoted(column)));
    for row in rows {
        text += &line(&mut columns.iter().map(|column| match value(row, column) {
            None => String::new(),
            Some(Value::String(text)) => quoted(text),
            Some(other) => quoted(&other.to_string()),
        }));
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |fields: &[(&str, Value)]| fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        vec![
            row(&[("facet", json!("東京")), ("city", json!("東京")), ("count", json!(12))]),
            row(&[("facet", json!("a,\"b\"")), ("city", json!("a,\"b\"")), ("count", json!(3)), ("late", json!({"95": 1.5}))]),
        ]
    }

    #[test]
    fn a_table_has_a_column_for_each_name() {
        let text = as_table(&rows());
        assert_eq!(text, "  city   count  late\n  東京      12\n  a,\"b\"      3  {\"95\":1.5}\n2 rows\n");
        assert_eq!(as_table(&[]), "no rows\n");
        let at = vec![vec![("timestamp".to_owned(), json!(1_702_900_800_000_i64)), ("x".to_owned(), json!("a\nb"))]];
        assert_eq!(as_table(&at), "  timestamp             x\n  2023-12-18T12:00:00Z  a b\n1 row\n");
    }

    #[test]
    fn messages_stand_below_a_table_and_in_the_metadata_of_json() {
        let messages = ["LIMIT 9000 is more than 5000: 5000 is used".to_owned()];
        let table = text(&[], &messages, Format::Table).expect("a table");
        assert_eq!(table, "no rows\nnote: LIMIT 9000 is more than 5000: 5000 is used\n");
        let found: Value = serde_json::from_str(&text(&rows(), &messages, Format::Json).expect("JSON")).expect("JSON");
        assert_eq!(found["metadata"], json!({"messages": messages}));
        assert_eq!(found["results"][0], json!({"facet": "東京", "city": "東京", "count": 12}));
    }

    #[test]
    fn csv_quotes_what_must_be_quoted() {
        let text = as_csv(&rows());
        assert_eq!(text, "facet,city,count,late\r\n東京,東京,12,\r\n\"a,\"\"b\"\"\",\"a,\"\"b\"\"\",3,\"{\"\"95\"\":1.5}\"\r\n");
    }
}
