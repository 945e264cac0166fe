//! Variables of dashboards.

use super::printed;
use crate::nrql::template::{FillError, Replacement, Strategy, fill, variables};

fn values(strategy: Strategy, values: &[&str]) -> Replacement {
    Replacement { values: values.iter().map(|value| (*value).to_owned()).collect(), strategy }
}

#[test]
fn variables_are_found_wherever_they_stand() {
    for (text, names) in [
        ("SELECT a FROM E", vec![]),
        ("SELECT {{a}} FROM {{ b }} WHERE c IN ({{a}}) SINCE {{d}}", vec!["a", "b", "d"]),
        ("SELECT a FROM E WHERE b LIKE '%{{x}}-{{ y }}' AND `{{z}}` = r'{{w}}'", vec!["x", "y", "z", "w"]),
        ("SELECT a FROM E WHERE b = '{{tags.k8s.cluster.name}}'", vec!["tags.k8s.cluster.name"]),
        ("SELECT a FROM E -- {{no}}\nWHERE '{{' != '}}'", vec![]),
        ("name_{{a}}", vec!["a"]),
    ] {
        assert_eq!(variables(text), names, "{text}");
    }
}

#[test]
fn values_are_written_as_their_strategy_asks() {
    let text = Strategy::Text;
    let (number, name, guess) = (Strategy::Number, Strategy::Identifier, Strategy::Default);
    for (query, replacement, filled) in [
        ("WHERE a = {{x}}", values(text, &["b"]), "WHERE a = 'b'"),
        ("WHERE a IN ({{x}})", values(text, &["b", "c d"]), "WHERE a IN ('b', 'c d')"),
        ("WHERE a IN ({{ x }})", values(number, &["1", "-2.5"]), "WHERE a IN (1, -2.5)"),
        ("FROM {{x}}", values(name, &["E"]), "FROM E"),
        ("WHERE {{x}}", values(name, &["a = 1 OR b"]), "WHERE a = 1 OR b"),
        ("FACET {{x}} FROM E", values(guess, &["a.b"]), "FACET a.b FROM E"),
        ("from {{x}}", values(guess, &["E"]), "from E"),
        ("percentile(a, {{x}})", values(guess, &["50", "95"]), "percentile(a, 50, 95)"),
        ("WHERE a IN ({{x}})", values(guess, &["50", "b"]), "WHERE a IN ('50', 'b')"),
        ("WHERE a LIKE '%{{x}}%'", values(text, &["it's"]), "WHERE a LIKE '%it\\'s%'"),
        ("WHERE a = \"{{x}}\"", values(guess, &["it's \"b\""]), "WHERE a = \"it's \\\"b\\\"\""),
        ("WHERE `{{x}}` = r'{{x}}.*'", values(guess, &["b"]), "WHERE `b` = r'b.*'"),
        ("{{x}}{{y}}{{x}}", values(number, &["1"]), "1{{y}}1"),
    ] {
        assert_eq!(fill(query, &[("x", replacement)]).as_deref(), Ok(filled), "{query}");
    }
}

/// A query that nobody has filled in reads all the same.
#[test]
fn a_variable_stands_wherever_something_is_filled_in() {
    for text in [
        "SELECT a FROM E LIMIT {{n}} OFFSET {{m}}",
        "SELECT a FROM E SINCE {{n}} hours AGO UNTIL {{u}} AGO",
        "SELECT count(*) FROM E SINCE {{from}} COMPARE WITH {{n}} weeks AGO",
        "SELECT a FROM E SINCE today AT {{time}}",
        "SELECT a FROM E SINCE TODAY AT {{time}} WITH TIMEZONE {{tz}}",
        "SELECT count(*) FROM E TIMESERIES {{n}} minutes SLIDE BY {{m}} seconds",
        "SELECT {{agg}}(x) FROM E",
        "SELECT round({{agg}}(x, {{p}})) FROM E",
        "SELECT a AS {{name}} FROM E",
        "SELECT a FROM E {{more}}",
        "SELECT a FROM E WHERE b = 1 {{more}} LIMIT 5 {{and}}",
        "{{first}} SELECT a FROM E FACET b {{more}}",
        "SELECT a {{from}}",
        "SELECT a FROM (SELECT a FROM E {{more}}) TIMESERIES AUTO {{more}}",
    ] {
        let tree = printed(text);
        assert_eq!(variables(&tree).len(), variables(text).len(), "{text}: {tree}");
    }
    assert_eq!(printed("select {{agg}}(x) from E {{more}} limit {{ n }}"), "SELECT {{agg}}(x) FROM E LIMIT {{n}} {{more}}");
}

#[test]
fn what_a_variable_leaves_open_is_no_query() {
    for (text, found) in [
        ("SELECT a FROM E SINCE {{n}} hours", "the end"),
        ("{{query}}", "the end"),
        ("SELECT a FROM E WHERE b {{op}} 1", "`1`"),
        ("SELECT a FROM E LIMIT {{n}} 5", "`5`"),
    ] {
        assert_eq!(super::refused(text).found, found, "{text}");
    }
}

/// What is guessed is of the whole list, of functions and of clauses: a name in quotes would be a constant.
#[test]
fn names_are_guessed_as_they_stand() {
    for (query, filled) in [
        ("SELECT count(*) FROM A, {{x}} FACET a, {{x}}", "SELECT count(*) FROM A, v FACET a, v"),
        ("SELECT {{x}}(a) FROM E", "SELECT v(a) FROM E"),
        ("FACET lower(a), CASES(WHERE b = {{x}}), {{x}} AS {{x}}", "FACET lower(a), CASES(WHERE b = 'v'), v AS 'v'"),
        ("FACET a, limit, {{x}} LIMIT 5", "FACET a, limit, v LIMIT 5"),
        (
            "FROM A JOIN (SELECT a, b FROM B, {{x}}) ON a SELECT c, {{x}}",
            "FROM A JOIN (SELECT a, b FROM B, v) ON a SELECT c, 'v'",
        ),
        ("FROM (SELECT a FROM E WHERE b IN ({{x}})), {{x}}", "FROM (SELECT a FROM E WHERE b IN ('v')), v"),
        ("SELECT a FROM E WHERE b = 'c' {{x}} LIMIT MAX {{x}}", "SELECT a FROM E WHERE b = 'c' v LIMIT MAX v"),
        ("SELECT a FROM E SINCE 1 {{x}} ago UNTIL {{x}}", "SELECT a FROM E SINCE 1 v ago UNTIL 'v'"),
        ("SELECT a FROM E WITH TIMEZONE {{x}}", "SELECT a FROM E WITH TIMEZONE 'v'"),
        ("SELECT a FROM E SINCE today AT {{x}} {{x}}", "SELECT a FROM E SINCE today AT 'v' v"),
        ("WHERE a = {{x}} AND NOT {{x}} OR b LIKE {{x}}", "WHERE a = 'v' AND NOT 'v' OR b LIKE 'v'"),
        ("WHERE if({{x}} != '', {{x}}, a)", "WHERE if('v' != '', 'v', a)"),
        ("COMPARE WITH {{x}}", "COMPARE WITH 'v'"),
    ] {
        assert_eq!(fill(query, &[("x", values(Strategy::Default, &["v"]))]).as_deref(), Ok(filled), "{query}");
    }
}

/// Values that try to end the text they stand in.
#[test]
fn a_value_stays_inside_its_text() {
    for value in ["'", "\\", "\\'", "\\\\'", "' OR 'a' = 'a", "a\\", "\n", "{{x}}", "''", "--", "a\\n"] {
        for query in
            ["SELECT a FROM E WHERE b = {{x}}", "SELECT a FROM E WHERE b = '{{x}}'", "SELECT a FROM E WHERE b = 'c{{x}}d'"]
        {
            let filled = fill(query, &[("x", values(Strategy::Text, &[value]))]).expect(query);
            let text = if query.contains("c{{") { format!("c{value}d") } else { value.to_owned() };
            let mut literal = super::query("SELECT a FROM E WHERE b = 'x'");
            let other = super::query(&filled);
            let crate::nrql::ast::ExprKind::Binary(_, _, right) = &mut literal.conditions[0].kind else { panic!("a comparison") };
            right.kind = crate::nrql::ast::ExprKind::Text(text);
            assert_eq!(other, literal, "{query} with {value}: {filled}");
            printed(&filled);
        }
    }
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let (name, at) = ("x".to_owned(), 10);
    for (query, replacement, error) in [
        ("WHERE a = {{x}}", values(Strategy::Text, &[]), FillError::NoValue { name: name.clone(), at }),
        (
            "WHERE a = {{x}}",
            values(Strategy::Number, &["1", "2b"]),
            FillError::NotANumber { name: name.clone(), at, value: "2b".to_owned() },
        ),
        ("WHERE a ='{{x}}'", values(Strategy::Text, &["b", "c"]), FillError::Several { name: name.clone(), at, count: 2 }),
        (
            "WHERE a = `{{x}}`",
            values(Strategy::Identifier, &["b`"]),
            FillError::Quote { name: name.clone(), at: 11, value: "b`".to_owned() },
        ),
        (
            "WHERE a=r'{{x}}'",
            values(Strategy::Text, &["b'"]),
            FillError::Quote { name: name.clone(), at, value: "b'".to_owned() },
        ),
        ("WHERE a='\\{{x}}'", values(Strategy::Text, &["'"]), FillError::Quote { name: name.clone(), at, value: "'".to_owned() }),
    ] {
        assert_eq!(fill(query, &[("x", replacement)]), Err(error), "{query}");
    }
    let error = fill("{{x}}", &[("x", values(Strategy::Number, &["b"]))]);
    assert_eq!(error.map_err(|error| error.to_string()), Err("variable `x` at byte 0 is `b`, expected a number".to_owned()));
}
