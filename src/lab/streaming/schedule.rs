//! When a muting rule is in force.
//!
//! In: a [`Schedule`] in local time with its zone, and a moment. Out: whether it holds, and until when. What always holds: each
//! occurrence begins and ends by the clock on the wall of its zone, whatever summer time does in between. What New Relic's pages do
//! not say: `repeatCount` counts all occurrences, the first included; a month without the day has none.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan};

use crate::nrql::muting::{DAYS_MAX, Repeat, Schedule, days};

/// Until when a schedule that holds goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Ms since 1970.
    Moment(i64),
    /// It has no end.
    Forever,
}

impl Schedule {
    /// Whether it holds at a moment, and until when.
    #[must_use]
    pub fn at(&self, ms: i64) -> Option<Until> {
        let moment = Timestamp::from_millisecond(ms).ok()?;
        match (&self.repeat, self.start, self.end) {
            (Some(repeat), Some(start), Some(end)) => self.occurrence(repeat, (start, end), moment),
            (_, start, end) => {
                let begun = match start {
                    Some(start) => self.instant(start)? <= moment,
                    None => true,
                };
                let Some(end) = end else { return begun.then_some(Until::Forever) };
                let end = self.instant(end)?;
                (begun && moment < end).then(|| Until::Moment(end.as_millisecond()))
            }
        }
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }

    /// The occurrence that holds a moment: the one that ends last.
    fn occurrence(&self, repeat: &Repeat, (start, end): (DateTime, DateTime), moment: Timestamp) -> Option<Until> {
        let today = self.zone.to_datetime(moment).date();
        let length = days(start.date(), end.date()).clamp(0, DAYS_MAX);
        let ends = (0..=length).filter_map(|back| {
            let first = today.checked_sub(back.days()).ok()?;
            let number = occurrence(repeat, start.date(), first)?;
            let begin = first.to_datetime(start.time());
            let counts = self.count.is_none_or(|count| number <= i64::from(count));
            if !counts || self.end_repeat.is_some_and(|last| begin > last) {
                return None;
            }
            let last = first.checked_add(length.days()).ok()?.to_datetime(end.time());
            let (begin, last) = (self.instant(begin)?, self.instant(last)?);
            (begin <= moment && moment < last).then(|| Until::Moment(last.as_millisecond()))
        });
        ends.max()
    }
}

/// Which occurrence begins on a day, from 1; none if none does.
fn occurrence(repeat: &Repeat, start: Date, day: Date) -> Option<i64> {
    let since = days(start, day);
    if since < 0 {
        return None;
    }
    match repeat {
        Repeat::Daily => Some(since + 1),
        Repeat::Weekly(on) => {
            let own = [start.weekday()];
            let on = if on.is_empty() { &own[..] } else { on };
            let mut on: Vec<i64> = on.iter().map(|day| i64::from(start.weekday().until(*day))).collect();
            on.sort_unstable();
            on.dedup();
            let into = since % 7;
            let many = i64::try_from(on.len()).ok()?;
            let place = i64::try_from(on.iter().position(|offset| *offset == into)?).ok()?;
            Some(since / 7 * many + place + 1)
        }
        Repeat::Monthly => {
            if day.day() != start.day() {
                return None;
            }
            let month = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
            let has = |month: &i64| {
                let year = i16::try_from(month.div_euclid(12)).ok();
                let first = year.and_then(|year| Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok());
                first.is_some_and(|first| first.days_in_month() >= start.day())
            };
            i64::try_from((month(start)..=month(day)).filter(has).count()).ok()
        }
    }
}
