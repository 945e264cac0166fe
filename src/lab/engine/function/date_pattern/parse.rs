//! The time a text names, read by a pattern.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

use super::{DatePattern, Field, Item, format::quarter_name, format::shortened};
use crate::lab::engine::{
    function::calendar::{MONTHS, weekday_name},
    time,
};

impl DatePattern {
    /// The time a text names, in milliseconds since 1970; none if the pattern does not fit the whole text, or the text names no time.
    #[must_use]
    pub fn parse(&self, text: &str, zone: &TimeZone) -> Option<i64> {
        let mut found = Found::default();
        let rest = read_items(&self.items, text, &mut found)?;
        if rest.is_empty() { found.resolve(zone) } else { None }
    }
}

/// What has been read.
#[derive(Clone, Default)]
struct Found {
    year: Option<i16>,
    quarter: Option<i8>,
    month: Option<i8>,
    day_of_year: Option<i16>,
    day: Option<i8>,
    weekday: Option<usize>,
    half: Option<i8>,
    hour: Option<i8>,
    half_hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    nano: Option<i32>,
    milli_of_day: Option<i32>,
    zone: Option<TimeZone>,
}

/// What is left of the text.
fn read_items<'a>(items: &[Item], text: &'a str, found: &mut Found) -> Option<&'a str> {
    let mut rest = text;
    for (index, item) in items.iter().enumerate() {
        rest = match item {
            Item::Literal(literal) => rest.strip_prefix(literal.as_str())?,
            Item::Optional(inner) => {
                let mut tried = found.clone();
                match read_items(inner, rest, &mut tried) {
                    Some(after) => {
                        *found = tried;
                        after
                    }
                    None => rest,
                }
            }
            Item::Field(field, run) => {
                let following = items.get(index + 1..).unwrap_or_default();
                read_field(*field, *run, rest, reserved(following), found)?
            }
        };
    }
    Some(rest)
}

/// Fewest and most digits of a field, none if it is no number.
fn digits(field: Field, run: usize) -> Option<(usize, usize)> {
    Some(match (field, run) {
        (Field::Month | Field::Quarter, 3..) => return None,
        (Field::Year, 1) => (1, 9),
        (Field::DayOfYear, _) => (run, 3),
        (Field::MilliOfDay, _) => (run, 8),
        (Field::Year | Field::Fraction, _) => (run, run),
        (
            Field::Month
            | Field::Quarter
            | Field::DayOfMonth
            | Field::Hour
            | Field::HourFrom1
            | Field::HalfHour
            | Field::HalfHourFrom1
            | Field::Minute
            | Field::Second,
            _,
        ) => (run, 2),
        _ => return None,
    })
}

/// Digits that the fields right behind need: `yyyyMMdd` leaves four to the year's neighbours.
fn reserved(following: &[Item]) -> usize {
    following
        .iter()
        .map_while(|item| match item {
            Item::Field(field, run) => digits(*field, *run),
            _ => None,
        })
        .map(|(least, _)| least)
        .sum()
}

fn read_field<'a>(field: Field, run: usize, text: &'a str, reserved: usize, found: &mut Found) -> Option<&'a str> {
    if let Some((least, most)) = digits(field, run) {
        let here = text.bytes().take_while(u8::is_ascii_digit).count();
        let take = here.saturating_sub(reserved).min(most).max(least);
        let (number, rest) = text.split_at_checked(take).filter(|_| take <= here)?;
        set_number(field, run, number, found)?;
        return Some(rest);
    }
    match field {
        Field::Month => {
            let (index, rest) = read_name(text, MONTHS.iter().map(|name| shortened(name, run).to_owned()))?;
            set(&mut found.month, i8::try_from(index + 1).ok()?)?;
            Some(rest)
        }
        Field::Quarter => {
            let (index, rest) = read_name(text, (1..=4).map(|quarter| quarter_name(quarter, run)))?;
            set(&mut found.quarter, i8::try_from(index + 1).ok()?)?;
            Some(rest)
        }
        Field::Weekday => {
            let days = (0..7).filter_map(|day| jiff::civil::Weekday::from_monday_zero_offset(day).ok());
            let (index, rest) = read_name(text, days.map(|day| shortened(weekday_name(day), run.max(3)).to_owned()))?;
            set(&mut found.weekday, index)?;
            Some(rest)
        }
        Field::Half => {
            let (index, rest) = read_name(text, ["AM".to_owned(), "PM".to_owned()].into_iter())?;
            set(&mut found.half, i8::try_from(index).ok()?)?;
            Some(rest)
        }
        _ => {
            let (zone, rest) = read_zone(field, run, text)?;
            found.zone = Some(zone);
            Some(rest)
        }
    }
}

/// The first of these names that stands here; one letter names nothing.
fn read_name(text: &str, names: impl Iterator<Item = String>) -> Option<(usize, &str)> {
    names.enumerate().filter(|(_, name)| name.len() > 1).find_map(|(index, name)| Some((index, text.strip_prefix(&name)?)))
}

/// A field that stands twice must say the same.
fn set<T: PartialEq>(field: &mut Option<T>, value: T) -> Option<()> {
    match field {
        Some(known) if *known != value => None,
        _ => {
            *field = Some(value);
            Some(())
        }
    }
}

fn set_number(field: Field, run: usize, digits: &str, found: &mut Found) -> Option<()> {
    let small = || digits.parse::<i8>().ok();
    let within = |range: std::ops::RangeInclusive<i8>| small().filter(|number| range.contains(number));
    match field {
        Field::Year if run == 2 => set(&mut found.year, 2_000 + digits.parse::<i16>().ok()?),
        Field::Year => set(&mut found.year, digits.parse().ok()?),
        Field::Quarter => set(&mut found.quarter, within(1..=4)?),
        Field::Month => set(&mut found.month, small()?),
        Field::DayOfYear => set(&mut found.day_of_year, digits.parse().ok()?),
        Field::DayOfMonth => set(&mut found.day, small()?),
        Field::Hour => set(&mut found.hour, small()?),
        Field::HourFrom1 => set(&mut found.hour, within(1..=24)? % 24),
        Field::HalfHour => set(&mut found.half_hour, within(0..=11)?),
        Field::HalfHourFrom1 => set(&mut found.half_hour, within(1..=12)? % 12),
        Field::Minute => set(&mut found.minute, small()?),
        Field::Second => set(&mut found.second, small()?),
        Field::Fraction => set(&mut found.nano, format!("{digits:0<9}").parse().ok()?),
        Field::MilliOfDay => set(&mut found.milli_of_day, digits.parse().ok()?),
        _ => None,
    }
}

/// A zone by its name, or by its offset in the form the letters ask for.
fn read_zone(field: Field, run: usize, text: &str) -> Option<(TimeZone, &str)> {
    let fixed = |offset: &str| {
        let seconds = time::offset_seconds(offset.as_bytes())?;
        Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
    };
    match field {
        Field::ZoneId | Field::ZoneName => {
            let end =
                text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "/_+-:".contains(letter))).unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(end)?;
            time::zone(name).map(|zone| (zone, rest))
        }
        Field::GmtOffset | Field::LongOffset => {
            let rest = text.strip_prefix("GMT")?;
            let end = rest.find(|letter: char| !(letter.is_ascii_digit() || "+-:".contains(letter))).unwrap_or(rest.len());
            let (offset, after) = rest.split_at_checked(end)?;
            match offset.get(1..).map(|digits| digits.split_once(':').map_or(digits.len(), |(hours, _)| hours.len())) {
                None => Some((TimeZone::UTC, rest)),
                // One digit of an hour, as `O` writes it.
                Some(1) => {
                    let (sign, digits) = offset.split_at_checked(1)?;
                    fixed(&format!("{sign}0{digits}")).map(|zone| (zone, after))
                }
                Some(_) => fixed(offset).map(|zone| (zone, after)),
            }
        }
        _ => {
            if let Some(rest) = text.strip_prefix('Z').filter(|_| field == Field::OffsetOrZ) {
                return Some((TimeZone::UTC, rest));
            }
            let length = match run {
                3 => 6,
                2 => 5,
                _ if text.bytes().skip(3).take(2).filter(u8::is_ascii_digit).count() == 2 => 5,
                _ => 3,
            };
            let (offset, rest) = text.split_at_checked(length)?;
            fixed(offset).map(|zone| (zone, rest))
        }
    }
}

impl Found {
    fn resolve(&self, other: &TimeZone) -> Option<i64> {
        let (date, time) = (self.date()?, self.time()?);
        let zone = self.zone.as_ref().unwrap_or(other);
        zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok().map(Timestamp::as_millisecond)
    }

    /// 1970 begins for a text that says nothing of a date.
    fn date(&self) -> Option<Date> {
        let date = match (self.year, self.day_of_year, self.quarter, self.month, self.day) {
            (None, None, None, None, None) => Date::new(1970, 1, 1).ok()?,
            (Some(year), Some(day), ..) => {
                let date = Date::new(year, 1, 1).ok()?.checked_add(i32::from(day.checked_sub(1)?).days()).ok()?;
                if day < 1 || date.year() != year {
                    return None;
                }
                date
            }
            (Some(year), None, None, None, None) => Date::new(year, 1, 1).ok()?,
            (Some(year), None, Some(quarter), None, None) => Date::new(year, quarter * 3 - 2, 1).ok()?,
            (Some(year), None, _, Some(month), day) => Date::new(year, month, day.unwrap_or(1)).ok()?,
            _ => return None,
        };
        let fits = |expected: Option<i8>, is: i8| expected.is_none_or(|expected| expected == is);
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).ok();
        let agrees = fits(self.month, date.month())
            && (self.day_of_year.is_none() || fits(self.day, date.day()))
            && fits(self.quarter, (date.month() - 1) / 3 + 1)
            && (self.weekday.is_none() || self.weekday == weekday);
        agrees.then_some(date)
    }

    fn time(&self) -> Option<Time> {
        if let Some(milli) = self.milli_of_day {
            let (second, milli) = (milli / 1_000, milli % 1_000);
            return Time::new(
                i8::try_from(second / 3_600).ok()?,
                i8::try_from(second / 60 % 60).ok()?,
                i8::try_from(second % 60).ok()?,
                milli * 1_000_000,
            )
            .ok();
        }
        let hour = match (self.hour, self.half_hour, self.half) {
            (Some(hour), ..) => Some(hour),
            (None, Some(hour), Some(half)) => Some(hour + 12 * half),
            (None, Some(_), None) => return None,
            (None, None, _) => None,
        };
        // Each field needs the greater one above it.
        let chain = [hour.is_some(), self.minute.is_some(), self.second.is_some(), self.nano.is_some()];
        if !chain.is_sorted_by(|greater, lesser| greater >= lesser) {
            return None;
        }
        Time::new(hour.unwrap_or(0), self.minute.unwrap_or(0), self.second.unwrap_or(0), self.nano.unwrap_or(0)).ok()
    }
}
