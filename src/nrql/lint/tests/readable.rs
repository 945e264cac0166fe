//! Texts that have a grammar of their own.

use super::For::{Picked, Saved};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("no zone", Picked, "SELECT count(*) FROM Event WITH TIMEZONE ¦'Nowhere/Else'", &["unreadable-text"]),
    (
        "a zone of a function that is none",
        Picked,
        "SELECT toDatetime(score, 'yyyy', timezone: ¦'Nowhere') FROM Event",
        &["unreadable-text"],
    ),
    ("a date that is none", Saved, "SELECT count(*) FROM Event SINCE ¦'2026-13-45'", &["unreadable-text"]),
    ("a time of day that is none", Saved, "SELECT count(*) FROM Event SINCE today AT ¦'99:00'", &["unreadable-text"]),
    (
        "a time of day with parts of a second",
        Saved,
        "SELECT count(*) FROM Event SINCE yesterday UNTIL today AT ¦'09:00:00.5'",
        &["unreadable-text"],
    ),
    ("a date of SHOW that is none", Saved, "SHOW EVENT TYPES SINCE ¦'long ago'", &["unreadable-text"]),
    ("no regular expression", Picked, "SELECT count(*) FROM Event WHERE flag RLIKE ¦r'('", &["unreadable-text"]),
    ("an expression of any size", Picked, "SELECT count(*) FROM Event WHERE flag RLIKE '(.{999}){999}'", &[]),
    (
        "more groups than a capture takes",
        Picked,
        "SELECT capture(flag, ¦r'(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)(m)(n)(o)(p)(q)') FROM Event",
        &["unreadable-text"],
    ),
    ("a capture without a group", Picked, "SELECT capture(flag, ¦r'abc') FROM Event", &["unreadable-text"]),
    ("an anchor without a star", Picked, "SELECT aparse(flag, ¦'abc') FROM Event", &["unreadable-text"]),
    ("no date pattern", Picked, "SELECT toDatetime(score, ¦'qqqqqqqq{') FROM Event", &["unreadable-text"]),
    ("no date pattern to read by", Picked, "SELECT fromDatetime(flag, ¦'yyyy-jj') FROM Event", &["unreadable-text"]),
    ("no encoding", Picked, "SELECT encode(flag, ¦'base65') FROM Event", &["unreadable-text"]),
    ("no units", Picked, "SELECT convert(score, ¦'foo', ¦'bar') FROM Event", &["unknown-unit", "unknown-unit"]),
    ("a unit in another case", Picked, "SELECT convert(score, 's', ¦'MIN') FROM Event", &["unknown-unit"]),
    ("units of different things", Picked, "SELECT convert(score, 's', ¦'By') FROM Event", &["unknown-unit"]),
    (
        "texts that can be read",
        Saved,
        "SELECT capture(flag, r'(?P<a>.*)-(?P<b>.*)'), aparse(flag, '%*%'), toDatetime(score, 'yyyy-MM-dd', timezone: 'JST'), \
         convert(score, 'ms', 'min'), decode(flag, 'base64url') FROM Event WHERE flag RLIKE r'[a-z]+' SINCE today AT '9:00' \
         UNTIL now WITH TIMEZONE 'asia/tokyo'",
        &[],
    ),
    (
        "texts with variables",
        Picked,
        "SELECT toDatetime(score, '{{account}}') FROM Event WHERE flag RLIKE '({{account}}' WITH TIMEZONE '{{severity}}'",
        &[],
    ),
];

#[test]
fn texts_are_read_as_the_lab_reads_them() {
    check(CASES);
}
