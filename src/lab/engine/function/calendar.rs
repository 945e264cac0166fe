//! What the calendar says of a moment: its month, its week, its hour.
//!
//! In: a time in milliseconds since 1970, and `numeric` or `string` (the default). Out: a number or a text in the forms of New Relic's
//! page "Facet results by time". What always holds: days begin where the query's zone says; names are English; weeks begin on Monday.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, Weekday},
};

use super::{Named, RowFunction, maybe_text, whole_at};
use crate::lab::engine::{time::Context, value::Value};

/// In the order of the calendar.
pub(super) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("yearOf", 1, 2, |c, args, _| answer(c, args, |time| number_alone(time.year()))).word(1),
    RowFunction::new("quarterOf", 1, 2, |c, args, _| answer(c, args, quarter)).word(1),
    RowFunction::new("monthOf", 1, 2, |c, args, _| answer(c, args, month)).word(1),
    RowFunction::new("weekOf", 1, 2, week_of).word(1),
    RowFunction::new("weekdayOf", 1, 2, |c, args, _| answer(c, args, weekday)).word(1),
    RowFunction::new("dateOf", 1, 2, date_of).word(1),
    RowFunction::new("dayOfMonthOf", 1, 2, |c, args, _| answer(c, args, |time| number_alone(time.day().into()))).word(1),
    RowFunction::new("daysInMonthOf", 1, 2, |c, args, _| answer(c, args, |time| number_alone(time.days_in_month().into())))
        .word(1),
    RowFunction::new("hourOf", 1, 2, |c, args, _| answer(c, args, |time| (time.hour().into(), format!("{}:00", time.hour()))))
        .word(1),
    RowFunction::new("minuteOf", 1, 2, |c, args, _| answer(c, args, |time| number_alone(time.minute().into()))).word(1),
];

/// The English name of a month, 1 to 12.
pub(super) fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default()
}

/// The English name of a day.
pub(super) const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn time_at(context: &Context, args: &[Value]) -> Option<Zoned> {
    whole_at(args, 0).and_then(|ms| context.at(ms))
}

/// A number or a text, as the second argument asks; null for any other word.
fn answer(context: &Context, args: &[Value], compute: fn(&Zoned) -> (i16, String)) -> Value {
    let Some((number, text)) = time_at(context, args).map(|time| compute(&time)) else { return Value::Null };
    match args.get(1) {
        None => Value::text(text),
        Some(Value::Text(form)) if form.eq_ignore_ascii_case("string") => Value::text(text),
        Some(Value::Text(form)) if form.eq_ignore_ascii_case("numeric") => Value::Number(number.into()),
        Some(_) => Value::Null,
    }
}

fn number_alone(number: i16) -> (i16, String) {
    (number, number.to_string())
}

fn quarter(time: &Zoned) -> (i16, String) {
    let quarter = (time.month() - 1) / 3 + 1;
    (quarter.into(), format!("Q{quarter} {}", time.year()))
}

fn month(time: &Zoned) -> (i16, String) {
    (time.month().into(), format!("{} {}", month_name(time.month()), time.year()))
}

/// Sunday is 0.
fn weekday(time: &Zoned) -> (i16, String) {
    let day = time.weekday();
    (day.to_sunday_zero_offset().into(), weekday_name(day).to_owned())
}

/// The week by its Monday, without the year; it has no number.
fn week_of(context: &Context, args: &[Value], _: &Named<'_>) -> Value {
    maybe_text(
        time_at(context, args)
            .and_then(|time| monday(time.date()))
            .map(|monday| format!("Week of {} {}", month_name(monday.month()), monday.day())),
    )
}

fn monday(date: Date) -> Option<Date> {
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()
}

/// The date; it has no number.
fn date_of(context: &Context, args: &[Value], _: &Named<'_>) -> Value {
    maybe_text(time_at(context, args).map(|time| format!("{} {}, {}", month_name(time.month()), time.day(), time.year())))
}
