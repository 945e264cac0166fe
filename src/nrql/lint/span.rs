//! How long a window is whose ends may move.
//!
//! In: `SINCE` and `UNTIL`. Out: the length at least and at most, days. What always holds: no clock is asked, so what is given holds
//! whenever the query is run; ends that hang on the start of the same hour, day or month move together, so that the length between
//! them is known; days have the 23 to 25 hours that a zone with summer time gives them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Time};

use super::super::ast::{Day, Moment, Query, Unit};
use super::super::time;
use super::window::{DAY_MS, DEFAULT_DAYS, WRITTEN_MS, days, fixed_ms, longest, shortest};

/// Days by which clocks are moved at most (Antarctica/Troll: two hours).
const CLOCKS: f64 = 2.0 / 24.0;

/// What a moment moves with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Anchor {
    Now,
    /// The start of the current unit; of a week, its Monday.
    This(Unit),
    /// The newest such day: so many behind a Monday, 1 to 6.
    Weekday(u8),
}

/// A moment: days behind its anchor at least and at most, negative before it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    anchor: Anchor,
    behind: (f64, f64),
}

/// Days of a query's window, at least and at most; `None`: nothing is known of them.
pub(super) fn length(query: &Query, zone: &TimeZone) -> Option<(f64, f64)> {
    // Without SINCE the window is the hour before UNTIL.
    let Some(since) = &query.since else { return Some((DEFAULT_DAYS, DEFAULT_DAYS)) };
    let until = query.until.as_ref().unwrap_or(&Moment::Now);
    let past = |ms: i64| (WRITTEN_MS as f64 - ms as f64) / DAY_MS;
    match (fixed_ms(since, zone), fixed_ms(until, zone)) {
        (Some(since), Some(until)) => {
            let length = (until as f64 - since as f64) / DAY_MS;
            Some((length, length))
        }
        // Now is not before this was written.
        (Some(since), None) => {
            let back = between(place(until, false)?, Place::NOW, zone).1;
            Some((past(since) - back, f64::INFINITY))
        }
        (None, Some(until)) => {
            let back = between(place(since, true)?, Place::NOW, zone).1;
            Some((f64::NEG_INFINITY, back - past(until)))
        }
        (None, None) => Some(between(place(since, true)?, place(until, false)?, zone)),
    }
}

impl Place {
    const NOW: Self = Self { anchor: Anchor::Now, behind: (0.0, 0.0) };
}

/// Where a moment lies; `None`: it depends on more than now.
fn place(moment: &Moment, is_since: bool) -> Option<Place> {
    let at = |anchor, least: f64, most: f64| Some(Place { anchor, behind: (least, most) });
    match moment {
        Moment::Now => Some(Place::NOW),
        Moment::Ago(duration) => at(Anchor::Now, -days(*duration), -days(*duration)),
        Moment::This(unit) => at(Anchor::This(*unit), 0.0, 0.0),
        Moment::Last(unit) => at(Anchor::This(*unit), -longest(*unit), -shortest(*unit)),
        Moment::Day { day, at: text } => {
            let clock = match text {
                Some(text) => since_midnight(time::time_of_day(&text.text)?),
                None => 0.0,
            };
            // In SINCE, a time that is still to come today is yesterday's.
            let back = if is_since && *day == Day::Today && text.is_some() { 1.0 } else { 0.0 };
            let (anchor, start) = start(*day);
            at(anchor, start + clock - back, start + clock)
        }
        Moment::Epoch(_) | Moment::Text(_) | Moment::Template(_) | Moment::TemplateAgo { .. } => None,
    }
}

/// On what a day's word hangs, and how many days behind it is.
fn start(day: Day) -> (Anchor, f64) {
    match day {
        Day::Today => (Anchor::This(Unit::Day), 0.0),
        Day::Yesterday => (Anchor::This(Unit::Day), -1.0),
        Day::Monday => (Anchor::This(Unit::Week), 0.0),
        Day::Tuesday => (Anchor::Weekday(1), 0.0),
        Day::Wednesday => (Anchor::Weekday(2), 0.0),
        Day::Thursday => (Anchor::Weekday(3), 0.0),
        Day::Friday => (Anchor::Weekday(4), 0.0),
        Day::Saturday => (Anchor::Weekday(5), 0.0),
        Day::Sunday => (Anchor::Weekday(6), 0.0),
    }
}

fn since_midnight(time: Time) -> f64 {
    let seconds = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    f64::from(seconds) / 86_400.0
}

/// Days from one moment to another, at least and at most.
fn between(since: Place, until: Place, zone: &TimeZone) -> (f64, f64) {
    let (least, most) = apart(since.anchor, until.anchor);
    let moved = if [since, until].iter().all(|place| place.anchor.is_of_clock()) || !moves(zone) { 0.0 } else { CLOCKS };
    (least + until.behind.0 - since.behind.1 - moved, most + until.behind.1 - since.behind.0 + moved)
}

/// Days from one anchor to another, at least and at most.
fn apart(since: Anchor, until: Anchor) -> (f64, f64) {
    if since == until {
        return (0.0, 0.0);
    }
    if let (Some(since), Some(until)) = (since.weekday(), until.weekday()) {
        let later = f64::from((until + 7 - since) % 7);
        return (later - 7.0, later);
    }
    if until.lies_in(since) {
        (0.0, since.longest() - until.shortest())
    } else if since.lies_in(until) {
        (since.shortest() - until.longest(), 0.0)
    } else {
        (-until.longest(), since.longest())
    }
}

impl Anchor {
    /// Days from now back to it, at most.
    fn longest(self) -> f64 {
        match self {
            Self::Now => 0.0,
            Self::This(unit) => longest(unit),
            Self::Weekday(_) => 7.0,
        }
    }

    /// Days from it to the next of its kind, at least.
    fn shortest(self) -> f64 {
        match self {
            Self::Now => 0.0,
            Self::This(unit) => shortest(unit),
            Self::Weekday(_) => 7.0,
        }
    }

    /// Days behind a Monday.
    fn weekday(self) -> Option<u8> {
        match self {
            Self::This(Unit::Week) => Some(0),
            Self::Weekday(day) => Some(day),
            Self::Now | Self::This(_) => None,
        }
    }

    /// Whether the current one lies whole in the current other: an hour in its day, a day in its week, no week in a month.
    fn lies_in(self, other: Self) -> bool {
        let unit = match (self, other) {
            (_, Self::Now) => return false,
            (Self::Now, _) => return true,
            (Self::Weekday(_), _) => return false,
            (Self::This(unit), _) => unit,
        };
        match other {
            Self::This(other) => unit < other && unit != Unit::Week,
            _ => unit <= Unit::Day,
        }
    }

    /// Whether no clock that is moved changes how long it is.
    fn is_of_clock(self) -> bool {
        matches!(self, Self::Now) || matches!(self, Self::This(unit) if unit < Unit::Day)
    }
}

/// Whether the clocks of a zone are moved, as far as is known.
fn moves(zone: &TimeZone) -> bool {
    let written = Timestamp::from_millisecond(WRITTEN_MS).unwrap_or_default();
    zone.following(written).next().is_some()
}
