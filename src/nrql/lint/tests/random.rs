//! Random texts: whatever they say, an answer comes, with places in the text.

use proptest::prelude::*;

use crate::nrql::lint::{Comparison, Names, Purpose, RULES, Term, report};

/// Words that queries are made of.
const WORDS: [&str; 48] = [
    "SELECT",
    "FROM",
    "WHERE",
    "FACET",
    "SINCE",
    "UNTIL",
    "TIMESERIES",
    "LIMIT",
    "COMPARE WITH",
    "ORDER BY",
    "WITH",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "IS",
    "NULL",
    "TRUE",
    "Event",
    "Metric",
    "flag",
    "score",
    "cspm.records",
    "count(*)",
    "max(score)",
    "percentile(score, 1, 2)",
    "uniqueCount(flag)",
    "filter(count(*), WHERE flag != 'a')",
    "CASES(WHERE score > 1)",
    "(SELECT max(score) FROM Other)",
    "JOIN",
    "ON",
    "(",
    ")",
    ",",
    "=",
    "!=",
    "+",
    "*",
    "1",
    "'ä'",
    "{{account}}",
    "1 day ago",
    "5 minutes",
    "-- x\n",
    "eventType()",
];

fn purpose() -> impl Strategy<Value = Purpose> {
    let term = (any::<bool>(), -2.0..3.0).prop_map(|(below, threshold)| Term {
        comparison: if below { Comparison::BelowOrEquals } else { Comparison::Equals },
        threshold,
    });
    let condition = |(terms, fills_gaps)| Purpose::Condition { terms, fills_gaps };
    prop_oneof![
        Just(Purpose::Saved),
        any::<bool>().prop_map(|own_window| Purpose::Widget { own_window }),
        (prop::collection::vec(term, 0..3), any::<bool>()).prop_map(condition),
    ]
}

/// A query of the usual shape, made of random parts.
fn query() -> impl Strategy<Value = String> {
    let words = || prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4).prop_map(|words| words.join(" "));
    (words(), words(), words(), words())
        .prop_map(|(one, two, three, four)| format!("SELECT {one} FROM {two} WHERE {three} FACET {four} SINCE 1 day ago"))
}

fn judged(text: &str, purpose: &Purpose) {
    for names in [Names::default(), super::names()] {
        let mut last = 0;
        for reported in report(text, &names, purpose) {
            let finding = reported.finding;
            let rule = RULES.iter().find(|rule| rule.id == finding.rule).expect("a rule of the table");
            assert_eq!(finding.severity, rule.severity);
            assert!(finding.span.start >= last && finding.span.end <= text.len(), "{text}: {finding}");
            assert!(text.is_char_boundary(finding.span.start) && !finding.message.is_empty(), "{text}: {finding}");
            last = finding.span.start;
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_judged(text in ".{0,80}", purpose in purpose()) {
        judged(&text, &purpose);
    }

    #[test]
    fn any_words_are_judged(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..30), purpose in purpose()) {
        judged(&words.join(" "), &purpose);
    }

    #[test]
    fn any_query_is_judged(text in query(), purpose in purpose()) {
        judged(&text, &purpose);
    }
}

/// The longest chains and the deepest queries that are read are judged in no time that anybody notices.
#[test]
fn long_and_deep_queries_are_judged() {
    let chain = format!("SELECT count(*) FROM Event WHERE {}", vec!["flag != 'a'"; 400].join(" OR "));
    judged(&chain, &Purpose::Saved);
    let names = format!("SELECT max({}) FROM Event", vec!["score"; 900].join(" OR "));
    judged(&names, &Purpose::Saved);
    let deep = (0..20).fold("Event".to_owned(), |inner, _| format!("(SELECT count(*) AS n FROM {inner} FACET n LIMIT MAX)"));
    judged(&format!("SELECT max(n) FROM {deep}"), &Purpose::Saved);
    let values = (0..20).fold("score".to_owned(), |inner, _| format!("(SELECT max({inner}) FROM Event)"));
    judged(&format!("SELECT max({values}) FROM Event"), &Purpose::Saved);
}
