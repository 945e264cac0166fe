//! Which files are read, how far, and what is told of each place.

use super::*;

const BOUNDS: Bounds = Bounds { inflated: 1 << 20, record: 1 << 12 };

/// What is told of a file: its tools, then its results, then what ended it.
fn told(input: &[u8]) -> Vec<String> {
    let survey = match survey(input, BOUNDS) {
        Ok(survey) => survey,
        Err(error) => return vec![format!("error: {error}")],
    };
    let mut found: Vec<String> = survey.runs.iter().map(|run| run.tool().to_owned()).collect();
    let mut hear = |told: Told<'_>| {
        let what = match told.content {
            Content::Whole(raw) => String::from_utf8_lossy(raw).into_owned(),
            other => format!("{other:?}"),
        };
        found.push(format!("{}.{} {what}", told.run, told.index));
        true
    };
    let read = results(input, BOUNDS, &survey, &mut hear);
    found.extend(read.err().map(|fault| format!("fault: {fault}")));
    found
}

/// S1-20: whatever order the file has, its results come with what the run says.
#[test]
fn results_are_told_in_any_order_of_the_file() {
    let tool = r#""tool":{"driver":{"name":"T"}}"#;
    let results = r#""results":[{"ruleId":"A"},{"ruleId":"B"}]"#;
    let want = ["T", r#"0.0 {"ruleId":"A"}"#, r#"0.1 {"ruleId":"B"}"#];
    for file in [
        format!(r#"{{"version":"2.1.0","runs":[{{{tool},{results}}}]}}"#),
        format!(r#"{{"runs":[{{{results},{tool}}}],"version":"2.1.0"}}"#),
        format!(
            "\u{feff}{{\"version\":\"2.1.0\",\"x\":{{\"runs\":[1]}},\"runs\":[{{\"artifacts\":[[],{{}}],{results},{tool}}}]}}\n"
        ),
    ] {
        assert_eq!(told(file.as_bytes()), want, "{file}");
    }
    let packed = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(format!(r#"{{"version":"2.1.0","runs":[{{{tool},{results}}}]}}"#).as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    assert_eq!(told(&packed), want, "packed");
}

#[test]
fn what_is_no_sarif_is_told_before_anything_is_sent() {
    let utf16: Vec<u8> = "\u{feff}{\"version\":\"2.1.0\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, input, want) in [
        ("nothing", b"".as_slice(), "error: not SARIF 2.1.0: it is empty"),
        ("blanks", b" \n", "error: not SARIF 2.1.0: it is empty"),
        ("text", b"Passed checks: 3", "error: not SARIF 2.1.0: not a JSON object"),
        ("a list", b"[{}]", "error: not SARIF 2.1.0: a JSON list; an object with \"version\" and \"runs\" is needed"),
        ("another document", br#"{"Records":[]}"#, "error: not SARIF 2.1.0: a JSON object without a list \"runs\""),
        ("no version", br#"{"runs":[{"results":[{"ruleId":"A"}]}]}"#, "error: not SARIF 2.1.0: it has no \"version\""),
        (
            "version 1",
            br#"{"version":"1.0.0","runs":[{"results":[{"ruleId":"A"}]}]}"#,
            "error: not SARIF 2.1.0: version \"1.0.0\"; convert it, or ask the scanner for 2.1.0",
        ),
        (
            "version 2.0, behind the runs",
            br#"{"runs":[{"results":[{"ruleId":"A"}]}],"version":"2.0.0"}"#,
            "error: not SARIF 2.1.0: version \"2.0.0\"; convert it, or ask the scanner for 2.1.0",
        ),
        ("runs of another kind", br#"{"version":"2.1.0","runs":{}}"#, "error: not SARIF 2.1.0: \"runs\" is no list"),
        (
            "cut before the runs",
            br#"{"version":"2.1.0","#,
            "error: truncated or corrupt: ends at byte 19, in the middle of the document",
        ),
        (
            "UTF-16",
            &utf16,
            "error: not SARIF 2.1.0: it is UTF-16, and JSON is exchanged as UTF-8; in PowerShell write it with Out-File -Encoding utf8",
        ),
        (
            "UTF-16 without a mark",
            b"{\0\"\0",
            "error: not SARIF 2.1.0: it is UTF-16, and JSON is exchanged as UTF-8; in PowerShell write it with Out-File -Encoding utf8",
        ),
    ] {
        assert_eq!(told(input), [want], "{name}");
    }
}

#[test]
fn a_broken_place_costs_itself_and_a_cut_file_its_end() {
    let head = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":["#;
    let good = r#"{"ruleId":"A"}"#;
    let long = format!(r#"{{"ruleId":"{}"}}"#, "x".repeat(BOUNDS.record));
    let (first, second) = (format!("0.0 {good}"), format!("0.1 {good}"));
    for (name, file, want) in [
        ("nothing in it", format!("{head}]}}]}}"), vec!["T"]),
        ("too long", format!("{head}{long},{good}]}}]}}"), vec!["T", "0.0 TooLong", &second]),
        ("no object", format!("{head}7,{good}]}}]}}"), vec!["T", "0.0 7", &second]),
        ("brackets that do not fit", format!(r#"{head}{{"a":[1}}],{good}]}}]}}"#), vec!["T", r#"0.0 {"a":[1}]"#, &second]),
        (
            "no list",
            r#"{"version":"2.1.0","runs":[{"results":{"a":1}},7]}"#.to_owned(),
            vec!["unknown", "unknown", "0.0 NoList", "1.0 NoRun"],
        ),
        ("a scan that did not take place", r#"{"version":"2.1.0","runs":[{"results":null}]}"#.to_owned(), vec!["unknown"]),
        (
            "cut in a result",
            format!("{head}{good},{{\"ruleId\""),
            vec!["T", &first, "fault: truncated or corrupt: ends at byte 94, in the middle of the document"],
        ),
        (
            "no comma",
            format!("{head}{good} {good}]}}]}}"),
            vec!["T", &first, "fault: truncated or corrupt: byte 85 is \"{\"; a comma or ] must be there"],
        ),
        (
            "more behind it",
            format!("{head}{good}]}}]}}{{}}"),
            vec!["T", &first, "fault: truncated or corrupt: byte 88 is \"{\"; the end of the document must be there"],
        ),
    ] {
        assert_eq!(told(file.as_bytes()), want, "{name}");
    }
}

#[test]
fn a_file_that_changed_between_the_readings_is_no_good_file() {
    let survey = survey(br#"{"version":"2.1.0","runs":[]}"#.as_slice(), BOUNDS).expect("a survey");
    let fault = results(br#"{"version":"2.1.0","runs":[{"results":[]}]}"#.as_slice(), BOUNDS, &survey, &mut |_| true);
    assert_eq!(fault.expect_err("changed").to_string(), "truncated or corrupt: it changed while it was read");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = format!(r#"{{"version":"2.1.0","runs":[{{"x":"{}"}}]}}"#, "x".repeat(2 << 20));
    let found = told(bomb.as_bytes());
    assert_eq!(found, ["unknown", "fault: unpacks to more than 1048576 bytes"]);
}

/// A file of so many runs, whose tools have these extensions and rules, and that name these folders; each run has a result.
fn runs(count: usize, extensions: &str, rules: &str, bases: &str) -> Survey {
    let run = format!(
        r#"{{"tool":{{"driver":{{"name":"T","rules":[{rules}]}},"extensions":[{extensions}]}},"originalUriBaseIds":{{{bases}}},"results":[{{}}]}}"#
    );
    let file = format!(r#"{{"version":"2.1.0","runs":[{}]}}"#, vec![run; count].join(","));
    survey(file.as_bytes(), Bounds { inflated: 1 << 30, record: 1 << 16 }).expect("a survey")
}

/// S1-20: what is kept beside the results is bounded for the file, over however many runs it is spread.
#[test]
fn a_bomb_of_many_runs_is_kept_no_more_of_than_of_one() {
    let rules = |count: usize, help: &str| {
        let rule = |number: usize| format!(r#"{{"id":"r{number}","help":{{"text":"{help}"}}}}"#);
        (0..count).map(rule).collect::<Vec<_>>().join(",")
    };
    let ordinary = runs(20, "{}", &rules(1_000, "Switch it on."), "");
    assert_eq!((ordinary.results, ordinary.budget.left_out()), (20, 0));
    let many = runs(60, "", &rules(1_000, ""), "");
    assert_eq!((many.results, many.budget.left_out()), (60, 10_000), "rules: what is left out costs no result");
    let long = runs(3, "", &rules(3_000, &"x".repeat(4_200)), "");
    let kept = (32 << 20) / (4_200 + 4 * size_of::<String>());
    assert_eq!((long.results, long.budget.left_out()), (3, 9_000 - kept as u64), "texts");
}

/// S1-20: what says which finding a result is cannot be left out: such a file is not read, and says why.
#[test]
fn a_bomb_of_names_is_not_read() {
    let refused = |count: usize, extensions: &str, bases: &str| {
        let run = format!(r#"{{"tool":{{"extensions":[{extensions}]}},"originalUriBaseIds":{{{bases}}},"results":[{{}}]}}"#);
        let file = format!(r#"{{"version":"2.1.0","runs":[{}]}}"#, vec![run; count].join(","));
        survey(file.as_bytes(), Bounds { inflated: 1 << 30, record: 1 << 16 })
            .map(|survey| survey.results)
            .map_err(|e| e.to_string())
    };
    let extensions = vec!["{}"; 1_000].join(",");
    assert_eq!(refused(10, &extensions, ""), Ok(10));
    let why = "truncated or corrupt: more than 10000 extensions of tools in all runs together; give fewer runs in one file";
    assert_eq!(refused(11, &extensions, ""), Err(why.to_owned()));
    let base = |number: usize| format!(r#""B{number}":{{"uri":"{}"}}"#, "x".repeat(4_200));
    let bases = (0..100).map(base).collect::<Vec<_>>().join(",");
    assert_eq!(refused(30, "", &bases), Ok(30));
    let why = "truncated or corrupt: more than 16777216 bytes of names in all runs together; give fewer runs in one file";
    assert_eq!(refused(45, "", &bases), Err(why.to_owned()));
}

#[test]
fn whoever_hears_may_stop() {
    let file = br#"{"version":"2.1.0","runs":[{"results":[1,2,3]}]}"#.as_slice();
    let survey = survey(file, BOUNDS).expect("a survey");
    assert_eq!(survey.results, 3);
    let mut heard = 0;
    let read = results(file, BOUNDS, &survey, &mut |_| {
        heard += 1;
        heard < 2
    });
    assert!(matches!(read, Err(ObjectFault::Stopped(_))));
    assert_eq!(heard, 2);
}
