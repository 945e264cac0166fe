//! Lines become rows, or an error that names the line.

use super::*;
use crate::lab::engine::value::Value;

fn read(text: &str) -> Result<Store, String> {
    let store = Store::in_memory();
    lines(&store, text.as_bytes(), Path::new("rows.ndjson"), 5_000).map(|_| store).map_err(|error| error.to_string())
}

fn value(store: &Store, event_type: &str, name: &str) -> Value {
    let snapshot = store.snapshot();
    let table = snapshot.table(event_type).unwrap();
    table.position(name).map_or(Value::Null, |column| table.value(&table.segments()[0], column, 0))
}

#[test]
fn events_and_lines_of_replay_are_rows() {
    let store = read(
        "{\"eventType\":\"A\",\"timestamp\":1700000000000,\"x\":1}\n\n\
         {\"kind\":\"event\",\"data\":{\"eventType\":\"B\",\"timestamp\":1700000000,\"kind\":\"k\"}}\n\
         {\"kind\":\"log\",\"data\":{\"timestamp\":1700000000000,\"attributes\":{\"logtype\":\"aws.cloudtrail\",\"eventName\":\"sent\",\
         \"accountId\":\"dropped\"},\"message\":{\"eventType\":\"AwsApiCall\",\"eventName\":\"told\",\"userIdentity\":{\"type\":\"Root\"},\
         \"resources\":[1,2]}}}",
    )
    .unwrap();
    let snapshot = store.snapshot();
    assert_eq!(snapshot.event_types(1_700_000_000_000, 1_700_000_000_001).len(), 3, "seconds are milliseconds");
    assert_eq!(value(&store, "A", "x"), Value::Number(1.0));
    assert_eq!(value(&store, "B", "kind"), Value::text("k"));
    for (name, want) in [
        ("logtype", Value::text("aws.cloudtrail")),
        ("eventName", Value::text("told")),
        ("userIdentity.type", Value::text("Root")),
        ("resources", Value::text("[1,2]")),
        ("eventType", Value::Null),
        ("accountId", Value::Null),
    ] {
        assert_eq!(value(&store, "Log", name), want, "{name}");
    }
    assert!(matches!(value(&store, "Log", "message"), Value::Text(text) if text.starts_with("{\"event")));
}

#[test]
fn a_log_has_what_is_common_to_its_batch_unless_it_says_otherwise() {
    let store = read(
        r#"{"kind":"log","common":{"logtype":"aws.cloudtrail","a":"theirs"},"data":{"timestamp":1700000000000,"attributes":{"a":"own"},"message":"m"}}"#,
    )
    .unwrap();
    assert_eq!(value(&store, "Log", "logtype"), Value::text("aws.cloudtrail"));
    assert_eq!(value(&store, "Log", "a"), Value::text("own"));
}

#[test]
fn a_line_that_is_no_row_is_named() {
    for (text, want) in [
        ("{\"eventType\":\"A\"}\n{\"x\":1}\n", "rows.ndjson:2: no `eventType`"),
        ("nonsense", "rows.ndjson:1: expected"),
        ("{\"kind\":\"other\",\"data\":{}}", "rows.ndjson:1: unknown variant `other`"),
        ("[1]", "rows.ndjson:1: invalid type"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(want), "{error}");
    }
}

#[test]
fn packed_lines_are_unpacked() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.ndjson.gz");
    let mut packer = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    packer.write_all(b"{\"eventType\":\"A\",\"x\":1}\n{\"eventType\":\"A\",\"x\":2}\n").unwrap();
    packer.finish().unwrap();
    let store = Store::in_memory();
    assert_eq!(load_lines(&store, &path, 7).unwrap(), 2);
}
