//! What is asked, as a tree.
//!
//! In: the text of a document. Out: its operations and fragments. What always holds: nothing is nested deeper than [`DEEPEST`];
//! names are as written, and whether anything has them is not asked here.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::lexer::{Lexer, Token};
use super::{Fault, Place};

/// Deepest nesting that is read. The limit of the real one is not documented.
pub(super) const DEEPEST: usize = 50;

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Variable(String),
    /// Number, text, truth value, null.
    Plain(Json),
    Enum(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// As it is named in an answer.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Variable(name) => format!("${name}"),
            Self::Plain(value) => value.to_string(),
            Self::Enum(name) => name.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::shown).collect::<Vec<_>>().join(", ")),
            Self::Object(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", value.shown())).collect();
                format!("{{{}}}", fields.join(", "))
            }
        }
    }
}

/// A type as written: a name, a list, or either that may not be null.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Named(String),
    List(Box<Type>),
    NonNull(Box<Type>),
}

impl Type {
    /// The innermost name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }

    pub(super) fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// As it is written.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::List(inner) => format!("[{}]", inner.shown()),
            Self::NonNull(inner) => format!("{}!", inner.shown()),
        }
    }
}

/// An argument or the argument of a directive.
pub(super) type Arguments = Vec<(String, Place, Value)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) arguments: Arguments,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) alias: Option<String>,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) arguments: Arguments,
    pub(super) directives: Vec<Directive>,
    pub(super) selection: Vec<Selection>,
}

impl Field {
    /// The name it has in the answer.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selection {
    Field(Field),
    Spread { name: String, place: Place, directives: Vec<Directive> },
    Inline { on: Option<String>, place: Place, directives: Vec<Directive>, selection: Vec<Selection> },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) of: Type,
    pub(super) default: Option<Value>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) variables: Vec<Variable>,
    pub(super) selection: Vec<Selection>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fragment {
    pub(super) on: String,
    pub(super) place: Place,
    pub(super) selection: Vec<Selection>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Document {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: BTreeMap<String, Fragment>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The first fault.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut parser = Parser::new(text)?;
        let mut document = Self::default();
        while parser.token != Token::End {
            parser.definition(&mut document)?;
        }
        Ok(document)
    }
}

/// Reads a text token by token. The schema is read with it, too.
pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    pub(super) place: Place,
    pub(super) token: Token,
    depth: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        let place = Place { line: 1, column: 1 };
        let mut parser = Self { lexer: Lexer::new(text), place, token: Token::End, depth: 0 };
        parser.step()?;
        Ok(parser)
    }

    /// Goes on by a token and gives the one that was there.
    pub(super) fn step(&mut self) -> Result<Token, Fault> {
        let before = |(place, text): (Place, String)| Fault::at(format!("syntax error before: {text:?}"), place);
        let (place, next) = self.lexer.next().map_err(before)?;
        self.place = place;
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub(super) fn refuse<T>(&self) -> Result<T, Fault> {
        Err(Fault::at(format!("syntax error before: {:?}", self.token.shown()), self.place))
    }

    pub(super) fn take(&mut self, sign: char) -> Result<bool, Fault> {
        let stands = self.token == Token::Sign(sign);
        if stands {
            self.step()?;
        }
        Ok(stands)
    }

    pub(super) fn need(&mut self, sign: char) -> Result<(), Fault> {
        if self.take(sign)? { Ok(()) } else { self.refuse() }
    }

    pub(super) fn name(&mut self) -> Result<String, Fault> {
        if !matches!(self.token, Token::Name(_)) {
            return self.refuse();
        }
        match self.step()? {
            Token::Name(name) => Ok(name),
            _ => self.refuse(),
        }
    }

    fn is_name(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) if name == word)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= DEEPEST {
            return Err(Fault::at(format!("nested deeper than {DEEPEST}"), self.place));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn definition(&mut self, document: &mut Document) -> Result<(), Fault> {
        let place = self.place;
        if self.token == Token::Sign('{') {
            let selection = self.selection()?;
            document.operations.push(Operation { kind: Kind::Query, place, name: None, variables: Vec::new(), selection });
            return Ok(());
        }
        if self.is_name("fragment") {
            self.step()?;
            let name = self.name()?;
            if !self.is_name("on") {
                return self.refuse();
            }
            self.step()?;
            let on = self.name()?;
            self.directives()?;
            let selection = self.selection()?;
            document.fragments.insert(name, Fragment { on, place, selection });
            return Ok(());
        }
        let kind = match &self.token {
            Token::Name(word) if word == "query" => Kind::Query,
            Token::Name(word) if word == "mutation" => Kind::Mutation,
            _ => return self.refuse(),
        };
        self.step()?;
        let name = if matches!(self.token, Token::Name(_)) { Some(self.name()?) } else { None };
        let mut variables = Vec::new();
        if self.take('(')? {
            while !self.take(')')? {
                variables.push(self.variable()?);
            }
        }
        self.directives()?;
        let selection = self.selection()?;
        document.operations.push(Operation { kind, place, name, variables, selection });
        Ok(())
    }

    fn variable(&mut self) -> Result<Variable, Fault> {
        let place = self.place;
        self.need('$')?;
        let name = self.name()?;
        self.need(':')?;
        let of = self.type_name()?;
        let default = if self.take('=')? { Some(self.value()?) } else { None };
        self.directives()?;
        Ok(Variable { name, place, of, default })
    }

    pub(super) fn type_name(&mut self) -> Result<Type, Fault> {
        let inner = if self.take('[')? {
            let inner = self.deeper(Self::type_name)?;
            self.need(']')?;
            Type::List(Box::new(inner))
        } else {
            Type::Named(self.name()?)
        };
        Ok(if self.take('!')? { Type::NonNull(Box::new(inner)) } else { inner })
    }

    fn selection(&mut self) -> Result<Vec<Selection>, Fault> {
        self.need('{')?;
        let mut selected = Vec::new();
        while !self.take('}')? {
            selected.push(self.deeper(Self::selected)?);
        }
        // An empty selection is no GraphQL.
        if selected.is_empty() { self.refuse() } else { Ok(selected) }
    }

    fn selected(&mut self) -> Result<Selection, Fault> {
        let place = self.place;
        if self.take('…')? {
            if matches!(&self.token, Token::Name(name) if name != "on") {
                return Ok(Selection::Spread { name: self.name()?, place, directives: self.directives()? });
            }
            let on = if self.is_name("on") {
                self.step()?;
                Some(self.name()?)
            } else {
                None
            };
            let directives = self.directives()?;
            return Ok(Selection::Inline { on, place, directives, selection: self.selection()? });
        }
        let first = self.name()?;
        let (alias, name) = if self.take(':')? { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.arguments()?;
        let directives = self.directives()?;
        let selection = if self.token == Token::Sign('{') { self.selection()? } else { Vec::new() };
        Ok(Selection::Field(Field { alias, name, place, arguments, directives, selection }))
    }

    fn arguments(&mut self) -> Result<Arguments, Fault> {
        let mut arguments = Vec::new();
        if self.take('(')? {
            while !self.take(')')? {
                let place = self.place;
                let name = self.name()?;
                self.need(':')?;
                arguments.push((name, place, self.value()?));
            }
        }
        Ok(arguments)
    }

    pub(super) fn directives(&mut self) -> Result<Vec<Directive>, Fault> {
        let mut directives = Vec::new();
        while self.token == Token::Sign('@') {
            let place = self.place;
            self.step()?;
            directives.push(Directive { name: self.name()?, place, arguments: self.arguments()? });
        }
        Ok(directives)
    }

    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        if self.take('$')? {
            return self.name().map(Value::Variable);
        }
        if self.take('[')? {
            let mut items = Vec::new();
            while !self.take(']')? {
                items.push(self.deeper(Self::value)?);
            }
            return Ok(Value::List(items));
        }
        if self.take('{')? {
            let mut fields = Vec::new();
            while !self.take('}')? {
                let name = self.name()?;
                self.need(':')?;
                fields.push((name, self.deeper(Self::value)?));
            }
            return Ok(Value::Object(fields));
        }
        if matches!(self.token, Token::Sign(_) | Token::End) {
            return self.refuse();
        }
        Ok(match self.step()? {
            Token::Int(number) => Value::Plain(number.into()),
            Token::Float(number) => Value::Plain(number.into()),
            Token::Text(text) => Value::Plain(text.into()),
            Token::Name(word) => match word.as_str() {
                "true" => Value::Plain(true.into()),
                "false" => Value::Plain(false.into()),
                "null" => Value::Plain(Json::Null),
                _ => Value::Enum(word),
            },
            Token::Sign(_) | Token::End => return self.refuse(),
        })
    }
}

/// A value that holds no variable, as JSON.
pub(super) fn constant(value: &Value) -> Json {
    match value {
        Value::Variable(_) => Json::Null,
        Value::Plain(value) => value.clone(),
        Value::Enum(name) => name.as_str().into(),
        Value::List(items) => items.iter().map(constant).collect(),
        Value::Object(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), constant(value))).collect::<Map<_, _>>())
        }
    }
}
