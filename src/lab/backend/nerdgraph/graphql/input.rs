//! Arguments and variables, as their types want them.
//!
//! In: a value as written or as JSON, and its type. Out: JSON of that type, or one line for each fault. What always holds: a field
//! that was left out stays out, one given as null stays null; texts, numbers and truth values are never turned into each other,
//! but whole numbers into an `ID` or a `Float`. A variable that was not given counts as left out.

use serde_json::{Map, Value as Json};

use super::document::{Type, Value, constant};
use super::schema::{Definition, Input, Kind, Schema};

/// Largest whole number that JSON keeps everywhere.
const LARGEST: i64 = 1 << 53;

/// Variables with their values.
pub(super) type Variables = Map<String, Json>;

/// A value that is JSON, of a type.
///
/// # Errors
/// A line for each fault, as the real one writes them: `In field "x": Unknown field.`
pub(super) fn json(schema: &Schema, value: &Json, of: &Type) -> Result<Json, Vec<String>> {
    read(schema, &Given::Json(value), of, &Variables::new()).map_err(|fault| fault.lines(String::new))
}

/// A value as written, of a type.
///
/// # Errors
/// As [`json`].
pub(super) fn written(schema: &Schema, value: &Value, of: &Type, variables: &Variables) -> Result<Json, Vec<String>> {
    read(schema, &Given::Written(value), of, variables).map_err(|fault| fault.lines(String::new))
}

/// What is wrong: the value itself, or things in it.
enum Wrong {
    Itself { expected: String, found: String },
    Within(Vec<String>),
}

impl Wrong {
    /// As lines; `place` names where it stands in what it stands in.
    fn lines(self, place: impl Fn() -> String) -> Vec<String> {
        match self {
            Self::Within(lines) => lines,
            Self::Itself { expected, found } => {
                let place = place();
                if place.is_empty() {
                    Vec::new()
                } else {
                    vec![format!("In {place}: Expected type {expected:?}, found {found}.")]
                }
            }
        }
    }
}

/// A value from either side.
enum Given<'v> {
    Json(&'v Json),
    Written(&'v Value),
}

impl<'v> Given<'v> {
    fn shown(&self) -> String {
        match self {
            Self::Json(value) => value.to_string().chars().take(200).collect(),
            Self::Written(value) => value.shown().chars().take(200).collect(),
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Json(Json::Null) | Self::Written(Value::Plain(Json::Null)))
    }

    fn items(&self) -> Option<Vec<Given<'v>>> {
        match self {
            Self::Json(Json::Array(items)) => Some(items.iter().map(Given::Json).collect()),
            Self::Written(Value::List(items)) => Some(items.iter().map(Given::Written).collect()),
            _ => None,
        }
    }

    fn fields(&self) -> Option<Vec<(&'v str, Given<'v>)>> {
        match self {
            Self::Json(Json::Object(fields)) => {
                Some(fields.iter().map(|(name, value)| (name.as_str(), Given::Json(value))).collect())
            }
            Self::Written(Value::Object(fields)) => {
                Some(fields.iter().map(|(name, value)| (name.as_str(), Given::Written(value))).collect())
            }
            _ => None,
        }
    }
}

fn read(schema: &Schema, given: &Given<'_>, of: &Type, variables: &Variables) -> Result<Json, Wrong> {
    if let Given::Written(Value::Variable(name)) = given {
        // It was read by its own type, which fits: that is checked before anything runs.
        let value = variables.get(name).cloned().unwrap_or(Json::Null);
        let found = || Wrong::Itself { expected: of.shown(), found: "null".to_owned() };
        return if value.is_null() && of.is_non_null() { Err(found()) } else { Ok(value) };
    }
    let wrong = || Wrong::Itself { expected: of.shown(), found: given.shown() };
    match of {
        Type::NonNull(_) if given.is_null() => Err(wrong()),
        Type::NonNull(inner) => read(schema, given, inner, variables).map_err(|fault| match fault {
            Wrong::Itself { .. } => wrong(),
            within @ Wrong::Within(_) => within,
        }),
        _ if given.is_null() => Ok(Json::Null),
        Type::List(inner) => {
            // One value may stand for a list of one.
            let Some(items) = given.items() else {
                return read(schema, given, inner, variables).map(|item| Json::Array(vec![item]));
            };
            let (mut list, mut lines) = (Vec::with_capacity(items.len()), Vec::new());
            for (at, item) in items.iter().enumerate() {
                match read(schema, item, inner, variables) {
                    Ok(value) => list.push(value),
                    Err(fault) => lines.extend(fault.lines(|| format!("element #{}", at + 1))),
                }
            }
            if lines.is_empty() { Ok(Json::Array(list)) } else { Err(Wrong::Within(lines)) }
        }
        Type::Named(name) => match schema.get(name) {
            Some(Definition::Input(inputs)) => {
                let Some(fields) = given.fields() else { return Err(wrong()) };
                object(schema, &fields, inputs, variables).map(Json::Object).map_err(Wrong::Within)
            }
            Some(Definition::Enum(names)) => {
                let word = match given {
                    Given::Json(Json::String(word)) | Given::Written(Value::Enum(word)) => Some(word),
                    _ => None,
                };
                word.filter(|word| names.contains(word)).map(|word| word.as_str().into()).ok_or_else(wrong)
            }
            Some(Definition::Scalar(kind)) => {
                let value = match given {
                    Given::Json(value) => (*value).clone(),
                    // A word stands for a text only within something else.
                    Given::Written(Value::Enum(_)) => return Err(wrong()),
                    Given::Written(value) => replaced(value, variables),
                };
                scalar(*kind, value).ok_or_else(wrong)
            }
            Some(Definition::Object { .. }) | None => Err(wrong()),
        },
    }
}

/// A value with its variables replaced, where its type does not say what is in it.
fn replaced(value: &Value, variables: &Variables) -> Json {
    match value {
        Value::Variable(name) => variables.get(name).cloned().unwrap_or(Json::Null),
        Value::List(items) => items.iter().map(|item| replaced(item, variables)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), replaced(value, variables))).collect(),
        Value::Plain(_) | Value::Enum(_) => constant(value),
    }
}

/// The fields of an input.
fn object(
    schema: &Schema,
    fields: &[(&str, Given<'_>)],
    inputs: &[Input],
    variables: &Variables,
) -> Result<Map<String, Json>, Vec<String>> {
    let (mut object, mut lines) = (Map::new(), Vec::new());
    for (name, _) in fields.iter().filter(|(name, _)| !inputs.iter().any(|input| input.name == *name)) {
        lines.push(format!("In field {name:?}: Unknown field."));
    }
    for input in inputs {
        let given = fields.iter().find(|(name, _)| *name == input.name).map(|(_, given)| given);
        let left_out =
            |given: &&Given<'_>| matches!(given, Given::Written(Value::Variable(name)) if !variables.contains_key(name));
        match given.filter(|given| !left_out(given)) {
            Some(given) => match read(schema, given, &input.of, variables) {
                Ok(value) => drop(object.insert(input.name.clone(), value)),
                Err(fault) => lines.extend(fault.lines(|| format!("field {:?}", input.name))),
            },
            None => {
                if let Some(default) = &input.default {
                    object.insert(input.name.clone(), constant(default));
                } else if input.is_required() {
                    lines.push(format!("In field {:?}: Expected type {:?}, found null.", input.name, input.of.shown()));
                }
            }
        }
    }
    if lines.is_empty() { Ok(object) } else { Err(lines) }
}

/// A value of a scalar; none if it is not one.
fn scalar(kind: Kind, value: Json) -> Option<Json> {
    match kind {
        Kind::Int => value.as_i64().filter(|number| (-LARGEST..=LARGEST).contains(number)).map(Json::from),
        Kind::Float => value.is_number().then_some(value),
        Kind::Text => value.is_string().then_some(value),
        Kind::Boolean => value.is_boolean().then_some(value),
        Kind::Id => match value {
            Json::String(_) => Some(value),
            Json::Number(number) if number.is_i64() => Some(number.to_string().into()),
            _ => None,
        },
        Kind::Object => value.is_object().then_some(value),
        Kind::Anything => Some(value),
    }
}
