//! Parts of a time, compared with what they never are.
//!
//! In: a calendar function and the text or number beside it. Out: that it never is this. What always holds: a part is written as the
//! reference says (calendar functions): `9:00`, `Sunday`, `July 2014`, or as a number within its range.

use super::super::ast::{Expr, ExprKind};
use super::super::function;
use super::scope::Scope;
use super::{Lint, Type, kind, rule};

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A function; whether a text is one of its, and such a text; its least and greatest number.
type Part = (&'static str, fn(&str) -> bool, &'static str, (f64, f64));

/// Numbers of what has none, or any.
const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The functions.
const PARTS: [Part; 10] = [
    ("yearOf", |text| number(text).is_some(), "2026", ALL),
    (
        "quarterOf",
        |text| text.split_once(' ').is_some_and(|(quarter, year)| is_quarter(quarter) && is_number(year)),
        "Q1 2026",
        (1.0, 4.0),
    ),
    (
        "monthOf",
        |text| text.split_once(' ').is_some_and(|(month, year)| is_month(month) && is_number(year)),
        "July 2026",
        (1.0, 12.0),
    ),
    ("weekOf", |text| text.strip_prefix("Week of ").is_some_and(is_day), "Week of January 15", ALL),
    ("weekdayOf", |text| WEEKDAYS.contains(&text), "Sunday", (0.0, 6.0)),
    ("dateOf", |text| text.split_once(", ").is_some_and(|(day, year)| is_day(day) && is_number(year)), "July 15, 2026", ALL),
    ("dayOfMonthOf", |text| number(text).is_some_and(|day| (1..=31).contains(&day)), "23", (1.0, 31.0)),
    ("daysInMonthOf", |text| number(text).is_some_and(|days| (28..=31).contains(&days)), "30", (28.0, 31.0)),
    ("hourOf", |text| text.strip_suffix(":00").and_then(number).is_some_and(|hour| hour < 24), "9:00", (0.0, 23.0)),
    ("minuteOf", |text| number(text).is_some_and(|minute| minute < 60), "48", (0.0, 59.0)),
];

impl Lint<'_> {
    /// A calendar function beside something else.
    pub(super) fn calendar(&mut self, side: &Expr, other: &Expr, scope: &Scope<'_>) {
        let ExprKind::Call(call) = &side.kind else { return };
        let name = function::function(&call.name.text).map_or("", |function| function.name);
        let Some((_, is_one, such, (least, most))) = PARTS.iter().find(|(part, ..)| *part == name) else { return };
        let hint = match (kind::of(side, scope), &other.kind) {
            (Some(Type::Text), ExprKind::Text(text)) if !is_one(text) && !text.contains("{{") => {
                format!("it is such as '{such}'")
            }
            (Some(Type::Number), _) if kind::number(other).is_some_and(|number| !(*least..=*most).contains(&number)) => {
                format!("it is {least} to {most}")
            }
            _ => return,
        };
        self.tell(&rule::CALENDAR_VALUE, other.span, format!("`{side}` never is `{other}`"), hint);
    }
}

/// A whole number as calendar functions write it: without zeros before it.
fn number(text: &str) -> Option<u32> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

fn is_number(text: &str) -> bool {
    number(text).is_some()
}

fn is_quarter(text: &str) -> bool {
    ["Q1", "Q2", "Q3", "Q4"].contains(&text)
}

fn is_month(text: &str) -> bool {
    MONTHS.contains(&text)
}

/// `July 15`.
fn is_day(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(month, day)| is_month(month) && number(day).is_some_and(|day| (1..=31).contains(&day)))
}
