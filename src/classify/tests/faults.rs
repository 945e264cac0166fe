//! What is refused, with which words, and what goes on beside it.

use super::*;

const GOOD: &str = "title: Good\nname: good\nlogsource: {product: aws, service: cloudtrail}\nlevel: high\n\
                    detection:\n  s: {eventName: X}\n  condition: s\n";

#[test]
fn every_fault_names_line_finding_and_what_is_allowed() {
    let detection = |selection: &str| rule_text("r", &format!("  s: {{{selection}}}\n  condition: s\n"));
    for (text, line, want) in [
        ("a: [1".to_owned(), 1, "not YAML: "),
        (String::new(), 0, "no rule in the file"),
        ("- a\n".to_owned(), 1, "a list where a rule is needed"),
        (GOOD.replace("title: Good\n", ""), 1, "title is missing"),
        (GOOD.replace("name: good\n", ""), 1, "neither name nor id"),
        (GOOD.replace("name: good", "name: not a name"), 2, "name is \"not a name\"; allowed: at most 128 letters"),
        (GOOD.replace("name: good", "id: 12"), 2, "id is 12; a text is needed"),
        (GOOD.replace("name: good", "id: 12-34"), 2, "id is \"12-34\"; a UUID is needed"),
        (GOOD.replace("level: high", "level: severe"), 4, "level is \"severe\"; allowed: informational, low, medium, high"),
        (GOOD.replace("level: high\n", ""), 1, "level is missing"),
        (GOOD.replace("cloudtrail", "route53"), 3, "logsource.service is \"route53\"; allowed: cloudtrail"),
        (GOOD.replace("{eventName: X}", "{eventName|conatins: X}"), 6, "unknown modifier \"conatins\"; allowed: contains,"),
        (GOOD.replace("condition: s", "condition: s and t"), 7, "selection \"t\" does not exist; defined: s"),
        (GOOD.replace("  condition: s\n", ""), 6, "detection.condition is missing"),
        (GOOD.replace("  condition: s", "  timeframe: 5m\n  condition: s"), 7, "timeframe"),
        (format!("{GOOD}tags: [attack.t9999]\n"), 8, "tag \"attack.t9999\": no such ATT&CK id"),
        (format!("{GOOD}cspm:\n  pilar: CIEM\n"), 9, "cspm.pilar is unknown; allowed: titleJa, pillar, score"),
        (format!("{GOOD}cspm:\n  pillar: ABC\n"), 9, "cspm.pillar is \"ABC\"; allowed: CSPM, CIEM, CWPP, DSPM, IaC"),
        (format!("{GOOD}cspm:\n  score: 101\n"), 9, "cspm.score is 101; allowed: 0 to 100"),
        (format!("{GOOD}cspm:\n  notify: yes\n"), 9, "cspm.notify is \"yes\"; allowed: true, false"),
        (format!("{GOOD}cspm:\n  runbook: here\n"), 9, "cspm.runbook is \"here\"; an https:// address"),
        (format!("{GOOD}cspm:\n  frameworks: [\"CIS|1:2\"]\n"), 9, "cspm.frameworks: \"CIS|1:2\""),
        (format!("{GOOD}cspm:\n  samples:\n    matches: []\n"), 10, "cspm.samples.matches is unknown"),
        (format!("{GOOD}cspm:\n  samples:\n    match: [{{name: x}}]\n"), 10, "name and record are needed"),
        (detection("a|re: '(?=x)'"), 6, "regular expression \"(?=x)\": look-around"),
        (detection("a|cidr: 10.0.0.0/40"), 6, "\"10.0.0.0/40\" is no network"),
        (detection("a|exists: maybe"), 6, "exists: \"maybe\"; allowed: true, false"),
        (detection("a|lt: many"), 6, "\"many\" is no number"),
        (detection("a|contains|startswith: x"), 6, "two of contains, startswith, endswith"),
        (detection("a|wide|utf16be|base64: x"), 6, "two of utf16le, wide, utf16be, utf16; one is allowed"),
        (detection("a|base64|base64offset: x"), 6, "two of base64, base64offset; one is allowed"),
        (detection("a|base64offset: xyz"), 6, "base64offset without contains"),
        (detection("a|base64offset|contains: x"), 6, "too short for base64offset"),
        (detection("a|base64: 'x*'"), 6, "base64 and UTF-16 need a plain text"),
        (detection("a|utf16: x"), 6, "in UTF-16 is no text that JSON can hold"),
        (detection("a|hour|minute: 3"), 6, "two of minute, hour, day"),
        (detection("a|hour: late"), 6, "\"late\" is no number"),
        (detection("a|hour|re: x"), 6, "with a part of a date go lt"),
        (detection("a|windash|cidr: 10.0.0.0/8"), 6, "do not go together"),
        (detection("a|exists|neq: true"), 6, "write exists: false"),
        (GOOD.replace("condition: s", "condition: s | count() by a > 5"), 7, "an aggregation after"),
        (GOOD.replace("name: good", "name: good\naction: copy"), 3, "action is copy; allowed: global, reset, repeat"),
        (GOOD.replace("detection:", "filter:\n  rules: [x]").replace("eventName: X", "eventName|x: X"), 7, "filter.s: field"),
        (detection("a|i: x"), 6, "\"i\" stands only behind re"),
        (detection("a|re|cidr: x"), 6, "two of re, cidr"),
        (detection("a|re|contains: x"), 6, "do not go together"),
        (detection("a|contains: null"), 6, "null with a modifier"),
        (detection("a: []"), 6, "an empty list of values"),
        (detection("a: {b: c}"), 6, "a map as a value"),
        (detection("a..b: c"), 6, "a part of the path is empty"),
        (detection("a|expand: '%Hosts%'"), 6, "placeholder %Hosts% has no values"),
        (detection(""), 6, "an empty map"),
    ] {
        let (rules, faults) = read_file("r.yml", &text, false, &Placeholders::new());
        assert!(rules.is_empty(), "{text}");
        let found: Vec<_> = faults.iter().map(|fault| (fault.line, fault.to_string())).collect();
        assert!(found.iter().any(|(at, problem)| *at == line && problem.contains(want)), "{want} at {line}: {found:?}");
        assert!(found.iter().all(|(_, problem)| problem.starts_with("r.yml:")), "{found:?}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_and_its_other_rules_stay() {
    let bad = GOOD.replace("good", "bad").replace("high", "severe").replace("{eventName: X}", "{eventName|x: X}");
    let (rules, faults) = read_file("r.yml", &format!("{bad}---\n{GOOD}"), false, &Placeholders::new());
    assert_eq!(rules.iter().map(|read| (read.rule.id.as_str(), read.rule.line)).collect::<Vec<_>>(), [("good", 9)]);
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [4, 6]);
}

#[test]
fn folders_are_read_below_and_no_file_stops_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("deep")).expect("a folder");
    std::fs::write(path("a.yml"), GOOD).expect("a file");
    std::fs::write(path("b.yaml"), "title: [").expect("a file");
    std::fs::write(path("c.txt"), "no rule").expect("a file");
    std::fs::write(path("d.yml"), [0xFF, 0xFE]).expect("a file");
    std::fs::write(path("deep/e.yml"), GOOD.replace("good", "deep")).expect("a file");
    std::fs::write(path("deep/f.yml"), GOOD).expect("a file");
    let settings = crate::config::Rules {
        folders: vec![folder.path().to_owned(), path("missing")],
        disable: vec!["deep".to_owned(), "unheard-of".to_owned()],
        ..crate::config::Rules::default()
    };
    let (set, faults) = RuleSet::load(&settings);
    let own: Vec<_> = set.rules().iter().filter(|rule| !rule.builtin).map(|rule| rule.id.as_str()).collect();
    assert_eq!(own, ["good"]);
    let found: Vec<_> = faults.iter().map(|fault| fault.to_string().replace(&path("").display().to_string(), "")).collect();
    for (found, want) in found.iter().zip([
        "b.yaml:1: not YAML",
        "d.yml: reading the file",
        "deep/f.yml:1: \"good\" is the id or name of another rule",
        "missing: reading the folder",
        "rules.disable: \"unheard-of\" is no rule's id or name",
    ]) {
        assert!(found.starts_with(want), "{found}, not {want}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn a_rule_carries_what_its_events_say() {
    let text = format!(
        "{GOOD}id: 0b1f0c0e-1111-4222-8333-444455556666\ndescription: |\n  What.\ntags: [attack.t1078.004, attack.defense_evasion, cve.2024-1]\n\
         cspm:\n  pillar: ciem\n  frameworks: [\"CIS-AWS-5.0:4.3\", \"PCI-DSS-4.0:1.2\"]\n  remediation: Do it.\n"
    );
    let (rules, faults) = read_file("r.yml", &text, true, &Placeholders::new());
    assert_eq!(faults, []);
    let rule = &rules.first().expect("a rule").rule;
    assert_eq!((rule.id.as_str(), rule.sigma_id.as_deref()), ("good", Some("0b1f0c0e-1111-4222-8333-444455556666")));
    assert_eq!((rule.score, rule.notify, rule.pillar), (75, true, Pillar::Ciem));
    assert_eq!((rule.tactics.first(), rule.techniques.joined()), (Some("defense-evasion"), Some("|T1078.004|")));
    assert_eq!(rule.frameworks.joined(), Some("|CIS-AWS-5.0:4.3|PCI-DSS-4.0:1.2|"));
    assert_eq!(rule.description, "What.");

    let (rules, _) = read_file("r.yml", &GOOD.replace("high", "low"), false, &Placeholders::new());
    let rule = &rules.first().expect("a rule").rule;
    assert_eq!((rule.notify, rule.score, rule.tactics.first(), rule.tactics.joined()), (false, 20, None, None));
}

#[test]
fn samples_pass_fail_or_are_missing() {
    let text = format!(
        "{GOOD}cspm:\n  samples:\n    match:\n      - {{name: yes, record: {{eventName: X}}}}\n      - {{name: wrong, record: {{eventName: Y}}}}\n      - {{name: odd, record: {{eventTime: never}}}}\n"
    );
    let (rules, faults) = read_file("r.yml", &text, true, &Placeholders::new());
    assert_eq!(faults, []);
    let (set, _) = RuleSet::new(load::Loaded { faults, ..load::Loaded::of(rules) });
    let results: Vec<_> = test_rules(&set).into_iter().map(|result| (result.line, result.is_failure(), result.verdict)).collect();
    assert_eq!(results.len(), 4);
    assert_eq!(results[0], (11, false, Verdict::Passed));
    assert_eq!(results[1], (12, true, Verdict::ShouldMatch));
    assert!(matches!(&results[2], (13, true, Verdict::Unreadable(why)) if why.contains("never")), "{results:?}");
    assert_eq!(results[3], (1, true, Verdict::Missing { kind: "noMatch", required: true }));
}
