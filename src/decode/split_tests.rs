//! The splitter against every form of input, in chunks of every size.

use proptest::prelude::*;

use super::*;

/// A reader that gives one to `step` bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let take = self.1.min(self.0.len()).min(out.len());
        out[..take].copy_from_slice(&self.0[..take]);
        self.0 = &self.0[take..];
        Ok(take)
    }
}

/// The same, and nothing yet before each time.
struct Hesitant<'a>(Trickle<'a>, bool);

impl Read for Hesitant<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(out) }
    }
}

/// Gives one byte at a time and then no more, because it is stopped.
struct Cut<'a>(&'a [u8]);

impl Read for Cut<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::Error::other(Stopped)) } else { self.0.read(&mut out[..1]) }
    }
}

#[test]
fn a_stop_is_no_end_wherever_it_comes() {
    for (name, input, records) in [
        ("nothing", "", 0),
        ("a line and its end", "{\"a\":1}\n", 1),
        ("a line", "{\"a\":1}", 1),
        ("lines", "{\"a\":1}\n{\"b\":2}\n \n", 2),
        ("half a line", "{\"a\":1}\n{\"b\":", 1),
        ("half a document", "{\"a\":", 0),
        ("half a file", "{\"Records\":[{\"a\":1},", 1),
        ("half a record", "{\"Records\":[{\"a\":1},{\"b", 1),
        ("a whole file", "{\"Records\":[{\"a\":1}]}", 1),
    ] {
        let mut splitter = Splitter::new(Cut(input.as_bytes()), 1 << 10);
        let mut found = 0;
        let end = loop {
            match splitter.next() {
                Ok(Some(_)) => found += 1,
                other => break other.map(|_| ()),
            }
        };
        assert_eq!(found, records, "{name}");
        assert!(matches!(&end, Err(SplitError::Read(error)) if Stopped::is_in(error)), "{name}: {end:?}");
    }
}

fn split(input: &str, step: usize, record_max: usize) -> (Vec<String>, Option<String>) {
    let (items, error) = gather(Splitter::new(Trickle(input.as_bytes(), step), record_max));
    let patient = gather(Splitter::new(Hesitant(Trickle(input.as_bytes(), step), false), record_max));
    assert_eq!(patient, (items.clone(), error.clone()), "an input that has nothing yet is asked again");
    (items, error)
}

fn gather(mut splitter: Splitter<impl Read>) -> (Vec<String>, Option<String>) {
    let mut items = Vec::new();
    loop {
        match splitter.next() {
            Ok(Some(item)) => items.push(match item {
                Item::Element(raw) => format!("E {}", String::from_utf8_lossy(raw)),
                Item::ConfigItem(raw) => format!("C {}", String::from_utf8_lossy(raw)),
                Item::Snapshot => "snapshot".to_owned(),
                Item::Document(raw) => format!("D {}", String::from_utf8_lossy(raw)),
                Item::Broken(raw, why) => format!("B {} ({why})", String::from_utf8_lossy(&raw[..raw.len().min(20)])),
                Item::Stray(raw, why) => format!("S {} ({why})", String::from_utf8_lossy(&raw[..raw.len().min(20)])),
            }),
            Ok(None) => return (items, None),
            Err(SplitError::Read(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return (items, Some(error.to_string())),
        }
    }
}

/// Name, input, what comes out, and how it ends.
type Case<'a> = (&'a str, &'a str, Vec<&'a str>, Option<&'a str>);

fn all_split(cases: &[Case<'_>]) {
    for (name, input, want, end) in cases {
        for step in [1, 2, 3, 7, 64, 100_000] {
            let (items, error) = split(input, step, 200);
            assert_eq!(&items, want, "{name}, {step} bytes at a time");
            assert_eq!(error.as_deref(), *end, "{name}, {step} bytes at a time");
        }
    }
}

#[test]
fn history_files_give_their_items_and_snapshots_none() {
    all_split(&[
        (
            "history file of AWS Config",
            r#"{"fileVersion":"1.0","configurationItems":[{"a":{"configurationItems":[1]}},2,{"b":2}]}"#,
            vec![r#"C {"a":{"configurationItems":[1]}}"#, "S 2 (not a JSON object)", r#"C {"b":2}"#],
            None,
        ),
        (
            "history file that names no snapshot",
            r#"{"configSnapshotId" : null,"configurationItems":[{"a":1}]}"#,
            vec![r#"C {"a":1}"#],
            None,
        ),
        (
            "snapshot file, then a trail's",
            r#"{"configSnapshotId" : "x","configurationItems":[{"a":1},2]} {"Records":[{"b":2}]}"#,
            vec!["snapshot", r#"E {"b":2}"#],
            None,
        ),
        (
            "keys that begin alike",
            r#"{"configurationItem":[{"a":1}],"configurationItemsX":[{"b":1}],"x":"configurationItems","Records":[{"c":1}]}"#,
            vec![r#"E {"c":1}"#],
            None,
        ),
        ("both arrays", r#"{"Records":[{"a":1}],"configurationItems":[{"b":1}]}"#, vec![r#"E {"a":1}"#, r#"C {"b":1}"#], None),
        ("history file without items", r#"{"fileVersion":"1.0","configurationItems":[]}"#, vec![], None),
        ("snapshot file without items", r#"{"configSnapshotId":"x","configurationItems":[]}"#, vec!["snapshot"], None),
        (
            "history file cut in an item",
            r#"{"configurationItems":[{"a":1},{"b":"#,
            vec![r#"C {"a":1}"#],
            Some("ends in the middle of a record"),
        ),
    ]);
}

#[test]
fn every_form_of_input_is_split_alike_at_every_chunk_size() {
    let long = format!(r#"{{"Records":[{{"a":"{}"}},{{"b":2}}]}}"#, "x".repeat(300));
    let much = "x".repeat(300);
    let late = format!(r#"{{"x":"{much}","Records":[{{"a":1}}],"y":["{much}"],"Records":[{{"b":2}}]}}"#);
    let cases: Vec<Case<'_>> = vec![
        (
            "trail file",
            r#"{"Records":[{"a":1},{"b":"]}\"{"},{"c":[{}]}]}"#,
            vec![r#"E {"a":1}"#, r#"E {"b":"]}\"{"}"#, r#"E {"c":[{}]}"#],
            None,
        ),
        ("white space", " { \"Records\" : [ {\"a\" : 1 } ,\n {\"b\":2} ] } \n", vec![r#"E {"a" : 1 }"#, r#"E {"b":2}"#], None),
        (
            "records later",
            r#"{"x":{"Records":[9]},"y":"Records","Records":[{"a":1}],"z":[1,{"q":2}]}"#,
            vec![r#"E {"a":1}"#],
            None,
        ),
        (
            "more than one array of records",
            r#"{"Records":[{"a":1}],"x":{"Records":[7]},"y":"Records\n","R":[8],"Records":[],"RecordsX":[9],"Records" : [{"b":2},3]}"#,
            vec![r#"E {"a":1}"#, r#"E {"b":2}"#, "S 3 (not a JSON object)"],
            None,
        ),
        ("records after much else", &late, vec![r#"E {"a":1}"#, r#"E {"b":2}"#], None),
        ("no records", r#"{"Records":[]}"#, vec![], None),
        ("records is text", r#"{"Records":"none"}"#, vec![r#"D {"Records":"none"}"#], None),
        ("two files", r#"{"Records":[{"a":1}]}{"Records":[{"b":2}]}"#, vec![r#"E {"a":1}"#, r#"E {"b":2}"#], None),
        ("ndjson", "{\"a\":1}\n\n{\"b\":2}\r\n{\"c\":3}", vec![r#"D {"a":1}"#, r#"D {"b":2}"#, r#"D {"c":3}"#], None),
        (
            "ndjson, X3: bad line",
            "{\"a\":1}\n{\"b\":\nno\n{\"c\":3}\n",
            vec![r#"D {"a":1}"#, "B {\"b\": (not a JSON object)", "B no (not a JSON object)", r#"D {"c":3}"#],
            None,
        ),
        ("ndjson, first line bad", "{\"a\":\"x\n{\"b\":2}\n", vec!["B {\"a\":\"x (a string has no end)", r#"D {"b":2}"#], None),
        ("one document, many lines", "{\n \"a\": {\n\"b\":1}\n}\n", vec!["D {\n \"a\": {\n\"b\":1}\n}"], None),
        ("documents without line ends", r#"{"a":1}{"b":2} {"c":3}"#, vec![r#"D {"a":1}"#, r#"D {"b":2}"#, r#"D {"c":3}"#], None),
        ("array", r#"[{"a":1},{"b":2}]"#, vec![r#"E {"a":1}"#, r#"E {"b":2}"#], None),
        (
            "stray values",
            r#"{"Records":[null,{"a":1}, 7 ]}"#,
            vec!["S null (not a JSON object)", r#"E {"a":1}"#, "S 7  (not a JSON object)"],
            None,
        ),
        (
            "stray text and arrays",
            r#"{"Records":["a,]\"{", {"a":1}, [[1],{"no":1},"]"], {"b":2}]}"#,
            vec![
                r#"S "a,]\"{" (not a JSON object)"#,
                r#"E {"a":1}"#,
                r#"S [[1],{"no":1},"]"] (not a JSON object)"#,
                r#"E {"b":2}"#,
            ],
            None,
        ),
        ("byte order mark", "\u{feff}{\"Records\":[{\"a\":1}]}", vec![r#"E {"a":1}"#], None),
        ("escapes", r#"{"Records":[{"a":"\\"},{"b":"\\\""}]}"#, vec![r#"E {"a":"\\"}"#, r#"E {"b":"\\\""}"#], None),
        ("nothing", "", vec![], None),
        ("cut in a record", r#"{"Records":[{"a":1},{"b":"#, vec![r#"E {"a":1}"#], Some("ends in the middle of a record")),
        (
            "cut between records",
            r#"{"Records":[{"a":1},"#,
            vec![r#"E {"a":1}"#],
            Some("ends in the middle of the object of an array of records"),
        ),
        (
            "cut after records",
            r#"{"Records":[{"a":1}]"#,
            vec![r#"E {"a":1}"#],
            Some("ends in the middle of the object of an array of records"),
        ),
        ("cut in a document", r#"{"a":"#, vec![], Some("ends in the middle of a JSON document")),
        ("too long a record", &long, vec!["S {\"a\":\"xxxxxxxxxxxxxx (longer than the record limit)", r#"E {"b":2}"#], None),
    ];
    all_split(&cases);
}

#[test]
fn a_record_beyond_the_limit_costs_no_more_memory_than_the_limit() {
    let huge = format!(r#"{{"Records":[{{"a":"{}"}},{{"b":2}}]}}"#, "x".repeat(8 << 20));
    let mut splitter = Splitter::new(huge.as_bytes(), 256 << 10);
    assert!(matches!(splitter.next().unwrap(), Some(Item::Stray(head, _)) if head.len() == HEAD));
    assert_eq!(splitter.next().unwrap(), Some(Item::Element(br#"{"b":2}"#)));
    assert!(splitter.buffer.len() <= 1 << 20, "buffer of {} bytes", splitter.buffer.len());
    // A last line without a line end.
    let line = format!("{{\"a\":1}}\n{{\"a\":\"{}", "x".repeat(8 << 20));
    let mut splitter = Splitter::new(line.as_bytes(), 256 << 10);
    assert_eq!(splitter.next().unwrap(), Some(Item::Document(br#"{"a":1}"#)));
    assert!(matches!(splitter.next().unwrap(), Some(Item::Broken(head, TOO_LONG)) if head.len() == HEAD));
    // Nor does something that is no record at all.
    let stray = format!(r#"{{"Records":[{},{{"b":2}}]}}"#, "7".repeat(8 << 20));
    let mut splitter = Splitter::new(stray.as_bytes(), 256 << 10);
    assert!(matches!(splitter.next().unwrap(), Some(Item::Stray(head, TOO_LONG)) if head.len() == HEAD));
    assert_eq!(splitter.next().unwrap(), Some(Item::Element(br#"{"b":2}"#)));
    assert!(splitter.buffer.len() <= 1 << 20, "buffer of {} bytes", splitter.buffer.len());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        Just(serde_json::Value::from("\"\\{}[]")),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::hash_map("[a-z\"\\\\{}]{1,6}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Any list of objects comes out as it went in, however the bytes arrive.
    #[test]
    fn records_come_out_as_they_went_in(values in prop::collection::vec(json(), 0..8), step in 1_usize..200, form in 0..3) {
        let records: Vec<String> = values.into_iter().map(|value| serde_json::json!({ "r": value }).to_string()).collect();
        let input = match form {
            0 => format!(r#"{{"Records":[{}]}}"#, records.join(",")),
            1 => records.join("\n"),
            _ => format!("[{}]", records.join(" , ")),
        };
        let (items, error) = split(&input, step, 1 << 20);
        let items: Vec<&str> = items.iter().filter_map(|item| item.get(2..)).collect();
        prop_assert_eq!(items, records);
        prop_assert_eq!(error, None);
    }

    /// P27, and no panic: any bytes at all give the same items at every chunk size.
    #[test]
    fn any_bytes_are_split_the_same_way(input in r#"[\{\}\[\]",:\\aR \n]{0,80}"#, step in 1_usize..20) {
        prop_assert_eq!(split(&input, step, 30), split(&input, 100_000, 30));
    }
}
