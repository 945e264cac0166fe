//! Cases worked by hand: `tests/streaming/*.test`, each naming the row of the documentation that it proves.
//!
//! What always holds: a case says all points and incidents that come, or `points any`; every row of the lists below has a case.
//! The format is told in `tests/streaming/README.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::super::{
    Alignment, Cause, Evaluation, FlowClock, Range, Reason, Settings, Settles, SignalRun, Switches, evaluate, resets,
};
use super::condition;
use crate::lab::store;
use crate::lab::store::Store;
use crate::nrql::condition::{
    Comparison, Condition, Direction, Expiration, Fill, Kind, Method, Occurrences, Priority, Seasonality, Term,
};

/// What New Relic's pages say of streaming, as the notes of this project number it: `nr` the rules of evaluation, `place` and the
/// others when a window is closed, `value` how values become incidents, `query` what a condition's query may hold. `nr.9` says how
/// health is shown and nothing of incidents.
const ROWS: &[&str] = &[
    "nr.1",
    "nr.2",
    "nr.3",
    "nr.4",
    "nr.5",
    "nr.6",
    "nr.7",
    "nr.8",
    "place",
    "flow",
    "timer",
    "cadence",
    "sliding",
    "alignment",
    "value.1",
    "value.2",
    "value.3",
    "value.4",
    "value.5",
    "value.6",
    "value.7",
    "value.baseline",
    "query.select",
    "query.from",
    "query.where",
    "query.facet",
    "query.since",
    "query.refused",
    "query.nested",
    "query.timezone",
];

#[derive(Debug, Default, Clone)]
struct Case {
    name: String,
    lines: Vec<(usize, String)>,
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streaming");
    let mut files: Vec<(String, String)> = std::fs::read_dir(&folder)
        .expect("tests/streaming")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .map(|path| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("UTF-8"))
        })
        .collect();
    files.sort();
    files
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_prefix("case ") {
            Some(name) => cases.push(Case { name: name.to_owned(), lines: Vec::new() }),
            None => cases.last_mut().expect("a case first").lines.push((number, line.to_owned())),
        }
    }
    cases
}

/// A case, read.
struct Read {
    condition: Condition,
    edits: Vec<(Condition, bool)>,
    range: Range,
    settings: Settings,
    store: Store,
    expected: Vec<String>,
    any_points: bool,
    refused: Option<String>,
    proves: Vec<String>,
}

fn seconds(word: &str) -> i64 {
    word.parse::<i64>().unwrap_or_else(|_| panic!("seconds: {word}")) * 1_000
}

fn whole(word: &str) -> u32 {
    word.parse().unwrap_or_else(|_| panic!("a whole number: {word}"))
}

fn term(words: &[&str]) -> Term {
    let [priority, operator, threshold, "for", duration, occurrences] = words else { panic!("a term: {words:?}") };
    Term {
        priority: Priority::of_word(priority).expect("a priority"),
        comparison: Comparison::of_word(operator).expect("an operator"),
        threshold: threshold.parse().expect("a number"),
        duration_s: whole(duration),
        occurrences: Occurrences::of_word(occurrences).expect("occurrences"),
    }
}

/// Applies a line that sets something of a condition; false if it does not.
fn set(condition: &mut Condition, words: &[&str]) -> bool {
    let signal = &mut condition.signal;
    match words {
        ["query", query @ ..] => condition.query = query.join(" "),
        ["window", seconds] => signal.window_s = whole(seconds),
        ["slide", seconds] => signal.slide_s = Some(whole(seconds)),
        ["flow", seconds] => signal.method = Method::EventFlow { delay_s: whole(seconds) },
        ["timer", seconds] => signal.method = Method::EventTimer { timer_s: whole(seconds) },
        ["cadence", seconds] => signal.method = Method::Cadence { delay_s: whole(seconds) },
        ["fill", "static", value] => signal.fill = Fill::Static(value.parse().expect("a number")),
        ["fill", "last"] => signal.fill = Fill::LastValue,
        ["evaluation-delay", seconds] => signal.evaluation_delay_s = whole(seconds),
        ["term", words @ ..] => condition.terms.push(term(words)),
        ["limit", seconds] => condition.time_limit_s = whole(seconds),
        ["baseline", direction, season] => {
            let direction = Direction::of_word(direction).expect("a direction");
            condition.kind = Kind::Baseline(direction, Seasonality::of_word(season).expect("a season"));
        }
        ["lost", "after", seconds, flags @ ..] => {
            condition.expiration = Some(Expiration {
                after_s: whole(seconds),
                opens: flags.contains(&"opens"),
                closes: flags.contains(&"closes"),
                ignores_expected: flags.contains(&"ignores-expected"),
            });
        }
        _ => return false,
    }
    true
}

fn switch(switches: &mut Switches, words: &[&str]) {
    match words {
        ["flow-clock", "condition"] => switches.flow_clock = FlowClock::Condition,
        ["alignment", "creation"] => switches.alignment = Alignment::Creation,
        ["gap-restarts-recovery", "no"] => switches.gap_restarts_recovery = false,
        ["late-rows-keep-alive", "no"] => switches.late_rows_keep_alive = false,
        _ => panic!("a switch: {words:?}"),
    }
}

/// Writes a row, `t=… arrive=… name=value …`, moved by `by_ms`.
fn row(store: &Store, words: &[&str], by_ms: i64) {
    let fields: Vec<(&str, &str)> = words.iter().map(|word| word.split_once('=').expect("name=value")).collect();
    let of = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let at = seconds(of("t").expect("t=")) + by_ms;
    let arrival = of("arrive").map_or(at, |word| seconds(word) + by_ms);
    store.append(of("type").unwrap_or("T"), |pen| {
        pen.begin(at, arrival);
        if let Some(metric) = of("metric") {
            let value = of("count").expect("count=").parse().expect("a number");
            pen.metric(metric, store::Point::Count(value));
        }
        for (name, value) in &fields {
            if ["t", "arrive", "type", "metric", "count", "from", "to", "every"].contains(name) {
                continue;
            }
            match value.parse() {
                Ok(number) => pen.number(name, number),
                Err(_) => pen.text(name, value),
            }
        }
    });
}

/// `rows from=… to=… every=… …`: a row at each of these times.
fn many(store: &Store, words: &[&str]) {
    let of = |name: &str| {
        let value = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        seconds(value.unwrap_or_else(|| panic!("{name}=")))
    };
    let words: Vec<&str> = words.iter().copied().chain(["t=0"]).collect();
    let mut at = of("from");
    while at < of("to") {
        row(store, &words, at);
        at += of("every");
    }
}

fn read(case: &Case) -> Read {
    let mut condition = condition("");
    condition.name.clone_from(&case.name);
    let mut read = Read {
        condition,
        edits: Vec::new(),
        range: Range { begin_ms: 0, end_ms: 0 },
        settings: Settings::default(),
        store: Store::in_memory(),
        expected: Vec::new(),
        any_points: false,
        refused: None,
        proves: Vec::new(),
    };
    let mut edits = Vec::new();
    for (number, line) in &case.lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match &*words {
            ["proves", ids @ ..] => read.proves.extend(ids.iter().map(ToString::to_string)),
            ["range", begin, end] => read.range = Range { begin_ms: seconds(begin), end_ms: seconds(end) },
            ["settles"] => read.settings.settles = Settles::All,
            ["switch", words @ ..] => switch(&mut read.settings.switches, words),
            ["row", fields @ ..] => row(&read.store, fields, 0),
            ["rows", fields @ ..] => many(&read.store, fields),
            ["points", "any"] => read.any_points = true,
            ["point" | "incident" | "late" | "unclosed" | "note", ..] => read.expected.push(words.join(" ")),
            ["refused", words @ ..] => read.refused = Some(words.join(" ")),
            ["edit", how @ ("resets" | "keeps"), words @ ..] => edits.push((words.to_vec(), *how == "resets")),
            words => assert!(set(&mut read.condition, words), "line {number}: not understood: {line}"),
        }
    }
    let condition = &mut read.condition;
    if condition.query.is_empty() {
        let faceted = case.lines.iter().any(|(_, line)| line.starts_with("row") && line.contains(" who="));
        condition.query = format!("SELECT sum(value) FROM T{}", if faceted { " FACET who" } else { "" });
    }
    if condition.terms.is_empty() {
        let duration = condition.signal.window_s.to_string();
        let duration = if condition.signal.window_s < 60 { "60" } else { &duration };
        condition.terms.push(term(&["CRITICAL", "ABOVE", "1000", "for", duration, "ALL"]));
    }
    for (words, does_reset) in edits {
        let mut edited = read.condition.clone();
        if words[0] == "term" {
            edited.terms.clear();
        }
        assert!(set(&mut edited, &words), "not understood: {words:?}");
        read.edits.push((edited, does_reset));
    }
    read
}

fn shown(evaluation: &Evaluation, case: &Read) -> Vec<String> {
    let mut lines = Vec::new();
    for SignalRun { facets, points, incidents } in &evaluation.signals {
        let facet: Vec<&str> = facets.iter().map(|(_, value)| value.as_text().unwrap_or("?")).collect();
        let facet = if facet.is_empty() { "-".to_owned() } else { facet.join("/") };
        for point in points.iter().filter(|_| !case.any_points) {
            let value = point.value.map_or("gap".to_owned(), |value| value.to_string());
            let (begin, end, closed) = (point.begin_ms / 1_000, point.end_ms / 1_000, point.closed_ms / 1_000);
            lines.push(format!("point {facet} {begin}-{end} @{closed} {value}{}", if point.filled { " filled" } else { "" }));
        }
        for incident in incidents {
            let cause = if incident.cause == Cause::Threshold { "threshold" } else { "lost" };
            let mut line = format!("incident {facet} {} {cause} {}", incident.priority.word(), incident.opened_ms / 1_000);
            match incident.closed {
                None => line.push_str(" open"),
                Some(closed) => {
                    let reason = match closed.reason {
                        Reason::Recovered => "recovered",
                        Reason::TimeLimit => "limit",
                        Reason::SignalLost => "lost",
                        Reason::DataReturned => "returned",
                    };
                    write!(line, "..{} @{} {reason}", closed.at_ms / 1_000, closed.known_ms / 1_000).expect("a text grows");
                }
            }
            lines.push(line);
        }
    }
    if evaluation.late > 0 {
        lines.push(format!("late {}", evaluation.late));
    }
    // Most cases end with an open window, and few have a note: told where a case asks.
    let asks = |word: &str| case.expected.iter().any(|line| line.starts_with(word));
    if asks("unclosed ") {
        lines.push(format!("unclosed {}", evaluation.unclosed));
    }
    if asks("note ") {
        lines.extend(evaluation.notes.iter().map(|note| format!("note {note}")));
    }
    lines
}

#[test]
fn every_case_worked_by_hand_comes_out_and_every_row_has_one() {
    let (mut proven, mut count, mut faults) = (BTreeSet::new(), 0, Vec::new());
    for (file, text) in files() {
        for case in cases(&text) {
            let read = read(&case);
            let place = format!("{file}: {}", case.name);
            assert!(!read.proves.is_empty(), "{place}: proves nothing");
            for id in &read.proves {
                assert!(ROWS.contains(&&**id), "{place}: proves {id}, of which there is no row");
            }
            proven.extend(read.proves.iter().cloned());
            count += 1;
            for (edited, does_reset) in &read.edits {
                let resets = resets(&read.condition, edited);
                assert_eq!(!resets.is_empty(), *does_reset, "{place}: {resets:?}");
            }
            if read.range.end_ms == 0 {
                assert!(!read.edits.is_empty(), "{place}: no range");
                continue;
            }
            let result = evaluate(&[read.store.snapshot()], &read.condition, read.range, &read.settings);
            match (&read.refused, result) {
                (Some(words), Err(error)) if error.to_string().contains(words) => {}
                (Some(words), other) => faults.push(format!("{place}: not refused with '{words}': {other:?}")),
                (None, Err(error)) => faults.push(format!("{place}: {error}")),
                (None, Ok(evaluation)) => {
                    let shown = shown(&evaluation, &read);
                    if shown != read.expected {
                        faults.push(format!(
                            "{place}\n  came:\n    {}\n  expected:\n    {}",
                            shown.join("\n    "),
                            read.expected.join("\n    ")
                        ));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    let missing: Vec<&&str> = ROWS.iter().filter(|row| !proven.contains(**row)).collect();
    assert!(missing.is_empty(), "no case proves {missing:?}");
    assert!(count >= 80, "{count} cases");
}
