//! What goes in comes out, and nothing that is being read changes.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::lab::engine::value::Value;

/// Every row of a type as `name=value`, in order of arrival.
fn rows(snapshot: &Snapshot, event_type: &str) -> Vec<String> {
    let table = snapshot.table(event_type).expect("the type is there");
    let mut lines = Vec::new();
    for segment in table.segments() {
        for row in 0..segment.rows() {
            let mut line = format!("{}", segment.timestamps()[row]);
            for (position, column) in table.columns().iter().enumerate() {
                let value = table.value(segment, position, row);
                if !value.is_null() {
                    line.push_str(&format!(" {}={value:?}", column.name));
                }
            }
            lines.push(line);
        }
    }
    lines
}

#[test]
fn a_json_row_keeps_its_values() {
    let store = Store::in_memory();
    let row = json!({"eventType": "T", "timestamp": 1_700_000_000, "a": "x", "n": 1.5, "t": true, "no": null, "l": ["p", 2], "o": {"i": 1}});
    store.append_json("T", row.as_object().expect("an object"), 1_700_000_000_777);
    store.append_json("T", json!({"a": 7}).as_object().expect("an object"), 1_700_000_000_888);
    let snapshot = store.snapshot();
    assert_eq!(
        rows(&snapshot, "T"),
        [
            r#"1700000000000 a=Text("x") l=List([Text("p"), Number(2.0)]) n=Number(1.5) o.i=Number(1.0) t=Bool(true)"#,
            "1700000000888 a=Number(7.0)",
        ]
    );
    let segment = &snapshot.table("T").expect("the type is there").segments()[0];
    assert_eq!(segment.received(), [1_700_000_000_777, 1_700_000_000_888]);
    assert_eq!(snapshot.attributes("T").iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "l", "n", "o.i", "t"]);
}

/// What stands under the name of the metric is its point; any other object is attributes with dotted names.
#[test]
fn a_json_row_of_a_metric_has_its_point() {
    let store = Store::in_memory();
    for row in [
        json!({"timestamp": 1_700_000_000_001_i64, "metricName": "m", "m": {"type": "count", "count": 3}, "a": {"type": "count"}}),
        json!({"timestamp": 1_700_000_000_002_i64, "metricName": "m", "m": {"type": "gauge", "latest": 2.5, "min": 9}}),
        json!({"timestamp": 1_700_000_000_003_i64, "metricName": "m", "m": {"type": "summary", "count": 2, "total": 5, "min": 1, "max": 4}}),
        json!({"timestamp": 1_700_000_000_004_i64, "metricName": "m", "m": {"type": "summary", "count": 2}}),
    ] {
        store.append_json(METRIC, row.as_object().expect("an object"), 0);
    }
    let point = |point: Point| format!("m={:?}", point.value());
    assert_eq!(
        rows(&store.snapshot(), METRIC),
        [
            format!("1700000000001 a.type=Text(\"count\") {} metricName=Text(\"m\")", point(Point::Count(3.0))),
            format!("1700000000002 {} metricName=Text(\"m\")", point(Point::Gauge(2.5))),
            format!(
                "1700000000003 {} metricName=Text(\"m\")",
                point(Point::Summary { count: 2.0, total: 5.0, min: 1.0, max: 4.0 })
            ),
            "1700000000004 metricName=Text(\"m\") m.count=Number(2.0) m.type=Text(\"summary\")".to_owned(),
        ]
    );
}

#[test]
fn a_snapshot_does_not_see_what_comes_later() {
    let store = Store::in_memory();
    store.append("T", |rows| {
        rows.begin(1, 1);
        rows.text("a", "x");
    });
    let before = store.snapshot();
    store.append("T", |rows| {
        rows.begin(2, 2);
        rows.text("b", "y");
    });
    assert_eq!(rows(&before, "T"), [r#"1 a=Text("x")"#]);
    assert_eq!(rows(&store.snapshot(), "T"), [r#"1 a=Text("x")"#, r#"2 b=Text("y")"#]);
}

#[test]
fn full_segments_are_shared_and_codes_stay() {
    let store = Store::in_memory();
    let fill = |from: usize, to: usize| {
        store.append("T", |rows| {
            for number in from..to {
                rows.begin(i64::try_from(number).expect("small"), 0);
                rows.text("a", if number % 2 == 0 { "even" } else { "odd" });
                if number == SEGMENT_ROWS {
                    rows.number("late", 1.0);
                }
            }
        });
    };
    fill(0, SEGMENT_ROWS + 1);
    let one = store.snapshot();
    fill(SEGMENT_ROWS + 1, SEGMENT_ROWS + 3);
    let two = store.snapshot();
    let (one, two) = (one.table("T").expect("there"), two.table("T").expect("there"));
    assert_eq!(one.segments().iter().map(|segment| segment.rows()).collect::<Vec<_>>(), [SEGMENT_ROWS, 1]);
    assert_eq!(two.rows(), SEGMENT_ROWS + 3);
    assert!(Arc::ptr_eq(&one.segments()[0], &two.segments()[0]));
    assert_eq!((one.segments()[0].first_ms(), one.segments()[0].last_ms()), (0, 65_535));
    assert_eq!(two.columns()[0].texts.len(), 2);
    assert_eq!(two.value(&two.segments()[1], 0, 1), Value::text("odd"));
    assert!(two.segments()[0].part(1).is_none());
    assert_eq!(two.value(&two.segments()[1], 1, 0), Value::Number(1.0));
    assert_eq!(two.value(&two.segments()[1], 1, 1), Value::Null);
}

#[test]
fn event_types_are_those_with_rows_in_the_window() {
    let store = Store::in_memory();
    for (name, at) in [("B", 10), ("A", 20), ("C", 30)] {
        store.append(name, |rows| rows.begin(at, at));
    }
    let names = |begin, end| store.snapshot().event_types(begin, end).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(10, 30), ["A", "B"]);
    assert_eq!(names(11, 31), ["A", "C"]);
    assert_eq!(names(31, 99), Vec::<String>::new());
}

#[test]
fn a_dictionary_of_many_keeps_every_code() {
    let store = Store::in_memory();
    store.append("T", |rows| {
        for number in 0..10_000_u32 {
            rows.begin(0, 0);
            rows.text("a", &number.to_string());
        }
    });
    let snapshot = store.snapshot();
    let texts = &snapshot.table("T").expect("there").columns()[0].texts;
    assert_eq!(texts.len(), 10_000);
    for code in [0, 4_095, 4_096, 8_191, 8_192, 9_999] {
        assert_eq!(texts.get(code).map(|text| &**text), Some(code.to_string().as_str()));
    }
    assert_eq!((texts.get(-1), texts.get(10_000)), (None, None));
    assert_eq!(texts.iter().count(), 10_000);
}

#[test]
fn a_point_is_a_value_with_fields() {
    let store = Store::in_memory();
    store.append(METRIC, |rows| {
        rows.begin(5, 5);
        rows.metric("cspm.records", Point::Count(3.0));
        rows.text("aws.region", "eu-west-1");
    });
    assert_eq!(
        rows(&store.snapshot(), METRIC),
        [
            r#"5 metricName=Text("cspm.records") cspm.records=Object([("type", Text("count")), ("count", Number(3.0))]) aws.region=Text("eu-west-1")"#
        ]
    );
}

#[test]
fn a_number_stands_in_every_row_whatever_was_there() {
    let store = Store::in_memory();
    for (ms, row) in [(1, json!({ "a": "x", "account": "text" })), (2, json!({ "a": "y" }))] {
        store.append_json("T", row.as_object().unwrap(), 1_700_000_000_000 + ms);
    }
    store.append_json("U", json!({ "b": 1 }).as_object().unwrap(), 1_700_000_000_000);
    let (before, marked) = (store.snapshot(), store.snapshot().with_number("account", 7.0));
    let values = |snapshot: &Snapshot, event_type: &str, column: &str| -> Vec<Value> {
        let table = snapshot.table(event_type).unwrap();
        let Some(position) = table.position(column) else { return Vec::new() };
        let rows = table.segments().iter().flat_map(|segment| (0..segment.rows()).map(move |row| (segment, row)));
        rows.map(|(segment, row)| table.value(segment, position, row)).collect()
    };
    assert_eq!(values(&marked, "T", "account"), [Value::Number(7.0), Value::Number(7.0)]);
    assert_eq!(values(&marked, "U", "account"), [Value::Number(7.0)]);
    assert_eq!(values(&marked, "T", "a"), values(&before, "T", "a"));
    assert_eq!(values(&before, "T", "account"), [Value::text("text"), Value::Null], "others see what was there");
    assert_eq!(values(&before, "U", "account"), []);
}
