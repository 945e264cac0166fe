//! Tests on the values of one field.
//!
//! In: what a rule asks of a field ([`Spec`]). Out: a compiled [`Test`] that answers for one value's bytes. A text is compared
//! in any ASCII case unless the rule says `cased`; letters outside ASCII are compared in lower case when the rule holds some.
//! Absence is not a value: [`Test::Present`] and [`Test::Field`] are answered by the matcher, which knows all values.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::Regex;

use crate::record::time;

use super::fold::{self, Table};
use super::pattern::{Glob, Part, Pattern};

/// From this many on, a list is looked up instead of walked.
const MANY: usize = 6;

/// Up to so many bytes of needles the automaton is a table of all transitions: fastest, about 200 bytes for each.
const DFA_BYTES: usize = 8_192;

/// What a rule asks of a field. Specs that print alike are one predicate.
#[derive(Debug, Clone)]
pub(super) enum Spec {
    /// There is a value that is not `null`.
    Present,
    /// One of the patterns fits.
    Text { patterns: Vec<Pattern>, cased: bool },
    /// The regular expression is found in the value.
    Regex(Regex),
    /// The value is an address of one of the networks.
    Cidr(Vec<Network>),
    /// The value, as a number, compares so.
    Number(Compare, f64),
    /// The value is a date of which this part, in UTC, compares so.
    Date(Unit, Compare, f64),
    /// A value of this field stands so to a value of the other.
    Field { other: String, relation: Relation, cased: bool },
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, 1 to 31.
    Day,
    /// Of the year as ISO 8601 counts, 1 to 53.
    Week,
    /// 1 to 12.
    Month,
    Year,
}

impl Unit {
    /// The part of an ISO 8601 time, in UTC.
    fn of(self, value: &[u8]) -> Option<f64> {
        let ms = time::parse_ms(std::str::from_utf8(value).ok()?)?;
        let moment = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(ms).ok()?);
        Some(match self {
            Self::Minute => moment.minute().into(),
            Self::Hour => moment.hour().into(),
            Self::Day => moment.day().into(),
            Self::Week => moment.date().iso_week_date().week().into(),
            Self::Month => moment.month().into(),
            Self::Year => moment.year().into(),
        })
    }
}

/// How two texts stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Contains,
    StartsWith,
    EndsWith,
}

/// What a value is; `null` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string, its text.
    Text,
    /// A number, `true` or `false`, as written.
    Scalar,
    /// An object or array, its compact JSON.
    Composite,
}

/// A compiled [`Spec`].
#[derive(Debug)]
pub(super) enum Test {
    Present,
    Text(Box<TextTest>),
    Regex(Regex),
    Cidr(Vec<Network>),
    Number(Compare, f64),
    Date(Unit, Compare, f64),
    Field { other: u32, relation: Relation, cased: bool },
}

impl Test {
    /// Whether one value passes. `scratch` is overwritten.
    pub(super) fn holds(&self, kind: Kind, value: &[u8], scratch: &mut Vec<u8>) -> bool {
        match self {
            Self::Present => true,
            Self::Text(test) => test.holds(value, scratch),
            Self::Regex(regex) => regex.is_match(value),
            Self::Cidr(networks) => {
                kind == Kind::Text && parsed::<IpAddr>(value).is_some_and(|ip| networks.iter().any(|network| network.holds(ip)))
            }
            Self::Number(compare, limit) => {
                kind != Kind::Composite && parsed::<f64>(value).is_some_and(|number| compare.holds(number, *limit))
            }
            Self::Date(unit, compare, limit) => {
                kind == Kind::Text && unit.of(value).is_some_and(|part| compare.holds(part, *limit))
            }
            // Needs a second field: the matcher's part.
            Self::Field { .. } => false,
        }
    }
}

/// The address that a value is, if it is one.
pub(super) fn address(value: &[u8]) -> Option<IpAddr> {
    // What no address starts with is seen before the text is checked.
    if value.first().is_some_and(|first| first.is_ascii_hexdigit() || *first == b':') { parsed(value) } else { None }
}

fn parsed<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

impl Compare {
    pub(super) fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            // Parts of dates are whole numbers.
            Self::Equal => (number - limit).abs() < f64::EPSILON,
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}

impl Relation {
    /// Whether `value` stands so to `other`.
    pub(super) fn holds(self, value: &[u8], other: &[u8], cased: bool) -> bool {
        match (self, cased) {
            (Self::Equal, false) => value.eq_ignore_ascii_case(other),
            (Self::Equal, true) => value == other,
            (Self::Contains, false) => fold::contains(value, other),
            (Self::Contains, true) => memchr::memmem::find(value, other).is_some(),
            (Self::StartsWith, false) => fold::starts_with(value, other),
            (Self::StartsWith, true) => value.starts_with(other),
            (Self::EndsWith, false) => fold::ends_with(value, other),
            (Self::EndsWith, true) => value.ends_with(other),
        }
    }
}

/// An address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
    v6: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let ip: IpAddr = address.parse().ok()?;
        let bits: u32 = if ip.is_ipv6() { 128 } else { 32 };
        let length: u32 = length.map_or(Some(bits), |length| length.parse().ok())?;
        // A shift by all 128 bits is no shift at all: it keeps nothing.
        let host_bits = bits.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self { base: number(ip) & mask, mask, v6: ip.is_ipv6() })
    }

    /// First address and length of the prefix of a range of IPv4.
    pub(super) fn v4(&self) -> Option<(Ipv4Addr, u32)> {
        let base = u32::try_from(self.base).ok().filter(|_| !self.v6)?;
        // The mask of the upper 96 bits is there too.
        Some((base.into(), self.mask.leading_ones().checked_sub(96)?))
    }

    /// Whether the address is in the range.
    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        ip.is_ipv6() == self.v6 && number(ip) & self.mask == self.base
    }
}

/// In CIDR notation.
impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.v4() {
            Some((base, length)) => write!(out, "{base}/{length}"),
            None => write!(out, "{}/{}", Ipv6Addr::from(self.base), self.mask.leading_ones()),
        }
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

/// A list of patterns, any of which may fit, sorted by how they are looked for.
#[derive(Debug)]
pub(super) struct TextTest {
    cased: bool,
    /// Letters outside ASCII have a case: the value is compared in lower case.
    wide: bool,
    searches: Vec<Search>,
}

/// One way to look for some of the patterns.
#[derive(Debug)]
enum Search {
    /// `*` alone.
    Anything,
    Few(Relation, Vec<Box<[u8]>>),
    Exact(Table<()>),
    ExactCased(Table<(), true>),
    Inner(AhoCorasick),
    Globs(Vec<Glob>),
}

impl TextTest {
    /// Sorts the patterns.
    pub(super) fn new(patterns: &[Pattern], cased: bool) -> Self {
        let wide = !cased && patterns.iter().any(Pattern::has_wide_case);
        let (mut anything, mut globs) = (false, Vec::new());
        let (mut exact, mut starts, mut ends, mut inner) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for pattern in patterns {
            let pattern = if wide { pattern.to_lowercase() } else { pattern.clone() };
            let bytes = |text: &String| text.as_bytes().into();
            match pattern.0.as_slice() {
                [] => exact.push(Box::default()),
                [Part::Text(text)] => exact.push(bytes(text)),
                [Part::Many] => anything = true,
                [Part::Text(text), Part::Many] => starts.push(bytes(text)),
                [Part::Many, Part::Text(text)] => ends.push(bytes(text)),
                [Part::Many, Part::Text(text), Part::Many] => inner.push(bytes(text)),
                _ => globs.push(Glob::new(&pattern, cased)),
            }
        }
        let exact = match exact.len() {
            ..MANY => Search::Few(Relation::Equal, exact),
            _ if cased => Search::ExactCased(table(&exact)),
            _ => Search::Exact(table(&exact)),
        };
        // An automaton too large to build: the needles are walked one by one.
        let automaton = if inner.len() < MANY { None } else { automaton(&inner, cased) };
        let inner = automaton.map_or(Search::Few(Relation::Contains, inner), Search::Inner);
        let (starts, ends) = (Search::Few(Relation::StartsWith, starts), Search::Few(Relation::EndsWith, ends));
        let mut searches = vec![exact, starts, ends, inner, Search::Globs(globs)];
        if anything {
            searches.insert(0, Search::Anything);
        }
        searches.retain(|search| match search {
            Search::Few(_, texts) => !texts.is_empty(),
            Search::Globs(globs) => !globs.is_empty(),
            _ => true,
        });
        Self { cased, wide, searches }
    }

    fn holds(&self, value: &[u8], scratch: &mut Vec<u8>) -> bool {
        if !self.wide {
            return self.finds(value);
        }
        scratch.clear();
        for c in String::from_utf8_lossy(value).chars().flat_map(char::to_lowercase) {
            scratch.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.finds(scratch)
    }

    fn finds(&self, value: &[u8]) -> bool {
        self.searches.iter().any(|search| match search {
            Search::Anything => true,
            Search::Few(relation, texts) => texts.iter().any(|text| relation.holds(value, text, self.cased)),
            Search::Exact(table) => table.get(value).is_some(),
            Search::ExactCased(table) => table.get(value).is_some(),
            Search::Inner(needles) => needles.is_match(value),
            Search::Globs(globs) => globs.iter().any(|glob| glob.matches(value)),
        })
    }
}

fn table<const EXACT: bool>(texts: &[Box<[u8]>]) -> Table<(), EXACT> {
    let mut table = Table::default();
    for text in texts {
        table.entry(text, || ());
    }
    table
}

/// Finds many needles at once.
fn automaton(needles: &[Box<[u8]>], cased: bool) -> Option<AhoCorasick> {
    let bytes: usize = needles.iter().map(|needle| needle.len()).sum();
    let kind = (bytes <= DFA_BYTES).then_some(AhoCorasickKind::DFA);
    AhoCorasick::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(!cased).kind(kind).build(needles).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(patterns: &[&str], cased: bool, value: &str) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|pattern| Pattern::parse(pattern)).collect();
        TextTest::new(&patterns, cased).holds(value.as_bytes(), &mut Vec::new())
    }

    #[test]
    fn every_kind_of_pattern_in_any_case() {
        for (patterns, value, want) in [
            (&["StopLogging"][..], "stoplogging", true),
            (&["Delete*"], "deleteTrail", true),
            (&["*Trail"], "DELETETRAIL", true),
            (&["*ete*"], "DeleteTrail", true),
            (&["D*T?ail"], "DeleteTrail", true),
            (&["*"], "", true),
            (&[""], "", true),
            (&[""], "x", false),
            (&["a", "b", "c", "d", "e", "f", "g"], "G", true),
            (&["a", "b", "c", "d", "e", "f", "g"], "h", false),
            (&["*aa*", "*bb*", "*cc*", "*dd*", "*ee*", "*ff*"], "xFFx", true),
            (&["*aa*", "*bb*", "*cc*", "*dd*", "*ee*", "*ff*"], "xgx", false),
            (&["MÜLLER"], "müller", true),
            (&["*ü*"], "MÜLLER", true),
            (&["山田"], "山田", true),
        ] {
            assert_eq!(text(patterns, false, value), want, "{patterns:?} {value}");
        }
        assert!(!text(&["StopLogging"], true, "stoplogging"));
        assert!(!text(&["a", "b", "c", "d", "e", "f", "g"], true, "G"));
        assert!(!text(&["*aa*", "*bb*", "*cc*", "*dd*", "*ee*", "*ff*"], true, "xFFx"));
    }

    #[test]
    fn networks_hold_their_addresses_only() {
        for (network, ip, want) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.8", false),
        ] {
            let network = Network::parse(network).expect(network);
            assert_eq!(network.holds(ip.parse().expect(ip)), want, "{network:?} {ip}");
        }
        for bad in ["10.0.0.0/33", "ten", "10.0.0.0/", "10.0.0.0/-1", ""] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
