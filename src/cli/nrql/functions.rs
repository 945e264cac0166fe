//! `nrql --functions`: every function of the language.
//!
//! In: the table of functions. Out: it, as a table or JSON.

use serde_json::{Value, json};

use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::table::table;
use crate::nrql::function::{FUNCTIONS, Function};

pub(super) fn run(format: Format) -> anyhow::Result<Exit> {
    let text = match format {
        Format::Text => {
            let rows: Vec<Vec<String>> = FUNCTIONS.iter().map(row).collect();
            table(&["function", "kind", "tier", "arguments", "named", "lab", "gives"], &rows)
        }
        Format::Json => {
            let rows: Vec<Value> = FUNCTIONS.iter().map(json).collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
    };
    crate::cli::print(&text)?;
    Ok(Exit::Good)
}

fn row(function: &Function) -> Vec<String> {
    let names: Vec<&str> = [function.name].into_iter().chain(function.aliases.iter().copied()).collect();
    let named: Vec<String> = function.named.iter().map(|name| format!("{name}:")).collect();
    let gives = match function.difference {
        "" => function.doc.to_owned(),
        difference => format!("{} Here: {difference}.", function.doc),
    };
    vec![
        names.join(", "),
        function.kind.as_str().to_owned(),
        function.tier.as_str().to_owned(),
        function.arity(),
        named.join(" "),
        function.support.as_str().to_owned(),
        gives,
    ]
}

fn json(function: &Function) -> Value {
    json!({
        "name": function.name,
        "aliases": function.aliases,
        "kind": function.kind.as_str(),
        "tier": function.tier.as_str(),
        "arguments": {"least": function.least, "most": function.most},
        "named": function.named,
        "support": function.support.as_str(),
        "gives": function.doc,
        "difference": function.difference,
    })
}
