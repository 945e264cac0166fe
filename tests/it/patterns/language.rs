//! The matcher that judges our patterns, judged itself.
//!
//! Each row is a pattern and an event, as they stand under `detail`, and whether they match. The emulator is asked the same.

use serde_json::{Value, json};

use crate::support::opinion::SecondOpinion;
use crate::support::pattern::{Pattern, traps};

/// Name, pattern, event, whether they match.
type Row = (&'static str, &'static str, &'static str, bool);

const FIELDS: &[Row] = &[
    ("a value", r#"{"a":["x"]}"#, r#"{"a":"x"}"#, true),
    ("another value", r#"{"a":["x"]}"#, r#"{"a":"y"}"#, false),
    ("a part of a value", r#"{"a":["x"]}"#, r#"{"a":"xx"}"#, false),
    ("letters of another case", r#"{"a":["x"]}"#, r#"{"a":"X"}"#, false),
    ("any of the values", r#"{"a":["x","y"]}"#, r#"{"a":"y"}"#, true),
    ("all of the fields", r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x","b":"y","c":"z"}"#, true),
    ("one of the fields", r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x","b":"z"}"#, false),
    ("a field that is missing", r#"{"a":["x"]}"#, r#"{"b":"x"}"#, false),
    ("nested", r#"{"a":{"b":{"c":["x"]}}}"#, r#"{"a":{"b":{"c":"x"}}}"#, true),
    ("nested elsewhere", r#"{"a":{"b":["x"]}}"#, r#"{"b":"x"}"#, false),
    ("an object where a value is asked for", r#"{"a":["x"]}"#, r#"{"a":{"b":"x"}}"#, false),
    ("a value where an object is asked for", r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
    ("two values in one text", r#"{"a":["x, y"]}"#, r#"{"a":"x"}"#, false),
    ("the empty text", r#"{"a":[""]}"#, r#"{"a":""}"#, true),
    ("a dotted key is nested keys", r#"{"a.b":["x"]}"#, r#"{"a":{"b":"x"}}"#, true),
];

const TYPES: &[Row] = &[
    ("a number", r#"{"a":[4]}"#, r#"{"a":4}"#, true),
    ("a negative number", r#"{"a":[-4.5]}"#, r#"{"a":-4.5}"#, true),
    ("a number for a text", r#"{"a":[4]}"#, r#"{"a":"4"}"#, false),
    ("a text for a number", r#"{"a":["4"]}"#, r#"{"a":4}"#, false),
    ("true", r#"{"a":[true]}"#, r#"{"a":true}"#, true),
    ("true for its text", r#"{"a":[true]}"#, r#"{"a":"true"}"#, false),
    ("true for one", r#"{"a":[true]}"#, r#"{"a":1}"#, false),
    ("null", r#"{"a":[null]}"#, r#"{"a":null}"#, true),
    ("null for the empty text", r#"{"a":[null]}"#, r#"{"a":""}"#, false),
    ("null for a field that is missing", r#"{"a":[null]}"#, r#"{"b":1}"#, false),
    ("a text for null", r#"{"a":["null"]}"#, r#"{"a":null}"#, false),
];

const ARRAYS: &[Row] = &[
    ("an element", r#"{"a":["x"]}"#, r#"{"a":["w","x"]}"#, true),
    ("no element", r#"{"a":["x"]}"#, r#"{"a":["w","y"]}"#, false),
    ("an empty array", r#"{"a":["x"]}"#, r#"{"a":[]}"#, false),
    ("an element of an inner array", r#"{"a":["x"]}"#, r#"{"a":[["w"],["x"]]}"#, true),
    ("an object in an array", r#"{"a":{"b":["x"]}}"#, r#"{"a":[{"b":"w"},{"b":"x"}]}"#, true),
    ("two fields of one element", r#"{"a":{"b":["x"],"c":["y"]}}"#, r#"{"a":[{"b":"w"},{"b":"x","c":"y"}]}"#, true),
    ("fields of two elements", r#"{"a":{"b":["x"],"c":["y"]}}"#, r#"{"a":[{"b":"x","c":"z"},{"b":"w","c":"y"}]}"#, false),
    ("deep in one element", r#"{"a":{"b":{"c":["x"]},"d":["y"]}}"#, r#"{"a":[{"b":{"c":"x"},"d":"y"}]}"#, true),
    ("deep in two elements", r#"{"a":{"b":{"c":["x"]},"d":["y"]}}"#, r#"{"a":[{"b":{"c":"x"}},{"d":"y"}]}"#, false),
    ("two arrays do not hinder each other", r#"{"a":{"b":["x"]},"c":["y"]}"#, r#"{"a":[{"b":"x"}],"c":["w","y"]}"#, true),
    (
        "arrays in one element",
        r#"{"a":{"b":{"c":["x"]},"d":{"e":["y"]}}}"#,
        r#"{"a":[{"b":[{"c":"x"}],"d":[{"e":"w"}]},{"b":[{"c":"x"}],"d":[{"e":"z"},{"e":"y"}]}]}"#,
        true,
    ),
];

const TEXTS: &[Row] = &[
    ("prefix", r#"{"a":[{"prefix":"us-"}]}"#, r#"{"a":"us-east-1"}"#, true),
    ("prefix inside", r#"{"a":[{"prefix":"east"}]}"#, r#"{"a":"us-east-1"}"#, false),
    ("prefix of a number", r#"{"a":[{"prefix":"1"}]}"#, r#"{"a":12}"#, false),
    ("prefix in any case", r#"{"a":[{"prefix":{"equals-ignore-case":"US"}}]}"#, r#"{"a":"us-east-1"}"#, true),
    ("prefix in its own case", r#"{"a":[{"prefix":"US"}]}"#, r#"{"a":"us-east-1"}"#, false),
    ("suffix", r#"{"a":[{"suffix":".gz"}]}"#, r#"{"a":"a.json.gz"}"#, true),
    ("suffix inside", r#"{"a":[{"suffix":".json"}]}"#, r#"{"a":"a.json.gz"}"#, false),
    ("suffix in any case", r#"{"a":[{"suffix":{"equals-ignore-case":".GZ"}}]}"#, r#"{"a":"a.gz"}"#, true),
    ("any case", r#"{"a":[{"equals-ignore-case":"High"}]}"#, r#"{"a":"HIGH"}"#, true),
    ("any case of another word", r#"{"a":[{"equals-ignore-case":"High"}]}"#, r#"{"a":"HIGHER"}"#, false),
    ("wildcard", r#"{"a":[{"wildcard":"a*b*c"}]}"#, r#"{"a":"axxbxc"}"#, true),
    ("wildcard for nothing", r#"{"a":[{"wildcard":"a*c"}]}"#, r#"{"a":"ac"}"#, true),
    ("wildcard that would overlap", r#"{"a":[{"wildcard":"ab*bc"}]}"#, r#"{"a":"abc"}"#, false),
    ("wildcard that has to look again", r#"{"a":[{"wildcard":"*ab*ab"}]}"#, r#"{"a":"abxab"}"#, true),
    ("wildcard twice where it fits once", r#"{"a":[{"wildcard":"*ab*ab"}]}"#, r#"{"a":"xab"}"#, false),
    ("wildcard at both ends", r#"{"a":[{"wildcard":"*/Digest/*"}]}"#, r#"{"a":"x/Digest/y"}"#, true),
    ("wildcard that is a star", r#"{"a":[{"wildcard":"a\\*c"}]}"#, r#"{"a":"abc"}"#, false),
    ("a star", r#"{"a":[{"wildcard":"a\\*c"}]}"#, r#"{"a":"a*c"}"#, true),
    ("a backslash", r#"{"a":[{"wildcard":"a\\\\*"}]}"#, r#"{"a":"a\\b"}"#, true),
    ("a question mark is a letter", r#"{"a":[{"wildcard":"a?"}]}"#, r#"{"a":"ab"}"#, false),
    ("operators and values", r#"{"a":["x",{"prefix":"y"}]}"#, r#"{"a":"yz"}"#, true),
];

const NUMBERS: &[Row] = &[
    ("at least, at the bound", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":7}"#, true),
    ("at least, with a fraction", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":7.0}"#, true),
    ("at least, above", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":9.5}"#, true),
    ("at least, just below", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":6.9}"#, false),
    ("at least, as a text", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":"8"}"#, false),
    ("at least, null", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":null}"#, false),
    ("above, at the bound", r#"{"a":[{"numeric":[">",7]}]}"#, r#"{"a":7}"#, false),
    ("below", r#"{"a":[{"numeric":["<",7]}]}"#, r#"{"a":-7}"#, true),
    ("at most, at the bound", r#"{"a":[{"numeric":["<=",7]}]}"#, r#"{"a":7}"#, true),
    ("equal", r#"{"a":[{"numeric":["=",7]}]}"#, r#"{"a":7.0}"#, true),
    ("in a range", r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5}"#, true),
    ("out of a range", r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":0}"#, false),
    ("one element in the range", r#"{"a":[{"numeric":[">=",7]}]}"#, r#"{"a":[1,8]}"#, true),
];

const OTHERS: &[Row] = &[
    ("there", r#"{"a":[{"exists":true}]}"#, r#"{"a":"x"}"#, true),
    ("there and null", r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, true),
    ("there and an object", r#"{"a":[{"exists":true}]}"#, r#"{"a":{"b":1}}"#, false),
    ("there and empty", r#"{"a":[{"exists":true}]}"#, r#"{"a":[]}"#, false),
    ("not there", r#"{"a":[{"exists":false}]}"#, r#"{"b":"x"}"#, true),
    ("not there, but it is", r#"{"a":[{"exists":false}]}"#, r#"{"a":"x"}"#, false),
    ("not there, deep", r#"{"a":{"b":[{"exists":false}]}}"#, r#"{"c":"x"}"#, true),
    ("not there, or a value", r#"{"a":["x",{"exists":false}]}"#, r#"{"a":"x"}"#, true),
    ("not there, or another value", r#"{"a":["x",{"exists":false}]}"#, r#"{"a":"y"}"#, false),
    ("address in the block", r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#, r#"{"a":"10.0.0.255"}"#, true),
    ("address out of the block", r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#, r#"{"a":"10.0.1.0"}"#, false),
    ("address of the other kind", r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, r#"{"a":"2001:db8::1"}"#, false),
    ("long address in the block", r#"{"a":[{"cidr":"2001:db8::/32"}]}"#, r#"{"a":"2001:db8::1"}"#, true),
    ("no address", r#"{"a":[{"cidr":"0.0.0.0/0"}]}"#, r#"{"a":"AWS Internal"}"#, false),
    ("anything but", r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":"y"}"#, true),
    ("anything but this", r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":"x"}"#, false),
    ("anything but these", r#"{"a":[{"anything-but":["x","y"]}]}"#, r#"{"a":"y"}"#, false),
    ("anything but a number", r#"{"a":[{"anything-but":[1,2]}]}"#, r#"{"a":3}"#, true),
    ("anything, but nothing is there", r#"{"a":[{"anything-but":"x"}]}"#, r#"{"b":"y"}"#, false),
    ("anything, and an element is", r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":["x","y"]}"#, true),
    ("anything but a prefix", r#"{"a":[{"anything-but":{"prefix":"us-"}}]}"#, r#"{"a":"us-east-1"}"#, false),
    ("anything but prefixes", r#"{"a":[{"anything-but":{"prefix":["us-","eu-"]}}]}"#, r#"{"a":"ap-east-1"}"#, true),
    ("anything but a suffix", r#"{"a":[{"anything-but":{"suffix":".gz"}}]}"#, r#"{"a":"a.gz"}"#, false),
    ("anything but a word", r#"{"a":[{"anything-but":{"equals-ignore-case":"X"}}]}"#, r#"{"a":"x"}"#, false),
    ("anything but a wildcard", r#"{"a":[{"anything-but":{"wildcard":"*/b/*"}}]}"#, r#"{"a":"a/b/c"}"#, false),
    ("anything but a wildcard, and it is", r#"{"a":[{"anything-but":{"wildcard":"*/b/*"}}]}"#, r#"{"a":"a/c"}"#, true),
    ("or, the first", r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"x"}"#, true),
    ("or, the second", r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"z","b":"y"}"#, true),
    ("or, neither", r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"z"}"#, false),
    ("or, and another field", r#"{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"x"}"#, false),
    ("or of two, all of the second", r#"{"$or":[{"a":["x"]},{"b":["y"],"c":["z"]}]}"#, r#"{"b":"y","c":"w"}"#, false),
    ("or in an object", r#"{"d":{"$or":[{"a":["x"]},{"b":["y"]}]}}"#, r#"{"d":{"b":"y"}}"#, true),
    ("or in or", r#"{"$or":[{"a":["x"]},{"b":["y"],"$or":[{"c":["1"]},{"d":["2"]}]}]}"#, r#"{"b":"y","d":"2"}"#, true),
    (
        "or between fields of one element",
        r#"{"l":{"e":["1"],"$or":[{"a":["x"]},{"b":["y"]}]}}"#,
        r#"{"l":[{"e":"1","b":"y"}]}"#,
        true,
    ),
    ("or between fields of two", r#"{"l":{"e":["1"],"$or":[{"a":["x"]},{"b":["y"]}]}}"#, r#"{"l":[{"e":"1"},{"b":"y"}]}"#, false),
];

/// What `EventBridge` refuses.
const REFUSED: &[(&str, &str)] = &[
    ("not JSON", r#"{"a":["x"]"#),
    ("nothing asked", r"{}"),
    ("a value without an array", r#"{"a":"x"}"#),
    ("a number without an array", r#"{"a":4}"#),
    ("no value", r#"{"a":[]}"#),
    ("an array in an array", r#"{"a":[["x"]]}"#),
    ("an empty object", r#"{"a":{}}"#),
    ("an operator that does not exist", r#"{"a":[{"contains":"x"}]}"#),
    ("an array around an object", r#"{"findings":[{"Severity":{"Label":["HIGH"]}}]}"#),
    ("two operators in one", r#"{"a":[{"prefix":"x","suffix":"y"}]}"#),
    ("a prefix that is a number", r#"{"a":[{"prefix":1}]}"#),
    ("numeric of a text", r#"{"a":[{"numeric":[">=","7"]}]}"#),
    ("numeric without a sign", r#"{"a":[{"numeric":[7]}]}"#),
    ("numeric of another sign", r#"{"a":[{"numeric":["=>",7]}]}"#),
    ("a range from above", r#"{"a":[{"numeric":["<",5,">",0]}]}"#),
    ("a range with nothing in it", r#"{"a":[{"numeric":[">",5,"<",0]}]}"#),
    ("exists of a text", r#"{"a":[{"exists":"true"}]}"#),
    ("two wildcards in a row", r#"{"a":[{"wildcard":"a**b"}]}"#),
    ("a backslash before a letter", r#"{"a":[{"wildcard":"a\\b"}]}"#),
    ("a block without bits", r#"{"a":[{"cidr":"10.0.0.0"}]}"#),
    ("a block that is no address", r#"{"a":[{"cidr":"10.0.0/8"}]}"#),
    ("anything but texts and numbers", r#"{"a":[{"anything-but":["x",1]}]}"#),
    ("an or of one", r#"{"$or":[{"a":["x"]}]}"#),
    ("anything but a number's range", r#"{"a":[{"anything-but":{"numeric":[">",1]}}]}"#),
];

/// What `EventBridge` takes, and of which it keeps the part that was written last.
const UNCLEAR: &[(&str, &str)] = &[
    ("one field, in an or and beside it", r#"{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}"#),
    ("one field, nested and dotted", r#"{"a":{"b":["x"]},"a.b":["y"]}"#),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    [FIELDS, TYPES, ARRAYS, TEXTS, NUMBERS, OTHERS].into_iter().flatten()
}

/// As it stands in a whole pattern or event.
fn under_detail(text: &str) -> String {
    format!(r#"{{"detail":{text}}}"#)
}

fn event(detail: &str) -> Value {
    let detail: Value = serde_json::from_str(detail).expect("an event of the table is JSON");
    json!({
        "version": "0", "id": "00000000-0000-4000-8000-000000000001", "detail-type": "Table", "source": "tests",
        "account": "111122223333", "time": "2026-11-21T20:21:00Z", "region": "eu-west-1", "resources": [], "detail": detail,
    })
}

#[test]
fn every_operator_means_what_is_documented() {
    for (name, pattern, detail, wanted) in rows() {
        let pattern = Pattern::parse(&under_detail(pattern)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(pattern.matches(&event(detail)), *wanted, "{name}");
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for (name, pattern) in REFUSED.iter().chain(UNCLEAR) {
        let parsed = Pattern::parse(&under_detail(pattern));
        assert!(parsed.is_err(), "{name}: {parsed:?}");
    }
}

#[test]
fn names_are_not_taken_twice() {
    let mut names: Vec<_> = rows().map(|row| row.0).chain(REFUSED.iter().chain(UNCLEAR).map(|row| row.0)).collect();
    names.sort_unstable();
    assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
}

/// The emulator's matcher was written by others and walks the trees: it shares nothing with ours but the documentation.
#[tokio::test]
async fn the_emulator_means_the_same_by_every_operator() {
    let Some(second) = SecondOpinion::new().await else { return };
    for (name, pattern, detail, wanted) in rows() {
        let answer = second.on(&under_detail(pattern), &event(detail)).await;
        assert_eq!(answer.as_ref(), Ok(wanted), "{name}");
    }
    for (name, pattern) in REFUSED {
        let answer = second.on(&under_detail(pattern), &event("{}")).await;
        assert!(answer.is_err(), "{name}: {answer:?}");
    }
    for (name, pattern) in UNCLEAR {
        let answer = second.on(&under_detail(pattern), &event("{}")).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[test]
fn traps_are_told() {
    let around = |rest: &str| format!(r#"{{"source":["aws.x"],"detail-type":["X"]{rest}}}"#);
    let long = around(&format!(r#","detail":{{"a":["{}"]}}"#, "x".repeat(2_048)));
    for (name, pattern, told) in [
        ("a comma in a value", around(r#","detail":{"a":["CRITICAL, HIGH"]}"#), "is one text"),
        ("a comma in an operator", around(r#","detail":{"a":[{"anything-but":["x,y"]}]}"#), "is one text"),
        ("a dotted key", around(r#","detail":{"a.b":["x"]}"#), "nest the keys"),
        ("a dotted key at the top", around(r#","detail.a":["x"]"#), "nest the keys"),
        ("a field that no event has", around(r#","details":{"a":["x"]}"#), "not at the top"),
        ("an or between envelopes", around(r#","$or":[{"region":["x"]},{"account":["y"]}]"#), "not at the top"),
        ("any source", r#"{"detail-type":["X"]}"#.to_owned(), "without `source`"),
        ("any detail type", r#"{"source":["aws.x"]}"#.to_owned(), "without `detail-type`"),
        ("no pattern", "[]".to_owned(), "not an object"),
        ("long", long, "characters"),
    ] {
        let traps = traps(&pattern);
        assert!(traps.iter().any(|trap| trap.contains(told)), "{name}: {traps:?}");
    }
    assert_eq!(traps(&around(r#","detail":{"a":{"b":["x","y"]}}"#)), Vec::<String>::new());
}
