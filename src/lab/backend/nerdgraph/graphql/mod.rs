//! GraphQL as such: knows nothing of New Relic.
//!
//! In: a document with variables, a schema, and something that knows the values of fields. Out: `data` and `errors`. What always
//! holds: a document is checked against the schema before anything runs, and nothing runs that has a fault; the work for one
//! document and the bytes of its answer are bounded. Left out, because nothing here needs it: subscriptions, introspection, unions, conflicts of equal names.
//!
//! Why of our own: of the crates that read GraphQL, one forces a second `thiserror` on the tree, one a second `hashbrown` and
//! `rustc-hash`, one switches features of crates on that the lean agent has; the whole compilers are forty crates.

mod check;
mod document;
mod input;
mod lexer;
mod run;
mod schema;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json, json};

use document::{Document, Kind, Operation};
pub(super) use schema::Schema;

/// Where something stands, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    line: u32,
    column: u32,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    message: String,
    place: Option<Place>,
    /// What stands beside the message: `extensions`, say.
    more: Map<String, Json>,
}

impl Fault {
    /// Something wrong with the document, at a place.
    fn at(message: String, place: Place) -> Self {
        Self { message, place: Some(place), more: Map::new() }
    }

    /// Something wrong with what was asked, of one of New Relic's classes.
    pub(super) fn of(class: &str, message: impl Into<String>) -> Self {
        let extensions = json!({ "errorClass": class });
        Self { message: message.into(), place: None, more: Map::from_iter([("extensions".to_owned(), extensions)]) }
    }

    /// Without a class, with what stands beside the message.
    pub(super) fn with(message: impl Into<String>, more: Map<String, Json>) -> Self {
        Self { message: message.into(), place: None, more }
    }

    fn json(self, path: Option<Vec<Json>>) -> Json {
        let mut fault = self.more;
        fault.insert("message".to_owned(), self.message.into());
        if let Some(Place { line, column }) = self.place {
            fault.insert("locations".to_owned(), json!([{ "line": line, "column": column }]));
        }
        if let Some(path) = path {
            fault.insert("path".to_owned(), Json::Array(path));
        }
        Json::Object(fault)
    }
}

/// Knows the values of fields.
pub(super) trait Resolve {
    /// The value of a field of an object of the type `on`; `None`: what `parent` has under that name. An object of an interface
    /// names its type in `__typename`.
    ///
    /// # Errors
    /// What is wrong; the field is null then.
    fn field(&mut self, on: &str, parent: &Json, name: &str, arguments: &Map<String, Json>) -> Result<Option<Json>, Fault>;
}

/// What was sent.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Json>>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// Answers a document.
pub(super) fn answer(schema: &Schema, posted: Posted, resolve: &mut impl Resolve) -> Json {
    let prepared = prepare(schema, &posted);
    let (document, operation, root, variables) = match &prepared {
        Ok((document, at, root, variables)) => match document.operations.get(*at) {
            Some(operation) => (document, operation, *root, variables),
            None => return json!({ "errors": [] }),
        },
        Err(faults) => return json!({ "errors": faults.iter().map(|fault| fault.clone().json(None)).collect::<Vec<_>>() }),
    };
    let (data, errors) = run::run(schema, document, operation, root, variables, resolve);
    if errors.is_empty() { json!({ "data": data }) } else { json!({ "data": data, "errors": errors }) }
}

type Prepared = (Document, usize, &'static str, input::Variables);

fn prepare(schema: &Schema, posted: &Posted) -> Result<Prepared, Vec<Fault>> {
    let document = Document::read(&posted.query).map_err(|fault| vec![fault])?;
    let at =
        operation_at(&document, posted.operation_name.as_deref()).map_err(|message| vec![Fault::with(message, Map::new())])?;
    let Some(operation) = document.operations.get(at) else { return Err(Vec::new()) };
    let root = match operation.kind {
        Kind::Query => "RootQueryType",
        Kind::Mutation => "RootMutationType",
    };
    let faults = check::check(schema, &document, operation, root);
    if !faults.is_empty() {
        return Err(faults);
    }
    let given = posted.variables.clone().unwrap_or_default();
    let variables = run::variables(schema, operation, &given)?;
    let faults = check::values(schema, &document, operation, root, &variables);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok((document, at, root, variables))
}

fn operation_at(document: &Document, name: Option<&str>) -> Result<usize, String> {
    let found = |wanted: &dyn Fn(&Operation) -> bool| document.operations.iter().position(wanted);
    match (name, document.operations.len()) {
        (_, 0) => Err("No operations provided.".to_owned()),
        (None, 1) => Ok(0),
        (None, _) => Err("Must provide a valid operation name if query contains multiple operations.".to_owned()),
        (Some(name), _) => found(&|operation| operation.name.as_deref() == Some(name))
            .ok_or_else(|| format!("The provided operation name {name:?} is not in the document.")),
    }
}
