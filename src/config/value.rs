//! Single values: text → number, size, time, and back.
//!
//! In: text as written. Out: a value, or `None` when it is not one. It knows no keys and no ranges.

use std::time::Duration;

const BYTE_UNITS: [(&str, u64); 7] =
    [("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("B", 1)];

const TIME_UNITS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// A whole number: digits only, so neither sign nor exponent.
pub(super) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// A number of bytes: `950000`, `950kB`, `16 MiB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" => 1,
        "KB" => 1_000,
        unit => BYTE_UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.checked_mul(factor)
}

/// A time: `500ms`, `15s`, `1m`, `2h`. The unit is part of it: a bare number says nothing.
pub(super) fn time(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let factor = TIME_UNITS.iter().find(|(name, _)| *name == unit)?.1;
    number.checked_mul(factor).map(Duration::from_millis)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(end)?;
    Some((whole(number)?, unit.strip_prefix(' ').unwrap_or(unit)))
}

/// A number of bytes with the unit that makes it shortest.
pub(super) fn show_bytes(bytes: u64) -> String {
    show(bytes, &BYTE_UNITS)
}

/// Milliseconds with the unit that makes them shortest.
pub(super) fn show_time(milliseconds: u64) -> String {
    show(milliseconds, &TIME_UNITS)
}

fn show(value: u64, units: &[(&str, u64)]) -> String {
    let fits = |&&(_, factor): &&(&str, u64)| value >= factor && value.is_multiple_of(factor);
    match units.iter().filter(fits).max_by_key(|(_, factor)| *factor) {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("950000", Some(950_000)),
            ("950kB", Some(950_000)),
            ("950KB", Some(950_000)),
            ("16MiB", Some(16 << 20)),
            ("64 MB", Some(64_000_000)),
            ("1GiB", Some(1 << 30)),
            ("7B", Some(7)),
            ("16M", None),
            ("16mb", None),
            ("1.5MiB", None),
            ("-1", None),
            ("1e6", None),
            ("", None),
            ("MiB", None),
            ("18446744073709551616", None),
            ("18446744073709551615GiB", None),
            ("１MB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn times_need_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("15s", Some(15_000)),
            ("1m", Some(60_000)),
            ("2 h", Some(7_200_000)),
            ("15", None),
            ("1.5s", None),
            ("15sec", None),
            ("", None),
        ] {
            assert_eq!(time(text), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for size in [1, 1_000, 1_024, 950_000, 1_000_000, 1 << 20, 64_000_000, 16 << 20, 1 << 30, 1_234_567] {
            assert_eq!(bytes(&show_bytes(size)), Some(size));
        }
        for (size, text) in [(16 << 20, "16MiB"), (950_000, "950kB"), (2_000_000_000, "2GB"), (1_234_567, "1234567B")] {
            assert_eq!(show_bytes(size), text);
        }
        for (time, text) in [(500, "500ms"), (15_000, "15s"), (60_000, "1m"), (90_000, "90s"), (3_600_000, "1h")] {
            assert_eq!(show_time(time), text);
        }
    }
}
