//! A time, written by a pattern.

use jiff::Zoned;

use super::{DatePattern, Field, Item};
use crate::lab::engine::function::calendar::{month_name, weekday_name};

impl DatePattern {
    /// The time as text; optional parts are written.
    #[must_use]
    pub fn format(&self, time: &Zoned) -> String {
        let mut text = String::new();
        write_items(&mut text, &self.items, time);
        text
    }
}

fn write_items(text: &mut String, items: &[Item], time: &Zoned) {
    for item in items {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Optional(items) => write_items(text, items, time),
            Item::Field(field, run) => write_field(text, *field, *run, time),
        }
    }
}

fn write_field(text: &mut String, field: Field, run: usize, time: &Zoned) {
    let quarter = (time.month() - 1) / 3 + 1;
    let hour = i32::from(time.hour());
    let number = match field {
        Field::Year if run == 2 => i32::from(time.year().rem_euclid(100)),
        Field::Year => time.year().into(),
        Field::Quarter if run < 3 => quarter.into(),
        Field::Quarter => return text.push_str(&quarter_name(quarter, run)),
        Field::Month if run < 3 => time.month().into(),
        Field::Month => return text.push_str(shortened(month_name(time.month()), run)),
        Field::DayOfYear => time.day_of_year().into(),
        Field::DayOfMonth => time.day().into(),
        Field::Weekday => return text.push_str(shortened(weekday_name(time.weekday()), run.max(3))),
        Field::Half => return text.push_str(if hour < 12 { "AM" } else { "PM" }),
        Field::Hour => hour,
        Field::HourFrom1 => (hour + 23) % 24 + 1,
        Field::HalfHourFrom1 => (hour + 11) % 12 + 1,
        Field::HalfHour => hour % 12,
        Field::Minute => time.minute().into(),
        Field::Second => time.second().into(),
        Field::Fraction => {
            let digits = format!("{:09}", time.subsec_nanosecond());
            return text.push_str(digits.get(..run).unwrap_or(&digits));
        }
        Field::MilliOfDay => {
            (hour * 60 + i32::from(time.minute())) * 60_000
                + i32::from(time.second()) * 1_000
                + time.subsec_nanosecond() / 1_000_000
        }
        Field::ZoneId => return text.push_str(&zone_id(time)),
        Field::ZoneName => return text.push_str(&zone_name(time)),
        Field::GmtOffset | Field::LongOffset | Field::OffsetOrZ | Field::Offset => return write_offset(text, field, run, time),
    };
    text.push_str(&format!("{number:0run$}"));
}

/// `Q4`, or `4th quarter`.
pub(super) fn quarter_name(quarter: i8, run: usize) -> String {
    match (run, quarter) {
        (3, _) => format!("Q{quarter}"),
        (_, 1) => "1st quarter".to_owned(),
        (_, 2) => "2nd quarter".to_owned(),
        (_, 3) => "3rd quarter".to_owned(),
        _ => format!("{quarter}th quarter"),
    }
}

/// Three letters of a name, all for a run of four, one for a run of five.
pub(super) fn shortened(name: &str, run: usize) -> &str {
    match run {
        4 => name,
        5 => name.get(..1).unwrap_or(name),
        _ => name.get(..3).unwrap_or(name),
    }
}

/// The name of a region, `Z` for UTC, else an offset.
fn zone_id(time: &Zoned) -> String {
    match time.time_zone().iana_name() {
        Some(name) => name.to_owned(),
        None => offset(time, "Z", true),
    }
}

fn zone_name(time: &Zoned) -> String {
    let name = time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned();
    // A zone without a name of its own is called by its offset.
    if name.starts_with(|letter: char| letter.is_ascii_alphabetic()) { name } else { offset(time, "Z", true) }
}

fn write_offset(text: &mut String, field: Field, run: usize, time: &Zoned) {
    let seconds = time.offset().seconds();
    let (sign, hours, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 3600, seconds.abs() / 60 % 60);
    text.push_str(&match (field, run) {
        (Field::GmtOffset | Field::LongOffset, _) if seconds == 0 => "GMT".to_owned(),
        (Field::GmtOffset, _) if minutes == 0 => format!("GMT{sign}{hours}"),
        (Field::GmtOffset, _) => format!("GMT{sign}{hours}:{minutes:02}"),
        (Field::LongOffset, _) => format!("GMT{sign}{hours:02}:{minutes:02}"),
        (Field::OffsetOrZ, _) if seconds == 0 => "Z".to_owned(),
        (_, 1) if minutes == 0 => format!("{sign}{hours:02}"),
        (_, 3) => offset(time, "+00:00", true),
        _ => offset(time, "+0000", false),
    });
}

/// `+09:00`, with or without the colon.
fn offset(time: &Zoned, zero: &str, colon: bool) -> String {
    let seconds = time.offset().seconds();
    let (sign, hours, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 3600, seconds.abs() / 60 % 60);
    match colon {
        _ if seconds == 0 => zero.to_owned(),
        true => format!("{sign}{hours:02}:{minutes:02}"),
        false => format!("{sign}{hours:02}{minutes:02}"),
    }
}
