//! What is refused, with which words.

use super::*;
use crate::classify::{Verdict, test_rules};

#[test]
fn every_fault_of_a_correlation_names_line_finding_and_what_is_allowed() {
    let of = |inside: &str| format!("title: t\nname: t\nlevel: low\ncorrelation:\n  rules: [a, b]\n  timespan: 5m\n{inside}");
    for (text, line, want) in [
        ("title: t\nname: t\ncorrelation: x\n".to_owned(), 3, "correlation is \"x\"; a map is needed"),
        (of("  condition: {gte: 2}\n"), 5, "correlation.type is missing; allowed: event_count, value_count, temporal"),
        (of("  type: near\n"), 7, "correlation.type is \"near\"; allowed: event_count"),
        (of("  type: temporal\n  groupby: [x]\n"), 8, "correlation.groupby is unknown; allowed: type, rules, group-by"),
        (
            of("  type: temporal\n").replace("5m", "5 minutes"),
            6,
            "correlation.timespan is \"5 minutes\"; allowed: a whole number",
        ),
        (of("  type: temporal\n").replace("5m", "32d"), 6, "up to 31d"),
        (of("  type: temporal\n").replace("  timespan: 5m\n", ""), 5, "correlation.timespan is missing"),
        (of("  type: temporal\n").replace("  rules: [a, b]\n", ""), 5, "correlation.rules is missing"),
        (of("  type: temporal\n").replace("[a, b]", "[a, a]"), 5, "correlation.rules: \"a\" stands twice"),
        (of("  type: event_count\n"), 5, "correlation.condition is missing; needed: {gte: 5}"),
        (of("  type: event_count\n  condition: {lt: 5}\n"), 8, "correlation.condition holds when nothing comes"),
        (of("  type: event_count\n  condition: {eq: 0}\n"), 8, "correlation.condition holds when nothing comes"),
        (of("  type: event_count\n  condition: {neq: 3}\n"), 8, "correlation.condition holds when nothing comes"),
        (of("  type: value_count\n  condition: {field: x, lte: 5}\n"), 8, "correlation.condition holds when nothing comes"),
        (of("  type: value_sum\n  condition: {field: x, lt: 5}\n"), 8, "correlation.condition holds when nothing comes"),
        (of("  type: event_count\n  condition: {gt: 5, lt: 3}\n"), 8, "holds for no count of 1 to 10000"),
        (of("  type: event_count\n  condition: {gte: 20000}\n"), 8, "holds for no count of 1 to 10000"),
        (of("  type: event_count\n  condition: {gte: 5, field: x}\n"), 8, "event_count looks at no field"),
        (
            of("  type: event_count\n  condition: {gte: many}\n"),
            8,
            "correlation.condition.gte is \"many\"; allowed: numbers under gt, gte",
        ),
        (
            of("  type: event_count\n  condition: {above: 5}\n"),
            8,
            "correlation.condition.above is 5; allowed: numbers under gt, gte",
        ),
        (of("  type: value_count\n  condition: {gte: 5}\n"), 8, "correlation.condition.field is missing; value_count needs one"),
        (of("  type: value_avg\n  condition: {gte: 5, field: [x, y]}\n"), 8, "2 fields; value_avg looks at one"),
        (of("  type: value_percentile\n  condition: {gte: 5, field: x}\n"), 8, "percentile is missing; needed: more than 0"),
        (of("  type: value_percentile\n  condition: {gte: 5, field: x, percentile: 101}\n"), 8, "percentile is 101; needed"),
        (of("  type: value_median\n  condition: {gte: 5, field: x, percentile: 50}\n"), 8, "value_median has none"),
        (of("  type: value_sum\n  condition: {field: x}\n"), 8, "compares with nothing; allowed: gt, gte"),
        (of("  type: temporal\n  condition: a and not b\n"), 8, "\"not\" of a rule"),
        (of("  type: temporal\n  condition: a and c\n"), 8, "\"c\" does not exist; defined: a, b"),
        (of("  type: temporal\n  condition: {gte: 3}\n"), 8, "holds for no count of 1 to 2"),
        (of("  type: temporal_ordered\n  condition: a or b\n"), 8, "temporal_ordered needs all its rules"),
        (of("  type: temporal_ordered\n  condition: {gte: 1}\n"), 8, "temporal_ordered needs all its rules"),
        (of("  type: temporal\n  aliases: [x]\n"), 8, "correlation.aliases is a list; needed: {alias: {rule: field}}"),
        (of("  type: temporal\n  generate: maybe\n"), 8, "generate is \"maybe\"; allowed: true, false"),
        (
            of("  type: temporal\ncspm:\n  samples:\n    match: [{name: x, record: {}}]\n"),
            10,
            "name and records, a list, are needed",
        ),
    ] {
        let (rules, faults) = one_file(&text);
        let found: Vec<_> = faults.iter().map(|fault| (fault.line, fault.to_string())).collect();
        assert!(rules.is_empty(), "{text}");
        assert!(found.iter().any(|(at, problem)| *at == line && problem.contains(want)), "{want} at {line}: {found:?}");
    }
}

/// What no stream can tell is refused with what can.
#[test]
fn absence_is_refused_with_a_way_to_see_it() {
    let text = "title: t\nname: t\nlevel: low\ncorrelation: {type: event_count, rules: [a], timespan: 1h, condition: {lt: 1}}\n";
    let (_, faults) = one_file(text);
    assert!(faults.iter().any(|fault| fault.hint.is_some_and(|hint| hint.contains("alert condition"))), "{faults:?}");
}

#[test]
fn good_conditions_are_taken() {
    for (kind, condition) in [
        ("event_count", "{gt: 4, lte: 10}"),
        ("event_count", "{eq: 3}"),
        ("event_count", "{gte: 2, neq: 5}"),
        ("value_count", "{field: [x, y], gte: 2}"),
        ("value_avg", "{field: x, lt: 2.5}"),
        ("value_median", "{field: x, gte: 2}"),
        ("value_percentile", "{field: x, percentile: 99.5, gt: 2}"),
        ("value_sum", "{field: x, gt: 2}"),
        ("temporal", "a and b"),
        ("temporal_ordered", "a and b"),
        ("temporal_ordered", "{gte: 2}"),
        ("temporal", "{eq: 2}"),
    ] {
        let inside = format!("{{type: {kind}, rules: [a, b], timespan: 1h, condition: {condition}}}");
        let (rules, faults) = one_file(&correlation("t", &inside));
        assert_eq!((rules.len(), faults), (1, Vec::new()), "{inside}");
    }
}

/// A correlation that cannot work is told and takes with it what needs it, and nothing else.
#[test]
fn names_that_lead_nowhere_are_told() {
    let temporal = |rules: &str| format!("{{type: temporal, rules: [{rules}], timespan: 1m}}");
    let (set, faults) = read_all(&[(
        "rules.yml",
        &[
            base("good", "A"),
            correlation("lost", &temporal("good, gone")),
            correlation("of-lost", &temporal("lost, good")),
            correlation("round", &temporal("about, good")),
            correlation("about", &temporal("round, good")),
            correlation("fine", &temporal("good")),
            correlation(
                "aliased",
                "{type: temporal, rules: [good, fine], timespan: 1m, aliases: {x: {good: a}}, group-by: [x], generate: true}",
            ),
        ],
    )]);
    let ids: Vec<&str> = set.rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!((ids, set.silent().len()), (vec!["fine"], 1));
    let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
    for want in [
        "\"gone\" is the id or name of no rule that runs",
        "\"lost\" is the id or name of no rule that runs",
        "it names itself, directly or through others",
        "correlation.aliases.x: no field for rule \"fine\"",
    ] {
        assert!(found.iter().any(|fault| fault.contains(want)), "{want}: {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
}

/// Rules that only feed a correlation say nothing one by one, whatever has become of it.
#[test]
fn what_only_feeds_a_correlation_stays_silent_when_that_is_off_or_refused() {
    let many = |more: &str| {
        let inside = format!("{{type: event_count, rules: [own], timespan: 10s, condition: {{gte: 2}}{more}}}");
        correlation("many", &inside)
    };
    let by_cases = [
        ("works", many(""), "", 0),
        ("switched off", many(""), "many", 0),
        ("cannot be read", many(", sort: up").replace("10s", "soon"), "", 2),
        ("names nothing", many("").replace("[own]", "[own, gone]"), "", 1),
        ("has a taken name", many("").replace("name: many", "name: root-console-login"), "", 1),
    ];
    for (name, document, off, wrong) in by_cases {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.yml"), base("own", "X") + "---\n" + &document).expect("a file");
        let disable = if off.is_empty() { Vec::new() } else { vec![off.to_owned()] };
        let settings =
            crate::config::Rules { folders: vec![folder.path().to_owned()], disable, ..crate::config::Rules::default() };
        let (set, faults) = RuleSet::load(&settings);
        assert_eq!(faults.len(), wrong, "{name}: {faults:?}");
        let silent: Vec<&str> = set.silent().iter().map(|rule| &*rule.id).collect();
        assert_eq!(silent, ["own"], "{name}");
        assert!(detections(&set, &[record("1", "X", 0, "")]).concat().is_empty(), "{name}");
    }
    let (set, _) = read_all(&[("a.yml", &[base("own", "X"), many(", generate: true").replace("10s", "soon")])]);
    assert_eq!(detections(&set, &[record("1", "X", 0, "")]), [["own"]], "it was loud beside the correlation");
}

/// Rules that are looked at alone may correlate built-in ones, which are then no rules of theirs; a copy of a built-in file stands for it.
#[test]
fn a_correlation_alone_is_lent_the_built_in_rules_that_it_names() {
    let root = |id: &str, second: u32| {
        format!(
            "{{eventID: '{id}', eventName: ConsoleLogin, eventSource: signin.amazonaws.com, eventTime: '2026-11-01T00:00:{second:02}Z', \
             userIdentity: {{type: Root}}, recipientAccountId: '111122223333', responseElements: {{ConsoleLogin: Success}}}}"
        )
    };
    let document = format!(
        "title: Twice\nname: twice\nlevel: high\n\
         correlation: {{type: event_count, rules: [root-console-login], timespan: 10s, condition: {{gte: 2}}}}\n\
         cspm: {{samples: {{match: [{{name: two, records: [{}, {}]}}], noMatch: [{{name: one, records: [{}]}}]}}}}\n",
        root("1", 0),
        root("2", 1),
        root("3", 0)
    );
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("twice.yml"), &document).expect("a file");
    let (paths, settings) = ([folder.path().to_owned()], crate::config::Rules::default());
    let (set, faults) = RuleSet::alone(&paths, &settings);
    assert_eq!(faults, []);
    let ids = |rules: &[crate::classify::Rule]| rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(set.rules()), set.silent().len()), (vec!["twice".to_owned()], 0));
    let results = test_rules(&set);
    assert!(results.len() == 2 && results.iter().all(|result| result.verdict == Verdict::Passed), "{results:?}");
    assert_eq!(RuleSet::unproven_alone(&paths, &settings), [], "the built-in rule is proven elsewhere");
    // It does what it does beside all others.
    let (all, faults) = RuleSet::load(&crate::config::Rules { folders: vec![folder.path().to_owned()], ..settings.clone() });
    assert_eq!(faults, []);
    assert!(test_rules(&all).iter().filter(|result| result.rule == "twice").all(|result| result.verdict == Verdict::Passed));

    std::fs::write(folder.path().join("own.yml"), base("root-console-login", "X")).expect("a file");
    let (set, faults) = RuleSet::alone(&paths, &settings);
    assert_eq!((ids(set.rules()), faults), (vec!["twice".to_owned(), "root-console-login".to_owned()], Vec::new()));
    let failed = test_rules(&set).into_iter().filter(|result| result.verdict == Verdict::ShouldMatch).count();
    assert_eq!(failed, 1, "the company's rule of this name is the one that is meant");
}
