//! Moments: `SINCE 2 days ago`, `UNTIL today at '9:00'`, `SINCE last month`.
//!
//! In: a moment of the tree, a [`Context`], and the clause it stands in. Out: milliseconds since 1970. What always holds: the forms and
//! their values are those of New Relic's page "Set a query's time range"; `n units ago` has fixed lengths and keeps the time of day,
//! everything else follows the calendar of the query's zone.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, Weekday},
};

use super::{
    Context, whole,
    width::{span_ms, unit_ms},
};
use crate::nrql::{
    ast::{Day, Moment, Text, Unit},
    time::{DateTimeText, TextError, instant, time_of_day},
};

/// The clause a moment stands in: only `SINCE` looks back for a time that is still to come today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `SINCE`.
    Since,
    /// `UNTIL`.
    Until,
    /// `COMPARE WITH`.
    Compare,
}

/// Why a moment has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// A dashboard variable that nobody filled in.
    #[error("the variable {{{{{name}}}}} at {at} has no value: a time is needed")]
    Template {
        /// Its name.
        name: String,
        /// The byte of the query where it stands.
        at: usize,
    },
    /// A text in another form.
    #[error("{source} (the text begins at {at})")]
    Text {
        /// What was wrong.
        source: TextError,
        /// The byte of the query where the text stands.
        at: usize,
    },
    /// `AT` something that is no time of day.
    #[error("'{text}' at {at} is no time of day: H:MM or H:MM:SS is")]
    At {
        /// The text.
        text: String,
        /// The byte of the query where it stands.
        at: usize,
    },
    /// Before the year -9999 or after 9999.
    #[error("the time is out of range: the years -9999 to 9999 are allowed")]
    Range,
}

impl MomentError {
    /// The byte of the query where the fault begins; none if the moment is only too far away.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::Template { at, .. } | Self::Text { at, .. } | Self::At { at, .. } => Some(*at),
            Self::Range => None,
        }
    }
}

/// The moment in milliseconds since 1970.
///
/// # Errors
/// When a text is no date and time, a variable is not filled in, or the moment lies outside the years -9999 to 9999.
pub fn resolve(moment: &Moment, context: &Context, role: Role) -> Result<i64, MomentError> {
    let now = context.at(context.now_ms).ok_or(MomentError::Range)?;
    let ms = match moment {
        Moment::Now => Some(context.now_ms),
        Moment::Ago(duration) => whole(span_ms(duration).round()).and_then(|span| context.now_ms.checked_sub(span)),
        Moment::Epoch(ms) => Some(*ms),
        Moment::Day { day, at: None } => day_of(*day, &now).and_then(|date| midnight(date, &now)),
        Moment::Day { day, at: Some(at) } => at_time(*day, at, &now, role)?,
        Moment::This(unit) => this(*unit, &now),
        Moment::Last(unit) => last(*unit, &now),
        Moment::Text(text) => written(text, &now, context, role)?,
        Moment::Template(name) | Moment::TemplateAgo { name, .. } => {
            return Err(MomentError::Template { name: name.text.clone(), at: name.span.start });
        }
    };
    // What the calendar cannot hold, no later step can show.
    ms.filter(|ms| context.at(*ms).is_some()).ok_or(MomentError::Range)
}

/// How far `COMPARE WITH` moves a window into the past, milliseconds; negative for a moment to come.
///
/// # Errors
/// As [`resolve`].
pub fn shift_ms(moment: &Moment, context: &Context) -> Result<i64, MomentError> {
    let compared = resolve(moment, context, Role::Compare)?;
    context.now_ms.checked_sub(compared).ok_or(MomentError::Range)
}

/// The start of a day in the zone of `now`: its first moment, where midnight is skipped.
fn midnight(date: Date, now: &Zoned) -> Option<i64> {
    date.to_zoned(now.time_zone().clone()).ok()?.start_of_day().ok().map(|day| day.timestamp().as_millisecond())
}

/// The date a word names: of a weekday, the most recent one, today included.
fn day_of(day: Day, now: &Zoned) -> Option<Date> {
    let today = now.date();
    let weekday = match day {
        Day::Today => return Some(today),
        Day::Yesterday => return today.yesterday().ok(),
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    };
    today.checked_sub(i64::from(weekday.until(today.weekday())).days()).ok()
}

/// `day AT 'HH:MM[:SS]'`. In `SINCE`, `today AT` a time still to come is yesterday's.
fn at_time(day: Day, at: &Text, now: &Zoned, role: Role) -> Result<Option<i64>, MomentError> {
    let time = time_of_day(&at.text).ok_or_else(|| MomentError::At { text: at.text.clone(), at: at.span.start })?;
    let on = |date: Date| instant(date.to_datetime(time), now.time_zone());
    let Some(date) = day_of(day, now) else { return Ok(None) };
    Ok(match on(date) {
        Some(ms) if role == Role::Since && day == Day::Today && ms > now.timestamp().as_millisecond() => {
            date.yesterday().ok().and_then(on)
        }
        other => other,
    })
}

/// A date and time as text. A time alone is today's in the text's zone; in `SINCE`, one still to come is yesterday's.
fn written(text: &Text, now: &Zoned, context: &Context, role: Role) -> Result<Option<i64>, MomentError> {
    let parsed = DateTimeText::parse(text.text.trim()).map_err(|source| MomentError::Text { source, at: text.span.start })?;
    let today = parsed.zone.as_ref().map_or_else(|| now.date(), |zone| now.with_time_zone(zone.clone()).date());
    Ok(match parsed.resolve(today, &context.zone) {
        Some(ms) if role == Role::Since && parsed.date.is_none() && ms > context.now_ms => {
            today.yesterday().ok().and_then(|day| parsed.resolve(day, &context.zone))
        }
        other => other,
    })
}

/// The start of the current unit.
fn this(unit: Unit, now: &Zoned) -> Option<i64> {
    let today = now.date();
    let day = match unit {
        // Units below a day begin where the clock on the wall shows a round time.
        Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => {
            let ms = now.timestamp().as_millisecond();
            let local = ms + i64::from(now.offset().seconds()) * 1000;
            return Some(ms - local.rem_euclid(unit_ms(unit)));
        }
        Unit::Day => today,
        Unit::Week => today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days()).ok()?,
        Unit::Month => today.first_of_month(),
        Unit::Quarter => Date::new(today.year(), (today.month() - 1) / 3 * 3 + 1, 1).ok()?,
        Unit::Year => today.first_of_year(),
    };
    midnight(day, now)
}

/// The start of the unit before the current one: a unit of the calendar, not a fixed length.
fn last(unit: Unit, now: &Zoned) -> Option<i64> {
    let start = this(unit, now)?;
    let span = match unit {
        Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => return start.checked_sub(unit_ms(unit)),
        Unit::Day => 1.day(),
        Unit::Week => 1.week(),
        Unit::Month => 1.month(),
        Unit::Quarter => 3.months(),
        Unit::Year => 1.year(),
    };
    let first = jiff::Timestamp::from_millisecond(start).ok()?.to_zoned(now.time_zone().clone()).date();
    midnight(first.checked_sub(span).ok()?, now)
}
