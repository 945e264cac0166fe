//! Whether a document asks for what is there, before anything runs.
//!
//! In: a document, the operation to run, a schema. Out: all faults, in the words that New Relic's answers have. What always holds:
//! a document without a fault has known fields, arguments, fragments and variables only, and its fragments do not hold themselves.
//!
//! The words are those of Absinthe, the library whose messages are quoted in reports of New Relic's own Terraform provider
//! (`Argument "x" has invalid value $x. In field "y": Unknown field.`, `Cannot query field "y" on type "T".`).

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Arguments, DEEPEST, Directive, Document, Field, Operation, Selection, Type, Value, Variable};
use super::schema::{Input, Schema};
use super::{Fault, Place, input};

/// What a directive may be.
const DIRECTIVES: [&str; 2] = ["include", "skip"];

pub(super) struct Check<'a> {
    schema: &'a Schema,
    document: &'a Document,
    operation: &'a Operation,
    used: BTreeSet<&'a str>,
    /// Fragments that were walked through already, and how deep they are.
    known: BTreeMap<&'a str, usize>,
    /// Fragments that are being walked through.
    open: Vec<&'a str>,
    /// How deep the walk is just now, and how deep it is nowhere deeper.
    depth: usize,
    deepest: usize,
    faults: Vec<Fault>,
}

/// All faults of an operation.
pub(super) fn check(schema: &Schema, document: &Document, operation: &Operation, root: &str) -> Vec<Fault> {
    let mut check = Check {
        schema,
        document,
        operation,
        used: BTreeSet::new(),
        known: BTreeMap::new(),
        open: Vec::new(),
        depth: 0,
        deepest: 0,
        faults: Vec::new(),
    };
    for variable in &operation.variables {
        check.variable(variable);
    }
    check.selection(&operation.selection, root);
    if check.deepest > DEEPEST {
        check.tell(format!("nested deeper than {DEEPEST}, fragments counted where they are spread"), operation.place);
    }
    let name = operation.name.as_deref().unwrap_or_default();
    for variable in operation.variables.iter().filter(|variable| !check.used.contains(variable.name.as_str())) {
        let message = format!("Variable {:?} is never used in operation {name:?}.", variable.name);
        check.faults.push(Fault::at(message, variable.place));
    }
    check.faults
}

impl<'a> Check<'a> {
    fn tell(&mut self, message: String, place: Place) {
        self.faults.push(Fault::at(message, place));
    }

    fn variable(&mut self, variable: &'a Variable) {
        if !self.schema.is_input(variable.of.name()) {
            return self.tell(format!("Unknown type {:?}.", variable.of.name()), variable.place);
        }
        if let Some(default) = &variable.default
            && let Err(lines) = input::written(self.schema, default, &variable.of, &input::Variables::new())
        {
            let message = format!("Variable {:?} has invalid default value {}.", variable.name, default.shown());
            self.tell([vec![message], lines].concat().join("\n"), variable.place);
        }
    }

    fn selection(&mut self, selection: &'a [Selection], on: &str) {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth <= DEEPEST {
            self.selected(selection, on);
        }
        self.depth -= 1;
    }

    fn selected(&mut self, selection: &'a [Selection], on: &str) {
        for selected in selection {
            match selected {
                Selection::Field(field) => self.field(field, on),
                Selection::Inline { on: narrower, place, directives, selection } => {
                    self.directives(directives);
                    let narrower = narrower.as_deref().unwrap_or(on);
                    if self.fits(narrower, on, *place) {
                        self.selection(selection, narrower);
                    }
                }
                Selection::Spread { name, place, directives } => {
                    self.directives(directives);
                    self.spread(name, *place, on);
                }
            }
        }
    }

    fn spread(&mut self, name: &'a str, place: Place, on: &str) {
        let Some(fragment) = self.document.fragments.get(name) else {
            return self.tell(format!("Unknown fragment {name:?}"), place);
        };
        if self.open.contains(&name) {
            return self.tell(format!("Cannot spread fragment {name:?} within itself."), place);
        }
        if !self.fits(&fragment.on, on, fragment.place) {
            return;
        }
        if let Some(height) = self.known.get(name) {
            self.deepest = self.deepest.max(self.depth + height);
            return;
        }
        let before = std::mem::replace(&mut self.deepest, self.depth);
        self.open.push(name);
        self.selection(&fragment.selection, &fragment.on);
        self.open.pop();
        self.known.insert(name, self.deepest - self.depth);
        self.deepest = self.deepest.max(before);
    }

    fn fits(&mut self, narrower: &str, on: &str, place: Place) -> bool {
        if !self.schema.has_fields(narrower) {
            self.tell(format!("Unknown type {narrower:?}."), place);
            return false;
        }
        let fits = self.schema.overlap(narrower, on);
        if !fits {
            let message = format!(
                "Fragment spread has no type overlap with parent. Parent possible types: [{on:?}] Spread possible types: [{narrower:?}]"
            );
            self.tell(message, place);
        }
        fits
    }

    fn field(&mut self, field: &'a Field, on: &str) {
        self.directives(&field.directives);
        if field.name == "__typename" {
            return;
        }
        let Some(known) = self.schema.field(on, &field.name) else {
            return self.tell(format!("Cannot query field {:?} on type {on:?}.", field.name), field.place);
        };
        let what = |argument: &str| format!("Unknown argument {argument:?} on field {:?} of type {on:?}.", field.name);
        self.arguments(&field.arguments, &known.arguments, field.place, what);
        let name = known.of.name();
        match (self.schema.has_fields(name), field.selection.is_empty()) {
            (true, true) => {
                let name = &field.name;
                let message = format!(
                    "Field {name:?} of type {:?} must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?",
                    known.of.shown()
                );
                self.tell(message, field.place);
            }
            (false, false) => {
                let message = format!("Field {:?} must not have a selection since type {name:?} has no subfields.", field.name);
                self.tell(message, field.place);
            }
            _ => self.selection(&field.selection, name),
        }
    }

    fn arguments(&mut self, given: &'a Arguments, known: &[Input], place: Place, unknown: impl Fn(&str) -> String) {
        for (name, place, value) in given {
            match known.iter().find(|input| input.name == *name) {
                None => self.tell(unknown(name), *place),
                Some(input) => self.value(value, &input.of, input.default.is_some(), *place),
            }
        }
        for input in known.iter().filter(|input| input.is_required()) {
            if !given.iter().any(|(name, ..)| *name == input.name) {
                self.tell(format!("In argument {:?}: Expected type {:?}, found null.", input.name, input.of.shown()), place);
            }
        }
    }

    fn directives(&mut self, directives: &'a [Directive]) {
        for directive in directives {
            if !DIRECTIVES.contains(&directive.name.as_str()) {
                self.tell(format!("Unknown directive {:?}.", directive.name), directive.place);
                continue;
            }
            let condition =
                [Input { name: "if".to_owned(), of: Type::NonNull(Box::new(Type::Named("Boolean".to_owned()))), default: None }];
            let what = |argument: &str| format!("Unknown argument {argument:?} on directive {:?}.", directive.name);
            self.arguments(&directive.arguments, &condition, directive.place, what);
        }
    }

    /// Notes the variables in a value, and whether their types fit where they stand.
    fn value(&mut self, value: &'a Value, of: &Type, has_default: bool, place: Place) {
        match (value, of) {
            (Value::Variable(name), _) => {
                self.used.insert(name);
                let Some(variable) = self.operation.variables.iter().find(|variable| variable.name == *name) else {
                    let operation = self.operation.name.as_deref().unwrap_or_default();
                    return self.tell(format!("Variable {name:?} is not defined by operation {operation:?}."), place);
                };
                if !fits(&variable.of, of, has_default || variable.default.is_some()) {
                    let (found, wanted) = (variable.of.shown(), of.shown());
                    let message = format!("Variable `{name}` of type `{found}` found as input to argument of type `{wanted}`.");
                    self.tell(message, place);
                }
            }
            (_, Type::NonNull(inner)) => self.value(value, inner, has_default, place),
            (Value::List(items), Type::List(inner)) => {
                for item in items {
                    self.value(item, inner, false, place);
                }
            }
            (_, Type::List(inner)) => self.value(value, inner, has_default, place),
            (Value::Object(fields), Type::Named(name)) => {
                let schema = self.schema;
                let inputs = match schema.get(name) {
                    Some(super::schema::Definition::Input(inputs)) => inputs.as_slice(),
                    _ => &[],
                };
                for (field, value) in fields {
                    match inputs.iter().find(|input| input.name == *field) {
                        Some(input) => self.value(value, &input.of, input.default.is_some(), place),
                        None => self.variables_in(value),
                    }
                }
            }
            (Value::List(_), _) => self.variables_in(value),
            (Value::Plain(_) | Value::Enum(_), _) => {}
        }
    }

    /// Notes the variables in a value of no known type.
    fn variables_in(&mut self, value: &'a Value) {
        match value {
            Value::Variable(name) => drop(self.used.insert(name)),
            Value::List(items) => items.iter().for_each(|item| self.variables_in(item)),
            Value::Object(fields) => fields.iter().for_each(|(_, value)| self.variables_in(value)),
            Value::Plain(_) | Value::Enum(_) => {}
        }
    }
}

/// Faults of the values that arguments are given, now that the variables have theirs.
pub(super) fn values(
    schema: &Schema,
    document: &Document,
    operation: &Operation,
    root: &str,
    variables: &input::Variables,
) -> Vec<Fault> {
    let mut values = Values { schema, document, variables, known: BTreeSet::new(), faults: Vec::new() };
    values.selection(&operation.selection, root);
    values.faults
}

struct Values<'a> {
    schema: &'a Schema,
    document: &'a Document,
    variables: &'a input::Variables,
    /// Fragments that were walked through. One that nothing spreads may hold variables of another operation.
    known: BTreeSet<&'a str>,
    faults: Vec<Fault>,
}

impl<'a> Values<'a> {
    fn selection(&mut self, selection: &'a [Selection], on: &str) {
        for selected in selection {
            match selected {
                Selection::Field(field) => {
                    let Some(known) = self.schema.field(on, &field.name) else { continue };
                    for (name, place, value) in &field.arguments {
                        let Some(input) = known.arguments.iter().find(|input| input.name == *name) else { continue };
                        if let Err(lines) = input::written(self.schema, value, &input.of, self.variables) {
                            let first = format!("Argument {name:?} has invalid value {}.", value.shown());
                            self.faults.push(Fault::at([vec![first], lines].concat().join("\n"), *place));
                        }
                    }
                    self.selection(&field.selection, known.of.name());
                }
                Selection::Inline { on: narrower, selection, .. } => self.selection(selection, narrower.as_deref().unwrap_or(on)),
                Selection::Spread { name, .. } => {
                    if let Some(fragment) = self.document.fragments.get(name).filter(|_| self.known.insert(name)) {
                        self.selection(&fragment.selection, &fragment.on);
                    }
                }
            }
        }
    }
}

/// Whether a variable of one type may stand where another is wanted.
fn fits(variable: &Type, wanted: &Type, has_default: bool) -> bool {
    match (variable, wanted) {
        (Type::NonNull(one), Type::NonNull(other)) => fits(one, other, false),
        (one, Type::NonNull(other)) => has_default && fits(one, other, false),
        (Type::NonNull(one), other) => fits(one, other, false),
        (Type::List(one), Type::List(other)) => fits(one, other, false),
        (Type::Named(one), Type::Named(other)) => one == other,
        _ => false,
    }
}
