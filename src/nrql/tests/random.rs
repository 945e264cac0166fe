//! Random trees, random texts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Expr, parse, printed};
use crate::nrql::ast::{
    Among, Argument, BinaryOp, Call, Case, Cases, Day, Duration, ExprKind, Facet, FacetItem, IsWhat, Join, Key, Limit, Moment,
    Name, NamedValue, Offset, OrderItem, Predict, Query, SelectItem, Selected, Source, Span, Statement, Text, Timeseries,
    UnaryOp, Unit, Variable, Width,
};

/// Names: usual ones, words of the language, odd ones. No back-tick: none can stand in them.
fn name() -> impl Strategy<Value = Name> {
    let words = prop::sample::select(vec![
        "a",
        "b.c",
        "aws:x.y",
        "limit",
        "SELECT",
        "from",
        "Where",
        "since",
        "TIMEZONE",
        "cases",
        "null",
        "Not",
        "in",
        "r",
        "day",
        "max",
        "5xx",
        "1e5",
        "a b",
        "--",
        "it's",
        "%x.%",
        "größe",
        "\\",
        "{{x}}",
        "LEFT",
        "join",
        "desc",
        "AS",
        "timeseries",
        "raw",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => "[^`]{1,8}"].prop_map(|text| Name { text, ..Name::default() })
}

/// What stands behind `AS`: anything.
fn alias() -> impl Strategy<Value = Name> {
    prop_oneof![name(), ".{0,8}".prop_map(|text| Name { text, ..Name::default() })]
}

/// Names of functions and variables, which are always bare.
fn bare() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["count", "f", "uniqueCount", "max", "tags.x"]).prop_map(str::to_owned)
}

fn template() -> impl Strategy<Value = Name> {
    bare().prop_map(|text| Name { text, ..Name::default() })
}

fn said() -> impl Strategy<Value = String> {
    prop_oneof![".{0,8}", "['\\\\`\"{}n/*-]{0,6}"]
}

fn text() -> impl Strategy<Value = Text> {
    let template = bare().prop_map(|name| Text { text: format!("{{{{{name}}}}}"), template: true, ..Text::default() });
    prop_oneof![4 => said().prop_map(|text| Text { text, ..Text::default() }), 1 => template]
}

/// Numbers, never negative.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..100).prop_map(f64::from),
        any::<f64>().prop_map(f64::abs).prop_filter("finite", |number| number.is_finite())
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![
        Unit::Millisecond,
        Unit::Second,
        Unit::Minute,
        Unit::Hour,
        Unit::Day,
        Unit::Week,
        Unit::Month,
        Unit::Quarter,
        Unit::Year,
    ])
}

fn duration() -> impl Strategy<Value = Duration> {
    (number(), unit()).prop_map(|(count, unit)| Duration { count, unit })
}

fn day() -> impl Strategy<Value = Day> {
    prop::sample::select(vec![
        Day::Today,
        Day::Yesterday,
        Day::Monday,
        Day::Tuesday,
        Day::Wednesday,
        Day::Thursday,
        Day::Friday,
        Day::Saturday,
        Day::Sunday,
    ])
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        Just(Moment::Now),
        duration().prop_map(Moment::Ago),
        (0..i64::MAX).prop_map(Moment::Epoch),
        (day(), option::of(text())).prop_map(|(day, at)| Moment::Day { day, at }),
        unit().prop_map(Moment::This),
        unit().prop_map(Moment::Last),
        said().prop_map(|text| Moment::Text(Text { text, ..Text::default() })),
        template().prop_map(Moment::Template),
        (template(), option::of(unit())).prop_map(|(name, unit)| Moment::TemplateAgo { name, unit }),
    ]
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![
        Just(Width::Auto),
        Just(Width::Max),
        duration().prop_map(Width::Exact),
        template().prop_map(Width::Template),
        (template(), unit()).prop_map(|(name, unit)| Width::TemplateUnits { name, unit }),
    ]
}

fn expr() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        number().prop_map(ExprKind::Number),
        said().prop_map(ExprKind::Text),
        "[^']{0,6}".prop_map(ExprKind::Raw),
        any::<bool>().prop_map(ExprKind::Bool),
        Just(ExprKind::Null),
        bare().prop_map(ExprKind::Template),
        name().prop_map(|name| ExprKind::Name(name.text)),
    ]
    .prop_map(expr_of);
    leaf.prop_recursive(4, 40, 4, |inner| kind(inner.boxed()).prop_map(expr_of)).boxed()
}

fn expr_of(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

/// An expression with others inside.
fn kind(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ExprKind> {
    use BinaryOp as Op;
    let boxed = inner.clone().prop_map(Box::new).boxed();
    let binary = prop::sample::select(vec![
        Op::Or,
        Op::And,
        Op::Equal,
        Op::NotEqual,
        Op::Less,
        Op::LessOrEqual,
        Op::Greater,
        Op::GreaterOrEqual,
        Op::Add,
        Op::Subtract,
        Op::Multiply,
        Op::Divide,
    ]);
    let what = prop::sample::select(vec![IsWhat::Null, IsWhat::True, IsWhat::False]);
    let key = prop_oneof![any::<i64>().prop_map(Key::Position), said().prop_map(Key::Field)];
    let nested = query(inner.clone()).prop_map(Box::new).boxed();
    let among = prop_oneof![
        vec(inner.clone(), 0..3).prop_map(Among::Values),
        nested.clone().prop_map(Among::Query),
        template().prop_map(Among::Template)
    ];
    let case = (inner.clone(), option::of(alias())).prop_map(|(condition, alias)| Case { condition, alias });
    let cases = (vec(case, 1..3), option::of(boxed.clone())).prop_map(|(cases, otherwise)| Cases { cases, otherwise });
    let unary = prop::sample::select(vec![UnaryOp::Minus, UnaryOp::Plus, UnaryOp::Not]);
    let arguments = vec(argument(inner), 0..3);
    prop_oneof![
        6 => (binary, boxed.clone(), boxed.clone()).prop_map(|(op, left, right)| ExprKind::Binary(op, left, right)),
        2 => (unary, boxed.clone()).prop_map(|(op, value)| ExprKind::Unary(op, value)),
        1 => (boxed.clone(), key).prop_map(|(value, key)| ExprKind::Index { value, key }),
        1 => (boxed.clone(), any::<bool>(), what).prop_map(|(value, negated, what)| ExprKind::Is { value, negated, what }),
        1 => (boxed.clone(), any::<bool>(), among).prop_map(|(value, negated, among)| ExprKind::In { value, negated, among }),
        1 => (boxed.clone(), any::<bool>(), boxed.clone())
            .prop_map(|(value, negated, pattern)| ExprKind::Like { value, negated, pattern }),
        1 => (boxed.clone(), any::<bool>(), boxed).prop_map(|(value, negated, pattern)| ExprKind::Rlike { value, negated, pattern }),
        2 => (prop_oneof![4 => bare(), 1 => Just("{{f}}".to_owned())], arguments).prop_map(|(text, arguments)| {
            ExprKind::Call(Call { name: Name { text, ..Name::default() }, arguments })
        }),
        2 => cases.prop_map(ExprKind::Cases),
        1 => nested.prop_map(ExprKind::Query),
    ]
}

fn argument(value: BoxedStrategy<Expr>) -> impl Strategy<Value = Argument> {
    let span = Span::default();
    let named = prop_oneof![
        value.clone().prop_map(NamedValue::Value),
        duration().prop_map(move |duration| NamedValue::Duration(duration, span)),
        vec(name(), 1..3).prop_map(NamedValue::Names)
    ];
    prop_oneof![
        Just(Argument::All(span)),
        value.clone().prop_map(Argument::Value),
        (value, option::of(alias())).prop_map(|(condition, alias)| Argument::Where { condition, alias }),
        (name(), named).prop_map(|(name, value)| Argument::Named { name, value }),
        duration().prop_map(move |duration| Argument::Duration(duration, span)),
    ]
}

/// A query over such values; without `JOIN` and queries in `FROM`, which [`whole`] adds.
fn query(value: BoxedStrategy<Expr>) -> BoxedStrategy<Query> {
    let selected = prop_oneof![4 => value.clone().prop_map(Selected::Value), 1 => Just(Selected::All(Span::default()))];
    let item = (selected, vec(alias(), 0..3)).prop_map(|(value, alias)| SelectItem { value, alias });
    let source =
        prop_oneof![name().prop_map(Source::Type), template().prop_map(Source::Template), name().prop_map(Source::Lookup)];
    let order = (value.clone(), any::<bool>()).prop_map(|(value, descending)| OrderItem { value, descending }).boxed();
    let facet_item = (value.clone(), option::of(alias())).prop_map(|(value, alias)| FacetItem { value, alias });
    let facet = (vec(facet_item, 1..3), option::of(order.clone().prop_map(Box::new)));
    let facet = facet.prop_map(|(items, order_by)| Facet { items, order_by });
    let limit = prop_oneof![any::<u64>().prop_map(Limit::Count), Just(Limit::Max), template().prop_map(Limit::Template)];
    let offset = prop_oneof![any::<u64>().prop_map(Offset::Count), template().prop_map(Offset::Template)];
    let variable = (value.clone(), vec(alias(), 1..3)).prop_map(|(value, names)| Variable { value, names });
    let timeseries = (width(), option::of(width())).prop_map(|(width, slide)| Timeseries { width, slide });
    let predict = (option::of(vec(argument(value.clone()), 0..2)), option::of(duration()), option::of(duration()));
    let predict = predict.prop_map(|(holtwinters, by, using)| Predict { span: Span::default(), holtwinters, by, using });
    let rows =
        (vec(item, 1..3), vec(source, 1..3), vec(value, 0..3), option::of(facet), vec(order, 0..3), vec(variable, 0..3)).boxed();
    let times =
        (option::of(moment()), option::of(moment()), option::of(moment()), option::of(timeseries), option::of(predict)).boxed();
    let last = (any::<(bool, bool)>(), vec(template(), 0..2));
    let rest = (option::of(limit), option::of(offset), option::of(text()), option::of(text()), last).boxed();
    (rows, times, rest)
        .prop_map(|(rows, times, rest)| {
            let (select, from, conditions, facet, order_by, variables) = rows;
            let (since, until, compare, timeseries, predict) = times;
            let (limit, offset, timezone, metric_format, ((extrapolate, raw), templates)) = rest;
            Query {
                span: Span::default(),
                select,
                from,
                joins: Vec::new(),
                conditions,
                facet,
                order_by,
                limit,
                offset,
                since,
                until,
                compare,
                timeseries,
                timezone,
                metric_format,
                variables,
                extrapolate,
                predict,
                raw,
                templates,
            }
        })
        .boxed()
}

/// A whole query: others stand in its `FROM` and are joined.
fn whole() -> impl Strategy<Value = Query> {
    let nested = query(expr()).prop_map(Box::new).boxed();
    let join = (any::<bool>(), nested.clone(), expr(), option::of(name()));
    let join = join.prop_map(|(left, query, key, column)| Join { left, query, key, column });
    (query(expr()), vec(nested, 0..2), vec(join, 0..2)).prop_map(|(query, nested, joins)| {
        let from = query.from.iter().cloned().chain(nested.into_iter().map(Source::Query)).collect();
        Query { from, joins, ..query }
    })
}

/// Pieces of the language, good and bad, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "SELECT",
        "FROM",
        "WHERE",
        "FACET",
        "CASES(",
        "ORDER",
        "BY",
        "LIMIT",
        "MAX",
        "SINCE",
        "1",
        "day",
        "AGO",
        "TIMESERIES",
        "COMPARE",
        "WITH",
        "TIMEZONE",
        "'x'",
        "AS",
        "a",
        "b.c",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{x}}",
        ",",
        ":",
        "=",
        "!=",
        "<",
        "+",
        "-",
        "*",
        "/",
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS",
        "NULL",
        "LIKE",
        "RLIKE",
        "r'x'",
        "count(*)",
        "f(",
        "`q`",
        "JOIN",
        "ON",
        "LEFT",
        "SHOW",
        "EVENT",
        "TYPES",
        "/*",
        "--",
        "\n",
        "'",
        "\"",
        "`",
        "1e",
        ".5",
        "PREDICT",
        "RAW",
        ";",
        "é",
        "\u{1f600}",
    ]);
    vec(piece, 0..30).prop_map(|pieces| pieces.join(" "))
}

/// A text is read, or refused at a place in it; what is read can be printed and read again.
fn read(text: &str) {
    match parse(text) {
        Ok(_) => drop(printed(text)),
        Err(error) => {
            assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end), "{text}: {error:?}");
            assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{text}: {error:?}");
            assert!(!error.expected.is_empty(), "{text}: {error:?}");
            let line = text.split('\n').nth(error.line - 1).unwrap_or_default();
            assert!(error.column <= line.chars().count() + 1, "{text}: {error:?}");
        }
    }
}

/// Making a tree, strategies within strategies, takes more of the stack than reading it: without optimisation now and then more than
/// the 2 MB of a test's thread.
#[test]
fn a_random_tree_reads_back_as_printed() {
    let run = || {
        let read_back = |query| {
            let statement = Statement::Select(Box::new(query));
            let printed = statement.to_string();
            let again = parse(&printed).unwrap_or_else(|error| panic!("{printed}\n{error}"));
            prop_assert_eq!(&again, &statement, "{}", printed);
            prop_assert_eq!(again.to_string(), printed);
            Ok(())
        };
        let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
        runner.run(&whole(), read_back).unwrap_or_else(|failed| panic!("{failed}"));
    };
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(run).expect("a thread");
    assert!(thread.join().is_ok(), "told above");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_random_expression_reads_back_as_printed(value in expr()) {
        let printed = value.to_string();
        prop_assert_eq!(super::value(&printed), value, "{}", printed);
    }

    #[test]
    fn no_text_is_too_odd(text in any::<String>(), bytes in vec(any::<u8>(), 0..60)) {
        read(&text);
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_order_of_words_is_too_odd(text in soup()) {
        read(&text);
        read(&format!("SELECT {text} FROM E"));
        read(&format!("SELECT a FROM E WHERE {text}"));
        read(&format!("SELECT a FROM E {text}"));
    }
}
