//! The times AWS writes.
//!
//! In: ISO 8601 text in UTC. Out: milliseconds since the Unix epoch. The common form, `2026-11-21T20:14:31Z`, is read
//! without allocation; anything else goes through `jiff`.

use std::time::Duration;

/// An hour, milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// A day, milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A time span in whole milliseconds; the longest there is where it does not fit.
#[must_use]
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Reads an ISO 8601 time, extended (`2026-11-21T20:14:31.5Z`) or basic (`20131102T010628Z`), as milliseconds since the
/// epoch. `None`: not a time.
#[must_use]
pub fn parse_ms(text: &str) -> Option<i64> {
    if let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = text.as_bytes() {
        let year = two(y0, y1)? * 100 + two(y2, y3)?;
        let (month, day) = (two(m0, m1)?, two(d0, d1)?);
        let (hour, minute, second) = (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?);
        if (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60 {
            let days = days_from_civil(year, month, day);
            return Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000);
        }
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// Writes milliseconds since the epoch as `2026-11-21T20:14:31.500Z` (`Z` form, milliseconds only when there are some).
#[must_use]
pub fn format_ms(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Days from 1970-01-01 in the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_aws_writes() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-21T20:14:31Z", Some(1_795_292_071_000)),
            ("2026-11-21T20:14:31.250Z", Some(1_795_292_071_250)),
            ("2024-02-29T12:00:00Z", Some(1_709_208_000_000)),
            ("20131102T010628Z", Some(1_383_354_388_000)),
            ("2023-02-30T00:00:00Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse_ms(text), want, "{text}");
        }
    }

    #[test]
    fn the_fast_reading_agrees_with_jiff() {
        for day in 0..20_000_i64 {
            let ms = day * 86_400_000 + (day % 86_400) * 1_000;
            assert_eq!(parse_ms(&format_ms(ms)), Some(ms));
        }
    }
}
