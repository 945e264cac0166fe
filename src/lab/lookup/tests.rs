//! Tables that are taken and tables that are not.

use super::*;

/// The cells of each row, column by column in the order of the first line. A column of nothing is none.
fn rows(text: &str) -> Result<Vec<Vec<Value>>, Fault> {
    let table = table("t", text)?;
    let names: Vec<String> = csv::Records::new(text).next().map(|header| header.unwrap().cells).unwrap_or_default();
    let segments = table.segments().iter();
    let rows = segments.flat_map(|segment| (0..segment.rows()).map(move |row| (segment, row)));
    let cell = |segment, row, name: &str| table.position(name).map_or(Value::Null, |column| table.value(segment, column, row));
    Ok(rows.map(|(segment, row)| names.iter().map(|name| cell(segment, row, name)).collect()).collect())
}

#[test]
fn a_cell_is_a_truth_a_number_a_text_or_nothing() {
    let number = Value::Number;
    for (cell, expected) in [
        ("111122223333", number(111_122_223_333.0)),
        ("-1.5e2", number(-150.0)),
        ("0", number(0.0)),
        ("012345678901", Value::text("012345678901")),
        ("+1", Value::text("+1")),
        (".5", Value::text(".5")),
        (" 1", Value::text(" 1")),
        ("1e999", Value::text("1e999")),
        ("NaN", Value::text("NaN")),
        ("null", Value::text("null")),
        ("TRUE", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("", Value::Null),
        ("\"\"", Value::Null),
        ("\"a,b\"", Value::text("a,b")),
        ("東京", Value::text("東京")),
    ] {
        assert_eq!(rows(&format!("key,cell\nk,{cell}\n")), Ok(vec![vec![Value::text("k"), expected]]), "{cell}");
    }
}

#[test]
fn what_new_relic_refuses_is_refused_with_its_line() {
    for (text, line, what) in [
        ("", None, "nothing in it"),
        ("\n\n", None, "nothing in it"),
        ("id\n1\n", Some(1), "at least 2"),
        ("id,name\n1,a\n2\n", Some(3), "1 cells; the first line names 2 columns"),
        ("id,name\n1,\"a\nb\"\n2,c,d\n", Some(4), "3 cells"),
        ("id,\n1,a\n", Some(1), "column 2 has no name"),
        ("id,id\n1,a\n", Some(1), "two columns are called `id`"),
        ("id,accountId\n1,2\n", Some(1), "`accountId` has a reserved name"),
        ("id,timestamp\n1,2\n", Some(1), "`timestamp` has a reserved name"),
        ("id,entity.guid\n1,2\n", Some(1), "`entity.guid` has a reserved name"),
        ("id,name\n1,\"a\n", Some(2), "never closed"),
    ] {
        let (found, told) = rows(text).expect_err(text);
        assert_eq!((found, told.contains(what)), (line, true), "{text:?}: {told}");
    }
    // A table of nothing but names is one.
    assert_eq!(rows("id,name\n"), Ok(Vec::new()));
}

#[test]
fn a_file_is_read_whole_or_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    assert_eq!(read("t", &file("good.csv", b"id,name\r\n1,a\r\n")).map(|table| table.rows()).unwrap(), 1);
    let told = |path: &Path| {
        let text = read("t", path).unwrap_err().to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(told(&file("latin.csv", b"id,name\n1,caf\xe9\n")), "latin.csv:2: not UTF-8: save the file as CSV in UTF-8");
    let mut long = b"id,name\n".to_vec();
    long.resize(4_000_001, b' ');
    assert_eq!(told(&file("long.csv", &long)), "long.csv: more than 4000000 bytes, the most that New Relic takes");
    assert!(told(&folder.path().join("none.csv")).starts_with("none.csv: "));
}

#[test]
fn a_table_is_named_as_an_event_type_is() {
    for name in ["owners", "aws:owners_2", "A"] {
        assert_eq!(name_fault(name), None, "{name}");
    }
    for (name, what) in [("", "1 to 255"), ("a-b", "'-' in a name"), ("所有者", "in a name"), ("eventType", "reserved")] {
        assert!(name_fault(name).is_some_and(|told| told.contains(what)), "{name}: {:?}", name_fault(name));
    }
}
