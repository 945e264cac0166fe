//! Moments, texts and widths by the examples of New Relic's pages, and beyond them.

use super::*;
use crate::nrql::ast::{Day, Duration, Moment, Text, Timeseries, Unit, Width};

mod linted;
mod moments;
mod widths;

/// Monday 2023-12-18T12:34:56.789Z: the moment of the page's examples.
const NOW: &str = "2023-12-18T12:34:56.789Z";

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn context(now: &str, zone: &str) -> Context {
    Context { zone: super::zone(zone).unwrap(), now_ms: ms(now) }
}

fn text(text: &str) -> Text {
    Text { text: text.to_owned(), ..Text::default() }
}

fn shown(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap().to_string()
}

#[test]
fn whole_numbers_are_cut_and_bounded() {
    for (number, expected) in [
        (0.0, Some(0)),
        (1.9, Some(1)),
        (-1.9, Some(-1)),
        (9e15, Some(9_000_000_000_000_000)),
        (-9_223_372_036_854_775_808.0, Some(i64::MIN)),
        (9_223_372_036_854_775_808.0, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ] {
        assert_eq!(whole(number), expected, "{number}");
    }
}

#[test]
fn zones_are_found_by_region_abbreviation_and_offset() {
    // At noon UTC of 2023-12-18 and of 2023-07-01: abbreviations follow the region's summer time.
    for (name, winter, summer) in [
        ("UTC", 0, 0),
        ("Z", 0, 0),
        ("Asia/Tokyo", 32_400, 32_400),
        ("asia/tokyo", 32_400, 32_400),
        ("JST", 32_400, 32_400),
        ("America/Los_Angeles", -28_800, -25_200),
        ("PST", -28_800, -25_200),
        ("CST", -21_600, -18_000),
        ("+09:00", 32_400, 32_400),
        ("-0330", -12_600, -12_600),
        ("+05", 18_000, 18_000),
    ] {
        let zone = zone(name).unwrap_or_else(|| panic!("{name}"));
        let offset = |at: &str| zone.to_offset(at.parse().unwrap()).seconds();
        assert_eq!((offset("2023-12-18T12:00:00Z"), offset("2023-07-01T12:00:00Z")), (winter, summer), "{name}");
    }
    for name in ["", "Mars/Olympus", "+9", "+19:00", "+09:60", "09:00", "+ab:cd"] {
        assert!(zone(name).is_none(), "{name}");
    }
}
