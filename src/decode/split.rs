//! Bytes → the JSON text of each record, without building a tree.
//!
//! In: any reader. Out, one at a time: the elements of every `Records` or `configurationItems` array of a top-level object, the
//! elements of a top-level array, or whole top-level documents (NDJSON, one document, several after each other). Strings are
//! respected, nothing is parsed. What always holds: memory is bounded by the longest record allowed; a record that is too long or
//! broken in a line of its own costs itself only; every other byte belongs to exactly one item, or stands beside such an array in
//! its object. Of a snapshot of AWS Config only that it is one is told: its items say what is, and not what changed.

use std::io::{self, Read};

use memchr::{memchr, memchr2, memmem};

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;
/// What is kept of a record that is too long, bytes.
const HEAD: usize = 4 << 10;
/// What is said of a record that is too long.
pub const TOO_LONG: &str = "longer than the record limit";

/// What the splitter found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// An element of `Records` or of a top-level array.
    Element(&'a [u8]),
    /// An element of `configurationItems`, of a history file of AWS Config's.
    ConfigItem(&'a [u8]),
    /// Here begin the `configurationItems` of a snapshot file; none of them is given.
    Snapshot,
    /// A whole top-level document.
    Document(&'a [u8]),
    /// A piece of the input that is no JSON object, and why.
    Broken(&'a [u8], &'static str),
    /// The same in the place of an element, or an element that is too long: what surrounds it is an array of records all the
    /// same.
    Stray(&'a [u8], &'static str),
}

/// Why the input ended early.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// The reader failed: cut or corrupt packing, or the limit.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The input ended inside a record or an array.
    #[error("ends in the middle of {0}")]
    Truncated(&'static str),
}

/// What a reader says ([`io::Error::other`]) that is to be read no further, although it may have more. Never an end, not even
/// between two records: nobody knows what would have come.
#[derive(Debug, thiserror::Error)]
#[error("stopped before its end")]
pub struct Stopped;

impl Stopped {
    /// Whether a reader said so.
    #[must_use]
    pub fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Splits a reader into records.
#[derive(Debug)]
pub struct Splitter<R> {
    input: R,
    buffer: Vec<u8>,
    filled: usize,
    at: usize,
    /// Start of the open item in the buffer.
    start: usize,
    /// Bytes of the open item already let go because it is too long.
    overlong: bool,
    place: Place,
    scan: Scan,
    record_max: usize,
    ended: bool,
    total: u64,
}

/// Where the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between top-level documents.
    Top,
    /// Between top-level documents of a file with one document a line.
    Lines,
    /// Inside a top-level object that may turn out to hold `Records`.
    Document,
    /// Between elements of an array.
    Array(Array),
    /// Inside an element.
    Element(Array),
    /// Inside something else than an object, where an element should be.
    Stray(Array),
    /// After `Records` and its like, until its object ends or holds another one.
    Rest,
    /// After a document that stood on one line: a line end here means one document a line.
    After,
}

/// Which array it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Array {
    /// It stands alone.
    Top,
    /// `Records` of an object.
    Records,
    /// `configurationItems` of a history file.
    History,
    /// `configurationItems` of a snapshot file.
    Snapshot,
}

/// Progress inside one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// How many bytes of [`Scan::name`] the last string is, when it is at depth 1 and nothing else so far; [`OTHER`] if not.
    key: usize,
    /// It began as [`ITEMS`] do.
    is_items: bool,
}

impl Scan {
    /// The key that the last string may be.
    fn name(self) -> &'static [u8] {
        if self.is_items { ITEMS } else { RECORDS }
    }
}

/// The key of the array that holds records.
const RECORDS: &[u8] = b"Records";
/// The same in AWS Config's files.
const ITEMS: &[u8] = b"configurationItems";
/// What a string is that is none of them, nor the beginning of one.
const OTHER: usize = usize::MAX;
/// What a snapshot file says of itself before its items; in a history file it is not there, or null.
const SNAPSHOT: &[u8] = b"\"configSnapshotId\"";

/// An item as positions in the buffer.
enum Found {
    Element(usize, usize),
    ConfigItem(usize, usize),
    Snapshot,
    Document(usize, usize),
    Broken(usize, usize, &'static str),
    Stray(usize, usize, &'static str),
    /// Something that nobody is told of.
    Nothing,
    NeedMore,
}

impl<R: Read> Splitter<R> {
    /// Splits `input`; records longer than `record_max` bytes are broken.
    pub fn new(input: R, record_max: usize) -> Self {
        Self::with_buffer(input, record_max, Vec::new())
    }

    /// The same, in the buffer of a splitter before it; what is in the buffer does not matter.
    pub fn with_buffer(input: R, record_max: usize, buffer: Vec<u8>) -> Self {
        Self {
            input,
            buffer,
            filled: 0,
            at: 0,
            start: 0,
            overlong: false,
            place: Place::Top,
            scan: Scan::default(),
            record_max,
            ended: false,
            total: 0,
        }
    }

    /// The buffer, for the next splitter.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Bytes read so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The next item, or `None` at the end. After an error of the input that passes, such as
    /// [`io::ErrorKind::WouldBlock`], it may be asked again.
    ///
    /// # Errors
    /// [`SplitError`] when the input cannot be read further; the items before it were good.
    pub fn next(&mut self) -> Result<Option<Item<'_>>, SplitError> {
        loop {
            match self.step() {
                Found::Element(from, to) => return Ok(Some(Item::Element(self.bytes(from, to)))),
                Found::ConfigItem(from, to) => return Ok(Some(Item::ConfigItem(self.bytes(from, to)))),
                Found::Snapshot => return Ok(Some(Item::Snapshot)),
                Found::Nothing => {}
                Found::Document(from, to) => return Ok(Some(Item::Document(self.bytes(from, to)))),
                Found::Broken(from, to, why) => return Ok(Some(Item::Broken(self.bytes(from, to), why))),
                Found::Stray(from, to, why) => return Ok(Some(Item::Stray(self.bytes(from, to), why))),
                Found::NeedMore if self.ended => return self.finish(),
                Found::NeedMore => self.refill()?,
            }
        }
    }

    fn bytes(&self, from: usize, to: usize) -> &[u8] {
        self.buffer.get(from..to).unwrap_or_default()
    }

    fn refill(&mut self) -> io::Result<()> {
        // Keep the open item only; move it to the front when the room behind it runs out.
        let keep = if matches!(self.place, Place::Document | Place::Element(_) | Place::Stray(_) | Place::Lines) {
            self.start
        } else {
            self.at
        };
        if keep > 0 && self.filled + CHUNK > self.buffer.len() {
            self.buffer.copy_within(keep..self.filled, 0);
            self.filled -= keep;
            self.at -= keep;
            self.start = 0;
        }
        if self.buffer.len() < self.filled + CHUNK {
            self.buffer.resize((self.filled + CHUNK).next_power_of_two(), 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = read == 0;
        self.filled += read;
        self.total += read as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<Item<'_>>, SplitError> {
        let (from, to) = (self.start, self.filled);
        match self.place {
            Place::Top | Place::After => Ok(None),
            Place::Lines => {
                // A last line without a line end is a line.
                let is_too_long = self.is_too_long(to);
                self.overlong = false;
                self.start = self.filled;
                self.at = self.filled;
                if is_too_long {
                    return Ok(Some(Item::Broken(self.bytes(from, to.min(from + HEAD)), TOO_LONG)));
                }
                let line = self.bytes(from, to).trim_ascii();
                Ok((!line.is_empty()).then(|| line_item(line)))
            }
            Place::Document if !self.scan.in_string && self.scan.depth == 0 => Ok(None),
            Place::Document => Err(SplitError::Truncated("a JSON document")),
            Place::Array(_) | Place::Stray(_) | Place::Rest => Err(SplitError::Truncated("the object of an array of records")),
            Place::Element(_) => Err(SplitError::Truncated("a record")),
        }
    }

    fn step(&mut self) -> Found {
        loop {
            match self.place {
                Place::Top => match self.skip_white() {
                    None => return Found::NeedMore,
                    Some(b'{') => self.open(Place::Document),
                    Some(b'[') => {
                        self.at += 1;
                        self.place = Place::Array(Array::Top);
                    }
                    Some(_) => self.lines_from_here(),
                },
                Place::Lines => match self.line() {
                    Some(found) => return found,
                    None => return Found::NeedMore,
                },
                Place::Document | Place::Rest => match self.document() {
                    Some(Found::NeedMore) => {}
                    Some(found) => return found,
                    None => return Found::NeedMore,
                },
                Place::Array(array) => match self.skip_white() {
                    None => return Found::NeedMore,
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        self.scan = Scan { depth: 1, ..Scan::default() };
                        self.place = if array == Array::Top { Place::Top } else { Place::Rest };
                    }
                    Some(b'{') => self.open(Place::Element(array)),
                    Some(_) => self.open(Place::Stray(array)),
                },
                Place::Stray(array) => {
                    let Some(end) = self.stray_end() else { return self.too_long() };
                    self.place = Place::Array(array);
                    if array == Array::Snapshot {
                        return Found::Nothing;
                    }
                    return self.close(end, Found::Stray, |from, to| Found::Stray(from, to, "not a JSON object"));
                }
                Place::Element(array) => {
                    let Some(end) = self.value_end() else { return self.too_long() };
                    self.place = Place::Array(array);
                    return match array {
                        Array::Top | Array::Records => self.close(end, Found::Stray, Found::Element),
                        Array::History => self.close(end, Found::Stray, Found::ConfigItem),
                        Array::Snapshot => Found::Nothing,
                    };
                }
                Place::After => match self.buffer.get(self.at).filter(|_| self.at < self.filled) {
                    None => return Found::NeedMore,
                    Some(b' ' | b'\t' | b'\r') => self.at += 1,
                    Some(b'\n') => {
                        self.at += 1;
                        self.lines_from_here();
                    }
                    Some(_) => self.place = Place::Top,
                },
            }
        }
    }

    fn open(&mut self, place: Place) {
        self.start = self.at;
        self.overlong = false;
        self.scan = Scan::default();
        self.place = place;
    }

    fn close(&self, end: usize, cut: fn(usize, usize, &'static str) -> Found, whole: fn(usize, usize) -> Found) -> Found {
        let from = self.start;
        if self.is_too_long(end) { cut(from, end.min(from + HEAD), TOO_LONG) } else { whole(from, end) }
    }

    fn is_too_long(&self, end: usize) -> bool {
        self.overlong || end - self.start > self.record_max
    }

    /// Lets go of what cannot become a record any more, and asks for more input.
    fn too_long(&mut self) -> Found {
        if self.at - self.start > self.record_max {
            self.overlong = true;
            let head = (self.start + HEAD).min(self.at);
            self.buffer.copy_within(self.at..self.filled, head);
            self.filled -= self.at - head;
            self.at = head;
        }
        Found::NeedMore
    }

    fn skip_white(&mut self) -> Option<u8> {
        while let Some(&byte) = self.buffer.get(self.at).filter(|_| self.at < self.filled) {
            // A byte order mark is white space, whatever writes it.
            if byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf) {
                self.at += 1;
            } else {
                return Some(byte);
            }
        }
        None
    }

    fn lines_from_here(&mut self) {
        self.start = self.at;
        self.overlong = false;
        self.place = Place::Lines;
    }

    /// One line of an NDJSON file.
    fn line(&mut self) -> Option<Found> {
        loop {
            let Some(end) = memchr(b'\n', self.bytes(self.at, self.filled)).map(|found| self.at + found) else {
                self.at = self.filled;
                let _more = self.too_long();
                return None;
            };
            let from = self.start;
            self.at = end + 1;
            self.start = end + 1;
            let overlong = std::mem::take(&mut self.overlong) || end - from > self.record_max;
            if overlong {
                return Some(Found::Broken(from, end.min(from + HEAD), TOO_LONG));
            }
            let line = self.bytes(from, end);
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() {
                continue;
            }
            let from = from + (line.len() - line.trim_ascii_start().len());
            let to = from + trimmed.len();
            return Some(match line_item(trimmed) {
                Item::Broken(_, why) => Found::Broken(from, to, why),
                _ => Found::Document(from, to),
            });
        }
    }

    /// Inside a top-level object: its end, or the start of its `Records` or `configurationItems`, of which it may hold more than one.
    fn document(&mut self) -> Option<Found> {
        let is_rest = self.place == Place::Rest;
        let bytes = self.buffer.get(..self.filled).unwrap_or_default();
        let scan = &mut self.scan;
        while let Some(&byte) = bytes.get(self.at) {
            if scan.in_string {
                if scan.escaped {
                    scan.escaped = false;
                } else if byte == b'\\' {
                    scan.escaped = true;
                    scan.key = OTHER;
                } else if byte == b'"' {
                    scan.in_string = false;
                } else if byte == b'\n' && !is_rest {
                    // Never legal in a string: this line is broken, the next may be good.
                    let (from, to) = (self.start, self.at);
                    self.at += 1;
                    self.lines_from_here();
                    return Some(Found::Broken(from, to, "a string has no end"));
                } else if scan.key != OTHER {
                    if scan.key == 0 {
                        scan.is_items = ITEMS.first() == Some(&byte);
                    }
                    scan.key = if scan.name().get(scan.key) == Some(&byte) { scan.key + 1 } else { OTHER };
                }
                self.at += 1;
                continue;
            }
            self.at += 1;
            match byte {
                b'"' => {
                    scan.in_string = true;
                    scan.key = if scan.depth == 1 { 0 } else { OTHER };
                }
                b'[' if scan.depth == 1 && scan.key == scan.name().len() => {
                    let array = match scan.is_items {
                        false => Array::Records,
                        true if !is_rest && is_snapshot(bytes.get(self.start..self.at).unwrap_or_default()) => Array::Snapshot,
                        true => Array::History,
                    };
                    self.place = Place::Array(array);
                    return Some(if array == Array::Snapshot { Found::Snapshot } else { Found::NeedMore });
                }
                b'{' | b'[' => {
                    scan.depth += 1;
                    scan.key = OTHER;
                }
                b'}' | b']' => {
                    scan.depth = scan.depth.saturating_sub(1);
                    if scan.depth == 0 && is_rest {
                        self.place = Place::Top;
                        return Some(Found::NeedMore);
                    }
                    if scan.depth == 0 {
                        let end = self.at;
                        let one_line = memchr(b'\n', bytes.get(self.start..end).unwrap_or_default()).is_none();
                        self.place = if one_line { Place::After } else { Place::Top };
                        let found = self.close(end, Found::Broken, Found::Document);
                        return Some(found);
                    }
                }
                b',' => scan.key = OTHER,
                _ => {}
            }
        }
        if !is_rest {
            let _more = self.too_long();
        }
        None
    }

    /// The end of what is no object in the place of an element, exclusive. Text and arrays are passed over whole: what is in
    /// them belongs to them. Of what is no JSON at all the next mark decides.
    fn stray_end(&mut self) -> Option<usize> {
        if self.buffer.get(self.start) == Some(&b'[') {
            return self.value_end();
        }
        if self.at == self.start && self.buffer.get(self.at) == Some(&b'"') {
            self.at += 1;
            self.scan.in_string = true;
        }
        let bytes = self.buffer.get(..self.filled).unwrap_or_default();
        while let Some(&byte) = bytes.get(self.at) {
            let scan = &mut self.scan;
            match byte {
                _ if scan.escaped => scan.escaped = false,
                b'\\' if scan.in_string => scan.escaped = true,
                b'"' if scan.in_string => scan.in_string = false,
                b',' | b']' | b'{' if !scan.in_string => return Some(self.at),
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// The end of the value that the scan is inside of (`}` or `]` of depth 0), exclusive.
    fn value_end(&mut self) -> Option<usize> {
        let bytes = self.buffer.get(..self.filled).unwrap_or_default();
        let mut at = self.at;
        let Scan { mut depth, mut in_string, mut escaped, .. } = self.scan;
        let mut end = None;
        if escaped && at < bytes.len() {
            at += 1;
            escaped = false;
        }
        'value: while at < bytes.len() {
            if in_string {
                let Some(found) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) else {
                    at = bytes.len();
                    break;
                };
                at += found + 1;
                if bytes.get(at - 1) == Some(&b'"') {
                    in_string = false;
                } else if at < bytes.len() {
                    at += 1;
                } else {
                    escaped = true;
                }
                continue;
            }
            for &byte in bytes.get(at..).unwrap_or_default() {
                at += 1;
                match byte {
                    b'"' => {
                        in_string = true;
                        continue 'value;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            end = Some(at);
                            break 'value;
                        }
                    }
                    _ => {}
                }
            }
        }
        self.at = at;
        self.scan = Scan { depth, in_string, escaped, ..self.scan };
        end
    }
}

/// Whether a file of AWS Config's names a snapshot before its items.
fn is_snapshot(head: &[u8]) -> bool {
    let Some(at) = memmem::find(head, SNAPSHOT) else { return false };
    let rest = head.get(at + SNAPSHOT.len()..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"\""))
}

/// A line is a document if it looks like an object.
fn line_item(line: &[u8]) -> Item<'_> {
    if line.first() == Some(&b'{') && line.last() == Some(&b'}') {
        Item::Document(line)
    } else {
        Item::Broken(line, "not a JSON object")
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
