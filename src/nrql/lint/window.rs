//! How far back a query looks, how long New Relic keeps what it asks for, how many buckets that makes.
//!
//! No clock is asked, so that a query is judged alike on every day: of a fixed date is known that it lies before what is kept only if it
//! did so already when this was written ([`WRITTEN_MS`]); and a calendar unit that is too long on a few days alone is a warning.
//!
//! What always holds: days are counted as New Relic does (`n months ago` is n times 30 days); a calendar unit counts with its longest:
//! `last month` on the last day of a month begins 62 days ago. Facts: docs, manage data retention (custom events and logs 30 days,
//! metrics 13 months), TIMESERIES (366 buckets), query time range.

use jiff::tz::TimeZone;

use super::super::ast::{Day, Duration, Moment, Query, Source, Unit, Width};
use super::super::time;
use super::names::METRIC;
use super::{Lint, Outer, Purpose, Window, may_say_more, rule, span};

/// Days that New Relic keeps events and logs.
const EVENT_DAYS: f64 = 30.0;
/// Days that New Relic keeps metrics: 13 months.
const METRIC_DAYS: f64 = 395.0;
/// Days of the window without `SINCE`: an hour.
pub(super) const DEFAULT_DAYS: f64 = 1.0 / 24.0;
/// A moment that is past, whatever the clock says: 2026-01-01T00:00Z, milliseconds since 1970.
pub(super) const WRITTEN_MS: i64 = 1_767_225_600_000;
/// Milliseconds of a day.
pub(super) const DAY_MS: f64 = 86_400_000.0;
/// Most buckets of a series.
const BUCKETS: f64 = 366.0;
/// Most buckets that are predicted, and most that a prediction learns from (docs: PREDICT).
const PREDICTED: (f64, f64) = (360.0, 3_660.0);

impl Lint<'_> {
    /// Judges the window of a query; gives the one that queries in it have.
    pub(super) fn window<'q>(&mut self, query: &'q Query, outer: &Outer<'q>) -> Window<'q> {
        let inherited = outer.window();
        let has_own = query.since.is_some() || query.until.is_some();
        let window = match outer {
            Outer::None => Window { of: Some(query), compared: query.compare.is_some().then_some(query) },
            Outer::Value(_) | Outer::In(_) | Outer::Join(_) if has_own => Window { of: Some(query), compared: None },
            _ => inherited,
        };
        if self.is_condition() {
            return window;
        }
        if let Outer::None = outer {
            self.own_window(query);
        }
        if has_own {
            self.order(query);
        }
        self.retention(query, window);
        self.buckets(query, window);
        self.predicted(query);
        window
    }

    /// The window of the outermost query.
    fn own_window(&mut self, query: &Query) {
        let reads = query.from.iter().any(|source| !matches!(source, Source::Lookup(_)));
        if query.since.is_none() && reads && !may_say_more(query) {
            match self.purpose {
                Purpose::Widget { own_window: true } => {
                    let message = "the window is the query's own, and it has no SINCE";
                    self.tell(&rule::NO_WINDOW, query.span, message, "say SINCE, or let the time picker choose");
                }
                Purpose::Saved => {
                    self.tell(&rule::LAST_HOUR, query.span, "no SINCE: only the last hour is asked", "");
                }
                Purpose::Widget { own_window: false } | Purpose::Condition { .. } => {}
            }
        }
        if let Some((_, most)) = query.compare.as_ref().and_then(back_days)
            && most <= 0.0
        {
            let at = self.clauses.find(query, "COMPARE");
            self.tell(&rule::COMPARE_WITH_ITSELF, at, "the window is compared with itself", "say how far back, as `1 week ago`");
        } else if query.compare.is_some() && query.since.is_none() && query.until.is_none() && !may_say_more(query) {
            let at = self.clauses.find(query, "COMPARE");
            self.tell(&rule::COMPARE_WITHOUT_WINDOW, at, "COMPARE WITH without SINCE or UNTIL compares an hour", "");
        }
        if let Purpose::Widget { .. } = self.purpose {
            for (moment, word) in [(&query.since, "SINCE"), (&query.until, "UNTIL"), (&query.compare, "COMPARE")] {
                if let Some(Moment::Epoch(_) | Moment::Text(_)) = moment {
                    let at = self.clauses.find(query, word);
                    self.tell(&rule::FIXED_WINDOW, at, "a fixed date in a widget, which shows less every day", "say `… ago`");
                }
            }
        }
    }

    /// `SINCE` before `UNTIL`.
    pub(super) fn order(&mut self, query: &Query) {
        if let Some((_, most)) = span::length(query, &zone_of(query))
            && most <= 0.0
        {
            let at = self.clauses.find(query, "SINCE");
            self.tell(&rule::EMPTY_WINDOW, at, "the window ends before it begins", "");
        }
    }

    /// Nothing is asked for that is not kept.
    pub(super) fn retention(&mut self, query: &Query, window: Window<'_>) {
        let Some((what, kept)) = kept_days(query) else { return };
        let zone = zone_of(window.of.unwrap_or(query));
        let back = |moment: Option<&Moment>, default: f64| {
            moment.map_or(Some((default, default)), |moment| back_days(moment).or_else(|| long_past(moment, &zone)))
        };
        let since = window.of.and_then(|of| of.since.as_ref());
        let until = window.of.and_then(|of| of.until.as_ref());
        let compare = window.compared.and_then(|of| of.compare.as_ref());
        let begins = match (since, until) {
            (None, Some(until)) => back(Some(until), 0.0).map(|(least, most)| (least + DEFAULT_DAYS, most + DEFAULT_DAYS)),
            (since, _) => back(since, DEFAULT_DAYS),
        };
        let (Some(begins), Some(compared)) = (begins, back(compare, 0.0)) else { return };
        let (least, most) = (begins.0 + compared.0, begins.1 + compared.1);
        if most <= kept + 1e-9 {
            return;
        }
        let at = match window.of {
            Some(of) if std::ptr::eq(of, query) => self.clauses.find(query, if compared.1 > 0.0 { "COMPARE" } else { "SINCE" }),
            _ => query.span,
        };
        let keeps = format!("New Relic keeps {what} {} days", shown(kept));
        if f64::midpoint(least, most) <= kept {
            let message = format!("looks up to {} days back; {keeps}", shown(most));
            self.tell(&rule::NEARLY_BEYOND_RETENTION, at, message, format!("say `{} days ago`", shown(kept)));
            return;
        }
        let is_fixed = [since, until, compare].into_iter().flatten().any(|moment| fixed_ms(moment, &zone).is_some());
        let how = if is_fixed { "more than " } else { "" };
        self.tell(&rule::BEYOND_RETENTION, at, format!("looks {how}{} days back; {keeps}", shown(most)), "");
    }

    /// The buckets of a series. Of a window that is longer on some days than on others, what holds on all of them is told.
    fn buckets(&mut self, query: &Query, window: Window<'_>) {
        let (Some(series), Some(of)) = (&query.timeseries, window.of) else { return };
        let Width::Exact(width) = series.width else { return };
        let width = days(width);
        let step = match series.slide {
            Some(Width::Exact(step)) => days(step),
            Some(_) => return,
            None => width,
        };
        let at = self.clauses.find(query, "TIMESERIES");
        if width <= 0.0 || step <= 0.0 {
            self.tell(&rule::TOO_MANY_BUCKETS, at, "buckets of no width", "say wider buckets");
            return;
        }
        let picked = matches!(self.purpose, Purpose::Widget { own_window: false });
        if of.since.is_none() && (picked || may_say_more(of)) {
            return;
        }
        let Some((least, most)) = span::length(of, &zone_of(of)) else { return };
        let buckets = count(least, width, step);
        if buckets > BUCKETS {
            let at_least = if count(most, width, step) > buckets { "at least " } else { "" };
            let message = format!("{at_least}{buckets} buckets; at most {BUCKETS} are allowed");
            self.tell(&rule::TOO_MANY_BUCKETS, at, message, "say wider buckets, or a shorter window");
        } else if most > 0.0 && count(most, width, step) < 1.0 {
            self.tell(&rule::TOO_MANY_BUCKETS, at, "a bucket is wider than the window: there is none", "");
        }
    }

    /// How many buckets are predicted, and from how many.
    fn predicted(&mut self, query: &Query) {
        let (Some(predict), Some(series)) = (&query.predict, &query.timeseries) else { return };
        let Width::Exact(width) = series.slide.as_ref().unwrap_or(&series.width) else { return };
        for (word, duration, most) in [("BY", predict.by, PREDICTED.0), ("USING", predict.using, PREDICTED.1)] {
            let buckets = duration.map_or(0.0, |duration| (days(duration) / days(*width) - 1e-9).ceil());
            if buckets > most && buckets.is_finite() {
                let message = format!("PREDICT {word} of {buckets} buckets; at most {most} are allowed");
                self.tell(&rule::OVER_LIMIT, predict.span, message, "say wider buckets, or a shorter time");
            }
        }
    }
}

/// How many buckets a window has, all in days: the window is cut to whole widths at its begin, then the steps are counted.
fn count(length: f64, width: f64, step: f64) -> f64 {
    // What days in fractions lose.
    let whole = |number: f64| (number + 1e-9).floor();
    let cut = whole(length / width) * width;
    if cut < width * (1.0 - 1e-9) { 0.0 } else { whole((cut - width) / step) + 1.0 }
}

/// What of what a query itself reads is kept shortest, and how many days; `None`: it reads nothing itself.
fn kept_days(query: &Query) -> Option<(&str, f64)> {
    let kept = query.from.iter().filter_map(|source| match source {
        Source::Type(name) if name.text == METRIC => Some(("metrics", METRIC_DAYS)),
        Source::Type(name) => Some((name.text.as_str(), EVENT_DAYS)),
        Source::Template(_) => Some(("events", EVENT_DAYS)),
        Source::Lookup(_) | Source::Query(_) => None,
    });
    kept.min_by(|one, other| one.1.total_cmp(&other.1))
}

/// Days from a moment to now, at least and at most; `None`: that depends on more than now.
fn back_days(moment: &Moment) -> Option<(f64, f64)> {
    let between = |least: f64, most: f64| Some((least, most));
    match moment {
        Moment::Now => between(0.0, 0.0),
        Moment::Ago(duration) => between(days(*duration), days(*duration)),
        Moment::Day { day: Day::Today, .. } => between(0.0, 1.0),
        Moment::Day { day: Day::Yesterday, at: None } => between(1.0, 2.0),
        Moment::Day { day: Day::Yesterday, at: Some(_) } => between(0.0, 2.0),
        Moment::Day { .. } => between(0.0, 7.0),
        Moment::This(unit) => between(0.0, longest(*unit)),
        Moment::Last(unit) => between(shortest(*unit), 2.0 * longest(*unit)),
        Moment::Epoch(_) | Moment::Text(_) | Moment::Template(_) | Moment::TemplateAgo { .. } => None,
    }
}

/// A fixed date, milliseconds since 1970; `None`: the moment depends on now, or cannot be read.
pub(super) fn fixed_ms(moment: &Moment, zone: &TimeZone) -> Option<i64> {
    match moment {
        Moment::Epoch(ms) => Some(*ms),
        Moment::Text(text) => {
            let read = time::DateTimeText::parse(text.text.trim()).ok()?;
            read.resolve(read.date?, zone)
        }
        _ => None,
    }
}

/// Days that a fixed date is past at least; `None` of one that may be to come.
fn long_past(moment: &Moment, zone: &TimeZone) -> Option<(f64, f64)> {
    let past = WRITTEN_MS.checked_sub(fixed_ms(moment, zone)?).filter(|past| *past > 0)? as f64 / DAY_MS;
    Some((past, past))
}

/// The zone of a query; UTC without one that can be read.
fn zone_of(query: &Query) -> TimeZone {
    query.timezone.as_ref().and_then(|text| time::zone(&text.text)).unwrap_or(TimeZone::UTC)
}

pub(super) fn days(Duration { count, unit }: Duration) -> f64 {
    let fixed = match unit {
        Unit::Millisecond => 1.0 / 86_400_000.0,
        Unit::Second => 1.0 / 86_400.0,
        Unit::Minute => 1.0 / 1_440.0,
        Unit::Hour => 1.0 / 24.0,
        Unit::Day => 1.0,
        Unit::Week => 7.0,
        Unit::Month => 30.0,
        Unit::Quarter => 91.0,
        Unit::Year => 365.0,
    };
    count * fixed
}

/// Days of the longest such calendar unit.
pub(super) fn longest(unit: Unit) -> f64 {
    match unit {
        Unit::Month => 31.0,
        Unit::Quarter => 92.0,
        Unit::Year => 366.0,
        _ => days(Duration { count: 1.0, unit }),
    }
}

/// Days of the shortest such calendar unit.
pub(super) fn shortest(unit: Unit) -> f64 {
    match unit {
        Unit::Month => 28.0,
        Unit::Quarter => 90.0,
        Unit::Year => 365.0,
        _ => days(Duration { count: 1.0, unit }),
    }
}

/// Days in a message.
fn shown(days: f64) -> String {
    let rounded = (days * 10.0).ceil() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}
