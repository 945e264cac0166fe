//! Texts that have a grammar of their own: zones, dates, patterns, units.
//!
//! In: the texts of a query. Out: those that cannot be read. What always holds: the lab reads them by the same code; what holds a
//! `{{variable}}` is not judged before that is filled in.

use super::super::ast::{Argument, Call, Expr, ExprKind, Moment, NamedValue, Query, Span, Text};
use super::super::date_pattern::DatePattern;
use super::super::function::Function;
use super::super::{pattern, time, unit};
use super::{Lint, plain_arguments, rule};

/// How `encode` and `decode` write bytes (docs: encode).
const ENCODINGS: [&str; 3] = ["base64", "base64mime", "base64url"];

/// Reads a text; says why it cannot.
type Read = fn(&str) -> Result<(), String>;

/// Functions with such a text: in which place, counted from 0, and how it is read.
const TEXTS: [(&str, usize, Read); 6] = [
    ("capture", 1, |text| pattern::capture(text).map_err(|error| error.to_string())),
    ("aparse", 1, |text| pattern::aparse(text).map_err(|error| error.to_string())),
    ("toDatetime", 1, date_pattern),
    ("toTimestamp", 1, date_pattern),
    ("encode", 1, encoding),
    ("decode", 1, encoding),
];

impl Lint<'_> {
    /// The zone and the moments of a query.
    pub(super) fn texts(&mut self, query: &Query) {
        if let Some(Text { text, span, .. }) = &query.timezone {
            self.read(text, *span, zone);
        }
        for moment in [&query.since, &query.until, &query.compare].into_iter().flatten() {
            self.moment(moment);
        }
    }

    /// A date, or a time of day.
    pub(super) fn moment(&mut self, moment: &Moment) {
        match moment {
            Moment::Text(Text { text, span, .. }) => {
                self.read(text, *span, |text| {
                    time::DateTimeText::parse(text.trim()).map(drop).map_err(|error| error.to_string())
                });
            }
            Moment::Day { at: Some(Text { text, span, .. }), .. } => self.read(text, *span, |text| {
                let time = time::time_of_day(text);
                time.map(drop).ok_or_else(|| format!("`'{text}'` is no time of day: H:MM or H:MM:SS is"))
            }),
            _ => {}
        }
    }

    /// The texts among the arguments of a call.
    pub(super) fn texts_of(&mut self, call: &Call, function: &Function) {
        for (_, place, read) in TEXTS.iter().filter(|(name, ..)| *name == function.name) {
            if let Some((text, span)) = text_at(call, *place) {
                self.read(text, span, *read);
            }
        }
        for argument in &call.arguments {
            if let Argument::Named { name, value: NamedValue::Value(Expr { kind: ExprKind::Text(text), span }) } = argument
                && name.text.eq_ignore_ascii_case("timezone")
            {
                self.read(text, *span, zone);
            }
        }
        if function.name == "convert" {
            self.units(call);
        }
    }

    /// The pattern of `RLIKE`.
    pub(super) fn expression(&mut self, value: &Expr) {
        if let ExprKind::Text(text) | ExprKind::Raw(text) = &value.kind {
            self.read(text, value.span, |text| pattern::rlike(text).map_err(|error| error.to_string()));
        }
    }

    fn read(&mut self, text: &str, span: Span, read: impl FnOnce(&str) -> Result<(), String>) {
        if text.contains("{{") {
            return;
        }
        if let Err(message) = read(text) {
            self.tell(&rule::UNREADABLE_TEXT, span, message, "");
        }
    }

    /// Both units of `convert`.
    fn units(&mut self, call: &Call) {
        let mut measures = Vec::new();
        for (text, span) in [1, 2].into_iter().filter_map(|place| text_at(call, place)) {
            if text.contains("{{") {
                continue;
            }
            if let Some(unit) = unit::find(text) {
                measures.push((unit.measures, text, span));
            } else {
                let message = format!("`'{text}'` is none of the units that are known here");
                self.tell(&rule::UNKNOWN_UNIT, span, message, "UCUM names are taken, such as 's', 'min', 'By'; case matters");
            }
        }
        if let [(from, from_text, _), (to, to_text, span)] = *measures
            && from != to
        {
            let message = format!("`'{from_text}'` and `'{to_text}'` measure different things");
            self.tell(&rule::UNKNOWN_UNIT, span, message, "");
        }
    }
}

/// The text at a place of a call, counted from 0.
fn text_at(call: &Call, place: usize) -> Option<(&str, Span)> {
    match plain_arguments(&call.arguments).nth(place) {
        Some(Argument::Value(Expr { kind: ExprKind::Text(text) | ExprKind::Raw(text), span })) => Some((text, *span)),
        _ => None,
    }
}

fn zone(text: &str) -> Result<(), String> {
    time::zone(text).map(drop).ok_or_else(|| format!("there is no time zone `'{text}'`: one is such as 'Asia/Tokyo'"))
}

fn date_pattern(text: &str) -> Result<(), String> {
    DatePattern::compile(text).map(drop).map_err(|error| error.to_string())
}

fn encoding(text: &str) -> Result<(), String> {
    let known = ENCODINGS.iter().any(|known| known.eq_ignore_ascii_case(text));
    if known { Ok(()) } else { Err(format!("there is no encoding `'{text}'`: there are {}", ENCODINGS.join(", "))) }
}
