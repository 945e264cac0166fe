//! What may be asked: types, their fields and arguments.
//!
//! In: the text of a schema (GraphQL's own type language; descriptions and directives are left out). Out: types by name. What
//! always holds: every type that a field or argument names is there; the schemas read here are constants, so a fault in one is
//! found by a test.

use std::collections::BTreeMap;

use super::document::{Parser, Type, Value};
use super::lexer::Token;
use super::{Fault, Place};

/// An argument, or a field of an input.
#[derive(Debug, PartialEq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) of: Type,
    pub(super) default: Option<Value>,
}

impl Input {
    /// Whether it may not be left out.
    pub(super) fn is_required(&self) -> bool {
        self.of.is_non_null() && self.default.is_none()
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct FieldOf {
    pub(super) of: Type,
    pub(super) arguments: Vec<Input>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Definition {
    /// A `type` or `interface`; the interfaces it has.
    Object {
        fields: BTreeMap<String, FieldOf>,
        interfaces: Vec<String>,
        is_interface: bool,
    },
    Input(Vec<Input>),
    Enum(Vec<String>),
    /// A value without parts that are known; what it must be.
    Scalar(Kind),
}

/// What a value of a scalar must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Text,
    Boolean,
    Id,
    Object,
    Anything,
}

/// Kinds by the names they have in a schema: `scalar Seconds @is(a: Int)`. Without it: anything.
const KINDS: [(&str, Kind); 6] = [
    ("Int", Kind::Int),
    ("Float", Kind::Float),
    ("String", Kind::Text),
    ("Boolean", Kind::Boolean),
    ("ID", Kind::Id),
    ("Object", Kind::Object),
];

/// Types by name.
#[derive(Debug, Default)]
pub(in super::super) struct Schema {
    types: BTreeMap<String, Definition>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// The first fault: no schema, or a type that is not there.
    pub(in super::super) fn read(text: &str) -> Result<Self, Fault> {
        let mut parser = Parser::new(text)?;
        let mut schema = Self::default();
        // What GraphQL itself has; an object has fields there.
        for (name, kind) in KINDS.into_iter().filter(|(_, kind)| *kind != Kind::Object) {
            schema.types.insert(name.to_owned(), Definition::Scalar(kind));
        }
        while parser.token != Token::End {
            let word = parser.name()?;
            let name = parser.name()?;
            let definition = match word.as_str() {
                "scalar" => Definition::Scalar(kind(&mut parser)?),
                "type" | "interface" => object(&mut parser, word == "interface")?,
                "input" => Definition::Input(inputs(&mut parser, '{', '}')?),
                "enum" => Definition::Enum(names(&mut parser)?),
                _ => return parser.refuse(),
            };
            schema.types.insert(name, definition);
        }
        match schema.missing() {
            Some(name) => Err(Fault::at(format!("no type \"{name}\""), Place { line: 1, column: 1 })),
            None => Ok(schema),
        }
    }

    fn missing(&self) -> Option<&str> {
        let named = self.types.values().flat_map(|definition| match definition {
            Definition::Object { fields, interfaces, .. } => {
                let of_fields = fields.values().flat_map(|field| {
                    let arguments = field.arguments.iter().map(|argument| argument.of.name());
                    arguments.chain([field.of.name()])
                });
                of_fields.chain(interfaces.iter().map(String::as_str)).collect()
            }
            Definition::Input(inputs) => inputs.iter().map(|input| input.of.name()).collect::<Vec<_>>(),
            Definition::Enum(_) | Definition::Scalar(_) => Vec::new(),
        });
        named.into_iter().find(|name| !self.types.contains_key(*name))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Definition> {
        self.types.get(name)
    }

    pub(super) fn field(&self, on: &str, name: &str) -> Option<&FieldOf> {
        match self.get(on)? {
            Definition::Object { fields, .. } => fields.get(name),
            _ => None,
        }
    }

    /// Whether values of this type have fields.
    pub(super) fn has_fields(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Definition::Object { .. }))
    }

    pub(super) fn is_input(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Definition::Input(_) | Definition::Enum(_) | Definition::Scalar(_)))
    }

    /// Whether an object of the type `concrete` is one of `name`, a type or interface.
    pub(super) fn is_a(&self, concrete: &str, name: &str) -> bool {
        concrete == name
            || matches!(self.get(concrete), Some(Definition::Object { interfaces, .. }) if interfaces.iter().any(|of| of == name))
    }

    /// Whether any object is of both types.
    pub(super) fn overlap(&self, one: &str, other: &str) -> bool {
        self.types.keys().any(|concrete| self.is_a(concrete, one) && self.is_a(concrete, other))
    }
}

fn kind(parser: &mut Parser<'_>) -> Result<Kind, Fault> {
    let directives = parser.directives()?;
    let named = directives.iter().flat_map(|directive| &directive.arguments).find_map(|(_, _, value)| match value {
        Value::Enum(name) => Some(name.as_str()),
        _ => None,
    });
    Ok(KINDS.iter().find(|(name, _)| Some(*name) == named).map_or(Kind::Anything, |(_, kind)| *kind))
}

fn object(parser: &mut Parser<'_>, is_interface: bool) -> Result<Definition, Fault> {
    let mut interfaces = Vec::new();
    if matches!(&parser.token, Token::Name(word) if word == "implements") {
        parser.step()?;
        loop {
            interfaces.push(parser.name()?);
            if !parser.take('&')? {
                break;
            }
        }
    }
    parser.need('{')?;
    let mut fields = BTreeMap::new();
    while !parser.take('}')? {
        let name = parser.name()?;
        let arguments = if parser.token == Token::Sign('(') { inputs(parser, '(', ')')? } else { Vec::new() };
        parser.need(':')?;
        fields.insert(name, FieldOf { of: parser.type_name()?, arguments });
    }
    Ok(Definition::Object { fields, interfaces, is_interface })
}

fn inputs(parser: &mut Parser<'_>, open: char, close: char) -> Result<Vec<Input>, Fault> {
    parser.need(open)?;
    let mut inputs = Vec::new();
    while !parser.take(close)? {
        let name = parser.name()?;
        parser.need(':')?;
        let of = parser.type_name()?;
        let default = if parser.take('=')? { Some(parser.value()?) } else { None };
        inputs.push(Input { name, of, default });
    }
    Ok(inputs)
}

fn names(parser: &mut Parser<'_>) -> Result<Vec<String>, Fault> {
    parser.need('{')?;
    let mut names = Vec::new();
    while !parser.take('}')? {
        names.push(parser.name()?);
    }
    Ok(names)
}
