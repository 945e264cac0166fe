//! Thousands of random conditions and rows: `tests/tools/streaming_oracle.py` says what must come.
//!
//! In: chance with a known start. Out: for a difference, the case and what either side says. What always holds: both sides get the
//! same rows; a difference is told with the whole case, which its name makes again.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use cspm_relay::lab::store::{Snapshot, Store};
use cspm_relay::lab::streaming::{
    Alignment, Cause, Evaluation, FlowClock, Incident, Point, Range, Reason, Settings, Settles, SignalRun, Switches, evaluate,
};
use cspm_relay::nrql::condition::{Comparison, Condition, Expiration, Fill, Kind, Method, Occurrences, Priority, Signal, Term};
use serde_json::Value as Json;

use super::support::agent::is_lean;
use super::support::{setting, skip};

/// Cases, in so many runs of the oracle at once.
const CASES: usize = 10_000;
const RUNS: usize = 2;
/// Where chance begins. `CSPM_RELAY_TEST_SEED` asks for another.
const SEED: usize = 20_260_418;

fn number(json: &Json, key: &str) -> Option<u32> {
    json[key].as_u64().and_then(|number| u32::try_from(number).ok())
}

/// A condition from `NerdGraph`'s words.
fn condition(query: &str, json: &Json) -> Condition {
    let signal = &json["signal"];
    let seconds = |key| number(signal, key).unwrap_or(0);
    let method = match signal["aggregationMethod"].as_str() {
        Some("EVENT_TIMER") => Method::EventTimer { timer_s: seconds("aggregationTimer") },
        Some("CADENCE") => Method::Cadence { delay_s: seconds("aggregationDelay") },
        _ => Method::EventFlow { delay_s: seconds("aggregationDelay") },
    };
    let fill = match signal["fillOption"].as_str() {
        Some("STATIC") => Fill::Static(signal["fillValue"].as_f64().expect("a value")),
        Some("LAST_VALUE") => Fill::LastValue,
        _ => Fill::None,
    };
    let term = |term: &Json| Term {
        priority: Priority::of_word(term["priority"].as_str().expect("a priority")).expect("a priority"),
        comparison: Comparison::of_word(term["operator"].as_str().expect("an operator")).expect("an operator"),
        threshold: term["threshold"].as_f64().expect("a threshold"),
        duration_s: number(term, "thresholdDuration").expect("a duration"),
        occurrences: Occurrences::of_word(term["thresholdOccurrences"].as_str().expect("occurrences")).expect("occurrences"),
    };
    let flag = |json: &Json, key: &str| json[key].as_bool().unwrap_or(false);
    let expiration = json["expiration"].as_object().map(|_| Expiration {
        after_s: number(&json["expiration"], "expirationDuration").expect("a duration"),
        opens: flag(&json["expiration"], "openViolationOnExpiration"),
        closes: flag(&json["expiration"], "closeViolationsOnExpiration"),
        ignores_expected: flag(&json["expiration"], "ignoreOnExpectedTermination"),
    });
    Condition {
        name: "case".to_owned(),
        query: query.to_owned(),
        kind: Kind::Static,
        signal: Signal {
            window_s: seconds("aggregationWindow"),
            slide_s: number(signal, "slideBy"),
            method,
            fill,
            evaluation_delay_s: seconds("evaluationDelay"),
        },
        terms: json["terms"].as_array().expect("terms").iter().map(term).collect(),
        expiration,
        time_limit_s: number(json, "violationTimeLimitSeconds").unwrap_or(259_200),
    }
}

fn rows(case: &Json) -> Snapshot {
    let store = Store::in_memory();
    store.append("T", |pen| {
        for row in case["rows"].as_array().expect("rows") {
            pen.begin(row[1].as_i64().expect("a time"), row[2].as_i64().expect("an arrival"));
            if let Some(facet) = row[0].as_str() {
                pen.text("who", facet);
            }
            if let Some(value) = row[3].as_f64() {
                pen.number("value", value);
            }
            pen.number("pass", row[4].as_f64().expect("a number"));
            if row[5].as_u64() == Some(1) {
                pen.text("termination", "expected");
            }
        }
    });
    store.snapshot()
}

fn evaluated(case: &Json) -> Evaluation {
    let condition = condition(case["query"].as_str().expect("a query"), &case["condition"]);
    let range = &case["range"];
    let range = Range { begin_ms: range[0].as_i64().expect("a time"), end_ms: range[1].as_i64().expect("a time") };
    let switches = Switches {
        alignment: if case["alignment"] == "CREATION" { Alignment::Creation } else { Alignment::Epoch },
        flow_clock: if case["clock"] == "CONDITION" { FlowClock::Condition } else { FlowClock::Signal },
        ..Switches::default()
    };
    let settles = match case["settles"].as_str() {
        Some("NO") => Settles::No,
        Some("SURE") => Settles::Sure,
        Some("ALL") => Settles::All,
        other => panic!("settles: {other:?}"),
    };
    let settings = Settings { switches, settles, ..Settings::default() };
    evaluate(&[rows(case)], &condition, range, &settings).unwrap_or_else(|error| panic!("{case}: {error}"))
}

fn point(point: &Point) -> String {
    let value = point.value.map_or("-".to_owned(), |value| format!("{value:.6}"));
    format!(
        "{}..{} closed {} {value}{}",
        point.begin_ms,
        point.end_ms,
        point.closed_ms,
        if point.filled { " filled" } else { "" }
    )
}

fn incident(incident: &Incident) -> String {
    let cause = if incident.cause == Cause::Threshold { "THRESHOLD" } else { "SIGNAL_LOST" };
    let closed = incident.closed.map_or("open".to_owned(), |closed| {
        let reason = match closed.reason {
            Reason::Recovered => "RECOVERED",
            Reason::TimeLimit => "TIME_LIMIT",
            Reason::SignalLost => "SIGNAL_LOST",
            Reason::DataReturned => "RETURNED",
        };
        format!("{} {} {reason}", closed.at_ms, closed.known_ms)
    });
    format!("{} {cause} {} {closed}", incident.priority.word(), incident.opened_ms)
}

fn shown(evaluation: &Evaluation) -> String {
    let mut text = format!("late {}\n", evaluation.late);
    for SignalRun { facets, points, incidents } in &evaluation.signals {
        let facet = facets.iter().map(|(_, value)| value.as_text().unwrap_or("?")).collect::<Vec<_>>().join(",");
        let lines = points.iter().map(point).chain(incidents.iter().map(incident));
        for line in std::iter::once(format!("signal {facet}")).chain(lines) {
            writeln!(text, "{line}").expect("a text grows");
        }
    }
    text
}

fn expected(case: &Json) -> String {
    let mut text = format!("late {}\n", case["expect"]["late"]);
    for signal in case["expect"]["signals"].as_array().expect("signals") {
        writeln!(text, "signal {}", signal["facet"].as_str().unwrap_or("")).expect("a text grows");
        for point in signal["points"].as_array().expect("points") {
            let value = point[3].as_f64().map_or("-".to_owned(), |value| format!("{value:.6}"));
            let filled = if point[4] == true { " filled" } else { "" };
            writeln!(text, "{}..{} closed {} {value}{filled}", point[0], point[1], point[2]).expect("a text grows");
        }
        for incident in signal["incidents"].as_array().expect("incidents") {
            let word = |at: usize| incident[at].as_str().unwrap_or("?").to_owned();
            let closed = match incident[3].as_i64() {
                Some(at) => format!("{at} {} {}", incident[4], word(5)),
                None => "open".to_owned(),
            };
            writeln!(text, "{} {} {} {closed}", word(0), word(1), incident[2]).expect("a text grows");
        }
    }
    text
}

#[test]
fn what_an_oracle_says_of_thousands_of_conditions_is_what_comes() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let has = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        skip("python3 is not there");
        return;
    }
    let seed = setting("CSPM_RELAY_TEST_SEED").map_or(SEED, |seed| seed.parse().expect("a whole number"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/streaming_oracle.py");
    let run = |number: usize| {
        let (cases, seed) = ((CASES / RUNS).to_string(), (seed + number).to_string());
        let mut command = Command::new("python3");
        command.args(["-B", script, "--cases", &cases, "--seed", &seed]).stdout(Stdio::piped()).spawn().expect("python3 runs")
    };
    let running: Vec<_> = (0..RUNS).map(run).collect();
    let (mut seen, mut incidents, mut late) = (0, 0, 0);
    for run in running {
        let ended = run.wait_with_output().expect("python3 ends");
        assert!(ended.status.success(), "the oracle failed");
        for line in String::from_utf8(ended.stdout).expect("UTF-8").lines() {
            let case: Json = serde_json::from_str(line).expect("JSON");
            let evaluation = evaluated(&case);
            assert_eq!(shown(&evaluation), expected(&case), "case {}\n{line}", case["name"]);
            (seen, incidents, late) = (seen + 1, incidents + evaluation.incidents().count(), late + evaluation.late);
        }
    }
    assert_eq!(seen, CASES);
    assert!(incidents > CASES && late > 0, "chance makes too little: {incidents} incidents, {late} late rows");
}
