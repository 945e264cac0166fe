//! What the linter tells of windows and buckets without a clock, beside what the engine counts at many moments.

use super::*;
use crate::nrql::ast::Statement;
use crate::nrql::lint::{Names, Purpose, report};

/// Moments of every kind that moves.
const MOMENTS: [&str; 22] = [
    "now",
    "90 minutes ago",
    "1 day ago",
    "9 days ago",
    "this hour",
    "last hour",
    "today",
    "yesterday",
    "last day",
    "today AT '10:00'",
    "today AT '23:30'",
    "yesterday AT '10:00'",
    "yesterday AT '12:00'",
    "monday",
    "tuesday",
    "tuesday AT '08:00'",
    "sunday",
    "this week",
    "last week",
    "this month",
    "last month",
    "last quarter",
];
/// Widths of which some are too narrow, some too wide.
const WIDTHS: [&str; 5] = ["1 minute", "230 seconds", "25 minutes", "1 hour", "1 day"];
/// Without summer time, with it, and with the widest there is.
const ZONES: [&str; 3] = ["Asia/Tokyo", "America/New_York", "Antarctica/Troll"];

/// Moments of a year and a half from 2026 on, at all times of day.
fn nows() -> impl Iterator<Item = i64> {
    (0..480).map(|number| ms("2026-01-01T00:00:00Z") + number * ((27 * 60 + 41) * 60_000 + 7_003))
}

fn query(text: &str) -> Box<crate::nrql::ast::Query> {
    match crate::nrql::parse(text).unwrap() {
        Statement::Select(query) => query,
        Statement::ShowEventTypes { .. } => unreachable!("{text}"),
    }
}

/// What is told of a window and its buckets.
fn told(text: &str) -> Vec<String> {
    let of = ["empty-window", "too-many-buckets"];
    let all = report(text, &Names::default(), &Purpose::Saved).into_iter().map(|reported| reported.finding);
    all.filter(|finding| of.contains(&finding.rule)).map(|finding| finding.message).collect()
}

/// The windows at all moments.
fn windows(text: &str, zone: &str) -> Vec<(i64, i64)> {
    let (query, zone) = (query(text), super::zone(zone).unwrap());
    let at_all = nows().map(|now_ms| {
        let context = Context { zone: zone.clone(), now_ms };
        let at = |moment: Option<&Moment>, role| resolve(moment.unwrap(), &context, role).unwrap();
        (at(query.since.as_ref(), Role::Since), at(query.until.as_ref(), Role::Until))
    });
    at_all.collect()
}

#[test]
fn what_is_told_of_a_window_holds_at_every_moment() {
    let mut counts = [0, 0, 0];
    for zone in ZONES {
        let resolved: Vec<Vec<(i64, i64)>> = MOMENTS
            .iter()
            .map(|moment| windows(&format!("SELECT count(*) FROM T SINCE {moment} UNTIL {moment}"), zone))
            .collect();
        for (since, begins) in MOMENTS.iter().zip(&resolved) {
            for (until, ends) in MOMENTS.iter().zip(&resolved) {
                let all = || begins.iter().zip(ends).map(|((begin, _), (_, end))| (*begin, *end));
                for width in WIDTHS {
                    let clause = format!("TIMESERIES {width}");
                    let text = format!("SELECT count(*) FROM T SINCE {since} UNTIL {until} {clause} WITH TIMEZONE '{zone}'");
                    let series_of = query(&text).timeseries.unwrap();
                    for message in told(&text) {
                        let holds = |(begin, end): (i64, i64)| match message.as_str() {
                            "the window ends before it begins" => begin >= end,
                            "a bucket is wider than the window: there is none" => {
                                begin >= end || matches!(series(&series_of, begin, end), Err(WidthError::TooWide { .. }))
                            }
                            _ => {
                                let exact = message.split_once(" buckets;").unwrap().0;
                                let least = exact.strip_prefix("at least ").unwrap_or(exact).parse::<i64>().unwrap();
                                let found = series(&series_of, begin, end);
                                matches!(found, Err(WidthError::TooMany { buckets })
                                    if buckets == least || buckets > least && exact.starts_with("at least"))
                            }
                        };
                        let wrong = all().find(|window| !holds(*window));
                        assert_eq!(wrong, None, "{text}: {message}");
                        counts[usize::from(message.contains("buckets;")) + usize::from(message.starts_with("at least"))] += 1;
                    }
                }
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

#[test]
fn a_window_whose_ends_move_together_is_known_exactly() {
    for (clauses, buckets) in [
        ("SINCE last week UNTIL this week TIMESERIES 30 minutes", 336),
        ("SINCE yesterday AT '10:00' UNTIL yesterday AT '12:00' TIMESERIES 1 minute", 120),
        ("SINCE yesterday UNTIL today TIMESERIES 4 minutes", 360),
        ("SINCE last hour UNTIL this hour TIMESERIES 15 seconds", 240),
        ("SINCE last day UNTIL this day TIMESERIES 5 minutes", 288),
        ("SINCE '2026-11-20' UNTIL '2026-11-21' TIMESERIES 4 minutes", 360),
        ("SINCE 425 minutes ago UNTIL now TIMESERIES 1 hour SLIDE BY 1 minute", 361),
        ("SINCE 479 minutes ago UNTIL now TIMESERIES 1 hour SLIDE BY 1 minute", 361),
        ("SINCE last week UNTIL this week TIMESERIES 20 minutes", 504),
        ("SINCE monday UNTIL monday AT '12:00' TIMESERIES 1 minute", 720),
        ("SINCE '2026-11-20' UNTIL '2026-11-21' TIMESERIES 1 minute", 1_440),
        ("SINCE 480 minutes ago UNTIL now TIMESERIES 1 hour SLIDE BY 1 minute", 421),
    ] {
        let text = format!("SELECT count(*) FROM T {clauses}");
        let timeseries = query(&text).timeseries.unwrap();
        for (begin, end) in windows(&text, "UTC") {
            let found = match series(&timeseries, begin, end) {
                Ok(series) => series.count,
                Err(WidthError::TooMany { buckets }) => buckets,
                Err(error) => panic!("{text}: {error}"),
            };
            assert_eq!(found, buckets, "{text}");
        }
        let want: Vec<String> =
            (buckets > BUCKETS_MAX).then(|| format!("{buckets} buckets; at most 366 are allowed")).into_iter().collect();
        assert_eq!(told(&text), want, "{text}");
    }
}
