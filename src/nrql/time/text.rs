//! A date and time as text: `'2023-12-18T12:34:56.789-06:00'`.
//!
//! In: a text in the form `[date][T or blank][time][zone][AM/PM]` of New Relic's page "Set a query's time range". Out: its parts, and the
//! moment they name in a zone. What always holds: what is not said is not made up: a text without a date has none, and the caller
//! says which day is meant.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use super::zone::{offset_seconds, zone};

/// Why a text is no date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no date and time at its byte {at}: {allowed}")]
pub struct TextError {
    /// The text.
    pub text: String,
    /// The byte of the text where reading stopped.
    pub at: usize,
    /// What may stand there.
    pub allowed: &'static str,
}

/// The parts of a date and time.
#[derive(Debug, Clone, PartialEq)]
pub struct DateTimeText {
    /// The day, if the text names one.
    pub date: Option<Date>,
    /// The time of day; midnight for a text that is only a date.
    pub time: Time,
    /// The zone, if the text names one.
    pub zone: Option<TimeZone>,
}

impl DateTimeText {
    /// Reads a text.
    ///
    /// # Errors
    /// When the text has another form or names a day or time that does not exist.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let mut reader = Reader { text, at: 0 };
        reader.read().map_err(|allowed| TextError { text: text.to_owned(), at: reader.at.min(text.len()), allowed })
    }

    /// The moment in milliseconds since 1970, on `day` if the text has none, in `other` if it names no zone. None beyond the years
    /// -9999 to 9999. A time that a clock skips is read as the one after the gap, one that it shows twice as the first.
    #[must_use]
    pub fn resolve(&self, day: Date, other: &TimeZone) -> Option<i64> {
        let zone = self.zone.as_ref().unwrap_or(other);
        instant(DateTime::from_parts(self.date.unwrap_or(day), self.time), zone)
    }
}

/// The moment a clock of this zone shows this, milliseconds since 1970; none beyond the years -9999 to 9999.
#[must_use]
pub fn instant(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(Timestamp::as_millisecond)
}

/// A time of day, as `AT` takes it: `H:MM` or `H:MM:SS`, with neither a day nor a zone nor parts of a second. `None`: the text is none.
#[must_use]
pub fn time_of_day(text: &str) -> Option<Time> {
    let parsed = DateTimeText::parse(text).ok()?;
    (parsed.date.is_none() && parsed.zone.is_none() && !text.contains('.')).then_some(parsed.time)
}

/// Where reading is.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// What may stand where reading stopped.
type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn read(&mut self) -> Read<DateTimeText> {
        let date = self.date()?;
        let after_t = date.is_some() && self.take(b'T');
        let blank = !after_t && date.is_some() && self.peek(0) == Some(b' ') && self.digits(1) > 0;
        if blank {
            self.at += 1;
        }
        let clock = if date.is_none() || after_t || blank { Some(self.clock(after_t)?) } else { None };
        let named = self.zone()?;
        let half = self.half()?;
        if self.at < self.text.len() {
            return Err("a zone (Z, +09:00, [Asia/Tokyo]), AM or PM, or the end");
        }
        let time = match (clock, half) {
            (None, None) => Time::midnight(),
            (None, Some(_)) => return Err("the end: AM and PM need a time"),
            (Some(clock), None) => clock.time(None)?,
            (Some(_), Some(_)) if named.as_ref().is_some_and(|(_, bracketed)| *bracketed) => {
                return Err("the end: AM and PM do not go with a zone in brackets");
            }
            (Some(clock), Some(_)) if clock.compact => return Err("the end: AM and PM need colons in the time"),
            (Some(clock), half) => clock.time(half)?,
        };
        Ok(DateTimeText { date, time, zone: named.map(|(zone, _)| zone) })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek(0) == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// How many digits stand from `ahead` on.
    fn digits(&self, ahead: usize) -> usize {
        self.text.as_bytes().iter().skip(self.at + ahead).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize, what: &'static str) -> Read<i16> {
        if self.digits(0) < digits {
            return Err(what);
        }
        let number = self.text.get(self.at..self.at + digits).and_then(|text| text.parse().ok()).ok_or(what)?;
        self.at += digits;
        Ok(number)
    }

    /// `YYYY-MM[-DD]`, dashes optional; none where a time stands.
    fn date(&mut self) -> Read<Option<Date>> {
        if self.digits(0) < 4 {
            return Ok(None);
        }
        let year = self.number(4, "a year of four digits")?;
        let dashed = self.take(b'-');
        let month = self.number(2, "a month of two digits")?;
        // `2023-12-06:00` is December at the offset -06:00, `2023-12-06` is a day.
        let (skipped, digits) = if dashed { (1, self.digits(1)) } else { (0, self.digits(0)) };
        let is_day = digits == 2 && self.peek(skipped + 2) != Some(b':') && (!dashed || self.peek(0) == Some(b'-'));
        let day = if is_day {
            self.at += skipped;
            self.number(2, "a day of two digits")?
        } else {
            1
        };
        match (i8::try_from(month), i8::try_from(day)) {
            (Ok(month), Ok(day)) => Date::new(year, month, day).map(Some).map_err(|_| "a day that exists"),
            _ => Err("a day that exists"),
        }
    }

    /// `H:MM[:SS[.fff]]`; after a `T` also `HHMM[SS[.fff]]`.
    fn clock(&mut self, after_t: bool) -> Read<Clock> {
        const FORM: &str = "a time as H:MM, H:MM:SS or H:MM:SS.fff";
        let digits = self.digits(0);
        if after_t && digits >= 4 {
            let hour = self.number(2, FORM)?;
            let minute = self.number(2, FORM)?;
            let (second, milli) = if self.digits(0) >= 2 { (self.number(2, FORM)?, self.fraction()?) } else { (0, 0) };
            return Ok(Clock { hour, minute, second, milli, compact: true });
        }
        if !(1..=2).contains(&digits) {
            return Err(FORM);
        }
        let hour = self.number(digits, FORM)?;
        if !self.take(b':') {
            return Err(FORM);
        }
        let minute = self.number(2, FORM)?;
        let (second, milli) = if self.take(b':') { (self.number(2, FORM)?, self.fraction()?) } else { (0, 0) };
        Ok(Clock { hour, minute, second, milli, compact: false })
    }

    /// `.fff`, one to three digits, in milliseconds.
    fn fraction(&mut self) -> Read<i16> {
        if !self.take(b'.') {
            return Ok(0);
        }
        let digits = self.digits(0);
        let scale = match digits {
            1 => 100,
            2 => 10,
            3 => 1,
            _ => return Err("one to three digits of a second"),
        };
        Ok(self.number(digits, "one to three digits of a second")? * scale)
    }

    /// A zone, perhaps after a blank, and whether it stood in brackets.
    fn zone(&mut self) -> Read<Option<(TimeZone, bool)>> {
        let start = self.at;
        self.take(b' ');
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.as_bytes().first() {
            Some(b'+' | b'-') => {
                let length = if rest.as_bytes().get(3) == Some(&b':') { 6 } else { 5 };
                let offset = rest.as_bytes().get(..length).and_then(offset_seconds).ok_or("an offset as +09:00 or +0900")?;
                self.at += length;
                let offset = Offset::from_seconds(offset).map_err(|_| "an offset as +09:00 or +0900")?;
                Ok(Some((TimeZone::fixed(offset), false)))
            }
            Some(b'[') => {
                let (name, _) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or("a zone in brackets")?;
                let found = zone(name).ok_or("the name of a zone, as [Asia/Tokyo]")?;
                self.at += name.len() + 2;
                Ok(Some((found, true)))
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                let name = rest.get(..length).unwrap_or_default();
                if half(name).is_some() {
                    self.at = start;
                    return Ok(None);
                }
                let found = zone(name).ok_or("the name of a zone, as [Asia/Tokyo]")?;
                self.at += length;
                Ok(Some((found, false)))
            }
            _ => {
                self.at = start;
                Ok(None)
            }
        }
    }

    /// `AM` or `PM`, perhaps after a blank.
    fn half(&mut self) -> Read<Option<Half>> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let half =
            half(rest.strip_prefix(' ').unwrap_or(rest)).ok_or("a zone (Z, +09:00, [Asia/Tokyo]), AM or PM, or the end")?;
        self.at = self.text.len();
        Ok(Some(half))
    }
}

/// Which half of a day.
#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

fn half(name: &str) -> Option<Half> {
    match name {
        _ if name.eq_ignore_ascii_case("AM") => Some(Half::Morning),
        _ if name.eq_ignore_ascii_case("PM") => Some(Half::Afternoon),
        _ => None,
    }
}

/// A time of day as written.
struct Clock {
    hour: i16,
    minute: i16,
    second: i16,
    milli: i16,
    /// Without colons.
    compact: bool,
}

impl Clock {
    fn time(&self, half: Option<Half>) -> Read<Time> {
        let hour = match half {
            None => self.hour,
            Some(_) if !(1..=12).contains(&self.hour) => return Err("an hour of 1 to 12 with AM or PM"),
            Some(Half::Morning) => self.hour % 12,
            Some(Half::Afternoon) => self.hour % 12 + 12,
        };
        match (i8::try_from(hour), i8::try_from(self.minute), i8::try_from(self.second)) {
            (Ok(hour), Ok(minute), Ok(second)) => {
                Time::new(hour, minute, second, i32::from(self.milli) * 1_000_000).map_err(|_| "a time that exists")
            }
            _ => Err("a time that exists"),
        }
    }
}
