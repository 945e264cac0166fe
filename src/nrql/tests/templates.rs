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
