//! Row functions by tables: a name, arguments, the value. Arguments and values are written as JSON.

use proptest::prelude::*;

use super::*;

mod moments;
mod numbers;
mod patterns;
mod texts;

/// Name of the case, function, arguments, value.
type Row = (&'static str, &'static str, &'static str, &'static str);

fn json(text: &str) -> Value {
    parse_json(text).unwrap_or_else(|| panic!("{text}"))
}

fn arguments(text: &str) -> Vec<Value> {
    match json(text) {
        Value::List(values) => values.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Runs each row; a function with a constant second argument also made ready, which must say the same.
fn check(context: &Context, rows: &[Row]) {
    for (name, function, args, expected) in rows {
        let (args, expected) = (arguments(args), json(expected));
        let function = row(function).unwrap_or_else(|| panic!("no function {function}"));
        assert_eq!((function.call)(context, &args, &Named::default()), expected, "{name}: {}({args:?})", function.name);
        if let (Some(prepare), Some(Value::Text(constant))) = (function.prepare, args.get(1)) {
            let ready = prepare(constant).map(|ready| ready.call(context, &args, &Named::default()));
            assert_eq!(ready.unwrap_or_default(), expected, "{name}, made ready");
        }
    }
}

fn utc() -> Context {
    Context::utc(1_702_902_896_789)
}

#[test]
fn names_are_found_in_any_case_and_only_once() {
    for (name, expected) in [
        ("lower", Some("lower")),
        ("LOWER", Some("lower")),
        ("indexof", Some("position")),
        ("ceiling", Some("ceil")),
        ("fromTimestamp", Some("toDatetime")),
        ("FROMDATETIME", Some("toTimestamp")),
        ("ifthen", Some("if")),
        ("count", None),
        ("", None),
    ] {
        assert_eq!(row(name).map(|function| function.name), expected, "{name}");
    }
    let mut names: Vec<String> = all().flat_map(|f| f.aliases.iter().chain([&f.name])).map(|name| name.to_lowercase()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), count), (56, 56), "a name stands twice");
}

#[test]
fn every_function_says_how_many_arguments_it_takes() {
    for function in all() {
        assert!(function.min_args <= function.max_args && function.max_args <= ARGUMENTS_MAX, "{}", function.name);
        assert!(function.word.is_none_or(|word| word < function.max_args), "{}", function.name);
    }
}

/// Null in, null out: all but those that say otherwise.
#[test]
fn null_gives_null() {
    for function in all().filter(|function| !["concat", "tuple", "if"].contains(&function.name)) {
        let args = vec![Value::Null; function.min_args];
        assert_eq!((function.call)(&utc(), &args, &Named::default()), Value::Null, "{}", function.name);
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Number),
        (-100.0..100.0).prop_map(Value::Number),
        any::<String>().prop_map(Value::text),
        "[a-zA-Z0-9 \\[\\]{}:,.'\"*%()?<>+/-]{0,12}".prop_map(Value::text),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| Value::List(values.into())),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())),
        ]
    })
}

proptest! {
    /// No function panics, and none gives a number that is none.
    #[test]
    fn nothing_panics(args in prop::collection::vec(value(), 0..4), named in value(), now_ms in any::<i64>()) {
        let named = [("precision", named.clone()), ("timezone", named)];
        for function in all() {
            let value = (function.call)(&Context::utc(now_ms), &args, &Named(&named));
            let fine = match &value {
                // What goes in unchanged may be anything.
                Value::Number(number) => number.is_finite() || args.iter().any(|arg| arg.as_number().is_some_and(|x| !x.is_finite())),
                _ => true,
            };
            prop_assert!(fine, "{}: {value:?}", function.name);
        }
    }
}
