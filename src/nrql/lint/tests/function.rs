//! Calls of functions.

use super::For::Picked;
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("an unknown function", Picked, "SELECT ¦cuont(*) FROM Event", &["unknown-function"]),
    ("an unknown function inside another", Picked, "SELECT max(¦nummeric(flag)) FROM Event", &["unknown-function"]),
    ("no argument", Picked, "SELECT ¦count() FROM Event", &["wrong-arguments"]),
    ("too many arguments", Picked, "SELECT ¦sum(score, 1) FROM Event", &["wrong-arguments"]),
    ("a condition without a value", Picked, "SELECT sum(¦if(flag = 'a')) FROM Event", &["wrong-arguments"]),
    ("filter without a condition", Picked, "SELECT ¦filter(count(*)) FROM Event", &["wrong-arguments"]),
    ("filter with a condition without WHERE", Picked, "SELECT filter(count(*), ¦flag = 'a') FROM Event", &["wrong-arguments"]),
    ("filter of no aggregate", Picked, "SELECT filter(¦score, WHERE flag = 'a') FROM Event", &["wrong-arguments"]),
    ("percentage of no aggregate", Picked, "SELECT percentage(¦score, WHERE flag = 'a') FROM Event", &["wrong-arguments"]),
    ("rate of no aggregate", Picked, "SELECT rate(¦score, 1 minute) FROM Event", &["wrong-arguments"]),
    ("a sum of everything", Picked, "SELECT sum(¦*) FROM Event", &["wrong-arguments"]),
    (
        "an unknown argument",
        Picked,
        "SELECT uniqueCount(control.id, precision: 256, ¦exact: 1) FROM Event",
        &["unknown-argument"],
    ),
    ("a named argument of a function without", Picked, "SELECT sum(score, ¦precision: 1) FROM Event", &["unknown-argument"]),
    ("different values without precision", Picked, "SELECT ¦uniqueCount(control.id) FROM Event", &["unique-count-precision"]),
    (
        "different values in another case",
        Picked,
        "SELECT filter(¦uniquecount(control.id), WHERE flag = 'a') FROM Event",
        &["unique-count-precision"],
    ),
    ("a precision too low", Picked, "SELECT uniqueCount(control.id, precision: ¦100) FROM Event", &["over-limit"]),
    ("a precision too high", Picked, "SELECT uniqueCount(control.id, precision: ¦50001) FROM Event", &["over-limit"]),
    ("a count of a text", Picked, "SELECT count(¦'control.id') FROM Event", &["count-of-text"]),
    ("too long a list", Picked, "SELECT uniques(control.id, ¦10001) FROM Event", &["over-limit"]),
    ("too many buckets of a histogram", Picked, "SELECT histogram(score, 10, ¦501) FROM Event", &["over-limit"]),
    ("too many buckets of a histogram by name", Picked, "SELECT histogram(score, buckets: ¦501) FROM Event", &["over-limit"]),
    (
        "too many texts behind each other",
        Picked,
        "SELECT ¦concat(flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag, flag) FROM Event",
        &["over-limit"],
    ),
    (
        "too many steps of a funnel",
        Picked,
        "SELECT ¦funnel(event.id, WHERE score > 1, WHERE score > 2, WHERE score > 3, WHERE score > 4, WHERE score > 5, WHERE score > 6, WHERE score > 7, WHERE score > 8, WHERE score > 9, WHERE score > 10, WHERE score > 11) FROM Event",
        &["wrong-arguments"],
    ),
    (
        "too many captures",
        Picked,
        "SELECT capture(flag, r'(?P<a>.)') AS a, capture(flag, r'(?P<b>.)') AS b, capture(flag, r'(?P<c>.)') AS c, capture(flag, r'(?P<d>.)') AS d, capture(flag, r'(?P<e>.)') AS e, ¦capture(flag, r'(?P<f>.)') AS f FROM Event",
        &["over-limit"],
    ),
    ("an aggregate of an aggregate", Picked, "SELECT max(¦count(*)) FROM Event", &["nested-aggregate"]),
    ("an aggregate deep in an aggregate", Picked, "SELECT sum(1 + ¦max(score)) FROM Event", &["nested-aggregate"]),
    ("a percent over a hundred", Picked, "SELECT percentile(score, ¦101) FROM Event", &["over-limit"]),
    ("a percent below zero", Picked, "SELECT percentile(score, 50, ¦-1) FROM Event", &["over-limit"]),
    ("a histogram of no width", Picked, "SELECT histogram(score, ¦0) FROM Event", &["over-limit"]),
    ("a histogram of no buckets", Picked, "SELECT histogram(score, 10, ¦0) FROM Event", &["over-limit"]),
    ("a list of nothing", Picked, "SELECT uniques(flag, ¦0) FROM Event", &["over-limit"]),
    ("a rate per text", Picked, "SELECT rate(count(*), ¦'x') FROM Event", &["wrong-arguments"]),
    ("a slope per attribute", Picked, "SELECT derivative(score, ¦event.time) FROM Event", &["wrong-arguments"]),
    ("a rate per milliseconds", Picked, "SELECT rate(count(*), 1000) FROM Event", &[]),
    ("a longer prefix than an address", Picked, "SELECT cidrAddress(flag, ¦40) FROM Event", &["over-limit"]),
    ("a prefix of an address", Picked, "SELECT cidrAddress(flag, 32), cidrAddress(control.id) FROM Event", &[]),
    ("another word for average", Picked, "SELECT ¦avg(score) FROM Event", &["undocumented"]),
    ("another word for ceil", Picked, "SELECT max(¦Ceiling(score)) FROM Event", &["undocumented"]),
    ("another word for if", Picked, "SELECT ¦ifThen(flag = 'a', 1) FROM Event", &["undocumented"]),
    ("a funnel of one step", Picked, "SELECT ¦funnel(event.id, WHERE flag = 'a') FROM Event", &["wrong-arguments"]),
];

#[test]
fn wrong_calls_are_told() {
    check(CASES);
}
