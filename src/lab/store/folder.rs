//! A folder of Parquet files, one for each event type: what the store holds, for another time and for other tools.
//!
//! In: a snapshot, or a folder. Out: files, or a store. What always holds: a file is there whole or not at all; reading what was
//! written gives the same rows in the same order. `timestamp` and `receivedAt` are milliseconds since 1970, UTC. A column is named as
//! its attribute; where rows have values of several kinds under one name, the further kinds are columns of their own, and the fields'
//! metadata (`nrql.attribute`, `nrql.kind`) say what they are. Lists and values of metrics are JSON text there. Files of other tools
//! are read by the kinds of their columns.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{ColumnView, Entries, Part, Rows, Segment, Snapshot, Store, TableView, json_value};
use crate::lab::engine::json as value_json;

/// Ends the names of the files.
const ENDS: &str = "parquet";
/// When a row happened.
const TIMESTAMP: &str = "timestamp";
/// When it arrived.
const RECEIVED: &str = "receivedAt";
/// Which attribute a column holds.
const ATTRIBUTE: &str = "nrql.attribute";
/// Which kind of value: `text`, `number`, `flag`, `other`.
const KIND: &str = "nrql.kind";

/// Why a folder could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct FolderError {
    path: PathBuf,
    what: String,
}

impl FolderError {
    fn new(path: &Path, what: impl ToString) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}

/// A kind of value of a column, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    Other,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Text, Self::Number, Self::Flag, Self::Other];

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Other => "other",
        }
    }

    const fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Other => DataType::Utf8,
            Self::Number => DataType::Float64,
            Self::Flag => DataType::Boolean,
        }
    }

    fn is_in(self, part: &Part) -> bool {
        match self {
            Self::Text => part.text.is_some(),
            Self::Number => part.number.is_some(),
            Self::Flag => part.flag.is_some(),
            Self::Other => part.other.is_some(),
        }
    }
}

/// Writes every table into `folder`, which is made where it is not there. Files of types that the snapshot does not have stay.
///
/// # Errors
/// When the folder cannot be written. Every file is whole under another name before the first one gets its own; when one cannot get
/// it, those that are new are taken away again. Files that replaced older ones stay: each is the old one or the new one.
pub fn save(snapshot: &Snapshot, folder: &Path) -> Result<(), FolderError> {
    std::fs::create_dir_all(folder).map_err(|error| FolderError::new(folder, error))?;
    let mut undone = Undone(Vec::new());
    let mut named = Vec::new();
    for table in snapshot.tables.values() {
        let path = file(folder, table.name());
        let unfinished = path.with_extension("unfinished");
        let file = File::create(&unfinished).map_err(|error| FolderError::new(&unfinished, error))?;
        undone.0.push(unfinished.clone());
        write(table, file, &unfinished)?;
        named.push((unfinished, path));
    }
    for (unfinished, path) in &named {
        let is_new = std::fs::symlink_metadata(path).is_err();
        std::fs::rename(unfinished, path).map_err(|error| FolderError::new(path, error))?;
        if is_new {
            undone.0.push(path.clone());
        }
    }
    undone.0.clear();
    Ok(())
}

/// Files that are taken away unless all could be written.
struct Undone(Vec<PathBuf>);

impl Drop for Undone {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone = std::fs::remove_file(path).is_ok();
        }
    }
}

/// The file that [`save`] writes for an event type.
#[must_use]
pub fn file(folder: &Path, event_type: &str) -> PathBuf {
    folder.join(format!("{}.{ENDS}", file_name(event_type)))
}

/// Reads every `.parquet` file of `folder` into `store`. Gives the number of rows.
///
/// # Errors
/// When a file cannot be read, or has a column of a kind that no attribute has.
pub fn load(store: &Store, folder: &Path) -> Result<usize, FolderError> {
    let entries = std::fs::read_dir(folder).map_err(|error| FolderError::new(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| FolderError::new(folder, error))?.path();
        if path.extension().is_some_and(|ends| ends == ENDS) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    paths.iter().map(|path| load_file(store, path)).sum()
}

/// Reads one Parquet file. The event type is the file's name; what stands after a first dot in it numbers files of one type.
///
/// # Errors
/// As [`load`].
pub fn load_file(store: &Store, path: &Path) -> Result<usize, FolderError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let event_type = type_name(stem.split('.').next().unwrap_or(&stem));
    let file = File::open(path).map_err(|error| FolderError::new(path, error))?;
    let fault = |error: &dyn std::fmt::Display| FolderError::new(path, error);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| fault(&error))?;
    let reader = reader.build().map_err(|error| fault(&error))?;
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(|error| fault(&error))?;
        rows += batch.num_rows();
        store.append(&event_type, |pen| read(&batch, pen)).map_err(|what| FolderError::new(path, what))?;
    }
    Ok(rows)
}

/// A type's name as a file name: what no file system takes is written as `%XX`.
fn file_name(event_type: &str) -> String {
    let mut name = String::new();
    for byte in event_type.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b':' {
            name.push(char::from(byte));
        } else {
            name += &format!("%{byte:02X}");
        }
    }
    name
}

fn type_name(file: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = file.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (b'%', Some(code)) = (byte, code) {
            bytes.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A column of the file: which of the table's, and which kind.
struct Written {
    column: usize,
    kind: Kind,
}

fn write(table: &TableView, file: File, path: &Path) -> Result<(), FolderError> {
    let fault = |error: &dyn std::fmt::Display| FolderError::new(path, error);
    let (schema, written) = schema(table);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(|error| fault(&error))?;
    for segment in table.segments() {
        let mut arrays: Vec<ArrayRef> = vec![time(segment.timestamps()), time(segment.received())];
        arrays.extend(written.iter().map(|written| array(table, segment, written)));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| fault(&error))?;
        writer.write(&batch).map_err(|error| fault(&error))?;
    }
    writer.close().map_err(|error| fault(&error))?;
    Ok(())
}

fn schema(table: &TableView) -> (Arc<Schema>, Vec<Written>) {
    let at = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let mut fields = vec![Field::new(TIMESTAMP, at.clone(), false), Field::new(RECEIVED, at, false)];
    let mut written = Vec::new();
    for (column, ColumnView { name, .. }) in table.columns().iter().enumerate() {
        let parts = || table.segments().iter().filter_map(|segment| segment.part(column));
        let kinds = Kind::ALL.into_iter().filter(|kind| parts().any(|part| kind.is_in(part)));
        for (nth, kind) in kinds.enumerate() {
            let is_taken = |name: &str| fields.iter().any(|field| field.name() == name);
            let mut shown = if nth == 0 { name.to_string() } else { format!("{name} ({})", kind.word()) };
            while is_taken(&shown) {
                shown.push('_');
            }
            let about = [(ATTRIBUTE, &**name), (KIND, kind.word())].map(|(key, value)| (key.to_owned(), value.to_owned()));
            fields.push(Field::new(shown, kind.data_type(), true).with_metadata(HashMap::from(about)));
            written.push(Written { column, kind });
        }
    }
    (Arc::new(Schema::new(fields)), written)
}

fn time(ms: &[i64]) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from(ms.to_vec()).with_timezone("UTC"))
}

fn array(table: &TableView, segment: &Segment, Written { column, kind }: &Written) -> ArrayRef {
    let (Some(part), Some(view)) = (segment.part(*column), table.columns().get(*column)) else {
        return arrow_array::new_null_array(&kind.data_type(), segment.rows());
    };
    let nothing = || arrow_array::new_null_array(&kind.data_type(), segment.rows());
    match kind {
        Kind::Text => part.text.as_ref().map_or_else(nothing, |codes| texts(codes, &view.texts, ToString::to_string)),
        Kind::Other => {
            part.other.as_ref().map_or_else(nothing, |codes| texts(codes, &view.others, |other| value_json(&other.0).to_string()))
        }
        Kind::Number => part.number.clone().map_or_else(nothing, |numbers| Arc::new(numbers)),
        Kind::Flag => part.flag.clone().map_or_else(nothing, |flags| Arc::new(flags)),
    }
}

fn texts<T>(codes: &Int32Array, entries: &Entries<T>, text: impl Fn(&T) -> String) -> ArrayRef {
    let mut texts = StringBuilder::new();
    for code in codes.values() {
        match entries.get(*code) {
            Some(entry) => texts.append_value(text(entry)),
            None => texts.append_null(),
        }
    }
    Arc::new(texts.finish())
}

/// How a column is read.
enum Read {
    Text(StringArray),
    Number(Float64Array),
    Flag(BooleanArray),
    Other(StringArray),
}

fn read(batch: &RecordBatch, pen: &mut Rows<'_>) -> Result<(), String> {
    let schema = batch.schema();
    let mut columns = Vec::new();
    let (mut at, mut received) = (None, None);
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let kind = field.metadata().get(KIND).map(String::as_str);
        match field.name().as_str() {
            TIMESTAMP if kind.is_none() => at = Some(numbers(field, array)?),
            RECEIVED if kind.is_none() => received = Some(numbers(field, array)?),
            shown => {
                let name = field.metadata().get(ATTRIBUTE).map_or(shown, String::as_str).to_owned();
                columns.push((name, column(field, array, kind)?));
            }
        }
    }
    let Some(at) = at else { return Err(format!("no column `{TIMESTAMP}`, which every row needs")) };
    for row in 0..batch.num_rows() {
        let ms = whole(value(&at, row).unwrap_or(0.0));
        let arrived = received.as_ref().and_then(|received| value(received, row)).map_or(ms, whole);
        pen.begin(ms, arrived);
        for (name, column) in &columns {
            match column {
                Read::Text(texts) if texts.is_valid(row) => pen.text(name, texts.value(row)),
                Read::Number(numbers) if numbers.is_valid(row) => pen.number(name, numbers.value(row)),
                Read::Flag(flags) if flags.is_valid(row) => pen.flag(name, flags.value(row)),
                Read::Other(texts) if texts.is_valid(row) => {
                    let json = serde_json::from_str(texts.value(row)).map_err(|error| format!("column `{name}`: {error}"))?;
                    pen.value(name, &json_value(&json));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn value(numbers: &Float64Array, row: usize) -> Option<f64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

#[expect(clippy::cast_possible_truncation, reason = "a double out of range becomes the end of the range")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn column(field: &Field, array: &ArrayRef, kind: Option<&str>) -> Result<Read, String> {
    Ok(match array.data_type() {
        DataType::Boolean => Read::Flag(downcast(field, array)?),
        DataType::Utf8 if kind == Some(Kind::Other.word()) => Read::Other(downcast(field, array)?),
        DataType::Utf8 => Read::Text(downcast(field, array)?),
        DataType::LargeUtf8 => {
            let texts: arrow_array::LargeStringArray = downcast(field, array)?;
            Read::Text(texts.iter().collect())
        }
        DataType::Utf8View => {
            let texts: arrow_array::StringViewArray = downcast(field, array)?;
            Read::Text(texts.iter().collect())
        }
        _ => Read::Number(numbers(field, array)?),
    })
}

fn downcast<T: Array + Clone + 'static>(field: &Field, array: &ArrayRef) -> Result<T, String> {
    array.as_any().downcast_ref::<T>().cloned().ok_or_else(|| unknown(field))
}

fn unknown(field: &Field) -> String {
    format!("column `{}` is of type {}: text, numbers, truth values and timestamps can be read", field.name(), field.data_type())
}

/// Whole numbers, fractions and times as doubles; times in milliseconds.
fn numbers(field: &Field, array: &ArrayRef) -> Result<Float64Array, String> {
    use arrow_array::types as t;
    macro_rules! of {
        ($type:ty, $double:expr) => {{
            let values: arrow_array::PrimitiveArray<$type> = downcast(field, array)?;
            values.iter().map(|value| value.map($double)).collect::<Float64Array>()
        }};
    }
    Ok(match array.data_type() {
        DataType::Float64 => downcast(field, array)?,
        DataType::Float32 => of!(t::Float32Type, f64::from),
        DataType::Int8 => of!(t::Int8Type, f64::from),
        DataType::Int16 => of!(t::Int16Type, f64::from),
        DataType::Int32 => of!(t::Int32Type, f64::from),
        DataType::Int64 => of!(t::Int64Type, |value| value as f64),
        DataType::UInt8 => of!(t::UInt8Type, f64::from),
        DataType::UInt16 => of!(t::UInt16Type, f64::from),
        DataType::UInt32 => of!(t::UInt32Type, f64::from),
        DataType::UInt64 => of!(t::UInt64Type, |value| value as f64),
        DataType::Timestamp(TimeUnit::Second, _) => of!(t::TimestampSecondType, |value| value as f64 * 1e3),
        DataType::Timestamp(TimeUnit::Millisecond, _) => of!(t::TimestampMillisecondType, |value| value as f64),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of!(t::TimestampMicrosecondType, |value| value.div_euclid(1_000) as f64),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            of!(t::TimestampNanosecondType, |value| value.div_euclid(1_000_000) as f64)
        }
        _ => return Err(unknown(field)),
    })
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
