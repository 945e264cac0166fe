//! Rows that are read in parts, from an engine in the place of New Relic.

use std::cell::RefCell;

use serde_json::json;

use super::*;
use crate::lab::engine::{Engine, Settings, json as value_json};
use crate::lab::store::Snapshot;
use crate::nrql;

/// 2026-11-21T00:00:00Z.
const DAY: i64 = 1_795_219_200_000;

/// Answers as New Relic does, from rows of this machine; an end may be included as a fault.
struct Answering {
    snapshot: Snapshot,
    includes_end: bool,
    asked: RefCell<Vec<String>>,
}

impl Answering {
    fn of(times: impl Iterator<Item = i64>) -> Self {
        let store = Store::in_memory();
        for (number, at) in times.enumerate() {
            let row = json!({ "timestamp": at, "number": number, "text": format!("row {number}"), "flag": number % 2 == 0 });
            store.append_json("T", row.as_object().unwrap(), at);
        }
        Self { snapshot: store.snapshot(), includes_end: false, asked: RefCell::default() }
    }

    fn ask(&self, text: &str) -> Vec<Fields> {
        self.asked.borrow_mut().push(text.to_owned());
        let mut statement = nrql::parse(text).unwrap();
        if let (true, nrql::Statement::Select(query)) = (self.includes_end, &mut statement)
            && let Some(nrql::ast::Moment::Epoch(end)) = &mut query.until
        {
            *end += 1;
        }
        let answer = Engine::new(self.snapshot.clone(), Settings::default()).run(&statement, DAY + 86_400_000).unwrap();
        let fields = |row: &crate::lab::engine::ResultRow| {
            row.fields().into_iter().map(|(name, value)| (name.to_string(), value_json(&value))).collect()
        };
        answer.results.iter().map(fields).collect()
    }

    async fn read(&self, query: &str) -> (Result<Asked, PageError>, Vec<u64>) {
        let listing = Listing::of(query, DAY + 86_400_000).unwrap();
        let mut numbers = Vec::new();
        let keep = |rows: Vec<Fields>| {
            numbers.extend(rows.iter().map(|row| row["number"].as_u64().unwrap()));
            Ok(())
        };
        let read = pages::read(&listing, "T", MOST_ROWS, async |text: &str| Ok(self.ask(text)), keep, |_| {}).await;
        (read, numbers)
    }
}

fn query(begin: i64, end: i64) -> String {
    format!("SELECT * FROM T SINCE {begin} UNTIL {end}")
}

#[tokio::test]
async fn every_row_comes_once_and_in_the_order_of_time() {
    // Bursts of 3,000 rows of one millisecond, and an even rest.
    let times = (0..12_000_i64).map(|number| if number < 6_000 { DAY + number / 3_000 * 60_000 } else { DAY + number * 7_000 });
    let mut answering = Answering::of(times);
    let text = query(DAY, DAY + 86_400_000);
    for includes_end in [false, true] {
        answering.includes_end = includes_end;
        let (read, numbers) = answering.read(&text).await;
        let read = read.unwrap();
        assert_eq!((read.rows, read.counted), (12_000, 12_000), "{includes_end}");
        assert_eq!(numbers, (0..12_000).collect::<Vec<u64>>(), "{includes_end}");
        assert!(read.questions < 60, "{} questions", read.questions);
    }
}

#[tokio::test]
async fn a_full_millisecond_is_believed_only_when_it_is_counted() {
    let full = Answering::of((0..5_000).map(|_| DAY + 5));
    let (read, numbers) = full.read(&query(DAY, DAY + 1_000)).await;
    assert_eq!((read.unwrap().rows, numbers.len()), (5_000, 5_000));

    let crowded = Answering::of((0..5_001).map(|_| DAY + 5));
    let (read, _) = crowded.read(&query(DAY, DAY + 1_000)).await;
    let error = read.unwrap_err();
    assert_eq!(error, PageError::Crowded { event_type: "T".to_owned(), at_ms: DAY + 5, rows: 5_001 });
    assert_eq!(
        error.to_string(),
        "5001 rows of T are of one millisecond (2026-11-21T00:00:00.005Z), and a query gives 5000 at most; nothing was written"
    );
}

#[tokio::test]
async fn fewer_rows_than_counted_are_a_fault() {
    let answering = Answering::of((0..10).map(|number| DAY + number));
    let listing = Listing::of(&query(DAY, DAY + 10), DAY).unwrap();
    let ask = async |text: &str| {
        let mut rows = answering.ask(text);
        // As if a limit that nobody told of had cut the answer.
        rows.truncate(4);
        Ok(rows)
    };
    let read = pages::read(&listing, "T", MOST_ROWS, ask, |_| Ok(()), |_| {}).await;
    let differs = PageError::Differs { event_type: "T".to_owned(), begin_ms: DAY, end_ms: DAY + 10, rows: 4, counted: 10 };
    assert_eq!(read, Err(differs));
}

/// As the first answer to a count, `counted`; of a page, its rows after `change`.
async fn changed(counted: u64, change: impl Fn(&str, Vec<Fields>) -> Vec<Fields>) -> (Result<Asked, PageError>, usize) {
    // Two bursts far apart: two windows at least.
    let answering = Answering::of((0..6_000).map(|number| DAY + number / 3_000 * 900));
    let listing = Listing::of(&query(DAY, DAY + 1_000), DAY).unwrap();
    let first = RefCell::new(true);
    let ask = async |text: &str| {
        if first.replace(false) {
            return Ok(vec![json!({ "count": counted }).as_object().unwrap().clone()]);
        }
        Ok(change(text, answering.ask(text)))
    };
    let mut kept = 0;
    let keep = |rows: Vec<Fields>| {
        kept += rows.len();
        Ok(())
    };
    (pages::read(&listing, "T", MOST_ROWS, ask, keep, |_| {}).await, kept)
}

#[tokio::test]
async fn more_rows_than_counted_are_a_fault_too() {
    let double = |text: &str, rows: Vec<Fields>| if text.contains("count") { rows } else { [rows.clone(), rows].concat() };
    let answering = Answering::of((0..2).map(|number| DAY + number));
    let listing = Listing::of(&query(DAY, DAY + 10), DAY).unwrap();
    let ask = async |text: &str| Ok(double(text, answering.ask(text)));
    let read = pages::read(&listing, "T", MOST_ROWS, ask, |_| Ok(()), |_| {}).await;
    let differs = PageError::Differs { event_type: "T".to_owned(), begin_ms: DAY, end_ms: DAY + 10, rows: 4, counted: 2 };
    assert_eq!(read, Err(differs));
}

#[tokio::test]
async fn late_rows_of_one_window_do_not_hide_that_others_are_missing() {
    // 5,990 were there at first, 10 came late, and 10 of the second burst are left out of every page.
    let cut = |text: &str, mut rows: Vec<Fields>| {
        if !text.contains("count") && rows.iter().any(|row| row["timestamp"] == json!(DAY + 900)) {
            rows.truncate(rows.len() - 10);
        }
        rows
    };
    let (read, _) = changed(5_990, cut).await;
    assert!(matches!(read, Err(PageError::Differs { rows: 2_990, counted: 3_000, .. })), "{read:?}");
    let (read, kept) = changed(5_990, |_, rows| rows).await;
    assert_eq!((read.unwrap().rows, kept), (6_000, 6_000));
}

#[tokio::test]
async fn a_row_that_comes_between_two_questions_is_read_again_with_its_window() {
    let late = RefCell::new(true);
    let cut = |text: &str, mut rows: Vec<Fields>| {
        if !text.contains("count") && rows.len() == 3_000 && late.replace(false) {
            rows.truncate(2_999);
        }
        rows
    };
    let (read, kept) = changed(6_000, cut).await;
    assert_eq!((read.unwrap().rows, kept), (6_000, 6_000));
}

#[tokio::test]
async fn more_than_may_be_held_is_refused_with_its_bound() {
    let answering = Answering::of((0..10).map(|number| DAY + number));
    let listing = Listing::of(&query(DAY, DAY + 10), DAY).unwrap();
    let ask = async |text: &str| Ok(answering.ask(text));
    let read = pages::read(&listing, "T", 9, ask, |_| panic!("nothing is to be read"), |_| {}).await;
    let error = read.unwrap_err();
    assert_eq!(error.to_string(), "10 rows of T, and at most 9 more rows are held at once; nothing was written");
    assert!(error.hint().contains("a shorter window"));
    assert_eq!(within(1 << 30, 1 << 30), Ok(()));
    let error = within((1 << 30) + 1, 1 << 30).unwrap_err();
    assert_eq!(error.to_string(), "the rows are more than 1024 MiB, and at most 1024 MiB are held at once; nothing was written");
    let row = json!({ "a": "text", "b": 1, "c": [1, 2] });
    assert_eq!(size(row.as_object().unwrap()), 11 + 13 + 10);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_for_in_halves() {
    let answering = Answering::of((0..100).map(|number| DAY + number * 10));
    let listing = Listing::of(&query(DAY, DAY + 1_000), DAY).unwrap();
    let ask = async |text: &str| match answering.ask(text) {
        rows if rows.len() > 30 => Err(NerdGraphError::TooLarge { bytes: 1 }),
        rows => Ok(rows),
    };
    let read = pages::read(&listing, "T", MOST_ROWS, ask, |_| Ok(()), |_| {}).await.unwrap();
    assert_eq!(read.rows, 100);
}

#[tokio::test]
async fn every_part_asks_in_the_zone_of_the_query() {
    // A row every half hour of a day, from midnight in London: 9 o'clock in Tokyo.
    let answering = Answering::of((0..48).map(|number| DAY + number * 1_800_000));
    let window = query(DAY, DAY + 86_400_000);
    for (hour, zone, numbers) in
        [(9, " WITH TIMEZONE 'Asia/Tokyo'", [0, 1]), (8, " WITH TIMEZONE 'Asia/Tokyo'", [46, 47]), (9, "", [18, 19])]
    {
        let text = window.replace(" SINCE", &format!(" WHERE hourOf(timestamp, numeric) = {hour} SINCE")) + zone;
        let (read, kept) = answering.read(&text).await;
        let read = read.unwrap();
        assert_eq!((read.rows, read.counted, kept), (2, 2, numbers.to_vec()), "{text}");
    }
}

#[tokio::test]
async fn nothing_in_the_window_is_one_question() {
    let answering = Answering::of(std::iter::once(DAY - 1));
    let (read, numbers) = answering.read(&query(DAY, DAY + 1_000)).await;
    assert_eq!((read, numbers.len()), (Ok(Asked { rows: 0, counted: 0, questions: 1 }), 0));
}

#[test]
fn what_looks_at_the_window_as_a_whole_is_refused() {
    for (query, why) in [
        ("SELECT count(*) FROM T", "SELECT names attributes"),
        ("SELECT a + 1 FROM T", "SELECT names attributes"),
        ("SELECT a AS b FROM T", "SELECT names attributes"),
        ("SELECT * FROM T LIMIT 10", "LIMIT would leave rows out"),
        ("SELECT * FROM T ORDER BY a", "ORDER BY"),
        ("SELECT * FROM T WHERE a = (SELECT latest(a) FROM T)", "a query in WHERE"),
        ("SELECT * FROM (SELECT a FROM T)", "FROM names event types"),
        ("SELECT * FROM T SINCE today UNTIL yesterday", "SINCE is not before UNTIL"),
        ("SELECT * FROM T SINCE {{x}}", "{{x}}"),
        ("SHOW EVENT TYPES", "no rows"),
        ("SELECT", "NRQL Syntax Error"),
    ] {
        let error = Listing::of(query, DAY).unwrap_err();
        assert!(error.contains(why), "{query}: {error}");
    }
}

#[test]
fn a_part_is_the_query_of_its_window() {
    let text = "FROM B, A SELECT a, `b c` WHERE x = 'it''s' SINCE 2 hours ago WITH TIMEZONE 'Asia/Tokyo'";
    let listing = Listing::of(text, DAY).unwrap();
    assert_eq!((listing.types(), listing.window()), (&["A".to_owned(), "B".to_owned()][..], (DAY - 7_200_000, DAY)));
    for part in [listing.rows("A", 1, 2), listing.count("A", 1, 2)] {
        assert!(nrql::parse(&part).is_ok() && part.contains("SINCE 1 UNTIL 2"), "{part}");
        assert!(part.contains("WITH TIMEZONE 'Asia/Tokyo'"), "{part}");
    }
    assert!(listing.rows("A", 1, 2).contains("LIMIT MAX"));
}
