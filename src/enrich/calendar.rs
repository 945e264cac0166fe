//! The day a record belongs to, in the customer's zone (`event.date`, `event.week`, `event.month`).
//!
//! In: milliseconds since the epoch. Out: `2026-11-21`, `2026-W47` (ISO 8601 week, whose year may differ from the day's) and
//! `2026-11`. The zone is looked up once, when the calendar is made; a record costs arithmetic and two short texts.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A zone that is not in the IANA database.
#[derive(Debug, thiserror::Error)]
#[error("time zone \"{name}\" is not known: {source}; an IANA name is needed, such as Asia/Tokyo or UTC")]
pub struct TimeZoneError {
    name: String,
    source: jiff::Error,
}

/// Turns times into days of one zone.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    pub(super) fn new(name: &str) -> Result<Self, TimeZoneError> {
        let zone = TimeZone::get(name).map_err(|source| TimeZoneError { name: name.to_owned(), source })?;
        Ok(Self { zone })
    }

    pub(super) fn day(&self, ms: i64) -> Day {
        // Out of the calendar's range (years -9999 to 9999) only for times no record can carry; the nearest day then.
        let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let time = Timestamp::from_millisecond(ms).unwrap_or(edge);
        let date = self.zone.to_datetime(time).date();
        let week = date.iso_week_date();
        Day { date: date.to_string(), week: format!("{:04}-W{:02}", week.year(), week.week()) }
    }
}

/// A calendar day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    date: String,
    week: String,
}

impl Day {
    /// The day of a moment in UTC, milliseconds since the epoch.
    #[must_use]
    pub fn utc(ms: i64) -> Self {
        Calendar { zone: TimeZone::UTC }.day(ms)
    }

    /// `2026-11-21`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// `2026-W47`, the ISO week.
    #[must_use]
    pub fn week(&self) -> &str {
        &self.week
    }

    /// `2026-11`.
    #[must_use]
    pub fn month(&self) -> &str {
        self.date.rsplit_once('-').map_or(&self.date, |(month, _)| month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::time::parse_ms;

    #[test]
    fn days_turn_at_midnight_of_the_zone() {
        for (zone, time, date, week, month) in [
            ("UTC", "2026-11-21T20:14:31Z", "2026-11-21", "2026-W47", "2026-11"),
            ("Asia/Tokyo", "2026-11-21T14:59:59.999Z", "2026-11-21", "2026-W47", "2026-11"),
            ("Asia/Tokyo", "2026-11-21T15:00:00Z", "2026-11-22", "2026-W47", "2026-11"),
            ("Asia/Tokyo", "2026-11-22T15:00:00Z", "2026-11-23", "2026-W48", "2026-11"),
            ("Asia/Tokyo", "2026-11-30T15:00:00Z", "2026-12-01", "2026-W49", "2026-12"),
            // The first days of a year can belong to the last week of the year before, and the other way round.
            ("Asia/Tokyo", "2026-12-31T15:00:00Z", "2027-01-01", "2026-W53", "2027-01"),
            ("UTC", "2024-12-30T00:00:00Z", "2024-12-30", "2025-W01", "2024-12"),
            // Clocks went back in New York on 1 November 2026: the day has 25 hours.
            ("America/New_York", "2026-11-02T04:59:59Z", "2026-11-01", "2026-W44", "2026-11"),
            ("America/New_York", "2026-11-02T05:00:00Z", "2026-11-02", "2026-W45", "2026-11"),
        ] {
            let day = Calendar::new(zone).expect(zone).day(parse_ms(time).expect(time));
            assert_eq!((day.date(), day.week(), day.month()), (date, week, month), "{time} in {zone}");
        }
    }

    #[test]
    fn times_outside_the_calendar_do_not_panic() {
        let calendar = Calendar::new("Asia/Tokyo").expect("a zone");
        assert!(calendar.day(i64::MAX).date().starts_with("9999-12-"));
        assert!(calendar.day(i64::MIN).date().starts_with("-009999-"));
    }

    #[test]
    fn an_unknown_zone_is_named_with_what_is_allowed() {
        let error = Calendar::new("Asia/Tokio").expect_err("no such zone").to_string();
        assert!(error.starts_with("time zone \"Asia/Tokio\" is not known: "), "{error}");
        assert!(error.ends_with("an IANA name is needed, such as Asia/Tokyo or UTC"), "{error}");
    }
}
