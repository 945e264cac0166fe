//! Time zones by name.
//!
//! In: a name as people write it. Out: the zone. What always holds: a name is looked up without regard to case; an abbreviation stands
//! for its region, so that it follows the region's summer time.

use jiff::tz::{Offset, TimeZone};

/// Abbreviations New Relic's documentation uses (`'2023-12-18 CST'`) and their like, with the region each stands for.
/// IANA names such as `UTC`, `GMT`, `EST` are found without this table.
const ABBREVIATIONS: [(&str, &str); 17] = [
    ("Z", "UTC"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("AKST", "America/Anchorage"),
    ("HST", "Pacific/Honolulu"),
    ("BST", "Europe/London"),
    ("CET", "Europe/Paris"),
    ("CEST", "Europe/Paris"),
    ("JST", "Asia/Tokyo"),
    ("IST", "Asia/Kolkata"),
    ("AEST", "Australia/Sydney"),
];

/// The zone of this name: IANA (`Asia/Tokyo`), an abbreviation (`JST`) or an offset (`+09:00`, `-0600`); none if unknown.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    if let Some((_, region)) = ABBREVIATIONS.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)) {
        return TimeZone::get(region).ok();
    }
    match offset_seconds(name.as_bytes()) {
        Some(seconds) => Offset::from_seconds(seconds).ok().map(TimeZone::fixed),
        None => TimeZone::get(name).ok(),
    }
}

/// `±HH`, `±HHMM` or `±HH:MM` in seconds east of UTC; none for anything else, and beyond 18 hours.
#[must_use]
pub fn offset_seconds(text: &[u8]) -> Option<i32> {
    let (sign, hours, minutes) = match text {
        [sign, a, b] => (sign, two(*a, *b)?, 0),
        [sign, a, b, c, d] | [sign, a, b, b':', c, d] => (sign, two(*a, *b)?, two(*c, *d)?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    (minutes < 60 && seconds <= 18 * 3600).then_some(sign * seconds)
}

/// Two digits.
fn two(a: u8, b: u8) -> Option<i32> {
    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i32::from(a - b'0') * 10 + i32::from(b - b'0'))
}
