//! What is told of which query, and where.
//!
//! A case is a name, what the query is for, the query with `¦` before every place where something is told, and the rules in the
//! order of the places.

mod clean;
mod condition;
mod corpus;
mod function;
mod kind;
mod message;
mod name;
mod nested;
mod random;
mod readable;
mod shape;
mod template;
mod window;

use std::collections::BTreeSet;

use super::{Comparison, Finding, Kind, Names, Purpose, RULES, Severity, Term, report};

/// What the query of a case is for.
#[derive(Debug, Clone, Copy)]
enum For {
    Saved,
    /// A widget that follows the time picker.
    Picked,
    /// A widget with a window of its own.
    Own,
    /// A condition of which no term is known.
    Alert,
    /// A condition with a term.
    Term(Comparison, f64),
    /// The same, whose gaps are filled.
    Filled(Comparison, f64),
}

impl For {
    fn purpose(self) -> Purpose {
        let condition = |term: Option<Term>, fills_gaps| Purpose::Condition { terms: term.into_iter().collect(), fills_gaps };
        match self {
            Self::Saved => Purpose::Saved,
            Self::Picked => Purpose::Widget { own_window: false },
            Self::Own => Purpose::Widget { own_window: true },
            Self::Alert => condition(None, false),
            Self::Term(comparison, threshold) => condition(Some(Term { comparison, threshold }), false),
            Self::Filled(comparison, threshold) => condition(Some(Term { comparison, threshold }), true),
        }
    }
}

/// A case.
type Case = (&'static str, For, &'static str, &'static [&'static str]);

/// The names of the cases: two event types, a table of logs, two metrics, two variables.
fn names() -> Names {
    let mut names = Names::default();
    for event_type in ["Event", "Other"] {
        names.attribute(event_type, "event.id", Kind::Text);
        names.attribute(event_type, "aws.accountId", Kind::Text);
    }
    for (name, kind) in [
        ("control.id", Kind::Text),
        ("control.severity", Kind::Text),
        ("flag", Kind::Text),
        ("mfa", Kind::Flag),
        ("items", Kind::List),
        ("event.time", Kind::Number),
        ("score", Kind::Number),
        ("whatever", Kind::Any),
    ] {
        names.attribute("Event", name, kind);
    }
    names.attribute("Other", "finding.open", Kind::Number);
    // The same name, another kind.
    names.attribute("Other", "score", Kind::Text);
    names.attribute("Log", "message", Kind::Text);
    names.open("Log");
    names.metric("cspm.records", ["aws.accountId", "aws.service"]);
    names.metric("cspm.compliance", ["aws.accountId", "compliance.state"]);
    names.reserve("accountId", "`aws.accountId`");
    names.reserve("entity.", "an attribute of ours");
    names.variables(["account", "severity"]);
    names
}

/// A query without its marks, and where they stood, in bytes.
fn marked(query: &str) -> (String, Vec<usize>) {
    let (mut text, mut places) = (String::new(), Vec::new());
    for part in query.split('¦') {
        text += part;
        places.push(text.len());
    }
    places.pop();
    (text, places)
}

fn told(text: &str, purpose: For) -> Vec<Finding> {
    report(text, &names(), &purpose.purpose()).into_iter().map(|reported| reported.finding).collect()
}

/// Compares what is told with what is to be told, of every case.
fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (name, purpose, query, rules) in cases {
        let (text, places) = marked(query);
        let want: Vec<(usize, &str)> = places.into_iter().zip(rules.iter().copied()).collect();
        assert_eq!(want.len(), rules.len(), "{name}: a mark for every rule");
        let found = told(&text, *purpose);
        let have: Vec<(usize, &str)> = found.iter().map(|finding| (finding.span.start, finding.rule)).collect();
        if have != want {
            let said: Vec<String> = found.iter().map(|finding| format!("  {} {finding}", finding.span.start)).collect();
            wrong.push(format!("{name}: {text}\n{}\n  wanted {want:?}", said.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TABLES: [&[Case]; 10] = [
    clean::CASES,
    name::CASES,
    function::CASES,
    kind::CASES,
    readable::CASES,
    shape::CASES,
    nested::CASES,
    template::CASES,
    window::CASES,
    condition::CASES,
];

#[test]
fn every_rule_is_told_by_a_case_and_no_case_stands_twice() {
    let mut told: BTreeSet<&str> = TABLES.iter().flat_map(|cases| cases.iter()).flat_map(|(.., rules)| *rules).copied().collect();
    // Nobody wants to read a case of 4 KB: it has a test of its own.
    told.insert("too-long");
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(told, known);
    assert_eq!(known.len(), RULES.len(), "an id stands twice");
    let cases: Vec<&Case> = TABLES.iter().flat_map(|cases| cases.iter()).collect();
    let names: BTreeSet<&str> = cases.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 200, "{} cases", cases.len());
}

#[test]
fn rules_are_named_and_explained_alike() {
    for rule in RULES {
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        assert!(!rule.says.ends_with('.') && !rule.says.is_empty(), "{}", rule.id);
        let (source, why) = rule.why.split_once(':').unwrap_or_default();
        let known = ["docs", "design"].contains(&source) || source.starts_with("reference");
        assert!(known && !why.is_empty(), "{}: {}", rule.id, rule.why);
    }
    assert!(RULES.iter().any(|rule| rule.severity == Severity::Warning));
}
