//! What is written is read again.

use serde_json::json;

use super::*;

fn rows(store: &Store) -> Vec<String> {
    let snapshot = store.snapshot();
    let mut rows = Vec::new();
    for table in snapshot.tables.values() {
        for segment in table.segments() {
            for row in 0..segment.rows() {
                let mut text = format!("{} {} {}", table.name(), segment.timestamps()[row], segment.received()[row]);
                let mut values: Vec<String> = (0..table.columns().len())
                    .map(|column| (column, table.value(segment, column, row)))
                    .filter(|(_, value)| !value.is_null())
                    .map(|(column, value)| format!(" {}={}", table.columns()[column].name, value_json(&value)))
                    .collect();
                values.sort_unstable();
                text.extend(values);
                rows.push(text);
            }
        }
    }
    rows
}

fn filled() -> Store {
    let store = Store::in_memory();
    let lines = [
        json!({"eventType": "A", "timestamp": 1_700_000_000_000_i64, "x": "one", "n": 1.5, "f": true, "mixed": "1"}),
        json!({"eventType": "A", "timestamp": 1_700_000_000_001_i64, "x": "役割", "mixed": 1, "list": ["a", "b"]}),
        json!({"eventType": "A", "timestamp": 1_700_000_000_000_i64, "receivedAt": 5, "mixed (number)": "taken"}),
        json!({"eventType": "a b/../c", "timestamp": 1_700_000_000_000_i64, "x": ""}),
    ];
    for row in &lines {
        store.append_json(row["eventType"].as_str().unwrap(), row.as_object().unwrap(), 1_700_000_000_500);
    }
    store.append("Metric", |pen| {
        pen.begin(1, 2);
        pen.metric("cspm.records", super::super::Point::Count(3.0));
    });
    store
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled();
    save(&store.snapshot(), folder.path()).unwrap();
    let read = Store::in_memory();
    assert_eq!(load(&read, folder.path()).unwrap(), 5);
    assert_eq!(rows(&read), rows(&store));
    // Written over with more rows, nothing is left of before.
    store.append_json("A", json!({"x": "later"}).as_object().unwrap(), 7);
    save(&store.snapshot(), folder.path()).unwrap();
    let again = Store::in_memory();
    load(&again, folder.path()).unwrap();
    assert_eq!(rows(&again), rows(&store));
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|name| name.ends_with(".parquet")), "{names:?}");
}

#[test]
fn many_segments_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_memory();
    store.append("A", |pen| {
        for row in 0..super::super::SEGMENT_ROWS + 10 {
            pen.begin(i64::try_from(row).unwrap(), 0);
            pen.number("n", row as f64);
        }
    });
    save(&store.snapshot(), folder.path()).unwrap();
    let read = Store::in_memory();
    load(&read, folder.path()).unwrap();
    assert_eq!(rows(&read), rows(&store));
}

#[test]
fn what_is_no_parquet_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("A.parquet"), "no parquet").unwrap();
    let error = load(&Store::in_memory(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("A.parquet: "), "{error}");
    let missing = load(&Store::in_memory(), &folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("none: "), "{missing}");
}

#[test]
fn other_tools_columns_are_read_by_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let fields = vec![
        Field::new("timestamp", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("count", DataType::Int64, true),
        Field::new("name", DataType::LargeUtf8, true),
    ];
    let batch = RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![
            Arc::new(arrow_array::TimestampMicrosecondArray::from(vec![1_700_000_000_000_999_i64])),
            Arc::new(arrow_array::Int64Array::from(vec![Some(7)])),
            Arc::new(arrow_array::LargeStringArray::from(vec![Some("x")])),
        ],
    )
    .unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(folder.path().join("B.2.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let store = Store::in_memory();
    load(&store, folder.path()).unwrap();
    assert_eq!(rows(&store), ["B 1700000000000 1700000000000 count=7 name=\"x\""]);
}

#[test]
fn all_files_are_written_or_none() {
    let store = Store::in_memory();
    for event_type in ["A", "B", "C"] {
        store.append_json(event_type, json!({ "n": 1 }).as_object().unwrap(), 1_700_000_000_000);
    }
    // In the way of the second file's first name, and of its own.
    for in_the_way in ["B.unfinished", "B.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(in_the_way)).unwrap();
        std::fs::write(folder.path().join("D.parquet"), "another's").unwrap();
        let error = save(&store.snapshot(), folder.path()).unwrap_err();
        assert!(error.to_string().starts_with(&folder.path().join(in_the_way).display().to_string()), "{error}");
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [in_the_way, "D.parquet"]);
    }
}
