//! Runs an operation that was checked.
//!
//! In: the operation, its variables, and what knows the values. Out: the answer's `data` and `errors`. What always holds: fields
//! stand in the order they were asked for, under the names they were given; a field that failed is null and its fault names the
//! path; at most [`MOST_FIELDS`] fields and [`MOST_BYTES`] bytes are answered: what is beyond is null or left out, and one
//! fault says so.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::document::{Directive, Document, Field, Operation, Selection, Type};
use super::input::{self, Variables};
use super::schema::Schema;
use super::{Fault, Place, Resolve};

/// Most fields that one document is answered; fragments within fragments could ask for more than any memory holds.
const MOST_FIELDS: usize = 200_000;

/// Most bytes that one document is answered, about: a hundred aliases of one field could ask for a hundred copies of what it has.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The values of an operation's variables: those given, else their defaults.
///
/// # Errors
/// All variables that lack a value or have a wrong one.
pub(super) fn variables(schema: &Schema, operation: &Operation, given: &Map<String, Json>) -> Result<Variables, Vec<Fault>> {
    let (mut variables, mut faults) = (Variables::new(), Vec::new());
    for variable in &operation.variables {
        let name = &variable.name;
        let value = match (given.get(name), &variable.default) {
            (Some(value), _) => Cow::Borrowed(value),
            (None, Some(default)) => match input::written(schema, default, &variable.of, &Variables::new()) {
                Ok(value) => Cow::Owned(value),
                Err(_) => continue,
            },
            (None, None) if variable.of.is_non_null() => Cow::Owned(Json::Null),
            (None, None) => continue,
        };
        if value.is_null() && variable.of.is_non_null() {
            faults.push(Fault::at(format!("Variable {name:?}: Expected non-null, found null."), variable.place));
            continue;
        }
        match input::json(schema, &value, &variable.of) {
            Ok(value) => drop(variables.insert(name.clone(), value)),
            Err(lines) => {
                let first = format!("Argument {:?} has invalid value ${name}.", argument_of(operation, name).unwrap_or(name));
                faults.push(Fault::at([vec![first], lines].concat().join("\n"), variable.place));
            }
        }
    }
    if faults.is_empty() { Ok(variables) } else { Err(faults) }
}

/// The argument that a variable is given to.
fn argument_of<'o>(operation: &'o Operation, variable: &str) -> Option<&'o str> {
    fn within<'o>(selection: &'o [Selection], variable: &str) -> Option<&'o str> {
        selection.iter().find_map(|selected| match selected {
            Selection::Field(field) => {
                let here = field.arguments.iter().find(|(_, _, value)| value.shown() == format!("${variable}"));
                here.map(|(name, ..)| name.as_str()).or_else(|| within(&field.selection, variable))
            }
            Selection::Inline { selection, .. } => within(selection, variable),
            Selection::Spread { .. } => None,
        })
    }
    within(&operation.selection, variable)
}

/// Runs an operation.
pub(super) fn run(
    schema: &Schema,
    document: &Document,
    operation: &Operation,
    root: &str,
    variables: &Variables,
    resolve: &mut impl Resolve,
) -> (Json, Vec<Json>) {
    let (path, errors) = (Vec::new(), Vec::new());
    let mut run = Run { schema, document, variables, resolve, path, errors, fields: 0, bytes: 0, is_over: false };
    let data = run.object(&[&operation.selection], root, &Json::Object(Map::new()));
    (data, run.errors)
}

struct Run<'a, R> {
    schema: &'a Schema,
    document: &'a Document,
    variables: &'a Variables,
    resolve: &'a mut R,
    path: Vec<Json>,
    errors: Vec<Json>,
    fields: usize,
    bytes: usize,
    /// A bound was passed: nothing more is answered.
    is_over: bool,
}

impl<'a, R: Resolve> Run<'a, R> {
    fn object(&mut self, selections: &[&'a [Selection]], of: &str, value: &Json) -> Json {
        let concrete = value.get("__typename").and_then(Json::as_str).filter(|name| self.schema.is_a(name, of)).unwrap_or(of);
        let mut fields: Vec<(&str, Vec<&Field>)> = Vec::new();
        for selection in selections {
            self.collect(selection, concrete, &mut fields);
        }
        let mut object = Map::new();
        for (key, same) in fields {
            let Some(first) = same.first().filter(|_| !self.is_over) else { continue };
            // With its quotes, the colon and the comma.
            self.bytes = self.bytes.saturating_add(key.len() + 4);
            self.path.push(key.into());
            let found = self.field(first, &same, concrete, value);
            self.path.pop();
            object.insert(key.to_owned(), found);
        }
        Json::Object(object)
    }

    fn collect(&mut self, selection: &'a [Selection], concrete: &str, fields: &mut Vec<(&'a str, Vec<&'a Field>)>) {
        for selected in selection {
            // What is skipped is walked by nobody; what is not is counted, spreads of nothing, too.
            self.fields = self.fields.saturating_add(1);
            if self.fields > MOST_FIELDS {
                return;
            }
            match selected {
                Selection::Field(field) if self.is_wanted(&field.directives) => {
                    match fields.iter_mut().find(|(key, _)| *key == field.key()) {
                        Some((_, same)) => same.push(field),
                        None => fields.push((field.key(), vec![field])),
                    }
                }
                Selection::Inline { on, directives, selection, .. }
                    if self.is_wanted(directives) && on.as_deref().is_none_or(|on| self.schema.is_a(concrete, on)) =>
                {
                    self.collect(selection, concrete, fields);
                }
                Selection::Spread { name, directives, .. } if self.is_wanted(directives) => {
                    if let Some(fragment) =
                        self.document.fragments.get(name).filter(|found| self.schema.is_a(concrete, &found.on))
                    {
                        self.collect(&fragment.selection, concrete, fields);
                    }
                }
                _ => {}
            }
        }
    }

    fn is_wanted(&self, directives: &[Directive]) -> bool {
        directives.iter().all(|directive| {
            let holds = directive.arguments.iter().find(|(name, ..)| name == "if").is_some_and(|(_, _, value)| {
                let of = Type::Named("Boolean".to_owned());
                input::written(self.schema, value, &of, self.variables).is_ok_and(|value| value == true)
            });
            holds == (directive.name == "include")
        })
    }

    fn fail(&mut self, fault: Fault) -> Json {
        let path = Some(self.path.clone());
        self.errors.push(fault.json(path));
        Json::Null
    }

    /// Answers nothing more, and says why.
    fn over(&mut self, what: &str, place: Place) -> Json {
        self.is_over = true;
        self.fail(Fault::at(format!("the document asks for more than {what}: ask for less in one document"), place))
    }

    fn field(&mut self, field: &'a Field, same: &[&'a Field], on: &str, parent: &Json) -> Json {
        if field.name == "__typename" {
            return on.into();
        }
        if self.fields > MOST_FIELDS {
            return self.over(&format!("{MOST_FIELDS} fields"), field.place);
        }
        let schema = self.schema;
        let Some(known) = schema.field(on, &field.name) else { return Json::Null };
        let mut arguments = Map::new();
        for input in &known.arguments {
            let given = field.arguments.iter().find(|(name, ..)| *name == input.name).map(|(_, _, value)| value);
            let given = given.filter(|value| match value {
                super::document::Value::Variable(name) => self.variables.contains_key(name),
                _ => true,
            });
            match (given, &input.default) {
                (Some(value), _) => match input::written(schema, value, &input.of, self.variables) {
                    Ok(value) => drop(arguments.insert(input.name.clone(), value)),
                    Err(lines) => {
                        let first = format!("Argument {:?} has invalid value {}.", input.name, value.shown());
                        return self.fail(Fault::at([vec![first], lines].concat().join("\n"), field.place));
                    }
                },
                (None, Some(default)) => {
                    arguments.insert(input.name.clone(), super::document::constant(default));
                }
                (None, None) => {}
            }
        }
        let selections: Vec<&[Selection]> = same.iter().map(|field| field.selection.as_slice()).collect();
        match self.resolve.field(on, parent, &field.name, &arguments) {
            Ok(Some(value)) => self.complete(&selections, &known.of, &value, field.place),
            Ok(None) => match parent.get(&field.name) {
                Some(value) => self.complete(&selections, &known.of, value, field.place),
                None => Json::Null,
            },
            Err(mut fault) => {
                fault.place = Some(field.place);
                self.fail(fault)
            }
        }
    }

    fn complete(&mut self, selections: &[&'a [Selection]], of: &Type, value: &Json, place: Place) -> Json {
        match (of, value) {
            _ if self.is_over => Json::Null,
            (_, Json::Null) => Json::Null,
            (Type::NonNull(inner), _) => self.complete(selections, inner, value, place),
            (Type::List(inner), Json::Array(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    self.path.push(at.into());
                    list.push(self.complete(selections, inner, item, place));
                    self.path.pop();
                }
                Json::Array(list)
            }
            // A scalar list that is an object, and the other way round: NRQL answers have both.
            (Type::List(_) | Type::Named(_), _) => {
                let name = of.name();
                if self.schema.has_fields(name) { self.object(selections, name, value) } else { self.copy(value, place) }
            }
        }
    }

    /// The value of a leaf, if there is room for it.
    fn copy(&mut self, value: &Json, place: Place) -> Json {
        self.bytes = self.bytes.saturating_add(bytes(value));
        if self.bytes > MOST_BYTES { self.over(&format!("{MOST_BYTES} bytes"), place) } else { value.clone() }
    }
}

/// The bytes of a value as text, about.
fn bytes(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) => 5,
        Json::Number(_) => 8,
        Json::String(text) => text.len() + 3,
        Json::Array(items) => items.iter().map(bytes).sum::<usize>() + 2,
        Json::Object(fields) => fields.iter().map(|(name, value)| name.len() + 4 + bytes(value)).sum::<usize>() + 2,
    }
}
