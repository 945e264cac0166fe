//! Moments, spans of time, widths of buckets.

use super::{Parsed, Parser};
use crate::nrql::ast::{Duration, Moment, Unit, Width};
use crate::nrql::lexer::TokenKind;
use crate::nrql::words;

impl Parser<'_> {
    /// What stands behind `SINCE`, `UNTIL`, `COMPARE WITH`.
    pub(super) fn moment(&mut self) -> Parsed<Moment> {
        if let Some(name) = self.eat_template() {
            let unit = self.eat_unit();
            return if self.eat_word("AGO") {
                Ok(Moment::TemplateAgo { name, unit })
            } else if unit.is_some() {
                Err(self.fault())
            } else {
                Ok(Moment::Template(name))
            };
        }
        if let TokenKind::Number(_) = self.token().kind {
            return self.number_of_moment();
        }
        if let Some(text) = self.eat_text("a date in quotes") {
            return Ok(Moment::Text(text));
        }
        if self.eat_word("NOW") {
            return Ok(Moment::Now);
        }
        if self.eat_word("THIS") {
            return Ok(Moment::This(self.unit()?));
        }
        if self.eat_word("LAST") {
            return Ok(Moment::Last(self.unit()?));
        }
        if let Some(day) = words::day(self.word(0)) {
            self.advance();
            let at = if self.eat_word("AT") { Some(self.need_text("a time of day in quotes")?) } else { None };
            return Ok(Moment::Day { day, at });
        }
        self.note("a day");
        self.note("a number");
        Err(self.fault())
    }

    /// `n units AGO`, or milliseconds since 1970.
    fn number_of_moment(&mut self) -> Parsed<Moment> {
        let epoch = self.written(self.token()).parse::<i64>();
        let with_unit = words::unit(self.word(1)).is_some();
        let duration = self.duration()?;
        if self.eat_word("AGO") {
            return Ok(Moment::Ago(duration));
        }
        match epoch {
            Ok(epoch) if !with_unit => Ok(Moment::Epoch(epoch)),
            _ => Err(self.fault()),
        }
    }

    /// `n units`; milliseconds without a unit.
    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        let TokenKind::Number(count) = self.token().kind else {
            self.note("a number");
            return Err(self.fault());
        };
        self.advance();
        let unit = self.eat_unit().unwrap_or(Unit::Millisecond);
        Ok(Duration { count, unit })
    }

    fn eat_unit(&mut self) -> Option<Unit> {
        let unit = words::unit(self.word(0));
        if unit.is_some() {
            self.advance();
        } else {
            self.note("a unit of time");
        }
        unit
    }

    fn unit(&mut self) -> Parsed<Unit> {
        self.eat_unit().ok_or_else(|| self.fault())
    }

    /// How wide a bucket is, if it is said. A word behind `TIMESERIES` is the next clause, unless it is a unit.
    pub(super) fn width(&mut self) -> Parsed<Option<Width>> {
        if let Some(name) = self.eat_template() {
            return Ok(Some(match self.eat_unit() {
                Some(unit) => Width::TemplateUnits { name, unit },
                None => Width::Template(name),
            }));
        }
        if self.eat_word("AUTO") {
            return Ok(Some(Width::Auto));
        }
        if self.eat_word("MAX") {
            return Ok(Some(Width::Max));
        }
        if let TokenKind::Number(_) = self.token().kind {
            return Ok(Some(Width::Exact(self.duration()?)));
        }
        self.note("a number");
        Ok(self.eat_unit().map(|unit| Width::Exact(Duration { count: 1.0, unit })))
    }

    /// A whole number, as `LIMIT` and `OFFSET` take.
    pub(super) fn whole(&mut self) -> Parsed<u64> {
        let whole = self.written(self.token()).parse::<u64>();
        if let (TokenKind::Number(_), Ok(whole)) = (&self.token().kind, whole) {
            self.advance();
            return Ok(whole);
        }
        self.note("a whole number");
        Err(self.fault())
    }
}
